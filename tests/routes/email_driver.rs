//! Which driver carries e-mail, from the bindings; what is missing is named, and never guessed.

use std::time::Duration;

use postern::{config::Config, message::drivers::Mail, settings::Delivery};
use serde_json::json;

use crate::support::{Vars, vars};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FROM: (&str, &str) = ("EMAIL_FROM", "Example <login@example.com>");
const RESEND: (&str, &str) = ("RESEND_API_KEY", "re_123");
const POSTMARK: (&str, &str) = ("POSTMARK_SERVER_TOKEN", "token");
const URL: (&str, &str) = ("EMAIL_WEBHOOK_URL", "https://app.example.com/hooks/email");
const SIGNED: (&str, &str) = ("EMAIL_WEBHOOK_SECRET", SECRET);

/// What somebody set up in `prod`.
type Changes = &'static [(&'static str, &'static str)];

/// A driver, none, or the variable that is named.
const CASES: &[(Changes, Result<Option<&str>, &str>)] = &[
    // Whoever wants no e-mail sets nothing.
    (&[], Ok(None)),
    (&[("EMAIL_DRIVER", "null")], Ok(Some("null"))),
    (&[FROM, RESEND], Ok(Some("resend"))),
    (&[FROM, POSTMARK], Ok(Some("postmark"))),
    (&[FROM, URL, SIGNED], Ok(Some("webhook"))),
    (&[FROM, RESEND, POSTMARK, URL, SIGNED], Ok(Some("resend"))),
    (&[FROM, POSTMARK, URL, SIGNED], Ok(Some("postmark"))),
    (&[FROM, RESEND, POSTMARK, ("EMAIL_DRIVER", "postmark")], Ok(Some("postmark"))),
    (&[FROM, ("EMAIL_DRIVER", "cloudflare")], Ok(Some("cloudflare"))),
    (&[("EMAIL_DRIVER", "cloudflare")], Err("EMAIL_FROM")),
    (&[("EMAIL_DRIVER", "resend")], Err("RESEND_API_KEY")),
    (&[("EMAIL_DRIVER", "resend"), RESEND], Err("EMAIL_FROM")),
    (&[("EMAIL_DRIVER", "postmark"), FROM], Err("POSTMARK_SERVER_TOKEN")),
    (&[("EMAIL_DRIVER", "webhook"), FROM], Err("EMAIL_WEBHOOK_URL")),
    (&[("EMAIL_DRIVER", "webhook"), FROM, URL], Err("EMAIL_WEBHOOK_SECRET")),
    (&[("EMAIL_DRIVER", "pigeon"), FROM, RESEND], Err("EMAIL_DRIVER")),
    // Somebody began: what is missing is named.
    (&[RESEND], Err("EMAIL_FROM")),
    (&[POSTMARK], Err("EMAIL_FROM")),
    (&[FROM, URL], Err("EMAIL_WEBHOOK_SECRET")),
    (&[FROM, SIGNED], Err("EMAIL_WEBHOOK_URL")),
    (&[FROM], Err("EMAIL_DRIVER")),
    (&[("RESEND_API_BASE", "https://proxy.example.com")], Ok(None)),
    // A malformed variable is never a reason to send by another carrier.
    (&[("EMAIL_FROM", "nobody"), RESEND], Err("EMAIL_FROM")),
    (&[("EMAIL_WEBHOOK_SECRET", "hunter2"), FROM, RESEND], Err("EMAIL_WEBHOOK_SECRET")),
    (&[FROM, SIGNED, ("EMAIL_WEBHOOK_URL", "http://app.example.com/hooks")], Err("EMAIL_WEBHOOK_URL")),
    // To a name on the public network, or to this machine.
    (&[FROM, SIGNED, ("EMAIL_WEBHOOK_URL", "https://10.0.0.1/hooks")], Err("EMAIL_WEBHOOK_URL")),
    (&[FROM, SIGNED, ("EMAIL_WEBHOOK_URL", "https://mail.internal/hooks")], Err("EMAIL_WEBHOOK_URL")),
    (&[FROM, SIGNED, ("EMAIL_WEBHOOK_URL", "http://127.0.0.1:9/hooks")], Ok(Some("webhook"))),
];

