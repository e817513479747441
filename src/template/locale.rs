//! Which text it is: the first language that somebody asked for and that there is a text in (RFC 4647 §3.4, lookup).

use std::borrow::Cow;

use super::{Slug, Templates, texts};
use crate::{
    message::{Channel, speech::Voice},
    ports::Row,
    user::User,
};

/// What a user's row says of how to write to them, as far as it was read.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Their language.
    pub locale: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

impl Reader {
    /// From a row with `locale` and `name`.
    pub fn read(row: &Row) -> Self {
        let text = |column| row.opt_text(column).map(str::to_owned);
        Self { locale: text("locale"), name: text("name") }
    }

    /// Of a user who was read.
    pub fn of(user: &User) -> Self {
        Self { locale: user.locale.clone(), name: user.name.clone() }
    }
}

/// A text that was found.
pub struct Found<'a> {
    /// The language that was asked for.
    pub asked: Cow<'a, str>,
    /// The language of the text, BCP 47.
    pub locale: Cow<'a, str>,
    /// An e-mail's subject.
    pub subject: &'a str,
    /// The text.
    pub body: &'a str,
}

/// The text of a template for who asked for these languages, the dearest first. Of each the whole tag counts, then what is left
/// without its last part; of the same, what the operator has written comes before what is built in.
pub fn find<'a>(templates: &'a Templates, channel: Channel, slug: Slug, locales: &[&'a str]) -> Found<'a> {
    let found = |tag: &'a str| {
        // Nobody speaks a text of a language that no voice has.
        if channel == Channel::Voice && !Voice::speaks(tag) {
            return None;
        }
        let asked = if tag.contains('_') { Cow::Owned(tag.replace('_', "-")) } else { Cow::Borrowed(tag) };
        let mut part = asked.to_string();
        loop {
            if let Some((locale, subject, body)) = of(templates, channel, slug, &part) {
                return Some(Found { asked, locale, subject, body });
            }
            part.truncate(part.rfind('-')?);
        }
    };
    locales.iter().find_map(|tag| found(tag)).or_else(|| found("en")).unwrap_or(Found {
        asked: Cow::Borrowed("en"),
        locale: Cow::Borrowed("en"),
        subject: "",
        body: "",
    })
}

/// The text in exactly this language: its locale, subject and body.
pub(super) fn of<'a>(
    templates: &'a Templates,
    channel: Channel,
    slug: Slug,
    tag: &str,
) -> Option<(Cow<'a, str>, &'a str, &'a str)> {
    let built_in = || texts::built_in(channel, slug, &tag.to_ascii_lowercase());
    let stored = templates.stored(channel, slug, tag).and_then(|stored| Some((stored, stored.body.as_deref()?)));
    match stored {
        Some((stored, body)) => {
            let subject = stored.subject.as_deref().unwrap_or_else(|| subject(slug, channel, tag));
            Some((Cow::Borrowed(&stored.locale), subject, body))
        }
        None => built_in().map(|text| (Cow::Owned(tag.to_ascii_lowercase()), text.subject, text.body)),
    }
}

/// The built-in subject for a text in this language.
fn subject(slug: Slug, channel: Channel, tag: &str) -> &'static str {
    let text = texts::built_in(channel, slug, &language(tag)).or_else(|| texts::built_in(channel, slug, "en"));
    text.map_or("", |text| text.subject)
}

/// The language alone, in lower case.
pub fn language(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

/// A language tag as it is stored (RFC 5646 §2.1.1): `pt-BR`, `zh-Hant-TW`. `None`: it is none.
pub fn canonical(tag: &str) -> Option<String> {
    let mut parts = Vec::new();
    for (at, part) in tag.split(['-', '_']).enumerate() {
        let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let wanted = if at == 0 { letters && (2..=3).contains(&part.len()) } else { (2..=8).contains(&part.len()) };
        if !wanted || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let mut part = part.to_ascii_lowercase();
        match part.len() {
            2 if at > 0 => part.make_ascii_uppercase(),
            4 if at > 0 && letters => {
                let first = part.remove(0).to_ascii_uppercase();
                part.insert(0, first);
            }
            _ => {}
        }
        parts.push(part);
    }
    (parts.len() <= 4).then(|| parts.join("-"))
}

/// Whether a language is written from right to left.
pub fn is_right_to_left(tag: &str) -> bool {
    matches!(language(tag).as_str(), "ar" | "he" | "fa" | "ur")
}
