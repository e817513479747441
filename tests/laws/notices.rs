//! Who is told that a factor changed, and that telling changes nothing else (laws 7 and 8, decision 17).

use std::time::Duration;

use postern::ports::DatabaseError;
use serde_json::{Value, json};

use crate::support::{Behaviour, World, steps, vars};

const BASE: &str = "http://127.0.0.1:9";
const NOTICES: &str = "SELECT channel, status, reason, destination, error_class, user_id FROM messages
  WHERE template = 'security_notice' ORDER BY rowid";

fn world() -> World {
    World::native(&vars::prod_mail(BASE))
}

async fn user(world: &World, body: Value) -> String {
    world.post("/v1/users", &body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn phone(world: &World, user: &str) -> (String, String) {
    world.here().clock.advance(Duration::from_millis(1));
    let number = world.number();
    let body = json!({"type": "phone", "phone": number, "override": {"reason": "set-up"}});
    (world.enrol(user, &body, &number).await, number)
}

async fn email(world: &World, user: &str) -> (String, String) {
    world.here().clock.advance(Duration::from_millis(1));
    let address = world.address();
    let body = json!({"type": "email", "email": address, "override": {"reason": "set-up"}});
    (world.enrol(user, &body, &address).await, address)
}

async fn remove(world: &World, user: &str, factor: &str) {
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=x")).await.expect(204);
}

/// Whom the newest notice went to, and what it says; `None`: there is no newer one than so many.
fn told(world: &World, before: usize) -> Option<(String, String)> {
    let rows = world.here().database.query(NOTICES);
    assert!(rows.len() <= before + 1, "one change, one notice: {rows:?}");
    let to = rows.get(before)?["destination"].as_str().unwrap().to_owned();
    let said = match world.carriers.mail.sent_to(&to).pop() {
        Some(mail) => mail.subject,
        None => world.carriers.sent_to(&to).pop().unwrap().body,
    };
    Some((to, said))
}

fn reasons(world: &World) -> Vec<String> {
    let rows =
        world.here().database.query("SELECT reason FROM audit_events WHERE type = 'notice.not_sent' ORDER BY id");
    rows.iter().map(|row| row["reason"].as_str().unwrap().to_owned()).collect()
}

/// Every change and who knows the person by then: the right one is told, once.
#[tokio::test]
async fn each_change_tells_the_right_one() {
    let world = world();
    world.patch("/v1/instance", &json!({"limits": {"notices_per_user_hour": 100}})).await.expect(200);
    let mut count = 0;
    let mut next = |world: &World| {
        let told = told(world, count);
        count += usize::from(told.is_some());
        told
    };
    // A user of whom nothing else is known: what was just added hears nothing of itself.
    let ana = user(&world, json!({})).await;
    let (first_phone, first_number) = phone(&world, &ana).await;
    assert_eq!(next(&world), None);
    assert_eq!(reasons(&world), ["no_destination"]);
    // The phone that is there hears of the second one, not the second one.
    let (second_phone, second_number) = phone(&world, &ana).await;
    let (to, said) = next(&world).unwrap();
    assert_eq!(to, first_number);
    assert_eq!(
        said,
        "A phone number was added to your Example account. If it was not you, sign in and check your security settings."
    );
    // A new mailbox is not the one to tell; the oldest phone is.
    let (mailbox, address) = email(&world, &ana).await;
    let (to, said) = next(&world).unwrap();
    assert_eq!(to, first_number);
    assert!(said.starts_with("An e-mail address was added"), "{said}");
    // From here on the mailbox hears, whatever it is.
    let (third_phone, _) = phone(&world, &ana).await;
    assert_eq!(next(&world).unwrap().0, address);
    remove(&world, &ana, &third_phone).await;
    let (to, said) = next(&world).unwrap();
    assert_eq!(
        (to.as_str(), said.as_str()),
        (address.as_str(), "A phone number was removed from your Example account")
    );
    // The address on the user, unproven, comes after the proven one.
    let own = world.address();
    world.patch(&format!("/v1/users/{ana}"), &json!({"email": own})).await.expect(200);
    remove(&world, &ana, &second_phone).await;
    assert_eq!(next(&world).unwrap().0, address);
    // A removed mailbox hears nothing while there is a proven phone; the unproven address, which whoever has got in
    // could have put there, comes last.
    remove(&world, &ana, &mailbox).await;
    assert_eq!(next(&world).unwrap().0, first_number);
    // Proven, the own address is the oldest one.
    let body = json!({"user_id": ana, "purpose": "verification"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    world.answer(&challenge, &world.code(&own).await).await.expect(200);
    world.here().clock.advance(Duration::from_secs(1));
    let (_, later) = email(&world, &ana).await;
    assert_eq!(next(&world).unwrap().0, own);
    assert_ne!(later, own);
    // All of them.
    world.delete(&format!("/v1/users/{ana}/factors?override_reason=x")).await.expect(204);
    let (to, said) = next(&world).unwrap();
    assert_eq!((to.as_str(), said.as_str()), (own.as_str(), "All second steps were removed from your Example account"));
    drop((first_phone, second_number));
    assert_eq!(reasons(&world), ["no_destination"]);
}

/// Where nobody else is known, who was removed hears it.
#[tokio::test]
async fn the_last_one_hears_of_its_own_removal() {
    let world = world();
    let ana = user(&world, json!({})).await;
    let (factor, number) = phone(&world, &ana).await;
    remove(&world, &ana, &factor).await;
    assert_eq!(told(&world, 0).unwrap().0, number);
    let bo = user(&world, json!({})).await;
    let (_, number) = phone(&world, &bo).await;
    let (_, address) = email(&world, &bo).await;
    assert_eq!(told(&world, 1).unwrap().0, number);
    world.delete(&format!("/v1/users/{bo}/factors?override_reason=x")).await.expect(204);
    assert_eq!(told(&world, 2).unwrap().0, address);
}

/// What has no destination of its own is told of all the same: an app, recovery codes, new ones, their removal.
#[tokio::test]
async fn every_type_of_factor_is_told_of() {
    let world = world();
    world.patch("/v1/instance", &json!({"multi_factor": {"recovery_codes": {"enabled": true}}})).await.expect(200);
    let address = world.address();
    let ana = user(&world, json!({"email": address})).await;
    let (app, _) = world.enrol_totp(&ana, json!({"type": "totp", "name": "My app"})).await;
    let body = json!({"override": {"reason": "x"}});
    let codes = format!("/v1/users/{ana}/recovery-codes");
    world.post(&codes, &body).await.expect(201);
    world.post(&codes, &body).await.expect(201);
    remove(&world, &ana, &app).await;
    let sent = world.carriers.mail.sent_to(&address);
    let subjects: Vec<&str> = sent.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "An authenticator app was added to your Example account",
            "Recovery codes were added to your Example account",
            "New recovery codes were made for your Example account",
            "An authenticator app was removed from your Example account",
        ]
    );
    assert!(sent[0].text.contains("(\u{201c}My app\u{201d})"));
    assert_eq!(reasons(&world), [] as [String; 0]);
}

#[tokio::test]
async fn nothing_is_told_of_what_was_never_proven_or_did_not_happen() {
    let world = world();
    let ana = user(&world, json!({"email": world.address()})).await;
    let factors = format!("/v1/users/{ana}/factors");
    let pending = world.post(&factors, &json!({"type": "phone", "phone": world.number()})).await.expect(201);
    remove(&world, &ana, pending["factor"]["id"].as_str().unwrap()).await;
    world.delete(&format!("{factors}?override_reason=x")).await.expect(204);
    let (factor, _) = phone(&world, &ana).await;
    assert!(told(&world, 0).is_some());
    world.delete(&format!("{factors}/{factor}")).await.expect_problem(403, "proof_required");
    world.delete(&factors).await.expect_problem(403, "proof_required");
    // A second right answer of the same enrolment is no change.
    let number = world.number();
    let body = json!({"type": "phone", "phone": number, "override": {"reason": "x"}});
    let enrolled = world.post(&factors, &body).await.expect(201);
    let path = format!("{factors}/{}", enrolled["factor"]["id"].as_str().unwrap());
    let first = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
    let again = world.request("POST", &format!("{path}/challenges")).send().await.expect(201);
    let second = json!({"challenge_id": again["id"], "code": world.code(&number).await});
    world.post(&format!("{path}/activate"), &first).await.expect(200);
    assert!(told(&world, 1).is_some());
    world.here().clock.advance(Duration::from_secs(1));
    world.post(&format!("{path}/activate"), &second).await.expect(200);
    assert!(told(&world, 2).is_none());
    // A sign-in is none either.
    let challenge = world.post("/v1/challenges", &json!({"user_id": ana})).await.expect(201);
    let to = world.here().database.query("SELECT destination FROM challenges ORDER BY rowid DESC LIMIT 1");
    world.answer(&challenge, &world.code(to[0]["destination"].as_str().unwrap()).await).await.expect(200);
    assert!(told(&world, 2).is_none());
}

/// The answer is out before anybody is told: it waits for no provider, and no failure of one changes it.
#[tokio::test]
async fn a_notice_that_fails_changes_nothing_else_and_is_seen() {
    for (behaviour, status, class) in [
        (Behaviour::Answer(500, String::new()), "unknown", "unknown"),
        (Behaviour::Hang, "unknown", "unknown"),
        (Behaviour::Drop, "unknown", "unknown"),
        (Behaviour::Answer(403, r#"{"name":"validation_error"}"#.to_owned()), "failed", "misconfigured"),
        (
            Behaviour::Answer(422, r#"{"name":"validation_error","message":"`to`"}"#.to_owned()),
            "failed",
            "recipient_refused",
        ),
        (Behaviour::Answer(429, r#"{"name":"rate_limit_exceeded"}"#.to_owned()), "failed", "retryable"),
    ] {
        let world = World::native(&vars::with_mail(vars::dev_mail(BASE), "resend", BASE));
        let address = world.address();
        world.carriers.mail.behave(behaviour.clone());
        let ana = user(&world, json!({"email": address})).await;
        let number = world.number();
        let factors = format!("/v1/users/{ana}/factors");
        let enrolled = world.post(&factors, &json!({"type": "phone", "phone": number})).await.expect(201);
        let factor = enrolled["factor"]["id"].as_str().unwrap();
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
        let activated = world.post(&format!("{factors}/{factor}/activate"), &body).await;
        assert_eq!((activated.status, activated.round_trips()), (200, 1), "{behaviour:?}");
        assert_eq!(activated.json["status"], "active");
        let rows = world.here().database.query(NOTICES);
        assert_eq!(rows.len(), 1, "one try, whatever becomes of it");
        assert_eq!((&rows[0]["status"], &rows[0]["error_class"]), (&json!(status), &json!(class)), "{behaviour:?}");
        assert_eq!(rows[0]["user_id"], json!(ana));
        let event = format!("SELECT count(*) FROM audit_events WHERE type = 'email.{status}'");
        assert_eq!(world.here().database.number(&event), 1, "{behaviour:?}");
        assert_eq!(world.carriers.mail.sent_to(vars::MAIL_RECEIVER).len(), 1);
    }
}

/// Written down before the provider is asked, and settled by housekeeping where the Worker was ended.
#[tokio::test]
async fn a_notice_is_a_row_first() {
    let world = world();
    let ana = user(&world, json!({"email": world.address()})).await;
    let (factor, _) = phone(&world, &ana).await;
    let sent = world.carriers.mail.sent().len();
    let path = format!("/v1/users/{ana}/factors/{factor}?override_reason=x");
    let mut request = Box::pin(world.request("DELETE", &path).send());
    // The removal; then, after the response, who is to be told, and the row.
    steps(&mut request, 4).await;
    let rows = world.here().database.query(NOTICES);
    assert_eq!((rows.len(), &rows[1]["status"]), (2, &json!("queued")));
    assert_eq!(world.here().database.number("SELECT count(*) FROM message_tries WHERE outcome IS NULL"), 1);
    assert_eq!(world.carriers.mail.sent().len(), sent);
    drop(request);
    world.here().clock.advance(Duration::from_mins(11));
    postern::housekeeping::run(&world.here().app).await.unwrap();
    assert_eq!(world.here().database.query(NOTICES)[1]["status"], json!("unknown"));
}

#[tokio::test]
async fn a_database_that_fails_after_the_response_is_logged_and_nothing_more() {
    let world = world();
    let ana = user(&world, json!({"email": world.address()})).await;
    // The proof, and what the carrier is told of its code; then, who is to be told, the row, and what became of it.
    for (batches, notices) in [(2, 0), (3, 0), (4, 1)] {
        let number = world.number();
        let body = json!({"type": "phone", "phone": number, "override": {"reason": "x"}});
        let enrolled = world.post(&format!("/v1/users/{ana}/factors"), &body).await.expect(201);
        let factor = enrolled["factor"]["id"].as_str().unwrap();
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
        let before = world.here().database.query(NOTICES).len();
        world.here().database.fail_after(batches, DatabaseError::Other("gone".to_owned()));
        world.post(&format!("/v1/users/{ana}/factors/{factor}/activate"), &body).await.expect(200);
        assert!(world.here().database.has_failed(), "{batches}");
        assert_eq!(world.here().database.query(NOTICES).len() - before, notices, "{batches}");
        let log = world.here().log.lines();
        assert!(log.iter().any(|line| line.contains("could not be told")), "{log:?}");
    }
}

#[tokio::test]
async fn what_a_test_key_does_concerns_nobody() {
    let world = world();
    let key =
        json!({"name": "k", "scopes": ["users:read", "users:write", "users:override", "challenges"], "test": true});
    let key = world.post("/v1/api-keys", &key).await.expect(201)["secret"].as_str().unwrap().to_owned();
    let ana = user(&world, json!({"email": world.address()})).await;
    let (factor, _) = phone(&world, &ana).await;
    let before = world.here().database.query(NOTICES).len();
    let path = format!("/v1/users/{ana}/factors/{factor}?override_reason=x");
    world.request("DELETE", &path).key(&key).send().await.expect(204);
    assert_eq!(world.here().database.query(NOTICES).len(), before);
    assert_eq!(reasons(&world), [] as [String; 0]);
}

#[tokio::test]
async fn switches_hold_for_notices() {
    let world = world();
    let ana = user(&world, json!({"email": world.address()})).await;
    let (first, number) = phone(&world, &ana).await;
    let (second, _) = phone(&world, &ana).await;
    let (third, _) = phone(&world, &ana).await;
    let count = || world.here().database.query(NOTICES).len();
    assert_eq!(count(), 3);
    world.patch("/v1/instance", &json!({"notices": {"enabled": false}})).await.expect(200);
    remove(&world, &ana, &second).await;
    assert_eq!((count(), reasons(&world).len()), (3, 0));
    // Without e-mail, a phone is told.
    let switches = json!({"notices": {"enabled": true}, "email": {"enabled": false}});
    world.patch("/v1/instance", &switches).await.expect(200);
    remove(&world, &ana, &third).await;
    assert_eq!(told(&world, 3).unwrap().0, number);
    // Without both nobody is, and that is seen.
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    remove(&world, &ana, &first).await;
    assert_eq!((count(), reasons(&world)), (4, vec!["sms_disabled".to_owned()]));
}

/// A switch that is thrown while the notice is under way holds for it; any other change of settings does not stop it.
#[tokio::test]
async fn a_switch_thrown_meanwhile_holds() {
    let off = json!({"notices": {"enabled": false}});
    let other = json!({"codes": {"length": 8}});
    for (steps_before, change, sent) in
        [(2, &off, 0), (3, &off, 0), (4, &off, 1), (2, &other, 1), (3, &other, 1), (4, &other, 1)]
    {
        let world = world();
        let address = world.address();
        let ana = user(&world, json!({"email": address})).await;
        let (factor, _) = phone(&world, &ana).await;
        let before = world.carriers.mail.sent_to(&address).len();
        let path = format!("/v1/users/{ana}/factors/{factor}?override_reason=x");
        let mut request = Box::pin(world.request("DELETE", &path).send());
        steps(&mut request, steps_before).await;
        let other = World::on(&world.here().isolate());
        other.patch("/v1/instance", change).await.expect(200);
        request.await.expect(204);
        assert_eq!(world.carriers.mail.sent_to(&address).len() - before, sent, "{steps_before} {change}");
    }
}

/// Without a provider in `prod` the phone is told; a wrong variable is named.
#[tokio::test]
async fn without_a_mail_provider_the_phone_is_told() {
    let world = World::twilio();
    let ana = user(&world, json!({"email": world.address()})).await;
    let (first, number) = phone(&world, &ana).await;
    assert_eq!(reasons(&world), ["EMAIL_DRIVER"]);
    phone(&world, &ana).await;
    assert_eq!(told(&world, 0).unwrap().0, number);
    drop(first);
}

/// Outside prod a notice goes to the receiver, like everything.
#[tokio::test]
async fn outside_prod_the_receiver_is_told() {
    let world = World::native(&vars::dev_mail(BASE));
    let address = world.address();
    let ana = user(&world, json!({"email": address})).await;
    phone(&world, &ana).await;
    assert!(world.carriers.mail.sent_to(&address).is_empty());
    assert_eq!(world.carriers.mail.sent_to(vars::MAIL_RECEIVER).len(), 1);
    let inbox = world.get("/dev/inbox.json").await.expect(200);
    let notice = inbox.as_array().unwrap().iter().find(|entry| entry["template"] == "security_notice").unwrap();
    assert_eq!((&notice["intended_to"], &notice["code"]), (&json!(address), &Value::Null));
    let page = world.get(&format!("/dev/inbox/{}", notice["id"].as_str().unwrap())).await;
    assert!(page.status == 200 && page.text.contains("was added to your Example account"));
}

/// A hundred changes at once tell as often as the limit says, exactly.
#[tokio::test]
async fn a_hundred_changes_at_once_stay_within_the_limit() {
    let world = world();
    let limits = json!({"messages_per_user_half_hour": 100, "messages_per_user_hour": 100});
    // Forty numbers of one user are what the guard looks for.
    let settings = json!({"limits": limits, "fraud": {"mode": "off"}});
    world.patch("/v1/instance", &settings).await.expect(200);
    let address = world.address();
    let ana = user(&world, json!({"email": address})).await;
    let mut requests = Vec::new();
    for _ in 0..40 {
        let number = world.number();
        let body = json!({"type": "phone", "phone": number, "override": {"reason": "x"}});
        let enrolled = world.post(&format!("/v1/users/{ana}/factors"), &body).await.expect(201);
        let path = format!("/v1/users/{ana}/factors/{}/activate", enrolled["factor"]["id"].as_str().unwrap());
        let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
        requests.push(world.request("POST", &path).json(&body));
    }
    for answer in crate::support::at_once(requests).await {
        answer.expect(200);
    }
    let told = "SELECT count(*) FROM messages WHERE template = 'security_notice' AND reason IS NULL";
    assert_eq!(world.here().database.number(told), 10);
    let dropped = "SELECT count(*) FROM messages WHERE reason = 'limited'";
    assert_eq!(world.here().database.number(dropped), 30);
    assert_eq!(world.here().database.number("SELECT count FROM counters WHERE key LIKE 'notices%'"), 10);
}

/// Whoever signs in without the factor that is asked for does so in sight of the person, once.
#[tokio::test]
async fn what_stands_in_for_a_factor_is_told_when_the_sign_in_is_complete() {
    let world = world();
    let policy =
        json!({"required": ["phone"], "allow_email_backup": "on_request", "recovery_codes": {"enabled": true}});
    world.patch("/v1/instance", &json!({"multi_factor": policy})).await.expect(200);
    let ana = user(&world, json!({})).await;
    phone(&world, &ana).await;
    let (mailbox, address) = email(&world, &ana).await;
    let codes = json!({"override": {"reason": "set-up"}});
    let codes = world.post(&format!("/v1/users/{ana}/recovery-codes"), &codes).await.expect(201);
    let count = || world.here().database.query(NOTICES).len();
    let before = count();

    let challenge = world.post("/v1/challenges", &json!({"user_id": ana, "factor_id": mailbox})).await.expect(201);
    world.answer(&challenge, &world.code(&address).await).await.expect(200);
    let asked = json!({"proofs": [challenge["id"]]});
    let met = world.evaluate(&ana, &asked).await.expect(200);
    assert_eq!((&met["step"], &met["stand_ins"]), (&json!("satisfied"), &json!(["email_backup"])));
    assert_eq!(count(), before, "asking tells nobody");
    let complete = json!({"proofs": [challenge["id"]], "complete": true});
    world.evaluate(&ana, &complete).await.expect(200);
    let (_, said) = told(&world, before).expect("a notice");
    assert!(
        said.starts_with("An e-mail code stood in for a second step at a sign-in to your Example account"),
        "{said}"
    );

    let body = json!({"user_id": ana, "type": "recovery_codes"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    world.answer(&challenge, codes["recovery_codes"][0].as_str().unwrap()).await.expect(200);
    let complete = json!({"proofs": [challenge["id"]], "complete": true});
    let done = world.evaluate(&ana, &complete).await.expect(200);
    assert_eq!((&done["completed"], &done["stand_ins"]), (&json!(true), &json!(["recovery_code"])));
    let (_, said) = told(&world, before + 1).expect("a notice");
    assert!(said.starts_with("A recovery code stood in for a second step"), "{said}");
}
