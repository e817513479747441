//! Every setting, as the shape of `PATCH /v1/instance`: the same table checks input, writes the OpenAPI
//! document and `docs/configuration.md`.

use super::{
    alerts::ALERTS,
    delivery::{EMAIL, SMS, VOICE},
    multi_factor::MULTI_FACTOR,
    sign_in::SIGN_IN,
};
use crate::fraud::FRAUD;
use crate::schema::{Field, Shape, field};

const MANY: Shape = Shape::Integer(0, 1_000_000);

const LIMITS: &[Field] = &[
    field("wrong_answers", Shape::Integer(1, 10), "Wrong answers to one challenge").example("5"),
    field("sends_per_challenge", Shape::Integer(1, 4), "Codes sent for one challenge").example("4"),
    field("second_factor_failures", Shape::Integer(1, 100), "Wrong second-factor answers per 30 minutes").example("10"),
    field("second_factor_failures_in_a_row", Shape::Integer(1, 100), "Wrong second-factor answers in a row")
        .example("100"),
    field("messages_per_user_half_hour", Shape::Integer(1, 100), "Messages to one user in 30 minutes").example("5"),
    field("messages_per_user_hour", Shape::Integer(1, 100), "Messages to one user in an hour").example("10"),
    field("messages_per_destination_half_hour", Shape::Integer(1, 100), "Messages to one number in 30 minutes")
        .example("5"),
    field("messages_per_destination_hour", Shape::Integer(1, 100), "Messages to one number in an hour").example("10"),
    field(
        "calls_per_new_destination",
        Shape::Integer(1, 100),
        "Calls at once to a number not proven yet, then 1 an hour",
    )
    .example("5"),
    field(
        "tries_per_destination_half_hour",
        Shape::Integer(1, 100),
        "Tries to send to one number or address in 30 minutes",
    )
    .example("20"),
    field(
        "requests_per_user_five_minutes",
        Shape::Integer(1, 100),
        "E-mail and TOTP challenges of one user in 5 minutes",
    )
    .example("5"),
    field("emails_per_user_half_hour", Shape::Integer(1, 100), "E-mails to one user in 30 minutes").example("10"),
    field("emails_per_destination_half_hour", Shape::Integer(1, 100), "E-mails to one address in 30 minutes")
        .example("10"),
    field(
        "messages_per_address_hour",
        MANY,
        "SMS and calls asked for from one client address in an hour; 0: any number",
    )
    .example("300"),
    field("messages_per_app_hour", MANY, "SMS and calls through one app in an hour; 0: any number").example("0"),
    field("messages_per_key_hour", MANY, "SMS and calls by one server key in an hour; 0: any number").example("0"),
    field("messages_per_country_hour", MANY, "SMS and calls to one country in an hour; 0: any number").example("0"),
    field("messages_per_instance_hour", MANY, "SMS and calls in an hour, all together; 0: any number").example("0"),
    field("notices_per_user_hour", Shape::Integer(1, 100), "Notices to one user in an hour").example("10"),
    field(
        "sign_up_notices_per_user_day",
        Shape::Integer(1, 100),
        "Notices to one user in a day that somebody tried to sign up with their address",
    )
    .example("3"),
    field("password_failures", Shape::Integer(0, 100), "Wrong passwords of one user from one address; 0 is never")
        .example("5"),
    field(
        "password_failures_everywhere",
        Shape::Integer(1, 100),
        "Wrong passwords before each further one has to wait",
    )
    .example("5"),
    field(
        "sign_in_failures_per_address",
        Shape::Integer(1, 10_000),
        "Wrong passwords from one address in a day, whomever they are tried for",
    )
    .example("100"),
    field("sign_ups_per_address", Shape::Integer(1, 10_000), "Sign-ups begun from one address in a minute")
        .example("50"),
];

const COUNTRIES: Shape = Shape::List(&Shape::Text(2), 250);

