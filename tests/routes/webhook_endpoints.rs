//! `/v1/webhook-endpoints`: made, shown, changed, given another secret, deleted; which URLs and events are taken.

use serde_json::{Value, json};

use super::{NOBODY, pages, text};
use crate::support::{World, vars};

const URL: &str = "https://hooks.example.com/events/a?k=1";

async fn make(world: &World, body: Value) -> Value {
    world.post("/v1/webhook-endpoints", &body).await.expect(201)
}

#[tokio::test]
async fn one_is_made_read_changed_and_deleted() {
    let world = World::twilio();
    let body = json!({"url": URL, "events": ["sms.*", "fraud.*"], "description": "Support"});
    let mut made = make(&world, body).await;
    let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(text(&secret).starts_with("whsec_"));
    let wanted = json!({
        "id": made["id"], "url": URL, "description": "Support", "events": ["sms.*", "fraud.*"], "enabled": true,
        "disabled_reason": null, "failing_since": null, "previous_secret_expires_at": null,
        "created_at": "2026-11-22T10:00:00.000Z", "updated_at": "2026-11-22T10:00:00.000Z",
    });
    assert_eq!(made, wanted);
    let path = format!("/v1/webhook-endpoints/{}", text(&made["id"]));
    assert_eq!(world.get(&path).await.expect(200), wanted);
    assert_eq!(world.get("/v1/webhook-endpoints").await.expect(200)["data"], json!([wanted]));

    world.here().clock.advance(std::time::Duration::from_secs(1));
    let changed = world.patch(&path, &json!({"enabled": false, "description": null})).await.expect(200);
    let reason = (&changed["enabled"], &changed["disabled_reason"], &changed["description"]);
    assert_eq!(reason, (&json!(false), &json!("operator"), &Value::Null));
    assert_eq!((&changed["events"], &changed["url"]), (&json!(["sms.*", "fraud.*"]), &json!(URL)));
    assert_eq!(changed["updated_at"], "2026-11-22T10:00:01.000Z");
    let other = json!({"url": "https://other.example.com/events/b", "events": ["*"], "enabled": true});
    let changed = world.patch(&path, &other).await.expect(200);
    assert_eq!((&changed["url"], &changed["events"]), (&other["url"], &other["events"]));
    assert_eq!((&changed["enabled"], &changed["disabled_reason"]), (&json!(true), &Value::Null));
    let rotated = world.request("POST", &format!("{path}/rotate-secret")).send().await.expect(200);
    assert!(rotated["secret"] != secret && rotated["previous_secret_expires_at"] == "2026-11-23T10:00:01.000Z");
    assert_eq!(world.get(&path).await.expect(200).get("secret"), None);

    world.delete(&path).await.expect(204);
    world.delete(&path).await.expect_problem(404, "resource_not_found");
    world.get(&path).await.expect_problem(404, "resource_not_found");
    world.patch(&path, &json!({"enabled": true})).await.expect_problem(404, "resource_not_found");
    world.request("POST", &format!("{path}/rotate-secret")).send().await.expect_problem(404, "resource_not_found");
    let events = world.get(&format!("/v1/audit-events?subject_id={}", text(&made["id"]))).await.expect(200);
    let types: Vec<String> = events["data"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    let wanted =
        ["deleted", "secret_rotated", "updated", "updated", "created"].map(|what| format!("webhook.endpoint_{what}"));
    assert_eq!(types, wanted);
    // A URL may have a token in it: no event repeats it.
    assert!(!events.to_string().contains("example.com"), "{events}");
}

#[tokio::test]
async fn where_events_may_go_is_public_in_prod_and_anywhere_outside() {
    let (prod, dev) = (World::twilio(), World::null());
    let bad = [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://db.internal/",
        "https://intranet/",
        "https://ana:secret@hooks.example.com/",
        "https://hooks.example.com/#x",
        "javascript:alert(1)",
        "hooks.example.com",
    ];
    for url in bad {
        let answer = prod.post("/v1/webhook-endpoints", &json!({"url": url})).await;
        assert_eq!(answer.fields(), [("url", "form_param_value_invalid")], "{url}");
        assert!(!answer.text.contains("secret@"), "{}", answer.text);
    }
    let path = format!("/v1/webhook-endpoints/{}", text(&make(&prod, json!({"url": URL})).await["id"]));
    let answer = prod.patch(&path, &json!({"url": "https://10.0.0.1/"})).await;
    assert_eq!(answer.fields(), [("url", "form_param_value_invalid")]);
    assert_eq!(prod.get(&path).await.expect(200)["url"], URL);
    for url in ["http://127.0.0.1:9/events/x", "http://localhost:8080/events/x", "https://intranet/events/x"] {
        make(&dev, json!({"url": url, "events": ["app.*"]})).await;
    }
    for url in ["ftp://localhost/", "http://a@localhost/", "localhost"] {
        let answer = dev.post("/v1/webhook-endpoints", &json!({"url": url})).await;
        assert_eq!(answer.fields(), [("url", "form_param_value_invalid")], "{url}");
    }
}

/// What was fine on somebody's machine is not called from prod.
#[tokio::test]
async fn a_url_that_is_not_allowed_any_more_is_not_called() {
    let dev = World::null();
    let made = make(&dev, json!({"url": "http://127.0.0.1:9/events/mine", "events": ["user.*"]})).await;
    dev.post("/v1/users", &json!({})).await.expect(201);
    assert_eq!(dev.carriers.events.count(), 1);
    dev.here().clock.advance(std::time::Duration::from_secs(1));
    let prod = World::on(&dev.here().redeploy(&vars::prod_twilio("http://127.0.0.1:9")));
    prod.post("/v1/users", &json!({})).await.expect(201);
    assert_eq!(dev.carriers.events.count(), 1);
    let told = prod.get(&format!("/v1/webhook-deliveries?endpoint_id={}", text(&made["id"]))).await.expect(200);
    assert_eq!((&told["data"][0]["error"], &told["data"][0]["status"]), (&json!("url_not_allowed"), &json!("pending")));
}

#[tokio::test]
async fn only_events_that_there_are_can_be_asked_for() {
    let world = World::null();
    let bad = json!({"url": URL, "events": ["sms.*", "sms.lost", "*", "fax.*", "sms", "**"]});
    let answer = world.post("/v1/webhook-endpoints", &bad).await;
    let value = "form_param_value_invalid";
    assert_eq!(answer.fields(), [("events.1", value), ("events.3", value), ("events.4", value), ("events.5", value)]);
    let answer = world.post("/v1/webhook-endpoints", &json!({"url": URL, "events": []})).await;
    assert_eq!(answer.fields(), [("events", value)]);
    // Everything that can happen, one by one, and in groups.
    let types: Vec<&str> = postern::event::EventType::NAMES.to_vec();
    let made = make(&world, json!({"url": URL, "events": types})).await;
    assert_eq!(made["events"].as_array().unwrap().len(), types.len());
    let groups: std::collections::BTreeSet<String> =
        types.iter().map(|name| format!("{}.*", name.split_once('.').unwrap().0)).collect();
    make(&world, json!({"url": URL, "events": groups})).await;
    assert_eq!(make(&world, json!({"url": URL})).await["events"], json!(["*"]));
}

#[tokio::test]
async fn one_call_makes_one_and_its_secret_is_shown_once() {
    let world = World::null();
    let body = json!({"url": URL, "events": ["app.*"]});
    let call = || world.request("POST", "/v1/webhook-endpoints").json(&body).idempotency_key("once").send();
    let first = call().await.expect(201);
    let again = call().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert!(first["secret"].is_string());
    assert_eq!((&again["id"], &again["secret"]), (&first["id"], &Value::Null));
    assert_eq!(world.here().database.number("SELECT count(*) FROM webhook_endpoints"), 1);
    world.delete(&format!("/v1/webhook-endpoints/{}", text(&first["id"]))).await.expect(204);
    call().await.expect_problem(404, "resource_not_found");
    // A refusal uses no key up.
    for _ in 0..20 {
        make(&world, body.clone()).await;
    }
    let call = || world.request("POST", "/v1/webhook-endpoints").json(&body).idempotency_key("full").send();
    call().await.expect_problem(409, "webhook_endpoint_limit");
    let any = world.get("/v1/webhook-endpoints").await.expect(200)["data"][0]["id"].clone();
    world.delete(&format!("/v1/webhook-endpoints/{}", text(&any))).await.expect(204);
    call().await.expect(201);
}

#[tokio::test]
async fn the_list_goes_on_from_page_to_page_and_nobodys_is_not_found() {
    let world = World::null();
    for _ in 0..5 {
        make(&world, json!({"url": URL, "events": ["app.*"]})).await;
    }
    let (all, count) = pages(&world, "/v1/webhook-endpoints", 2).await;
    assert_eq!((all.len(), count), (5, 3));
    let nobody = NOBODY.iter().find(|(kind, _)| *kind == "whe").unwrap().1;
    for id in [nobody, "whe_x", "app_01M83WM7ZA000G40R40M30E209"] {
        world.get(&format!("/v1/webhook-endpoints/{id}")).await.expect_problem(404, "resource_not_found");
    }
}

/// The blocks of JSON of the page that tells of webhooks.
fn examples(page: &str) -> Vec<Value> {
    let blocks = page.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

/// The names in an object, those in objects too.
fn names(value: &Value) -> Vec<String> {
    let inner = |(name, value): (&String, &Value)| {
        std::iter::once(name.clone())
            .chain(names(value).into_iter().map(|one| format!("{name}.{one}")))
            .collect::<Vec<_>>()
    };
    value.as_object().map(|object| object.iter().flat_map(inner).collect()).unwrap_or_default()
}

#[tokio::test]
async fn the_page_has_every_event_and_its_examples_are_what_is_told() {
    let page = std::fs::read_to_string("docs/webhooks.md").unwrap();
    let (_, listed) = page.split_once("\n## Events\n").unwrap();
    let (table, _) = listed.split_once("\n\n`fraud.*`").unwrap();
    let mut listed: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    let mut all: Vec<&str> = postern::event::EventType::NAMES.to_vec();
    listed.sort_unstable();
    all.sort_unstable();
    assert_eq!(listed, all);

    let world = World::twilio();
    let (user, _, number) = world.user_with_phone().await;
    let listener = world.listen(&["challenge.verified", "sms.queued"]).await;
    world.proof(&user, &number).await;
    world.here().database.execute(
        "INSERT INTO templates (channel, slug, locale, delivered_by_us, updated_at)
           VALUES ('sms', 'verification_code', '', 0, 0);
         UPDATE instance SET version = version + 1",
    );
    world.challenge(&world.number()).await;
    let heard = listener.heard();
    let told = |kind: &str| heard.iter().rfind(|one| one.kind() == kind).unwrap().event.clone();
    for example in examples(&page) {
        let told = told(example["type"].as_str().unwrap());
        assert_eq!(names(&example), names(&told), "{told:#}");
    }
}
