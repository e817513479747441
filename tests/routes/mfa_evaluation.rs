//! `/v1/users/{id}/mfa-evaluation`: proofs are verified challenges of this user, the policy is the server's, and
//! nothing in the request asks for less (law 10). What is decided in which case is held by the policy's own tests.

use std::time::Duration;

use serde_json::{Value, json};

use super::{new_key, new_user, text};
use crate::support::{Behaviour, World, vars};

async fn app(world: &World, mfa: Value) -> String {
    text(&world.post("/v1/apps", &json!({"name": "Shop", "mfa": mfa})).await.expect(201)["id"])
}

#[tokio::test]
async fn a_proof_is_a_recent_verified_challenge_of_this_user() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let (other, _, others) = world.user_with_phone().await;
    let refused = async |proofs: Value| {
        let problem = world.evaluate(&user, &json!({"proofs": proofs})).await.expect_problem(403, "proof_invalid");
        text(&problem["detail"])
    };
    let none = "is no verified challenge of this user";
    let pending = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let job_1 = world.challenge(&world.number()).await;
    for id in [&pending["id"], &job_1["id"], &json!("chl_01M83WM7ZA000G40R40M30E209")] {
        assert_eq!(refused(json!([id])).await, format!("proofs.0 {none}"));
    }
    let theirs = world.proof(&other, &others).await;
    let mine = world.proof(&user, &number).await;
    assert_eq!(refused(json!([mine, theirs])).await, format!("proofs.1 {none}"));
    let twice = world.evaluate(&user, &json!({"proofs": [mine, mine]})).await;
    assert_eq!(twice.fields(), [("proofs.1", "form_param_value_invalid")]);
    world.here().clock.advance(Duration::from_mins(10));
    let step = async || text(&world.evaluate(&user, &json!({"proofs": [mine]})).await.expect(200)["step"]);
    assert_eq!(step().await, "satisfied", "ten minutes to the millisecond");
    world.here().clock.advance(Duration::from_millis(1));
    assert!(refused(json!([mine])).await.contains("more than ten minutes ago"));
    world.here().clock.advance(Duration::from_hours(1));
    // A test key's proof proves nothing to a live one.
    let test = json!({"name": "t", "scopes": ["challenges", "users:write"], "test": true});
    let test = text(&world.post("/v1/api-keys", &test).await.expect(201)["secret"]);
    let body = json!({"user_id": user});
    let made = world.request("POST", "/v1/challenges").json(&body).key(&test).send().await.expect(201);
    let path = format!("/v1/challenges/{}/answer", text(&made["id"]));
    let body = json!({"code": world.code(&number).await});
    world.request("POST", &path).json(&body).key(&test).send().await.expect(200);
    assert_eq!(refused(json!([made["id"]])).await, format!("proofs.0 {none}"));
}

#[tokio::test]
async fn nothing_in_the_request_asks_for_less() {
    let world = World::null();
    let strict = app(&world, json!({"required": ["phone"], "remember_device": true})).await;
    let (user, _, number) = world.user_with_phone().await;
    let bare = world.post(&format!("/v1/users/{user}/mfa-evaluation"), &json!({"app_id": strict})).await.expect(200);
    assert_eq!((&bare["step"], &bare["assurance"]), (&json!("needs_first_factor"), &Value::Null));
    let kinds = ["password", "federated", "other", "email"];
    for kind in kinds {
        let body = json!({"app_id": strict, "external_first_factor": {"type": kind}});
        let answer = world.evaluate(&user, &body).await.expect(200);
        assert_eq!(answer["step"], "needs_second_factor", "{kind}");
    }
    // The phone that was the first factor is not the second; which one it was, if it is not said, is taken for the same.
    for phone in [json!({"type": "phone"}), json!({"type": "phone", "phone": number})] {
        let body = json!({
            "app_id": strict, "external_first_factor": phone, "proofs": [world.proof(&user, &number).await],
        });
        let answer = world.evaluate(&user, &body).await.expect(200);
        assert_eq!((&answer["step"], &answer["reason"]["code"]), (&json!("blocked"), &json!("same_destination")));
    }
    let other = json!({"type": "phone", "phone": world.number()});
    let body = json!({"app_id": strict, "external_first_factor": other});
    assert_eq!(world.evaluate(&user, &body).await.expect(200)["step"], "needs_second_factor");
    for (member, value, kind) in [("email", "ana@example.com", "password"), ("phone", "+14155552671", "email")] {
        let body = json!({"external_first_factor": {"type": kind, member: value}});
        let field = format!("external_first_factor.{member}");
        assert_eq!(world.evaluate(&user, &body).await.fields(), [(field.as_str(), "form_param_value_invalid")]);
    }
    let skip = world.evaluate(&user, &json!({"skip_enrolment": true})).await;
    assert_eq!(skip.fields(), [("skip_enrolment", "form_param_value_invalid")]);
    world
        .evaluate(&user, &json!({"app_id": "app_01M83WM7ZA000G40R40M30E209"}))
        .await
        .expect_problem(404, "resource_not_found");
    let nobody = "usr_01M83WM7ZA000G40R40M30E209";
    world.evaluate(nobody, &json!({})).await.expect_problem(404, "resource_not_found");
}

