//! `AUTHN_SMS_*`, as authn.sh has them: settings of SMS that the first request stores, once. Then only the API changes
//! them, and the variables count for nothing.

use serde_json::{Value, json};

use super::credentials::seal_credentials;
use crate::{
    config::{Config, Parsed, Stops},
    crypto::Seal,
    ports::Random,
};

/// The variables, and the setting that each becomes.
const ONCE: [(&str, &str, &str); 7] = [
    ("AUTHN_SMS_DRIVER", "", "driver"),
    ("AUTHN_SMS_FROM_NUMBER", "", "from_number"),
    ("AUTHN_SMS_TWILIO_ACCOUNT_SID", "twilio", "account_sid"),
    ("AUTHN_SMS_TWILIO_AUTH_TOKEN", "twilio", "auth_token"),
    ("AUTHN_SMS_TWILIO_MESSAGING_SERVICE_SID", "twilio", "messaging_service_sid"),
    ("AUTHN_SMS_VONAGE_API_KEY", "vonage", "api_key"),
    ("AUTHN_SMS_VONAGE_API_SECRET", "vonage", "api_secret"),
];

/// The settings that the variables bring, sealed; `None`: there are none, or one of them is malformed.
pub fn settings_of_variables(config: &Config, random: &dyn Random) -> Option<Value> {
    let secrets = config.secrets().ok()?;
    if config.issues().iter().any(|issue| issue.stops == Stops::Storing) {
        return None;
    }
    let mut sms = json!({});
    for (variable, block, name) in ONCE {
        let text = match config.value(variable) {
            Some(Parsed::Text(text)) => text.as_str(),
            Some(Parsed::Secret(secret)) => secret.expose(),
            _ => continue,
        };
        let target = if block.is_empty() {
            sms.as_object_mut()
        } else {
            sms.as_object_mut().and_then(|sms| sms.entry(block).or_insert_with(|| json!({})).as_object_mut())
        };
        target?.insert(name.to_owned(), Value::from(text));
    }
    if sms.as_object()?.is_empty() {
        return None;
    }
    let mut settings = json!({"sms": sms});
    seal_credentials(&mut settings, Seal(&secrets.encryption_keys), random).then_some(settings)
}
