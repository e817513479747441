//! The policy as a server meets it: ask what a sign-in needs, prove it, complete it, remember the device.

use serde_json::{Value, json};

use crate::support::{World, at_once, count};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}")).to_owned()
}

/// An app with its own rule; its id.
async fn app(world: &World, mfa: Value) -> String {
    text(&world.post("/v1/apps", &json!({"name": "Shop", "mfa": mfa})).await.expect(201)["id"])
}

pub async fn a_sign_in_is_evaluated_proven_and_completed(world: World) {
    let (user, factor, number) = world.user_with_phone().await;
    let asked = world.evaluate(&user, &json!({})).await.expect(200);
    assert_eq!(asked["step"], "needs_second_factor");
    assert_eq!(asked["reason"]["code"], "enrolled_factor");
    let offer = json!({"factor_id": factor, "type": "phone", "role": "factor", "user_verification": false});
    assert_eq!(asked["options"], json!([offer]));

    let proof = world.proof(&user, &number).await;
    for _ in 0..2 {
        let met = world.evaluate(&user, &json!({"proofs": [proof]})).await.expect(200);
        assert_eq!((&met["step"], &met["completed"]), (&json!("satisfied"), &json!(false)));
        let worth = json!({"aal": 2, "acr": "urn:postern:acr:aal2", "amr": ["pwd", "sms", "mfa"]});
        assert_eq!(met["assurance"], worth);
    }
    let done = world.evaluate(&user, &json!({"proofs": [proof], "complete": true})).await.expect(200);
    assert_eq!((&done["step"], &done["completed"]), (&json!("satisfied"), &json!(true)));
    assert!(!world.get(&format!("/v1/challenges/{proof}")).await.expect(200)["consumed_at"].is_null());
    let again = world.evaluate(&user, &json!({"proofs": [proof]})).await.expect_problem(403, "proof_invalid");
    assert!(text(&again["detail"]).contains("was used before"), "{again}");
}

pub async fn a_hundred_completions_with_one_proof_complete_once(world: World) {
    let (user, _, number) = world.user_with_phone().await;
    let proof = world.proof(&user, &number).await;
    let body = json!({"external_first_factor": {"type": "password"}, "proofs": [proof], "complete": true});
    let path = format!("/v1/users/{user}/mfa-evaluation");
    let responses = at_once((0..100).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 200, ""), 1);
    assert_eq!(count(&responses, 403, "proof_invalid"), 99);
    let events = world.get(&format!("/v1/audit-events?user_id={user}&type=mfa.completed")).await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
}

pub async fn a_remembered_device_stands_in_until_it_is_forgotten(world: World) {
    let shop = app(&world, json!({"remember_device": true})).await;
    let (user, _, number) = world.user_with_phone().await;
    let proof = world.proof(&user, &number).await;
    let flow = json!({"app_id": shop, "proofs": [proof], "complete": true});
    let done = world.evaluate(&user, &flow).await.expect(200);
    assert_eq!((&done["completed"], &done["may_remember_device"]), (&json!(true), &json!(true)));

    // The proofs of the sign-in that has just ended make one device, in however many calls.
    let devices = format!("/v1/users/{user}/devices");
    let body = json!({
        "app_id": shop, "proofs": [proof], "external_first_factor": {"type": "password"},
        "name": "Laptop", "country": "us", "client": {"user_agent": "Browser/1"},
    });
    let responses = at_once((0..50).map(|_| world.request("POST", &devices).json(&body)).collect()).await;
    assert_eq!((count(&responses, 201, ""), count(&responses, 403, "proof_invalid")), (1, 49));
    let made = responses.iter().find(|response| response.status == 201).unwrap().json.clone();
    let (id, token) = (text(&made["device"]["id"]), text(&made["token"]));
    assert!(token.starts_with(&format!("{id}.")));
    let listed = world.get(&devices).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["data"][0]["name"], &listed["data"][0]["country"]), (&json!("Laptop"), &json!("US")));
    assert_eq!(
        (&listed["data"][0]["user_agent"], &listed["data"][0]["last_used_at"]),
        (&json!("Browser/1"), &Value::Null)
    );

    let by_device = json!({"app_id": shop, "device": token, "complete": true});
    let met = world.evaluate(&user, &by_device).await.expect(200);
    assert_eq!((&met["step"], &met["stand_ins"]), (&json!("satisfied"), &json!(["device"])));
    assert_eq!((&met["assurance"]["aal"], &met["may_remember_device"]), (&json!(1), &json!(false)));
    assert_eq!(met["device_id"], json!(id));
    assert!(!world.get(&devices).await.expect(200)["data"][0]["last_used_at"].is_null());
    let step_up = json!({"app_id": shop, "device": token, "purpose": "step_up"});
    assert_eq!(world.evaluate(&user, &step_up).await.expect(200)["step"], "needs_second_factor");
    // Another user's, another secret, and an app that remembers none.
    let (other, ..) = world.user_with_phone().await;
    assert_eq!(world.evaluate(&other, &by_device).await.expect(200)["step"], "needs_second_factor");
    let guessed = json!({"app_id": shop, "device": format!("{id}.{}", "A".repeat(43))});
    assert_eq!(world.evaluate(&user, &guessed).await.expect(200)["step"], "needs_second_factor");
    let strict = app(&world, json!({"use_instance_policy": false})).await;
    let elsewhere = json!({"app_id": strict, "device": token});
    assert_eq!(world.evaluate(&user, &elsewhere).await.expect(200)["step"], "needs_second_factor");

    world.delete(&format!("{devices}/{id}")).await.expect(204);
    world.delete(&format!("{devices}/{id}")).await.expect_problem(404, "resource_not_found");
    assert_eq!(world.evaluate(&user, &by_device).await.expect(200)["step"], "needs_second_factor");
}

