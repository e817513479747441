//! What carries e-mail. Which driver it is, settings and variables decide together: `settings/delivery/`.

use crate::{
    email::{EmailAddress, Mailbox},
    message::drivers::{
        cloudflare_email::CloudflareEmail, email_webhook::EmailWebhook, postmark::Postmark, resend::Resend,
    },
};

/// What the variables say of e-mail beside its carriers.
#[derive(Clone)]
pub struct EmailConfig {
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
