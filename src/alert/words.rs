//! What an alert's e-mail says: plain English, whatever the instance's language, since it goes to its operators.

use std::fmt::Write;

use crate::{
    fraud::money,
    ports::{DatabaseError, Row},
    time::Timestamp,
};

/// What a condition is called, what its numbers are, and where to look.
const CONDITIONS: [(&str, &str, &str, &str); 5] = [
    ("conversion_drop", "Fewer codes come back", " %", "GET /v1/metrics/messages?by=day,channel,country"),
    ("delivery_drop", "Fewer messages are reported delivered", " %", "GET /v1/metrics/messages?by=day,country,driver"),
    ("driver_down", "A driver does not take messages", " %", "GET /v1/messages?status=failed"),
    ("sign_in_failures", "Many answers are wrong", "", "GET /v1/audit-events?type=challenge.answered_wrongly"),
    ("spend", "Messages cost much", "", "GET /v1/metrics/messages?by=day,country,app_id"),
];

/// The subject and the paragraphs: what holds, then what is over.
pub(super) fn write(app: &str, firing: &[Row], over: &[Row]) -> Result<(String, String), DatabaseError> {
    let (mut title, mut body) = (String::new(), String::new());
    for (row, holds) in firing.iter().map(|row| (row, true)).chain(over.iter().map(|row| (row, false))) {
        let (condition, subject) = (row.text("condition")?, row.text("subject")?);
        let known = CONDITIONS.iter().find(|(name, ..)| *name == condition);
        let (_, what, unit, look) = known.copied().unwrap_or((condition, condition, "", ""));
        let since = Timestamp::from_millis(row.int("since")?);
        let what = if subject.is_empty() { what.to_owned() } else { format!("{what}: {subject}") };
        if title.is_empty() {
            title = format!("{app}: {}{what}", if holds { "" } else { "It is over: " });
        }
        // Writing into a String cannot fail.
        if holds {
            let number = |column| {
                row.int(column).map(|number| if condition == "spend" { money(number) } else { number.to_string() })
            };
            let (observed, threshold) = (number("observed")?, number("threshold")?);
            let _ = write!(
                body,
                "{what}. Observed {observed}{unit}, threshold {threshold}{unit}, since {since}.\nLook at {look}\n\n"
            );
        } else {
            let _ = write!(body, "It is over: {what}. It began {since}.\n\n");
        }
    }
    Ok((title, body + "Settings: alerts of /v1/instance."))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(value: &Value) -> Row {
        Row(value.as_object().expect("an object").clone())
    }

    #[test]
    fn an_e_mail_says_what_with_which_numbers_since_when_and_where_to_look() {
        let since = 1_795_341_600_000_i64;
        let firing = [
            row(
                &json!({"condition": "conversion_drop", "subject": "sms:GB", "observed": 31, "threshold": 51, "since": since}),
            ),
            row(
                &json!({"condition": "spend", "subject": "hour", "observed": 16_500_000, "threshold": 16_000_000, "since": since}),
            ),
        ];
        let over = [row(&json!({"condition": "sign_in_failures", "subject": "", "since": since}))];
        let (title, body) = write("Shop", &firing, &over).expect("words");
        assert_eq!(title, "Shop: Fewer codes come back: sms:GB");
        assert_eq!(
            body,
            "Fewer codes come back: sms:GB. Observed 31 %, threshold 51 %, since 2026-11-22T10:00:00.000Z.\n\
             Look at GET /v1/metrics/messages?by=day,channel,country\n\n\
             Messages cost much: hour. Observed 16.5, threshold 16, since 2026-11-22T10:00:00.000Z.\n\
             Look at GET /v1/metrics/messages?by=day,country,app_id\n\n\
             It is over: Many answers are wrong. It began 2026-11-22T10:00:00.000Z.\n\n\
             Settings: alerts of /v1/instance."
        );
        let (title, _) = write("Shop", &[], &over).expect("words");
        assert_eq!(title, "Shop: It is over: Many answers are wrong");
    }
}
