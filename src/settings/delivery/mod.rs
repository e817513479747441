//! What carries messages, in effect: a stored value, else the bindings. The drivers are complete by type; where there is
//! none, the issue names the setting or variable that is missing.

mod carrier;
mod check;
mod choose;
mod credentials;
mod drivers;
mod fields;
mod keys;
mod once;
mod view;

use std::time::Duration;

use serde_json::{Map, Value};

use self::{
    choose::Ways,
    drivers::{Drivers, Wanted},
    keys::{Keys, TWILIO_TOKEN, VONAGE_SECRET},
};
use super::at;
use crate::{
    config::{Config, EmailDriver, Issue, SmsDriver, VoiceDriver},
    secret::Secret,
    time::Timestamp,
};

pub use check::check_complete;
pub use credentials::{check_values, keep_replaced, name_null_drivers, prune, redact, reseal, seal_credentials, told};
pub(super) use fields::{EMAIL, SMS, VOICE};
pub use once::settings_of_variables;
use view::Shown;

/// Which drivers carry messages, and in which order.
#[derive(Clone)]
pub struct Delivery {
    sms: Ways<SmsDriver>,
    voice: Ways<VoiceDriver>,
    email: Ways<EmailDriver>,
    fallback: Option<Fallback>,
    callback_base: Option<String>,
    twilio_tokens: Keys,
    vonage_secrets: Keys,
    issues: Vec<Issue>,
    shown: Option<Shown>,
}

/// When a message that nobody has reported delivered goes out once more: through the next driver of its route, else as a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// How long a receipt may take.
    pub after: Duration,
    /// Whether the number is called once no driver of SMS is left.
    pub voice: bool,
}

impl Delivery {
    /// What carries messages, from what is stored and the bindings.
    pub fn effective(stored: &Value, config: &Config) -> Self {
        let drivers = Drivers::new(stored, config);
        let sms = choose::sms(&drivers);
        let voice = choose::voice(&drivers, &sms);
        let email = choose::email(&drivers);
        let mut issues: Vec<Issue> =
            config.issues().iter().filter(|issue| !choose::is_replaced(&drivers, issue.variable)).cloned().collect();
        for issue in sms.issues.iter().chain(&voice.issues).chain(&email.issues) {
            if !issues.iter().any(|known| known.variable == issue.variable) {
                issues.push(issue.clone());
            }
        }
        let mut delivery = Self {
            fallback: fallback(stored),
            callback_base: config.sms.callback_base.clone(),
            twilio_tokens: Keys::of(TWILIO_TOKEN, &drivers.twilio, stored, config),
            vonage_secrets: Keys::of(VONAGE_SECRET, &drivers.vonage, stored, config),
            sms,
            voice,
            email,
            issues,
            shown: None,
        };
        delivery.shown = Some(Shown::of(&delivery, &drivers));
        delivery
    }

    /// What `GET /v1/instance` shows of each channel beside its switch.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&'static str, &Map<String, Value>)> {
        self.shown.iter().flat_map(Shown::channels)
    }

    /// The drivers of SMS to a country, in the order in which they are asked; never empty.
    pub fn sms(&self, country: &str) -> Result<Vec<SmsDriver>, Issue> {
        self.sms.to(country)
    }

    /// The drivers of calls to a country, in the order in which they are asked; never empty.
    pub fn voice(&self, country: &str) -> Result<Vec<VoiceDriver>, Issue> {
        self.voice.to(country)
    }

    /// The drivers of e-mail, in the order in which they are asked; never empty.
    pub fn email(&self) -> Result<Vec<EmailDriver>, Issue> {
        self.email.to("*")
    }

    /// The driver of SMS that is shown: the one that `sms.driver` names.
    pub fn sms_driver(&self) -> Option<&SmsDriver> {
        self.sms.own.as_ref().ok()
    }

    /// The same of calls.
    pub fn voice_driver(&self) -> Option<&VoiceDriver> {
        self.voice.own.as_ref().ok()
    }

    /// The same of e-mail.
    pub fn email_driver(&self) -> Option<&EmailDriver> {
        self.email.own.as_ref().ok()
    }

    /// Whether SMS that nobody reported delivered go out once more; `None`: it is off.
    pub fn fallback(&self) -> Option<Fallback> {
        self.fallback
    }

    /// Where receipts may go: `PUBLIC_URL`, when it is https.
    pub fn callback_base(&self) -> Option<&str> {
        self.callback_base.as_deref()
    }

    /// Everything that is wrong with variables and settings in effect; what something stored took the place of is not.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Every auth token that Twilio may sign a callback with now: those in use, and those replaced a short while ago.
    pub fn twilio_tokens(&self, now: Timestamp) -> Vec<&Secret> {
        self.twilio_tokens.at(now)
    }

    /// Every secret that Vonage may sign a callback with now; empty: none is configured, and nothing is signed.
    pub fn vonage_signature_secrets(&self, now: Timestamp) -> Vec<&Secret> {
        self.vonage_secrets.at(now)
    }

    /// Whether Vonage's callbacks have to be signed: a secret is configured, even one that cannot be read.
    pub fn vonage_signs(&self) -> bool {
        self.vonage_secrets.is_configured()
    }

    /// What a message that goes out by this driver now has to be signed with when it is reported: the fingerprint that
    /// the try keeps. `None`: by nothing.
    pub fn credential(&self, driver: &str) -> Option<&str> {
        let keys = match driver {
            "twilio" | "twilio_verify" => &self.twilio_tokens,
            "vonage" => &self.vonage_secrets,
            _ => return None,
        };
        keys.current()
    }
}

/// A driver of SMS by its name, whether the settings ask it or not.
///
/// # Errors
/// The setting or variable that is missing.
pub fn sms_by_name(name: &str, stored: &Value, config: &Config) -> Result<SmsDriver, Issue> {
    Drivers::new(stored, config).sms(Wanted {
        name,
        own: at(stored, "sms.driver").and_then(Value::as_str) == Some(name),
        by: "the driver to try",
    })
}

/// The same of e-mail.
///
/// # Errors
/// The setting or variable that is missing.
pub fn email_by_name(name: &str, stored: &Value, config: &Config) -> Result<EmailDriver, Issue> {
    Drivers::new(stored, config).email(Wanted { name, own: true, by: "the driver to try" })
}

/// `sms.fallback`, where it is switched on.
fn fallback(stored: &Value) -> Option<Fallback> {
    let is_on = |path| at(stored, path).and_then(Value::as_bool) == Some(true);
    is_on("sms.fallback.enabled")
        .then(|| Fallback { after: Duration::from_secs(fallback_seconds(stored)), voice: is_on("sms.fallback.voice") })
}

fn fallback_seconds(stored: &Value) -> u64 {
    at(stored, "sms.fallback.after_seconds").and_then(Value::as_u64).unwrap_or(60).clamp(30, 300)
}

/// Nothing of it is shown: it holds credentials.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Delivery").finish_non_exhaustive()
    }
}
