//! What an operator writes instead of a built-in text, and going back to it. The batch is guarded by the settings' version
//! and raises it: of two changes at once the second one is done again on top of the first, and both hold everywhere at once.

use serde_json::json;

use super::{
    Slug, Stored, Templates,
    locale::{self, canonical},
    render::names,
    store,
};
use crate::{
    config::is_sender,
    context::Context,
    event::{self, Event, EventType, When},
    message::{Channel, speech::Voice},
    phone::is_e164_form,
    ports::{DatabaseError, Statement},
    schema::{FieldCode, FieldError},
    settings,
};

/// In how many languages a template may have texts of its own.
const MOST_LOCALES: usize = 40;

/// A change of a template; the outer `None` leaves a thing as it is, the inner one goes back to what is built in.
#[derive(Clone, Default)]
pub struct Edit {
    /// The language of the text, BCP 47; without it the instance's.
    pub locale: Option<String>,
    /// An e-mail's subject.
    pub subject: Option<Option<String>>,
    /// The text.
    pub body: Option<Option<String>>,
    /// Who sends, in every language.
    pub from_number_override: Option<Option<String>>,
    /// Whether Postern gives messages to a carrier, in every language.
    pub delivered_by_us: Option<Option<bool>>,
}

/// What became of a change: everything that is written by then, or what is wrong with it.
pub type Edited = Result<Templates, Vec<FieldError>>;

/// The language that is meant where none is named: the instance's.
pub fn default_locale(context: &Context) -> String {
    context.settings().message_locale.clone().unwrap_or_else(|| "en".to_owned())
}

/// Changes a template. What is not named stays.
pub async fn edit(context: &Context, channel: Channel, slug: Slug, edit: Edit) -> Result<Edited, DatabaseError> {
    let errors = check(channel, slug, &edit);
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let mut templates = Templates::clone(&context.snapshot().templates);
    let (mut batch, mut fields) = (Vec::new(), Vec::new());
    let locale = edit.locale.as_deref().and_then(canonical).unwrap_or_else(|| default_locale(context));
    if edit.body.is_some() || edit.subject.is_some() {
        match text(&templates, channel, slug, &locale, &edit) {
            Err(error) => return Ok(Err(vec![error])),
            Ok(change) => apply(context, &mut templates, &mut batch, (channel, slug, &locale), change),
        }
        fields.extend(edit.body.is_some().then_some("body"));
        fields.extend(edit.subject.is_some().then_some("subject"));
    }
    if edit.from_number_override.is_some() || edit.delivered_by_us.is_some() {
        fields.extend(edit.from_number_override.is_some().then_some("from_number_override"));
        fields.extend(edit.delivered_by_us.is_some().then_some("delivered_by_us"));
        let mut row = templates.stored(channel, slug, "").cloned().unwrap_or_else(|| empty(channel, slug, ""));
        row.from_number_override = edit.from_number_override.unwrap_or(row.from_number_override);
        row.delivered_by_us = edit.delivered_by_us.unwrap_or(row.delivered_by_us);
        let says = row.from_number_override.is_some() || row.delivered_by_us.is_some();
        apply(context, &mut templates, &mut batch, (channel, slug, ""), says.then_some(row));
    }
    decide(context, channel, slug, batch, &locale, &fields).await?;
    Ok(Ok(templates))
}

/// Goes back to the built-in text, in one language or in all. Who sends and who delivers stays.
pub async fn revert(
    context: &Context,
    channel: Channel,
    slug: Slug,
    locale: Option<&str>,
) -> Result<Edited, DatabaseError> {
    let Some(wanted) = locale.map(canonical).map_or(Some(None), |tag| tag.map(Some)) else {
        return Ok(Err(vec![no_tag()]));
    };
    let mut templates = Templates::clone(&context.snapshot().templates);
    let written: Vec<String> = templates
        .of(channel, slug)
        .filter(|row| row.body.is_some() && wanted.as_ref().is_none_or(|wanted| *wanted == row.locale))
        .map(|row| row.locale.clone())
        .collect();
    let mut batch = Vec::new();
    for locale in &written {
        apply(context, &mut templates, &mut batch, (channel, slug, locale), None);
    }
    decide(context, channel, slug, batch, &written.join(","), &["body", "subject"]).await?;
    Ok(Ok(templates))
}

/// The row of a text as it will be; `None`: there will be none.
fn text(
    templates: &Templates,
    channel: Channel,
    slug: Slug,
    tag: &str,
    edit: &Edit,
) -> Result<Option<Stored>, FieldError> {
    let wrong = |field, detail| Err(FieldError::new(field, FieldCode::Value, detail));
    if channel == Channel::Voice && !Voice::speaks(tag) {
        return wrong("locale", "no voice speaks this language");
    }
    let before = templates.stored(channel, slug, tag);
    let built_in = || super::texts::built_in(channel, slug, tag).map(|text| text.body.to_owned());
    let body = match &edit.body {
        Some(None) if matches!(edit.subject, Some(Some(_))) => {
            return wrong("subject", "a subject of its own goes with a body of its own");
        }
        Some(None) => return Ok(None),
        Some(Some(body)) => body.replace("\r\n", "\n"),
        None => match before.and_then(|row| row.body.clone()).or_else(built_in) {
            Some(body) => body,
            None => return wrong("body", "there is no built-in text in this language: a body is wanted too"),
        },
    };
    let texts = templates.of(channel, slug).filter(|row| row.body.is_some());
    if before.is_none() && texts.count() >= MOST_LOCALES {
        return wrong("locale", "this template has texts in as many languages as it may: revert one");
    }
    let subject = edit.subject.clone().unwrap_or_else(|| before.and_then(|row| row.subject.clone()));
    Ok(Some(Stored { subject, body: Some(body), ..empty(channel, slug, tag) }))
}