const SMS_COUNTRIES: &[Field] = &[
    field(
        "allowed",
        COUNTRIES,
        "Countries that SMS may go to, ISO 3166-1 alpha-2, or `*` alone; default: what `SMS_COUNTRY_CODE` names",
    )
    .example(r#"["US", "CA"]"#),
    field(
        "stopped",
        COUNTRIES,
        "The kill switch by country: none of these gets any SMS, at once, also what is under way; default: none",
    )
    .example(r#"["GB"]"#),
];

const PASSWORD: &[Field] = &[
    field(
        "minimum_length",
        Shape::Integer(8, 64),
        "The fewest characters where a password is the only factor; standards want 15",
    )
    .example("15"),
    field(
        "minimum_length_with_mfa",
        Shape::Integer(8, 64),
        "The fewest where a second factor is required, or the user has one",
    )
    .example("8"),
    field(
        "breach_check",
        Shape::Boolean,
        "Holds a new password against those of breaches: five characters of its SHA-1 go to `BREACH_API_BASE`",
    )
    .example("false"),
    field(
        "imported",
        Shape::Text(40),
        "How imported hashes were made, while some are in use: `bcrypt:cost`, `scrypt:log2(N):r:p`, `pbkdf2-sha256:rounds`, `argon2id:KiB:passes:lanes`. Every sign-in then does that work too, so that none tells by its time who has an account",
    )
    .nullable()
    .example(r#""bcrypt:12""#),
    field("lockout_seconds", Shape::Integer(0, 31_536_000), "How long `password_failures` locks out").example("86400"),
];

const VOICE_COUNTRIES: &[Field] = &[
    field("allowed", COUNTRIES, "Countries that calls may go to, as for SMS; default: what `SMS_COUNTRY_CODE` names")
        .example(r#"["US", "CA"]"#),
    field("stopped", COUNTRIES, "Countries that are not called, at once, also in calls under way; default: none")
        .example(r#"["GB"]"#),
];

/// Kinds of numbers that may be refused. All of some countries' mobiles are fixed lines too, for all that is known, and
/// what costs more than a message is refused always.
const KINDS: Shape =
    Shape::OneOf(&["fixed_line", "personal_number", "toll_free", "uan", "unknown", "voicemail", "voip"]);

/// The settings. A value, or `"inherit"` (or `null`) to go back to the binding or default.
pub const SETTINGS: &[Field] = &[
    field("sms", Shape::Object(SMS), "SMS"),
    field("email", Shape::Object(EMAIL), "E-mail"),
    field(
        "notices",
        Shape::Object(&[field(
            "enabled",
            Shape::Boolean,
            "`false`: nobody is told when a factor is added or removed; tell them yourself then",
        )
        .example("true")]),
        "Notices of changed factors",
    ),
    field("voice", Shape::Object(VOICE), "Calls"),
    field(
        "countries",
        Shape::Object(&[
            field("sms", Shape::Object(SMS_COUNTRIES), "For SMS"),
            field("voice", Shape::Object(VOICE_COUNTRIES), "For calls"),
        ]),
        "Countries",
    ),
    field(
        "numbers",
        Shape::Object(&[
            field(
                "validation",
                Shape::OneOf(&["possible", "valid"]),
                "`possible` refuses what cannot exist, `valid` also what looks unassigned",
            )
            .example(r#""possible""#),
            field(
                "refused",
                Shape::List(&KINDS, 7),
                "Kinds of numbers that get neither SMS nor calls, as far as the numbering plan tells; default: none",
            )
            .example(r#"["voip"]"#),
        ]),
        "Phone numbers",
    ),
    field(
        "codes",
        Shape::Object(&[
            field("length", Shape::Integer(4, 10), "Digits of a code; standards want 6").example("6"),
            field("lifetime_seconds", Shape::Integer(60, 600), "How long a code lives").example("300"),
        ]),
        "Codes",
    ),
    field(
        "test_mode",
        Shape::OneOf(&["enabled", "disabled", "rejected"]),
        "Test numbers +15555550100 to +15555550199: `enabled` answers to 424242, `disabled` to nothing, `rejected` refuses them",
    )
    .example(r#""rejected""#),
    field("test_mode_expires_at", Shape::Timestamp, "When `enabled` becomes `rejected`; in `prod` within 30 days")
        .nullable(),
    field(
        "messages",
        Shape::Object(&[
            field("retention_days", Shape::Integer(1, 365), "Days that messages are kept").example("30"),
            field(
                "locale",
                Shape::Text(35),
                "The language of messages where neither the request nor the user nor the app says it; default `en`",
            )
            .nullable()
            .example(r#""pt-BR""#),
        ]),
        "Messages",
    ),
    field(
        "audit",
        Shape::Object(&[
            field("retention_days", Shape::Integer(30, 3650), "Days that audit events are kept").example("365")
        ]),
        "Audit events",
    ),
    field(
        "tokens",
        Shape::Object(&[field(
            "rotate_keys_days",
            Shape::Integer(0, 3650),
            "Days that a key signs tokens until the next one does; 0 is for ever",
        )
        .example("90")]),
        "Tokens",
    ),
    field("sign_in", Shape::Object(SIGN_IN), "Sign-ins and sign-ups"),
    field("password", Shape::Object(PASSWORD), "Passwords"),
    field("multi_factor", Shape::Object(MULTI_FACTOR), "Which proofs a sign-in needs: `docs/policy.md`"),
    field("fraud", Shape::Object(FRAUD), "The fraud guard: `docs/fraud.md`"),
    field("alerts", Shape::Object(ALERTS), "Who is told that something is wrong, and when: `docs/alerts.md`"),
    field("limits", Shape::Object(LIMITS), "Limits"),
];
