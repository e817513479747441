//! The shapes of what comes back.

use crate::{
    api_key::Scope,
    app::AppType,
    challenge, event,
    factor::FactorType,
    flow,
    fraud::entry,
    invitation,
    message::{self, Channel},
    policy::{self, EmailBackup},
    ports::Algorithm,
    schema::{Field, Shape, field},
    settings::SECOND_FACTORS,
    template::Slug,
    totp, webhook,
};

pub(in crate::http) const fn always(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    field(name, shape, meaning).required()
}

pub(in crate::http) const fn maybe(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    field(name, shape, meaning).required().nullable()
}

const BIG: i64 = 9_007_199_254_740_991;

/// A problem.
pub const PROBLEM: &[Field] = &[
    always("type", Shape::Text(200), "Where the code is explained"),
    always("title", Shape::Text(200), "What the code means"),
    always("status", Shape::Integer(400, 599), "The HTTP status"),
    always("detail", Shape::Text(2000), "What happened here"),
    always("code", Shape::Text(60), "Which of the closed list"),
    always("trace_id", Shape::Id("req_"), "The request's id, as in `x-request-id`"),
    field(
        "errors",
        Shape::List(
            &Shape::Object(&[
                field("field", Shape::Text(200), "The field's path"),
                always("code", Shape::Text(60), "What is wrong with it"),
                always("detail", Shape::Text(2000), "What is wanted"),
            ]),
            1000,
        ),
        "The fields that are wrong",
    ),
    field("retry_after", Shape::Integer(1, BIG), "Seconds to wait"),
    field("attempts_left", Shape::Integer(0, 10), "How many more answers the challenge takes"),
    field("failed_step", Shape::Text(40), "Where the verification of a passkey failed"),
    field("message_id", Shape::Id("msg_"), "The message that did not go out"),
];

