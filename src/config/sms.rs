//! What carries SMS. Which driver it is, settings and variables decide together: `settings/delivery/`.

use crate::message::drivers::{twilio::Twilio, twilio_verify::TwilioVerify, vonage::Vonage, webhook::Webhook};

/// What the variables say of SMS beside its carriers.
#[derive(Clone)]
pub struct SmsConfig {
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
