//! `/openapi.json`, and `/docs` to read it: one page from the same operations, nothing from another host.

use std::{future::ready, sync::OnceLock};

use askama::Template;

use super::Run;
use crate::{
    http::{
        Code, Incoming, Reply,
        contract::{Auth, Gives, Operation, openapi, operation},
        problem::Problem,
        reply::{Answer, Failure},
    },
    schema::{Field, Shape},
};

const TAG: &str = "Public";

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            gives: Gives::Other("application/json"),
            ..operation("GET", "/openapi.json", "getOpenApi", TAG, "This contract as OpenAPI 3.1")
        },
        Run::Open(|_| Box::pin(ready(Ok(document())))),
    ),
    (
        Operation {
            gives: Gives::Other("text/html"),
            ..operation("GET", "/docs", "getDocs", TAG, "This contract as a page")
        },
        Run::Open(|incoming| Box::pin(ready(page(&incoming)))),
    ),
    (
        Operation {
            gives: Gives::Other("text/css"),
            ..operation("GET", "/assets/postern.css", "getStyles", TAG, "The pages' styles")
        },
        Run::Open(|_| Box::pin(ready(Ok(styles())))),
    ),
];

/// What a page may load: nothing but our own styles.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page for people.
pub(super) fn html(template: &impl Template) -> Answer {
    let body =
        template.render().map_err(|_| Failure::from(Problem::new(Code::Internal, "the page cannot be written")))?;
    Ok(Reply::html(body).header("content-security-policy", POLICY))
}

fn document() -> Reply {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let body = DOCUMENT.get_or_init(|| openapi(&super::operations()).to_string()).clone();
    let reply = Reply { status: 200, media: "application/json", body, headers: Vec::new() };
    reply.header("access-control-allow-origin", "*").header("cache-control", "public, max-age=300")
}

fn styles() -> Reply {
    let body = include_str!("../../../templates/postern.css").to_owned();
    let reply = Reply { status: 200, media: "text/css; charset=utf-8", body, headers: Vec::new() };
    reply.header("cache-control", "public, max-age=300")
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs {
    dev_tools: bool,
    version: &'static str,
    operations: Vec<Described>,
    problems: Vec<Listed>,
}

struct Described {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    description: &'static str,
    access: String,
    idempotent: bool,
    query: Vec<Row>,
    body: Vec<Row>,
    example: &'static str,
    status: u16,
    gives: Vec<Row>,
    codes: Vec<&'static str>,
}

struct Row {
    path: String,
    form: String,
    meaning: &'static str,
}

struct Listed {
    code: &'static str,
    status: u16,
    title: &'static str,
    remedy: &'static str,
}

fn page(incoming: &Incoming) -> Answer {
    let operations = super::operations().into_iter().filter(|operation| operation.auth != Auth::Development);
    html(&Docs {
        dev_tools: incoming.dev_tools,
        version: env!("CARGO_PKG_VERSION"),
        operations: operations.map(|operation| describe(&operation)).collect(),
        problems: Code::ALL
            .iter()
            .map(|code| Listed {
                code: code.as_str(),
                status: code.status(),
                title: code.title(),
                remedy: code.remedy(),
            })
            .collect(),
    })
}

fn describe(operation: &Operation) -> Described {
    let (gives, prefix) = match operation.gives {
        Gives::One(_, fields) | Gives::Either(_, fields, ..) => (fields, ""),
        Gives::Page(_, fields) => (fields, "data[]."),
        Gives::List(_, fields) => (fields, "[]."),
        Gives::Nothing | Gives::Other(_) => (&[] as &[Field], ""),
    };
    Described {
        id: operation.id,
        method: operation.method,
        path: operation.path,
        summary: operation.summary,
        description: operation.description,
        access: match operation.auth {
            Auth::Key(scope) => format!("Server key with the scope {}.", scope.as_str()),
            Auth::Embedded => "Open to the pages and phones of an app.".to_owned(),
            Auth::Flow => "With the flow's token.".to_owned(),
            Auth::User => "With the access token of the person who is signed in.".to_owned(),
            Auth::Carrier => "Called by the carrier, by its signature.".to_owned(),
            Auth::Client => "An app, by its secret, a code's verifier or a refresh token. The body is a form; errors are RFC 6749's.".to_owned(),
            Auth::Public | Auth::Development => "Open to anybody.".to_owned(),
        },
        idempotent: operation.idempotent,
        query: rows(operation.query, ""),
        body: rows(operation.body.unwrap_or_default(), ""),
        example: operation.example,
        status: operation.status,
        gives: rows(gives, prefix),
        codes: operation.codes().into_iter().map(Code::as_str).collect(),
    }
}

fn rows(fields: &'static [Field], prefix: &str) -> Vec<Row> {
    fields
        .iter()
        .flat_map(|field| {
            let path = format!("{prefix}{}", field.name);
            let nested = match field.shape {
                Shape::Object(fields) => rows(fields, &format!("{path}.")),
                Shape::List(Shape::Object(fields), _) => rows(fields, &format!("{path}[].")),
                _ => Vec::new(),
            };
            let mut form = form(field.shape);
            if field.required {
                form.push_str(", always");
            }
            if field.nullable {
                form.push_str(", or null");
            }
            std::iter::once(Row { path, form, meaning: field.meaning }).chain(nested)
        })
        .collect()
}

fn form(shape: Shape) -> String {
    match shape {
        Shape::Text(max) | Shape::Prose(max) => format!("text up to {max}"),
        Shape::Id(prefix) => format!("{prefix}…"),
        Shape::Integer(min, max) if max > 1_000_000 => format!("number from {min}"),
        Shape::Integer(min, max) => format!("number {min} to {max}"),
        Shape::Share => "number 0 to 1".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::OneOf(choices) => choices.join(", "),
        Shape::Timestamp => "date and time".to_owned(),
        Shape::Object(_) | Shape::Anything => "object".to_owned(),
        Shape::List(item, max) => format!("list up to {max} of {}", form(*item)),
        Shape::Texts(max) => format!("object of up to {max} texts"),
        Shape::Credential(max) => format!("secret, 1 to {max} characters"),
    }
}
