//! Twilio's Calls API, version 2010-04-01: one form POST with HTTP Basic, and TwiML in it and in what our callback
//! answers. The code is never in the request while the gate is on: only the callback tells it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Answer, Class, Outcome, Why, by_http_status,
    call::{Call, KEY_WAIT, LONGEST, Opening, Progress, RING},
    form_post, no_answer,
    twilio::{Account, Settings},
};
use crate::{
    message::speech::{Part, Script, escape_xml},
    phone::is_e164_form,
    ports::OutgoingRequest,
    secret::Secret,
};

/// Twilio for calls, with all it needs.
#[derive(Clone)]
pub struct TwilioVoice {
    account: Account,
    from_number: String,
    api_base: String,
}

impl TwilioVoice {
    /// Checks that the settings are complete for calls: Twilio, or the setting that is missing. Who calls is a number in
    /// E.164: a Messaging Service or a short code cannot.
    pub fn new(settings: Settings) -> Result<Self, &'static str> {
        let account = settings.account()?;
        let from_number = settings.from_number.filter(|number| is_e164_form(number)).ok_or("from_number")?;
        Ok(Self { account, from_number, api_base: settings.api_base.ok_or("api_base")? })
    }

    /// The number that calls.
    pub fn from_number(&self) -> &str {
        &self.from_number
    }

    /// The key of the callbacks' signatures. Without it no key press can be believed.
    pub fn auth_token(&self) -> Option<&Secret> {
        self.account.auth_token()
    }

    /// The request that makes a call.
    pub fn request(&self, call: &Call<'_>) -> OutgoingRequest {
        let url = format!("{}/2010-04-01/Accounts/{}/Calls.json", self.api_base, self.account.sid);
        let twiml = match &call.opening {
            Opening::Gate { greeting, nobody, next } => gate(greeting, nobody, next),
            Opening::Code(script) => twiml(script),
        };
        let (ring, longest) = (RING.as_secs().to_string(), LONGEST.as_secs().to_string());
        let mut fields = vec![
            ("To", call.to),
            ("From", call.from.unwrap_or(&self.from_number)),
            ("Twiml", twiml.as_str()),
            ("Timeout", ring.as_str()),
            ("TimeLimit", longest.as_str()),
        ];
        if let Some(url) = call.events.filter(|_| self.auth_token().is_some()) {
            fields.extend([("StatusCallback", url), ("StatusCallbackEvent", "completed")]);
        }
        form_post(url, vec![self.account.authorization()], &fields, call.timeout)
    }
}

/// A script as a TwiML document: what the callback answers. Twilio hangs up at its end.
pub fn twiml(script: &Script) -> String {
    let mut xml = String::from("<Response>");
    write_script(&mut xml, script);
    xml + "</Response>"
}

/// The greeting and the wait for a key, twice. `finishOnKey` is empty, so that # and * are keys like all others.
fn gate(greeting: &Script, nobody: &Script, next: &str) -> String {
    let mut xml = String::from("<Response>");
    for _ in 0..2 {
        let _ = write!(
            xml,
            r#"<Gather input="dtmf" numDigits="1" finishOnKey="" timeout="{}" method="POST" action="{}">"#,
            KEY_WAIT.as_secs(),
            escape_xml(next)
        );
        write_script(&mut xml, greeting);
        xml.push_str("</Gather>");
    }
    write_script(&mut xml, nobody);
    xml + "</Response>"
}

fn write_script(xml: &mut String, script: &Script) {
    let voice = script.voice;
    for part in &script.parts {
        let _ = match part {
            Part::Say(words) => {
                write!(
                    xml,
                    r#"<Say voice="{}" language="{}">{}</Say>"#,
                    voice.twilio(),
                    voice.twilio_language(),
                    escape_xml(words)
                )
            }
            Part::Pause => write!(xml, r#"<Pause length="1"/>"#),
        };
    }
}

/// What a `CallStatus` means; `None`: a status that changes nothing.
pub fn progress(status: &str) -> Option<Progress> {
    Some(match status {
        "queued" | "initiated" | "ringing" | "in-progress" | "answered" => Progress::UnderWay,
        "completed" => Progress::Completed,
        "busy" => Progress::NotAnswered("busy"),
        "no-answer" => Progress::NotAnswered("no_answer"),
        "failed" => Progress::NotAnswered("call_failed"),
        "canceled" => Progress::NotAnswered("canceled"),
        _ => return None,
    })
}

/// What Twilio's answer means.
pub fn outcome(answer: Answer) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return no_answer("Twilio", error),
    };
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    match (response.status, body.get("sid").and_then(Value::as_str), body.get("code").and_then(Value::as_u64)) {
        (200..=299, Some(sid), _) => Outcome::Accepted { provider_id: sid.chars().take(64).collect(), segments: None },
        (400..=499, _, Some(code)) => by_code(code),
        (status, ..) => by_http_status("Twilio", status),
    }
}

/// What Twilio's error codes of calls mean, and what to do about those that operators meet first.
fn by_code(code: u64) -> Outcome {
    let (class, detail) = match code {
        20429 => (Class::Retryable, "Twilio takes fewer requests a second than came"),
        10004 => (Class::Retryable, "as many calls are under way as the Twilio account may make at once"),
        21211 | 21217 | 21201 => (Class::RecipientRefused, "Twilio says that this is not a phone number"),
        21214 | 13224 => (Class::RecipientRefused, "Twilio cannot call this number"),
        21202 => (Class::RecipientRefused, "Twilio calls no premium number"),
        21216 => (
            Class::FraudBlocked,
            "Twilio blocks calls to this number: it looks like fraud, a rule forbids it, or the account has no Primary Customer Profile, which calls to +1 need (Twilio console, Trust Hub)",
        ),
        21215 | 13227 | 32205 => (
            Class::Misconfigured,
            "the Twilio account may not call this country: allow it under Voice > Settings > Geo permissions",
        ),
        21210 | 21212 | 21213 => (
            Class::Misconfigured,
            "the caller's number is not one of this Twilio account, or cannot call: check TWILIO_SENDER_NUMBER, or voice.from_number",
        ),
        21219 => (
            Class::Misconfigured,
            "a Twilio trial account calls verified numbers only: verify this one in the Twilio console, or upgrade the account",
        ),
        20003 => (
            Class::Misconfigured,
            "Twilio refused the credentials: compare account and auth token, or API key and its secret, with the Twilio console (the setting sms.twilio; or TWILIO_ACCOUNT_ID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET)",
        ),
        20404 => (Class::Misconfigured, "Twilio knows no such account: check TWILIO_ACCOUNT_ID"),
        10001 | 20005 => (Class::Misconfigured, "the Twilio account is suspended or closed: see the Twilio console"),
        10002 | 10005 => {
            (Class::Misconfigured, "calls are not enabled for this Twilio account: see the Twilio console")
        }
        20008 => (Class::Misconfigured, "Twilio's test credentials call nobody: use the live ones"),
        _ => (Class::Misconfigured, "Twilio refused the call: look the code up at twilio.com/docs/api/errors"),
    };
    class.outcome(Why::new(code.to_string(), detail))
}

#[cfg(test)]
mod tests;
