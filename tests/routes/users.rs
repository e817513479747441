//! `/v1/users`: made, found, changed, cleared, unlocked, deleted; a list is read page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{encoded, new_user, pages, text};
use crate::support::World;

#[tokio::test]
async fn a_user_is_what_was_given() {
    let world = World::null();
    let body = json!({"external_id": "42", "email": " Ana.B@Example.com ", "name": "Ana", "locale": "pt-BR",
        "metadata": {"plan": "gold", "note": ""}});
    let user = world.post("/v1/users", &body).await.expect(201);
    for (field, wanted) in [("external_id", "42"), ("email", "Ana.B@Example.com"), ("name", "Ana"), ("locale", "pt-BR")]
    {
        assert_eq!(user[field], wanted);
    }
    assert_eq!(user["metadata"], body["metadata"]);
    assert_eq!(user["second_factor"], json!({"failures_in_a_row": 0, "locked_until": null}));
    assert_eq!(user["created_at"], user["updated_at"]);
    assert_eq!(world.get(&format!("/v1/users/{}", text(&user["id"]))).await.expect(200), user);
}

#[tokio::test]
async fn nothing_is_needed_for_a_user() {
    let world = World::null();
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    for field in ["external_id", "email", "phone", "name", "locale"] {
        assert!(user[field].is_null(), "{field}");
    }
    assert_eq!(user["metadata"], json!({}));
    // Two users without identifiers are two users.
    assert_ne!(world.post("/v1/users", &json!({})).await.expect(201)["id"], user["id"]);
}

#[tokio::test]
async fn a_user_is_found_by_address_in_any_case_by_proven_phone_and_by_external_id() {
    let world = World::null();
    new_user(&world, &json!({"email": "ben@example.com", "external_id": "b"})).await;
    let ana = new_user(&world, &json!({"email": "Ana@Example.com", "external_id": "a/1 ü"})).await;
    let found = async |query: String| -> Vec<String> {
        let page = world.get(&format!("/v1/users?{query}")).await.expect(200);
        page["data"].as_array().unwrap().iter().map(|user| text(&user["id"])).collect()
    };
    for typed in ["ana@example.com", "ANA@EXAMPLE.COM", " Ana@example.com "] {
        assert_eq!(found(format!("email={}", encoded(typed))).await.join(" "), ana, "{typed}");
    }
    assert_eq!(found(format!("external_id={}", encoded("a/1 ü"))).await, [ana]);
    let nobody: [String; 0] = [];
    assert_eq!(found("email=eve%40example.com".to_owned()).await, nobody);
    assert_eq!(found("external_id=c".to_owned()).await, nobody);

    let (carl, _, number) = world.user_with_phone().await;
    for typed in [number.clone(), format!("({}) {}", &number[2..5], &number[5..])] {
        assert_eq!(found(format!("phone={}", encoded(&typed))).await.join(" "), carl, "{typed}");
    }
    // Unproven, it is nobody's.
    let unproven = world.number();
    let dora = new_user(&world, &json!({})).await;
    world.post(&format!("/v1/users/{dora}/factors"), &json!({"type": "phone", "phone": unproven})).await.expect(201);
    assert_eq!(found(format!("phone={}", encoded(&unproven))).await, nobody);
}

