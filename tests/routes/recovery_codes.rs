//! `POST /v1/users/{id}/recovery-codes`: makes a set; what it may do is held in `tests/laws/law_2_recovery_codes.rs`.

use serde_json::{Value, json};

use super::{NOBODY, new_key, new_user, text};
use crate::support::World;

#[tokio::test]
async fn a_set_is_made_with_or_without_a_body_and_by_the_way_of_all_factors() {
    let world = World::null();
    for (path, body) in [
        ("recovery-codes", None),
        ("recovery-codes", Some(json!({}))),
        ("recovery-codes", Some(json!({"client": {"ip": "203.0.113.7"}}))),
        ("factors", Some(json!({"type": "recovery_codes"}))),
    ] {
        let user = new_user(&world, &json!({})).await;
        let mut request = world.request("POST", &format!("/v1/users/{user}/{path}"));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let made = request.send().await.expect(201);
        let factor = &made["factor"];
        assert_eq!((&factor["type"], &factor["status"]), (&json!("recovery_codes"), &json!("active")));
        assert_eq!((&factor["codes_left"], factor.get("totp")), (&json!(10), None));
        assert_eq!(made["recovery_codes"].as_array().unwrap().len(), 10);
        assert_eq!(made.get("challenge"), (path == "factors").then_some(&Value::Null));
    }
}

#[tokio::test]
async fn what_made_it_is_written_down() {
    let world = World::null();
    let (user, _, _) = world.user_with_phone().await;
    let path = format!("/v1/users/{user}/recovery-codes");
    let body = json!({"override": {"reason": "at the desk"}, "client": {"ip": "203.0.113.7"}});
    let made = world.post(&path, &body).await.expect(201);
    let of_set = async |kind: &str| {
        let events = world.get(&format!("/v1/audit-events?user_id={user}&type={kind}")).await.expect(200);
        let mut found = events["data"].as_array().unwrap().clone();
        found.retain(|event| event["subject_id"] == made["factor"]["id"]);
        assert_eq!(found.len(), 1, "{events}");
        found.remove(0)
    };
    let event = of_set("factor.enrolment_started").await;
    assert_eq!((&event["reason"], &event["client_ip"]), (&json!("at the desk"), &json!("203.0.113.7")));
    assert_eq!(event["data"], json!({"type": "recovery_codes", "authority": "override"}));
    assert_eq!(of_set("factor.activated").await["data"], json!({"type": "recovery_codes"}));
}

#[tokio::test]
async fn it_wants_a_user_that_is_there_and_one_authority() {
    let world = World::null();
    let nobody = format!("/v1/users/{}/recovery-codes", NOBODY[0].1);
    world.post(&nobody, &json!({})).await.expect_problem(404, "resource_not_found");
    let user = new_user(&world, &json!({})).await;
    let path = format!("/v1/users/{user}/recovery-codes");
    let (_, key) = new_key(&world, &["users:write"]).await;
    let word = json!({"override": {"reason": "x"}});
    world.request("POST", &path).json(&word).key(&key).send().await.expect_problem(403, "scope_missing");
    let both = json!({"override": {"reason": "x"}, "proof": NOBODY[2].1});
    world.post(&path, &both).await.expect_problem(422, "form_param_invalid");
    let proof = json!({"proof": NOBODY[2].1});
    world.post(&path, &proof).await.expect_problem(403, "proof_invalid");
    assert_eq!(world.here().database.number("SELECT count(*) FROM recovery_codes"), 0);
    assert_eq!(text(&world.post(&path, &word).await.expect(201)["factor"]["status"]), "active");
}
