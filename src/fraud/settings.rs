//! The guard's settings: `fraud`. Each rule has its own numbers; 0 switches a rule off.

use serde_json::{Value, json};

use super::price::{Prices, parse_money};
use crate::{
    config::Config,
    schema::{Field, FieldCode, FieldError, Shape, field},
};

/// What the guard does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It refuses.
    Enforce,
    /// It refuses nothing, and reports what it would have refused.
    RecordOnly,
    /// Nothing.
    Off,
}

impl Mode {
    /// The word that settings have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::RecordOnly => "record_only",
            Self::Off => "off",
        }
    }
}

/// One number of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Its setting below `fraud`: the rule's block and the name in it.
    pub path: [&'static str; 2],
    /// Its value when it is not set.
    pub default: i64,
}

const fn number(rule: &'static str, name: &'static str, default: i64) -> Number {
    Number { path: [rule, name], default }
}

/// The numbers of the rules.
pub mod numbers {
    use super::{Number, number};

    /// Messages to one prefix in a day whose code did not come back, before it is blocked.
    pub const PREFIX_UNVERIFIED: Number = number("prefix", "unverified", 6);
    /// The conversion in per cent at which a prefix is not blocked.
    pub const PREFIX_CONVERSION: Number = number("prefix", "conversion_percent", 20);
    /// How long the first block lasts, in hours; each further one twice as long, up to a week.
    pub const PREFIX_BLOCK_HOURS: Number = number("prefix", "block_hours", 12);
    /// Messages to one country in a day whose code did not come back, however few came back before.
    pub const COUNTRY_FLOOR: Number = number("country", "floor", 20);
    /// The share of what came back, in per cent, that may not come back.
    pub const COUNTRY_SHARE: Number = number("country", "share_percent", 50);
    /// Messages in a day whose code did not come back, to countries from which fewer than four came back in 14 days, all together.
    pub const NEW_COUNTRIES: Number = number("new_countries", "messages", 30);
    /// As for countries, through one app.
    pub const APP_FLOOR: Number = number("app", "floor", 50);
    /// As for countries.
    pub const APP_SHARE: Number = number("app", "share_percent", 50);
    /// As for countries, from one network operator (ASN).
    pub const ASN_FLOOR: Number = number("asn", "floor", 30);
    /// As for countries.
    pub const ASN_SHARE: Number = number("asn", "share_percent", 30);
    /// Distinct numbers that one user may have sent to in a day.
    pub const PHONES_PER_USER: Number = number("phones", "per_user", 5);
    /// Distinct numbers from one client address (/64 for IPv6) in a day.
    pub const PHONES_PER_ADDRESS: Number = number("phones", "per_address", 20);
    /// Distinct users that one number may be used by in a day.
    pub const USERS_PER_PHONE: Number = number("phones", "users_per_phone", 5);

    /// Every one.
    pub const ALL: [Number; 13] = [
        PREFIX_UNVERIFIED,
        PREFIX_CONVERSION,
        PREFIX_BLOCK_HOURS,
        COUNTRY_FLOOR,
        COUNTRY_SHARE,
        NEW_COUNTRIES,
        APP_FLOOR,
        APP_SHARE,
        ASN_FLOOR,
        ASN_SHARE,
        PHONES_PER_USER,
        PHONES_PER_ADDRESS,
        USERS_PER_PHONE,
    ];
}

const MANY: Shape = Shape::Integer(0, 1_000_000);
const PERCENT: Shape = Shape::Integer(0, 100);
/// The highest price, in millionths.
const MOST_EXPENSIVE: i64 = 10_000_000_000;
const AMOUNT: Shape = Shape::Text(16);
const FLOOR: &str = "Unverified messages that may always go out in a day; 0 switches the rule off";
const SHARE: &str = "Beyond the floor: per cent of what was verified on the best of 14 days, or in the last one";

