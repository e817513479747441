//! What makes calls. Which driver it is, settings and variables decide together: `settings/delivery/`.

use crate::message::drivers::{
    twilio_verify::TwilioVerify, twilio_voice::TwilioVoice, vonage_voice::VonageVoice, webhook::Webhook,
};

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

    /// The number that calls.
    pub fn from_number(&self) -> Option<&str> {
        match self {
            Self::Null | Self::TwilioVerify(_) | Self::Webhook(_) => None,
            Self::Twilio(twilio) => Some(twilio.from_number()),
            Self::Vonage(vonage) => Some(vonage.from_number()),
        }
    }
}
