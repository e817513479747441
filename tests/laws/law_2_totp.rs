//! Law 2 for authenticator apps: one step of time passes once, however many try and wherever; and what is wrong counts
//! like every wrong second factor.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Authenticator, Request, World, at_once, count};

const STEP: Duration = Duration::from_secs(30);

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn challenge(world: &World, user: &str) -> Value {
    world.post("/v1/challenges", &json!({"user_id": user, "type": "totp"})).await.expect(201)
}

fn answer(world: &World, challenge: &Value, code: &str) -> Request {
    world.request("POST", &format!("/v1/challenges/{}/answer", text(&challenge["id"]))).json(&json!({"code": code}))
}

#[tokio::test]
async fn one_step_passes_once_in_a_hundred_tries_of_one_challenge() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let challenge = challenge(&world, &user).await;
    let code = app.code(world.now());
    let answers = at_once((0..100).map(|_| answer(&world, &challenge, &code)).collect()).await;
    assert_eq!(count(&answers, 200, ""), 1);
    assert_eq!(count(&answers, 409, "verification_already_verified"), 99);
}

#[tokio::test]
async fn one_step_passes_once_in_a_hundred_tries_over_several_challenges() {
    let world = World::null();
    let limits =
        json!({"limits": {"second_factor_failures": 100, "wrong_answers": 10, "requests_per_user_five_minutes": 100}});
    world.patch("/v1/instance", &limits).await.expect(200);
    let (user, _, app) = world.user_with_totp().await;
    let mut challenges = Vec::new();
    for _ in 0..5 {
        challenges.push(challenge(&world, &user).await);
    }
    let code = app.code(world.now());
    let tries = (0..20).flat_map(|_| challenges.iter()).map(|challenge| answer(&world, challenge, &code));
    let answers = at_once(tries.collect()).await;
    assert_eq!((answers.len(), count(&answers, 200, "")), (100, 1));
    let verified = "SELECT count(*) FROM challenges WHERE verified_at IS NOT NULL AND purpose = 'sign_in'";
    assert_eq!(world.here().database.number(verified), 1);
}

/// Signs in with a code; whether it passed.
async fn passes(world: &World, user: &str, code: &str) -> bool {
    let challenge = challenge(world, user).await;
    let answer = answer(world, &challenge, code).send().await;
    assert!(answer.status == 200 || answer.json["code"] == "form_code_incorrect", "{}", answer.text);
    answer.status == 200
}

#[tokio::test]
async fn neither_a_used_step_nor_an_earlier_one_passes_whatever_the_clock_says() {
    let world = World::null();
    world.patch("/v1/instance", &json!({"limits": {"requests_per_user_five_minutes": 100}})).await.expect(200);
    let (user, _, app) = world.user_with_totp().await;
    let start = world.now();
    let code = |steps: i64| app.code(start + steps * 30_000);
    // The enrolment has used step -1.
    assert!(!passes(&world, &user, &code(-1)).await, "what proved the app signs nobody in");
    assert!(!passes(&world, &user, &code(1)).await, "nothing of the future");
    assert!(passes(&world, &user, &code(0)).await);
    assert!(!passes(&world, &user, &code(0)).await, "once");
    world.here().clock.advance(STEP * 2);
    assert!(passes(&world, &user, &code(1)).await, "the step before");
    assert!(!passes(&world, &user, &code(0)).await, "two steps before");
    assert!(passes(&world, &user, &code(2)).await);
    // A clock that is set back by a step accepts nothing a second time, and goes on when it is there again.
    world.here().clock.set_back(STEP);
    assert!(!passes(&world, &user, &code(1)).await);
    assert!(!passes(&world, &user, &code(2)).await);
    world.here().clock.advance(STEP * 2);
    assert!(passes(&world, &user, &code(3)).await);
    assert_eq!(world.here().database.number("SELECT counter FROM factors"), start / 30_000 + 3);
}

