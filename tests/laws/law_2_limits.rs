//! Law 2: one conditional statement decides. Every row of the table of limits has a case here, and a row without
//! one fails the test: so many pass, also of many at once; a refusal consumes nothing; time opens it again.

use std::time::Duration;

use postern::limit::{LIMITS, Limit, Window};
use serde_json::{Value, json};

use crate::support::{Behaviour, Request, World, at_once, count, vars};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn every_limit_of_the_table_holds() {
    for limit in LIMITS {
        let world = World::null();
        match limit.name {
            "wrong_answers" => wrong_answers(&world).await,
            "sends_per_challenge" => sends_per_challenge(&world).await,
            "second_factor_failures" => second_factor_failures(&world, limit).await,
            "second_factor_failures_in_a_row" => failures_in_a_row(&world).await,
            "messages_per_user_half_hour" | "messages_per_user_hour" => messages(&world, limit, true).await,
            "messages_per_destination_half_hour" | "messages_per_destination_hour" => {
                messages(&world, limit, false).await;
            }
            "calls_per_new_destination" => calls(&world, limit).await,
            "messages_per_address_hour"
            | "messages_per_app_hour"
            | "messages_per_key_hour"
            | "messages_per_country_hour"
            | "messages_per_instance_hour" => senders(&world, limit).await,
            "tries_per_destination_half_hour" => tries(limit).await,
            "requests_per_user_five_minutes" | "emails_per_user_half_hour" => emails(&world, limit, true).await,
            "emails_per_destination_half_hour" => emails(&world, limit, false).await,
            "notices_per_user_hour" => notices(limit).await,
            "password_failures" => passwords(&world, limit, Some("203.0.113.7"), 86_400).await,
            "password_failures_everywhere" => passwords(&world, limit, None, 30).await,
            "sign_in_failures_per_address" => passwords_of_all(&world, limit).await,
            // Of 200 at once, in sign_in_lockouts.rs; and in sign_up/known.rs.
            "sign_ups_per_address" | "sign_up_notices_per_user_day" => {}
            name => panic!("{name} has no case"),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Sets one limit and opens all others that could refuse first.
async fn set(world: &World, name: &str, max: i64) {
    let mut limits = json!({});
    for limit in LIMITS.iter().filter(|limit| limit.name != "sends_per_challenge") {
        limits[limit.name] = json!(limit.most);
    }
    limits[name] = json!(max);
    world.patch("/v1/instance", &json!({"limits": limits})).await.expect(200);
}

/// A refusal: nothing in the database is other than before.
async fn refused(world: &World, request: Request, status: u16, code: &str) -> Option<u64> {
    let before = world.here().database.everything();
    let response = request.send().await;
    assert_eq!(world.here().database.everything(), before, "a refusal consumes nothing");
    let wait = response.header("retry-after").map(|wait| wait.parse().unwrap());
    let problem = response.expect_problem(status, code);
    assert_eq!(problem["retry_after"].as_u64(), wait);
    wait
}

fn answer(world: &World, challenge: &Value, code: &str) -> Request {
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    world.request("POST", &path).json(&json!({"code": code}))
}

/// A challenge of a user, and its code.
async fn of_user(world: &World, user: &str, number: &str) -> (Value, String) {
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    (challenge, world.code(number).await)
}

async fn wrong_answers(world: &World) {
    set(world, "wrong_answers", 3).await;
    let (number, other) = (world.number(), world.number());
    let (challenge, other_challenge) = (world.challenge(&number).await, world.challenge(&other).await);
    let code = world.code(&number).await;
    for left in [2, 1, 0] {
        let wrong = world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
        assert_eq!(wrong["attempts_left"], left);
    }
    assert_eq!(refused(world, answer(world, &challenge, &code), 422, "verification_failed").await, None);
    // Nothing clears it: not time, not another code.
    world.here().clock.advance(MINUTE);
    refused(world, answer(world, &challenge, &code), 422, "verification_failed").await;
    let resend = format!("/v1/challenges/{}/resend", challenge["id"].as_str().unwrap());
    refused(world, world.request("POST", &resend), 422, "verification_failed").await;
    world.answer(&other_challenge, &world.code(&other).await).await.expect(200);
}

async fn sends_per_challenge(world: &World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let resend = || world.request("POST", &format!("/v1/challenges/{}/resend", challenge["id"].as_str().unwrap()));
    for (sends, cooldown) in [(2, 30), (3, 60), (4, 120)] {
        assert_eq!(refused(world, resend(), 429, "rate_limit_exceeded").await, Some(cooldown));
        world.here().clock.advance(Duration::from_millis(cooldown * 1000 - 1));
        assert_eq!(refused(world, resend(), 429, "rate_limit_exceeded").await, Some(1));
        world.here().clock.advance(Duration::from_millis(1));
        let together = at_once((0..30).map(|_| resend()).collect()).await;
        assert_eq!(count(&together, 200, ""), 1);
        let (status, code) = if sends == 4 { (422, "resend_exhausted") } else { (429, "rate_limit_exceeded") };
        assert_eq!(count(&together, status, code), 29);
        let read = world.get(&format!("/v1/challenges/{}", challenge["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(read["sends"], sends);
    }
    world.here().clock.advance(MINUTE * 3);
    assert_eq!(refused(world, resend(), 422, "resend_exhausted").await, None);
    world.answer(&challenge, &world.code(&number).await).await.expect(200);
}

async fn second_factor_failures(world: &World, limit: Limit) {
    let (user, _, number) = world.user_with_phone().await;
    let (other, _, other_number) = world.user_with_phone().await;
    set(world, limit.name, 3).await;
    let (first, code) = of_user(world, &user, &number).await;
    let (second, second_code) = of_user(world, &user, &number).await;
    // Over all challenges of a user.
    let wrong = world.wrong(&code);
    for challenge in [&first, &first, &second] {
        let wrong = if challenge == &first { wrong.clone() } else { world.wrong(&second_code) };
        world.answer(challenge, &wrong).await.expect_problem(422, "form_code_incorrect");
    }
    for challenge in [&first, &second] {
        assert_eq!(refused(world, answer(world, challenge, &code), 429, "user_locked").await, Some(1800));
    }
    let create = || world.request("POST", "/v1/challenges").json(&json!({"user_id": user}));
    assert_eq!(refused(world, create(), 429, "user_locked").await, Some(1800));
    // Another user is unaffected, and so is the number itself.
    let (theirs, their_code) = of_user(world, &other, &other_number).await;
    world.answer(&theirs, &their_code).await.expect(200);
    let verification = world.challenge(&number).await;
    world.answer(&verification, &world.code(&number).await).await.expect(200);
    // Unlock clears it, and so does a right answer before.
    world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    for _ in 0..2 {
        world.answer(&first, &wrong).await.expect_problem(422, "form_code_incorrect");
    }
    world.answer(&first, &code).await.expect(200);
    for _ in 0..3 {
        world.answer(&second, &world.wrong(&second_code)).await.expect_problem(422, "form_code_incorrect");
    }
    refused(world, answer(world, &second, &second_code), 429, "user_locked").await;
    // The window began with its first failure, and its end opens it.
    world.here().clock.advance(MINUTE * 30 - Duration::from_millis(1));
    assert_eq!(refused(world, create(), 429, "user_locked").await, Some(1));
    world.here().clock.advance(Duration::from_millis(1));
    let (third, code) = of_user(world, &user, &number).await;
    world.answer(&third, &code).await.expect(200);
    let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"], json!({"failures_in_a_row": 0, "locked_until": null}));
}

async fn failures_in_a_row(world: &World) {
    let (user, _, number) = world.user_with_phone().await;
    set(world, "second_factor_failures_in_a_row", 4).await;
    for day in 0..2 {
        let (challenge, code) = of_user(world, &user, &number).await;
        for _ in 0..2 {
            let wrong = world.wrong(&code);
            world.answer(&challenge, &wrong).await.expect_problem(422, "form_code_incorrect");
        }
        if day == 1 {
            assert_eq!(refused(world, answer(world, &challenge, &code), 403, "user_recovery_needed").await, None);
        }
        world.here().clock.advance(MINUTE * 60 * 24);
    }
    // No time clears it for a user; unlock does.
    world.here().clock.advance(MINUTE * 60 * 24 * 300);
    let create = || world.request("POST", "/v1/challenges").json(&json!({"user_id": user}));
    assert_eq!(refused(world, create(), 403, "user_recovery_needed").await, None);
    let unlocked = world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    assert_eq!(unlocked["second_factor"]["failures_in_a_row"], 0);
    let (challenge, code) = of_user(world, &user, &number).await;
    world.answer(&challenge, &code).await.expect(200);

    // Nobody can unlock a destination: a day without a failure does.
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    for _ in 0..4 {
        world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    }
    let create = || world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    assert_eq!(refused(world, answer(world, &challenge, &code), 429, "user_locked").await, Some(86_400));
    assert_eq!(refused(world, create(), 429, "user_locked").await, Some(86_400));
    world.here().clock.advance(MINUTE * 60 * 24 - Duration::from_millis(1));
    refused(world, create(), 429, "user_locked").await;
    world.here().clock.advance(Duration::from_millis(1));
    create().send().await.expect(201);
}

/// Wrong passwords; `tests/laws/passwords.rs` has the rest.
async fn passwords(world: &World, limit: Limit, ip: Option<&str>, wait: u64) {
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let verify = || {
        let body = json!({"password": "wrong", "client": ip.map(|ip| json!({"ip": ip}))});
        world.request("POST", &format!("/v1/users/{user}/verify-password")).json(&body)
    };
    set(world, limit.name, 3).await;
    let together = at_once((0..20).map(|_| verify()).collect()).await;
    assert_eq!((count(&together, 422, "form_password_incorrect"), count(&together, 429, "user_locked")), (3, 17));
    assert_eq!(refused(world, verify(), 429, "user_locked").await, Some(wait));
    world.here().clock.advance(Duration::from_secs(wait));
    verify().send().await.expect_problem(422, "form_password_incorrect");
    if ip.is_some() {
        // 0 is never.
        set(world, limit.name, 0).await;
        for _ in 0..10 {
            verify().send().await.expect_problem(422, "form_password_incorrect");
        }
    }
}

async fn passwords_of_all(world: &World, limit: Limit) {
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned());
    }
    let verify = |user: &String, ip: &str| {
        let body = json!({"password": "wrong", "client": {"ip": ip}});
        world.request("POST", &format!("/v1/users/{user}/verify-password")).json(&body)
    };
    set(world, limit.name, 3).await;
    let together = at_once(users.iter().map(|user| verify(user, "203.0.113.7")).collect()).await;
    assert_eq!(
        (count(&together, 422, "form_password_incorrect"), count(&together, 429, "rate_limit_exceeded")),
        (3, 17)
    );
    let request = verify(&users[0], "203.0.113.7");
    assert_eq!(refused(world, request, 429, "rate_limit_exceeded").await, Some(86_400));
    verify(&users[0], "203.0.113.8").send().await.expect_problem(422, "form_password_incorrect");
    world.here().clock.advance(Duration::from_hours(24));
    verify(&users[0], "203.0.113.7").send().await.expect_problem(422, "form_password_incorrect");
}

async fn messages(world: &World, limit: Limit, per_user: bool) {
    let Window::Seconds(seconds) = limit.window else { panic!("{} has no window", limit.name) };
    let window = Duration::from_secs(seconds.try_into().unwrap());
    let (user, _, number) = world.user_with_phone().await;
    set(world, limit.name, 3).await;
    world.here().clock.advance(window);
    let body = if per_user { json!({"user_id": user}) } else { json!({"to": {"phone": number}}) };
    let create = || world.request("POST", "/v1/challenges").json(&body);
    create().send().await.expect(201);
    // The window begins with the first message, and no later one moves its end.
    world.here().clock.advance(MINUTE * 10);
    let together = at_once((0..30).map(|_| create()).collect()).await;
    assert_eq!((count(&together, 201, ""), count(&together, 429, "rate_limit_exceeded")), (2, 28), "{}", limit.name);
    let wait = (window - MINUTE * 10).as_secs();
    assert_eq!(refused(world, create(), 429, "rate_limit_exceeded").await, Some(wait));
    // Another subject is unaffected: the same number without the user, another number.
    let number = if per_user { number } else { world.number() };
    world.challenge(&number).await;
    world.here().clock.advance(window - MINUTE * 10 - Duration::from_millis(1));
    assert_eq!(refused(world, create(), 429, "rate_limit_exceeded").await, Some(1));
    world.here().clock.advance(Duration::from_millis(1));
    let together = at_once((0..30).map(|_| create()).collect()).await;
    assert_eq!(count(&together, 201, ""), 3, "{}", limit.name);
}

/// Who sends, and where to, whoever it is for.
async fn senders(world: &World, limit: Limit) {
    let app = async || text(&world.post("/v1/apps", &json!({"name": "Shop"})).await.expect(201)["id"]);
    let apps = [app().await, app().await];
    let key = world.post("/v1/api-keys", &json!({"name": "other", "scopes": ["challenges"]})).await.expect(201);
    let all = json!({"countries": {"sms": {"allowed": ["*"]}}});
    world.patch("/v1/instance", &all).await.expect(200);
    set(world, limit.name, 3).await;
    // Those that count as one, and then another.
    let ips = ["2001:db8::1", "2001:db8::2:0:0:1", "2001:db8:0:1::1"];
    let create = |whose: usize| {
        let is_other = whose == 2;
        let number =
            if is_other && limit.name == "messages_per_country_hour" { world.british_number() } else { world.number() };
        let body =
            json!({"to": {"phone": number}, "client": {"ip": ips[whose]}, "app_id": apps[usize::from(is_other)]});
        let request = world.request("POST", "/v1/challenges").json(&body);
        if is_other { request.key(key["secret"].as_str().unwrap()) } else { request }
    };
    let together = at_once((0..40).map(|at| create(at % 2)).collect()).await;
    assert_eq!((count(&together, 201, ""), count(&together, 429, "rate_limit_exceeded")), (3, 37), "{}", limit.name);
    assert_eq!(refused(world, create(0), 429, "rate_limit_exceeded").await, Some(3600));
    let other = create(2).send().await;
    assert_eq!(other.status, if limit.name == "messages_per_instance_hour" { 429 } else { 201 }, "{}", limit.name);
    // Mail is not counted.
    world.post("/v1/challenges", &json!({"to": {"email": world.address()}})).await.expect(201);
    world.here().clock.advance(MINUTE * 60);
    create(1).send().await.expect(201);
    // 0: any number, and nothing is counted.
    set(world, limit.name, 0).await;
    let counted = format!("SELECT sum(count) FROM counters WHERE key LIKE '{}:%'", limit.name);
    let before = world.here().database.number(&counted);
    let together = at_once((0..10).map(|at| create(at % 2)).collect()).await;
    assert_eq!((count(&together, 201, ""), world.here().database.number(&counted)), (10, before), "{}", limit.name);
}

async fn emails(world: &World, limit: Limit, per_user: bool) {
    let Window::Seconds(seconds) = limit.window else { panic!("{} has no window", limit.name) };
    let window = Duration::from_secs(seconds.try_into().unwrap());
    let (user, _, address) = world.user_with_email().await;
    set(world, limit.name, 3).await;
    world.here().clock.advance(window);
    let body = if per_user { json!({"user_id": user}) } else { json!({"to": {"email": address}}) };
    let create = || world.request("POST", "/v1/challenges").json(&body);
    create().send().await.expect(201);
    world.here().clock.advance(MINUTE);
    let together = at_once((0..30).map(|_| create()).collect()).await;
    assert_eq!((count(&together, 201, ""), count(&together, 429, "rate_limit_exceeded")), (2, 28), "{}", limit.name);
    let wait = (window - MINUTE).as_secs();
    assert_eq!(refused(world, create(), 429, "rate_limit_exceeded").await, Some(wait));
    // Another subject is unaffected, however the address is written; and SMS are.
    let other = json!({"to": {"email": if per_user { address.clone() } else { world.address() }}});
    world.post("/v1/challenges", &other).await.expect(201);
    if !per_user {
        let shouted = json!({"to": {"email": address.to_uppercase()}});
        refused(world, world.request("POST", "/v1/challenges").json(&shouted), 429, "rate_limit_exceeded").await;
    }
    world.challenge(&world.number()).await;
    world.here().clock.advance(window - MINUTE - Duration::from_millis(1));
    assert_eq!(refused(world, create(), 429, "rate_limit_exceeded").await, Some(1));
    world.here().clock.advance(Duration::from_millis(1));
    let together = at_once((0..30).map(|_| create()).collect()).await;
    assert_eq!(count(&together, 201, ""), 3, "{}", limit.name);
}

/// Whoever adds and removes factors without end bombs nobody: what is over the limit is dropped and says so.
async fn notices(limit: Limit) {
    let world =
        World::native(&vars::with_mail(vars::prod_twilio("http://127.0.0.1:9"), "resend", "http://127.0.0.1:9"));
    set(&world, limit.name, 3).await;
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let factors = format!("/v1/users/{}/factors", user["id"].as_str().unwrap());
    let add_and_remove = async || {
        let number = world.number();
        let body = json!({"type": "phone", "phone": number});
        let enrolled = world.post(&factors, &body).await.expect(201);
        let factor = format!("{factors}/{}", enrolled["factor"]["id"].as_str().unwrap());
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
        world.post(&format!("{factor}/activate"), &body).await.expect(200);
        world.delete(&format!("{factor}?override_reason=test")).await.expect(204);
    };
    add_and_remove().await;
    add_and_remove().await;
    assert_eq!(world.carriers.mail.sent_to(&address).len(), 3);
    let dropped = "SELECT count(*) FROM messages WHERE template = 'security_notice' AND reason = 'limited' AND status = 'dropped'";
    assert_eq!(world.here().database.number(dropped), 1);
    assert_eq!(world.here().database.number("SELECT count(*) FROM audit_events WHERE type = 'email.dropped'"), 1);
    world.here().clock.advance(MINUTE * 60 - Duration::from_millis(1));
    add_and_remove().await;
    assert_eq!(world.carriers.mail.sent_to(&address).len(), 3);
    world.here().clock.advance(Duration::from_millis(1));
    add_and_remove().await;
    assert_eq!(world.carriers.mail.sent_to(&address).len(), 5);
    // Codes by e-mail are not used up by notices, nor the other way round.
    world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
}

/// A carrier that takes nothing costs nobody a message, and is not asked without end either.
async fn tries(limit: Limit) {
    let world = World::twilio();
    set(&world, limit.name, 3).await;
    world.carriers.behave(Behaviour::Answer(429, json!({"code": 20429}).to_string()));
    let number = world.number();
    let create = |number: &str| world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
    for _ in 0..3 {
        create(&number).send().await.expect_problem(502, "message_failed");
    }
    assert_eq!(refused(&world, create(&number), 429, "rate_limit_exceeded").await, Some(1800));
    create(&world.number()).send().await.expect_problem(502, "message_failed");
    world.here().clock.advance(MINUTE * 30 - Duration::from_millis(1));
    assert_eq!(refused(&world, create(&number), 429, "rate_limit_exceeded").await, Some(1));
    world.here().clock.advance(Duration::from_millis(1));
    let together = at_once((0..30).map(|_| create(&number)).collect()).await;
    assert_eq!((count(&together, 502, "message_failed"), count(&together, 429, "rate_limit_exceeded")), (3, 27));
    assert_eq!(world.carriers.sent_to(&number).len(), 6);
}

/// Challenges of an authenticator app are counted with e-mails: neither makes room for the other.
#[tokio::test]
async fn requests_by_mail_and_by_app_are_one_count() {
    let world = World::null();
    let (user, _, _) = world.user_with_email().await;
    world.enrol_totp(&user, json!({"type": "totp", "override": {"reason": "test"}})).await;
    let create = |kind: &str| world.request("POST", "/v1/challenges").json(&json!({"user_id": user, "type": kind}));
    // The two enrolments were two.
    for kind in ["totp", "email", "totp"] {
        create(kind).send().await.expect(201);
    }
    for kind in ["totp", "email"] {
        assert_eq!(refused(&world, create(kind), 429, "rate_limit_exceeded").await, Some(300));
    }
    let (other, _, _) = world.user_with_totp().await;
    world.post("/v1/challenges", &json!({"user_id": other, "type": "totp"})).await.expect(201);
}

#[tokio::test]
async fn a_users_messages_count_over_all_their_phones() {
    let world = World::null();
    let (user, _, _) = world.user_with_phone().await;
    let enrol = || {
        let body = json!({"type": "phone", "phone": world.number(), "override": {"reason": "test"}});
        world.request("POST", &format!("/v1/users/{user}/factors")).json(&body)
    };
    for _ in 0..4 {
        enrol().send().await.expect(201);
    }
    assert_eq!(refused(&world, enrol(), 429, "rate_limit_exceeded").await, Some(1800));
    let create = world.request("POST", "/v1/challenges").json(&json!({"user_id": user}));
    refused(&world, create, 429, "rate_limit_exceeded").await;
}

#[tokio::test]
async fn two_hundred_wrong_answers_over_all_challenges_evaluate_ten() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let mut requests = Vec::new();
    for _ in 0..4 {
        let (challenge, code) = of_user(&world, &user, &number).await;
        requests.extend((0..50).map(|_| answer(&world, &challenge, &world.wrong(&code))));
    }
    let responses = at_once(requests).await;
    assert_eq!(count(&responses, 422, "form_code_incorrect"), 10);
    assert_eq!(world.here().database.number("SELECT sum(wrong_answers) FROM challenges"), 10);
    let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"]["failures_in_a_row"], 10);
    assert_eq!(read["second_factor"]["locked_until"], "2026-11-22T10:30:00.000Z");
}

#[tokio::test]
async fn a_hundred_failures_in_a_row_need_recovery_however_slowly_they_come() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    world.here().clock.advance(MINUTE * 30);
    for round in 0..10 {
        let (first, code) = of_user(&world, &user, &number).await;
        let (second, second_code) = of_user(&world, &user, &number).await;
        for _ in 0..5 {
            world.answer(&first, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
            world.answer(&second, &world.wrong(&second_code)).await.expect_problem(422, "form_code_incorrect");
        }
        let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
        assert_eq!(read["second_factor"]["failures_in_a_row"], (round + 1) * 10);
        world.here().clock.advance(MINUTE * 31);
    }
    let create = || world.request("POST", "/v1/challenges").json(&json!({"user_id": user}));
    refused(&world, create(), 403, "user_recovery_needed").await;
    world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    create().send().await.expect(201);
}

#[tokio::test]
async fn the_proof_of_a_new_factor_clears_no_failures() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let (challenge, code) = of_user(&world, &user, &number).await;
    for _ in 0..3 {
        world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    }
    let second = world.number();
    let body = json!({"type": "phone", "phone": second, "override": {"reason": "test"}});
    let enrolled = world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    world.answer(&enrolled["challenge"], &world.code(&second).await).await.expect(200);
    let failures = async || {
        world.get(&format!("/v1/users/{user}")).await.expect(200)["second_factor"]["failures_in_a_row"].clone()
    };
    assert_eq!(failures().await, 3);
    world.answer(&challenge, &code).await.expect(200);
    assert_eq!(failures().await, 0);
}

#[tokio::test]
async fn a_message_that_did_not_go_out_costs_the_person_nothing() {
    let answer = |status: u16, code: u32| Behaviour::Answer(status, json!({"code": code}).to_string());
    let cases = [
        (answer(429, 20429), "message_failed", true),
        (answer(401, 20003), "message_driver_misconfigured", true),
        (answer(400, 21211), "message_recipient_refused", false),
        (answer(400, 30450), "message_blocked", false),
    ];
    for (behaviour, code, refunded) in cases {
        let world = World::twilio();
        world.patch("/v1/instance", &json!({"limits": {"messages_per_destination_hour": 2}})).await.expect(200);
        let number = world.number();
        let create = || world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": number}}));
        world.carriers.behave(behaviour);
        for _ in 0..2 {
            assert_eq!(create().send().await.json["code"], code);
        }
        world.carriers.behave(Behaviour::Accept);
        let left = if refunded { 2 } else { 0 };
        for _ in 0..left {
            create().send().await.expect(201);
        }
        refused(&world, create(), 429, "rate_limit_exceeded").await;
    }
}

/// A bucket: a burst passes, also at once, and then one an hour. A proven number of the user is not new.
async fn calls(world: &World, limit: Limit) {
    assert_eq!(limit.window, Window::Refill(3600));
    set(world, limit.name, 3).await;
    let number = world.number();
    let body = json!({"to": {"phone": number}, "channel": "voice"});
    let call = || world.request("POST", "/v1/challenges").json(&body);
    let together = at_once((0..40).map(|_| call()).collect()).await;
    assert_eq!((count(&together, 201, ""), count(&together, 429, "rate_limit_exceeded")), (3, 37));
    assert_eq!(refused(world, call(), 429, "rate_limit_exceeded").await, Some(3600));
    // SMS does not use it up, and goes on.
    world.challenge(&number).await;
    for _ in 0..3 {
        world.here().clock.advance(MINUTE * 60 - Duration::from_millis(1));
        assert_eq!(refused(world, call(), 429, "rate_limit_exceeded").await, Some(1));
        world.here().clock.advance(Duration::from_millis(1));
        let together = at_once((0..20).map(|_| call()).collect()).await;
        assert_eq!((count(&together, 201, ""), count(&together, 429, "rate_limit_exceeded")), (1, 19));
    }
    // Two hours bring two, and a day no more than the burst.
    for (hours, passes) in [(2, 2), (24, 3)] {
        world.here().clock.advance(MINUTE * 60 * hours);
        let together = at_once((0..20).map(|_| call()).collect()).await;
        assert_eq!(count(&together, 201, ""), passes);
    }
    // Another number has its own; so has the number once its user has proven it.
    world.call(&world.number()).await;
    let (user, _, number) = world.user_with_phone().await;
    let body = json!({"user_id": user, "channel": "voice"});
    for _ in 0..4 {
        world.post("/v1/challenges", &body).await.expect(201);
    }
    for passes in [true, true, true, false] {
        let body = json!({"to": {"phone": number}, "channel": "voice"});
        let call = world.post("/v1/challenges", &body).await;
        if passes {
            call.expect(201)
        } else {
            call.expect_problem(429, "rate_limit_exceeded")
        };
    }
}

#[tokio::test]
async fn a_call_that_did_not_go_out_is_given_back() {
    let world = World::twilio();
    set(&world, "calls_per_new_destination", 2).await;
    let number = world.number();
    let body = json!({"to": {"phone": number}, "channel": "voice"});
    let busy = Behaviour::Answer(429, json!({"code": 20429, "message": "no"}).to_string());
    // From a bucket that is whole, and from one that is not.
    for _ in 0..2 {
        world.carriers.behave_for(&number, busy.clone());
        for _ in 0..4 {
            world.post("/v1/challenges", &body).await.expect_problem(502, "message_failed");
        }
        world.carriers.behave_for(&number, Behaviour::Accept);
        world.post("/v1/challenges", &body).await.expect(201);
    }
    world.post("/v1/challenges", &body).await.expect_problem(429, "rate_limit_exceeded");
    // One that the carrier refuses for this number costs as one that went out.
    let (world, refused) = (World::twilio(), Behaviour::Answer(400, json!({"code": 21214}).to_string()));
    set(&world, "calls_per_new_destination", 2).await;
    world.carriers.behave_for(&number, refused);
    for _ in 0..2 {
        world.post("/v1/challenges", &body).await.expect_problem(422, "message_recipient_refused");
    }
    world.post("/v1/challenges", &body).await.expect_problem(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn limits_are_what_the_design_says_until_a_binding_or_a_setting_says_otherwise() {
    let world = World::null();
    let limits = async |world: &World| world.get("/v1/instance").await.expect(200)["settings"]["limits"].clone();
    let mut expected = json!({
        "wrong_answers": 5, "sends_per_challenge": 4,
        "second_factor_failures": 10, "second_factor_failures_in_a_row": 100,
        "messages_per_user_half_hour": 5, "messages_per_user_hour": 10,
        "messages_per_destination_half_hour": 5, "messages_per_destination_hour": 10,
        "messages_per_address_hour": 300, "messages_per_app_hour": 0, "messages_per_key_hour": 0,
        "messages_per_country_hour": 0, "messages_per_instance_hour": 0,
        "tries_per_destination_half_hour": 20,
        "requests_per_user_five_minutes": 5,
        "emails_per_user_half_hour": 10, "emails_per_destination_half_hour": 10,
        "notices_per_user_hour": 10, "sign_up_notices_per_user_day": 3,
        "password_failures": 5, "password_failures_everywhere": 5,
        "sign_in_failures_per_address": 100, "sign_ups_per_address": 50,
        "calls_per_new_destination": 5,
    });
    assert_eq!(limits(&world).await, expected);
    let mut bound = vars::null();
    bound.insert("MFA_CODE_VERIFY_THRESHOLD".to_owned(), json!(7));
    bound.insert("SMS_MFA_MESSAGE_THRESHOLD".to_owned(), json!("2"));
    bound.insert("EMAIL_MFA_EMAIL_THRESHOLD".to_owned(), json!(3));
    bound.insert("ACCOUNT_LOCKOUT_THRESHOLD".to_owned(), json!(0));
    let bound = World::on(&world.here().redeploy(&bound));
    expected["second_factor_failures"] = json!(7);
    expected["password_failures"] = json!(0);
    expected["messages_per_user_half_hour"] = json!(2);
    expected["messages_per_destination_half_hour"] = json!(2);
    expected["emails_per_user_half_hour"] = json!(3);
    expected["emails_per_destination_half_hour"] = json!(3);
    assert_eq!(limits(&bound).await, expected);
    bound.patch("/v1/instance", &json!({"limits": {"second_factor_failures": 3}})).await.expect(200);
    expected["second_factor_failures"] = json!(3);
    assert_eq!(limits(&bound).await, expected);
    bound.patch("/v1/instance", &json!({"limits": {"second_factor_failures": "inherit"}})).await.expect(200);
    expected["second_factor_failures"] = json!(7);
    assert_eq!(limits(&bound).await, expected);
    for (name, value) in [("wrong_answers", 11), ("wrong_answers", 0), ("sends_per_challenge", 5), ("unknown", 1)] {
        let response = bound.patch("/v1/instance", &json!({"limits": {name: value}})).await;
        response.expect_problem(422, "form_param_invalid");
    }
}

#[tokio::test]
async fn a_challenge_that_has_sent_more_than_a_new_limit_sends_no_more() {
    let world = World::null();
    let challenge = world.challenge(&world.number()).await;
    world.patch("/v1/instance", &json!({"limits": {"sends_per_challenge": 1}})).await.expect(200);
    world.here().clock.advance(MINUTE);
    let resend = world.request("POST", &format!("/v1/challenges/{}/resend", challenge["id"].as_str().unwrap()));
    assert_eq!(refused(&world, resend, 422, "resend_exhausted").await, None);
}
