//! Values for the variables of the configuration, by kind: good ones in every form that a binding delivers, and
//! bad ones, with a recognisable text wherever a secret could stand.

use postern::config::Kind;
use serde_json::{Value, json};

use crate::support::vars;

/// A misplaced secret that is too long to show.
pub const LONG: &str = "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2";

/// Values that a variable takes, in each form that a binding may deliver.
pub fn good(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Flag => vec![json!(true), json!(false), json!("true"), json!("FALSE"), json!(" true ")],
        #[allow(clippy::cast_precision_loss)]
        Kind::Integer(min, max) => {
            vec![json!(min), json!(max), json!(max as f64), json!(min.to_string()), json!(format!(" {max} "))]
        }
        Kind::Choice(choices) => choices
            .iter()
            .flat_map(|choice| [json!(choice), json!(choice.to_uppercase()), json!(format!(" {choice} "))])
            .collect(),
        Kind::Choices(choices) => {
            let (first, last) = (choices[0], choices[choices.len() - 1]);
            vec![
                json!([first, last]),
                json!(format!("['{first}', '{last}']")),
                json!(format!("[\"{first}\",\"{last}\"]")),
                json!(format!("{first}, {last}")),
                json!(first),
                json!([]),
                json!("[]"),
            ]
        }
        Kind::Origins => vec![
            json!(["https://app.example.com", "http://localhost:3000"]),
            json!("https://app.example.com, http://localhost:3000"),
            json!("['https://app.example.com']"),
            json!([]),
        ],
        Kind::Hostnames => {
            vec![json!(["app.example.com", "localhost"]), json!("app.example.com, b.example"), json!([])]
        }
        Kind::KeyRing => {
            vec![json!(vars::RING), serde_json::from_str(vars::RING).unwrap(), json!(format!(" {} ", vars::RING))]
        }
        Kind::CallingCode => vec![json!("+1"), json!("44"), json!(49), json!(1.0), json!("+971")],
        Kind::ServerKey => {
            vec![json!(vars::KEY), json!(vars::KEY.replace("live", "test")), json!(format!(" {} ", vars::KEY))]
        }
        Kind::Credential => vec![json!("secret"), json!("a b+c/d=\n-----"), json!(12_345_678)],
        Kind::PrivateKey => {
            vec![json!(vars::PRIVATE_KEY), json!(vars::PRIVATE_KEY.replace('\n', "\\n")), json!(vars::PKCS1_KEY)]
        }
        Kind::Environment => vec![json!("prod"), json!("dev"), json!("staging-2")],
        Kind::Text(max) => vec![json!("x"), json!("é".repeat(max)), json!(42)],
        Kind::Origin => vec![
            json!("https://login.example.com"),
            json!("https://login.example.com/"),
            json!("http://localhost:8787"),
        ],
        Kind::BaseUrl => vec![
            json!("https://api.ie1.twilio.com"),
            json!("https://proxy.example.com/twilio/"),
            json!("http://127.0.0.1:9"),
        ],
        Kind::Url => vec![json!("https://app.example.com/hooks?k=v"), json!(" http://127.0.0.1:9/ ")],
        Kind::Address => vec![json!("Dev+x@Example.com"), json!(" dev@example.com ")],
        Kind::Mailbox => vec![
            json!("login@example.com"),
            json!("Example <login@example.com>"),
            json!("\"Bücher, Inc.\" <login@example.com>"),
        ],
        Kind::WebhookSecret => vec![json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        Kind::E164 => vec![json!("+16471231234"), json!(" +447700900100 ")],
        Kind::Sender => vec![json!("+15005550006"), json!("12345"), json!(12345), json!("AcmeInc")],
        Kind::Sid(prefix) => vec![json!(format!("{prefix}0123456789abcdef0123456789ABCDEF"))],
    }
}

