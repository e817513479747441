//! The carriers' settings by name, and one carrier's block of them: whole from storage or whole from the variables,
//! never mixed.

use serde_json::{Map, Value};

use super::super::at;
use crate::{
    config::{Config, Issue, Parsed, Stops, VARIABLES, Variable, parse_kind},
    crypto::{Place, Seal, WebhookSecret},
    secret::Secret,
    webhook::fault,
};

/// A setting, and the variable that counts where nothing is stored.
pub(super) struct Entry {
    /// Its dotted path.
    pub setting: &'static str,
    /// The variable.
    pub variable: &'static str,
}

/// A carrier.
pub(super) struct Carrier {
    /// Where its settings stand.
    pub path: &'static str,
    /// Its settings.
    pub entries: &'static [Entry],
    /// The variables of its base URLs, which no setting replaces.
    pub bases: &'static [&'static str],
}

const fn entry(setting: &'static str, variable: &'static str) -> Entry {
    Entry { setting, variable }
}

/// Twilio: SMS, calls and Verify.
pub(super) static TWILIO: Carrier = Carrier {
    path: "sms.twilio",
    entries: &[
        entry("sms.twilio.account_sid", "TWILIO_ACCOUNT_ID"),
        entry("sms.twilio.auth_token", "TWILIO_AUTH_TOKEN"),
        entry("sms.twilio.api_key_sid", "TWILIO_API_KEY_SID"),
        entry("sms.twilio.api_key_secret", "TWILIO_API_KEY_SECRET"),
        entry("sms.twilio.messaging_service_sid", "TWILIO_MESSAGING_SERVICE_SID"),
        entry("sms.twilio.verify_service_sid", "TWILIO_VERIFY_SID"),
        entry("sms.twilio.from_number", "TWILIO_SENDER_NUMBER"),
    ],
    bases: &["TWILIO_API_BASE", "TWILIO_VERIFY_BASE"],
};

/// Vonage: SMS and calls.
pub(super) static VONAGE: Carrier = Carrier {
    path: "sms.vonage",
    entries: &[
        entry("sms.vonage.api_key", "VONAGE_API_KEY"),
        entry("sms.vonage.api_secret", "VONAGE_API_SECRET"),
        entry("sms.vonage.signature_secret", "VONAGE_SIGNATURE_SECRET"),
        entry("sms.vonage.application_id", "VONAGE_APPLICATION_ID"),
        entry("sms.vonage.private_key", "VONAGE_PRIVATE_KEY"),
        entry("sms.vonage.from_number", "VONAGE_SENDER_NUMBER"),
    ],
    bases: &["VONAGE_SMS_BASE", "VONAGE_API_BASE"],
};

/// The operator's own endpoint for SMS and calls.
pub(super) static SMS_WEBHOOK: Carrier = Carrier {
    path: "sms.webhook",
    entries: &[entry("sms.webhook.url", "SMS_WEBHOOK_URL"), entry("sms.webhook.secret", "SMS_WEBHOOK_SECRET")],
    bases: &[],
};

/// Resend.
pub(super) static RESEND: Carrier = Carrier {
    path: "email.resend",
    entries: &[entry("email.resend.api_key", "RESEND_API_KEY")],
    bases: &["RESEND_API_BASE"],
};

/// Postmark.
pub(super) static POSTMARK: Carrier = Carrier {
    path: "email.postmark",
    entries: &[entry("email.postmark.server_token", "POSTMARK_SERVER_TOKEN")],
    bases: &["POSTMARK_API_BASE"],
};

/// The operator's own endpoint for e-mail.
pub(super) static EMAIL_WEBHOOK: Carrier = Carrier {
    path: "email.webhook",
    entries: &[entry("email.webhook.url", "EMAIL_WEBHOOK_URL"), entry("email.webhook.secret", "EMAIL_WEBHOOK_SECRET")],
    bases: &[],
};

/// Every carrier.
pub(super) static CARRIERS: [&Carrier; 6] = [&TWILIO, &VONAGE, &SMS_WEBHOOK, &RESEND, &POSTMARK, &EMAIL_WEBHOOK];

/// What stands for one carrier: its stored block, or its variables.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    carrier: &'static Carrier,
    stored: Option<&'a Map<String, Value>>,
    config: &'a Config,
}

impl Entry {
    /// Its name within its block.
    pub fn name(&self) -> &'static str {
        self.setting.rsplit('.').next().unwrap_or_default()
    }

    /// Its variable's row in the table: what form it has, and whether it is a credential.
    pub fn row(&self) -> Option<&'static Variable> {
        VARIABLES.iter().find(|row| row.name == self.variable)
    }

    /// Whether it is write-only, and sealed at rest.
    pub fn is_credential(&self) -> bool {
        self.row().is_some_and(|row| row.secret)
    }

    /// What is wrong with it as the URL of an endpoint that a setting names; `None`: nothing, or it is no URL. The same
    /// rules hold as for endpoints of webhooks.
    pub fn url_fault(&self, value: &Parsed, config: &Config) -> Option<&'static str> {
        match (value, self.name()) {
            (Parsed::Text(url), "url") => fault(url, config.is_production()),
            _ => None,
        }
    }

    /// Its stored value; `None`: it is of no use, or does not open.
    fn read(&self, raw: &Value, config: &Config) -> Option<Parsed> {
        let row = self.row()?;
        if !row.secret {
            // Stored in development, or before the rules were these, it is not called either.
            return parse_kind(row.kind, raw).filter(|value| self.url_fault(value, config).is_none());
        }
        open(self.setting, raw.as_str()?, config).and_then(|text| parse_kind(row.kind, &Value::from(text.expose())))
    }
}

