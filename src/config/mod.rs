//! Configuration: the table's variables read from the bindings, checked once per isolate.
//! A bad variable stops what depends on it, by name, and nothing else (law 9).

mod bot;
mod document;
mod email;
mod sms;
mod table;
mod tokens;
mod value;
mod voice;

use std::collections::BTreeMap;

use serde_json::Value;

pub use document::{dev_vars_example, markdown};
pub use email::{EmailConfig, EmailDriver};
pub use sms::{SmsConfig, SmsDriver};
pub use table::{Kind, Stops, VARIABLES, Variable};
pub use tokens::TokenDefaults;
pub(crate) use value::{Parsed, is_loopback_host, is_safe_base, is_sender, origin, parse_kind, wanted};
pub use voice::VoiceDriver;

use crate::{
    app::Origin,
    crypto::{KeyRing, token_hash},
    email::EmailAddress,
    few::FewByName,
    phone::CallingCode,
    policy,
    secret::Secret,
    webhook::fault,
};

/// What is wrong with one variable. The text names it and tells no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The variable's name.
    pub variable: &'static str,
    /// What stops because of it.
    pub stops: Stops,
    /// The sentence for the operator.
    pub detail: String,
}

/// `prod`, or anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Messages go to people.
    Production,
    /// Messages go to the receivers.
    Development,
}

/// The secrets that every call needs.
#[derive(Clone)]
pub struct Secrets {
    /// The first server key.
    pub server_api_key: Secret,
    /// Seals secrets at rest.
    pub encryption_keys: KeyRing,
    /// Keys the MACs of codes and destinations.
    pub code_pepper: KeyRing,
}

/// The checked configuration of a deployment.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a variable")]
pub struct Config {
    /// Where messages go. `Production` while it is unknown, and then nothing works but `/health`.
    pub environment: Environment,
    /// Whether development tools may answer, on a loopback host.
    pub dev_tools: bool,
    /// The origin that people reach Postern at.
    pub public_url: Option<String>,
    /// The name in messages.
    pub app_name: String,
    /// The calling code of numbers typed without one.
    pub calling_code: Option<CallingCode>,
    /// The number that gets SMS and calls outside `prod`.
    pub dev_sms_receiver: Option<String>,
    /// Wrong second-factor answers per 30 minutes.
    pub mfa_code_verify_threshold: i64,
    /// SMS per 30 minutes.
    pub sms_mfa_message_threshold: i64,
    /// Whether recovery codes can be made.
    pub enable_recovery_code: bool,
    /// E-mails per 30 minutes.
    pub email_mfa_email_threshold: i64,
    /// Wrong passwords per person and address; 0 is never.
    pub account_lockout_threshold: i64,
    /// Seconds until a person locked out at an address may try again.
    pub account_lockout_expires_in: i64,
    /// Who knows the passwords of breaches.
    pub breach_api_base: Option<String>,
    /// Whether passkeys can be enrolled, unless a setting says otherwise.
    pub allow_passkey_enrollment: bool,
    /// How long codes, tokens and sessions live where an app says nothing.
    pub tokens: TokenDefaults,
    /// Origins of every browser app.
    pub embedded_auth_origins: Vec<Origin>,
    /// What the variables say of the policy.
    pub mfa: policy::Bindings,
    /// SMS, beside its carriers.
    pub sms: SmsConfig,
    /// E-mail, beside its carriers.
    pub email: EmailConfig,
    /// The bot gate; `None`: there is none.
    pub turnstile: Option<crate::bot::Turnstile>,
    secrets: Option<Secrets>,
    issues: Vec<Issue>,
    set: Vec<&'static str>,
    /// Every value as it was parsed: what carriers need is read by name, where settings may say otherwise.
    values: FewByName<Parsed>,
}