#[tokio::test]
async fn users_are_found_by_one_thing_at_a_time() {
    let world = World::null();
    for query in
        ["email=a%40b.cd&external_id=1", "email=a%40b.cd&phone=%2B14155552671", "phone=4155552671&external_id=1"]
    {
        world.get(&format!("/v1/users?{query}")).await.expect_problem(422, "form_param_invalid");
    }
    for (query, field) in [("email=ana", "email"), ("phone=12", "phone"), ("limit=0", "limit"), ("limit=101", "limit")]
    {
        let answer = world.get(&format!("/v1/users?{query}")).await;
        assert_eq!(answer.fields()[0].0, field);
        answer.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn a_list_is_whole_page_by_page_newest_first() {
    let world = World::null();
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(new_user(&world, &json!({})).await);
        world.here().clock.advance(std::time::Duration::from_millis(5));
    }
    made.reverse();
    for (limit, wanted) in [(2, 4), (3, 3), (7, 1), (100, 1)] {
        let (all, count) = pages(&world, "/v1/users", limit).await;
        let all: Vec<String> = all.iter().map(|user| text(&user["id"])).collect();
        assert_eq!((all, count), (made.clone(), wanted), "{limit}");
    }
    // What is made meanwhile does not shift the next page.
    let first = world.get("/v1/users?limit=3").await.expect(200);
    new_user(&world, &json!({})).await;
    let next = format!("/v1/users?limit=3&cursor={}", text(&first["next_cursor"]));
    let second = world.get(&next).await.expect(200);
    let ids =
        |page: &Value| -> Vec<String> { page["data"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect() };
    assert_eq!([ids(&first), ids(&second)].concat(), made[..6]);
}

#[tokio::test]
async fn twenty_are_a_page_unless_told_otherwise() {
    let world = World::null();
    for _ in 0..21 {
        new_user(&world, &json!({})).await;
    }
    let page = world.get("/v1/users").await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
    assert!(page["next_cursor"].is_string());
}

#[tokio::test]
async fn an_identifier_belongs_to_one_user() {
    let world = World::null();
    let ana = new_user(&world, &json!({"email": "ana@example.com", "external_id": "1"})).await;
    let ben = new_user(&world, &json!({"email": "ben@example.com"})).await;
    let taken = [(json!({"email": "ANA@example.com"}), "email"), (json!({"external_id": "1"}), "external_id")];
    for (body, field) in taken {
        let made = world.post("/v1/users", &body).await.expect_problem(409, "form_identifier_exists");
        assert!(made["detail"].as_str().unwrap().contains(field), "{made}");
        let changed = world.patch(&format!("/v1/users/{ben}"), &body).await;
        changed.expect_problem(409, "form_identifier_exists");
        // One's own is not taken.
        world.patch(&format!("/v1/users/{ana}"), &body).await.expect(200);
    }
    assert_eq!(world.get(&format!("/v1/users/{ben}")).await.expect(200)["email"], "ben@example.com");
    // Given up, it is free.
    world.patch(&format!("/v1/users/{ana}"), &json!({"external_id": null})).await.expect(200);
    world.patch(&format!("/v1/users/{ben}"), &json!({"external_id": "1"})).await.expect(200);
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_clears() {
    let world = World::null();
    let body = json!({"external_id": "1", "email": "ana@example.com", "phone": world.number(), "name": "Ana", "locale": "en",
        "metadata": {"a": "b"}});
    let made = world.post("/v1/users", &body).await.expect(201);
    let path = format!("/v1/users/{}", text(&made["id"]));
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let mut wanted = made.clone();
    let empty = world.patch(&path, &json!({})).await.expect(200);
    wanted["updated_at"] = empty["updated_at"].clone();
    assert_eq!(empty, wanted);
    assert_ne!(empty["updated_at"], made["updated_at"]);
    for field in ["external_id", "email", "phone", "name", "locale", "metadata"] {
        let cleared = world.patch(&path, &json!({field: null})).await.expect(200);
        wanted[field] = if field == "metadata" { json!({}) } else { Value::Null };
        assert_eq!(cleared, wanted, "{field}");
    }
    let metadata = json!({"x": "y"});
    assert_eq!(world.patch(&path, &json!({"metadata": metadata})).await.expect(200)["metadata"], metadata);
}

#[tokio::test]
async fn an_address_or_a_language_that_is_none_is_refused_by_name() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    let bad = [
        ("email", "ana"),
        ("email", "ana@example"),
        ("email", "a b@example.com"),
        ("email", "\"ana\"@example.com"),
        ("email", "ana@bücher.example"),
        ("locale", "english language"),
        ("locale", "-"),
    ];
    for (field, value) in bad {
        for (method, path) in [("POST", "/v1/users".to_owned()), ("PATCH", format!("/v1/users/{user}"))] {
            let answer = world.request(method, &path).json(&json!({field: value})).send().await;
            let code = if field == "email" { "email_address_invalid" } else { "form_param_value_invalid" };
            assert_eq!(answer.fields(), [(field, code)], "{value}");
        }
    }
}

#[tokio::test]
async fn unlocking_clears_wrong_answers() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let wrong = world.wrong(&world.code(&number).await);
    world.answer(&challenge, &wrong).await.expect_problem(422, "form_code_incorrect");
    let path = format!("/v1/users/{user}");
    assert_eq!(world.get(&path).await.expect(200)["second_factor"]["failures_in_a_row"], 1);
    let unlocked = world.post(&format!("{path}/unlock"), &json!({})).await.expect(200);
    assert_eq!(unlocked["second_factor"], json!({"failures_in_a_row": 0, "locked_until": null}));
}

#[tokio::test]
async fn a_locked_user_says_until_when() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"second_factor_failures": 2}})).await.expect(200);
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let code = world.code(&number).await;
    for _ in 0..2 {
        world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    }
    let answer = world.answer(&challenge, &code).await;
    assert_eq!(answer.header("retry-after"), Some("1800"));
    answer.expect_problem(429, "user_locked");
    let path = format!("/v1/users/{user}");
    assert_eq!(world.get(&path).await.expect(200)["second_factor"]["locked_until"], "2026-11-22T10:30:01.000Z");
    world.post(&format!("{path}/unlock"), &json!({})).await.expect(200);
    world.answer(&challenge, &code).await.expect(200);
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_all_they_had() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    let paths = [
        format!("/v1/users/{user}"),
        format!("/v1/users/{user}/factors"),
        format!("/v1/challenges/{}", text(&challenge["id"])),
    ];
    for path in paths {
        world.get(&path).await.expect_problem(404, "resource_not_found");
    }
    world.delete(&format!("/v1/users/{user}")).await.expect_problem(404, "resource_not_found");
    let places: BTreeSet<String> = world
        .here()
        .database
        .everything()
        .into_iter()
        .filter(|(_, value)| value.contains(&number[1..]))
        .map(|(place, _)| place)
        .collect();
    // What the dev inbox showed goes with its day.
    assert!(places.iter().all(|place| place.starts_with("dev_inbox")), "{places:?}");
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    for path in ["/v1/messages", "/v1/api-keys", "/v1/audit-events"] {
        let answer = world.get(&format!("{path}?cursor={user}")).await;
        assert_eq!(answer.fields(), [("cursor", "form_param_value_invalid")], "{path}");
    }
    for cursor in ["x", "usr_", "msg_01M83WM7ZA000G40R40M30E209", "~", "0"] {
        let answer = world.get(&format!("/v1/users?cursor={cursor}")).await;
        assert_eq!(answer.fields(), [("cursor", "form_param_value_invalid")], "{cursor}");
    }
}

