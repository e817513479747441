//! A message in words: the text of its template, filled in, in one language.

use std::{borrow::Cow, time::Duration};

use super::{
    Slug, Templates,
    locale::{self, Found, find},
    render::{Filled, MOST, render},
    texts,
};
use crate::{
    config::Config,
    crypto::Code,
    message::{
        Channel, mail,
        notice::{Change, harmless},
    },
    time::Timestamp,
};

/// How long a subject may become; providers refuse longer ones.
const LONGEST_SUBJECT: usize = 200;

/// What a message is about.
#[derive(Clone, Copy, Default)]
pub struct Brief<'a> {
    /// The languages that were asked for, the dearest first.
    pub locales: &'a [&'a str],
    /// The code in it.
    pub code: Option<&'a Code>,
    /// How long the code works.
    pub lifetime: Duration,
    /// Whom it is for.
    pub name: Option<&'a str>,
    /// An invitation's link.
    pub link: Option<&'a str>,
    /// What has changed.
    pub change: Option<&'a Change>,
    /// When it has changed, or until when the link works.
    pub when: Option<Timestamp>,
}

/// A message in words. It may hold a code, so there is no `Debug`.
#[derive(Clone)]
pub struct Written {
    /// The language of the text, BCP 47; of a call the one that was asked for.
    pub locale: String,
    /// An e-mail's subject.
    pub subject: Option<String>,
    /// What an SMS or an e-mail says; a call's greeting.
    pub body: String,
    /// An e-mail's other part.
    pub html: Option<String>,
}

/// Writes a message in the first language that there is a text in.
pub fn write(config: &Config, templates: &Templates, channel: Channel, slug: Slug, brief: &Brief<'_>) -> Written {
    fill(config, channel, slug, brief, &find(templates, channel, slug, brief.locales))
}

/// Writes a message with this text.
pub fn fill(config: &Config, channel: Channel, slug: Slug, brief: &Brief<'_>, text: &Found<'_>) -> Written {
    let language = locale::language(&text.locale);
    let values = Values { config, channel, brief, language: &language };
    let locale = text.locale.to_string();
    match channel {
        Channel::Sms => {
            let must = if slug.has_code() { brief.code.map(Code::expose) } else { brief.link };
            let body = render(text.body, |name| values.get(name, false)).cut(MOST, must);
            Written { locale, subject: None, body, html: None }
        }
        Channel::Voice => {
            let body = render(text.body, |name| values.get(name, false)).into_text();
            Written { locale: text.asked.to_string(), subject: None, body, html: None }
        }
        Channel::Email => {
            let subject = render(text.subject, |name| values.get(name, false)).cut(LONGEST_SUBJECT, None);
            let subject = subject.replace(['\r', '\n'], " ");
            let body = render(text.body, |name| values.get(name, true)).into_text();
            let code = brief.code.map(Code::expose);
            let (body, html) = mail::lay_out(&locale, &subject, &body, code, brief.link);
            Written { locale, subject: Some(subject), body, html: Some(html) }
        }
    }
}

/// The names that texts of a template may have.
pub fn placeholders(channel: Channel, slug: Slug) -> Vec<&'static str> {
    let mut names = vec!["app.name", "app.url", "user.first_name", "user.last_name"];
    names.extend_from_slice(match (slug, channel) {
        (Slug::Invitation, _) => &["link", "expires_at"],
        (Slug::SecurityNotice, _) => &["change", "advice", "time"],
        (_, Channel::Sms) => &["otp_code", "ttl_minutes", "origin_binding"],
        (_, Channel::Email) => &["otp_code", "ttl_minutes"],
        // The code comes after the key.
        (_, Channel::Voice) => &["ttl_minutes"],
    });
    names
}

struct Values<'a> {
    config: &'a Config,
    channel: Channel,
    brief: &'a Brief<'a>,
    language: &'a str,
}

impl<'a> Values<'a> {
    /// The value of a name; `None`: there is none. `named`: a change is told with the factor's name.
    fn get(&self, name: &str, named: bool) -> Option<Filled<'a>> {
        let Self { config, channel, brief, language } = *self;
        let text = |text: Cow<'a, str>| Some(Filled { text, whole: false });
        // A greeting is heard by mailboxes: no code is in it.
        let code = brief.code.map(Code::expose).filter(|_| channel != Channel::Voice);
        match name {
            "app.name" => text(config.app_name.as_str().into()),
            "app.url" => text(config.public_url.as_deref()?.into()),
            "user.first_name" => text(first_name(brief.name?).into()),
            "user.last_name" => text(last_name(brief.name?).into()),
            "otp_code" => Some(Filled { text: code?.into(), whole: true }),
            "ttl_minutes" => text(brief.lifetime.as_secs().div_ceil(60).to_string().into()),
            "origin_binding" if channel == Channel::Sms => {
                let binding = origin_binding(config.public_url.as_deref()?, code?)?;
                Some(Filled { text: binding.into(), whole: true })
            }
            "link" => Some(Filled { text: brief.link?.into(), whole: true }),
            "expires_at" | "time" => text(texts::moment(language, brief.when?).into()),
            "change" => text(self.change(named)?.into()),
            "advice" => text(self.own_words(texts::advice(language, channel, brief.change?), "").into()),
            _ => None,
        }
    }

    fn change(&self, named: bool) -> Option<String> {
        let change = self.brief.change?;
        let name = change.factor_name().filter(|_| named).map(harmless).filter(|name| !name.is_empty());
        let name = name.map_or_else(String::new, |name| format!(" (\u{201c}{name}\u{201d})"));
        Some(self.own_words(texts::change(self.language, change), &name))
    }

    /// A part of a text that is built in.
    fn own_words(&self, template: &str, factor_name: &str) -> String {
        let value = |name: &str| match name {
            "app.name" => Some(Filled { text: self.config.app_name.as_str().into(), whole: false }),
            "factor_name" => Some(Filled { text: factor_name.into(), whole: false }),
            _ => None,
        };
        render(template, value).into_text()
    }
}

/// The last line of an SMS, which binds the code to the origin (WICG origin-bound one-time codes: `@host #code`, nothing before
/// the `@`); `None` where the origin is not https.
fn origin_binding(public_url: &str, code: &str) -> Option<String> {
    let host = public_url.strip_prefix("https://")?;
    // The standard binds to a host; a port has no place in it.
    Some(format!("@{} #{code}", host.split(':').next().unwrap_or(host)))
}

/// The first word of a name.
fn first_name(name: &str) -> String {
    harmless(name).split(' ').next().unwrap_or_default().to_owned()
}

/// The other words of a name.
fn last_name(name: &str) -> String {
    harmless(name).split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_binds_the_code_to_the_origin() {
        for (url, line) in [
            ("https://login.example.com", Some("@login.example.com #042137")),
            ("https://login.example.com:8443", Some("@login.example.com #042137")),
            ("http://localhost:8787", None),
        ] {
            assert_eq!(origin_binding(url, "042137").as_deref(), line, "{url}");
        }
    }
}
