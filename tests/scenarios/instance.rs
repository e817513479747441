//! The instance: what holds at once when it is changed, and how many round trips a call takes (law 3). These
//! change what everybody works under, and count what others would disturb: each has a server to itself.

use serde_json::json;

use crate::support::{World, vars};

pub async fn the_kill_switch_stops_sending_at_once(world: World) {
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    let off = world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    assert_eq!(off["settings"]["sms"]["enabled"], false);

    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect_problem(503, "sms_disabled");
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let phone = json!({"type": "phone", "phone": world.number()});
    world.post(&format!("/v1/users/{user}/factors"), &phone).await.expect_problem(503, "sms_disabled");
    // Only sending stops: what was sent can be answered.
    world.answer(&challenge, &code).await.expect(200);

    world.patch("/v1/instance", &json!({"sms": {"enabled": "inherit"}})).await.expect(200);
    world.post("/v1/challenges", &body).await.expect(201);
}

pub async fn a_country_is_stopped_and_opened_at_once(world: World) {
    let (number, other) = (world.number(), "+1 604 555 0123");
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    let stopped = json!({"countries": {"sms": {"stopped": ["US"]}}});
    let shown = world.patch("/v1/instance", &stopped).await.expect(200);
    assert_eq!(shown["settings"]["countries"]["sms"]["stopped"], json!(["US"]));
    let send = |number: &str, channel: &str| {
        let body = json!({"to": {"phone": number}, "channel": channel});
        world.request("POST", "/v1/challenges").json(&body).send()
    };
    let problem = send(&number, "sms").await.expect_problem(422, "country_not_allowed");
    assert_eq!(problem["detail"], "US is in the setting countries.sms.stopped");
    send(other, "sms").await.expect(201);
    send(&number, "voice").await.expect(201);
    // What was sent can be answered.
    world.answer(&challenge, &code).await.expect(200);
    world.patch("/v1/instance", &json!({"countries": {"sms": {"stopped": "inherit"}}})).await.expect(200);
    send(&number, "sms").await.expect(201);
}

pub async fn a_key_works_within_its_scopes_until_it_is_revoked(world: World) {
    let body = json!({"name": "Shop backend", "scopes": ["challenges"]});
    let made = world.post("/v1/api-keys", &body).await.expect(201);
    let (id, secret) = (made["api_key"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let send = |number: String| {
        world.request("POST", "/v1/challenges").key(secret).json(&json!({"to": {"phone": number}})).send()
    };
    send(world.number()).await.expect(201);
    world.request("POST", "/v1/users").key(secret).json(&json!({})).send().await.expect_problem(403, "scope_missing");

    let listed = world.get("/v1/api-keys").await.expect(200);
    let listed = listed["data"].as_array().unwrap().iter().find(|key| key["id"] == id).unwrap().clone();
    assert!(listed["last_used_at"].is_string() && listed["revoked_at"].is_null(), "{listed}");
    assert!(!listed.to_string().contains(secret));

    world.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    send(world.number()).await.expect_problem(401, "api_key_invalid");
    let listed = world.get("/v1/api-keys").await.expect(200);
    assert!(listed["data"].as_array().unwrap().iter().any(|key| key["id"] == id && key["revoked_at"].is_string()));
}

pub async fn calls_take_as_many_round_trips_as_the_law_allows(world: World) {
    let number = world.number();
    world.challenge(&world.number()).await;
    let body = json!({"to": {"phone": number}});
    let created = world.post("/v1/challenges", &body).await;
    assert_eq!(created.round_trips(), 1, "create");
    let challenge = created.expect(201);
    let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.round_trips(), 1, "read");
    let code = world.code(&number).await;
    assert_eq!(world.answer(&challenge, &world.wrong(&code)).await.round_trips(), 1, "a wrong answer");
    assert_eq!(world.answer(&challenge, &code).await.round_trips(), 1, "a right answer");
    assert_eq!(world.answer(&challenge, &code).await.round_trips(), 1, "a late answer");

    // The phone's number is looked up first.
    let (user, ..) = world.user_with_phone().await;
    let created = world.post("/v1/challenges", &json!({"user_id": user})).await;
    assert_eq!(created.round_trips(), 2, "create for a user");

    // A stored key is read once by each isolate, and rides along from then on.
    let made = world.post("/v1/api-keys", &json!({"name": "a", "scopes": ["challenges"]})).await.expect(201);
    for round_trips in [2, 1] {
        let read = world.request("GET", &path).key(made["secret"].as_str().unwrap()).send().await;
        assert_eq!(read.round_trips(), round_trips, "a stored key");
    }
}

pub async fn a_carrier_takes_one_more_round_trip_after_it_answered(world: World) {
    world.challenge(&world.number()).await;
    let created = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    assert_eq!(created.round_trips(), 2, "one before the carrier is called, one for what it said");
}

pub async fn a_carrier_is_configured_tried_taken_away_and_replaced_over_the_api(world: World) {
    let body = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
    let account = json!({"account_sid": vars::ACCOUNT, "auth_token": vars::TOKEN});
    let incomplete = world.patch("/v1/instance", &json!({"sms": {"driver": "twilio", "twilio": account}})).await;
    assert_eq!(incomplete.fields(), [("sms.from_number", "form_param_missing")]);

    let twilio = json!({"sms": {"driver": "twilio", "from_number": vars::SENDER, "twilio": account}});
    let shown = world.patch("/v1/instance", &twilio).await;
    assert!(!shown.text.contains(vars::TOKEN));
    assert_eq!(
        shown.expect(200)["settings"]["sms"]["twilio"],
        json!({"account_sid": vars::ACCOUNT, "auth_token_set": true,
        "api_key_secret_set": false})
    );
    world.get("/health").await.expect(200);
    let number = world.number();
    let tried = world.post("/v1/messages/test", &json!({"to": {"phone": number}})).await.expect(200);
    assert_eq!((&tried["message"]["status"], &tried["tries"][0]["driver"]), (&json!("sent"), &json!("twilio")));
    assert_eq!(world.carriers.sent_to(&number)[0].from, vars::SENDER);

    // It leaked: it goes at once, and what is missing is told by its name.
    world.patch("/v1/instance", &json!({"sms": {"twilio": {"auth_token": null}}})).await.expect(200);
    let stopped = world.post("/v1/challenges", &body).await.expect_problem(503, "configuration_invalid");
    assert!(stopped["detail"].as_str().unwrap().contains("sms.twilio.auth_token"), "{stopped}");
    world.get("/health").await.expect(503);

    let vonage = json!({"sms": {"driver": "vonage", "from_number": vars::VONAGE_SENDER,
        "vonage": {"api_key": vars::VONAGE_KEY, "api_secret": vars::VONAGE_SECRET}}});
    world.patch("/v1/instance", &vonage).await.expect(200);
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let code = world.code(&number).await;
    world.answer(&challenge, &code).await.expect(200);
    assert_eq!(world.carriers.sent_to(&number)[0].carrier, "vonage");
    assert_eq!(world.get("/v1/environment").await.expect(200)["sms"]["driver"], "vonage");
    world.get("/health").await.expect(200);
    assert_eq!(world.carriers.violations(), [] as [String; 0]);
}