#[tokio::test]
async fn a_sign_ins_proof_is_none_for_a_step_up() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let step = async |proof: String| {
        let body = json!({"proofs": [proof], "purpose": "step_up"});
        text(&world.evaluate(&user, &body).await.expect(200)["step"])
    };
    assert_eq!(step(world.proof(&user, &number).await).await, "needs_second_factor");
    assert_eq!(step(world.proof_for(&user, &number, "step_up").await).await, "satisfied");
}

#[tokio::test]
async fn the_servers_word_on_a_user_needs_its_scope_and_is_written_down() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let free = app(&world, json!({"use_instance_policy": false})).await;
    let path = format!("/v1/users/{user}");
    let (_, key) = new_key(&world, &["users:write"]).await;
    let word = json!({"mfa": {"required": ["totp"]}});
    for body in [word.clone(), json!({"mfa": null})] {
        world.request("PATCH", &path).json(&body).key(&key).send().await.expect_problem(403, "scope_missing");
    }
    world.request("PATCH", &path).json(&json!({"name": "Ana"})).key(&key).send().await.expect(200);
    let both = json!({"mfa": {"required": ["totp"], "exempt_until": "2030-01-01T00:00:00Z"}});
    assert_eq!(world.patch(&path, &both).await.fields(), [("mfa", "form_param_value_invalid")]);

    let reason = async |proofs: Value| {
        let body = json!({"app_id": free, "proofs": proofs});
        text(&world.evaluate(&user, &body).await.expect(200)["reason"]["code"])
    };
    assert_eq!(reason(json!([])).await, "enrolled_factor");
    let changed = world.patch(&path, &json!({"mfa": {"exempt_until": "2030-01-01T00:00:00Z"}})).await.expect(200);
    assert_eq!(changed["mfa"]["exempt_until"], "2030-01-01T00:00:00.000Z");
    assert_eq!(reason(json!([])).await, "user_exempt");
    // Ids of one millisecond are in no order.
    world.here().clock.advance(Duration::from_millis(2));
    let changed = world.patch(&path, &json!({"mfa": {"required": ["phone"]}})).await.expect(200);
    assert_eq!((&changed["mfa"]["required"], &changed["mfa"]["exempt_until"]), (&json!(["phone"]), &Value::Null));
    assert_eq!(reason(json!([])).await, "required_factor");
    assert_eq!(reason(json!([world.proof(&user, &number).await])).await, "factors_proven");
    world.patch(&path, &json!({"name": "Ana"})).await.expect(200);
    assert_eq!(reason(json!([])).await, "required_factor", "what is left out stays");
    world.here().clock.advance(Duration::from_millis(2));
    world.patch(&path, &json!({"mfa": null})).await.expect(200);
    assert_eq!(reason(json!([])).await, "enrolled_factor");
    let events = world.get(&format!("/v1/audit-events?user_id={user}&type=user.mfa_changed")).await.expect(200);
    let data: Vec<&Value> = events["data"].as_array().unwrap().iter().map(|event| &event["data"]).collect();
    let all = [&json!({}), &json!({"required": ["phone"]}), &json!({"exempt_until": "2030-01-01T00:00:00.000Z"})];
    assert_eq!(data, all);
}

