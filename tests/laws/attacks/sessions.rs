//! Codes exchanged at once, and sessions that outlive what they were begun with.

use std::time::Duration;

use serde_json::{Value, json};

use super::{GOOD, text};
use crate::support::{
    World, at_once,
    oauth::{EVERYTHING, browser_and_user, code, exchange, new_code, refresh, refused, sign_in, write},
};

/// The sessions that have ended, and why.
fn ended(world: &World) -> Vec<(Value, Value)> {
    let rows = world
        .here()
        .database
        .query("SELECT subject_id, reason FROM audit_events WHERE type = 'session.ended' ORDER BY id");
    rows.iter().map(|row| (row["subject_id"].clone(), row["reason"].clone())).collect()
}

fn left(world: &World) -> (i64, i64) {
    let count = |what: &str| world.here().database.number(&format!("SELECT count(*) FROM {what}"));
    (count("sessions WHERE ended_at IS NULL"), count("refresh_tokens"))
}

#[tokio::test]
async fn attack_01_sixteen_exchanges_of_one_code_give_one_token_set_and_that_is_revoked() {
    let world = World::null();
    let (shop, user) = browser_and_user(&world).await;
    sign_in(&world, &shop, &user, EVERYTHING).await;
    let (code, session) = write(&world, &new_code(&shop, &user, EVERYTHING, world.here())).await;
    let responses = at_once((0..16).map(|_| exchange(&world, &code)).collect()).await;
    let got: Vec<_> = responses.iter().filter(|response| response.status == 200).collect();
    assert_eq!(got.len(), 1);
    for response in responses.iter().filter(|response| response.status != 200) {
        refused(response, 400, "invalid_grant");
    }
    assert_eq!(ended(&world), [(json!(session), json!("code_reused"))]);
    refused(&refresh(&world, &text(&got[0].json["refresh_token"])).send().await, 400, "invalid_grant");
    assert_eq!(world.get(&format!("/v1/users/{user}/sessions")).await.expect(200)["data"].as_array().unwrap().len(), 1);
    // The other session's token is all that is left.
    assert_eq!(left(&world), (1, 1));
}

#[tokio::test]
async fn attack_15_a_new_password_and_a_reset_of_factors_end_sessions_and_waiting_codes() {
    let world = World::null();
    let (shop, _) = browser_and_user(&world).await;
    let (user, _, number) = world.user_with_phone().await;
    let path = format!("/v1/users/{user}/factors");
    let set = async |password: &str, more: Value| {
        let mut body = json!({"type": "password", "password": password});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.post(&path, &body).await
    };
    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]);
    let waiting = code(&world, &shop, &user, EVERYTHING).await;
    // What is refused ends nothing.
    set(GOOD, json!({})).await.expect_problem(403, "proof_required");
    world.delete(&path).await.expect_problem(403, "proof_required");
    assert_eq!(left(&world), (1, 1));
    world.here().clock.advance(Duration::from_secs(31));
    let proof = world.proof(&user, &number).await;
    set(GOOD, json!({"proof": proof})).await.expect(201);
    refused(&refresh(&world, &held).send().await, 400, "invalid_grant");
    refused(&exchange(&world, &waiting).send().await, 400, "invalid_grant");

    let held = text(&sign_in(&world, &shop, &user, EVERYTHING).await["refresh_token"]);
    let waiting = code(&world, &shop, &user, EVERYTHING).await;
    world.delete(&format!("{path}?override_reason=lost")).await.expect(204);
    refused(&refresh(&world, &held).send().await, 400, "invalid_grant");
    refused(&exchange(&world, &waiting).send().await, 400, "invalid_grant");
    assert_eq!(left(&world), (0, 0));
    let why: Vec<String> = ended(&world).iter().map(|(_, reason)| text(reason)).collect();
    assert_eq!(why, ["password_changed", "factors_reset"]);
}
