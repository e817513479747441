//! Templates: an operator changes what messages say, sees it, sends it, and goes back; people read their own language.

use serde_json::{Value, json};

use crate::support::World;

const PATH: &str = "/v1/sms-templates/verification_code";

/// What the newest message to a number or address says, as the dev inbox has it.
async fn newest(world: &World, to: &str) -> Value {
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    world.get(&format!("/dev/inbox.json?to={to}")).await.expect(200)[0].clone()
}

pub async fn a_text_is_changed_seen_sent_and_reverted(world: World) {
    let before = world.get(PATH).await.expect(200);
    assert_eq!(before["locales"]["en"]["is_default"], true);
    let body = "Hi{{nothing}}! {{ otp_code }} for {{app.name}}, {{ttl_minutes}} min.";
    let preview = world.post(&format!("{PATH}/preview"), &json!({"body": body})).await.expect(200);
    let changed = world.patch(PATH, &json!({"locale": "en", "body": body})).await.expect(200);
    assert_eq!(
        (&changed["locales"]["en"]["body"], &changed["locales"]["en"]["is_default"]),
        (&json!(body), &json!(false))
    );
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let (sent, code) = (newest(&world, &number).await, world.code(&number).await);
    assert_eq!(sent["body"], preview["body"].as_str().unwrap().replace("123456", &code));
    world.answer(&challenge, &code).await.expect(200);
    // A code that is sent again says the same.
    let reverted = world.post(&format!("{PATH}/revert"), &json!({"locale": "en"})).await.expect(200);
    assert_eq!(reverted, before);
    let number = world.number();
    world.challenge(&number).await;
    let code = world.code(&number).await;
    assert!(newest(&world, &number).await["body"].as_str().unwrap().starts_with(&code));
}

pub async fn people_read_the_language_asked_for_theirs_the_apps_or_the_instances(world: World) {
    world.patch("/v1/instance", &json!({"messages": {"locale": "ja"}})).await.expect(200);
    let app = world.post("/v1/apps", &json!({"name": "Laden", "locale": "de"})).await.expect(201);
    let (user, _, number) = world.user_with_phone().await;
    let send = async |body: Value| {
        let challenge = world.post("/v1/challenges", &body).await.expect(201);
        let id = challenge["message_id"].as_str().unwrap().to_owned();
        world.get(&format!("/v1/messages/{id}")).await.expect(200)["message"]["locale"].clone()
    };
    assert_eq!(send(json!({"to": {"phone": world.number()}})).await, "ja");
    assert_eq!(send(json!({"to": {"phone": world.number()}, "app_id": app["id"]})).await, "de");
    assert_eq!(send(json!({"user_id": user, "app_id": app["id"]})).await, "de");
    world.patch(&format!("/v1/users/{user}"), &json!({"locale": "es-MX"})).await.expect(200);
    assert_eq!(send(json!({"user_id": user, "app_id": app["id"]})).await, "es");
    assert_eq!(send(json!({"user_id": user, "app_id": app["id"], "locale": "pt-BR"})).await, "pt");
    assert_eq!(newest(&world, &number).await["body"].as_str().unwrap().matches("Postern").count(), 1);
    // A language that there is no text in is passed over.
    assert_eq!(send(json!({"to": {"phone": world.number()}, "app_id": app["id"], "locale": "tlh"})).await, "de");
    world.patch("/v1/instance", &json!({"messages": {"locale": null}})).await.expect(200);
    assert_eq!(send(json!({"to": {"phone": world.number()}, "locale": "tlh"})).await, "en");
}
