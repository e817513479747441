//! What carries messages, in effect: a stored value, else the bindings. The drivers are complete by type; where there is
//! none, the issue names the setting or variable that is missing.

use std::time::Duration;

use serde_json::Value;

use crate::{
    config::{Config, EmailDriver, Issue, SmsDriver, Stops, VoiceDriver},
    secret::Secret,
};

/// Which drivers carry messages, and in which order.
#[derive(Clone)]
pub struct Delivery {
    /// The driver that `sms.driver` names, or the first of the bindings.
    sms: Result<SmsDriver, Issue>,
    voice: Result<VoiceDriver, Issue>,
    email: Result<EmailDriver, Issue>,
    callback_base: Option<String>,
}

/// When a message that nobody has reported delivered goes out once more, through the next driver of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// How long a receipt may take.
    pub after: Duration,
}

impl Delivery {
    /// What carries messages, from what is stored and the bindings.
    pub fn effective(stored: &Value, config: &Config) -> Self {
        let caller = super::at(stored, "voice.from_number").and_then(Value::as_str);
        let missing =
            |variable, stops, detail: &str| Issue { variable, stops, detail: format!("{variable}: {detail}") };
        Self {
            sms: match (config.blocking(Stops::Sending), &config.sms.driver) {
                (Some(issue), _) => Err(issue.clone()),
                (None, Some(driver)) => Ok(driver.clone()),
                (None, None) => Err(missing("SMS_DRIVER", Stops::Sending, "no driver carries SMS")),
            },
            voice: match config.blocking(Stops::Sending).or_else(|| config.blocking(Stops::Calls)) {
                Some(issue) => Err(issue.clone()),
                None => config.voice.driver(caller),
            },
            // The name stands in every e-mail; what else stops SMS does not stop e-mail.
            email: match (config.issue_with("APP_NAME").or_else(|| config.blocking(Stops::Email)), &config.email.driver)
            {
                (Some(issue), _) => Err(issue.clone()),
                (None, Some(driver)) => Ok(driver.clone()),
                (None, None) => Err(missing("EMAIL_DRIVER", Stops::Email, "no driver carries e-mail")),
            },
            callback_base: config.sms.callback_base.clone(),
        }
    }

    /// The drivers of SMS to a country, in the order in which they are asked; never empty.
    pub fn sms(&self, _country: &str) -> Result<Vec<SmsDriver>, Issue> {
        self.sms.clone().map(|driver| vec![driver])
    }

    /// The drivers of calls to a country, in the order in which they are asked; never empty.
    pub fn voice(&self, _country: &str) -> Result<Vec<VoiceDriver>, Issue> {
        self.voice.clone().map(|driver| vec![driver])
    }

    /// The drivers of e-mail, in the order in which they are asked; never empty.
    pub fn email(&self) -> Result<Vec<EmailDriver>, Issue> {
        self.email.clone().map(|driver| vec![driver])
    }

    /// The driver of SMS that is shown: the one that `sms.driver` names.
    pub fn sms_driver(&self) -> Option<&SmsDriver> {
        self.sms.as_ref().ok()
    }

    /// The same of calls.
    pub fn voice_driver(&self) -> Option<&VoiceDriver> {
        self.voice.as_ref().ok()
    }

    /// The same of e-mail.
    pub fn email_driver(&self) -> Option<&EmailDriver> {
        self.email.as_ref().ok()
    }

    /// Whether SMS that nobody reported delivered go out once more; `None`: it is off.
    pub fn fallback(&self) -> Option<Fallback> {
        None
    }

    /// Where receipts may go: `PUBLIC_URL`, when it is https.
    pub fn callback_base(&self) -> Option<&str> {
        self.callback_base.as_deref()
    }

    /// Every auth token that Twilio may sign a callback with: those in use, and those replaced a short while ago.
    pub fn twilio_tokens(&self) -> Vec<&Secret> {
        match &self.sms {
            Ok(SmsDriver::Twilio(twilio)) => twilio.auth_token().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Every secret that Vonage may sign a callback with; empty: none is configured, and nothing is signed.
    pub fn vonage_signature_secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }
}

/// Nothing of it is shown: it holds credentials.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Delivery").finish_non_exhaustive()
    }
}
