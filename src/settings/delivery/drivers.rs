//! Drivers by name, each complete or with what it lacks; the senders that they show.

use serde_json::Value;

use super::{
    super::at,
    carrier::{Block, EMAIL_WEBHOOK, POSTMARK, RESEND, SMS_WEBHOOK, TWILIO, VONAGE, into_text, missing},
};
use crate::{
    config::{Config, EmailDriver, Issue, Parsed, SmsDriver, Stops, VoiceDriver, is_sender},
    crypto::RsaPrivateKey,
    email::Mailbox,
    message::drivers::{
        cloudflare_email::CloudflareEmail,
        email_webhook, postmark, resend, twilio,
        twilio_verify::TwilioVerify,
        twilio_voice::TwilioVoice,
        vonage,
        vonage_voice::VonageVoice,
        webhook::{self, Webhook},
    },
    phone::is_e164_form,
};

/// Every carrier's block, and what is stored beside them.
pub(super) struct Drivers<'a> {
    pub twilio: Block<'a>,
    pub vonage: Block<'a>,
    pub webhook: Block<'a>,
    pub resend: Block<'a>,
    pub postmark: Block<'a>,
    pub email_webhook: Block<'a>,
    pub stored: &'a Value,
    pub config: &'a Config,
}

/// Why a driver is wanted: it goes into the sentence, and decides whose sender counts first.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The driver.
    pub name: &'a str,
    /// Whether it is the channel's own driver, not one of a route alone.
    pub own: bool,
    /// What names it: a setting or a variable.
    pub by: &'a str,
}

impl Wanted<'_> {
    fn why(&self) -> String {
        format!("{} is {}", self.by, self.name)
    }
}

impl<'a> Drivers<'a> {
    /// The blocks in effect.
    pub fn new(stored: &'a Value, config: &'a Config) -> Self {
        let block = |carrier| Block::new(carrier, stored, config);
        Self {
            twilio: block(&TWILIO),
            vonage: block(&VONAGE),
            webhook: block(&SMS_WEBHOOK),
            resend: block(&RESEND),
            postmark: block(&POSTMARK),
            email_webhook: block(&EMAIL_WEBHOOK),
            stored,
            config,
        }
    }

    /// Every block.
    pub fn blocks(&self) -> [Block<'a>; 6] {
        [self.twilio, self.vonage, self.webhook, self.resend, self.postmark, self.email_webhook]
    }

