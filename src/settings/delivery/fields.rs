//! The fields of `sms`, `voice` and `email`: what carries messages. Credentials are write-only.

use crate::schema::{Field, Shape, field};

/// How many routes a channel has at most.
const ROUTES: usize = 50;

const ENABLED: &str = "The kill switch: `false` stops all of it at once";
const INHERITS: &str =
    "What carries it; `null` is the driver that sends nothing, `\"inherit\"` goes back to the variable";

const TWILIO: &[Field] = &[
    field("account_sid", Shape::Text(34), "The account's SID").example(r#""AC00000000000000000000000000000000""#),
    field("auth_token", Shape::Credential(512), "The account's auth token; delivery reports are signed with it"),
    field("api_key_sid", Shape::Text(34), "An API key to send with instead")
        .example(r#""SK00000000000000000000000000000000""#),
    field("api_key_secret", Shape::Credential(512), "The API key's secret"),
    field("messaging_service_sid", Shape::Text(34), "A Messaging Service for SMS; with one, no sender counts")
        .example(r#""MG00000000000000000000000000000000""#),
    field("verify_service_sid", Shape::Text(34), "The Verify service of the driver `twilio_verify`")
        .example(r#""VA00000000000000000000000000000000""#),
    field("from_number", Shape::Text(16), "Who sends by this carrier, before `sms.from_number`")
        .example(r#""+15005550006""#),
];

const VONAGE: &[Field] = &[
    field("api_key", Shape::Text(64), "The account's API key").example(r#""abcd1234""#),
    field("api_secret", Shape::Credential(512), "The account's API secret"),
    field(
        "signature_secret",
        Shape::Credential(512),
        "Signs SMS requests when there is no API secret; with one, what Vonage reports has to be signed with it",
    ),
    field("application_id", Shape::Text(64), "The application that makes calls")
        .example(r#""00000000-0000-0000-0000-000000000000""#),
    field("private_key", Shape::Credential(4096), "The application's private key, PEM"),
    field("from_number", Shape::Text(16), "Who sends by this carrier, before `sms.from_number`")
        .example(r#""+447700900100""#),
];

const WEBHOOK: &[Field] = &[
    field("url", Shape::Text(2000), "Your endpoint, which gets each message as JSON and sends it; in `prod` https")
        .example(r#""https://app.example.com/hooks/messages""#),
    field("secret", Shape::Credential(100), "Signs what goes there, as Standard Webhooks: `whsec_…`"),
];

const COUNTRIES: Field =
    field("countries", Shape::List(&Shape::Text(2), 250), "Countries, ISO 3166-1 alpha-2, or `*`; none is `*`")
        .example(r#"["US", "CA"]"#);

const PHONE_DRIVERS: Shape = Shape::OneOf(&["twilio", "twilio_verify", "vonage", "webhook"]);
const MAIL_DRIVERS: Shape = Shape::OneOf(&["resend", "postmark", "cloudflare", "webhook"]);

const PHONE_ROUTE: Shape = Shape::Object(&[
    COUNTRIES,
    field("drivers", Shape::List(&PHONE_DRIVERS, 4), "In the order in which they are asked")
        .required()
        .example(r#"["vonage", "twilio"]"#),
]);
const MAIL_ROUTE: Shape =
    Shape::Object(&[field("drivers", Shape::List(&MAIL_DRIVERS, 4), "In the order in which they are asked")
        .required()
        .example(r#"["resend", "postmark"]"#)]);

/// The fields of `sms`.
pub(in crate::settings) const SMS: &[Field] = &[
    field("enabled", Shape::Boolean, ENABLED).example("true"),
    field("driver", Shape::OneOf(&["null", "twilio", "twilio_verify", "vonage", "webhook"]), INHERITS)
        .nullable()
        .example("null"),
    field("from_number", Shape::Text(16), "Who sends: E.164, a short code, or a name of up to 11 letters and digits")
        .example(r#""+15005550006""#),
    field("twilio", Shape::Object(TWILIO), "Twilio's account; whole from here, or whole from the variables"),
    field("vonage", Shape::Object(VONAGE), "Vonage's account; likewise"),
    field("webhook", Shape::Object(WEBHOOK), "Your own endpoint; likewise"),
    field(
        "routes",
        Shape::List(&PHONE_ROUTE, ROUTES),
        "Which drivers are asked for which countries; the first route that names a country, else the first with `*`, else `driver` alone",
    ),
    field(
        "fallback",
        Shape::Object(&[
            field(
                "enabled",
                Shape::Boolean,
                "Sends through the route's next driver what is not reported delivered where it normally is",
            )
            .example("false"),
            field("after_seconds", Shape::Integer(30, 300), "How long a report may take").example("60"),
            field(
                "voice",
                Shape::Boolean,
                "Where it is enabled and no driver of SMS is left: calls, once, under all that holds for calls",
            )
            .example("false"),
        ]),
        "A second try by another carrier, or by a call",
    ),
];

/// The fields of `voice`.
pub(in crate::settings) const VOICE: &[Field] = &[
    field("enabled", Shape::Boolean, "The kill switch: `false` stops all calls at once, also those under way").example("true"),
    field(
        "gate",
        Shape::OneOf(&["on", "off"]),
        "`on`: the code is told once a key is pressed, which needs https in `PUBLIC_URL`; `off`: at once, to mailboxes too",
    )
    .example(r#""on""#),
    field("driver", Shape::OneOf(&["null", "twilio", "twilio_verify", "vonage", "webhook"]), "What makes calls, with the accounts of `sms`; unset: what carries SMS, if it can call")
        .nullable()
        .example("null"),
    field("from_number", Shape::Text(16), "The number that calls, E.164; default: the carrier's sender, if it is a number")
        .example(r#""+15005550006""#),
    field("routes", Shape::List(&PHONE_ROUTE, ROUTES), "Which drivers are asked for which countries, as for SMS"),
];

/// The fields of `email`.
pub(in crate::settings) const EMAIL: &[Field] = &[
    field("enabled", Shape::Boolean, ENABLED).example("true"),
    field("driver", Shape::OneOf(&["null", "resend", "postmark", "cloudflare", "webhook"]), INHERITS)
        .nullable()
        .example("null"),
    field("from", Shape::Text(320), "Who sends: an address, with a name or without")
        .example(r#""Example <login@example.com>""#),
    field("resend", Shape::Object(&[field("api_key", Shape::Credential(512), "Resend's key")]), "Resend"),
    field(
        "postmark",
        Shape::Object(&[field("server_token", Shape::Credential(512), "Postmark's server token")]),
        "Postmark",
    ),
    field("webhook", Shape::Object(WEBHOOK), "Your own endpoint"),
    field("routes", Shape::List(&MAIL_ROUTE, 1), "One route: the drivers in the order in which they are asked"),
];