/// Where a credential of the settings stands, for its seal.
pub(super) fn place(setting: &str) -> Place<'_> {
    Place { table: "instance", column: "settings", row: setting }
}

/// A credential that is stored.
pub(super) fn open(setting: &str, sealed: &str, config: &Config) -> Option<Secret> {
    let secrets = config.secrets().ok()?;
    let opened = Seal(&secrets.encryption_keys).open(place(setting), sealed).ok()?;
    Some(Secret::new(String::from_utf8(opened.to_vec()).ok()?))
}

impl<'a> Block<'a> {
    /// The block of a carrier. An emptied one is none.
    pub fn new(carrier: &'static Carrier, stored: &'a Value, config: &'a Config) -> Self {
        let stored = at(stored, carrier.path).and_then(Value::as_object).filter(|block| !block.is_empty());
        Self { carrier, stored, config }
    }

    /// Whether it comes from storage.
    pub fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Whether a variable counts for nothing, since the stored block took its place.
    pub fn replaces(&self, variable: &str) -> bool {
        self.is_stored() && self.carrier.entries.iter().any(|entry| entry.variable == variable)
    }

    /// Whether a variable is one of this carrier's.
    pub fn owns(&self, variable: &str) -> bool {
        self.carrier.bases.contains(&variable) || self.carrier.entries.iter().any(|entry| entry.variable == variable)
    }

    /// Whether somebody began to set it up.
    pub fn is_begun(&self) -> bool {
        self.is_stored() || self.carrier.entries.iter().any(|entry| self.config.is_set(entry.variable))
    }

    /// A malformed variable that it would read.
    pub fn malformed(&self, stops: &[Stops]) -> Option<&'a Issue> {
        let counts = |issue: &&Issue| {
            stops.contains(&issue.stops) && self.owns(issue.variable) && !self.replaces(issue.variable)
        };
        self.config.issues().iter().find(counts)
    }

    /// A value by its name in the block.
    fn value(&self, name: &str) -> Option<Parsed> {
        let entry = self.entry(name)?;
        match self.stored {
            Some(block) => entry.read(block.get(name)?, self.config),
            None => self.config.value(entry.variable).cloned(),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        into_text(self.value(name))
    }

    /// A credential.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        into_secret(self.value(name))
    }

    /// What signs webhooks.
    pub fn webhook_secret(&self, name: &str) -> Option<WebhookSecret> {
        match self.value(name) {
            Some(Parsed::WebhookSecret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// The same of the variable, whatever is stored.
    pub fn variable(&self, name: &str) -> Option<Parsed> {
        self.config.value(self.entry(name)?.variable).cloned()
    }

    /// The settings that it has.
    pub fn entries(&self) -> &'static [Entry] {
        self.carrier.entries
    }

    /// A value as it is stored.
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        self.stored?.get(name)
    }

    /// Whether a value is there, readable or not.
    pub fn has(&self, name: &str) -> bool {
        match (self.stored, self.entry(name)) {
            (Some(block), _) => block.contains_key(name),
            (None, Some(entry)) => {
                self.config.is_set(entry.variable) || self.config.issue_with(entry.variable).is_some()
            }
            (None, None) => false,
        }
    }

    /// That a value is missing, or what is wrong with it; under the name that it comes by.
    pub fn lacks(&self, name: &str, stops: Stops, why: &str) -> Issue {
        let Some(entry) = self.entry(name) else {
            return missing(self.carrier.path, stops, why);
        };
        if !self.is_stored() {
            let known = self.config.issue_with(entry.variable);
            return known.cloned().unwrap_or_else(|| missing(entry.variable, stops, why));
        }
        if self.has(name) {
            let why = if entry.is_credential() { "does not open under ENCRYPTION_KEYS" } else { "may not be used" };
            let detail = format!("{} {why}: set it again", entry.setting);
            return Issue { variable: entry.setting, stops, detail };
        }
        missing(entry.setting, stops, why)
    }

    fn entry(&self, name: &str) -> Option<&'static Entry> {
        self.carrier.entries.iter().find(|entry| entry.name() == name)
    }
}

/// The text of a value.
pub(super) fn into_text(value: Option<Parsed>) -> Option<String> {
    match value {
        Some(Parsed::Text(text)) => Some(text),
        _ => None,
    }
}

/// The credential of a value.
pub(super) fn into_secret(value: Option<Parsed>) -> Option<Secret> {
    match value {
        Some(Parsed::Secret(secret)) => Some(secret),
        _ => None,
    }
}

/// That something is missing, and why it is needed.
pub(super) fn missing(name: &'static str, stops: Stops, why: &str) -> Issue {
    Issue { variable: name, stops, detail: format!("{name} is missing: {why}") }
}