pub async fn a_reset_forgets_the_devices(world: World) {
    let shop = app(&world, json!({"remember_device": true})).await;
    let (user, _, number) = world.user_with_phone().await;
    let body = json!({
        "app_id": shop, "proofs": [world.proof(&user, &number).await],
        "external_first_factor": {"type": "password"},
    });
    let devices = format!("/v1/users/{user}/devices");
    world.post(&devices, &body).await.expect(201);
    // A reset that is refused forgets nothing.
    let factors = format!("/v1/users/{user}/factors");
    world.delete(&factors).await.expect_problem(403, "proof_required");
    assert_eq!(world.get(&devices).await.expect(200)["data"].as_array().unwrap().len(), 1);
    world.delete(&format!("{factors}?override_reason=lost")).await.expect(204);
    assert_eq!(world.get(&devices).await.expect(200)["data"], json!([]));
}

pub async fn an_app_replaces_the_instances_policy(world: World) {
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let step = async |more: Value| {
        let answer = world.evaluate(&user, &more).await.expect(200);
        (text(&answer["step"]), text(&answer["reason"]["code"]))
    };
    // The instance's default: who has no second factor enrols one.
    assert_ne!(step(json!({})).await.0, "satisfied");
    let free = app(&world, json!({"use_instance_policy": false})).await;
    assert_eq!(step(json!({"app_id": free})).await, ("satisfied".to_owned(), "nothing_required".to_owned()));
    let strict = app(&world, json!({"required": ["phone"]})).await;
    let missing = ("needs_enrolment".to_owned(), "required_factor_missing".to_owned());
    assert_eq!(step(json!({"app_id": strict})).await, missing);
    let path = format!("/v1/apps/{strict}");
    let changed = world.patch(&path, &json!({"mfa": {"use_instance_policy": true}})).await.expect(200);
    assert_eq!(changed["mfa"]["required"], json!(["phone"]), "what is left out stays");
    assert_eq!(step(json!({"app_id": strict})).await, step(json!({})).await);
    world.patch(&path, &json!({"mfa": null})).await.expect(200);
    assert_eq!(world.get(&path).await.expect(200)["mfa"]["required"], json!([]));
    world.delete(&path).await.expect(204);
    world.evaluate(&user, &json!({"app_id": strict})).await.expect_problem(404, "resource_not_found");
}

pub async fn a_grace_is_counted_and_ends(world: World) {
    let shop = app(&world, json!({"enforce_enrolment": ["phone"], "grace": {"sign_ins": 3}})).await;
    let user = text(&world.post("/v1/users", &json!({})).await.expect(201)["id"]);
    let asked = world.evaluate(&user, &json!({"app_id": shop, "complete": true})).await.expect(200);
    assert_eq!((&asked["step"], &asked["completed"]), (&json!("needs_enrolment"), &json!(false)));
    assert_eq!(asked["skip"], json!({"sign_ins_left": 3, "until": null}));
    assert_eq!(asked["enrolment_options"], json!(["phone"]));
    let body = json!({
        "external_first_factor": {"type": "password"}, "app_id": shop, "complete": true, "skip_enrolment": true,
    });
    let path = format!("/v1/users/{user}/mfa-evaluation");
    let responses = at_once((0..40).map(|_| world.request("POST", &path).json(&body)).collect()).await;
    assert_eq!(count(&responses, 200, ""), 40);
    let completed = |response: &&crate::support::Response| response.json["completed"] == true;
    assert_eq!(responses.iter().filter(completed).count(), 3);
    let over = world.evaluate(&user, &json!({"app_id": shop})).await.expect(200);
    assert_eq!((&over["skip"], &over["assurance"]), (&Value::Null, &Value::Null));
    assert_eq!(world.get(&format!("/v1/users/{user}")).await.expect(200)["mfa"]["grace_sign_ins"], 3);
}
