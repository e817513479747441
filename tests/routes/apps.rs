//! `/v1/apps`: made, read, changed, deleted; and what an own rule looks like.

use serde_json::{Value, json};

use super::{NOBODY, pages, text};
use crate::support::World;

async fn make(world: &World, body: Value) -> Value {
    world.post("/v1/apps", &body).await.expect(201)
}

#[tokio::test]
async fn an_app_without_a_rule_uses_the_instances() {
    let world = World::null();
    let app = make(&world, json!({"name": "Shop"})).await;
    let rule = json!({
        "use_instance_policy": true, "required": [], "named_factors": [], "enforce_enrolment": [],
        "allow_email_backup": "never", "remember_device": false, "grace": {"sign_ins": 0, "days": 0},
    });
    assert_eq!((&app["name"], &app["mfa"]), (&json!("Shop"), &rule));
    let path = format!("/v1/apps/{}", text(&app["id"]));
    assert_eq!(world.get(&path).await.expect(200), app);
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_clears() {
    let world = World::null();
    let rule = json!({"required": ["totp"], "grace": {"sign_ins": 3, "days": 7}, "allow_email_backup": "on_request"});
    let app = make(&world, json!({"name": "Shop", "mfa": rule})).await;
    assert_eq!(app["mfa"]["use_instance_policy"], false);
    let path = format!("/v1/apps/{}", text(&app["id"]));
    world.here().clock.advance(std::time::Duration::from_secs(1));
    let change = json!({"mfa": {"required": null, "named_factors": ["phone"], "grace": {"days": 2}}});
    let app = world.patch(&path, &change).await.expect(200);
    let mfa = &app["mfa"];
    assert_eq!((&mfa["required"], &mfa["named_factors"]), (&json!([]), &json!(["phone"])));
    assert_eq!((&mfa["grace"], &mfa["allow_email_backup"]), (&json!({"sign_ins": 3, "days": 2}), &json!("on_request")));
    assert_ne!(app["updated_at"], app["created_at"]);
    let renamed = world.patch(&path, &json!({"name": "Desk"})).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["mfa"]), (&json!("Desk"), mfa));
    let cleared = world.patch(&path, &json!({"mfa": null})).await.expect(200);
    assert_eq!(cleared["mfa"]["use_instance_policy"], true);
}

#[tokio::test]
async fn a_factor_that_cannot_be_required_is_refused_by_name() {
    let world = World::null();
    for name in ["password", "recovery_codes", "otp", "sms"] {
        for list in ["required", "named_factors", "enforce_enrolment"] {
            let body = json!({"name": "Shop", "mfa": {list: [name]}});
            let refused = world.post("/v1/apps", &body).await;
            assert_eq!(refused.fields(), [(format!("mfa.{list}.0").as_str(), "form_param_value_invalid")]);
        }
    }
    assert_eq!(world.get("/v1/apps").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn apps_are_listed_page_by_page_newest_first() {
    let world = World::null();
    let mut made = Vec::new();
    for at in 0..5 {
        made.push(make(&world, json!({"name": format!("App {at}")})).await);
        world.here().clock.advance(std::time::Duration::from_millis(2));
    }
    made.reverse();
    assert_eq!(pages(&world, "/v1/apps", 2).await, (made, 3));
}

#[tokio::test]
async fn a_deleted_app_is_gone_and_its_challenges_go_on() {
    let world = World::null();
    let app = make(&world, json!({"name": "Shop"})).await;
    let number = world.number();
    let body = json!({"to": {"phone": number}, "app_id": app["id"]});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!(challenge["app_id"], app["id"]);
    let path = format!("/v1/apps/{}", text(&app["id"]));
    world.delete(&path).await.expect(204);
    for method in ["GET", "DELETE"] {
        world.request(method, &path).send().await.expect_problem(404, "resource_not_found");
    }
    world.patch(&path, &json!({"name": "x"})).await.expect_problem(404, "resource_not_found");
    let answered = world.answer(&challenge, &world.code(&number).await).await.expect(200);
    assert_eq!((&answered["status"], &answered["app_id"]), (&json!("verified"), &Value::Null));
    let nobody = NOBODY.iter().find(|(kind, _)| *kind == "app").unwrap().1;
    world.get(&format!("/v1/apps/{nobody}")).await.expect_problem(404, "resource_not_found");
}