    /// A stored text.
    pub fn text(&self, path: &str) -> Option<&'a str> {
        at(self.stored, path).and_then(Value::as_str)
    }

    /// A driver of SMS.
    pub fn sms(&self, wanted: Wanted<'_>) -> Result<SmsDriver, Issue> {
        let why = wanted.why();
        match wanted.name {
            "null" => Ok(SmsDriver::Null),
            "twilio" => {
                well_formed(&self.twilio, &[Stops::Sending])?;
                let settings = self.twilio(self.sender(&self.twilio, wanted, is_sender));
                settings.validate().map(SmsDriver::Twilio).map_err(|name| self.lacks(&self.twilio, name, "sms", &why))
            }
            "vonage" => {
                well_formed(&self.vonage, &[Stops::Sending])?;
                let settings = self.vonage(self.sender(&self.vonage, wanted, is_sender));
                settings.validate().map(SmsDriver::Vonage).map_err(|name| self.lacks(&self.vonage, name, "sms", &why))
            }
            "twilio_verify" => self.verify(Stops::Sending, &why).map(SmsDriver::TwilioVerify),
            "webhook" => self.hook(Stops::Sending, &why).map(SmsDriver::Webhook),
            _ => Err(missing("sms.driver", Stops::Sending, "nothing of that name carries SMS")),
        }
    }

    /// A driver of calls.
    pub fn voice(&self, wanted: Wanted<'_>) -> Result<VoiceDriver, Issue> {
        let why = wanted.why();
        match wanted.name {
            "null" => Ok(VoiceDriver::Null),
            "twilio" => {
                well_formed(&self.twilio, &[Stops::Sending, Stops::Calls])?;
                let settings = self.twilio(self.caller(&self.twilio, wanted));
                TwilioVoice::new(settings)
                    .map(VoiceDriver::Twilio)
                    .map_err(|name| self.lacks(&self.twilio, name, "voice", &why))
            }
            "vonage" => {
                well_formed(&self.vonage, &[Stops::Sending, Stops::Calls])?;
                let settings = self.vonage(self.caller(&self.vonage, wanted));
                VonageVoice::new(settings)
                    .map(VoiceDriver::Vonage)
                    .map_err(|name| self.lacks(&self.vonage, name, "voice", &why))
            }
            "twilio_verify" => self.verify(Stops::Calls, &why).map(VoiceDriver::TwilioVerify),
            "webhook" => self.hook(Stops::Calls, &why).map(VoiceDriver::Webhook),
            _ => Err(missing("voice.driver", Stops::Calls, "nothing of that name makes calls")),
        }
    }

    /// A driver of e-mail.
    pub fn email(&self, wanted: Wanted<'_>) -> Result<EmailDriver, Issue> {
        let (why, from, base) =
            (wanted.why(), self.mailbox(), |name: &str| into_text(self.config.value(name).cloned()));
        let (block, built) = match wanted.name {
            "null" => return Ok(EmailDriver::Null),
            "resend" => {
                let api_key = self.resend.secret("api_key");
                let settings = resend::Settings { api_key, from, api_base: base("RESEND_API_BASE") };
                (self.resend, settings.validate().map(EmailDriver::Resend))
            }
            "postmark" => {
                let server_token = self.postmark.secret("server_token");
                let settings = postmark::Settings { server_token, from, api_base: base("POSTMARK_API_BASE") };
                (self.postmark, settings.validate().map(EmailDriver::Postmark))
            }
            "webhook" => {
                let (url, secret) = (self.email_webhook.text("url"), self.email_webhook.webhook_secret("secret"));
                let settings = email_webhook::Settings { url, secret, from, stored: self.email_webhook.is_stored() };
                (self.email_webhook, settings.validate().map(EmailDriver::Webhook))
            }
            // The binding is no variable: it has no block.
            "cloudflare" => {
                let built = from.map(|from| EmailDriver::Cloudflare(CloudflareEmail::new(from)));
                return built.ok_or_else(|| self.lacks_sender(&why));
            }
            _ => return Err(missing("email.driver", Stops::Email, "nothing of that name carries e-mail")),
        };
        well_formed(&block, &[Stops::Email])?;
        built.map_err(|name| match name {
            "from" => self.lacks_sender(&why),
            name => block.lacks(name, Stops::Email, &why),
        })
    }

    /// Twilio Verify, which has senders of its own.
    fn verify(&self, stops: Stops, why: &str) -> Result<TwilioVerify, Issue> {
        well_formed(&self.twilio, &[Stops::Sending])?;
        TwilioVerify::new(self.twilio(None)).map_err(|name| self.twilio.lacks(name, stops, why))
    }

    /// The operator's own endpoint.
    fn hook(&self, stops: Stops, why: &str) -> Result<Webhook, Issue> {
        let block = &self.webhook;
        well_formed(block, &[Stops::Sending])?;
        let (url, secret) = (block.text("url"), block.webhook_secret("secret"));
        let settings = webhook::Settings { url, secret, stored: block.is_stored() };
        settings.validate().map_err(|name| block.lacks(name, stops, why))
    }

    /// Twilio's settings with who sends or calls.
    pub fn twilio(&self, from_number: Option<String>) -> twilio::Settings {
        let block = &self.twilio;
        twilio::Settings {
            account_sid: block.text("account_sid"),
            auth_token: block.secret("auth_token"),
            api_key_sid: block.text("api_key_sid"),
            api_key_secret: block.secret("api_key_secret"),
            from_number,
            messaging_service_sid: block.text("messaging_service_sid"),
            verify_service_sid: block.text("verify_service_sid"),
            api_base: into_text(self.config.value("TWILIO_API_BASE").cloned()),
            verify_base: into_text(self.config.value("TWILIO_VERIFY_BASE").cloned()),
        }
    }

    /// Vonage's settings with who sends or calls.
    pub fn vonage(&self, from_number: Option<String>) -> vonage::Settings {
        let block = &self.vonage;
        vonage::Settings {
            api_key: block.text("api_key"),
            api_secret: block.secret("api_secret"),
            signature_secret: block.secret("signature_secret"),
            application_id: block.text("application_id"),
            private_key: block.secret("private_key").and_then(|pem| RsaPrivateKey::from_pem(&pem).ok()),
            from_number,
            sms_base: into_text(self.config.value("VONAGE_SMS_BASE").cloned()),
            api_base: into_text(self.config.value("VONAGE_API_BASE").cloned()),
        }
    }

    /// Who sends by a carrier: its block's number; then what the settings name, where they mean this carrier; then the
    /// variable; then what the settings name all the same.
    fn sender(&self, block: &Block<'_>, wanted: Wanted<'_>, fits: fn(&str) -> bool) -> Option<String> {
        let stored = block.text("from_number").filter(|_| block.is_stored());
        let named = self.text("sms.from_number").map(str::to_owned);
        let variable = into_text(block.variable("from_number"));
        let in_order = if wanted.own { [stored, named, variable] } else { [stored, variable, named] };
        in_order.into_iter().flatten().find(|number| fits(number))
    }

    /// Who calls by a carrier: a number in E.164.
    fn caller(&self, block: &Block<'_>, wanted: Wanted<'_>) -> Option<String> {
        let named = self.text("voice.from_number").filter(|number| is_e164_form(number)).map(str::to_owned);
        let sender = || self.sender(block, wanted, is_e164_form);
        if wanted.own { named.or_else(sender) } else { sender().or(named) }
    }

    /// Who sends e-mails.
    fn mailbox(&self) -> Option<Mailbox> {
        let stored = self.text("email.from").and_then(|text| Mailbox::parse(text).ok());
        stored.or_else(|| match self.config.value("EMAIL_FROM") {
            Some(Parsed::Mailbox(mailbox)) => Some(mailbox.clone()),
            _ => None,
        })
    }

    /// What a carrier lacks. A sender is named as the setting of the channel where settings are in use.
    fn lacks(&self, block: &Block<'_>, name: &str, channel: &str, why: &str) -> Issue {
        let stops = if channel == "voice" { Stops::Calls } else { Stops::Sending };
        match (name, channel, block.is_stored() || self.text("sms.driver").is_some()) {
            ("from_number", "voice", by_settings) => {
                let why = "calls need a number of their own in E.164, also where SMS uses a Messaging Service or a name; or name one in the setting voice.from_number";
                if by_settings { missing("voice.from_number", stops, why) } else { block.lacks(name, stops, why) }
            }
            ("from_number", _, true) => missing("sms.from_number", stops, why),
            ("application_id" | "private_key", ..) => {
                block.lacks(name, stops, "a Vonage application makes the calls, and its key signs them")
            }
            _ => block.lacks(name, stops, why),
        }
    }

    fn lacks_sender(&self, why: &str) -> Issue {
        let by_settings = self.text("email.driver").is_some();
        let known = self.config.issue_with("EMAIL_FROM").filter(|_| !by_settings);
        let name = if by_settings { "email.from" } else { "EMAIL_FROM" };
        known.cloned().unwrap_or_else(|| missing(name, Stops::Email, why))
    }
}

/// A malformed variable is never a reason to go on without it.
fn well_formed(block: &Block<'_>, stops: &[Stops]) -> Result<(), Issue> {
    block.malformed(stops).map_or(Ok(()), |issue| Err(issue.clone()))
}
