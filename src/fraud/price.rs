//! What messages cost: prices per country in settings, in millionths of one currency.

use serde_json::{Value, json};

use crate::{few::FewByName, message::Channel};

/// Prices of one SMS part, and of one call, per country; `*` is every other country.
#[derive(Clone, Default)]
pub struct Prices {
    sms: FewByName<i64>,
    voice: FewByName<i64>,
}

impl Prices {
    /// From `{"sms": {"US": "0.0079", "*": "0.05"}, "voice": {…}}`.
    pub(super) fn of(stored: Option<&Value>) -> Self {
        let of = |channel: &str| {
            let entries = stored.and_then(|stored| stored.get(channel)).and_then(Value::as_object);
            let price = |(country, price): (&String, &Value)| Some((country.clone(), parse_money(price.as_str()?)?));
            FewByName::of(entries.into_iter().flatten().filter_map(price).collect())
        };
        Self { sms: of("sms"), voice: of("voice") }
    }

    /// What one message costs, in millionths: its parts, or one call. 0: no price is known.
    pub fn cost(&self, channel: Channel, country: &str, parts: u32) -> i64 {
        let (prices, parts) = match channel {
            Channel::Sms => (&self.sms, i64::from(parts)),
            Channel::Voice => (&self.voice, 1),
            Channel::Email => return 0,
        };
        prices.get(country).or_else(|| prices.get("*")).map_or(0, |price| price.saturating_mul(parts))
    }

    /// Whether every country has a price: without one, nothing can be held against a cap.
    pub fn are_whole(&self) -> bool {
        [&self.sms, &self.voice].iter().all(|prices| prices.get("*").is_some())
    }

    /// As settings show them.
    pub(super) fn to_json(&self) -> Value {
        let of = |prices: &FewByName<i64>| -> Value {
            Value::Object(prices.iter().map(|(country, price)| (country.to_owned(), money(*price).into())).collect())
        };
        json!({"sms": of(&self.sms), "voice": of(&self.voice)})
    }
}

impl std::fmt::Debug for Prices {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.to_json())
    }
}

/// An amount of at most six decimals and nine digits before them, in millionths: `0.0079` is 7900.
pub fn parse_money(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || whole.len() > 9 || rest.len() > 6 {
        return None;
    }
    let rest = rest.bytes().chain(std::iter::repeat(b'0')).take(6);
    rest.fold(whole.parse().ok(), |sum: Option<i64>, digit| Some(sum? * 10 + i64::from(digit - b'0')))
}

/// Millionths as text: 7900 is `0.0079`, whole amounts have no point.
pub fn money(millionths: i64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back_as_they_were() {
        for (text, millionths) in
            [("0.0079", 7_900), ("25", 25_000_000), ("0", 0), ("999999999.999999", 999_999_999_999_999)]
        {
            assert_eq!((parse_money(text), money(millionths)), (Some(millionths), text.to_owned()));
        }
        assert_eq!(parse_money("1.50"), Some(1_500_000));
        for wrong in ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000001", "1234567890", "１"] {
            assert_eq!(parse_money(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_country_without_a_price_costs_what_every_other_one_does() {
        let stored = json!({"sms": {"US": "0.0079", "*": "0.05"}, "voice": {"US": "0.014"}});
        let prices = Prices::of(Some(&stored));
        assert_eq!(prices.cost(Channel::Sms, "US", 2), 15_800);
        assert_eq!(prices.cost(Channel::Sms, "GB", 1), 50_000);
        assert_eq!(prices.cost(Channel::Voice, "US", 9), 14_000);
        assert_eq!(prices.cost(Channel::Voice, "GB", 1), 0);
        assert_eq!(prices.cost(Channel::Email, "US", 1), 0);
        assert!(!prices.are_whole());
        assert_eq!(prices.to_json(), stored);
    }
}