#[tokio::test]
async fn a_phone_is_an_identifier_of_one_user_and_found() {
    let world = World::null();
    let number = world.number();
    let typed = format!("({}) {}", &number[2..5], &number[5..]);
    let ana = world.post("/v1/users", &json!({"phone": typed})).await.expect(201);
    assert_eq!((&ana["phone"], &ana["phone_verified_at"]), (&json!(number), &Value::Null));
    let ana = text(&ana["id"]);
    let found = async |number: &str| -> Vec<String> {
        let page = world.get(&format!("/v1/users?phone={}", encoded(number))).await.expect(200);
        page["data"].as_array().unwrap().iter().map(|user| text(&user["id"])).collect()
    };
    assert_eq!(found(&number).await.join(" "), ana);
    // Who has proven it as a factor is found beside.
    let ben = new_user(&world, &json!({})).await;
    world.enrol(&ben, &json!({"type": "phone", "phone": number}), &number).await;
    assert_eq!(found(&number).await, [ben.clone(), ana.clone()]);

    let taken = json!({"phone": number});
    let made = world.post("/v1/users", &taken).await.expect_problem(409, "form_identifier_exists");
    assert!(text(&made["detail"]).contains("phone"), "{made}");
    world.patch(&format!("/v1/users/{ben}"), &taken).await.expect_problem(409, "form_identifier_exists");
    world.patch(&format!("/v1/users/{ana}"), &taken).await.expect(200);
    for bad in ["12", "hello", "+1 415 555 26711111"] {
        for (method, path) in [("POST", "/v1/users".to_owned()), ("PATCH", format!("/v1/users/{ana}"))] {
            let answer = world.request(method, &path).json(&json!({"phone": bad})).send().await;
            assert_eq!(answer.fields(), [("phone", "phone_number_invalid")], "{bad}");
        }
    }
    // What was proven of one number is not of another, and is of the same.
    world.here().database.execute(&format!("UPDATE users SET phone_verified_at = created_at WHERE id = '{ana}'"));
    let path = format!("/v1/users/{ana}");
    assert!(world.patch(&path, &taken).await.expect(200)["phone_verified_at"].is_string());
    let other = world.patch(&path, &json!({"phone": world.number()})).await.expect(200);
    assert!(other["phone"].is_string() && other["phone_verified_at"].is_null());
    assert!(world.patch(&path, &json!({"phone": null})).await.expect(200)["phone"].is_null());
    assert_eq!(found(&number).await, std::slice::from_ref(&ben));
    world.patch(&format!("/v1/users/{ben}"), &taken).await.expect(200);
}

