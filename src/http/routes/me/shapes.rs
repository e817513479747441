//! What the calls of `/v1/me` give.

use crate::{
    event::EventType,
    factor::FactorType,
    http::contract::shapes::{always, maybe},
    policy::{Acr, Role},
    schema::{Field, Shape, field},
};

/// The person.
pub(super) const ME: &[Field] = &[
    always("id", Shape::Id("usr_"), "Your id: the `sub` of your tokens"),
    maybe("email", Shape::Text(254), "Your address"),
    maybe("email_verified_at", Shape::Timestamp, "When you proved that it is yours"),
    maybe("phone", Shape::Text(40), "The number that you sign in with"),
    maybe("phone_verified_at", Shape::Timestamp, "When you proved that it is yours"),
    maybe("name", Shape::Text(200), "Your name"),
    maybe("locale", Shape::Text(35), "Your language"),
    always("created_at", Shape::Timestamp, "When the account was made"),
    always("updated_at", Shape::Timestamp, "When it was changed"),
];

/// One of the person's sessions.
pub(super) const SESSION: &[Field] = &[
    always("id", Shape::Id("ses_"), "The session's id: the `sid` of its tokens"),
    always("current", Shape::Boolean, "Whether it is the one that asks"),
    always("app_id", Shape::Id("app_"), "Through which app"),
    always("acr", Shape::OneOf(&Acr::NAMES), "What its sign-in is worth"),
    always("amr", AMR, "What was proven (RFC 8176)"),
    always("auth_time", Shape::Timestamp, "When you last proved who you are"),
    maybe("client_ip", Shape::Text(45), "Your address at the sign-in"),
    maybe("user_agent", Shape::Text(512), "Your browser or app"),
    always("created_at", Shape::Timestamp, "When it began"),
    always("last_used_at", Shape::Timestamp, "When tokens were last given out for it"),
    always("expires_at", Shape::Timestamp, "When it ends if nobody refreshes its tokens"),
    always("ends_at", Shape::Timestamp, "When it ends in any case"),
];

const AMR: Shape = Shape::List(&Shape::Text(20), 20);

/// Something that happened.
pub(super) const EVENT: &[Field] = &[
    always("id", Shape::Id("evt_"), "The event's id"),
    always("type", Shape::OneOf(EventType::NAMES), "What happened"),
    always("by", Shape::OneOf(&["you", "app", "server"]), "You, signed in; your app's form; or the service"),
    always("outcome", Shape::OneOf(&["success", "refused", "failed"]), "How it ended"),
    maybe("subject_id", Shape::Text(64), "The factor, session or device"),
    maybe("client_ip", Shape::Text(45), "From which address; null where the service did it"),
    maybe("user_agent", Shape::Text(512), "From which browser or app; null where the service did it"),
    always("created_at", Shape::Timestamp, "When"),
];

const OPTION: &[Field] = &[
    always("type", Shape::OneOf(&FactorType::NAMES), "The type of factor; a `password` comes with the call"),
    always("factor_id", Shape::Id("fac_"), "Which factor"),
    always("role", Shape::OneOf(&Role::NAMES), "In which role it is offered"),
    maybe("name", Shape::Text(60), "What you call it"),
    maybe("to", Shape::Text(254), "Where its code goes, masked"),
];

/// What a step-up stands at.
pub(super) const STEP_UP: &[Field] = &[
    always("options", Shape::List(&Shape::Object(OPTION), 200), "What can be proven, the default first"),
    always("acr", Shape::OneOf(&Acr::NAMES), "What the session is worth"),
    always("amr", AMR, "What was proven in it (RFC 8176)"),
    always("auth_time", Shape::Timestamp, "When you last proved who you are"),
    field("access_token", Shape::Text(8192), "The new access token, once the policy is met; the refresh token stays"),
    field("token_type", Shape::OneOf(&["Bearer"]), "How it is sent"),
    field("expires_in", Shape::Integer(0, i64::MAX), "Seconds until it ends"),
    field("expires_on", Shape::Integer(0, i64::MAX), "When it ends, in seconds since 1970"),
    field("not_before", Shape::Integer(0, i64::MAX), "When it was made, in seconds since 1970"),
    field("scope", Shape::Text(1000), "What it is good for"),
    field("id_token", Shape::Text(8192), "A JWT that says who has signed in; with the scope `openid`"),
];
