//! Which driver carries SMS, from the bindings: `SMS_DRIVER`, or the first carrier whose variables are complete.
//! A driver is complete by type: what is missing is an issue, never a guess.

use super::{Environment, Reader};
use crate::message::drivers::{
    twilio::{self, Twilio},
    twilio_verify::TwilioVerify,
    vonage::{self, Vonage},
    webhook::Webhook,
};

/// What carries SMS.
#[derive(Clone)]
pub struct SmsConfig {
    /// The driver; `None` when there is none to use, and then an issue says why.
    pub driver: Option<SmsDriver>,
    /// Where delivery reports may go: `PUBLIC_URL`, when it is https.
    pub callback_base: Option<String>,
}

/// A driver with all it needs.
#[derive(Clone)]
pub enum SmsDriver {
    /// Sends nothing; the dev inbox shows what would have gone out.
    Null,
    /// Twilio's Messages API.
    Twilio(Twilio),
    /// Twilio Verify, which has texts of its own.
    TwilioVerify(TwilioVerify),
    /// Vonage's SMS API.
    Vonage(Vonage),
    /// The customer's own endpoint.
    Webhook(Webhook),
}

impl SmsDriver {
    /// The driver's name, as settings, messages and events have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Twilio(_) => "twilio",
            Self::TwilioVerify(_) => "twilio_verify",
            Self::Vonage(_) => "vonage",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The sender people see, where one number or name is fixed.
    pub fn from_number(&self) -> Option<&str> {
        match self {
            Self::Null | Self::TwilioVerify(_) | Self::Webhook(_) => None,
            Self::Twilio(twilio) => twilio.from_number(),
            Self::Vonage(vonage) => Some(vonage.from_number()),
        }
    }
}

/// Chooses the driver.
pub(super) fn read(reader: &mut Reader, environment: Environment, public_url: Option<&str>) -> SmsConfig {
    let callback_base = public_url.filter(|url| url.starts_with("https://")).map(str::to_owned);
    let named = reader.text("SMS_DRIVER");
    let malformed = reader.issues.iter().any(|issue| issue.variable == "SMS_DRIVER");
    let driver = match (named.as_deref(), twilio(reader), vonage(reader)) {
        _ if malformed => None,
        (Some("null"), _, _) => Some(SmsDriver::Null),
        (Some("twilio") | None, Ok(twilio), _) => Some(SmsDriver::Twilio(twilio)),
        (Some("vonage"), _, Ok(vonage)) | (None, Err(_), Ok(vonage)) => Some(SmsDriver::Vonage(vonage)),
        (Some("twilio"), Err(missing), _) => complain(reader, missing, "SMS_DRIVER is twilio"),
        (Some(_), _, Err(missing)) => complain(reader, missing, "SMS_DRIVER is vonage"),
        (Some(_), _, _) => None,
        (None, Err(_), Err(_)) if environment == Environment::Development => Some(SmsDriver::Null),
        (None, Err(missing), Err(_)) if reader.started("TWILIO_") => {
            complain(reader, missing, "other variables of Twilio are set")
        }
        (None, Err(_), Err(missing)) if reader.started("VONAGE_") => {
            complain(reader, missing, "other variables of Vonage are set")
        }
        (None, Err(_), Err(_)) => {
            complain(reader, "SMS_DRIVER", "set a carrier's variables, or SMS_DRIVER=null to send nothing in prod")
        }
    };
    SmsConfig { driver, callback_base }
}

fn complain(reader: &mut Reader, missing: &'static str, because: &str) -> Option<SmsDriver> {
    // A malformed variable is an issue already.
    if !reader.issues.iter().any(|issue| issue.variable == missing) {
        reader.problem(missing, format!("{missing} is missing: {because}"));
    }
    None
}

/// Twilio, or the first variable that is missing.
fn twilio(reader: &Reader) -> Result<Twilio, &'static str> {
    let settings = twilio::Settings {
        account_sid: reader.text("TWILIO_ACCOUNT_ID"),
        auth_token: reader.secret("TWILIO_AUTH_TOKEN"),
        api_key_sid: reader.text("TWILIO_API_KEY_SID"),
        api_key_secret: reader.secret("TWILIO_API_KEY_SECRET"),
        from_number: reader.text("TWILIO_SENDER_NUMBER"),
        messaging_service_sid: reader.text("TWILIO_MESSAGING_SERVICE_SID"),
        api_base: reader.text("TWILIO_API_BASE"),
    };
    settings.validate().map_err(|setting| match setting {
        "account_sid" => "TWILIO_ACCOUNT_ID",
        "auth_token" => "TWILIO_AUTH_TOKEN",
        "api_key_secret" => "TWILIO_API_KEY_SECRET",
        "from_number" => "TWILIO_SENDER_NUMBER",
        _ => "TWILIO_API_BASE",
    })
}

/// Vonage, or the first variable that is missing.
fn vonage(reader: &Reader) -> Result<Vonage, &'static str> {
    let settings = vonage::Settings {
        api_key: reader.text("VONAGE_API_KEY"),
        api_secret: reader.secret("VONAGE_API_SECRET"),
        signature_secret: reader.secret("VONAGE_SIGNATURE_SECRET"),
        from_number: reader.text("VONAGE_SENDER_NUMBER"),
        sms_base: reader.text("VONAGE_SMS_BASE"),
    };
    settings.validate().map_err(|setting| match setting {
        "api_key" => "VONAGE_API_KEY",
        "api_secret" => "VONAGE_API_SECRET",
        "from_number" => "VONAGE_SENDER_NUMBER",
        _ => "VONAGE_SMS_BASE",
    })
}

impl Reader {
    /// Whether somebody began to set a carrier up.
    fn started(&self, prefix: &str) -> bool {
        self.set.iter().any(|name| name.starts_with(prefix) && !name.ends_with("_BASE"))
    }
}
