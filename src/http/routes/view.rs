//! How things of the domain look in JSON. Numbers are masked, but for the one that a user signs in with.

use serde_json::{Map, Value, json};

use crate::{
    api_key::store::ApiKey,
    app::{App, Origin, RedirectUri, SecretHint},
    challenge::{Challenge, create::Created},
    context::Context,
    device::Device,
    evaluation::Evaluated,
    factor::{self, Factor, FactorType, enrol::Enrolled},
    ids::DeviceId,
    invitation::Invitation,
    message::{Channel, Destination, Message, Try},
    phone::PhoneNumber,
    policy::{self, Assurance, Exception, Offer, Role, Step},
    ports::Row,
    session::Session,
    time::Timestamp,
    user::User,
};

/// A challenge, as it stands at a moment.
pub(super) fn challenge(challenge: &Challenge, now: Timestamp) -> Value {
    json!({
        "id": challenge.id.as_str(),
        "status": challenge.status(now).as_str(),
        "purpose": challenge.purpose.as_str(),
        "type": challenge.kind.as_str(),
        "channel": challenge.channel.map(Channel::as_str),
        "to": challenge.destination.as_ref().map(Destination::masked),
        "user_id": challenge.user_id,
        "factor_id": challenge.factor_id,
        "app_id": challenge.app_id,
        "attempts_left": challenge.attempts_left(),
        "sends": challenge.sends,
        "resend_at": moment(challenge.resend_at),
        "code_expires_at": moment(challenge.code_expires_at),
        "expires_at": challenge.expires_at.to_string(),
        "message_id": challenge.message_id,
        "created_at": challenge.created_at.to_string(),
        "verified_at": moment(challenge.verified_at),
        "evidence": challenge.verified_at.map(|_| &challenge.evidence),
        "consumed_at": moment(challenge.consumed_at),
    })
}

/// A user.
pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "external_id": user.external_id,
        "email": user.email,
        "email_verified_at": moment(user.email_verified_at),
        "phone": user.phone.as_ref().map(PhoneNumber::e164),
        "phone_verified_at": moment(user.phone_verified_at),
        "disabled": user.disabled_at.is_some(),
        "disabled_at": moment(user.disabled_at),
        "name": user.name,
        "locale": user.locale,
        "metadata": user.metadata,
        "second_factor": {"failures_in_a_row": user.failures_in_a_row, "locked_until": moment(user.locked_until)},
        "mfa": {
            "required": user.exception.required().iter().map(FactorType::as_str).collect::<Vec<_>>(),
            "exempt_until": match user.exception {
                Exception::ExemptUntil(until) => Some(until.to_string()),
                Exception::None | Exception::Required(_) => None,
            },
            "grace_started_at": moment(user.grace.started_at),
            "grace_sign_ins": user.grace.sign_ins,
        },
        "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(),
    })
}

/// A challenge that was just made, with what only this answer shows.
pub(super) fn created(created: &Created, now: Timestamp) -> Value {
    with(challenge(&created.challenge, now), created.shown.clone())
}

/// A challenge that was just answered rightly; of recovery codes, with how many are left.
pub(super) fn answered(answered: &Challenge, factor: Option<&Factor>, now: Timestamp) -> Value {
    let left = factor.filter(|factor| factor.kind == FactorType::RecoveryCodes).map(|factor| factor.codes_left);
    with(challenge(answered, now), left.map(|left| ("codes_left".to_owned(), Value::from(left))).into_iter().collect())
}

/// A factor.
pub(super) fn factor(factor: &Factor) -> Value {
    let all = json!({
        "id": factor.id.as_str(),
        "type": factor.kind.as_str(),
        "status": if factor.is_active() { "active" } else { "pending" },
        "name": factor.name,
        "phone": null,
        "country": null,
        "email": null,
        "created_at": factor.created_at.to_string(),
        "activated_at": moment(factor.activated_at),
        "last_used_at": moment(factor.last_used_at),
    });
    match factor::kind(factor.kind) {
        Some(kind) => with(all, kind.describe(factor)),
        None => all,
    }
}

