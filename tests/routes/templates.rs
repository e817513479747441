//! `/v1/{sms,voice,email}-templates`: read, changed, tried out, reverted; and everything that is refused.

use serde_json::{Value, json};

use super::text;
use crate::support::World;

const SMS: &str = "/v1/sms-templates/verification_code";
const VOICE: &str = "/v1/voice-templates/verification_code";
const EMAIL: &str = "/v1/email-templates/verification_code";

#[tokio::test]
async fn each_channel_has_its_templates() {
    let world = World::null();
    for (path, wanted) in [
        ("sms", vec!["verification_code", "enrolment_code", "reset_password_code", "invitation", "security_notice"]),
        ("voice", vec!["verification_code", "enrolment_code", "reset_password_code"]),
        ("email", vec!["verification_code", "enrolment_code", "reset_password_code", "invitation", "security_notice"]),
    ] {
        let list = world.get(&format!("/v1/{path}-templates")).await.expect(200);
        let slugs: Vec<String> = list["data"].as_array().unwrap().iter().map(|one| text(&one["slug"])).collect();
        assert_eq!(slugs, wanted);
        assert_eq!(list["next_cursor"], Value::Null);
        for one in list["data"].as_array().unwrap() {
            assert_eq!(&world.get(&format!("/v1/{path}-templates/{}", text(&one["slug"]))).await.expect(200), one);
            assert_eq!((&one["channel"], &one["delivered_by_us"]), (&json!(path), &json!(true)));
            assert_eq!(one["body"], one["locales"]["en"]["body"]);
            assert_eq!(one.get("from_number_override").is_some(), path != "email", "{one}");
            assert_eq!(one.get("subject").is_some(), path == "email", "{one}");
            for (tag, text) in one["locales"].as_object().unwrap() {
                assert_eq!(text["is_default"], true, "{tag}");
                assert_eq!(text.get("subject").is_some(), path == "email", "{tag}");
            }
            assert!(one["locales"].as_object().unwrap().len() >= 7, "{one}");
        }
    }
    for path in ["/v1/voice-templates/invitation", "/v1/sms-templates/welcome", "/v1/sms-templates/Invitation"] {
        world.get(path).await.expect_problem(404, "resource_not_found");
        world.patch(path, &json!({})).await.expect_problem(404, "resource_not_found");
        world.post(&format!("{path}/revert"), &json!({})).await.expect_problem(404, "resource_not_found");
        world.post(&format!("{path}/preview"), &json!({})).await.expect_problem(404, "resource_not_found");
    }
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_goes_back() {
    let world = World::null();
    let change =
        json!({"locale": "pt_br", "body": "{{otp_code}}\r\n\r\n{{origin_binding}}", "from_number_override": "12345"});
    let changed = world.patch(SMS, &change).await.expect(200);
    assert_eq!(changed["locales"]["pt-BR"], json!({"body": "{{otp_code}}\n\n{{origin_binding}}", "is_default": false}));
    assert_eq!(changed["from_number_override"], "12345");
    assert_eq!(world.get(SMS).await.expect(200), changed);
    let same = world.patch(SMS, &json!({})).await.expect(200);
    assert_eq!(same, changed);
    let changed = world.patch(SMS, &json!({"delivered_by_us": false})).await.expect(200);
    assert_eq!((&changed["delivered_by_us"], &changed["from_number_override"]), (&json!(false), &json!("12345")));
    let changed = world.patch(SMS, &json!({"delivered_by_us": null, "from_number_override": null})).await.expect(200);
    assert_eq!((&changed["delivered_by_us"], &changed["from_number_override"]), (&json!(true), &Value::Null));
    assert_eq!(world.here().database.number("SELECT count(*) AS number FROM templates"), 1);
    let changed = world.patch(SMS, &json!({"locale": "pt-BR", "body": null})).await.expect(200);
    assert_eq!(changed["locales"].get("pt-BR"), None);
    assert_eq!(world.here().database.number("SELECT count(*) AS number FROM templates"), 0);
    let events =
        world.here().database.query("SELECT data FROM audit_events WHERE type = 'template.updated' ORDER BY rowid");
    assert_eq!(events.len(), 4, "the one that changed nothing is none");
    let first: Value = serde_json::from_str(events[0]["data"].as_str().unwrap()).unwrap();
    let wanted = json!({"channel": "sms", "template": "verification_code", "locale": "pt-BR", "fields": ["body", "from_number_override"]});
    assert_eq!(first, wanted);
}

#[tokio::test]
async fn a_subject_and_a_body_go_together() {
    let world = World::null();
    let changed = world.patch(EMAIL, &json!({"subject": "{{otp_code}}: {{app.name}}"})).await.expect(200);
    let built_in = world.get("/v1/email-templates/verification_code").await.expect(200);
    assert_eq!(changed["locales"]["en"]["subject"], "{{otp_code}}: {{app.name}}");
    assert_eq!(built_in["locales"]["en"]["is_default"], false);
    let changed = world.patch(EMAIL, &json!({"subject": null, "body": "{{otp_code}}"})).await.expect(200);
    assert_eq!(changed["locales"]["en"]["body"], "{{otp_code}}");
    assert_ne!(changed["locales"]["en"]["subject"], "{{otp_code}}: {{app.name}}");
    // In a language that nothing is built in for, the subject is English.
    let changed = world.patch(EMAIL, &json!({"locale": "nl", "body": "{{otp_code}}"})).await.expect(200);
    assert_eq!(changed["locales"]["nl"]["subject"], changed["locales"]["en"]["subject"]);
    let refused = world.patch(EMAIL, &json!({"locale": "sv", "subject": "x"})).await;
    assert_eq!(refused.fields(), [("body", "form_param_value_invalid")]);
    let refused = world.patch(EMAIL, &json!({"subject": "x", "body": null})).await;
    assert_eq!(refused.fields(), [("subject", "form_param_value_invalid")]);
}

#[tokio::test]
async fn a_text_is_reverted_in_one_language_or_in_all() {
    let world = World::null();
    for locale in ["en", "nl", "de"] {
        world.patch(SMS, &json!({"locale": locale, "body": "{{otp_code}}!"})).await.expect(200);
    }
    world.patch(SMS, &json!({"from_number_override": "12345"})).await.expect(200);
    let read = world.post(&format!("{SMS}/revert"), &json!({"locale": "DE"})).await.expect(200);
    assert_eq!(
        (&read["locales"]["de"]["is_default"], &read["locales"]["en"]["is_default"]),
        (&json!(true), &json!(false))
    );
    let read = world.request("POST", &format!("{SMS}/revert")).send().await.expect(200);
    assert_eq!((&read["locales"]["en"]["is_default"], read["locales"].get("nl")), (&json!(true), None));
    assert_eq!(read["from_number_override"], "12345", "who sends stays");
    assert_eq!(world.get(SMS).await.expect(200), read);
    // Nothing is left to do.
    let events =
        || world.here().database.number("SELECT count(*) AS number FROM audit_events WHERE type = 'template.updated'");
    let before = events();
    world.request("POST", &format!("{SMS}/revert")).send().await.expect(200);
    assert_eq!(events(), before);
}

#[tokio::test]
async fn what_would_lose_or_leak_a_code_is_refused() {
    let world = World::null();
    let version = || world.here().database.number("SELECT version FROM instance");
    let before = version();
    for (path, body, field) in [
        (SMS, json!({"body": "Hello {{app.name}}"}), "body"),
        (SMS, json!({"body": "{{ otp_cod }}"}), "body"),
        (SMS, json!({"body": "{{otp_code}}".to_owned() + &"x".repeat(1589)}), "body"),
        (SMS, json!({"body": ""}), "body"),
        (SMS, json!({"body": "{{otp_code}}\u{0}"}), "body"),
        (SMS, json!({"locale": "not a tag", "body": "{{otp_code}}"}), "locale"),
        (SMS, json!({"locale": "e", "body": "{{otp_code}}"}), "locale"),
        (SMS, json!({"from_number_override": "+1 500"}), "from_number_override"),
        (SMS, json!({"from_number_override": "a name too long"}), "from_number_override"),
        (VOICE, json!({"from_number_override": "12345"}), "from_number_override"),
        (VOICE, json!({"body": "Your code is {{otp_code}}"}), "body"),
        (VOICE, json!({"body": " "}), "body"),
        (VOICE, json!({"body": "x".repeat(401)}), "body"),
        (VOICE, json!({"locale": "nl", "body": "Hallo"}), "locale"),
        (EMAIL, json!({"body": "Hello"}), "body"),
        (EMAIL, json!({"subject": "a\nb"}), "subject"),
        ("/v1/email-templates/invitation", json!({"body": "Come!"}), "body"),
        ("/v1/email-templates/invitation", json!({"delivered_by_us": false}), "delivered_by_us"),
    ] {
        let refused = world.patch(path, &body).await;
        let fields: Vec<&str> = refused.fields().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [field], "{path} {body}: {}", refused.text);
        refused.expect_problem(422, "form_param_invalid");
    }
    for (path, field) in [(SMS, "subject"), (VOICE, "subject"), (EMAIL, "from_number_override")] {
        let refused = world.patch(path, &json!({field: "12345"})).await;
        assert_eq!(refused.fields(), [(field, "form_param_unknown")]);
    }
    assert_eq!(world.here().database.number("SELECT count(*) AS number FROM templates"), 0);
    assert_eq!(version(), before);
    // The longest there is.
    world.patch(SMS, &json!({"body": "{{otp_code}}".to_owned() + &"é".repeat(1588)})).await.expect(200);
}

