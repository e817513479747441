//! Prints bodies with our signatures of them, for `scripts/verify-signatures.mjs`, which has the standard's own library.

use base64::{Engine, engine::general_purpose::STANDARD};
use postern::crypto::WebhookSecret;
use serde_json::{Value, json};

const BODIES: [&str; 7] = [
    "{}",
    r#"{"type":"sms.delivered","data":{"id":"evt_01"}}"#,
    "{\"text\":\"042137 は確認コードです。\\n\\n@login.example.com #042137\"}",
    "{\"text\":\"رمزك هو 042137\",\"name\":\"Zoë ✓ 🙂\"}",
    "{\"a\":\"1.2.3\",\"b\":\"v1,AAAA v1a,BBBB\"}",
    "{\n  \"spaces\": \"  \",\r\n  \"tab\": \"\\t\"\n}",
    "\"\\u0000\"",
];

/// Prints them as JSON, signed at this time (in seconds since 1970): the library believes nothing old.
pub fn print(unix_seconds: &str) -> Result<(), String> {
    let at: i64 = unix_seconds.parse().map_err(|_| format!("{unix_seconds} is no time"))?;
    let mut cases = Vec::new();
    for length in [24, 32, 64] {
        let mut bytes = vec![0; length];
        #[allow(clippy::disallowed_methods, reason = "no port reaches here")]
        getrandom::fill(&mut bytes).map_err(|why| why.to_string())?;
        let secret = format!("whsec_{}", STANDARD.encode(&bytes));
        let key = WebhookSecret::parse(&secret).ok_or("our own secret is none")?;
        for (index, body) in BODIES.iter().enumerate() {
            let id = format!("whd_{length}_{index}");
            cases.push(json!({
                "secret": secret,
                "body": body,
                "headers": {
                    "webhook-id": id,
                    "webhook-timestamp": at.to_string(),
                    "webhook-signature": key.sign(&id, at, body),
                },
            }));
        }
    }
    println!("{}", Value::from(cases));
    Ok(())
}