/// A factor that was just added, with what only this answer shows.
pub(super) fn enrolled(enrolled: &Enrolled, now: Timestamp) -> Value {
    let all = json!({
        "factor": factor(&enrolled.factor),
        "challenge": enrolled.challenge.as_ref().map(|made| challenge(made, now)),
    });
    with(all, enrolled.shown.clone())
}

/// An object with further members.
pub(super) fn with(object: Value, members: Map<String, Value>) -> Value {
    match object {
        Value::Object(mut object) => {
            object.extend(members);
            Value::Object(object)
        }
        other => other,
    }
}

/// An app, with its secrets that live.
pub(super) fn app(app: &App, context: &Context) -> Value {
    let secrets = app.secrets.iter().filter(|secret| secret.expires_at.is_none_or(|end| end > context.now()));
    let secret = |secret: &SecretHint| {
        json!({
            "id": secret.id,
            "hint": secret.hint,
            "created_at": secret.created_at.to_string(),
            "expires_at": moment(secret.expires_at),
        })
    };
    json!({
        "id": app.id,
        "name": app.name,
        "type": app.kind.as_str(),
        "redirect_uris": app.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        "origins": app.origins.iter().map(Origin::as_str).collect::<Vec<_>>(),
        "scopes": app.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "locale": app.locale,
        "metadata": app.metadata,
        "tokens": app.tokens.to_json(app.kind, context.config()),
        "mfa": policy::app_rule_json(&app.mfa),
        "secrets": secrets.map(secret).collect::<Vec<_>>(),
        "created_at": app.created_at.to_string(),
        "updated_at": app.updated_at.to_string(),
    })
}

/// An invitation, as it stands at a moment.
pub(super) fn invitation(invitation: &Invitation, now: Timestamp) -> Value {
    json!({
        "id": invitation.id,
        "email": invitation.email,
        "app_id": invitation.app_id,
        "status": invitation.status(now).as_str(),
        "created_at": invitation.created_at.to_string(),
        "expires_at": invitation.expires_at.to_string(),
        "used_at": moment(invitation.used_at),
    })
}

/// A remembered device.
pub(super) fn device(device: &Device) -> Value {
    json!({
        "id": device.id,
        "name": device.name,
        "country": device.country,
        "user_agent": device.user_agent,
        "created_at": device.created_at.to_string(),
        "expires_at": device.expires_at.to_string(),
        "last_used_at": moment(device.last_used_at),
    })
}

/// A session.
pub(super) fn session(session: &Session) -> Value {
    json!({
        "id": session.id,
        "user_id": session.user,
        "app_id": session.app,
        "scope": session.scope,
        "acr": session.acr,
        "amr": session.amr,
        "auth_time": session.auth_time.to_string(),
        "client_ip": session.client_ip,
        "user_agent": session.user_agent,
        "created_at": session.created_at.to_string(),
        "last_used_at": session.last_used_at.to_string(),
        "expires_at": session.idle_expires_at.min(session.expires_at).to_string(),
        "ends_at": session.expires_at.to_string(),
    })
}

/// What the policy answers.
pub(super) fn evaluated(evaluated: &Evaluated) -> Value {
    let step = &evaluated.step;
    let mut view = json!({
        "step": step.as_str(),
        "reason": {"code": step.reason().code(), "detail": step.reason().sentence()},
        "outstanding": [],
        "options": [],
        "enrolment_options": [],
        "skip": null,
        "assurance": null,
        "stand_ins": [],
        "may_remember_device": false,
        "device_id": evaluated.device.as_ref().map(DeviceId::as_str),
        "completed": evaluated.completed,
    });
    let mut set = |name: &str, value: Value| view.as_object_mut().and_then(|view| view.insert(name.to_owned(), value));
    match step {
        Step::NeedsFirstFactor { .. } | Step::Blocked { .. } => {}
        Step::NeedsSecondFactor { outstanding, options, .. } => {
            set("outstanding", outstanding.iter().map(FactorType::as_str).collect());
            set("options", options.iter().map(offer).collect());
        }
        Step::NeedsEnrolment { options, skip, assurance: worth, .. } => {
            set("enrolment_options", options.iter().map(|kind| kind.as_str()).collect());
            if let Some(skip) = skip {
                set("skip", json!({"sign_ins_left": skip.sign_ins_left, "until": moment(skip.until)}));
                set("assurance", assurance(worth));
            }
        }
        Step::Satisfied { assurance: worth, stand_ins, may_remember_device, .. } => {
            set("assurance", assurance(worth));
            set("stand_ins", stand_ins.iter().map(|stand_in| stand_in.as_str()).collect());
            set("may_remember_device", json!(may_remember_device));
        }
    }
    view
}

