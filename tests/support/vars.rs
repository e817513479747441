//! Bindings for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub type Vars = BTreeMap<String, Value>;

pub const KEY: &str = "sk_live_3fJ0m9vQ2xZ7LrT8bYkWn1sEo5HdUcGaPiVX6M4tRqA";
pub const RING: &str = r#"{"current":"k1","keys":{"k1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#;
pub const PEPPER: &str = r#"{"current":"p1","keys":{"p1":"ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#;
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "twilio-auth-token-0123456789";
pub const VERIFY_SERVICE: &str = "VA0123456789abcdef0123456789abcdef";
pub const SENDER: &str = "+15005550006";
pub const RECEIVER: &str = "+16471231234";
pub const VONAGE_KEY: &str = "abcd1234";
pub const VONAGE_SECRET: &str = "efgh5678ijkl";
pub const RESEND_KEY: &str = "re_0123456789abcdef";
pub const POSTMARK_TOKEN: &str = "postmark-token-0123456789";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const MAIL_SENDER: &str = "Example <no-reply@example.com>";
pub const MAIL_RECEIVER: &str = "dev@example.com";
pub const VONAGE_SIGNATURE: &str = "vonage-signature-secret-0123456789";
/// Made with openssl for the tests, in both of its wrappings, and its public half.
pub const PRIVATE_KEY: &str = include_str!("../data/rsa_test_key_pkcs8.pem");
pub const PKCS1_KEY: &str = include_str!("../data/rsa_test_key_pkcs1.pem");
pub const PUBLIC_KEY: &str = include_str!("../data/rsa_test_key_public.pem");
pub const VONAGE_APPLICATION: &str = "15c58522-95d0-4394-a535-54c70515c045";
pub const VONAGE_SENDER: &str = "+447700900100";

