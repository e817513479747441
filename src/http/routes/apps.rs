//! `/v1/apps`: clients of the instance: who may call from where, how long tokens live, and each one's own rule for
//! multi-factor authentication where it wants one.

use serde_json::{Map, Value};

use super::{
    Run,
    users::{LIMIT, cursor},
    view,
};
use crate::{
    api_key::Scope,
    app::{
        AppType, Details, MAX_ORIGIN_LENGTH, MAX_REDIRECT_URI_LENGTH, Members, Misfit, Origin, RedirectUri,
        change::{self, Made, Updated},
        tokens::{HELD, SIGNED},
    },
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::{Answer, Failure},
    },
    ids::AppId,
    policy::EmailBackup,
    ports::Algorithm,
    schema::{Field, FieldCode, FieldError, Form, Node, Shape, field},
    secret::Secret,
    settings::{GRACE, SECOND_FACTORS},
    template::locale::canonical,
};

const TAG: &str = "Apps";
const READ: Auth = Auth::Key(Scope::AppsRead);
const WRITE: Auth = Auth::Key(Scope::AppsWrite);
const ONE: Gives = Gives::One("App", shapes::APP);

const RULE: &[Field] = &[
    field(
        "use_instance_policy",
        Shape::Boolean,
        "Whether the instance's policy holds and the rest does not; default: true until anything else is set",
    )
    .nullable(),
    field("required", SECOND_FACTORS, "Each has to be proven; they add up").nullable().example(r#"["totp"]"#),
    field("named_factors", SECOND_FACTORS, "The same, and no passkey stands in for them").nullable(),
    field("enforce_enrolment", SECOND_FACTORS, "With none required: who has no second factor enrols one of these")
        .nullable(),
    field("allow_email_backup", Shape::OneOf(&EmailBackup::NAMES), "When an e-mail code stands in; default `never`")
        .nullable(),
    field("remember_device", Shape::Boolean, "Whether a remembered device stands in; default false").nullable(),
    field("grace", Shape::Object(GRACE), "How long enrolling may be put off; default not at all").nullable(),
];

const MFA: Field = field(
    "mfa",
    Shape::Object(RULE),
    "The app's own rule: it replaces the instance's whole, and what it leaves out is off (`docs/policy.md`)",
)
.nullable();

const fn seconds(name: &'static str, (least, most): (i64, i64), meaning: &'static str) -> Field {
    field(name, Shape::Integer(least, most), meaning).nullable()
}

const TOKENS: Field = field(
    "tokens",
    Shape::Object(&[
        seconds("access_token_seconds", SIGNED, "How long an access token works; it cannot be taken back"),
        seconds("id_token_seconds", SIGNED, "How long an ID token works"),
        seconds("refresh_token_seconds", HELD, "How long a refresh token works; at most as long as the session"),
        seconds(
            "session_idle_seconds",
            HELD,
            "How long a session lives unused; default: with a refresh token as long as that",
        ),
        seconds("session_seconds", HELD, "How long a session lives, used or not; default 30 days"),
        field("algorithm", Shape::OneOf(&Algorithm::NAMES), "How its tokens are signed; default RS256").nullable(),
    ]),
    "Lifetimes and signature of its tokens; what is left out is as the variables say",
)
.nullable();

const TYPE: Field = field(
    "type",
    Shape::OneOf(&AppType::NAMES),
    "`browser` and `native` keep no secret, `web` and `machine` do; a machine signs nobody in. It never changes; default `web`",
);
const NAME: Field = field("name", Shape::Text(60), "What it is called").example(r#""Back office""#);
const REDIRECT_URIS: Field = field(
    "redirect_uris",
    Shape::List(&Shape::Text(MAX_REDIRECT_URI_LENGTH), 50),
    "Where codes may go, compared exactly: https, http on this machine, or a native app's scheme with a dot; a native app's 127.0.0.1 or [::1] takes any port",
)
.nullable()
.example(r#"["https://app.example.com/callback"]"#);
const ORIGINS: Field = field(
    "origins",
    Shape::List(&Shape::Text(MAX_ORIGIN_LENGTH), 50),
    "The pages of a browser or web app that may call: https, or http on this machine",
)
.nullable()
.example(r#"["https://app.example.com"]"#);
const SCOPES: Field = field(
    "scopes",
    Shape::List(&Shape::OneOf(&Scope::NAMES), 20),
    "What a machine's tokens may do; at most what this key may",
)
.nullable();

const LOCALE: Field = field(
    "locale",
    Shape::Text(35),
    "The language of its messages where neither the request nor the user says it (BCP 47); default the instance's",
)
.nullable()
.example(r#""pt-BR""#);
const METADATA: Field =
    field("metadata", Shape::Texts(50), "What you keep with it; the driver `webhook` tells it").nullable();

const CREATE: &[Field] = &[NAME.required(), TYPE, REDIRECT_URIS, ORIGINS, SCOPES, LOCALE, METADATA, TOKENS, MFA];
const UPDATE: &[Field] = &[NAME, REDIRECT_URIS, ORIGINS, SCOPES, LOCALE, METADATA, TOKENS, MFA];

const KEEP: Field = field(
    "keep_old_seconds",
    Shape::Integer(0, 604_800),
    "How long the secret before it works on, so that your servers have time to change; default a day",
);
const DAY: i64 = 86_400;

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            description: "The client secret of a web or machine app is shown in this answer only.",
            auth: WRITE,
            idempotent: true,
            body: Some(CREATE),
            example: r#"{"name": "Back office", "type": "browser", "origins": ["https://app.example.com"], "mfa": {"required": ["totp"]}}"#,
            status: 201,
            gives: ONE,
            refuses: &[&[Code::ResourceNotFound]],
            ..operation("POST", "/v1/apps", "createApp", TAG, "Make an app")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first.",
            auth: READ,
            query: &[LIMIT, cursor("app_")],
            gives: Gives::Page("App", shapes::APP),
            ..operation("GET", "/v1/apps", "listApps", TAG, "List apps")
        },
        Run::Keyed(|call| Box::pin(list_apps(call))),
    ),
    (
        Operation { auth: READ, gives: ONE, ..operation("GET", "/v1/apps/{id}", "getApp", TAG, "Read an app") },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "What is left out stays, in `mfa` and `tokens` too; `null` clears. It holds at once.",
            auth: WRITE,
            body: Some(UPDATE),
            example: r#"{"mfa": {"use_instance_policy": true}}"#,
            gives: ONE,
            ..operation("PATCH", "/v1/apps/{id}", "updateApp", TAG, "Change an app")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
    (
        Operation {
            description: "Its challenges go on without it; its sessions end, and its secrets are dead.",
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/apps/{id}", "deleteApp", TAG, "Delete an app")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
    (
        Operation {
            description: "Of a web or machine app. The new secret is shown in this answer only. The one before it works on for \
                `keep_old_seconds`; any older one is dead at once.",
            auth: WRITE,
            idempotent: true,
            body: Some(&[KEEP]),
            body_optional: true,
            example: r#"{"keep_old_seconds": 3600}"#,
            gives: ONE,
            refuses: &[&[Code::StrategyNotSupported]],
            ..operation("POST", "/v1/apps/{id}/rotate-secret", "rotateAppSecret", TAG, "Make a new client secret")
        },
        Run::Keyed(|call| Box::pin(rotate_secret(call))),
    ),
];

/// What the body says of the app.
fn details(call: &Call) -> Result<Details, Problem> {
    let form = &call.form;
    let mut errors = Vec::new();
    let redirect_uris = list(form, "redirect_uris", RedirectUri::parse, &mut errors);
    let origins = list(form, "origins", |text| Origin::parse(text).ok_or(NO_ORIGIN), &mut errors);
    let tag = form.text("locale");
    let locale = tag.and_then(canonical);
    if tag.is_some() && locale.is_none() {
        errors.push(FieldError::new("locale", FieldCode::Value, "a language tag like pt-BR is wanted"));
    }
    if !errors.is_empty() {
        return Err(Problem::form(errors));
    }
    Ok(Details {
        locale: (tag.is_some() || form.is_null("locale")).then_some(locale),
        metadata: if form.is_null("metadata") {
            Some(Value::Object(Map::new()))
        } else {
            form.node("metadata").map(Node::to_value)
        },
        name: form.text("name").map(str::to_owned),
        redirect_uris,
        origins,
        scopes: scopes(call)?,
        tokens: members(form, "tokens"),
        mfa: members(form, "mfa"),
    })
}

const NO_ORIGIN: &str =
    "an origin like https://app.example.com is wanted, without a path or wildcard; http on this machine only";

/// A list of texts, each parsed and there once; null is an empty one.
fn list<T: PartialEq>(
    form: &Form,
    name: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
    errors: &mut Vec<FieldError>,
) -> Option<Vec<T>> {
    if form.is_null(name) {
        return Some(Vec::new());
    }
    let mut all = Vec::new();
    for (at, text) in form.texts(name)?.into_iter().enumerate() {
        match parse(text) {
            Ok(one) if all.contains(&one) => {}
            Ok(one) => all.push(one),
            Err(detail) => errors.push(FieldError::new(format!("{name}.{at}"), FieldCode::Value, detail)),
        }
    }
    Some(all)
}

/// The scopes that are granted: no key grants what it lacks, and a test key none.
fn scopes(call: &Call) -> Result<Option<Vec<Scope>>, Problem> {
    if call.form.is_null("scopes") {
        return Ok(Some(Vec::new()));
    }
    let Some(names) = call.form.texts("scopes") else { return Ok(None) };
    let credential = call.context.credential();
    let mut scopes = Vec::new();
    for scope in names.into_iter().filter_map(Scope::parse) {
        if credential.is_test || !credential.may(scope) {
            let detail = format!("this key cannot grant {}: no key grants what it lacks", scope.as_str());
            return Err(Problem::new(Code::ScopeMissing, detail));
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(Some(scopes))
}

/// What the body says of an object.
fn members(form: &Form, name: &str) -> Option<Members> {
    match form.node(name).map(Node::to_value) {
        Some(Value::Object(members)) => Some(Members::These(members)),
        _ => form.is_null(name).then_some(Members::Cleared),
    }
}

fn misfit((field, detail): Misfit) -> Failure {
    wrong(field, detail).into()
}

async fn create(call: Call) -> Answer {
    let kind = call.form.text("type").and_then(AppType::parse).unwrap_or(AppType::Web);
    if kind == AppType::Machine && call.context.credential().is_test {
        return Err(Problem::new(Code::ScopeMissing, "a test key makes no machine apps").into());
    }
    let details = details(&call)?;
    details.fit(kind).map_err(misfit)?;
    made(&call, change::create(&call.context, kind, details, call.reservation.clone()).await?, 201)
}

async fn rotate_secret(call: Call) -> Answer {
    let keep = call.form.integer("keep_old_seconds").unwrap_or(DAY);
    let id = id(&call)?;
    made(&call, change::rotate_secret(&call.context, &id, keep, call.reservation.clone()).await?, 200)
}

fn made(call: &Call, made: Made, status: u16) -> Answer {
    let (app, secret, replayed) = match made {
        Made::Done(app, secret) => (app, secret, false),
        Made::Replayed(app) => (app, None, true),
        Made::NotFound => return Err(not_found()),
        Made::NoSecret => {
            return Err(Problem::new(Code::StrategyNotSupported, "a browser or native app keeps no secret").into());
        }
        Made::GrantsMore => {
            let detail = "a key makes secrets only of machines that may do no more than it, and a test key of none";
            return Err(Problem::new(Code::ScopeMissing, detail).into());
        }
        Made::Claimed(claim) => return Err(Problem::from(claim).into()),
    };
    let shown = Map::from_iter([("client_secret".to_owned(), secret.as_ref().map(Secret::expose).into())]);
    Ok(Reply::json(status, &view::with(view::app(&app, &call.context), shown)).replayed(replayed))
}

async fn list_apps(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let apps = change::list(&call.context, &before, limit + 1).await?;
    Ok(Reply::page(apps.iter().map(|app| view::app(app, &call.context)).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let app = change::get(&call.context, &id(&call)?).await?.ok_or_else(not_found)?;
    Ok(Reply::json(200, &view::app(&app, &call.context)))
}

async fn update(call: Call) -> Answer {
    match change::update(&call.context, &id(&call)?, details(&call)?).await? {
        Updated::Done(app) => Ok(Reply::json(200, &view::app(&app, &call.context))),
        Updated::NotFound => Err(not_found()),
        Updated::Misfit(what) => Err(misfit(what)),
    }
}

async fn delete(call: Call) -> Answer {
    if change::delete(&call.context, &id(&call)?).await? { Ok(Reply::nothing()) } else { Err(not_found()) }
}

fn id(call: &Call) -> Result<AppId, Failure> {
    Ok(call.id("id", AppId::parse, "app")?)
}

fn not_found() -> Failure {
    Problem::not_found("app").into()
}