fn assurance(assurance: &Assurance) -> Value {
    json!({"aal": assurance.aal, "acr": assurance.acr.as_str(), "amr": assurance.amr})
}

fn offer(offer: &Offer) -> Value {
    json!({
        "factor_id": offer.factor_id,
        "type": offer.kind.as_str(),
        "role": offer.role.as_str(),
        "user_verification": offer.role == Role::Passkey,
    })
}

/// A message.
pub(super) fn message(message: &Message) -> Value {
    let row = message.row();
    let text = |column| row.opt_text(column);
    json!({
        "id": message.id(),
        "challenge_id": text("challenge_id"),
        "user_id": text("user_id"),
        "app_id": text("app_id"),
        "channel": text("channel"),
        "template": text("template"),
        "locale": text("locale"),
        "to": text("destination").and_then(Destination::from_stored).map(|destination| destination.masked()),
        "redirected": text("redirected_to").is_some(),
        "country": text("country"),
        "cost_class": text("cost_class"),
        "encoding": text("encoding"),
        "segments": row.opt_int("segments"),
        "status": text("status"),
        "reason": text("reason"),
        "driver": text("driver"),
        "provider_id": text("provider_id"),
        "error_code": text("error_code"),
        "error_class": text("error_class"),
        "latency_ms": row.opt_int("latency_ms"),
        "fallback_at": column(row, "fallback_at"),
        "created_at": column(row, "created_at"),
        "updated_at": column(row, "updated_at"),
    })
}

/// One try of a message.
pub(super) fn try_of(one: &Try) -> Value {
    let row = one.row();
    json!({
        "id": row.opt_text("id"),
        "driver": row.opt_text("driver"),
        "outcome": row.opt_text("outcome"),
        "provider_id": row.opt_text("provider_id"),
        "segments": row.opt_int("segments"),
        "error_code": row.opt_text("error_code"),
        "latency_ms": row.opt_int("latency_ms"),
        "feedback": row.opt_text("feedback"),
        "created_at": column(row, "created_at"),
    })
}

/// What a carrier reported of a message.
pub(super) fn receipt(row: &Row) -> Value {
    let text = |column| row.opt_text(column);
    json!({
        "driver": text("driver"),
        "provider_id": text("provider_id"),
        "carrier_status": text("carrier_status"),
        "status": text("status"),
        "error_code": text("error_code"),
        "received_at": column(row, "received_at"),
        "times": row.opt_int("times"),
    })
}

/// An audit event.
pub(super) fn event(row: &Row) -> Value {
    let text = |column| row.opt_text(column);
    json!({
        "id": text("id"),
        "type": text("type"),
        "actor": text("actor"),
        "user_id": text("user_id"),
        "app_id": text("app_id"),
        "subject_id": text("subject_id"),
        "outcome": text("outcome"),
        "reason": text("reason"),
        "client_ip": text("client_ip"),
        "user_agent": text("user_agent"),
        "request_id": text("request_id"),
        "data": text("data").and_then(|data| serde_json::from_str::<Value>(data).ok()).unwrap_or_else(|| json!({})),
        "created_at": column(row, "created_at"),
    })
}

/// A server key.
pub(super) fn api_key(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "scopes": key.scopes,
        "test": key.is_test,
        "created_at": key.created_at.to_string(),
        "last_used_at": moment(key.last_used_at),
        "revoked_at": moment(key.revoked_at),
    })
}

pub(super) fn moment(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

pub(super) fn column(row: &Row, name: &str) -> Option<String> {
    moment(row.opt_int(name).map(Timestamp::from_millis))
}
