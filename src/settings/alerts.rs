//! When operators are told that something is wrong, and how: `alerts`. `docs/alerts.md` says what each condition means.

use serde_json::{Value, json};

use super::at;
use crate::{
    alert::Bounds,
    email::EmailAddress,
    fraud::{FraudSettings, money, parse_money},
    schema::{Field, FieldCode, FieldError, Shape, field},
    time::Timestamp,
};

const PERCENT: Shape = Shape::Integer(0, 100);
const MINIMUM: Shape = Shape::Integer(1, 1_000_000);
const AMOUNT: Shape = Shape::Text(16);
const FEWEST: &str = "Fewer messages in the last two hours prove nothing";

/// The fields of `alerts`.
pub(super) const ALERTS: &[Field] = &[
    field("enabled", Shape::Boolean, "`false`: nothing is looked at").example("true"),
    field("emails", Shape::List(&Shape::Text(254), 5), "Who is told by e-mail; webhooks hear `alert.*` without it")
        .example(r#"["ops@example.com"]"#),
    field(
        "quiet",
        Shape::Object(&[
            field("from", Shape::Text(5), "Hours and minutes, UTC").example(r#""22:00""#),
            field("to", Shape::Text(5), "The same; it may be on the next day").example(r#""07:00""#),
        ]),
        "When e-mails wait, but for what stops everybody; webhooks do not wait",
    )
    .nullable(),
    field("repeat_minutes", Shape::Integer(15, 10_080), "After how long it is told again, while it holds")
        .example("240"),
    field(
        "conversion_drop",
        Shape::Object(&[
            field("percent", PERCENT, "How many per cent fewer codes come back than in the week before; 0 is never")
                .example("40"),
            field("minimum", MINIMUM, FEWEST).example("30"),
        ]),
        "Codes that come back, by channel and country",
    ),
    field(
        "delivery_drop",
        Shape::Object(&[
            field(
                "percent",
                PERCENT,
                "How many per cent fewer are reported delivered than in the week before; 0 is never",
            )
            .example("40"),
            field("minimum", MINIMUM, FEWEST).example("30"),
        ]),
        "Messages reported delivered, by channel, country and driver, where most are",
    ),
    field(
        "spend",
        Shape::Object(&[
            field(
                "hourly",
                AMOUNT,
                "What messages cost in an hour; default: 80 % of `fraud.spend.hourly`; \"0\" is never",
            )
            .nullable()
            .example(r#""16""#),
            field("daily", AMOUNT, "The same in a day; default: 80 % of `fraud.spend.daily`")
                .nullable()
                .example(r#""120""#),
        ]),
        "Cost",
    ),
    field(
        "driver_down",
        Shape::Object(&[
            field(
                "failed_percent",
                PERCENT,
                "Tries of the last ten minutes that failed by the driver's fault; 0 is never",
            )
            .example("50"),
            field("minimum", MINIMUM, "Fewer tries prove nothing").example("5"),
        ]),
        "Drivers",
    ),
    field(
        "sign_in_failures",
        Shape::Object(&[field("per_hour", Shape::Integer(0, 1_000_000), "Wrong answers in the last hour; 0 is never")
            .example("500")]),
        "Wrong codes and passwords",
    ),
];

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// Whether anything is looked at.
    pub enabled: bool,
    /// Who is told by e-mail.
    pub emails: Vec<EmailAddress>,
    /// From when to when e-mails wait, as `22:00`.
    quiet: Option<[String; 2]>,
    /// After how many minutes it is told again.
    pub repeat_minutes: i64,
    /// How far fewer codes come back.
    pub conversion_drop: Bounds,
    /// How far fewer messages are reported delivered.
    pub delivery_drop: Bounds,
    /// What an hour and a day may cost, in millionths; 0: anything.
    pub spend: [i64; 2],
    /// How many tries fail.
    pub driver_down: Bounds,
    /// Wrong answers in an hour; 0: any.
    pub failures_per_hour: i64,
}

impl AlertSettings {
    /// The settings in effect.
    pub(super) fn effective(stored: &Value, fraud: &FraudSettings) -> Self {
        let number = |path, default| at(stored, path).and_then(Value::as_i64).unwrap_or(default).max(0);
        let text = |path| at(stored, path).and_then(Value::as_str);
        let amount =
            |path, cap: Option<i64>| text(path).and_then(parse_money).or(cap.map(|cap| cap / 5 * 4)).unwrap_or(0);
        let time = |path| text(path).filter(|text| is_time(text)).map(str::to_owned);
        let emails = at(stored, "alerts.emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            enabled: at(stored, "alerts.enabled").and_then(Value::as_bool).unwrap_or(true),
            emails: emails.iter().filter_map(|email| EmailAddress::parse(email.as_str()?).ok()).collect(),
            quiet: time("alerts.quiet.from").zip(time("alerts.quiet.to")).map(<[String; 2]>::from),
            repeat_minutes: number("alerts.repeat_minutes", 240).max(15),
            conversion_drop: Bounds {
                percent: number("alerts.conversion_drop.percent", 40),
                minimum: number("alerts.conversion_drop.minimum", 30),
            },
            delivery_drop: Bounds {
                percent: number("alerts.delivery_drop.percent", 40),
                minimum: number("alerts.delivery_drop.minimum", 30),
            },
            spend: [amount("alerts.spend.hourly", fraud.hourly), amount("alerts.spend.daily", fraud.daily)],
            driver_down: Bounds {
                percent: number("alerts.driver_down.failed_percent", 50),
                minimum: number("alerts.driver_down.minimum", 5),
            },
            failures_per_hour: number("alerts.sign_in_failures.per_hour", 500),
        }
    }

    /// Whether e-mails wait at this moment.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        // RFC 3339: hours and minutes are these.
        let (now, Some([from, to])) = (now.to_string(), &self.quiet) else { return false };
        let now = now.get(11..16).unwrap_or_default();
        let (is_after, is_before) = (now >= from.as_str(), now < to.as_str());
        if from < to { is_after && is_before } else { is_after || is_before }
    }

    /// As `GET /v1/instance` shows them.
    pub(super) fn to_json(&self) -> Value {
        let emails: Vec<&str> = self.emails.iter().map(EmailAddress::as_str).collect();
        let drop = |bounds: Bounds| json!({"percent": bounds.percent, "minimum": bounds.minimum});
        let [hourly, daily] = self.spend.map(|amount| (amount > 0).then(|| money(amount)));
        json!({
            "enabled": self.enabled,
            "emails": emails,
            "quiet": self.quiet.as_ref().map(|[from, to]| json!({"from": from, "to": to})),
            "repeat_minutes": self.repeat_minutes,
            "conversion_drop": drop(self.conversion_drop),
            "delivery_drop": drop(self.delivery_drop),
            "spend": {"hourly": hourly, "daily": daily},
            "driver_down": {"failed_percent": self.driver_down.percent, "minimum": self.driver_down.minimum},
            "sign_in_failures": {"per_hour": self.failures_per_hour},
        })
    }
}

/// What the shapes cannot say of what will be stored: addresses are addresses, and a quiet time begins and ends.
pub(super) fn check(stored: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let emails = at(stored, "alerts.emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (position, email) in emails.iter().enumerate() {
        if let Some(Err(error)) = email.as_str().map(EmailAddress::parse) {
            errors.push(FieldError::new(format!("alerts.emails.{position}"), FieldCode::Email, error.to_string()));
        }
    }
    if let Some(quiet) = at(stored, "alerts.quiet") {
        let [from, to] =
            ["from", "to"].map(|name| quiet.get(name).and_then(Value::as_str).filter(|text| is_time(text)));
        if from.is_none() || to.is_none() || from == to {
            let detail = "from and to are wanted, two different times of the day like 22:00 and 07:00, in UTC";
            errors.push(FieldError::new("alerts.quiet", FieldCode::Value, detail));
        }
    }
    errors
}

/// Whether a text is a time of the day, like `07:05`.
fn is_time(text: &str) -> bool {
    let &[h, hours, b':', m, minutes] = text.as_bytes() else { return false };
    [hours, m, minutes].iter().all(u8::is_ascii_digit)
        && m < b'6'
        && match h {
            b'0' | b'1' => true,
            b'2' => hours < b'4',
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn settings(alerts: &Value, fraud: &Value) -> AlertSettings {
        let stored = json!({"alerts": alerts, "fraud": fraud});
        AlertSettings::effective(
            &stored,
            &FraudSettings::effective(&stored, &Config::read(&std::collections::BTreeMap::new())),
        )
    }

    #[test]
    fn quiet_times_may_span_midnight() {
        let quiet = |from: &str, to: &str, now: &str| {
            let now = Timestamp::parse(&format!("2026-11-22T{now}Z")).expect("a time");
            settings(&json!({"quiet": {"from": from, "to": to}}), &json!({})).is_quiet(now)
        };
        for (now, over_night, at_noon) in [
            ("21:59:59.999", false, false),
            ("22:00:00", true, false),
            ("23:59:59", true, false),
            ("00:00:00", true, false),
            ("06:59:59.999", true, false),
            ("07:00:00", false, false),
            ("11:59:59", false, false),
            ("12:00:00", false, true),
            ("12:29:59", false, true),
            ("12:30:00", false, false),
        ] {
            assert_eq!((quiet("22:00", "07:00", now), quiet("12:00", "12:30", now)), (over_night, at_noon), "{now}");
        }
        assert!(!settings(&json!({}), &json!({})).is_quiet(Timestamp::from_millis(0)));
    }

    #[test]
    fn times_of_the_day_are_those_of_a_clock() {
        for right in ["00:00", "07:05", "19:59", "23:59"] {
            assert!(is_time(right), "{right}");
        }
        for wrong in ["", "7:05", "24:00", "23:60", "30:00", "2３:0", "+1:00", "12-00", "12:0a", "012:00", "aa:bb"] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }

    #[test]
    fn cost_is_told_before_the_cap_unless_somebody_says_otherwise() {
        let caps = json!({"spend": {"hourly": "20", "daily": "150"}});
        assert_eq!(settings(&json!({}), &caps).spend, [16_000_000, 120_000_000]);
        assert_eq!(settings(&json!({"spend": {"hourly": "0", "daily": "7.5"}}), &caps).spend, [0, 7_500_000]);
        assert_eq!(settings(&json!({}), &json!({})).spend, [0, 0]);
        assert_eq!(settings(&json!({"spend": {"hourly": "3"}}), &json!({})).spend, [3_000_000, 0]);
    }
}
