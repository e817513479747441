//! `/v1/audit-events`: every change of state leaves one, with who, what, whom, where and how it ended; and they
//! are found by each of these.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NOBODY, new_key, new_user, pages, text};
use crate::support::World;

async fn events(world: &World, query: &str) -> Vec<Value> {
    world.get(&format!("/v1/audit-events?limit=100&{query}")).await.expect(200)["data"].as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_change_of_state_leaves_one_event_and_a_read_leaves_none() {
    let world = World::null();
    let mut known = 0;
    let mut new = async || -> Vec<String> {
        let count = world.here().database.number("SELECT count(*) FROM audit_events");
        let fresh = count - known;
        known = count;
        world.here().clock.advance(Duration::from_millis(2));
        let listed = events(&world, "").await;
        let mut kinds: Vec<String> =
            kinds(&listed[..usize::try_from(fresh).unwrap()]).into_iter().map(str::to_owned).collect();
        kinds.sort();
        kinds
    };
    let user = new_user(&world, &json!({})).await;
    assert_eq!(new().await, ["user.created"]);
    let path = format!("/v1/users/{user}");
    world.patch(&path, &json!({"name": "Ana"})).await.expect(200);
    assert_eq!(new().await, ["user.updated"]);
    world.post(&format!("{path}/unlock"), &json!({})).await.expect(200);
    assert_eq!(new().await, ["user.unlocked"]);

    let number = world.number();
    let enrolled = world.post(&format!("{path}/factors"), &json!({"type": "phone", "phone": number})).await.expect(201);
    assert_eq!(new().await, ["challenge.created", "factor.enrolment_started", "sms.dropped"]);
    let factor = format!("{path}/factors/{}", text(&enrolled["factor"]["id"]));
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
    world.post(&format!("{factor}/activate"), &body).await.expect(200);
    // Nobody else is known who could be told of it.
    assert_eq!(new().await, ["challenge.verified", "factor.activated", "notice.not_sent"]);
    world.here().clock.advance(Duration::from_secs(1));
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    assert_eq!(new().await, ["challenge.created", "sms.dropped"]);
    let id = text(&challenge["id"]);
    let code = world.code(&number).await;
    world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    assert_eq!(new().await, ["challenge.answered_wrongly"]);
    world.here().clock.advance(Duration::from_secs(31));
    world.post(&format!("/v1/challenges/{id}/resend"), &json!({})).await.expect(200);
    assert_eq!(new().await, ["challenge.resent", "sms.dropped"]);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!(new().await, ["challenge.verified"]);
    world.delete(&format!("{factor}?proof={id}")).await.expect(204);
    let removed = new().await;
    assert!(removed.contains(&"factor.removed".to_owned()), "{removed:?}");

    world.patch(&path, &json!({"mfa": {"required": ["phone"]}})).await.expect(200);
    assert_eq!(new().await, ["user.mfa_changed", "user.updated"]);
    let app = world.post("/v1/apps", &json!({"name": "Shop", "mfa": {"remember_device": true}})).await.expect(201);
    assert_eq!(new().await, ["app.created"]);
    let shop = format!("/v1/apps/{}", text(&app["id"]));
    world.patch(&shop, &json!({"name": "Desk"})).await.expect(200);
    assert_eq!(new().await, ["app.updated"]);
    let (other, _, number) = world.user_with_phone().await;
    let mut flow = json!({"app_id": app["id"], "proofs": [world.proof(&other, &number).await]});
    new().await;
    world.evaluate(&other, &flow).await.expect(200);
    assert_eq!(new().await, [""; 0], "asking changes nothing");
    flow["complete"] = json!(true);
    world.evaluate(&other, &flow).await.expect(200);
    assert_eq!(new().await, ["challenge.consumed", "mfa.completed"]);
    let devices = format!("/v1/users/{other}/devices");
    let body = json!({"app_id": app["id"], "proofs": flow["proofs"], "external_first_factor": {"type": "password"}});
    let device = world.post(&devices, &body).await.expect(201);
    assert_eq!(new().await, ["device.created"]);
    world.delete(&format!("{devices}/{}", text(&device["device"]["id"]))).await.expect(204);
    assert_eq!(new().await, ["device.removed"]);
    world.delete(&devices).await.expect(204);
    assert_eq!(new().await, ["device.removed"]);
    world.delete(&shop).await.expect(204);
    assert_eq!(new().await, ["app.deleted"]);

    let other = world.challenge(&world.number()).await;
    new().await;
    world.post(&format!("/v1/challenges/{}/cancel", text(&other["id"])), &json!({})).await.expect(200);
    assert_eq!(new().await, ["challenge.canceled"]);
    let (key, _) = new_key(&world, &["challenges"]).await;
    assert_eq!(new().await, ["api_key.created"]);
    world.delete(&format!("/v1/api-keys/{key}")).await.expect(204);
    assert_eq!(new().await, ["api_key.revoked"]);
    world.patch("/v1/instance", &json!({"codes": {"length": 8}})).await.expect(200);
    assert_eq!(new().await, ["instance.updated"]);
    world.delete(&path).await.expect(204);
    assert_eq!(new().await, ["user.deleted"]);

    for path in ["/v1/users", "/v1/messages", "/v1/api-keys", "/v1/instance", "/v1/audit-events", "/health"] {
        world.get(path).await.expect(200);
    }
    // What changes nothing leaves nothing either.
    world.delete(&format!("/v1/api-keys/{key}")).await.expect(204);
    world.post(&format!("/v1/challenges/{}/cancel", text(&other["id"])), &json!({})).await.expect(200);
    world.patch(&path, &json!({"name": "x"})).await.expect_problem(404, "resource_not_found");
    world.delete(&path).await.expect_problem(404, "resource_not_found");
    assert_eq!(new().await, [""; 0]);
}

#[tokio::test]
async fn an_event_says_who_what_whom_where_and_how_it_ended() {
    let world = World::null();
    let (key_id, key) = new_key(&world, &["challenges"]).await;
    let (user, factor, number) = world.user_with_phone().await;
    world.here().clock.advance(Duration::from_secs(1));
    let client = json!({"ip": "2001:DB8::7", "user_agent": "Phone/1.0"});
    let body = json!({"user_id": user, "client": client});
    let answer = world.request("POST", "/v1/challenges").key(&key).json(&body).send().await;
    let request = answer.header("x-request-id").unwrap().to_owned();
    let challenge = answer.expect(201);
    let id = text(&challenge["id"]);
    let created = &events(&world, &format!("subject_id={id}")).await[0];
    let wanted = json!({
        "type": "challenge.created", "actor": key_id, "user_id": user, "app_id": null, "subject_id": id, "outcome": "success",
        "reason": null, "client_ip": "2001:db8::7", "user_agent": "Phone/1.0", "request_id": request,
        "created_at": "2026-11-22T10:00:01.000Z",
    });
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&created[field], value, "{field}");
    }
    let wrong = json!({"code": world.wrong(&world.code(&number).await), "client": {"ip": "203.0.113.7"}});
    world.request("POST", &format!("/v1/challenges/{id}/answer")).key(&key).json(&wrong).send().await.expect(422);
    let refused = &events(&world, "type=challenge.answered_wrongly").await[0];
    assert_eq!((&refused["outcome"], &refused["reason"]), (&json!("refused"), &json!("form_code_incorrect")));
    assert_eq!((&refused["user_id"], &refused["client_ip"]), (&json!(user), &json!("203.0.113.7")));
    let activated = &events(&world, "type=factor.activated").await[0];
    assert_eq!((&activated["subject_id"], &activated["actor"]), (&json!(factor), &json!("key_binding")));
}