#[tokio::test]
async fn a_phone_is_unavailable_while_its_channel_is_off_or_has_just_failed() {
    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    let reason = async || text(&world.evaluate(&user, &json!({})).await.expect(200)["reason"]["code"]);
    assert_eq!(reason().await, "enrolled_factor");
    // Twilio calls, too.
    world.patch("/v1/instance", &json!({"sms": {"enabled": false}})).await.expect(200);
    assert_eq!(reason().await, "enrolled_factor");
    world.patch("/v1/instance", &json!({"voice": {"enabled": false}})).await.expect(200);
    assert_eq!(reason().await, "factor_unavailable");
    world.patch("/v1/instance", &json!({"sms": {"enabled": true}})).await.expect(200);
    assert_eq!(reason().await, "enrolled_factor");
    let gone = json!({"code": 21610, "message": "stopped"}).to_string();
    world.carriers.behave_for(&number, Behaviour::Answer(400, gone));
    world.here().clock.advance(Duration::from_secs(31));
    assert_ne!(world.post("/v1/challenges", &json!({"user_id": user})).await.status, 201);
    assert_eq!(reason().await, "factor_unavailable");
    // A later code that went out, or ten minutes, and it is asked again.
    world.here().clock.advance(Duration::from_mins(10) + Duration::from_millis(1));
    assert_eq!(reason().await, "enrolled_factor");
}

#[tokio::test]
async fn a_completion_holds_only_for_what_it_was_decided_from() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let proof = world.proof(&user, &number).await;
    let body = json!({"external_first_factor": {"type": "password"}, "proofs": [proof], "complete": true});
    let path = format!("/v1/users/{user}/mfa-evaluation");
    let mut request = Box::pin(world.request("POST", &path).json(&body).send());
    // It has read and decided; before it writes, the server requires more.
    crate::support::steps(&mut request, 2).await;
    world.patch(&format!("/v1/users/{user}"), &json!({"mfa": {"required": ["passkey"]}})).await.expect(200);
    let answer = request.await.expect(200);
    assert_eq!((&answer["completed"], &answer["assurance"]), (&json!(false), &Value::Null), "{answer}");
    let consumed = world.get(&format!("/v1/challenges/{proof}")).await.expect(200)["consumed_at"].clone();
    assert_eq!(consumed, Value::Null);
    world.patch(&format!("/v1/users/{user}"), &json!({"mfa": null})).await.expect(200);

    // An app that asks for more in between.
    let free = app(&world, json!({"use_instance_policy": false})).await;
    let mut in_app = body.clone();
    in_app["app_id"] = json!(free);
    let mut request = Box::pin(world.request("POST", &path).json(&in_app).send());
    crate::support::steps(&mut request, 2).await;
    let more = json!({"mfa": {"required": ["passkey"]}});
    world.patch(&format!("/v1/apps/{free}"), &more).await.expect(200);
    assert_eq!(request.await.expect(200)["completed"], false);

    // A factor that is removed in between: the proof proves nothing any more.
    let mut request = Box::pin(world.request("POST", &path).json(&body).send());
    crate::support::steps(&mut request, 2).await;
    world.delete(&format!("/v1/users/{user}/factors?override_reason=lost")).await.expect(204);
    request.await.expect_problem(403, "proof_invalid");
}

#[tokio::test]
async fn the_variables_are_the_policy_until_settings_replace_them() {
    let mut bindings = vars::null();
    bindings.insert("SMS_MFA_IS_REQUIRED".to_owned(), json!(true));
    let world = World::native(&bindings);
    let user = new_user(&world, &json!({})).await;
    let reason = async || text(&world.evaluate(&user, &json!({})).await.expect(200)["reason"]["code"]);
    assert_eq!(reason().await, "required_factor_missing");
    let phone_off = json!({"multi_factor": {"phone": {"enabled": false}}});
    world.patch("/v1/instance", &phone_off).await.expect(200);
    assert_eq!(reason().await, "enrolment_disabled");
    let none = json!({"multi_factor": {"required": [], "enforce_enrolment": [], "phone": "inherit"}});
    world.patch("/v1/instance", &none).await.expect(200);
    assert_eq!(reason().await, "nothing_required");
    let enforced = json!({"multi_factor": {"enforce_enrolment": ["phone"], "grace": {"days": 2}}});
    let settings = world.patch("/v1/instance", &enforced).await.expect(200);
    assert_eq!(settings["settings"]["multi_factor"]["grace"], json!({"sign_ins": 0, "days": 2}));
    assert_eq!(reason().await, "enrolment_in_grace");
    world.patch("/v1/instance", &json!({"multi_factor": "inherit"})).await.expect(200);
    assert_eq!(reason().await, "required_factor_missing");
}

