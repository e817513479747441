//! Development only: the status page `/`, and the dev inbox. Elsewhere these paths do not exist.

use std::time::Duration;

use askama::Template;
use serde_json::{Value, json};

use super::{Run, docs::html, health, parts::found_by};
use crate::{
    config::{Config, EmailDriver, SmsDriver, VARIABLES},
    http::{
        Call, Incoming, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        reply::Answer,
    },
    ids::MessageId,
    message::store,
    ports::Row,
    schema::{Field, Shape, field},
    settings::Delivery,
    time::Timestamp,
};

const TAG: &str = "Development";
const AUTH: Auth = Auth::Development;
const FIND: &[Field] = &[field("to", Shape::Text(254), "Messages meant for this number or address")];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            auth: AUTH,
            gives: Gives::Other("text/html"),
            ..operation("GET", "/", "getStatus", TAG, "Status page")
        },
        Run::Open(|incoming| Box::pin(status(incoming))),
    ),
    (
        Operation {
            auth: AUTH,
            query: FIND,
            gives: Gives::Other("text/html"),
            ..operation("GET", "/dev/inbox", "getInbox", TAG, "Every message of the last 24 hours")
        },
        Run::Keyed(|call| Box::pin(inbox(call))),
    ),
    (
        Operation {
            description: "As a mail program shows it; nothing in it can run, load or lead anywhere.",
            auth: AUTH,
            gives: Gives::Other("text/html"),
            ..operation("GET", "/dev/inbox/{id}", "getInboxMail", TAG, "The HTML of an e-mail")
        },
        Run::Keyed(|call| Box::pin(mail(call))),
    ),
    (
        Operation {
            auth: AUTH,
            query: FIND,
            gives: Gives::List("InboxEntry", shapes::INBOX_ENTRY),
            ..operation("GET", "/dev/inbox.json", "getInboxJson", TAG, "The same as JSON")
        },
        Run::Keyed(|call| Box::pin(inbox_json(call))),
    ),
];

struct Entry {
    id: String,
    channel: String,
    to: String,
    intended_to: String,
    subject: String,
    body: String,
    code: String,
    template: String,
    driver: String,
    status: String,
    created_at: String,
    has_html: bool,
}

async fn entries(call: &Call) -> Result<Vec<Entry>, crate::http::reply::Failure> {
    let context = &call.context;
    let to = call.query.text("to").map(|typed| found_by(context, "to", typed)).transpose()?;
    let from = MessageId::floor(context.now().before(Duration::from_hours(24)));
    let statement = store::inbox(from.as_str(), to.as_ref().map(crate::message::Destination::as_str));
    let answer = context.decide(vec![statement]).await?;
    Ok(answer.first().map(Vec::as_slice).unwrap_or_default().iter().map(entry).collect())
}

fn entry(row: &Row) -> Entry {
    let text = |column| row.opt_text(column).unwrap_or_default().to_owned();
    let intended_to = text("destination");
    Entry {
        id: text("id"),
        channel: text("channel"),
        to: row.opt_text("redirected_to").map_or_else(|| intended_to.clone(), str::to_owned),
        intended_to,
        subject: text("subject"),
        body: text("body"),
        code: text("code"),
        template: text("template"),
        driver: text("driver"),
        status: text("status"),
        created_at: Timestamp::from_millis(row.opt_int("created_at").unwrap_or(0)).to_string(),
        has_html: row.flag("has_html"),
    }
}

/// A text, or null where there is none.
fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

async fn inbox_json(call: Call) -> Answer {
    let entries: Vec<Value> = entries(&call)
        .await?
        .iter()
        .map(|entry| {
            json!({"id": entry.id, "channel": entry.channel, "to": entry.to, "intended_to": entry.intended_to,
                "subject": some(&entry.subject), "body": entry.body, "code": some(&entry.code), "template": entry.template, "driver": entry.driver, "status": entry.status,
                "created_at": entry.created_at})
        })
        .collect();
    Ok(Reply::json(200, &Value::from(entries)))
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    dev_tools: bool,
    entries: Vec<Entry>,
}

async fn inbox(call: Call) -> Answer {
    html(&Inbox { dev_tools: true, entries: entries(&call).await? })
}

/// What an e-mail may do when it is looked at: have its own style.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