impl Config {
    /// Reads and checks the bindings. It never fails: what is wrong is in [`Config::issues`].
    pub fn read(bindings: &BTreeMap<String, Value>) -> Self {
        let mut reader = Reader::new(bindings);
        let environment = match reader.text("ENVIRONMENT") {
            Some(text) if text != "prod" => Environment::Development,
            _ => Environment::Production,
        };
        if environment == Environment::Production {
            reader.refuse_unsafe_bases();
        }
        let secrets = reader.secrets();
        let public_url = reader.text("PUBLIC_URL");
        let callback_base = public_url.clone().filter(|url| url.starts_with("https://"));
        let turnstile = bot::read(&mut reader, environment);
        Self {
            environment,
            dev_tools: environment == Environment::Development && reader.text("DEV_TOOLS").as_deref() == Some("on"),
            public_url,
            // A malformed one stops sending; what is shown meanwhile is the default.
            app_name: reader.text("APP_NAME").unwrap_or_else(|| "Postern".to_owned()),
            calling_code: reader.calling_code("SMS_COUNTRY_CODE"),
            dev_sms_receiver: reader.text("DEV_SMS_RECEIVER"),
            mfa_code_verify_threshold: reader.integer("MFA_CODE_VERIFY_THRESHOLD"),
            sms_mfa_message_threshold: reader.integer("SMS_MFA_MESSAGE_THRESHOLD"),
            enable_recovery_code: reader.flag("ENABLE_RECOVERY_CODE"),
            email_mfa_email_threshold: reader.integer("EMAIL_MFA_EMAIL_THRESHOLD"),
            account_lockout_threshold: reader.integer("ACCOUNT_LOCKOUT_THRESHOLD"),
            account_lockout_expires_in: reader.integer("ACCOUNT_LOCKOUT_EXPIRES_IN"),
            breach_api_base: reader.text("BREACH_API_BASE"),
            allow_passkey_enrollment: reader.flag("ALLOW_PASSKEY_ENROLLMENT"),
            tokens: tokens::read(&reader),
            embedded_auth_origins: reader.origins("EMBEDDED_AUTH_ORIGINS"),
            mfa: reader.mfa(),
            sms: SmsConfig { callback_base },
            email: EmailConfig { dev_receiver: reader.address("DEV_EMAIL_RECEIVER") },
            turnstile,
            secrets,
            set: reader.set,
            issues: reader.issues,
            values: reader.values,
        }
    }

    /// Everything that is wrong, in the table's order.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// What is wrong with one variable.
    pub fn issue_with(&self, variable: &str) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.variable == variable)
    }

    /// The first reason why something that `stops` names cannot work.
    pub fn blocking(&self, stops: Stops) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.stops == stops || issue.stops == Stops::Everything)
    }

    /// The secrets, or the variable that is missing.
    pub fn secrets(&self) -> Result<&Secrets, &Issue> {
        match (&self.secrets, self.blocking(Stops::Everything)) {
            (_, Some(issue)) => Err(issue),
            (Some(secrets), None) => Ok(secrets),
            // Unreachable: no secrets means an issue. Named anyway, for a compiler that cannot know.
            (None, None) => Err(&UNKNOWN),
        }
    }

    /// SHA-256 of the binding's key; empty while there is none.
    pub fn binding_key_hash(&self) -> String {
        self.secrets.as_ref().map(|secrets| token_hash(secrets.server_api_key.expose())).unwrap_or_default()
    }

    /// A variable's value, by name.
    pub(crate) fn value(&self, name: &str) -> Option<&Parsed> {
        self.values.get(name)
    }

    /// Whether a variable is set, for the status page.
    pub fn is_set(&self, name: &str) -> bool {
        self.set.contains(&name)
    }

    /// Whether messages go to people.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }
}

static UNKNOWN: Issue = Issue { variable: "SERVER_API_KEY", stops: Stops::Everything, detail: String::new() };

/// Values by name while a [`Config`] is put together.
struct Reader {
    values: FewByName<Parsed>,
    issues: Vec<Issue>,
    set: Vec<&'static str>,
}

impl Reader {
    fn new(bindings: &BTreeMap<String, Value>) -> Self {
        let mut reader = Self { values: FewByName::default(), issues: Vec::new(), set: Vec::new() };
        for variable in VARIABLES {
            reader.read(variable, bindings);
        }
        reader
    }