const PRICES: &[Field] = &[
    field("sms", Shape::Texts(250), "Of one part of an SMS: a country or `*`, and a decimal number")
        .example(r#"{"US": "0.0079", "*": "0.06"}"#),
    field("voice", Shape::Texts(250), "Of one call, likewise").example(r#"{"US": "0.014", "*": "0.2"}"#),
];

/// The fields of `fraud`.
pub const FRAUD: &[Field] = &[
    field(
        "mode",
        Shape::OneOf(&["enforce", "record_only", "off"]),
        "`record_only` refuses nothing and reports what it would have; default: `enforce` in `prod`, else `record_only`",
    )
    .example(r#""enforce""#),
    field(
        "prefix",
        Shape::Object(&[
            field("unverified", MANY, "Unverified messages in a day that block a prefix; 0 switches the rule off").example("6"),
            field("conversion_percent", PERCENT, "A prefix whose codes come back this often is not blocked").example("20"),
            field("block_hours", Shape::Integer(1, 168), "How long the first block lasts; each further one twice as long, up to a week")
                .example("12"),
        ]),
        "Blocks a number without its last four digits, by itself",
    ),
    field(
        "country",
        Shape::Object(&[field("floor", MANY, FLOOR).example("20"), field("share_percent", PERCENT, SHARE).example("50")]),
        "Unverified messages per channel, country and origin of who asks",
    ),
    field(
        "new_countries",
        Shape::Object(&[field("messages", MANY, "Unverified messages in a day; 0 switches the rule off").example("30")]),
        "Countries from which fewer than four codes came back in 14 days, all together",
    ),
    field(
        "app",
        Shape::Object(&[field("floor", MANY, FLOOR).example("50"), field("share_percent", PERCENT, SHARE).example("50")]),
        "Unverified messages through one app",
    ),
    field(
        "asn",
        Shape::Object(&[field("floor", MANY, FLOOR).example("30"), field("share_percent", PERCENT, SHARE).example("30")]),
        "Unverified messages asked for from one network operator",
    ),
    field(
        "phones",
        Shape::Object(&[
            field("per_user", MANY, "Distinct numbers of one user in a day; 0: any").example("5"),
            field("per_address", MANY, "Distinct numbers from one client address (/64 for IPv6) in a day; 0: any").example("20"),
            field("users_per_phone", MANY, "Distinct users of one number in a day; 0: any").example("5"),
        ]),
        "How many belong together",
    ),
    field(
        "spend",
        Shape::Object(&[
            field("hourly", AMOUNT, "The most that messages may cost in an hour, a decimal number").nullable().example(r#""20""#),
            field("daily", AMOUNT, "The same in a day").nullable().example(r#""150""#),
            field("prices", Shape::Object(PRICES), "What one message costs, in one currency"),
        ]),
        "Caps on what messages cost; like every rule they refuse in `enforce` only",
    ),
];

/// The guard's settings in effect.
#[derive(Clone, Debug)]
pub struct FraudSettings {
    /// What the guard does.
    pub mode: Mode,
    /// The most that messages may cost in an hour, in millionths.
    pub hourly: Option<i64>,
    /// The same in a day.
    pub daily: Option<i64>,
    /// What messages cost.
    pub prices: Prices,
    numbers: Vec<i64>,
}

impl FraudSettings {
    /// The settings in effect. What is stored and not understood guards.
    pub fn effective(stored: &Value, config: &Config) -> Self {
        let stored = stored.get("fraud").unwrap_or(&Value::Null);
        let at = |[rule, name]: [&str; 2]| stored.get(rule).and_then(|rule| rule.get(name));
        let amount = |name| at(["spend", name]).and_then(Value::as_str).and_then(parse_money);
        Self {
            mode: match stored.get("mode").and_then(Value::as_str) {
                Some("off") => Mode::Off,
                Some("record_only") => Mode::RecordOnly,
                // Outside prod every message goes to one receiver: there is nothing to pump.
                None if !config.is_production() => Mode::RecordOnly,
                Some(_) | None => Mode::Enforce,
            },
            hourly: amount("hourly"),
            daily: amount("daily"),
            prices: Prices::of(at(["spend", "prices"])),
            numbers: numbers::ALL
                .iter()
                .map(|number| at(number.path).and_then(Value::as_i64).unwrap_or(number.default).max(0))
                .collect(),
        }
    }

    /// The value of a number.
    pub fn number(&self, wanted: Number) -> i64 {
        let at = numbers::ALL.iter().position(|number| number.path == wanted.path);
        at.and_then(|at| self.numbers.get(at)).copied().unwrap_or(wanted.default)
    }

    /// As `GET /v1/instance` shows them.
    pub fn to_json(&self) -> Value {
        let cap = |amount: Option<i64>| amount.map(super::money);
        let mut json = json!({"mode": self.mode.as_str(),
            "spend": {"hourly": cap(self.hourly), "daily": cap(self.daily), "prices": self.prices.to_json()}});
        for (number, value) in numbers::ALL.iter().zip(&self.numbers) {
            let [rule, name] = number.path;
            if let Some(rule) = json.as_object_mut().map(|json| json.entry(rule).or_insert_with(|| json!({})))
                && let Some(rule) = rule.as_object_mut()
            {
                rule.insert(name.to_owned(), (*value).into());
            }
        }
        json
    }
}

/// What the shapes cannot say of what will be stored: amounts are decimal numbers, and a cap needs prices for every country.
pub fn check(stored: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let at = |path: &str| path.split('.').try_fold(stored, |value, name| value.get(name));
    // Counters of what messages have cost have to hold them all.
    let mut amount = |path: String, value: Option<&Value>, most: i64| {
        if value.and_then(Value::as_str).is_some_and(|text| parse_money(text).is_none_or(|amount| amount > most)) {
            let detail = "a decimal number like 0.0079 is wanted, with at most six decimals; a price is at most 10000";
            errors.push(FieldError::new(path, FieldCode::Value, detail));
        }
    };
    for path in ["fraud.spend.hourly", "fraud.spend.daily", "alerts.spend.hourly", "alerts.spend.daily"] {
        amount(path.to_owned(), at(path), i64::MAX);
    }
    for path in ["fraud.spend.prices.sms", "fraud.spend.prices.voice"] {
        for (country, price) in at(path).and_then(Value::as_object).into_iter().flatten() {
            amount(format!("{path}.{country}"), Some(price), MOST_EXPENSIVE);
        }
    }
    let is_capped = ["fraud.spend.hourly", "fraud.spend.daily"].iter().any(|path| at(path).is_some());
    if is_capped && !Prices::of(at("fraud.spend.prices")).are_whole() {
        let detail = "a cap needs a price for every country: give sms and voice a price under *";
        errors.push(FieldError::new("fraud.spend.prices", FieldCode::Value, detail));
    }
    errors
}