#[tokio::test]
async fn wrong_answers_count_like_every_second_factors() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let wrong = world.wrong(&app.code(world.now()));
    let first = challenge(&world, &user).await;
    let second = challenge(&world, &user).await;
    let third = challenge(&world, &user).await;
    let answers = at_once((0..100).map(|_| answer(&world, &first, &wrong)).collect()).await;
    assert_eq!(count(&answers, 422, "form_code_incorrect"), 5);
    assert_eq!(count(&answers, 422, "verification_failed"), 95);
    let code = app.code(world.now());
    answer(&world, &first, &code).send().await.expect_problem(422, "verification_failed");
    for left in (0..5).rev() {
        let problem = answer(&world, &second, &wrong).send().await.expect_problem(422, "form_code_incorrect");
        assert_eq!(problem["attempts_left"], left);
    }
    // Ten: the user waits, with a right code too, and it is not used up by that.
    answer(&world, &third, &code).send().await.expect_problem(429, "user_locked");
    let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"]["failures_in_a_row"], 10);
    world.request("POST", &format!("/v1/users/{user}/unlock")).send().await.expect(200);
    answer(&world, &third, &code).send().await.expect(200);
    let read = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"]["failures_in_a_row"], 0, "a proven second factor clears");
}

#[tokio::test]
async fn a_strict_window_takes_the_current_step_only_and_holds_for_enrolled_apps() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    world.patch("/v1/instance", &json!({"multi_factor": {"totp": {"window": 0}}})).await.expect(200);
    world.here().clock.advance(STEP * 2);
    assert!(!passes(&world, &user, &app.code(world.now() - 30_000)).await);
    assert!(passes(&world, &user, &app.code(world.now())).await);
}

#[tokio::test]
async fn an_app_keeps_what_it_was_enrolled_with() {
    let world = World::null();
    let (old_user, old_factor, old) = world.user_with_totp().await;
    let settings =
        |algorithm: &str, digits: i64| json!({"multi_factor": {"totp": {"algorithm": algorithm, "digits": digits}}});
    for (algorithm, secret) in [("sha256", 52), ("sha512", 103)] {
        world.patch("/v1/instance", &settings(algorithm, 8)).await.expect(200);
        let (user, factor, app): (String, String, Authenticator) = world.user_with_totp().await;
        let enrolled = world
            .post(
                &format!("/v1/users/{user}/factors"),
                &json!({"type": "totp",
            "override": {"reason": "to look at it"}}),
            )
            .await
            .expect(201);
        assert_eq!(text(&enrolled["totp"]["secret"]).len(), secret, "as long as the hash");
        world.patch("/v1/instance", &settings("sha1", 6)).await.expect(200);
        let code = app.code(world.now());
        assert_eq!(code.len(), 8);
        assert!(passes_factor(&world, &user, &factor, &code).await);
        let listed = world.get(&format!("/v1/users/{user}/factors")).await.expect(200);
        assert_eq!(listed["data"][0]["totp"], json!({"algorithm": algorithm, "digits": 8, "period": 30}));
        world.patch("/v1/instance", &settings("sha512", 8)).await.expect(200);
        world.here().clock.advance(STEP);
        assert!(passes_factor(&world, &old_user, &old_factor, &old.code(world.now())).await);
    }
    let problem = world.patch("/v1/instance", &settings("sha1", 7)).await;
    assert_eq!(problem.fields(), [("multi_factor.totp.digits", "form_param_value_invalid")]);
}

async fn passes_factor(world: &World, user: &str, factor: &str, code: &str) -> bool {
    let body = json!({"user_id": user, "factor_id": factor});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    answer(world, &challenge, code).send().await.status == 200
}

#[tokio::test]
async fn switched_off_nobody_enrols_and_the_enrolled_go_on() {
    let world = World::null();
    let (user, _, app) = world.user_with_totp().await;
    let before = world.here().database.everything();
    world.patch("/v1/instance", &json!({"multi_factor": {"totp": {"enabled": false}}})).await.expect(200);
    let body = json!({"type": "totp", "override": {"reason": "x"}});
    let problem = world.post(&format!("/v1/users/{user}/factors"), &body).await;
    let problem = problem.expect_problem(422, "strategy_not_supported");
    assert!(text(&problem["detail"]).contains("multi_factor.totp.enabled"), "{problem}");
    let factors = |rows: Vec<(String, String)>| -> Vec<_> {
        rows.into_iter().filter(|(place, _)| place.starts_with("factors.")).collect()
    };
    assert_eq!(factors(before), factors(world.here().database.everything()));
    assert!(passes(&world, &user, &app.code(world.now())).await);
}