#[tokio::test]
async fn no_event_has_a_number_an_address_or_a_code() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world
        .patch(&format!("/v1/users/{user}"), &json!({"email": "ana@example.com", "name": "Ana Lovelace"}))
        .await
        .expect(200);
    let code = world.code(&number).await;
    for event in events(&world, "").await {
        for secret in [&number[2..], &format!("\"{code}\""), "ana@example.com", "Lovelace"] {
            assert!(!event.to_string().contains(secret), "{event} has {secret}");
        }
    }
}

#[tokio::test]
async fn events_are_found_by_user_app_type_subject_and_time() {
    let world = World::null();
    let app = NOBODY[5].1;
    world.here().database.execute(&format!("INSERT INTO apps (id, name, created_at) VALUES ('{app}', 'Shop', 0)"));
    let (user, _, _) = world.user_with_phone().await;
    world.here().clock.advance(Duration::from_secs(3600));
    let body = json!({"user_id": user, "app_id": app});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let body = json!({"to": {"phone": world.number()}, "app_id": app});
    world.post("/v1/challenges", &body).await.expect(201);

    let all = events(&world, "").await;
    let count = async |query: String| events(&world, &query).await.len();
    assert_eq!(count(format!("user_id={user}")).await, all.iter().filter(|event| event["user_id"] == user).count());
    assert_eq!(count(format!("app_id={app}")).await, all.iter().filter(|event| event["app_id"] == app).count());
    assert!(count(format!("app_id={app}")).await >= 2);
    assert_eq!(count("type=challenge.created".to_owned()).await, 3);
    assert_eq!(count(format!("user_id={user}&type=challenge.created")).await, 2);
    assert_eq!(count(format!("app_id={app}&type=challenge.created")).await, 2);
    assert_eq!(kinds(&events(&world, &format!("subject_id={}", text(&challenge["id"]))).await), ["challenge.created"]);

    let later = "2026-11-22T11:00:00Z";
    let (before, since) = (count(format!("until={later}")).await, count(format!("since={later}")).await);
    assert_eq!((before + since, since > 0, before > 0), (all.len(), true, true));
    assert_eq!(count(format!("until={later}&since=2026-11-22T10:00:00Z&type=challenge.created")).await, 1);
    assert_eq!(count("since=2026-11-22T11:00:00.001Z".to_owned()).await, 0);
    assert_eq!(count("until=2026-11-22T10:00:00Z".to_owned()).await, 0);
}