/// Values that it does not take.
pub fn bad(kind: Kind) -> Vec<Value> {
    let nowhere = [json!({"a": LONG}), json!([LONG]), json!([[1]])];
    let own = match kind {
        Kind::Flag => vec![json!("yes"), json!("hunter2"), json!(1), json!(0)],
        Kind::Integer(min, max) => {
            vec![json!(min - 1), json!(max + 1), json!("5.5"), json!(5.5), json!("hunter2"), json!(true), json!("1e2")]
        }
        Kind::Choice(_) => vec![json!("hunter2"), json!(7)],
        Kind::Choices(_) => vec![json!("hunter2"), json!(["hunter2"]), json!("['otp'"), json!(true), json!([1])],
        Kind::Origins => vec![
            json!("hunter2"),
            json!(["https://a.example/path"]),
            json!("https://a.example, b"),
            json!("ftp://a.example"),
            json!("https://*.example.com"),
            json!("http://a.example"),
            json!("null"),
        ],
        Kind::Hostnames => vec![json!("https://hunter2"), json!(["hunter2/"]), json!("hunter2:443"), json!([""])],
        Kind::KeyRing => vec![
            json!("hunter2"),
            json!("{}"),
            json!(r#"{"current":"hunter2","keys":{}}"#),
            json!(r#"{"current":"k2","keys":{"k1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}"#),
            json!(r#"{"current":"k1","keys":{"k1":"aHVudGVyMg=="}}"#),
            json!(r#"{"current":"k1","keys":{"k1":"hunter2!"}}"#),
            json!(7),
        ],
        Kind::CallingCode => vec![json!("hunter2"), json!("+999"), json!("0"), json!(12345), json!(true)],
        Kind::ServerKey => vec![
            json!("hunter2"),
            json!("sk_live_hunter2"),
            json!(format!("sk_live_{}", "x".repeat(43))),
            json!(vars::KEY.replace("sk_", "")),
        ],
        Kind::Credential => vec![json!("hunter2\r\nx"), json!("hunter2".repeat(1000)), json!("hunter2\u{0}")],
        Kind::PrivateKey => vec![
            json!("hunter2"),
            json!(vars::PUBLIC_KEY),
            json!("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"),
            json!(7),
        ],
        Kind::Environment => vec![json!("production"), json!("PROD"), json!("hunter2 hunter2"), json!("h".repeat(33))],
        Kind::Text(max) => vec![json!("h".repeat(max + 1)), json!("hunter2\nhunter2"), json!("a\u{0}")],
        Kind::Origin => vec![
            json!("login.example.com"),
            json!("https://login.example.com/path"),
            json!("https://login.example.com?a"),
            json!("https://user:hunter2@login.example.com"),
            json!("ftp://login.example.com"),
            json!("https://"),
            json!("https://a b"),
        ],
        Kind::BaseUrl => vec![
            json!("api.twilio.com"),
            json!("ftp://a.example"),
            json!("https://user:hunter2@a.example"),
            json!("https://a.example?b=c"),
            json!("/path"),
        ],
        Kind::Url => vec![
            json!("app.example.com/hooks"),
            json!("ftp://a.example"),
            json!("https://user:hunter2@a.example/hooks"),
            json!("/path"),
        ],
        Kind::Address => vec![
            json!("hunter2"),
            json!("hunter2@example"),
            json!("Dev <hunter2@example.com>"),
            json!("a@b.example, hunter2@c.example"),
            json!("hünter2@example.com"),
        ],
        Kind::Mailbox => vec![
            json!("hunter2"),
            json!("hunter2 <a@b>"),
            json!("hunter2 <a@b.example"),
            json!("a@b.example, hunter2@c.example"),
            json!("hunter2\r\nBcc: x <a@b.example>"),
        ],
        Kind::WebhookSecret => {
            vec![json!("hunter2"), json!("whsec_hunter2"), json!("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), json!("whsec_")]
        }
        Kind::E164 => vec![
            json!("16471231234"),
            json!(16_471_231_234_i64),
            json!("+1 647 123 1234"),
            json!("+0123456789"),
            json!("+12"),
            json!("hunter2"),
        ],
        Kind::Sender => vec![json!("Acme Inc"), json!("AcmeIncorporated"), json!("+12"), json!("12")],
        Kind::Sid(prefix) => vec![
            json!("hunter2"),
            json!(format!("{prefix}0123")),
            json!("zz0123456789abcdef0123456789abcdef"),
            json!(7),
        ],
    };
    let lists = matches!(kind, Kind::Choices(_) | Kind::Origins | Kind::Hostnames);
    own.into_iter().chain(nowhere.into_iter().skip(usize::from(lists))).collect()
}