    fn read(&mut self, variable: &'static Variable, bindings: &BTreeMap<String, Value>) {
        let parse = |name: &str| match bindings.get(name) {
            Some(raw) => value::parse(variable, raw).map(|parsed| parsed.map(|parsed| (raw, parsed))),
            None => Ok(None),
        };
        let found = match (parse(variable.name), variable.alias.map_or(Ok(None), parse)) {
            (Err(detail), _) | (_, Err(detail)) => return self.issue(variable, detail),
            (Ok(Some((raw, _))), Ok(Some((other, _)))) if raw != other => {
                let alias = variable.alias.unwrap_or_default();
                return self
                    .issue(variable, format!("{} and {alias} are both set and differ: keep one", variable.name));
            }
            (Ok(Some((_, parsed))), _) | (Ok(None), Ok(Some((_, parsed)))) => Some(parsed),
            (Ok(None), Ok(None)) => None,
        };
        if let Some(parsed) = found {
            self.set.push(variable.name);
            self.values.add(variable.name.to_owned(), parsed);
        } else if variable.required {
            self.issue(variable, format!("{} is missing: wanted is {}", variable.name, value::wanted(variable.kind)));
        } else if let Some(Ok(Some(parsed))) =
            variable.default.map(|default| value::parse(variable, &Value::from(default)))
        {
            self.values.add(variable.name.to_owned(), parsed);
        }
    }

    fn issue(&mut self, variable: &Variable, detail: String) {
        self.issues.push(Issue { variable: variable.name, stops: variable.stops, detail });
    }

    /// Adds an issue that concerns several variables under the first one's name.
    fn problem(&mut self, name: &'static str, detail: String) {
        let stops = VARIABLES.iter().find(|variable| variable.name == name).map_or(Stops::Sending, |row| row.stops);
        self.issues.push(Issue { variable: name, stops, detail });
    }

    fn refuse_unsafe_bases(&mut self) {
        for variable in VARIABLES.iter().filter(|variable| matches!(variable.kind, Kind::BaseUrl | Kind::Url)) {
            let Some(Parsed::Text(url)) = self.values.get(variable.name) else { continue };
            // What is said to a webhook is said to a name on the public network.
            let is_private =
                || matches!(variable.kind, Kind::Url) && !value::is_loopback(url) && fault(url, true).is_some();
            if !value::is_safe_base(url) || is_private() {
                let name = if is_private() { ", a public name" } else { "" };
                self.issue(variable, format!("{} has to be https in prod{name}, or loopback", variable.name));
            }
        }
    }

    fn secrets(&self) -> Option<Secrets> {
        let ring = |name: &str| match self.values.get(name) {
            Some(Parsed::KeyRing(ring)) => Some(ring.clone()),
            _ => None,
        };
        Some(Secrets {
            server_api_key: self.secret("SERVER_API_KEY")?,
            encryption_keys: ring("ENCRYPTION_KEYS")?,
            code_pepper: ring("CODE_PEPPER")?,
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name) {
            Some(Parsed::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        match self.values.get(name) {
            Some(Parsed::Secret(secret)) => Some(secret.clone()),
            _ => None,
        }
    }

    fn address(&self, name: &str) -> Option<EmailAddress> {
        match self.values.get(name) {
            Some(Parsed::Address(address)) => Some(address.clone()),
            _ => None,
        }
    }

    fn integer(&self, name: &str) -> i64 {
        match self.values.get(name) {
            Some(Parsed::Integer(number)) => *number,
            // A malformed threshold stops challenges by name; until then the strictest value holds.
            _ => 1,
        }
    }

    /// A malformed flag stops what depends on it by name; until then it is off.
    fn flag(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Parsed::Flag(true)))
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.values.get(name) {
            Some(Parsed::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// A malformed list stops what depends on it by name; until then nobody is on it.
    fn origins(&self, name: &str) -> Vec<Origin> {
        match self.values.get(name) {
            Some(Parsed::Origins(origins)) => origins.clone(),
            _ => Vec::new(),
        }
    }

    fn mfa(&self) -> policy::Bindings {
        policy::Bindings {
            otp_is_required: self.flag("OTP_MFA_IS_REQUIRED"),
            email_is_required: self.flag("EMAIL_MFA_IS_REQUIRED"),
            sms_is_required: self.flag("SMS_MFA_IS_REQUIRED"),
            enforce_enrolment: self.list("ENFORCE_ONE_MFA_ENROLLMENT"),
            email_as_backup: self.flag("ALLOW_EMAIL_MFA_AS_BACKUP"),
            passkey_enrolment: self.flag("ALLOW_PASSKEY_ENROLLMENT"),
            recovery_code: self.flag("ENABLE_RECOVERY_CODE"),
            remember_device: self.flag("ENABLE_MFA_REMEMBER_DEVICE"),
        }
    }

    fn calling_code(&self, name: &str) -> Option<CallingCode> {
        match self.values.get(name) {
            Some(Parsed::CallingCode(code)) => Some(*code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
