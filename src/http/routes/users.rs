//! `/v1/users`: people.

use serde_json::json;

use super::{
    Run,
    parts::{address, number},
    view,
};
use crate::{
    api_key::Scope,
    context::Context,
    factor::FactorType,
    http::{
        Call, Code, Problem, Reply,
        contract::{Auth, Gives, Operation, operation, shapes},
        input::wrong,
        reply::{Answer, Failure},
    },
    ids::UserId,
    policy::Exception,
    schema::{Field, Form, Shape, field},
    settings::SECOND_FACTORS,
    user::change::{self, Changed, Find, Profile},
};

const TAG: &str = "Users";
const READ: Auth = Auth::Key(Scope::UsersRead);
const WRITE: Auth = Auth::Key(Scope::UsersWrite);
const ONE: Gives = Gives::One("User", shapes::USER);

const EXTERNAL_ID: Field =
    field("external_id", Shape::Text(255), "Your own id of them; one user has it").nullable().example(r#""42""#);
const EMAIL: Field = field("email", Shape::Text(254), "Their address; one user has it, compared in lower case")
    .nullable()
    .example(r#""ana@example.com""#);
const PHONE: Field = field(
    "phone",
    Shape::Text(64),
    "A number that they sign in with, as people type it; one user has it. It is no factor until it is proven as one",
)
.nullable()
.example(r#""+14155552671""#);
const DISABLED: Field =
    field("disabled", Shape::Boolean, "Shuts them out: no sign-in, no token, no session, until it is false again");
const NAME: Field = field("name", Shape::Text(200), "Their name").nullable();
const LANGUAGE: Field = field("locale", Shape::Text(35), "Their language").nullable().example(r#""en-US""#);
const METADATA: Field = field("metadata", Shape::Texts(50), "What you keep with them").nullable();

const PROFILE: &[Field] = &[EXTERNAL_ID, EMAIL, PHONE, NAME, LANGUAGE, METADATA];

const MFA: Field = field(
    "mfa",
    Shape::Object(&[
        field("required", SECOND_FACTORS, "They have to prove these, beside what the policy requires")
            .example(r#"["totp"]"#),
        field("exempt_until", Shape::Timestamp, "No second factor is asked of them at sign-in until then"),
    ]),
    "Your word on their factors: one of the two, null for neither; needs the scope `users:override`, and is in the audit events",
)
.nullable();

const CHANGE: &[Field] = &[EXTERNAL_ID, EMAIL, PHONE, NAME, LANGUAGE, METADATA, MFA, DISABLED];

/// The page of a list.
pub(super) const LIMIT: Field = field("limit", Shape::Integer(1, 100), "How many; default 20");
/// Where a list of things with such ids goes on.
pub(super) const fn cursor(prefix: &'static str) -> Field {
    field("cursor", Shape::Id(prefix), "`next_cursor` of the page before")
}

const FIND: &[Field] = &[
    field("email", Shape::Text(254), "The user with this address"),
    field("phone", Shape::Text(64), "The user with this phone, and those who have proven it as a factor"),
    field("external_id", Shape::Text(255), "The user with your id"),
    LIMIT,
    cursor("usr_"),
];

pub(super) const ROUTES: &[(Operation, Run)] = &[
    (
        Operation {
            auth: WRITE,
            idempotent: true,
            body: Some(PROFILE),
            example: r#"{"external_id": "42", "email": "ana@example.com"}"#,
            status: 201,
            gives: ONE,
            // Not found: a repeated call, after the user that it made was deleted.
            refuses: &[&[Code::IdentifierExists, Code::ResourceNotFound]],
            ..operation("POST", "/v1/users", "createUser", TAG, "Make a user")
        },
        Run::Keyed(|call| Box::pin(create(call))),
    ),
    (
        Operation {
            description: "Newest first; or find by one of `email`, `phone`, `external_id`.",
            auth: READ,
            query: FIND,
            gives: Gives::Page("User", shapes::USER),
            ..operation("GET", "/v1/users", "listUsers", TAG, "Find users")
        },
        Run::Keyed(|call| Box::pin(list(call))),
    ),
    (
        Operation { auth: READ, gives: ONE, ..operation("GET", "/v1/users/{id}", "getUser", TAG, "Read a user") },
        Run::Keyed(|call| Box::pin(get(call))),
    ),
    (
        Operation {
            description: "What is left out stays; `null` clears.",
            auth: WRITE,
            body: Some(CHANGE),
            example: r#"{"name": "Ana"}"#,
            gives: ONE,
            refuses: &[&[Code::IdentifierExists]],
            ..operation("PATCH", "/v1/users/{id}", "updateUser", TAG, "Change a user")
        },
        Run::Keyed(|call| Box::pin(update(call))),
    ),
    (
        Operation {
            description: "Factors and challenges go too; their numbers are erased from messages.",
            auth: WRITE,
            status: 204,
            ..operation("DELETE", "/v1/users/{id}", "deleteUser", TAG, "Delete a user")
        },
        Run::Keyed(|call| Box::pin(delete(call))),
    ),
    (
        Operation {
            description: "Clears wrong second-factor answers and wrong passwords. Make sure first who it is.",
            auth: Auth::Key(Scope::UsersOverride),
            gives: ONE,
            ..operation("POST", "/v1/users/{id}/unlock", "unlockUser", TAG, "Unlock a user")
        },
        Run::Keyed(|call| Box::pin(unlock(call))),
    ),
];

fn profile(context: &Context, form: &Form) -> Result<Profile, Problem> {
    let text = |name: &str| {
        if form.is_null(name) { Some(None) } else { form.text(name).map(|text| Some(text.to_owned())) }
    };
    let email = match text("email") {
        Some(Some(text)) => Some(Some(address("email", &text)?)),
        Some(None) => Some(None),
        None => None,
    };
    let phone = match text("phone") {
        Some(Some(text)) => Some(Some(number(context, "phone", &text)?)),
        Some(None) => Some(None),
        None => None,
    };
    super::parts::locale(form)?;
    Ok(Profile {
        external_id: text("external_id"),
        email,
        phone,
        name: text("name"),
        locale: text("locale"),
        metadata: if form.is_null("metadata") {
            Some(json!({}))
        } else {
            form.node("metadata").map(crate::schema::Node::to_value)
        },
        mfa: None,
        disabled: None,
    })
}

fn changed(changed: Changed, status: u16) -> Answer {
    match changed {
        Changed::Done(user, replayed) => Ok(Reply::json(status, &view::user(&user)).replayed(replayed)),
        Changed::NotFound => Err(Problem::not_found("user").into()),
        Changed::Taken(field) => {
            Err(Problem::new(Code::IdentifierExists, format!("another user has this {field}")).into())
        }
        Changed::Claimed(claim) => Err(Problem::from(claim).into()),
    }
}

async fn create(call: Call) -> Answer {
    changed(change::create(&call.context, profile(&call.context, &call.form)?, call.reservation.clone()).await?, 201)
}

/// The server's word on a user's factors.
fn exception(call: &Call) -> Result<Option<Exception>, Problem> {
    let form = &call.form;
    if !form.is_null("mfa") && form.node("mfa").is_none() {
        return Ok(None);
    }
    if !call.context.credential().may(Scope::UsersOverride) {
        return Err(Problem::new(Code::ScopeMissing, "mfa needs the scope users:override"));
    }
    match (form.texts("mfa.required"), form.timestamp("mfa.exempt_until")) {
        (None, None) => Ok(Some(Exception::None)),
        (Some(names), None) => Ok(Some(Exception::Required(names.into_iter().filter_map(FactorType::parse).collect()))),
        (None, Some(until)) => Ok(Some(Exception::ExemptUntil(until))),
        (Some(_), Some(_)) => Err(wrong("mfa", "required or exempt_until, not both")),
    }
}

async fn update(call: Call) -> Answer {
    let id = id(&call)?;
    let profile = profile(&call.context, &call.form)?;
    let profile = Profile { mfa: exception(&call)?, disabled: call.form.flag("disabled"), ..profile };
    changed(change::update(&call.context, &id, profile).await?, 200)
}

async fn list(call: Call) -> Answer {
    let (limit, before) = call.page()?;
    let query = &call.query;
    let find = match (query.text("email"), query.text("phone"), query.text("external_id")) {
        (None, None, None) => Find::All,
        (Some(email), None, None) => Find::Email(address("email", email)?),
        (None, Some(phone), None) => Find::Phone(number(&call.context, "phone", phone)?.e164().to_owned()),
        (None, None, Some(id)) => Find::ExternalId(id.to_owned()),
        _ => return Err(wrong("email", "find by one of email, phone, external_id at a time").into()),
    };
    let users = change::find(&call.context, find, &before, limit + 1).await?;
    Ok(Reply::page(users.iter().map(view::user).collect(), limit))
}

async fn get(call: Call) -> Answer {
    let user = change::get(&call.context, &id(&call)?).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Reply::json(200, &view::user(&user)))
}

async fn delete(call: Call) -> Answer {
    if change::delete(&call.context, &id(&call)?).await? {
        return Ok(Reply::nothing());
    }
    Err(Problem::not_found("user").into())
}

async fn unlock(call: Call) -> Answer {
    let user = change::unlock(&call.context, &id(&call)?).await?.ok_or_else(|| Problem::not_found("user"))?;
    Ok(Reply::json(200, &view::user(&user)))
}

fn id(call: &Call) -> Result<UserId, Failure> {
    Ok(call.id("id", UserId::parse, "user")?)
}
