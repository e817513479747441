//! `/v1/sms-templates`, `/v1/voice-templates`, `/v1/email-templates`: what messages say, who sends and who delivers them.

use serde_json::{Map, Value, json};

use super::{
    Run,
    parts::{self, number},
};
use crate::{
    api_key::Scope,
    http::{
        Call, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::{Answer, Failure},
    },
    message::Channel,
    schema::{Field, Form, Shape, field},
    template::{
        Slug, Templates,
        change::{self, Edit, Edited, check, default_locale, locales, revert, shown},
        locale::is_right_to_left,
        preview::{Ask, preview},
        render::MOST,
        write::placeholders,
    },
};

const READ: Auth = Auth::Key(Scope::InstanceRead);
const WRITE: Auth = Auth::Key(Scope::InstanceWrite);
const ONE: Gives = Gives::One("Template", shapes::TEMPLATE);

const LOCALE: Field =
    field("locale", Shape::Text(35), "The language of the text, BCP 47; default the instance's (`messages.locale`)")
        .example(r#""en""#);
const BODY: Field = field(
    "body",
    Shape::Prose(MOST),
    "The text, with `{{placeholders}}`; an unknown one is nothing. `null` goes back to the built-in text",
)
.nullable()
.example(r#""{{otp_code}} is your code for {{app.name}}.\n\n{{origin_binding}}""#);
const GREETING: Field = field(
    "body",
    Shape::Prose(400),
    "What a call says first, who calls and why; without the code, which comes after it. `null` goes back to the built-in text",
)
.nullable()
.example(r#""Hello. This is {{app.name}} with your code.""#);
const SUBJECT: Field = field("subject", Shape::Text(200), "The subject; `null` goes back to the built-in one")
    .nullable()
    .example(r#""{{otp_code}} is your code""#);
const SENDER: Field = field(
    "from_number_override",
    Shape::Text(16),
    "Who sends, in every language, instead of the driver's sender; a Messaging Service takes no heed of it",
)
.nullable()
.example(r#""+15005550006""#);
const BY_US: Field = field(
    "delivered_by_us",
    Shape::Boolean,
    "`false`: no carrier gets messages of it; the event `<channel>.queued` has their text, and you deliver them",
)
.nullable()
.example("true");
const TO: Field =
    field("to", Shape::Text(20), "The number it would go to, for its `cost_class`").example(r#""+14155552671""#);

const SMS: &[Field] = &[LOCALE, BODY, SENDER, BY_US];
const VOICE: &[Field] = &[LOCALE, GREETING, SENDER, BY_US];
const EMAIL: &[Field] = &[LOCALE, SUBJECT, BODY, BY_US];
const TRY_SMS: &[Field] = &[LOCALE, BODY, TO];
const TRY_VOICE: &[Field] = &[LOCALE, GREETING, TO];
const TRY_EMAIL: &[Field] = &[LOCALE, SUBJECT, BODY];

macro_rules! routes {
    ($channel:ident, $name:literal, $path:literal, $of:literal, $fields:ident, $try:ident) => {
        &[
            (
                Operation {
                    auth: READ,
                    gives: Gives::Page("Template", shapes::TEMPLATE),
                    ..operation("GET", $path, concat!("list", $name, "Templates"), "Templates", concat!("List the texts of ", $of))
                },
                Run::Keyed(|call| Box::pin(list(call, Channel::$channel))),
            ),
            (
                Operation {
                    auth: READ,
                    gives: ONE,
                    ..operation("GET", concat!($path, "/{slug}"), concat!("get", $name, "Template"), "Templates", concat!("Read a text of ", $of))
                },
                Run::Keyed(|call| Box::pin(get(call, Channel::$channel))),
            ),
            (
                Operation {
                    description: "What is left out stays. It holds at once.",
                    auth: WRITE,
                    body: Some($fields),
                    example: r#"{"locale": "en", "body": null, "delivered_by_us": true}"#,
                    gives: ONE,
                    ..operation("PATCH", concat!($path, "/{slug}"), concat!("update", $name, "Template"), "Templates", concat!("Change a text of ", $of))
                },
                Run::Keyed(|call| Box::pin(update(call, Channel::$channel))),
            ),
            (
                Operation {
                    description: "Goes back to the built-in text, in one language or in all. Who sends and who delivers stays.",
                    auth: WRITE,
                    body: Some(&[LOCALE]),
                    body_optional: true,
                    example: r#"{"locale": "en"}"#,
                    gives: ONE,
                    ..operation("POST", concat!($path, "/{slug}/revert"), concat!("revert", $name, "Template"), "Templates", concat!("Go back to the built-in text of ", $of))
                },
                Run::Keyed(|call| Box::pin(go_back(call, Channel::$channel))),
            ),
            (
                Operation {
                    description: "With made-up values, of the text there is or of the one given. Nothing is sent or stored.",
                    auth: READ,
                    body: Some($try),
                    body_optional: true,
                    example: r#"{"locale": "es"}"#,
                    gives: Gives::One("TemplatePreview", shapes::TEMPLATE_PREVIEW),
                    ..operation("POST", concat!($path, "/{slug}/preview"), concat!("preview", $name, "Template"), "Templates", concat!("See what a text of ", $of, " looks like and costs"))
                },
                Run::Keyed(|call| Box::pin(show(call, Channel::$channel))),
            ),
        ]
    };
}

pub(super) const OF_SMS: &[(Operation, Run)] = routes!(Sms, "Sms", "/v1/sms-templates", "SMS", SMS, TRY_SMS);
pub(super) const OF_VOICE: &[(Operation, Run)] =
    routes!(Voice, "Voice", "/v1/voice-templates", "calls", VOICE, TRY_VOICE);
pub(super) const OF_EMAIL: &[(Operation, Run)] =
    routes!(Email, "Email", "/v1/email-templates", "e-mails", EMAIL, TRY_EMAIL);

async fn list(call: Call, channel: Channel) -> Answer {
    current(&call).await?;
    let slugs = Slug::ALL.into_iter().filter(|slug| slug.goes_by(channel));
    let data: Vec<Value> =
        slugs.map(|slug| template(&call, &call.context.snapshot().templates, channel, slug)).collect();
    Ok(Reply::json(200, &json!({"data": data, "next_cursor": null})))
}

async fn get(call: Call, channel: Channel) -> Answer {
    let slug = slug(&call, channel)?;
    current(&call).await?;
    Ok(Reply::json(200, &template(&call, &call.context.snapshot().templates, channel, slug)))
}

async fn update(call: Call, channel: Channel) -> Answer {
    let slug = slug(&call, channel)?;
    let edited = change::edit(&call.context, channel, slug, edit(&call.form)).await?;
    edited_view(&call, channel, slug, edited)
}

async fn go_back(call: Call, channel: Channel) -> Answer {
    let slug = slug(&call, channel)?;
    let edited = revert(&call.context, channel, slug, call.form.text("locale")).await?;
    edited_view(&call, channel, slug, edited)
}

async fn show(call: Call, channel: Channel) -> Answer {
    let slug = slug(&call, channel)?;
    let form = &call.form;
    parts::locale(form)?;
    let errors = check(channel, slug, &edit(form));
    if !errors.is_empty() {
        return Err(Problem::form(errors).into());
    }
    let text = |name| form.text(name).map(str::to_owned);
    let ask = Ask {
        channel,
        slug,
        locale: text("locale"),
        body: text("body"),
        subject: text("subject"),
        to: form.text("to").map(|to| number(&call.context, "to", to)).transpose()?,
    };
    current(&call).await?;
    let shown = preview(&call.context, &ask);
    let mut view = json!({
        "locale": shown.written.locale,
        "body": shown.written.body,
        "characters": shown.characters,
        "right_to_left": is_right_to_left(&shown.written.locale),
    });
    let more = [
        ("subject", shown.written.subject.map(Value::from)),
        ("html", shown.written.html.map(Value::from)),
        ("encoding", shown.sms.map(|(encoding, _)| encoding.as_str().into())),
        ("segments", shown.sms.map(|(_, segments)| segments.into())),
        ("cost_class", shown.cost_class.map(Value::from)),
    ];
    if let Some(view) = view.as_object_mut() {
        view.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    Ok(Reply::json(200, &view))
}

/// The guard alone: what the isolate remembers is current, or it is read again.
async fn current(call: &Call) -> Result<(), Failure> {
    call.context.decide(vec![crate::settings::current()]).await?;
    Ok(())
}

fn slug(call: &Call, channel: Channel) -> Result<Slug, Problem> {
    call.id("slug", |name| Slug::parse(name).filter(|slug| slug.goes_by(channel)), "template")
}

/// What the body says of a template.
fn edit(form: &Form) -> Edit {
    let text = |name| match form.text(name) {
        Some(text) => Some(Some(text.to_owned())),
        None => form.is_null(name).then_some(None),
    };
    Edit {
        locale: form.text("locale").map(str::to_owned),
        subject: text("subject"),
        body: text("body"),
        from_number_override: text("from_number_override"),
        delivered_by_us: match form.flag("delivered_by_us") {
            Some(flag) => Some(Some(flag)),
            None => form.is_null("delivered_by_us").then_some(None),
        },
    }
}

fn edited_view(call: &Call, channel: Channel, slug: Slug, edited: Edited) -> Answer {
    let templates = edited.map_err(Problem::form)?;
    Ok(Reply::json(200, &template(call, &templates, channel, slug)))
}

fn template(call: &Call, templates: &Templates, channel: Channel, slug: Slug) -> Value {
    let is_mail = channel == Channel::Email;
    let text = |tag: &str| shown(templates, channel, slug, tag);
    let mut texts = Map::new();
    for tag in locales(templates, channel, slug) {
        let Some((subject, body, is_default)) = text(&tag) else { continue };
        let mut one = json!({"body": body, "is_default": is_default});
        if let (true, Some(one)) = (is_mail, one.as_object_mut()) {
            one.insert("subject".to_owned(), subject.into());
        }
        texts.insert(tag, one);
    }
    // What who names no language gets.
    let tag = default_locale(&call.context);
    let found = crate::template::locale::find(templates, channel, slug, &[&tag]);
    let mut view = json!({
        "slug": slug.as_str(),
        "channel": channel.as_str(),
        "delivered_by_us": templates.delivered_by_us(channel, slug),
        "body": found.body,
        "locales": texts,
        "placeholders": placeholders(channel, slug),
    });
    let own = if is_mail {
        ("subject", found.subject.into())
    } else {
        ("from_number_override", templates.from_number_override(channel, slug).into())
    };
    if let Some(view) = view.as_object_mut() {
        view.insert(own.0.to_owned(), own.1);
    }
    view
}