async fn mail(call: Call) -> Answer {
    let id = call.id("id", MessageId::parse, "message")?;
    let answer = call.context.decide(vec![store::mail(&id)]).await?;
    let row = answer.first().and_then(|rows| rows.first());
    let html = row.and_then(|row| row.opt_text("html")).ok_or_else(|| Problem::not_found("e-mail"))?;
    Ok(Reply::html(html.to_owned()).header("content-security-policy", MAIL_POLICY))
}

#[derive(Template)]
#[template(path = "status.html")]
struct Status {
    dev_tools: bool,
    version: &'static str,
    environment: &'static str,
    origin: String,
    destination: String,
    checks: Vec<Check>,
    variables: Vec<Listed>,
}

struct Check {
    name: &'static str,
    good: bool,
    text: String,
}

fn check(name: &'static str, result: Result<(), String>, good: &str) -> Check {
    let (good, text) = match result {
        Ok(()) => (true, good.to_owned()),
        Err(detail) => (false, detail),
    };
    Check { name, good, text }
}

struct Listed {
    name: &'static str,
    state: String,
    class: &'static str,
    meaning: String,
}

/// What carries e-mail, or what is missing for it.
fn email(config: &Config, delivery: &Delivery) -> Check {
    let drivers = delivery.email();
    let text = match drivers.as_deref().map(<[EmailDriver]>::first) {
        Err(issue) => return Check { name: "E-mail", good: false, text: issue.detail.clone() },
        Ok(None | Some(EmailDriver::Null)) => "driver null".to_owned(),
        Ok(Some(driver)) if config.email.dev_receiver.is_none() => {
            let text = format!("driver {}: it needs DEV_EMAIL_RECEIVER outside prod", driver.name());
            return Check { name: "E-mail", good: false, text };
        }
        Ok(Some(driver)) => format!("driver {}, to DEV_EMAIL_RECEIVER", driver.name()),
    };
    Check { name: "E-mail", good: true, text }
}

/// Works whatever is missing: it is the page that says what.
async fn status(incoming: Incoming) -> Answer {
    let app = &incoming.app;
    let config = &app.config;
    let read = health::instance(&incoming).await;
    let (database, delivery) = match read {
        Ok(snapshot) => (Ok(()), snapshot.settings.delivery.clone()),
        Err(detail) => (Err(detail), Delivery::effective(&serde_json::Value::Null, config)),
    };
    let driver = delivery.sms_driver();
    let destination = match (driver, &config.dev_sms_receiver) {
        (Some(SmsDriver::Null), _) => "to the dev inbox only (driver null)".to_owned(),
        (Some(driver), Some(_)) => format!("through {} to DEV_SMS_RECEIVER", driver.name()),
        (Some(driver), None) => format!("nowhere: {} needs DEV_SMS_RECEIVER outside prod", driver.name()),
        (None, _) => "nowhere: no driver is configured".to_owned(),
    };
    let sending = delivery.sms("*");
    let missing_receiver =
        config.dev_sms_receiver.is_none() && driver.is_some_and(|driver| !matches!(driver, SmsDriver::Null));
    let checks = vec![
        check("Database", database, "D1 answers and is migrated"),
        check("Cache", health::cache(&incoming).await, "KV answers"),
        check("Secrets", config.secrets().map(|_| ()).map_err(|issue| issue.detail.clone()), "every key is there"),
        match sending {
            Err(issue) => Check { name: "SMS", good: false, text: issue.detail },
            Ok(_) => Check {
                name: "SMS",
                good: !missing_receiver,
                text: format!("driver {}", driver.map_or("none", SmsDriver::name)),
            },
        },
        email(config, &delivery),
    ];
    let variables = VARIABLES
        .iter()
        .map(|variable| {
            let issue = config.issues().iter().find(|issue| issue.variable == variable.name);
            let (state, class) = match (issue, config.is_set(variable.name), variable.default) {
                (Some(issue), ..) => (issue.detail.clone(), "bad"),
                (None, true, _) => ("set".to_owned(), "good"),
                (None, false, Some(default)) if !default.is_empty() => (format!("default {default}"), ""),
                (None, false, _) => ("not set".to_owned(), ""),
            };
            Listed { name: variable.name, state, class, meaning: variable.meaning.replace('`', "") }
        })
        .collect();
    let host = incoming.header("host").unwrap_or("localhost:8787").to_owned();
    html(&Status {
        dev_tools: true,
        version: env!("CARGO_PKG_VERSION"),
        environment: "development",
        origin: format!("http://{host}"),
        destination,
        checks,
        variables,
    })
}