#[tokio::test]
async fn events_are_filtered_by_one_thing_at_a_time() {
    let world = World::null();
    let (user, app) = (format!("user_id={}", NOBODY[0].1), format!("app_id={}", NOBODY[5].1));
    for query in [format!("{user}&{app}"), format!("{user}&subject_id=x"), "subject_id=x&type=user.created".to_owned()]
    {
        world.get(&format!("/v1/audit-events?{query}")).await.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn events_are_read_page_by_page_whatever_they_are_found_by() {
    let world = World::null();
    let user = new_user(&world, &json!({})).await;
    for _ in 0..5 {
        world.here().clock.advance(Duration::from_secs(1));
        world.patch(&format!("/v1/users/{user}"), &json!({})).await.expect(200);
    }
    let filters = [
        ("/v1/audit-events".to_owned(), 6),
        (format!("/v1/audit-events?user_id={user}"), 6),
        (format!("/v1/audit-events?subject_id={user}"), 6),
        ("/v1/audit-events?type=user.updated".to_owned(), 5),
        (format!("/v1/audit-events?user_id={user}&type=user.updated"), 5),
        ("/v1/audit-events?until=2026-11-22T10:00:05Z&since=2026-11-22T10:00:00Z".to_owned(), 5),
    ];
    for (path, wanted) in filters {
        let (all, count) = pages(&world, &path, 2).await;
        assert_eq!((all.len(), count), (wanted, 3), "{path}");
        let mut ids: Vec<&str> = all.iter().map(|event| event["id"].as_str().unwrap()).collect();
        let given = ids.clone();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        assert_eq!(ids, given, "newest first, each once");
    }
}
