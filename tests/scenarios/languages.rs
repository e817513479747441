//! The languages that Postern writes in of itself: each message reads as its reader does, and its code works.

use serde_json::json;

use crate::support::World;

/// Tags as people send them, with words of an SMS, a mail's subject and its language.
const LANGUAGES: [(&str, &str, &str, &str); 9] = [
    ("en-GB", " is your Example code.", " is your Example code", "en"),
    ("es-419", " es su clave temporal de Example.", " es su código de Example", "es"),
    ("fr-CA", " est votre code Example.", " est votre code Example", "fr"),
    ("de", " ist Ihr Code für Example.", " ist Ihr Code für Example", "de"),
    ("pt_BR", " é seu token Example.", " é seu código Example", "pt"),
    ("zh-Hans-CN", "是Example验证码，5分钟有效，勿泄露", "是您的Example验证码", "zh"),
    ("ja", "はExampleの認証コードです。", "はExampleの認証コードです", "ja"),
    ("ar-EG", " هو رمز التحقق في Example. لا تشاركه.", " هو رمز التحقق في Example", "ar"),
    // Nobody has written in Icelandic yet.
    ("is", " is your Example code.", " is your Example code", "en"),
];

pub async fn an_sms_is_in_the_language_asked_for(world: World) {
    for (locale, words, _, language) in LANGUAGES {
        let number = world.number();
        let body = json!({"to": {"phone": number}, "locale": locale});
        let challenge = world.post("/v1/challenges", &body).await.expect(201);
        let sent = world.carriers.sent_to(&number);
        let (said, code) = (&sent[0].body, sent[0].code());
        assert!(said.starts_with(&format!("{code}{words}")), "{locale}: {said}");
        assert!(said.ends_with(&format!("\n@login.example.com #{code}")), "{locale}: {said}");
        let id = challenge["message_id"].as_str().unwrap();
        let message = &world.get(&format!("/v1/messages/{id}")).await.expect(200)["message"];
        let encoding = if ["zh", "ja", "ar"].contains(&language) { "ucs2" } else { "gsm7" };
        assert_eq!((&message["encoding"], &message["segments"]), (&json!(encoding), &json!(1)), "{locale}: {said}");
        world.answer(&challenge, &code).await.expect(200);
    }
}

pub async fn a_mail_is_in_the_language_asked_for_and_goes_its_way(world: World) {
    for (locale, _, words, language) in LANGUAGES {
        let address = world.address();
        let body = json!({"to": {"email": address}, "locale": locale});
        let challenge = world.post("/v1/challenges", &body).await.expect(201);
        let sent = world.carriers.mail.sent_to(&address);
        let code = sent[0].code();
        assert_eq!(sent[0].subject, format!("{code}{words}"), "{locale}");
        let way = if language == "ar" { "rtl" } else { "ltr" };
        assert!(sent[0].html.contains(&format!("<div lang=\"{language}\" dir=\"{way}\">")), "{}", sent[0].html);
        world.answer(&challenge, &code).await.expect(200);
    }
}