fn bindings(environment: &str, changes: &[(&str, &str)]) -> Vars {
    let mut all = vars::prod_twilio("http://127.0.0.1:9");
    all.insert("ENVIRONMENT".to_owned(), json!(environment));
    all.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    all
}

#[test]
fn the_driver_is_the_one_named_or_the_first_complete_one() {
    for (changes, wanted) in CASES {
        let delivery = delivery(&bindings("prod", changes));
        let found = match (delivery.issues(), delivery.email()) {
            ([issue], Err(stopped)) if *issue == stopped => Err(issue.variable),
            ([], found) => Ok(found.ok().map(|drivers| drivers[0].name())),
            (issues, _) => panic!("{changes:?} {issues:?}"),
        };
        assert_eq!(found, *wanted, "{changes:?}");
        assert!(delivery.sms("US").is_ok(), "{changes:?} stops SMS");
    }
}

#[test]
fn outside_prod_what_is_incomplete_is_as_good_as_none() {
    for changes in [&[][..], &[RESEND], &[FROM], &[FROM, URL]] {
        let delivery = delivery(&bindings("dev", changes));
        assert_eq!(delivery.email_driver().map(postern::config::EmailDriver::name), Some("null"), "{changes:?}");
        assert_eq!(delivery.issues(), [], "{changes:?}");
    }
    let named = delivery(&bindings("dev", &[("EMAIL_DRIVER", "resend")]));
    assert_eq!(named.email().err().map(|issue| issue.variable), Some("RESEND_API_KEY"));
}

fn delivery(bindings: &Vars) -> Delivery {
    Delivery::effective(&json!({}), &Config::read(bindings))
}

/// Each driver's mail is what its provider takes, byte by byte, and each way of failing is what it is told to be.
#[tokio::test]
async fn every_provider_takes_what_its_driver_sends() {
    let names = [
        "042137 is your Example code",
        "042137 is your Bücher & Söhne \u{1f600} code, which is a subject of more than one line",
    ];
    for driver in ["resend", "postmark", "webhook", "cloudflare"] {
        let vars = vars::with_mail(bindings("prod", &[]), driver, "http://127.0.0.1:9");
        let native = crate::support::native::Native::new(&vars);
        let config = &native.app.config;
        let delivery = Delivery::effective(&json!({}), config);
        assert_eq!(delivery.issues(), [], "{driver}");
        let driver = delivery.email_driver().expect(driver);
        for (count, subject) in names.into_iter().enumerate() {
            let id = format!("msg_{count}");
            let mail = Mail {
                from: driver.from().expect("a sender"),
                to: "ana@example.com",
                subject,
                text: "042137\n\n.\nein Gruß\n",
                html: "<p>ein Gruß</p><p>042137</p>\n",
                template: "verification_code",
                code: Some("042137"),
                message_id: &id,
                timeout: Duration::from_secs(4),
                now: native.app.ports.clock.now(),
            };
            let answer = postern::message::drivers::send_mail(&native.app.ports, driver, &mail).await;
            assert_eq!(answer.as_str(), "accepted", "{} {answer:?}", driver.name());
            let sent = native.carriers.mail.sent().pop().expect("a mail");
            assert_eq!(
                (sent.provider, sent.subject.as_str(), sent.code().as_str()),
                (driver.name(), subject, "042137")
            );
            assert_eq!(sent.text.trim_end(), mail.text.trim_end());
            assert_eq!(sent.html.trim_end(), mail.html.trim_end());
            assert_eq!(sent.message_id, id);
        }
        assert_eq!(native.carriers.violations(), [] as [String; 0]);
    }
}