#[tokio::test]
async fn a_template_has_texts_in_so_many_languages_and_no_more() {
    let world = World::null();
    let mut refused = None;
    for at in 0..50_u8 {
        let tag = format!("{}{}{}", 'q', char::from(b'a' + at / 26), char::from(b'a' + at % 26));
        let answer = world.patch(SMS, &json!({"locale": tag, "body": "{{otp_code}}"})).await;
        if answer.status != 200 {
            refused = Some((at, answer.fields().len()));
            break;
        }
    }
    assert_eq!(refused.map(|(at, _)| at), Some(40));
    world.patch(SMS, &json!({"locale": "qaa", "body": "{{otp_code}}!"})).await.expect(200);
}

#[tokio::test]
async fn a_preview_shows_what_goes_out_and_what_it_costs() {
    let world = World::null();
    let preview = async |path: &str, body: Value| world.post(&format!("{path}/preview"), &body).await.expect(200);
    let shown = preview(SMS, json!({"to": "+14155552671"})).await;
    assert_eq!(shown["body"], "123456 is your Postern code. It works for 5 min. Tell it to nobody.");
    assert_eq!((&shown["encoding"], &shown["segments"], &shown["characters"]), (&json!("gsm7"), &json!(1), &json!(67)));
    assert_eq!((&shown["cost_class"], &shown["locale"]), (&json!("domestic"), &json!("en")));
    let shown = preview(SMS, json!({"to": "+447700900123"})).await;
    assert_eq!(shown["cost_class"], "international");
    // Two septets for each bracket; a curly quote makes it UCS-2.
    let shown = preview(SMS, json!({"body": format!("{{{{otp_code}}}}{}", "[".repeat(77))})).await;
    assert_eq!((&shown["segments"], &shown["characters"]), (&json!(1), &json!(160)));
    let shown = preview(SMS, json!({"body": format!("{{{{otp_code}}}}{}", "[".repeat(78))})).await;
    assert_eq!((&shown["segments"], &shown["characters"]), (&json!(2), &json!(162)));
    let shown = preview(SMS, json!({"body": format!("{{{{otp_code}}}}{}", "“".repeat(65))})).await;
    assert_eq!((&shown["encoding"], &shown["segments"], &shown["characters"]), (&json!("ucs2"), &json!(2), &json!(71)));
    // Names, and what nobody knows.
    let body = "{{otp_code}} {{user.first_name}} {{user.last_name}} {{nothing}}.";
    assert_eq!(preview(SMS, json!({"body": body})).await["body"], "123456 Ana Silva .");
    // A language falls back to what is left of its tag, and else to the instance's.
    assert_eq!(preview(SMS, json!({"locale": "es-AR"})).await["locale"], "es");
    assert_eq!(preview(SMS, json!({"locale": "tlh"})).await["locale"], "en");
    let shown = preview(EMAIL, json!({"locale": "ar"})).await;
    assert_eq!((&shown["locale"], &shown["right_to_left"]), (&json!("ar"), &json!(true)));
    assert!(text(&shown["html"]).contains(r#"<html lang="ar" dir="rtl">"#));
    let body = json!({"subject": "<{{otp_code}}>", "body": "A\n\n{{otp_code}}\n\n<b>"});
    let shown = preview(EMAIL, body).await;
    assert_eq!((&shown["subject"], &shown["body"]), (&json!("<123456>"), &json!("A\n\n123456\n\n<b>\n")));
    assert!(!text(&shown["html"]).contains("<b>"));
    for path in ["sms", "email"] {
        for slug in ["invitation", "security_notice"] {
            let shown = preview(&format!("/v1/{path}-templates/{slug}"), json!({})).await;
            assert!(!text(&shown["body"]).contains(['{', '}']), "{shown}");
        }
    }
    let shown = preview(VOICE, json!({"locale": "es-MX"})).await;
    assert_eq!(shown["locale"], "es-MX");
    assert!(text(&shown["body"]).contains("uno dos tres cuatro cinco seis"), "{shown}");
    // Nothing was stored or sent.
    assert_eq!(world.here().database.number("SELECT count(*) AS number FROM templates"), 0);
    assert_eq!(world.here().database.number("SELECT count(*) AS number FROM messages"), 0);
    // What would be refused is refused here too.
    let refused = world.post(&format!("{SMS}/preview"), &json!({"body": "no code"})).await;
    assert_eq!(refused.fields(), [("body", "form_param_value_invalid")]);
    let refused = world.post(&format!("{SMS}/preview"), &json!({"to": "nonsense"})).await;
    assert_eq!(refused.fields(), [("to", "phone_number_invalid")]);
}

#[tokio::test]
async fn an_app_has_a_language_and_what_its_owner_keeps_with_it() {
    let world = World::null();
    let app = json!({"name": "Loja", "locale": "PT_br", "metadata": {"plan": "gold"}});
    let app = world.post("/v1/apps", &app).await.expect(201);
    assert_eq!((&app["locale"], &app["metadata"]), (&json!("pt-BR"), &json!({"plan": "gold"})));
    let path = format!("/v1/apps/{}", text(&app["id"]));
    let kept = world.patch(&path, &json!({"name": "Shop"})).await.expect(200);
    assert_eq!((&kept["locale"], &kept["metadata"]), (&app["locale"], &app["metadata"]));
    let cleared = world.patch(&path, &json!({"locale": null, "metadata": null})).await.expect(200);
    assert_eq!((&cleared["locale"], &cleared["metadata"]), (&Value::Null, &json!({})));
    assert_eq!(world.get(&path).await.expect(200)["locale"], Value::Null);
    let refused = world.patch(&path, &json!({"locale": "x"})).await;
    assert_eq!(refused.fields(), [("locale", "form_param_value_invalid")]);
    let refused = world.patch("/v1/instance", &json!({"messages": {"locale": "x"}})).await;
    assert_eq!(refused.fields(), [("messages.locale", "form_param_value_invalid")]);
}