#[tokio::test]
async fn a_hundred_users_with_one_phone_are_one() {
    let world = World::null();
    let body = json!({"phone": world.number()});
    let requests = (0..100).map(|_| world.request("POST", "/v1/users").json(&body)).collect();
    let answers = crate::support::at_once(requests).await;
    assert_eq!(crate::support::count(&answers, 201, ""), 1);
    assert_eq!(crate::support::count(&answers, 409, "form_identifier_exists"), 99);
}

#[tokio::test]
async fn a_deleted_users_phone_is_nowhere() {
    let world = World::twilio();
    let number = world.number();
    let ana = new_user(&world, &json!({"phone": number})).await;
    world.here().database.execute("UPDATE users SET phone_verified_at = created_at");
    world.post("/v1/challenges", &json!({"to": {"phone": number}})).await.expect(201);
    world.delete(&format!("/v1/users/{ana}")).await.expect(204);
    let left: Vec<_> =
        world.here().database.everything().into_iter().filter(|(_, value)| value.contains(&number[1..])).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_user_is_shut_out_and_let_in_again() {
    let world = World::null();
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    assert_eq!((&user["disabled"], &user["disabled_at"]), (&json!(false), &Value::Null));
    let path = format!("/v1/users/{}", text(&user["id"]));
    let out = world.patch(&path, &json!({"disabled": true})).await.expect(200);
    assert_eq!((&out["disabled"], &out["disabled_at"]), (&json!(true), &json!("2026-11-22T10:00:00.000Z")));
    // Said again it is since when it was.
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let again = world.patch(&path, &json!({"disabled": true})).await.expect(200);
    assert_eq!(again["disabled_at"], out["disabled_at"]);
    assert_eq!(world.patch(&path, &json!({"name": "Ana"})).await.expect(200)["disabled"], true);
    let back = world.patch(&path, &json!({"disabled": false})).await.expect(200);
    assert_eq!((&back["disabled"], &back["disabled_at"]), (&json!(false), &Value::Null));
    for (kind, count) in [("user.disabled", 2), ("user.enabled", 1)] {
        let events = world.get(&format!("/v1/audit-events?type={kind}")).await.expect(200);
        assert_eq!(events["data"].as_array().unwrap().len(), count, "{kind}");
        assert_eq!(events["data"][0]["user_id"], user["id"]);
    }
    // Nobody is made shut out.
    world.post("/v1/users", &json!({"disabled": true})).await.expect_problem(422, "form_param_invalid");
}