#[tokio::test]
async fn a_recovery_code_replaces_an_authenticator_app_and_remembers_no_device() {
    let world = World::null();
    let strict = app(&world, json!({"required": ["totp"], "remember_device": true})).await;
    let (user, factor, authenticator) = world.user_with_totp().await;
    let codes = json!({"override": {"reason": "test"}});
    let codes = world.post(&format!("/v1/users/{user}/recovery-codes"), &codes).await.expect(201);
    let asked = world.evaluate(&user, &json!({"app_id": strict})).await.expect(200);
    let roles: Vec<(&str, &str)> = asked["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| (offer["type"].as_str().unwrap(), offer["role"].as_str().unwrap()))
        .collect();
    assert_eq!(roles, [("totp", "factor"), ("recovery_codes", "recovery_code")]);
    assert_eq!(asked["outstanding"], json!(["totp"]));

    let verified = async |factor: &Value, code: &str| {
        let body = json!({"user_id": user, "factor_id": factor});
        let challenge = world.post("/v1/challenges", &body).await.expect(201);
        text(&world.answer(&challenge, code).await.expect(200)["id"])
    };
    let by_code = verified(&codes["factor"]["id"], codes["recovery_codes"][0].as_str().unwrap()).await;
    let met = world.evaluate(&user, &json!({"app_id": strict, "proofs": [by_code]})).await.expect(200);
    assert_eq!((&met["step"], &met["stand_ins"]), (&json!("satisfied"), &json!(["recovery_code"])));
    assert_eq!(met["assurance"]["amr"], json!(["pwd", "otp", "recovery", "mfa"]));
    assert_eq!(met["may_remember_device"], false);
    let devices = format!("/v1/users/{user}/devices");
    let device =
        |proof: &str| json!({"app_id": strict, "proofs": [proof], "external_first_factor": {"type": "password"}});
    let refused = world.post(&devices, &device(&by_code)).await.expect_problem(403, "device_not_allowed");
    assert!(text(&refused["detail"]).contains("recovery code"), "{refused}");
    let done = world.evaluate(&user, &json!({"app_id": strict, "proofs": [by_code], "complete": true})).await;
    assert_eq!(done.expect(200)["completed"], true);
    world.post(&devices, &device(&by_code)).await.expect_problem(403, "device_not_allowed");

    world.here().clock.advance(Duration::from_secs(60));
    let by_app = verified(&json!(factor), &authenticator.code(world.now())).await;
    let met = world.evaluate(&user, &json!({"app_id": strict, "proofs": [by_app]})).await.expect(200);
    assert_eq!((&met["stand_ins"], &met["may_remember_device"]), (&json!([]), &json!(true)));
    world.post(&devices, &device(&by_app)).await.expect(201);
    // The last code is used up: nothing is offered that cannot be proven.
    world.here().database.execute("UPDATE recovery_codes SET used_at = 1");
    let asked = world.evaluate(&user, &json!({"app_id": strict})).await.expect(200);
    assert_eq!(asked["options"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_disabled_user_has_no_way_forward_and_completes_nothing() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let shut = |shut: bool| {
        let at = if shut { "1" } else { "NULL" };
        world.here().database.execute(&format!("UPDATE users SET disabled_at = {at} WHERE id = '{user}'"));
    };
    shut(true);
    let proof = world.proof(&user, &number).await;
    let body = json!({"proofs": [proof], "complete": true});
    let answer = world.evaluate(&user, &body).await.expect(200);
    assert_eq!((&answer["step"], &answer["reason"]["code"]), (&json!("blocked"), &json!("user_disabled")));
    assert_eq!(answer["completed"], false);
    // Shut out between reading and completing.
    shut(false);
    let mut request = Box::pin(async { world.evaluate(&user, &body).await });
    crate::support::steps(&mut request, 1).await;
    shut(true);
    let answer = request.await.expect(200);
    assert_eq!((&answer["reason"]["code"], &answer["completed"]), (&json!("user_disabled"), &json!(false)));
    shut(false);
    assert_eq!(world.evaluate(&user, &body).await.expect(200)["completed"], true, "the proof was not used up");
}
