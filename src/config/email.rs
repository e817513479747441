//! Which driver carries e-mail, from the bindings: `EMAIL_DRIVER`, or the first carrier whose variables are complete.
//! Who sets nothing of it up sends no e-mail, and that is no fault of the configuration.

use super::{Environment, Reader};
use crate::{
    email::{EmailAddress, Mailbox},
    message::drivers::{
        cloudflare_email::CloudflareEmail,
        email_webhook::{self, EmailWebhook},
        postmark::{self, Postmark},
        resend::{self, Resend},
    },
};

/// What carries e-mail.
#[derive(Clone)]
pub struct EmailConfig {
    /// The driver; `None` when there is none to use.
    pub driver: Option<EmailDriver>,
    /// The mailbox that gets everything outside `prod`.
    pub dev_receiver: Option<EmailAddress>,
}

/// A driver with all it needs.
#[derive(Clone)]
pub enum EmailDriver {
    /// Sends nothing; the dev inbox shows what would have gone out.
    Null,
    /// Resend.
    Resend(Resend),
    /// Postmark.
    Postmark(Postmark),
    /// Cloudflare's `send_email` binding.
    Cloudflare(CloudflareEmail),
    /// The customer's own endpoint.
    Webhook(EmailWebhook),
}

impl EmailDriver {
    /// The driver's name, as settings, messages and events have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Resend(_) => "resend",
            Self::Postmark(_) => "postmark",
            Self::Cloudflare(_) => "cloudflare",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Who sends, where something does.
    pub fn from(&self) -> Option<&Mailbox> {
        match self {
            Self::Null => None,
            Self::Resend(resend) => Some(resend.from()),
            Self::Postmark(postmark) => Some(postmark.from()),
            Self::Cloudflare(cloudflare) => Some(cloudflare.from()),
            Self::Webhook(webhook) => Some(webhook.from()),
        }
    }
}

/// Builds a driver, or names the first variable that is missing.
type Build = fn(&Reader) -> Result<EmailDriver, &'static str>;

/// The drivers by name, in the order in which they are chosen.
const DRIVERS: [(&str, Build); 4] =
    [("resend", resend), ("postmark", postmark), ("webhook", webhook), ("cloudflare", cloudflare)];

/// The variables that say that somebody began to set a carrier up.
const BEGUN: [(&str, Build); 4] = [
    ("RESEND_API_KEY", resend),
    ("POSTMARK_SERVER_TOKEN", postmark),
    ("EMAIL_WEBHOOK_URL", webhook),
    ("EMAIL_WEBHOOK_SECRET", webhook),
];

/// Chooses the driver.
pub(super) fn read(reader: &mut Reader, environment: Environment) -> EmailConfig {
    let dev_receiver = reader.address("DEV_EMAIL_RECEIVER");
    EmailConfig { driver: choose(reader, environment), dev_receiver }
}

fn choose(reader: &mut Reader, environment: Environment) -> Option<EmailDriver> {
    let named = reader.text("EMAIL_DRIVER");
    if reader.issues.iter().any(|issue| issue.variable == "EMAIL_DRIVER") {
        return None;
    }
    match named.as_deref() {
        Some("null") => Some(EmailDriver::Null),
        Some(name) => {
            let build = DRIVERS.iter().find(|(known, _)| *known == name).map(|(_, build)| build)?;
            build(reader).or_else(|missing| complain(reader, missing, &format!("EMAIL_DRIVER is {name}"))).ok()
        }
        None => {
            // The binding of Cloudflare is no variable: it is taken by name only.
            let complete =
                DRIVERS.iter().filter(|(name, _)| *name != "cloudflare").find_map(|(_, build)| build(reader).ok());
            match (complete, environment) {
                (Some(driver), _) => Some(driver),
                (None, Environment::Development) => Some(EmailDriver::Null),
                (None, Environment::Production) => incomplete(reader),
            }
        }
    }
}

/// In `prod` without a complete carrier: what is missing of one that somebody began with is named.
fn incomplete(reader: &mut Reader) -> Option<EmailDriver> {
    let begun = BEGUN.iter().find(|(name, _)| reader.set.contains(name));
    match begun.map(|(name, build)| (name, build(reader))) {
        Some((name, Err(missing))) => complain(reader, missing, &format!("{name} is set")).ok(),
        None if reader.set.contains(&"EMAIL_FROM") => {
            complain(reader, "EMAIL_DRIVER", "set a carrier's variables, or EMAIL_DRIVER=null to send nothing in prod")
                .ok()
        }
        _ => None,
    }
}

fn complain(reader: &mut Reader, missing: &'static str, because: &str) -> Result<EmailDriver, ()> {
    // A malformed variable is an issue already.
    if !reader.issues.iter().any(|issue| issue.variable == missing) {
        reader.problem(missing, format!("{missing} is missing: {because}"));
    }
    Err(())
}

fn resend(reader: &Reader) -> Result<EmailDriver, &'static str> {
    let settings = resend::Settings {
        api_key: reader.secret("RESEND_API_KEY"),
        from: reader.mailbox("EMAIL_FROM"),
        api_base: reader.text("RESEND_API_BASE"),
    };
    settings.validate().map(EmailDriver::Resend).map_err(|setting| match setting {
        "api_key" => "RESEND_API_KEY",
        "from" => "EMAIL_FROM",
        _ => "RESEND_API_BASE",
    })
}

fn postmark(reader: &Reader) -> Result<EmailDriver, &'static str> {
    let settings = postmark::Settings {
        server_token: reader.secret("POSTMARK_SERVER_TOKEN"),
        from: reader.mailbox("EMAIL_FROM"),
        api_base: reader.text("POSTMARK_API_BASE"),
    };
    settings.validate().map(EmailDriver::Postmark).map_err(|setting| match setting {
        "server_token" => "POSTMARK_SERVER_TOKEN",
        "from" => "EMAIL_FROM",
        _ => "POSTMARK_API_BASE",
    })
}

fn webhook(reader: &Reader) -> Result<EmailDriver, &'static str> {
    let settings = email_webhook::Settings {
        url: reader.text("EMAIL_WEBHOOK_URL"),
        secret: reader.webhook_secret("EMAIL_WEBHOOK_SECRET"),
        from: reader.mailbox("EMAIL_FROM"),
    };
    settings.validate().map(EmailDriver::Webhook).map_err(|setting| match setting {
        "url" => "EMAIL_WEBHOOK_URL",
        "secret" => "EMAIL_WEBHOOK_SECRET",
        _ => "EMAIL_FROM",
    })
}

fn cloudflare(reader: &Reader) -> Result<EmailDriver, &'static str> {
    let from = reader.mailbox("EMAIL_FROM").ok_or("EMAIL_FROM")?;
    Ok(EmailDriver::Cloudflare(CloudflareEmail::new(from)))
}
