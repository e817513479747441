//! The built-in texts, a file per language. They are template bodies like the operator's: `{{name}}` stands for a value
//! (`../render.rs` fills it in, once), and what this page calls a text is never shown to anybody before that.

/// The five e-mails: what all codes say of themselves, and of each slug with a code its subject, what stands before the code
/// and what comes of ignoring it; then the other two.
macro_rules! emails {
    (rules: $rules:literal, codes: [$($subject:literal, $before:literal, $ignored:literal);*],
     invitation: $invited:literal, $invitation:literal, notice: $notice:literal $(,)?) => {
        [
            $(super::Text { subject: $subject, body: concat!($before, "\n\n{{otp_code}}\n\n", $rules, $ignored) },)*
            super::Text { subject: $invited, body: $invitation },
            super::Text { subject: "{{change}}", body: concat!($notice, "\n\n{{advice}}") },
        ]
    };
}

/// What happened to a factor, by factor: what all begin with, what all end with, and between them each one's noun, and its verb
/// where it stands behind and agrees with it. The name stands behind the noun.
macro_rules! sentences {
    ($before:literal, $after:literal; $($noun:literal $(+ $verb:literal)?),*) => {
        [$(concat!($before, $noun, "{{factor_name}}", $($verb,)? $after)),*]
    };
}

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod ja;
mod pt;
mod zh;

use crate::{
    message::{Channel, notice::Change},
    template::Slug,
    time::Timestamp,
};

/// The languages of the built-in texts, BCP 47; the first is taken where nothing else fits.
pub const LANGUAGES: [&str; 8] = ["en", "es", "fr", "de", "pt", "zh", "ja", "ar"];

/// One text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// An e-mail's subject; empty for other channels.
    pub subject: &'static str,
    /// What an SMS says; an e-mail's paragraphs, with empty lines between them; a call's greeting.
    pub body: &'static str,
}

/// Everything in one language.
struct Language {
    /// By slug, in the order of [`Slug::ALL`].
    sms: [&'static str; 5],
    /// Greetings of the slugs that have a code. The code is not in them, nor what follows (`speech/`).
    voice: [&'static str; 3],
    /// By slug. A paragraph that is exactly the code or the link is shown as such.
    email: [Text; 5],
    /// A factor was added, by type in the order of [`factor_index`].
    added: [&'static str; 7],
    /// A factor was removed.
    removed: [&'static str; 7],
    /// All other changes, in the order of [`change`].
    changed: [&'static str; 8],
    /// What to do about a change: by SMS, by SMS about a sign-up that was tried, and the same by e-mail.
    advice: [&'static str; 4],
}

/// In the order of [`LANGUAGES`].
static TEXTS: [&Language; LANGUAGES.len()] =
    [&en::ENGLISH, &es::SPANISH, &fr::FRENCH, &de::GERMAN, &pt::PORTUGUESE, &zh::CHINESE, &ja::JAPANESE, &ar::ARABIC];

fn language(tag: &str) -> Option<&'static Language> {
    // Mandarin by its own name.
    let tag = if tag == "cmn" { "zh" } else { tag };
    LANGUAGES.iter().zip(TEXTS).find(|(name, _)| **name == tag).map(|(_, language)| language)
}

/// The built-in text of a template in a language of [`LANGUAGES`], its primary subtag in lower case. `None`: there is none in that
/// language, or nobody gets such a message that way.
pub fn built_in(channel: Channel, slug: Slug, tag: &str) -> Option<Text> {
    let (language, at) = (language(tag)?, slug as usize);
    let plain = |body: &&'static str| Text { subject: "", body };
    match channel {
        Channel::Sms => language.sms.get(at).map(plain),
        Channel::Voice => language.voice.get(at).map(plain),
        Channel::Email => language.email.get(at).copied(),
    }
}

/// What has changed, for `{{change}}`: a sentence without its full stop, itself with `{{app.name}}`, and with
/// `{{factor_name}}` behind the factor, which is empty or the name in brackets with a space before it.
pub fn change(tag: &str, change: &Change) -> &'static str {
    let language = language(tag).unwrap_or(&en::ENGLISH);
    let (list, at): (&[&str], usize) = match change {
        Change::Added { factor, .. } => (&language.added, factor_index(factor)),
        Change::Removed { factor, .. } => (&language.removed, factor_index(factor)),
        Change::Reset => (&language.changed, 0),
        Change::RecoveryCodesReplaced => (&language.changed, 1),
        Change::PasswordChanged => (&language.changed, 2),
        Change::EmailChanged => (&language.changed, 3),
        Change::PhoneChanged => (&language.changed, 4),
        Change::EmailStoodIn => (&language.changed, 5),
        Change::RecoveryCodeStoodIn => (&language.changed, 6),
        Change::SignUpTried => (&language.changed, 7),
    };
    list.get(at).copied().unwrap_or_default()
}

fn factor_index(factor: &str) -> usize {
    ["phone", "email", "totp", "passkey", "password", "recovery_codes"]
        .iter()
        .position(|kind| *kind == factor)
        .unwrap_or(6)
}

/// What to do about a change, for `{{advice}}`: a sentence or two for an SMS, paragraphs for an e-mail; with `{{app.name}}`.
pub fn advice(tag: &str, channel: Channel, change: &Change) -> &'static str {
    let at = usize::from(*change == Change::SignUpTried) + if channel == Channel::Email { 2 } else { 0 };
    language(tag).unwrap_or(&en::ENGLISH).advice.get(at).copied().unwrap_or_default()
}

/// A moment, for `{{time}}` and `{{expires_at}}`: `22 November 2026, 01:27 UTC` in English, `2026-11-22 01:27 UTC` elsewhere.
pub fn moment(tag: &str, when: Timestamp) -> String {
    let moment =
        time::OffsetDateTime::from_unix_timestamp(when.millis() / 1000).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (moment.year(), moment.month(), moment.day());
    let (hour, minute) = (moment.hour(), moment.minute());
    if tag == "en" {
        format!("{day} {month} {year}, {hour:02}:{minute:02} UTC")
    } else {
        format!("{year}-{:02}-{day:02} {hour:02}:{minute:02} UTC", u8::from(month))
    }
}

#[cfg(test)]
mod tests;