#[tokio::test]
async fn a_pending_app_proves_nothing_and_needs_its_own_challenge() {
    let world = World::null();
    let user = world.post("/v1/users", &json!({})).await.expect(201);
    let user = text(&user["id"]).to_owned();
    let factors = format!("/v1/users/{user}/factors");
    let one = world.post(&factors, &json!({"type": "totp"})).await.expect(201);
    let two = world.post(&factors, &json!({"type": "totp"})).await.expect(201);
    assert_eq!((&one["factor"]["status"], &one["challenge"]["purpose"]), (&json!("pending"), &json!("enrolment")));
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect_problem(404, "resource_not_found");
    let by_id = json!({"user_id": user, "factor_id": one["factor"]["id"]});
    world.post("/v1/challenges", &by_id).await.expect_problem(404, "resource_not_found");
    // Its challenge is not made anew: the secret would have to be shown again.
    let again = format!("{factors}/{}/challenges", text(&one["factor"]["id"]));
    world.request("POST", &again).send().await.expect_problem(404, "resource_not_found");
    // The other app's code, and the other app's challenge.
    let (one_app, two_app) = (Authenticator::scan(&one), Authenticator::scan(&two));
    let activate = format!("{factors}/{}/activate", text(&one["factor"]["id"]));
    let body = |challenge: &Value, code: String| json!({"challenge_id": challenge["challenge"]["id"], "code": code});
    let now = world.now();
    world.post(&activate, &body(&one, two_app.code(now))).await.expect_problem(422, "form_code_incorrect");
    world.post(&activate, &body(&two, two_app.code(now))).await.expect_problem(422, "form_code_incorrect");
    world.post(&activate, &body(&two, one_app.code(now))).await.expect_problem(422, "form_code_incorrect");
    world.post(&activate, &body(&one, one_app.code(now))).await.expect(200);
    // The other one was begun without any authority, and now there is a factor (law 6).
    let activate = format!("{factors}/{}/activate", text(&two["factor"]["id"]));
    world.post(&activate, &body(&two, two_app.code(now))).await.expect_problem(403, "proof_required");
    let active = "SELECT count(*) FROM factors WHERE activated_at IS NOT NULL";
    assert_eq!(world.here().database.number(active), 1);
}

#[tokio::test]
async fn another_persons_app_proves_nothing() {
    let world = World::null();
    let (ana, ana_factor, _) = world.user_with_totp().await;
    let (ben, _, bens_app) = world.user_with_totp().await;
    assert!(!passes(&world, &ana, &bens_app.code(world.now())).await);
    let body = json!({"user_id": ben, "factor_id": ana_factor});
    world.post("/v1/challenges", &body).await.expect_problem(404, "resource_not_found");
    let challenge = challenge(&world, &ben).await;
    let path = format!("/v1/challenges/{}/answer", text(&challenge["id"]));
    let body = json!({"code": bens_app.code(world.now()), "expect": {"user_id": ana}});
    world.post(&path, &body).await.expect_problem(422, "form_code_incorrect");
    let body = json!({"code": bens_app.code(world.now()), "expect": {"user_id": ben, "purpose": "sign_in"}});
    world.post(&path, &body).await.expect(200);
}

#[tokio::test]
async fn an_app_that_is_gone_takes_its_challenge_along_and_an_expired_challenge_takes_no_code() {
    let world = World::null();
    let (user, factor, app) = world.user_with_totp().await;
    let challenge = challenge(&world, &user).await;
    world.here().clock.advance(Duration::from_mins(10));
    let code = app.code(world.now());
    answer(&world, &challenge, &code).send().await.expect_problem(422, "verification_expired");
    assert!(passes(&world, &user, &code).await, "it was not used up");
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=lost")).await.expect(204);
    answer(&world, &challenge, &code).send().await.expect_problem(404, "resource_not_found");
    assert_eq!(world.here().database.number("SELECT count(*) FROM factors"), 0);
}
