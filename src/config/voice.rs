//! Which driver makes calls: the carrier of SMS, if it can. What is missing for that is told when a call is asked for,
//! since nobody has to make calls.

use super::{Issue, Reader, SmsConfig, SmsDriver, Stops};
use crate::{
    crypto::RsaPrivateKey,
    message::drivers::{
        twilio_verify::TwilioVerify,
        twilio_voice::{self, TwilioVoice},
        vonage_voice::{self, VonageVoice},
        webhook::Webhook,
    },
    phone::is_e164_form,
    secret::Secret,
};

/// What makes calls, but for the number that a setting may name.
#[derive(Clone)]
pub struct VoiceConfig(Carrier);

#[derive(Clone)]
enum Carrier {
    None,
    Null,
    Twilio(twilio_voice::Settings),
    Vonage(vonage_voice::Settings),
}

/// A driver of calls with all it needs.
#[derive(Clone)]
pub enum VoiceDriver {
    /// Calls nobody; the dev inbox shows what would have been said.
    Null,
    /// Twilio's Calls API.
    Twilio(TwilioVoice),
    /// Twilio Verify, which has texts and a gate of its own.
    TwilioVerify(TwilioVerify),
    /// Vonage's Voice API.
    Vonage(VonageVoice),
    /// The customer's own endpoint.
    Webhook(Webhook),
}

impl VoiceDriver {
    /// The driver's name, as messages and events have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Twilio(_) => "twilio",
            Self::TwilioVerify(_) => "twilio_verify",
            Self::Vonage(_) => "vonage",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Whether a call of it can wait for a key that we are told of. Where another makes the call, the wait is theirs.
    pub fn waits_for_key(&self) -> bool {
        match self {
            Self::Null | Self::Twilio(_) | Self::Vonage(_) => true,
            Self::TwilioVerify(_) | Self::Webhook(_) => false,
        }
    }
}

impl VoiceConfig {
    /// The driver. `from_number` is the setting `voice.from_number`; without it the carrier's sender calls, if it is a
    /// number.
    ///
    /// # Errors
    /// The first variable that is missing, and why it is needed.
    pub fn driver(&self, from_number: Option<&str>) -> Result<VoiceDriver, Issue> {
        let from = |own: &Option<String>| from_number.map(str::to_owned).or_else(|| own.clone());
        match &self.0 {
            Carrier::None => Err(missing("SMS_DRIVER", "no carrier is set up, and calls go through the one of SMS")),
            Carrier::Null => Ok(VoiceDriver::Null),
            Carrier::Twilio(settings) => {
                let settings = twilio_voice::Settings { from_number: from(&settings.from_number), ..settings.clone() };
                settings.validate().map(VoiceDriver::Twilio).map_err(|setting| match setting {
                    "account_sid" => missing("TWILIO_ACCOUNT_ID", "calls need it"),
                    "auth_token" => missing("TWILIO_AUTH_TOKEN", "calls need it"),
                    "api_key_secret" => missing("TWILIO_API_KEY_SECRET", "calls need it"),
                    "from_number" => missing(
                        "TWILIO_SENDER_NUMBER",
                        "calls need a number of their own in E.164, also where SMS uses a Messaging Service; or name one in the setting voice.from_number",
                    ),
                    _ => missing("TWILIO_API_BASE", "calls need it"),
                })
            }
            Carrier::Vonage(settings) => {
                let settings = vonage_voice::Settings { from_number: from(&settings.from_number), ..settings.clone() };
                settings.validate().map(VoiceDriver::Vonage).map_err(|setting| match setting {
                    "application_id" => missing("VONAGE_APPLICATION_ID", "a Vonage application makes the calls"),
                    "private_key" => missing("VONAGE_PRIVATE_KEY", "the key of the Vonage application signs the calls"),
                    "from_number" => missing(
                        "VONAGE_SENDER_NUMBER",
                        "calls need a number in E.164, a name cannot call; or name one in the setting voice.from_number",
                    ),
                    _ => missing("VONAGE_API_BASE", "calls need it"),
                })
            }
        }
    }

    /// The carrier's own number, as `voice.from_number` shows it where the setting names none.
    pub fn from_number(&self) -> Option<&str> {
        let own = match &self.0 {
            Carrier::None | Carrier::Null => None,
            Carrier::Twilio(settings) => settings.from_number.as_deref(),
            Carrier::Vonage(settings) => settings.from_number.as_deref(),
        };
        own.filter(|number| is_e164_form(number))
    }

    /// What Vonage signs its callbacks with, where Vonage makes the calls.
    pub fn vonage_signature_secret(&self) -> Option<&Secret> {
        match &self.0 {
            Carrier::Vonage(settings) => settings.signature_secret.as_ref(),
            Carrier::None | Carrier::Null | Carrier::Twilio(_) => None,
        }
    }
}

/// The carrier of SMS, with what calls need of its variables.
pub(super) fn read(reader: &Reader, sms: &SmsConfig) -> VoiceConfig {
    VoiceConfig(match &sms.driver {
        None => Carrier::None,
        // They carry calls by name only.
        Some(SmsDriver::TwilioVerify(_) | SmsDriver::Webhook(_)) => Carrier::None,
        Some(SmsDriver::Null) => Carrier::Null,
        Some(SmsDriver::Twilio(_)) => Carrier::Twilio(twilio_voice::Settings {
            account_sid: reader.text("TWILIO_ACCOUNT_ID"),
            auth_token: reader.secret("TWILIO_AUTH_TOKEN"),
            api_key_sid: reader.text("TWILIO_API_KEY_SID"),
            api_key_secret: reader.secret("TWILIO_API_KEY_SECRET"),
            from_number: reader.text("TWILIO_SENDER_NUMBER"),
            api_base: reader.text("TWILIO_API_BASE"),
        }),
        Some(SmsDriver::Vonage(_)) => Carrier::Vonage(vonage_voice::Settings {
            application_id: reader.text("VONAGE_APPLICATION_ID"),
            private_key: reader.secret("VONAGE_PRIVATE_KEY").and_then(|pem| RsaPrivateKey::from_pem(&pem).ok()),
            signature_secret: reader.secret("VONAGE_SIGNATURE_SECRET"),
            from_number: reader.text("VONAGE_SENDER_NUMBER"),
            api_base: reader.text("VONAGE_API_BASE"),
        }),
    })
}

fn missing(variable: &'static str, why: &str) -> Issue {
    Issue { variable, stops: Stops::Calls, detail: format!("{variable} is missing: {why}") }
}