fn empty(channel: Channel, slug: Slug, locale: &str) -> Stored {
    Stored {
        channel,
        slug,
        locale: locale.to_owned(),
        subject: None,
        body: None,
        from_number_override: None,
        delivered_by_us: None,
    }
}

fn apply(
    context: &Context,
    templates: &mut Templates,
    batch: &mut Vec<Statement>,
    (channel, slug, locale): (Channel, Slug, &str),
    row: Option<Stored>,
) {
    if let Some(row) = row {
        batch.push(store::put(&row, context.now()));
        templates.put(row);
    } else {
        batch.push(store::remove(channel, slug, locale));
        templates.remove(channel, slug, locale);
    }
}

async fn decide(
    context: &Context,
    channel: Channel,
    slug: Slug,
    mut batch: Vec<Statement>,
    locale: &str,
    fields: &[&str],
) -> Result<(), DatabaseError> {
    if batch.is_empty() {
        // Nothing changes; that this isolate knows the texts as they are is asked all the same.
        batch.push(settings::current());
    } else {
        let subject = format!("{}/{}", channel.as_str(), slug.as_str());
        let event = Event::new(EventType::TemplateUpdated, subject).data(json!({"channel": channel.as_str(),
            "template": slug.as_str(), "locale": locale, "fields": fields}));
        batch.extend([store::new_version(context.now()), event::store::write(context, event, When::Always)]);
    }
    context.decide(batch).await.map(|_| ())
}

/// Everything that is wrong with a change, or with a text to preview.
pub fn check(channel: Channel, slug: Slug, edit: &Edit) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, detail: &str| errors.push(FieldError::new(field, FieldCode::Value, detail));
    if edit.locale.as_deref().is_some_and(|tag| canonical(tag).is_none()) {
        wrong("locale", NO_TAG);
    }
    if let Some(Some(body)) = &edit.body
        && let Some(detail) = wrong_body(channel, slug, body)
    {
        wrong("body", detail);
    }
    if let Some(Some(sender)) = &edit.from_number_override {
        match channel {
            Channel::Voice if !is_e164_form(sender) => {
                wrong("from_number_override", "a number in E.164 form is wanted, like +15005550006");
            }
            Channel::Sms if !is_sender(sender) => {
                wrong(
                    "from_number_override",
                    "a number in E.164 form, a short code, or a name of at most 11 letters and digits is wanted",
                );
            }
            _ => {}
        }
    }
    if edit.delivered_by_us == Some(Some(false)) && slug == Slug::Invitation {
        wrong("delivered_by_us", "an invitation's link is kept nowhere, so nobody else can be given it later");
    }
    errors
}

/// What is wrong with a text: a message without its code or link is worth nothing, and a greeting is heard by mailboxes.
fn wrong_body(channel: Channel, slug: Slug, body: &str) -> Option<&'static str> {
    let names = names(body);
    let has = |name: &str| names.contains(&name);
    match (channel, slug) {
        (Channel::Voice, _) if has("otp_code") => {
            Some("a mailbox hears the greeting, so {{otp_code}} may not be in it: the code is told after it")
        }
        (Channel::Sms | Channel::Email, slug) if slug.has_code() && !has("otp_code") => {
            Some("{{otp_code}} is missing: without it nobody gets the code")
        }
        (_, Slug::Invitation) if !has("link") => {
            Some("{{link}} is missing: without it nobody can follow the invitation")
        }
        _ if body.trim().is_empty() => Some("it is empty"),
        _ => None,
    }
}

const NO_TAG: &str = "a language tag like pt-BR is wanted";

fn no_tag() -> FieldError {
    FieldError::new("locale", FieldCode::Value, NO_TAG)
}

/// Every language that a template has a text in: the built-in ones, then what the operator has added.
pub fn locales(templates: &Templates, channel: Channel, slug: Slug) -> Vec<String> {
    let built_in = super::texts::LANGUAGES.into_iter();
    let mut all: Vec<String> =
        built_in.filter(|tag| super::texts::built_in(channel, slug, tag).is_some()).map(str::to_owned).collect();
    let written = templates.of(channel, slug).filter(|row| row.body.is_some()).map(|row| row.locale.clone());
    for tag in written {
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    all
}

/// The text in exactly this language: subject, body, and whether it is the built-in one.
pub fn shown(templates: &Templates, channel: Channel, slug: Slug, tag: &str) -> Option<(String, String, bool)> {
    let is_default = templates.stored(channel, slug, tag).is_none_or(|row| row.body.is_none());
    locale::of(templates, channel, slug, tag)
        .map(|(_, subject, body)| (subject.to_owned(), body.to_owned(), is_default))
}
