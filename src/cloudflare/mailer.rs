//! The mailer port on Cloudflare's `send_email` binding `EMAIL`, which is there only where somebody added it.

use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::Reflect;
use worker::{
    Delay, EmailMessage, Env, SendEmail,
    send::SendFuture,
    wasm_bindgen::{JsCast, JsValue},
};

use crate::{
    message::drivers::cloudflare_email::BINDING,
    ports::{Mailer, MailerError, OutgoingMail, PortFuture},
};

/// The binding, if there is one.
pub(super) struct CloudflareMailer {
    /// It.
    pub binding: Option<SendEmail>,
}

impl CloudflareMailer {
    /// Looks the binding up.
    pub fn of(env: &Env) -> Self {
        let found = Reflect::get(env.as_ref(), &JsValue::from_str(BINDING)).ok();
        Self { binding: found.filter(JsValue::is_object).map(JsCast::unchecked_into) }
    }
}

impl Mailer for CloudflareMailer {
    fn send(&self, mail: OutgoingMail) -> PortFuture<'_, Result<String, MailerError>> {
        Box::pin(SendFuture::new(async move {
            let binding = self.binding.as_ref().ok_or(MailerError::NoBinding)?;
            let message = EmailMessage::new(&mail.from, &mail.to, &mail.mime).map_err(|error| refused(&error))?;
            let sending = std::pin::pin!(binding.send(&message));
            match select(sending, Delay::from(Duration::max(mail.timeout, Duration::from_millis(1)))).await {
                Either::Left((sent, _)) => sent.map(|result| id(&result)).map_err(|error| refused(&error)),
                Either::Right(((), _)) => Err(MailerError::Timeout),
            }
        }))
    }
}

/// The platform's id; the older binding answers with nothing.
fn id(result: &JsValue) -> String {
    let id = if result.is_object() { Reflect::get(result, &JsValue::from_str("messageId")).ok() } else { None };
    id.and_then(|id| id.as_string()).unwrap_or_default()
}

fn refused(error: &js_sys::Error) -> MailerError {
    let code = Reflect::get(error, &JsValue::from_str("code")).ok().and_then(|code| code.as_string());
    MailerError::Refused { code, message: String::from(error.message()) }
}
