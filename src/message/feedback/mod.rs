//! Tells carriers what became of a code: Twilio's Messages that it was of use, Verify whether it is still waited for. It is
//! told after the response, once, and nobody waits for it; what fails is logged and leaves no mark.

pub mod store;

use std::time::Duration;

use super::{
    Destination,
    drivers::{
        twilio::Twilio,
        twilio_feedback,
        twilio_verify::{Fate, TwilioVerify},
    },
};
use crate::{
    config::{SmsDriver, VoiceDriver},
    context::Context,
    ids::ChallengeId,
    ports::{DatabaseError, Level, OutgoingRequest, Row},
    statement,
};

/// How long a carrier may take to hear it.
const TIMEOUT: Duration = Duration::from_secs(4);

/// What has become of a challenge's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It was given back rightly.
    Answered,
    /// The challenge was canceled.
    Canceled,
    /// Another code takes its place.
    Replaced,
}

/// The accounts that a number's messages go through.
struct Accounts {
    messages: Option<Twilio>,
    verify: Option<TwilioVerify>,
}

impl Accounts {
    /// Those in use for a country; `None`: nobody wants to hear it.
    fn of(context: &Context, country: &str) -> Option<Self> {
        let delivery = &context.settings().delivery;
        let (mut messages, mut verify) = (None, None);
        for driver in delivery.sms(country).unwrap_or_default() {
            match driver {
                SmsDriver::Twilio(twilio) => messages = Some(twilio),
                SmsDriver::TwilioVerify(service) => verify = Some(service),
                _ => {}
            }
        }
        if verify.is_none() {
            verify = delivery.voice(country).unwrap_or_default().into_iter().find_map(|driver| match driver {
                VoiceDriver::TwilioVerify(service) => Some(service),
                _ => None,
            });
        }
        (messages.is_some() || verify.is_some()).then_some(Self { messages, verify })
    }

    /// The request that tells it of a try that was claimed.
    fn request(&self, event: Event, row: &Row) -> Option<OutgoingRequest> {
        // It comes from a carrier and becomes part of a path.
        let sid = row.opt_text("provider_id").filter(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
        let fate = if event == Event::Answered { Fate::Approved } else { Fate::Canceled };
        match row.opt_text("driver") {
            Some("twilio") => self.messages.as_ref().map(|twilio| twilio_feedback::confirmed(twilio, sid, TIMEOUT)),
            _ => self.verify.as_ref().map(|verify| verify.report(sid, fate, TIMEOUT)),
        }
    }
}

/// Leaves it for after the response, where the row of a challenge says that this request decided it. Test keys and test
/// numbers tell nobody: nothing of theirs went out.
pub(crate) fn tell(context: &Context, row: &Row, stamp: &str, event: Event) {
    if row.opt_text("stamp") != Some(stamp) || context.credential().is_test {
        return;
    }
    if event == Event::Answered && row.opt_int("verified_at").is_none() {
        return;
    }
    let number = row.opt_text("destination").and_then(Destination::from_stored);
    let Some(number) = number.as_ref().and_then(Destination::phone).filter(|number| !number.is_test()) else { return };
    let Some(id) = row.opt_text("id").and_then(ChallengeId::parse) else { return };
    let Some(accounts) = Accounts::of(context, number.country().as_str()) else { return };
    let later = context.clone();
    context.ports().after.later(Box::pin(async move {
        if let Err(error) = told(&later, &id, event, &accounts).await {
            later.log(Level::Warn, &format!("{id}: the carrier was not told of the code's fate: {error}"));
        }
    }));
}

/// Claims the tries, and tells of each.
async fn told(
    context: &Context,
    challenge: &ChallengeId,
    event: Event,
    accounts: &Accounts,
) -> Result<(), DatabaseError> {
    let sql = match event {
        Event::Answered => store::APPROVED,
        Event::Canceled => store::CANCELED,
        Event::Replaced => store::REPLACED,
    };
    let claimed = context.record(vec![statement!(sql, challenge)]).await?;
    let mut not_taken = Vec::new();
    for row in claimed.iter().flatten() {
        let id = row.text("id")?;
        let answer = match accounts.request(event, row) {
            Some(request) => Some(context.ports().fetch.fetch(request).await),
            None => None,
        };
        // Without an answer it may have been heard.
        let said = match answer {
            Some(Ok(ref response)) if (200..=299).contains(&response.status) => continue,
            Some(Ok(ref response)) => format!("answered {}", response.status),
            Some(Err(ref error)) => error.to_string(),
            None => "its account is not in use any more".to_owned(),
        };
        let driver = row.opt_text("driver").unwrap_or_default();
        context.log(Level::Warn, &format!("{driver} was not told of the fate of {id}: {said}"));
        if !matches!(answer, Some(Err(_))) {
            not_taken.push(statement!(store::NOT_TAKEN, id));
        }
    }
    if not_taken.is_empty() {
        return Ok(());
    }
    context.record(not_taken).await.map(|_| ())
}
