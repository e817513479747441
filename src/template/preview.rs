//! What a message of a template would look like, and what it would cost, with made-up values. Nothing is written or sent.

use std::{borrow::Cow, time::Duration};

use super::{
    Brief, Slug, Written,
    change::default_locale,
    locale::{Found, find},
    write::fill,
};
use crate::{
    context::Context,
    crypto::Code,
    message::{
        Channel, Encoding,
        notice::Change,
        prepare::price,
        segments,
        speech::{Script, Voice},
        units,
    },
    phone::PhoneNumber,
};

/// What to show.
pub struct Ask {
    /// How it would go.
    pub channel: Channel,
    /// The template.
    pub slug: Slug,
    /// The language asked for; without it the instance's.
    pub locale: Option<String>,
    /// A text to try instead of the one there is.
    pub body: Option<String>,
    /// An e-mail's subject to try.
    pub subject: Option<String>,
    /// The number it would go to.
    pub to: Option<PhoneNumber>,
}

/// How a message would look.
pub struct Preview {
    /// Its words; of a call everything that is said.
    pub written: Written,
    /// How an SMS is encoded, and how many it costs.
    pub sms: Option<(Encoding, u32)>,
    /// How long it is: of an SMS as its encoding counts.
    pub characters: usize,
    /// What it would cost to the number, where one is given.
    pub cost_class: Option<&'static str>,
}

/// How far ahead the made-up invitation ends.
const WEEK: Duration = Duration::from_hours(7 * 24);

/// Writes a message with made-up values.
pub fn preview(context: &Context, ask: &Ask) -> Preview {
    let Ask { channel, slug, locale, body, subject, to } = ask;
    let (channel, slug, config) = (*channel, *slug, context.config());
    let instance = default_locale(context);
    let locales = [locale.as_deref().unwrap_or(&instance), instance.as_str()];
    let templates = &context.snapshot().templates;
    let mut text = find(templates, channel, slug, &locales);
    if let Some(body) = body {
        // Of the language that was asked for, whether there is a text in it or not.
        let locale = locale.as_deref().unwrap_or(&instance);
        text = Found { asked: Cow::Borrowed(locale), locale: Cow::Borrowed(locale), body, ..text };
    }
    if let Some(subject) = subject {
        text.subject = subject;
    }
    let digits = "1234567890".get(..context.settings().code_length.digits()).unwrap_or_default();
    let code = Code::parse(digits);
    let url = config.public_url.as_deref().unwrap_or("https://app.example.com");
    let link = format!("{url}/join#invitation=iv_example");
    let change = Change::Added { factor: "passkey".to_owned(), name: Some("Laptop".to_owned()) };
    let brief = Brief {
        locales: &locales,
        code: code.as_ref().filter(|_| slug.has_code()),
        lifetime: context.settings().code_lifetime,
        name: Some("Ana Silva"),
        link: (slug == Slug::Invitation).then_some(link.as_str()),
        change: (slug == Slug::SecurityNotice).then_some(&change),
        when: Some(if slug == Slug::Invitation { context.now() + WEEK } else { context.now() }),
    };
    let mut written = fill(config, channel, slug, &brief, &text);
    if let (Channel::Voice, Some(code)) = (channel, &code) {
        let voice = Voice::of(&written.locale);
        voice.locale().clone_into(&mut written.locale);
        written.body = if context.settings().voice.gate {
            Script::gate(voice, &written.body).to_text() + " " + &Script::code(voice, code).to_text()
        } else {
            Script::greeting_and_code(voice, &written.body, code).to_text()
        };
    }
    let is_sms = channel == Channel::Sms;
    Preview {
        sms: is_sms.then(|| segments(&written.body)),
        characters: if is_sms { units(&written.body).1 } else { written.body.chars().count() },
        cost_class: to.as_ref().map(|number| price(context, number)),
        written,
    }
}