fn vars(list: &[(&str, Value)]) -> Vars {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Development with the null driver and the development tools, as `make dev` makes it.
pub fn null() -> Vars {
    vars(&[
        ("ENVIRONMENT", json!("dev")),
        ("DEV_TOOLS", json!("on")),
        ("PUBLIC_URL", json!("http://localhost:8787")),
        ("SERVER_API_KEY", json!(KEY)),
        ("ENCRYPTION_KEYS", json!(RING)),
        ("CODE_PEPPER", json!(PEPPER)),
        ("ENABLE_RECOVERY_CODE", json!("true")),
    ])
}

/// Production with Twilio, which `base` stands for.
pub fn prod_twilio(base: &str) -> Vars {
    let mut all = null();
    all.remove("DEV_TOOLS");
    all.extend(vars(&[
        ("ENVIRONMENT", json!("prod")),
        ("TWILIO_ACCOUNT_ID", json!(ACCOUNT)),
        ("TWILIO_AUTH_TOKEN", json!(TOKEN)),
        ("TWILIO_SENDER_NUMBER", json!(SENDER)),
        ("TWILIO_API_BASE", json!(format!("{base}/twilio"))),
        ("PUBLIC_URL", json!("https://login.example.com")),
        ("APP_NAME", json!("Example")),
    ]));
    all
}

/// Development with Twilio: everything goes to the receiver.
pub fn dev_twilio(base: &str) -> Vars {
    let mut all = prod_twilio(base);
    all.extend(vars(&[
        ("ENVIRONMENT", json!("dev")),
        ("DEV_TOOLS", json!("on")),
        ("DEV_SMS_RECEIVER", json!(RECEIVER)),
    ]));
    all
}

/// Production with Vonage, which `base` stands for.
pub fn prod_vonage(base: &str) -> Vars {
    let mut all = null();
    all.remove("DEV_TOOLS");
    all.extend(vars(&[
        ("ENVIRONMENT", json!("prod")),
        ("VONAGE_API_KEY", json!(VONAGE_KEY)),
        ("VONAGE_API_SECRET", json!(VONAGE_SECRET)),
        ("VONAGE_SENDER_NUMBER", json!(VONAGE_SENDER)),
        ("VONAGE_SMS_BASE", json!(format!("{base}/vonage"))),
        ("VONAGE_API_BASE", json!(format!("{base}/vonage"))),
        ("VONAGE_APPLICATION_ID", json!(VONAGE_APPLICATION)),
        // In one line, as a variable often has it.
        ("VONAGE_PRIVATE_KEY", json!(PRIVATE_KEY.replace('\n', "\\n"))),
        ("PUBLIC_URL", json!("https://login.example.com")),
        ("SMS_COUNTRY_CODE", json!("+44")),
    ]));
    all
}

/// Production with Twilio and Vonage and two mail providers, which `base` stands for; whom it asks first is a setting.
pub fn prod_both(base: &str) -> Vars {
    let mut all = prod_vonage(base);
    all.extend(prod_hook(base));
    all.extend(prod_verify(base));
    all = with_mail(all, "resend", base);
    all.extend(vars(&[("SMS_DRIVER", json!("twilio")), ("SMS_COUNTRY_CODE", json!("+1"))]));
    all
}

/// Production that knows where carriers are, which `base` stands for, and has no account with any: settings bring them.
pub fn prod_bare(base: &str) -> Vars {
    let mut all = prod_both(base);
    let of_carriers = ["TWILIO_", "VONAGE_", "SMS_DRIVER", "SMS_WEBHOOK_", "EMAIL_", "RESEND_", "POSTMARK_"];
    all.retain(|name, _| name.ends_with("_BASE") || !of_carriers.iter().any(|prefix| name.starts_with(prefix)));
    all
}

/// Production with the customer's own endpoint, which `base` stands for.
pub fn prod_hook(base: &str) -> Vars {
    let mut all = prod_twilio(base);
    all.extend(vars(&[
        ("SMS_DRIVER", json!("webhook")),
        ("SMS_WEBHOOK_URL", json!(format!("{base}/hooks/sms"))),
        ("SMS_WEBHOOK_SECRET", json!(WEBHOOK_SECRET)),
    ]));
    all
}

/// Development with the same: everything goes to the receiver.
pub fn dev_hook(base: &str) -> Vars {
    let mut all = prod_hook(base);
    all.extend(vars(&[
        ("ENVIRONMENT", json!("dev")),
        ("DEV_TOOLS", json!("on")),
        ("DEV_SMS_RECEIVER", json!(RECEIVER)),
    ]));
    all
}

/// Production with Twilio Verify, which `base` stands for.
pub fn prod_verify(base: &str) -> Vars {
    let mut all = prod_twilio(base);
    all.extend(vars(&[
        ("SMS_DRIVER", json!("twilio_verify")),
        ("TWILIO_VERIFY_SID", json!(VERIFY_SERVICE)),
        ("TWILIO_VERIFY_BASE", json!(format!("{base}/verify"))),
    ]));
    all
}

/// The same with a mail provider, which `base` stands for: `resend`, `postmark`, `webhook` or `cloudflare`.
pub fn with_mail(mut all: Vars, driver: &str, base: &str) -> Vars {
    all.extend(vars(&[
        ("EMAIL_DRIVER", json!(driver)),
        ("EMAIL_FROM", json!(MAIL_SENDER)),
        ("RESEND_API_KEY", json!(RESEND_KEY)),
        ("RESEND_API_BASE", json!(format!("{base}/resend"))),
        ("POSTMARK_SERVER_TOKEN", json!(POSTMARK_TOKEN)),
        ("POSTMARK_API_BASE", json!(format!("{base}/postmark"))),
        ("EMAIL_WEBHOOK_URL", json!(format!("{base}/hooks/email"))),
        ("EMAIL_WEBHOOK_SECRET", json!(WEBHOOK_SECRET)),
    ]));
    all
}

/// Production with Twilio and Resend, which `base` stands for.
pub fn prod_mail(base: &str) -> Vars {
    with_mail(prod_twilio(base), "resend", base)
}

/// Development with Twilio and the mail webhook: everything goes to the receivers.
pub fn dev_mail(base: &str) -> Vars {
    let mut all = with_mail(dev_twilio(base), "webhook", base);
    all.extend(vars(&[("DEV_EMAIL_RECEIVER", json!(MAIL_RECEIVER))]));
    all
}
