//! How a message may go out once more, for all that can be told without the database: by which driver, or as a call.

use std::time::Duration;

use crate::{
    challenge::sending::{CodeSource, checks, gets_no_sms},
    context::Context,
    crypto::CodeLength,
    fraud::{Guard, Origin},
    ids::{ChallengeId, MessageId, TryId, UserId},
    limit::{self, Check},
    message::{
        Channel, Content, Destination, Driver, Outgoing, Route,
        drivers::{twilio, vonage_receipt},
        prepare,
    },
    ports::{DatabaseError, Row},
    template::{Reader, Slug},
    time::Timestamp,
};

/// In less time nobody picks up, presses a key and types what they hear.
const LEAST_FOR_A_CALL: Duration = Duration::from_mins(1);

/// A message that may go out once more.
pub struct Ready {
    /// The message.
    pub of: MessageId,
    /// Its challenge.
    pub challenge: ChallengeId,
    /// What goes out: the same message, or a call of its own.
    pub outgoing: Outgoing,
    /// The driver that is asked; `None`: it is a call, which has a route of its own.
    pub again: Option<Driver>,
    /// The code's MAC.
    pub mac: String,
    /// Which limits have to have room.
    pub checks: Vec<Check>,
    /// What judges it, by where it was asked for from; `None`: nothing does.
    pub guard: Option<Guard>,
}

/// What carriers have said of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing that holds for the others.
    Open,
    /// The number exists and gets no SMS: a fixed line, mostly.
    NoSms,
    /// This person gets nothing, or it is fraud: nobody else is asked.
    Final,
}

/// Makes a row ready. `None`: nobody may send it once more. A call comes after all SMS, and under the switches of both: whoever
/// stops SMS to a country wants no calls there instead.
pub fn ready(context: &Context, row: &Row) -> Result<Option<Ready>, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored message is malformed".to_owned());
    let of = MessageId::parse(row.text("id")?).ok_or_else(malformed)?;
    let challenge = ChallengeId::parse(row.text("challenge_id")?).ok_or_else(malformed)?;
    let (Some(destination), Some(template)) =
        (row.opt_text("destination").and_then(Destination::from_stored), Slug::parse(row.text("template")?))
    else {
        return Ok(None);
    };
    let verdict = verdict(row.text("errors")?);
    if verdict == Verdict::Final || prepare::admit(context, &destination, Channel::Sms).is_err() {
        return Ok(None);
    }
    let source = CodeSource {
        pepper_id: row.text("pepper_id")?,
        seed: row.text("seed")?,
        generation: row.int("generation")?,
        length: CodeLength::new(row.int("digits")?).ok_or_else(malformed)?,
    };
    let lifetime = context.now().until(Timestamp::from_millis(row.int("code_expires_at")?));
    let text = |column| row.opt_text(column).map(str::to_owned);
    let mut mac = String::new();
    let mut written = |channel| -> Result<Option<Outgoing>, DatabaseError> {
        let (code, of_code) = source.code(context, &challenge, &destination)?;
        mac = of_code;
        let reader = Reader { locale: text("user_locale"), name: text("user_name") };
        let content = Content { template, code, lifetime, locale: text("locale"), reader, app: text("app_id") };
        Ok(prepare::prepare(context, destination.clone(), channel, content).ok())
    };
    let (mut outgoing, mut again) = (None, None);
    if verdict == Verdict::Open && row.opt_int("fallback_at").is_none() {
        outgoing = written(Channel::Sms)?;
        again = outgoing.as_ref().and_then(|outgoing| next(&outgoing.route, row.opt_text("tried")));
    }
    if let (Some(driver), Some(sms)) = (&again, &mut outgoing) {
        sms.id = of.clone();
        sms.try_id = TryId::new(context.now(), &*context.ports().random);
        sms.driver = driver.name();
    } else {
        let calls = context.settings().delivery.fallback().is_some_and(|fallback| fallback.voice);
        let number = destination.phone().filter(|_| calls && lifetime >= LEAST_FOR_A_CALL);
        outgoing = match number.filter(|number| prepare::may_be_called(context, number)) {
            Some(_) => written(Channel::Voice)?.filter(|call| !call.route.is_done()),
            None => None,
        };
    }
    let Some(mut outgoing) = outgoing else { return Ok(None) };
    // Nobody's request: who asked is known of the SMS.
    outgoing.signs.origin = Origin::from_stored(row.text("origin")?);
    outgoing.signs.asn = row.opt_int("asn");
    let (user, app) = (row.opt_text("user_id"), row.opt_text("app_id"));
    let guard = Guard::of(context, &outgoing, user, app, false).map(Guard::again);
    let user = user.and_then(UserId::parse);
    let is_proven = row.opt_text("factor_id").is_some() && row.text("purpose")? != "enrolment";
    let mut checks = checks(context, user.as_ref(), &destination, outgoing.channel, is_proven);
    checks.extend(limit::senders(context, &destination, outgoing.channel, app));
    Ok(Some(Ready { of, challenge, outgoing, again, mac, checks, guard }))
}

/// The next driver of a route that was not asked yet.
fn next(route: &Route, tried: Option<&str>) -> Option<Driver> {
    let Route::Send(drivers) = route else { return None };
    let tried: Vec<String> = serde_json::from_str(tried?).ok()?;
    drivers.iter().find(|driver| !tried.iter().any(|name| name == driver.name())).cloned()
}

/// What carriers have said, of all that was reported failed.
fn verdict(errors: &str) -> Verdict {
    let errors: Vec<(String, String)> = serde_json::from_str(errors).unwrap_or_default();
    let mut verdict = Verdict::Open;
    for (driver, code) in errors {
        let is_twilio = driver != "vonage";
        if !(if is_twilio { twilio::is_final(&code) } else { vonage_receipt::is_final(&code) }) {
            continue;
        }
        if !is_twilio || !gets_no_sms(&code) {
            return Verdict::Final;
        }
        verdict = Verdict::NoSms;
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_carrier_refuses_for_good_goes_to_nobody_else_and_a_fixed_line_is_called() {
        for (errors, wanted) in [
            ("[]", Verdict::Open),
            (r#"[["twilio",""]]"#, Verdict::Open),
            (r#"[["twilio","30003"]]"#, Verdict::Open),
            (r#"[["twilio","30008"]]"#, Verdict::Open),
            (r#"[["twilio","30007"]]"#, Verdict::Open),
            (r#"[["twilio","30005"]]"#, Verdict::Final),
            (r#"[["twilio","21610"]]"#, Verdict::Final),
            (r#"[["twilio","30450"]]"#, Verdict::Final),
            (r#"[["twilio","30006"]]"#, Verdict::NoSms),
            (r#"[["twilio","30006"],["vonage","1"]]"#, Verdict::NoSms),
            (r#"[["twilio","30006"],["vonage","9"]]"#, Verdict::Final),
            (r#"[["vonage","9"],["twilio","30006"]]"#, Verdict::Final),
            (r#"[["vonage","1"]]"#, Verdict::Open),
            (r#"[["vonage","6"]]"#, Verdict::Open),
            (r#"[["vonage","50"]]"#, Verdict::Open),
            (r#"[["vonage","30006"]]"#, Verdict::Open),
            (r#"[["vonage","3"]]"#, Verdict::Final),
            (r#"[["vonage","9"]]"#, Verdict::Final),
            (r#"[["vonage","2"],["twilio","30004"]]"#, Verdict::Final),
        ] {
            assert_eq!(verdict(errors), wanted, "{errors}");
        }
    }
}
