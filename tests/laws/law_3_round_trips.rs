//! Law 3: round trips are counted. Every operation has its number here, and one that has none fails the test.

use std::collections::BTreeMap;

use postern::http::contract::Auth;
use serde_json::{Value, json};

use crate::support::{Request, Response, World, oauth, vars};

/// What each operation took, by its name in the contract.
#[derive(Default)]
struct Measured(BTreeMap<&'static str, u32>);

impl Measured {
    fn note(&mut self, id: &'static str, response: Response, status: u16) -> Value {
        self.0.insert(id, response.round_trips());
        response.expect(status)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// By channel: a text, and the operations on templates.
const TEMPLATES: [(&str, &str, [&str; 5]); 3] = [
    (
        "sms",
        "{{otp_code}}!",
        ["listSmsTemplates", "getSmsTemplate", "previewSmsTemplate", "updateSmsTemplate", "revertSmsTemplate"],
    ),
    (
        "voice",
        "Hello!",
        [
            "listVoiceTemplates",
            "getVoiceTemplate",
            "previewVoiceTemplate",
            "updateVoiceTemplate",
            "revertVoiceTemplate",
        ],
    ),
    (
        "email",
        "{{otp_code}}!",
        [
            "listEmailTemplates",
            "getEmailTemplate",
            "previewEmailTemplate",
            "updateEmailTemplate",
            "revertEmailTemplate",
        ],
    ),
];

#[tokio::test]
async fn every_operation_takes_as_many_round_trips_as_it_may() {
    let world = World::null();
    // The isolate is warm: it remembers the settings.
    world.get("/v1/instance").await.expect(200);
    let mut all = Measured::default();

    let number = world.number();
    let body = json!({"to": {"phone": number}});
    let challenge = all.note("createChallenge", world.post("/v1/challenges", &body).await, 201);
    let path = format!("/v1/challenges/{}", text(&challenge["id"]));
    all.note("getChallenge", world.get(&path).await, 200);
    world.here().clock.advance(std::time::Duration::from_secs(30));
    all.note("resendChallenge", world.request("POST", &format!("{path}/resend")).send().await, 200);
    let code = world.code(&number).await;
    let wrong = world.answer(&challenge, &world.wrong(&code)).await;
    assert_eq!((wrong.status, wrong.round_trips()), (422, 1));
    all.note("answerChallenge", world.answer(&challenge, &code).await, 200);
    let again = world.answer(&challenge, &code).await;
    assert_eq!((again.status, again.round_trips()), (409, 1));
    let other = world.challenge(&world.number()).await;
    let cancel = format!("/v1/challenges/{}/cancel", text(&other["id"]));
    all.note("cancelChallenge", world.request("POST", &cancel).send().await, 200);

    let user = all.note("createUser", world.post("/v1/users", &json!({})).await, 201);
    let user = format!("/v1/users/{}", text(&user["id"]));
    all.note("listUsers", world.get("/v1/users").await, 200);
    all.note("getUser", world.get(&user).await, 200);
    all.note("updateUser", world.patch(&user, &json!({"name": "Ana"})).await, 200);
    all.note("unlockUser", world.request("POST", &format!("{user}/unlock")).send().await, 200);
    let factors = format!("{user}/factors");
    let number = world.number();
    let enrolled =
        all.note("createFactor", world.post(&factors, &json!({"type": "phone", "phone": number})).await, 201);
    let factor = format!("{factors}/{}", text(&enrolled["factor"]["id"]));
    let body = json!({"challenge_id": enrolled["challenge"]["id"], "code": world.code(&number).await});
    all.note("activateFactor", world.post(&format!("{factor}/activate"), &body).await, 200);
    all.note("listFactors", world.get(&factors).await, 200);
    all.note("challengeFactor", world.request("POST", &format!("{factor}/challenges")).send().await, 201);
    let by_user = world.post("/v1/challenges", &json!({"user_id": user.rsplit('/').next().unwrap()})).await;
    assert_eq!((by_user.status, by_user.round_trips()), (201, 2));
    let codes = json!({"override": {"reason": "x"}});
    let path = format!("{user}/recovery-codes");
    let codes = all.note("createRecoveryCodes", world.post(&path, &codes).await, 201);
    let (user_id, factor_id) = (user.rsplit('/').next().unwrap(), text(&codes["factor"]["id"]));
    let held = world.post("/v1/challenges", &json!({"user_id": user_id, "factor_id": factor_id})).await;
    assert_eq!((held.status, held.round_trips()), (201, 2));
    let used = world.answer(&held.json, text(&codes["recovery_codes"][0])).await;
    assert_eq!((used.status, used.round_trips()), (200, 2), "a recovery code takes two");
    let (other, _, app) = world.user_with_totp().await;
    let second = json!({"type": "totp", "override": {"reason": "x"}});
    let second = world.post(&format!("/v1/users/{other}/factors"), &second).await;
    assert_eq!((second.status, second.round_trips()), (201, 2), "whose it will be has to be read first");
    let held = world.post("/v1/challenges", &json!({"user_id": other})).await;
    assert_eq!((held.status, held.round_trips()), (201, 2));
    for (code, status) in [(world.wrong(&app.code(world.now())), 422), (app.code(world.now()), 200)] {
        let answered = world.answer(&held.json, &code).await;
        assert_eq!((answered.status, answered.round_trips()), (status, 2), "an authenticator app takes two");
    }
    let password = json!({"password": "lilac-otter-walks-at-dawn"});
    let wrong = world.post(&format!("{user}/verify-password"), &password).await;
    assert_eq!((wrong.status, wrong.round_trips()), (422, 2));
    let body = json!({"type": "password", "password": password["password"], "override": {"reason": "x"}});
    let set = world.post(&factors, &body).await;
    assert_eq!((set.status, set.round_trips()), (201, 2));
    all.note("verifyPassword", world.post(&format!("{user}/verify-password"), &password).await, 200);
    let body = json!({"name": "Desk", "mfa": {"remember_device": true}, "origins": ["https://app.example.com"]});
    let app = all.note("createApp", world.post("/v1/apps", &body).await, 201);
    let app_path = format!("/v1/apps/{}", text(&app["id"]));
    all.note("getApp", world.get(&app_path).await, 200);
    all.note("listApps", world.get("/v1/apps").await, 200);
    all.note("updateApp", world.patch(&app_path, &json!({"name": "Back office"})).await, 200);
    let rotate = world.request("POST", &format!("{app_path}/rotate-secret"));
    all.note("rotateAppSecret", rotate.send().await, 200);
    let body = json!({"email": "eve@example.com", "url": "https://app.example.com/join"});
    let invitation = all.note("createInvitation", world.post("/v1/invitations", &body).await, 201);
    all.note("listInvitations", world.get("/v1/invitations").await, 200);
    let path = format!("/v1/invitations/{}", text(&invitation["id"]));
    all.note("deleteInvitation", world.delete(&path).await, 204);
    let body = json!({"list": "block", "prefix": "+4479460", "hours": 1});
    let entry = all.note("createFraudEntry", world.post("/v1/fraud-entries", &body).await, 201);
    all.note("listFraudEntries", world.get("/v1/fraud-entries").await, 200);
    let path = format!("/v1/fraud-entries/{}", text(&entry["id"]));
    all.note("deleteFraudEntry", world.delete(&path).await, 204);
    world.here().clock.advance(std::time::Duration::from_secs(31));
    let id = user.rsplit('/').next().unwrap();
    let mut flow = json!({"app_id": app["id"], "proofs": [world.proof(id, &number).await]});
    all.note("evaluateMfa", world.evaluate(id, &flow).await, 200);
    flow["complete"] = json!(true);
    let completed = world.evaluate(id, &flow).await;
    assert_eq!((completed.round_trips(), &completed.json["completed"]), (2, &json!(true)));
    let body = json!({"app_id": app["id"], "proofs": flow["proofs"], "external_first_factor": {"type": "password"}});
    let device = all.note("createDevice", world.post(&format!("{user}/devices"), &body).await, 201);
    all.note("listDevices", world.get(&format!("{user}/devices")).await, 200);
    let path = format!("{user}/devices/{}", text(&device["device"]["id"]));
    all.note("deleteDevice", world.delete(&path).await, 204);
    all.note("deleteDevices", world.delete(&format!("{user}/devices")).await, 204);
    let browser = oauth::app(&world, json!({"type": "browser"})).await;
    oauth::sign_in(&world, &browser, id, oauth::EVERYTHING).await;
    let sessions = format!("{user}/sessions");
    let listed = all.note("listSessions", world.get(&sessions).await, 200);
    let session = format!("{sessions}/{}", text(&listed["data"][0]["id"]));
    all.note("getSession", world.get(&session).await, 200);
    all.note("deleteSession", world.delete(&session).await, 204);
    all.note("deleteSessions", world.delete(&sessions).await, 204);
    all.note("deleteApp", world.delete(&app_path).await, 204);
    all.note("deleteFactor", world.delete(&format!("{factor}?override_reason=x")).await, 204);
    all.note("resetFactors", world.delete(&format!("{factors}?override_reason=x")).await, 204);
    all.note("deleteUser", world.delete(&user).await, 204);

    let messages = all.note("listMessages", world.get("/v1/messages").await, 200);
    let message = format!("/v1/messages/{}", text(&messages["data"][0]["id"]));
    all.note("getMessage", world.get(&message).await, 200);
    all.note("getMessageMetrics", world.get("/v1/metrics/messages").await, 200);
    all.note("getMetrics", world.get("/v1/metrics").await, 200);
    all.note("listAuditEvents", world.get("/v1/audit-events").await, 200);
    for (channel, body, [list, get, preview, update, revert]) in TEMPLATES {
        let path = format!("/v1/{channel}-templates");
        all.note(list, world.get(&path).await, 200);
        let path = format!("{path}/verification_code");
        all.note(get, world.get(&path).await, 200);
        all.note(preview, world.post(&format!("{path}/preview"), &json!({})).await, 200);
        all.note(update, world.patch(&path, &json!({"body": body})).await, 200);
        // A text that changes changes the settings' version.
        world.get("/v1/instance").await.expect(200);
        all.note(revert, world.request("POST", &format!("{path}/revert")).send().await, 200);
        world.get("/v1/instance").await.expect(200);
    }
    let hook = json!({"url": "https://hooks.example.com/events/law3", "events": ["invitation.created"]});
    let hook = all.note("createWebhookEndpoint", world.post("/v1/webhook-endpoints", &hook).await, 201);
    // Whoever changes what is heard changes the settings' version.
    world.get("/v1/instance").await.expect(200);
    all.note("listWebhookEndpoints", world.get("/v1/webhook-endpoints").await, 200);
    let hook = format!("/v1/webhook-endpoints/{}", text(&hook["id"]));
    all.note("getWebhookEndpoint", world.get(&hook).await, 200);
    let rotate = world.request("POST", &format!("{hook}/rotate-secret"));
    all.note("rotateWebhookSecret", rotate.send().await, 200);
    world.get("/v1/instance").await.expect(200);
    all.note("updateWebhookEndpoint", world.patch(&hook, &json!({"events": ["webhook.*"]})).await, 200);
    world.get("/v1/instance").await.expect(200);
    let deliveries = all.note("listWebhookDeliveries", world.get("/v1/webhook-deliveries").await, 200);
    let delivery = format!("/v1/webhook-deliveries/{}", text(&deliveries["data"][0]["id"]));
    all.note("getWebhookDelivery", world.get(&delivery).await, 200);
    all.note("replayWebhookDelivery", world.request("POST", &format!("{delivery}/replay")).send().await, 200);
    all.note("deleteWebhookEndpoint", world.delete(&hook).await, 204);
    world.get("/v1/instance").await.expect(200);
    let to = json!({"to": {"phone": world.number()}});
    all.note("testMessage", world.post("/v1/messages/test", &to).await, 200);
    let key = json!({"name": "k", "scopes": ["challenges"]});
    let key = all.note("createApiKey", world.post("/v1/api-keys", &key).await, 201);
    all.note("listApiKeys", world.get("/v1/api-keys").await, 200);
    let key = format!("/v1/api-keys/{}", text(&key["api_key"]["id"]));
    all.note("revokeApiKey", world.delete(&key).await, 204);
    // That changed the settings' version: stale, read again, decided.
    let stale = world.get("/v1/instance").await;
    assert_eq!((stale.status, stale.round_trips()), (200, 3));
    all.note("getInstance", world.get("/v1/instance").await, 200);
    let rotate = world.post("/v1/instance/signing-keys/rotate", &json!({"revoke": true})).await;
    all.note("rotateSigningKeys", rotate, 200);
    // The key of the session's tokens was among them, and so the version is another.
    world.get("/v1/instance").await.expect(200);
    all.note("updateInstance", world.patch("/v1/instance", &json!({"codes": {"length": 6}})).await, 200);

    let keyed = postern::http::operations().into_iter().filter(|operation| matches!(operation.auth, Auth::Key(_)));
    let expected: BTreeMap<&str, u32> = keyed
        .map(|operation| {
            let trips = match operation.id {
                // The number and the seed have to be read first, or whose codes they will be and which language they speak, or
                // a password's hash.
                "createFactor"
                | "resendChallenge"
                | "challengeFactor"
                | "createRecoveryCodes"
                | "verifyPassword"
                | "createDevice" => 2,
                _ => 1,
            };
            (operation.id, trips)
        })
        .collect();
    assert_eq!(all.0, expected);
}

#[tokio::test]
async fn a_carrier_adds_one_round_trip_that_comes_after_it() {
    let world = World::native(&vars::dev_mail("http://127.0.0.1:9"));
    let (user, _, number) = world.user_with_phone().await;
    let app = json!({"name": "Shop", "origins": ["https://app.example.com"]});
    world.post("/v1/apps", &app).await.expect(201);
    let invite = json!({"email": "eve@example.com", "url": "https://app.example.com/join"});
    let database = &world.here().database;
    let post = |path: &str, body: Value| world.request("POST", path).json(&body);
    let second = json!({"type": "phone", "phone": world.number(), "override": {"reason": "x"}});
    let third = json!({"type": "phone", "phone": world.number(), "override": {"reason": "x"}, "locale": "en"});
    let created = world.challenge(&world.number()).await;
    world.here().clock.advance(std::time::Duration::from_secs(30));
    let cases: Vec<(&str, Request, u32)> = vec![
        ("to a number", post("/v1/challenges", json!({"to": {"phone": world.number()}})), 1),
        ("to a user", post("/v1/challenges", json!({"user_id": user})), 2),
        ("resend", post(&format!("/v1/challenges/{}/resend", text(&created["id"])), json!({})), 2),
        ("enrol in the user's language", post(&format!("/v1/users/{user}/factors"), second), 2),
        ("enrol in a language that is named", post(&format!("/v1/users/{user}/factors"), third), 1),
        ("invite", post("/v1/invitations", invite), 1),
    ];
    let asked = || world.carriers.sent().len() + world.carriers.mail.sent().len();
    for (what, request, before) in cases {
        let (sent, batches) = (asked(), database.batches());
        let mut request = Box::pin(request.send());
        crate::support::steps(&mut request, before + 1).await;
        assert_eq!((asked(), database.batches() - batches), (sent, before), "{what}: before");
        let response = request.await;
        assert_eq!(asked(), sent + 1, "{what}");
        assert_eq!(response.round_trips(), before + 1, "{what}");
        assert!([200, 201].contains(&response.status), "{what}: {}", response.text);
    }
    drop(number);
}

#[tokio::test]
async fn a_cold_isolate_and_a_stored_key_add_one_each_and_together() {
    let world = World::null();
    world.get("/v1/instance").await.expect(200);
    let key = json!({"name": "k", "scopes": ["challenges"]});
    let key = world.post("/v1/api-keys", &key).await.expect(201);
    let key = text(&key["secret"]);
    let send = |world: &World, key: &str| {
        world.request("POST", "/v1/challenges").json(&json!({"to": {"phone": world.number()}})).key(key).send()
    };
    let trips = |response: Response| {
        assert_eq!(response.status, 201, "{}", response.text);
        response.round_trips()
    };
    assert_eq!(trips(send(&world, vars::KEY).await), 1, "warm");
    assert_eq!(trips(send(&world, key).await), 2, "a stored key, the first time");
    assert_eq!(trips(send(&world, key).await), 1, "a stored key, from then on");
    let cold = World::on(&world.here().isolate());
    assert_eq!(trips(send(&cold, vars::KEY).await), 2, "cold");
    assert_eq!(trips(send(&cold, vars::KEY).await), 1, "warm now");
    let cold = World::on(&world.here().isolate());
    assert_eq!(trips(send(&cold, key).await), 2, "cold, and the key rides along");
    // A use of the key is written down once a minute, in the batch of the call.
    world.here().clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(trips(send(&cold, key).await), 1, "its use is noted");
    let used = world.here().database.number("SELECT last_used_at FROM api_keys");
    assert_eq!(used, crate::support::ports::START + 61_000);
}

#[tokio::test]
async fn a_refusal_of_what_is_remembered_asks_once_and_a_repeated_call_adds_one() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    let body = json!({"to": {"phone": world.number()}});
    let refused = world.post("/v1/challenges", &body).await;
    assert_eq!((refused.status, refused.round_trips()), (503, 1));
    world.patch("/v1/instance", &json!({"sms": {"enabled": true}})).await.expect(200);
    world.get("/v1/instance").await.expect(200);
    let call = || world.request("POST", "/v1/challenges").json(&body).idempotency_key("once").send();
    assert_eq!(call().await.round_trips(), 1);
    let replayed = call().await;
    assert_eq!((replayed.header("idempotency-replayed"), replayed.round_trips()), (Some("true"), 2));
}

#[tokio::test]
async fn production_tells_no_timings() {
    let world = World::twilio();
    for path in ["/v1/instance", "/health", "/v1/environment", "/nowhere"] {
        assert_eq!(world.get(path).await.header("server-timing"), None, "{path}");
    }
}