/// A challenge.
pub const CHALLENGE: &[Field] = &[
    always("id", Shape::Id("chl_"), "The challenge's id"),
    always("status", Shape::OneOf(&challenge::Status::NAMES), "Where it stands"),
    always("purpose", Shape::OneOf(&challenge::Purpose::NAMES), "What it is for"),
    always("type", Shape::OneOf(&FactorType::NAMES), "The type of factor that it asks for"),
    maybe("channel", Shape::OneOf(&Channel::NAMES), "How its code goes; null where none is sent"),
    maybe("to", Shape::Text(254), "Where its code goes, masked").example(r#""+1••••••2671""#),
    maybe("user_id", Shape::Id("usr_"), "Whose factor is asked"),
    maybe("factor_id", Shape::Id("fac_"), "Which factor is asked"),
    maybe("app_id", Shape::Id("app_"), "Through which app"),
    always("attempts_left", Shape::Integer(0, 10), "How many more wrong answers it takes"),
    always("sends", Shape::Integer(0, 10), "How many codes were sent"),
    maybe("resend_at", Shape::Timestamp, "When another code may be asked for; null: no more"),
    maybe("code_expires_at", Shape::Timestamp, "When the newest code dies"),
    always("expires_at", Shape::Timestamp, "When the challenge dies"),
    maybe("message_id", Shape::Id("msg_"), "The newest message"),
    always("created_at", Shape::Timestamp, "When it was made"),
    maybe("verified_at", Shape::Timestamp, "When the right answer came"),
    maybe("evidence", Shape::Object(EVIDENCE), "What the right answer has shown beyond the factor"),
    maybe("consumed_at", Shape::Timestamp, "When it was used as a proof"),
    field(
        "codes_left",
        Shape::Integer(0, 24),
        "How many recovery codes are left, in the answer to the one that was used",
    ),
    field("public_key", Shape::Anything, "A passkey's options for `navigator.credentials.get()`, shown this once"),
];

const EVIDENCE: &[Field] = &[
    field("user_verified", Shape::Boolean, "Whether a passkey has verified who uses it: then it counts as two factors"),
    field("backed_up", Shape::Boolean, "Whether the passkey is backed up"),
];

/// A user.
pub const USER: &[Field] = &[
    always("id", Shape::Id("usr_"), "The user's id"),
    maybe("external_id", Shape::Text(255), "Your own id of them"),
    maybe("email", Shape::Text(254), "Their address"),
    maybe("email_verified_at", Shape::Timestamp, "When they proved that it is theirs"),
    maybe("phone", Shape::Text(16), "The number that they sign in with").example(r#""+14155552671""#),
    maybe("phone_verified_at", Shape::Timestamp, "When they proved that it is theirs"),
    always("disabled", Shape::Boolean, "Whether they are shut out"),
    maybe("disabled_at", Shape::Timestamp, "Since when"),
    maybe("name", Shape::Text(200), "Their name"),
    maybe("locale", Shape::Text(35), "Their language"),
    always("metadata", Shape::Texts(50), "What you keep with them"),
    always("second_factor", Shape::Object(LOCKOUT), "Their wrong second-factor answers"),
    always("mfa", Shape::Object(USER_MFA), "What your server has said of their factors, and their grace"),
    always("created_at", Shape::Timestamp, "When they were made"),
    always("updated_at", Shape::Timestamp, "When they were changed"),
];

const USER_MFA: &[Field] = &[
    always("required", SECOND_FACTORS, "What they have to prove beside what the policy requires"),
    maybe("exempt_until", Shape::Timestamp, "Until when no second factor is asked at sign-in"),
    maybe("grace_started_at", Shape::Timestamp, "When they first put an enrolment off"),
    always("grace_sign_ins", Shape::Integer(0, BIG), "How often they did"),
];

const LOCKOUT: &[Field] = &[
    always("failures_in_a_row", Shape::Integer(0, BIG), "Wrong answers since the last right one"),
    maybe("locked_until", Shape::Timestamp, "Until when answers are refused"),
];

/// A factor.
pub const FACTOR: &[Field] = &[
    always("id", Shape::Id("fac_"), "The factor's id"),
    always("type", Shape::OneOf(&FactorType::NAMES), "Its type"),
    always("status", Shape::OneOf(&["pending", "active"]), "`pending` until it is proven"),
    maybe("name", Shape::Text(60), "What the user calls it"),
    maybe("phone", Shape::Text(40), "A phone's number, masked").example(r#""+1••••••2671""#),
    maybe("country", Shape::Text(3), "A phone's country"),
    field("totp", Shape::Object(TOTP), "What an authenticator app was enrolled with"),
    field("codes_left", Shape::Integer(0, 24), "How many recovery codes are left"),
    maybe("email", Shape::Text(254), "A mailbox's address, masked").example(r#""a•••@e•••.com""#),
    field("backup_eligible", Shape::Boolean, "Whether a passkey may be backed up").nullable(),
    field("backed_up", Shape::Boolean, "Whether a passkey is backed up, as last seen").nullable(),
    always("created_at", Shape::Timestamp, "When it was added"),
    maybe("activated_at", Shape::Timestamp, "When it was proven"),
    maybe("last_used_at", Shape::Timestamp, "When it was last proven"),
];

const TOTP: &[Field] = &[
    always("algorithm", Shape::OneOf(&totp::Algorithm::NAMES), "The hash"),
    always("digits", Shape::Integer(6, 8), "How many digits a code has"),
    always("period", Shape::Integer(30, 30), "How many seconds a code is shown"),
];

const NEW_TOTP: &[Field] = &[
    always("secret", Shape::Text(128), "The secret in base 32, for whoever types it")
        .example(r#""GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ""#),
    always("uri", Shape::Text(2000), "The same as a URI, for whoever opens the app on this device"),
    maybe("qr_svg", Shape::Text(200_000), "The URI as a QR code, an SVG image"),
];

const CODES: Shape = Shape::List(&Shape::Text(19), 24);

/// A new set of recovery codes.
pub const RECOVERY_CODES: &[Field] = &[
    always("factor", Shape::Object(FACTOR), "The set, active at once"),
    maybe("recovery_codes", CODES, "The codes, shown this once; null when an earlier call with the same key made them")
        .example(r#"["7V2C-K9QX-4M0T-ZR8H"]"#),
];

/// A factor and the challenge that proves it.
pub const ENROLMENT: &[Field] = &[
    always("factor", Shape::Object(FACTOR), "The factor, pending"),
    maybe("challenge", Shape::Object(CHALLENGE), "The challenge that proves it; null where nothing is left to prove"),
    field(
        "totp",
        Shape::Object(NEW_TOTP),
        "What goes into the app, shown this once; null when an earlier call with the same key made it",
    )
    .nullable(),
    field("recovery_codes", CODES, "The codes, shown this once; null when an earlier call with the same key made them")
        .nullable(),
    field("public_key", Shape::Anything, "A passkey's options for `navigator.credentials.create()`, shown this once"),
];

/// A challenge of a flow, as a page sees it.
pub const FLOW_CHALLENGE: &[Field] = &[
    always("id", Shape::Id("chl_"), "The challenge's id"),
    always("type", Shape::OneOf(&FactorType::NAMES), "The type of factor that it asks for"),
    always("status", Shape::OneOf(&challenge::Status::NAMES), "Where it stands"),
    maybe("channel", Shape::OneOf(&Channel::NAMES), "How its code goes; null where none is sent"),
    maybe("to", Shape::Text(254), "Where its code goes, masked; null before a first factor is proven"),
    always("attempts_left", Shape::Integer(0, 10), "How many more wrong answers it takes"),
    maybe("resend_at", Shape::Timestamp, "When another code may be asked for; null: no more"),
    maybe("code_expires_at", Shape::Timestamp, "When the newest code dies"),
    always("expires_at", Shape::Timestamp, "When the challenge dies"),
    field("public_key", Shape::Anything, "A passkey's options for `navigator.credentials`, shown this once"),
];

/// A flow, as a page sees it.
pub const FLOW: &[Field] = &[
    always("id", Shape::Id("sgn_"), "The flow's id"),
    always("type", Shape::OneOf(&flow::FlowType::NAMES), "What it is for"),
    always("step", Shape::OneOf(&flow::State::NAMES), "What it wants next"),
    maybe(
        "reason",
        Shape::Object(&[
            always("code", Shape::OneOf(policy::Reason::CODES), "Why, as a stable code"),
            always("detail", Shape::Text(300), "Why, as a sentence"),
        ]),
        "Why the policy asks for it",
    ),
    always(
        "options",
        Shape::List(
            &Shape::Object(&[
                always("type", Shape::OneOf(&FactorType::NAMES), "The type of factor"),
                field("factor_id", Shape::Id("fac_"), "Which factor of the person"),
                field("role", Shape::OneOf(&policy::Role::NAMES), "In which role it is offered"),
                field("name", Shape::Text(60), "What the person calls it").nullable(),
                field("to", Shape::Text(254), "Where its code goes, masked").nullable(),
            ]),
            200,
        ),
        "What can be proven or enrolled now, the default first",
    ),
    maybe(
        "skip",
        Shape::Object(&[
            maybe("sign_ins_left", Shape::Integer(0, BIG), "How often; null: not bounded by a number"),
            maybe("until", Shape::Timestamp, "Until when; null: not bounded by time"),
        ]),
        "How the enrolment may be put off",
    ),
    maybe("challenge", Shape::Object(FLOW_CHALLENGE), "The challenge that this call has made"),
    maybe("redirect_uri", Shape::Text(2000), "Where the code goes"),
    always("expires_at", Shape::Timestamp, "When the flow is over"),
    field("token", Shape::Text(60), "The flow's token, shown when it begins and never again"),
    field("code", Shape::Text(60), "The authorization code, at `complete`, shown this once"),
    field("acr", Shape::OneOf(&policy::Acr::NAMES), "What the sign-in is worth, at `complete`"),
    field("amr", Shape::List(&Shape::Text(10), 10), "What was proven, at `complete` (RFC 8176)"),
    field("device", Shape::Text(100), "The token of the device that is remembered from now on, shown this once"),
];

/// An app's own rule.
const APP_MFA: &[Field] = &[
    always("use_instance_policy", Shape::Boolean, "Whether the instance's policy holds, and the rest does not"),
    always("required", SECOND_FACTORS, "Each has to be proven"),
    always("named_factors", SECOND_FACTORS, "The same, and no passkey stands in for them"),
    always("enforce_enrolment", SECOND_FACTORS, "With none required: who has no second factor enrols one of these"),
    always("allow_email_backup", Shape::OneOf(&EmailBackup::NAMES), "When an e-mail code stands in"),
    always("remember_device", Shape::Boolean, "Whether a remembered device stands in"),
    always(
        "grace",
        Shape::Object(&[
            always("sign_ins", Shape::Integer(0, 100), "How many sign-ins; 0 is no such bound"),
            always("days", Shape::Integer(0, 365), "How many days; 0 is no such bound"),
        ]),
        "How long enrolling may be put off",
    ),
];

/// A template.
pub const TEMPLATE: &[Field] = &[
    always("slug", Shape::OneOf(&Slug::NAMES), "What its messages are for"),
    always("channel", Shape::OneOf(&Channel::NAMES), "How they go"),
    always(
        "delivered_by_us",
        Shape::Boolean,
        "Whether a carrier gets them; else endpoints that name `<channel>.queued`",
    ),
    field("from_number_override", Shape::Text(16), "Who sends an SMS or calls, instead of the driver's sender")
        .nullable(),
    field("subject", Shape::Text(2000), "An e-mail's subject in the instance's language"),
    always("body", Shape::Prose(2000), "The text in the instance's language"),
    always("locales", Shape::Anything, "The texts by language: `{body, is_default}`, of e-mails with `subject`"),
    always("placeholders", Shape::List(&Shape::Text(40), 20), "What may stand in the text between `{{` and `}}`"),
];

/// What a message of a template looks like.
pub const TEMPLATE_PREVIEW: &[Field] = &[
    always("locale", Shape::Text(35), "The language of the text"),
    field("subject", Shape::Text(2000), "An e-mail's subject"),
    always("body", Shape::Prose(16_000), "The text; of a call everything that is said"),
    field("html", Shape::Prose(64_000), "An e-mail's other part"),
    field("encoding", Shape::OneOf(&["gsm7", "ucs2"]), "How an SMS is encoded"),
    field("segments", Shape::Integer(1, 100), "How many SMS it costs"),
    always("characters", Shape::Integer(0, 16_000), "How long it is: an SMS in septets (gsm7) or UTF-16 units (ucs2)"),
    field("cost_class", Shape::OneOf(&["domestic", "international"]), "What it costs to the number in `to`"),
    always("right_to_left", Shape::Boolean, "Whether it is read from right to left"),
];

/// An app.
pub const APP: &[Field] = &[
    always("id", Shape::Id("app_"), "The app's id"),
    always("name", Shape::Text(60), "What it is called"),
    always("type", Shape::OneOf(&AppType::NAMES), "What kind of client it is"),
    always("redirect_uris", Shape::List(&Shape::Text(2000), 50), "Where codes may go"),
    always("origins", Shape::List(&Shape::Text(300), 50), "The pages that may call, beside `EMBEDDED_AUTH_ORIGINS`"),
    always("scopes", Shape::List(&Shape::OneOf(&Scope::NAMES), 20), "What a machine's tokens may do"),
    maybe("locale", Shape::Text(35), "The language of its messages where neither the request nor the user says it"),
    always("metadata", Shape::Texts(50), "What you keep with it"),
    always("tokens", Shape::Object(APP_TOKENS), "What is in effect for its tokens and sessions"),
    always("mfa", Shape::Object(APP_MFA), "Its own rule"),
    always("secrets", Shape::List(&Shape::Object(APP_SECRET), 2), "Its client secrets that live, newest first"),
    field(
        "client_secret",
        Shape::Text(46),
        "Its new client secret, shown this once; null where the type has none, or an earlier call with the same key made it",
    )
    .nullable(),
    always("created_at", Shape::Timestamp, "When it was made"),
    always("updated_at", Shape::Timestamp, "When it was changed"),
];

const APP_TOKENS: &[Field] = &[
    always("access_token_seconds", Shape::Integer(60, 86_400), "How long an access token works"),
    always("id_token_seconds", Shape::Integer(60, 86_400), "How long an ID token works"),
    always("refresh_token_seconds", Shape::Integer(60, 31_536_000), "How long a refresh token works"),
    always(
        "session_idle_seconds",
        Shape::Integer(60, 31_536_000),
        "How long a session lives unused; unless the app says it, one with a refresh token as long as that",
    ),
    always("session_seconds", Shape::Integer(60, 31_536_000), "How long a session lives at most"),
    always("algorithm", Shape::OneOf(&Algorithm::NAMES), "How its tokens are signed"),
];

const APP_SECRET: &[Field] = &[
    always("id", Shape::Id("sec_"), "The secret's id"),
    always("hint", Shape::Text(4), "Its last four characters"),
    always("created_at", Shape::Timestamp, "When it was made"),
    maybe("expires_at", Shape::Timestamp, "When it ends; null: once it is rotated"),
];

/// An invitation.
pub const INVITATION: &[Field] = &[
    always("id", Shape::Id("inv_"), "The invitation's id"),
    always("email", Shape::Text(254), "Whom it was sent to"),
    maybe("app_id", Shape::Id("app_"), "The app to sign up through; null: any"),
    always("status", Shape::OneOf(&invitation::Status::NAMES), "Where it stands"),
    field(
        "message",
        Shape::Object(&[
            always("id", Shape::Id("msg_"), "The message's id"),
            always("status", Shape::OneOf(&message::Status::NAMES), "What became of it"),
        ]),
        "The e-mail, in the answer to the call that sent it; null when an earlier call with the same key did",
    )
    .nullable(),
    always("created_at", Shape::Timestamp, "When it was made"),
    always("expires_at", Shape::Timestamp, "When it ends"),
    maybe("used_at", Shape::Timestamp, "When somebody signed up with it"),
];

/// A remembered device.
pub const DEVICE: &[Field] = &[
    always("id", Shape::Id("dev_"), "The device's id"),
    maybe("name", Shape::Text(60), "What it is called"),
    maybe("country", Shape::Text(2), "Where it was made, as your server told"),
    maybe("user_agent", Shape::Text(512), "The browser or app, as your server told"),
    always("created_at", Shape::Timestamp, "When it was made"),
    always("expires_at", Shape::Timestamp, "When it ends; a shorter setting ends it sooner"),
    maybe("last_used_at", Shape::Timestamp, "When it last came with a flow that was completed"),
];

/// A device that was just remembered.
pub const NEW_DEVICE: &[Field] = &[
    always("device", Shape::Object(DEVICE), "The device"),
    maybe(
        "token",
        Shape::Text(100),
        "What it is to keep, shown this once; null when an earlier call with the same key made it",
    ),
];

const OFFER: &[Field] = &[
    always("factor_id", Shape::Id("fac_"), "Which factor"),
    always("type", Shape::OneOf(&FactorType::NAMES), "Its type"),
    always("role", Shape::OneOf(&policy::Role::NAMES), "`factor`: what is asked; else what stands in for it"),
    always("user_verification", Shape::Boolean, "Whether the passkey has to verify the user"),
];

/// What the policy answers.
pub const MFA_EVALUATION: &[Field] = &[
    always("step", Shape::OneOf(&policy::Step::NAMES), "What comes next"),
    always(
        "reason",
        Shape::Object(&[
            always("code", Shape::OneOf(policy::Reason::CODES), "Which of the closed list"),
            always("detail", Shape::Text(200), "The same as a sentence"),
        ]),
        "Why",
    ),
    always("outstanding", SECOND_FACTORS, "What is required and not proven; empty: any one option is enough"),
    always("options", Shape::List(&Shape::Object(OFFER), 100), "What can be proven now, the default first"),
    always("enrolment_options", SECOND_FACTORS, "What has to be enrolled, one of: no other type is taken"),
    maybe(
        "skip",
        Shape::Object(&[
            maybe("sign_ins_left", Shape::Integer(0, BIG), "How often, this time counted; null: no such bound"),
            maybe("until", Shape::Timestamp, "Until when; null: no such bound"),
        ]),
        "How the enrolment can be put off; null: it cannot",
    ),
    maybe(
        "assurance",
        Shape::Object(&[
            always("aal", Shape::Integer(1, 2), "The authenticator assurance level (SP 800-63B-4)"),
            always("acr", Shape::OneOf(&policy::Acr::NAMES), "The authentication context class"),
            always("amr", Shape::List(&Shape::Text(10), 10), "The methods (RFC 8176)"),
        ]),
        "What the flow is worth as it stands, where it can end",
    ),
    always(
        "stand_ins",
        Shape::List(&Shape::OneOf(&policy::StandIn::NAMES), 4),
        "What stood in; tell the user of `email_backup`",
    ),
    always("may_remember_device", Shape::Boolean, "Whether `POST …/devices` would take these proofs"),
    maybe("device_id", Shape::Id("dev_"), "The device, where the token is one of this user's"),
    always("completed", Shape::Boolean, "Whether the flow has ended here, and the proofs are used up"),
];

/// A message.
pub const MESSAGE: &[Field] = &[
    always("id", Shape::Id("msg_"), "The message's id"),
    maybe("challenge_id", Shape::Id("chl_"), "Its challenge"),
    maybe("user_id", Shape::Id("usr_"), "Whom it concerns"),
    maybe("app_id", Shape::Id("app_"), "Through which app"),
    always("channel", Shape::OneOf(&Channel::NAMES), "How it goes"),
    always("template", Shape::Text(60), "Its text"),
    always("locale", Shape::Text(35), "Its language"),
    maybe("to", Shape::Text(254), "Whom it is meant for, masked; null once the user was deleted"),
    always("redirected", Shape::Boolean, "Whether it went to `DEV_SMS_RECEIVER` or `DEV_EMAIL_RECEIVER` instead"),
    maybe("country", Shape::Text(3), "The number's country"),
    always("cost_class", Shape::OneOf(&["none", "domestic", "international"]), "What it costs"),
    maybe("encoding", Shape::OneOf(&["gsm7", "ucs2"]), "How an SMS is encoded"),
    maybe("segments", Shape::Integer(1, 100), "How many SMS it is"),
    always("status", Shape::OneOf(&message::Status::NAMES), "Where it stands"),
    maybe("reason", Shape::Text(60), "Why it was dropped"),
    always("driver", Shape::Text(20), "What carries it"),
    maybe("provider_id", Shape::Text(64), "The carrier's id of it"),
    maybe("error_code", Shape::Text(60), "The carrier's code"),
    maybe("error_class", Shape::Text(60), "What the code means"),
    maybe("latency_ms", Shape::Integer(0, BIG), "How long the carrier took to answer"),
    maybe("fallback_at", Shape::Timestamp, "When another carrier was asked since nothing said that it had arrived"),
    always("created_at", Shape::Timestamp, "When it was written down"),
    always("updated_at", Shape::Timestamp, "When it changed"),
];

const TRY: &[Field] = &[
    always("id", Shape::Id("try_"), "The try's id"),
    always("driver", Shape::Text(20), "Who was asked"),
    maybe(
        "outcome",
        Shape::OneOf(&["accepted", "retryable", "recipient_refused", "misconfigured", "fraud_blocked", "unknown"]),
        "What became of it; null: not known yet",
    ),
    maybe("provider_id", Shape::Text(64), "The carrier's id"),
    maybe("segments", Shape::Integer(1, 100), "How many SMS the carrier made of it"),
    maybe("error_code", Shape::Text(60), "The carrier's code"),
    maybe("latency_ms", Shape::Integer(0, BIG), "How long the carrier took"),
    maybe(
        "feedback",
        Shape::OneOf(&["confirmed", "approved", "canceled"]),
        "What the carrier was told of the code's fate",
    ),
    always("created_at", Shape::Timestamp, "When it was asked"),
];

const RECEIPT: &[Field] = &[
    always("driver", Shape::Text(20), "Who reported"),
    always("provider_id", Shape::Text(64), "The carrier's id of the message, or of one of its parts"),
    always("carrier_status", Shape::Text(40), "The state in the carrier's words"),
    always(
        "status",
        Shape::OneOf(&["sent", "delivered", "failed", "unknown"]),
        "What it means; `unknown` changes nothing",
    ),
    maybe("error_code", Shape::Text(20), "The carrier's code"),
    always("received_at", Shape::Timestamp, "When it came first"),
    always("times", Shape::Integer(1, BIG), "How often it came"),
];

/// A message with its tries.
pub const MESSAGE_WITH_TRIES: &[Field] = &[
    always("message", Shape::Object(MESSAGE), "The message"),
    always("tries", Shape::List(&Shape::Object(TRY), 20), "Its tries, oldest first"),
    always("receipts", Shape::List(&Shape::Object(RECEIPT), 100), "What carriers reported of it, oldest first"),
];

/// An audit event.
pub const EVENT: &[Field] = &[
    always("id", Shape::Id("evt_"), "The event's id"),
    always("type", Shape::OneOf(event::EventType::NAMES), "What happened"),
    always("actor", Shape::Text(64), "Which key; `carrier`, `system`, or `unknown` without a signature"),
    maybe("user_id", Shape::Id("usr_"), "Whom it concerns"),
    maybe("app_id", Shape::Id("app_"), "Through which app"),
    maybe("subject_id", Shape::Text(64), "The thing it happened to"),
    always("outcome", Shape::OneOf(&["success", "refused", "failed"]), "How it ended"),
    maybe("reason", Shape::Text(200), "Why"),
    maybe("client_ip", Shape::Text(45), "The person's address, as the server passed it"),
    maybe("user_agent", Shape::Text(512), "The person's browser, as the server passed it"),
    always("request_id", Shape::Id("req_"), "The request"),
    always("data", Shape::Anything, "What else is worth keeping"),
    always("created_at", Shape::Timestamp, "When"),
];

/// An entry of the block list or the safe list.
pub const FRAUD_ENTRY: &[Field] = &[
    always("id", Shape::Id("fre_"), "The entry's id"),
    always("list", Shape::OneOf(&entry::LISTS), "Which list it is in"),
    always("type", Shape::OneOf(&entry::KINDS), "What it is about"),
    always("subject", Shape::Text(45), "Which one; of a number and of an address a part is hidden"),
    always("level", Shape::Integer(0, BIG), "How often the guard has blocked it in a row; 0: a person did"),
    always("enforced", Shape::Boolean, "Whether it holds; false: the guard made it while it only reported"),
    maybe("reason", Shape::Text(200), "Why, in the words of who made it"),
    always("created_by", Shape::Text(64), "Which key made it, or `fraud_guard`"),
    always("created_at", Shape::Timestamp, "When"),
    always("expires_at", Shape::Timestamp, "When it ends"),
];

/// A session.
pub const SESSION: &[Field] = &[
    always("id", Shape::Id("ses_"), "The session's id: the `sid` of its tokens"),
    always("user_id", Shape::Id("usr_"), "Whose it is"),
    always("app_id", Shape::Id("app_"), "Through which app"),
    always("scope", Shape::Text(1000), "What it may be used for; empty where nothing was asked for"),
    always("acr", Shape::OneOf(&policy::Acr::NAMES), "What its sign-in is worth"),
    always("amr", Shape::List(&Shape::Text(20), 20), "What was proven (RFC 8176)"),
    always("auth_time", Shape::Timestamp, "When the person last proved who they are"),
    maybe("client_ip", Shape::Text(45), "Their address at the sign-in"),
    maybe("user_agent", Shape::Text(512), "Their browser or app"),
    always("created_at", Shape::Timestamp, "When it began"),
    always("last_used_at", Shape::Timestamp, "When tokens were last given out for it"),
    always("expires_at", Shape::Timestamp, "When it ends if nobody refreshes its tokens"),
    always("ends_at", Shape::Timestamp, "When it ends in any case"),
];

/// Tokens (RFC 6749 §5.1).
pub const TOKENS: &[Field] = &[
    always("access_token", Shape::Text(8192), "A JWT of type `at+jwt` (RFC 9068)"),
    always("token_type", Shape::OneOf(&["Bearer"]), "How it is sent"),
    always("expires_in", Shape::Integer(0, BIG), "Seconds until it ends"),
    always("expires_on", Shape::Integer(0, BIG), "When it ends, in seconds since 1970"),
    always("not_before", Shape::Integer(0, BIG), "When it was made, in seconds since 1970"),
    field("scope", Shape::Text(1000), "What it is good for"),
    field("id_token", Shape::Text(8192), "A JWT that says who has signed in; with the scope `openid`"),
    field("refresh_token", Shape::Text(100), "Gets the next tokens, once; with the scope `offline_access`"),
    field("refresh_token_expires_in", Shape::Integer(0, BIG), "Seconds until it ends"),
    field("refresh_token_expires_on", Shape::Integer(0, BIG), "When it ends, in seconds since 1970"),
];

/// A refusal of an OAuth endpoint.
pub const OAUTH_ERROR: &[Field] = &[
    always(
        "error",
        Shape::OneOf(&[
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "invalid_scope",
            "unauthorized_client",
            "unsupported_grant_type",
            "unsupported_token_type",
            "temporarily_unavailable",
            "server_error",
        ]),
        "Which of the list",
    ),
    always("error_description", Shape::Text(2000), "For whoever writes the client"),
];

/// A server key.
pub const API_KEY: &[Field] = &[
    always("id", Shape::Id("key_"), "The key's id"),
    always("name", Shape::Text(60), "What it is called"),
    always("hint", Shape::Text(4), "The secret's last four characters"),
    always("scopes", Shape::List(&Shape::OneOf(&Scope::NAMES), 20), "What it may do"),
    always("test", Shape::Boolean, "Whether its messages never reach a carrier"),
    always("created_at", Shape::Timestamp, "When it was made"),
    maybe("last_used_at", Shape::Timestamp, "When it was last used, to about a minute"),
    maybe("revoked_at", Shape::Timestamp, "When it was revoked"),
];

/// A server key that was just made.
pub const NEW_API_KEY: &[Field] = &[
    always("api_key", Shape::Object(API_KEY), "The key"),
    maybe(
        "secret",
        Shape::Text(60),
        "Its secret, shown this once; null when an earlier call with the same key made it",
    ),
];

/// A key that signs tokens. Its private half is shown to nobody.
pub const SIGNING_KEY: &[Field] = &[
    always("id", Shape::Id("sig_"), "The key's id: the `kid` of tokens"),
    always("algorithm", Shape::OneOf(&Algorithm::NAMES), "How it signs"),
    always("status", Shape::OneOf(&["waiting", "signing", "replaced"]), "Whether it will sign, signs, or did"),
    always("created_at", Shape::Timestamp, "When it was made"),
    always("signs_from", Shape::Timestamp, "From when it signs"),
    maybe("expires_at", Shape::Timestamp, "When it leaves JWKS; null: no other one takes its place yet"),
];

/// The public keys (RFC 7517).
pub const KEY_SET: &[Field] = &[always("keys", Shape::List(&Shape::Object(JWK), 200), "The keys")];

const JWK: &[Field] = &[
    always("kid", Shape::Id("sig_"), "The key's id"),
    always("use", Shape::OneOf(&["sig"]), "It checks signatures"),
    always("alg", Shape::OneOf(&Algorithm::NAMES), "The one algorithm it is for"),
    always("kty", Shape::OneOf(&["RSA", "EC"]), "The kind of key"),
    field("n", Shape::Text(400), "An RSA key's modulus"),
    field("e", Shape::Text(10), "An RSA key's exponent"),
    field("crv", Shape::OneOf(&["P-256"]), "A point's curve"),
    field("x", Shape::Text(43), "A point's x coordinate"),
    field("y", Shape::Text(43), "A point's y coordinate"),
];

const NAMES: Shape = Shape::List(&Shape::Text(60), 20);

/// Discovery (RFC 8414 §2).
pub const SERVER_METADATA: &[Field] = &[
    always("issuer", Shape::Text(300), "What `iss` of every token is").example(r#""https://login.example.com""#),
    always("token_endpoint", Shape::Text(300), "Where tokens are had"),
    always("revocation_endpoint", Shape::Text(300), "Where they are given back"),
    always("jwks_uri", Shape::Text(300), "Where the keys are"),
    always("service_documentation", Shape::Text(300), "Where this contract can be read"),
    always("scopes_supported", NAMES, "Scopes of people's tokens"),
    always("response_types_supported", NAMES, "What flows end in"),
    always("grant_types_supported", NAMES, "What tokens are had for"),
    always("token_endpoint_auth_methods_supported", NAMES, "How clients say who they are"),
    always("revocation_endpoint_auth_methods_supported", NAMES, "How they do to give tokens back"),
    always("code_challenge_methods_supported", NAMES, "PKCE"),
    always("subject_types_supported", NAMES, "A user's `sub` is the same for every app"),
    always("id_token_signing_alg_values_supported", NAMES, "How tokens are signed, by the app's setting"),
    always("acr_values_supported", NAMES, "What a sign-in can be worth"),
];

/// What the deployment shows to anybody.
pub const ENVIRONMENT: &[Field] = &[
    always("app_name", Shape::Text(60), "The name in messages"),
    always("environment", Shape::OneOf(&["prod", "development"]), "Whether messages go to people"),
    always("factors", Shape::List(&Shape::OneOf(&FactorType::NAMES), 10), "Factors that can be enrolled"),
    always(
        "sms",
        Shape::Object(&[
            maybe("driver", Shape::Text(20), "What carries SMS; null: not configured"),
            maybe("from_number", Shape::Text(40), "The sender, where it is one number"),
        ]),
        "SMS",
    ),
    always("voice", Shape::Object(&[maybe("driver", Shape::Text(20), "What makes calls; null: nothing can")]), "Calls"),
    always("locales", Shape::List(&Shape::Text(35), 100), "Languages of messages"),
    always("test_mode", Shape::OneOf(&["enabled", "disabled", "rejected"]), "What happens with test numbers"),
    maybe("turnstile_site_key", Shape::Text(64), "What a page's Turnstile widget needs; null: flows begin without one"),
];

const CHECK: &[Field] = &[
    always("status", Shape::OneOf(&["ok", "failed"]), "Whether it works"),
    maybe("detail", Shape::Text(2000), "What is wrong and what to do"),
];

/// The health of a deployment.
pub const HEALTH: &[Field] = &[
    always("status", Shape::OneOf(&["ok", "failed"]), "Whether everything works"),
    always("version", Shape::Text(40), "The program's version"),
    always(
        "checks",
        Shape::Object(&[
            always("configuration", Shape::Object(CHECK), "The variables"),
            always("database", Shape::Object(CHECK), "D1"),
            always("cache", Shape::Object(CHECK), "KV"),
            always(
                "receipts",
                Shape::Object(CHECK),
                "Delivery receipts; the detail says why a carrier is asked for none",
            ),
        ]),
        "What was checked",
    ),
];

/// What the dev inbox has of a message.
pub const INBOX_ENTRY: &[Field] = &[
    always("id", Shape::Id("msg_"), "The message's id"),
    always("channel", Shape::OneOf(&Channel::NAMES), "How it goes"),
    always("to", Shape::Text(254), "Where it went"),
    always("intended_to", Shape::Text(254), "Whom it is meant for"),
    maybe("subject", Shape::Text(200), "An e-mail's subject"),
    always("body", Shape::Text(10_000), "The text"),
    maybe("code", Shape::Text(10), "The code; null in a notice"),
    always("template", Shape::Text(60), "Its template"),
    always("driver", Shape::Text(20), "What carries it"),
    always("status", Shape::OneOf(&message::Status::NAMES), "Where it stands"),
    always("created_at", Shape::Timestamp, "When"),
];

/// Who hears events.
pub const WEBHOOK_ENDPOINT: &[Field] = &[
    always("id", Shape::Id("whe_"), "The endpoint's id"),
    always("url", Shape::Text(2000), "Where events go").example(r#""https://hooks.example.com/postern""#),
    maybe("description", Shape::Text(200), "What it is called"),
    always("events", Shape::List(&Shape::Text(60), 100), "What it hears").example(r#"["sms.*", "challenge.verified"]"#),
    always("enabled", Shape::Boolean, "Whether it hears anything"),
    maybe(
        "disabled_reason",
        Shape::OneOf(&webhook::DisabledReason::NAMES),
        "Why not: you said so, or it took nothing for days",
    ),
    maybe("failing_since", Shape::Timestamp, "Since when it has taken nothing; null: it took the last one"),
    maybe("previous_secret_expires_at", Shape::Timestamp, "Until when the secret before this one signs too"),
    field(
        "secret",
        Shape::Text(60),
        "Its new secret, shown this once; null when an earlier call with the same key made it",
    )
    .nullable(),
    always("created_at", Shape::Timestamp, "When it was made"),
    always("updated_at", Shape::Timestamp, "When it was changed"),
];

/// One event that an endpoint is told.
pub const WEBHOOK_DELIVERY: &[Field] = &[
    always("id", Shape::Id("whd_"), "The delivery's id: what `webhook-id` says"),
    always("endpoint_id", Shape::Id("whe_"), "Who is told"),
    always("event_id", Shape::Id("evt_"), "Of which event"),
    always("event_type", Shape::Text(60), "The event's type"),
    always("status", Shape::OneOf(&webhook::Status::NAMES), "Where it stands"),
    always("attempts", Shape::Integer(0, BIG), "How often it was tried"),
    maybe("next_attempt_at", Shape::Timestamp, "When it is tried next; null: no more"),
    maybe("response_status", Shape::Integer(100, 999), "What the endpoint answered last"),
    maybe("error", Shape::Text(60), "Why there was no answer"),
    maybe("latency_ms", Shape::Integer(0, BIG), "How long the last try took"),
    always("created_at", Shape::Timestamp, "When the event happened"),
    maybe("delivered_at", Shape::Timestamp, "When the endpoint took it"),
];

/// How long it took, for so many in a hundred.
const PERCENTILES: &[Field] = &[
    maybe("p50_ms", Shape::Integer(0, BIG), "Half of them took no longer"),
    maybe("p95_ms", Shape::Integer(0, BIG), "95 in a hundred took no longer"),
];

/// What became of messages, by what was asked for.
const COUNTS: &[Field] = &[
    field("day", Shape::Text(10), "On this day (UTC)").example(r#""2026-11-22""#),
    field("hour", Shape::Timestamp, "In the hour that begins so"),
    field("country", Shape::Text(3), "To this country; null: e-mail").nullable(),
    field("driver", Shape::Text(20), "By this driver; `handed_over`: whoever hears the event delivers it"),
    field("channel", Shape::OneOf(&Channel::NAMES), "By this channel"),
    field("template", Shape::Text(60), "With this text"),
    field("app_id", Shape::Id("app_"), "Through this app; null: none").nullable(),
    always("sent", Shape::Integer(0, BIG), "What a carrier took, or may have"),
    always("codes", Shape::Integer(0, BIG), "What of it brought a code"),
    always("delivered", Shape::Integer(0, BIG), "What was reported delivered"),
    always("failed", Shape::Integer(0, BIG), "What no carrier took, or what was reported not to have arrived"),
    always("refused", Shape::Integer(0, BIG), "What of it no carrier took; it is not among `sent`"),
    always("verified", Shape::Integer(0, BIG), "Codes that came back"),
    maybe("conversion", Shape::Share, "`verified` of `codes`; null: no codes"),
    maybe(
        "delivery_rate",
        Shape::Share,
        "`delivered` of what went by carriers that report it; null: none went, or nothing was reported",
    ),
    always("cost", Shape::Text(20), "What it cost, in the currency of `fraud.spend.prices`").example(r#""1.2345""#),
    always("time_to_deliver", Shape::Object(PERCENTILES), "From sending to the report that it arrived"),
    always("time_to_verify", Shape::Object(PERCENTILES), "From sending to the code coming back"),
];

/// Messages in numbers.
pub const MESSAGE_METRICS: &[Field] = &[
    always("from", Shape::Timestamp, "From this hour on"),
    always("to", Shape::Timestamp, "Before this hour"),
    always(
        "data",
        Shape::List(&Shape::Object(COUNTS), crate::metrics::messages::MOST_ROWS),
        "In the order of what they are by",
    ),
    always("total", Shape::Object(COUNTS), "All of them together"),
];

/// The settings in effect.
pub const INSTANCE: &[Field] = &[
    always("version", Shape::Integer(1, BIG), "Grows with each change"),
    always("settings", Shape::Anything, "The settings in effect, in the form that PATCH takes"),
    always("stored", Shape::Anything, "Those of them that are stored"),
];
