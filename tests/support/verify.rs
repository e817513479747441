//! A fake of Twilio Verify, v2: one verification for a number at a time, five sends of it, custom codes, and reports of
//! what became of them. And what Twilio's Messages are told of a message.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::{carriers::Reply, vars};

/// A verification.
#[derive(Clone, Debug)]
pub struct Verification {
    pub sid: String,
    pub to: String,
    /// The codes that were sent for it, each with its channel and language.
    pub sends: Vec<(String, String, Option<String>)>,
    /// `pending`, `approved` or `canceled`.
    pub status: String,
}

#[derive(Default)]
struct State {
    verifications: Vec<Verification>,
    /// Messages that Twilio was told of: the id and what was said.
    feedback: Vec<(String, String)>,
    /// What is answered to whatever is told.
    refusal: Option<u16>,
}

#[derive(Default)]
pub struct VerifyService(Mutex<State>);

/// What it takes, or why not.
type Taken = Result<Reply, String>;

impl VerifyService {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whatever it is told from now on, it answers this; `None`: it takes it.
    pub fn refuse_reports(&self, status: Option<u16>) {
        self.state().refusal = status;
    }

    /// The verifications of a number.
    pub fn of(&self, number: &str) -> Vec<Verification> {
        self.state().verifications.iter().filter(|one| one.to == number).cloned().collect()
    }

    /// What Messages were told of.
    pub fn feedback(&self) -> Vec<(String, String)> {
        self.state().feedback.clone()
    }

    /// Somebody else has sent a number so many codes.
    pub fn begin_elsewhere(&self, number: &str, sends: usize) {
        let mut state = self.state();
        let (sid, to) = (format!("VE{:032x}", state.verifications.len()), number.to_owned());
        let sends = (0..sends).map(|_| ("0000".to_owned(), "sms".to_owned(), None)).collect();
        state.verifications.push(Verification { sid, to, sends, status: "pending".to_owned() });
    }

    /// Begins a verification, or sends another code of the one there is. Gives the number and the code, too.
    pub fn begin(&self, fields: &[(String, String)]) -> Result<(Reply, String, String), String> {
        const KNOWN: [&str; 4] = ["To", "Channel", "CustomCode", "Locale"];
        const LOCALES: [&str; 8] = ["en", "es", "fr", "de", "pt", "zh", "ja", "ar"];
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some((unknown, _)) = fields.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return Err(format!("Verify knows no field {unknown}"));
        }
        let (to, channel) = (field("To").unwrap_or_default(), field("Channel").unwrap_or_default());
        let code = field("CustomCode").unwrap_or_default();
        let good_code = (4..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
        if !postern::phone::is_e164_form(to) || !["sms", "call"].contains(&channel) || !good_code {
            return Err("Verify: To, Channel or CustomCode is malformed".to_owned());
        }
        let locale = field("Locale");
        if locale.is_some_and(|locale| !LOCALES.contains(&locale)) {
            return Err("Verify: it has no text in this language".to_owned());
        }
        let mut state = self.state();
        let count = state.verifications.len();
        let open = state.verifications.iter().position(|one| one.to == to && one.status == "pending");
        let at = open.unwrap_or(count);
        if open.is_none() {
            let (sid, to) = (format!("VE{count:032x}"), to.to_owned());
            let status = "pending".to_owned();
            state.verifications.push(Verification { sid, to, sends: Vec::new(), status });
        }
        let verification = &mut state.verifications[at];
        if verification.sends.len() >= 5 {
            return Ok((error(429, 60203), to.to_owned(), code.to_owned()));
        }
        verification.sends.push((code.to_owned(), channel.to_owned(), locale.map(str::to_owned)));
        let reply = json!({"sid": verification.sid, "service_sid": vars::VERIFY_SERVICE, "account_sid": vars::ACCOUNT,
            "to": to, "channel": channel, "status": "pending", "valid": false, "lookup": {}, "amount": null,
            "payee": null, "send_code_attempts": [{"channel": channel}]});
        Ok((Reply::Respond(201, reply.to_string()), to.to_owned(), code.to_owned()))
    }

    /// Is told what became of a code.
    pub fn report(&self, sid: &str, fields: &[(String, String)]) -> Taken {
        let [(name, status)] = fields else { return Err("Verify: a report has a Status alone".to_owned()) };
        if name != "Status" || !["approved", "canceled"].contains(&status.as_str()) {
            return Err("Verify: a report has a Status".to_owned());
        }
        let mut state = self.state();
        if let Some(refusal) = state.refusal {
            return Ok(error(refusal, 20500));
        }
        let open = state.verifications.iter_mut().find(|one| one.sid == sid && one.status == "pending");
        // What is over is gone.
        let Some(verification) = open else { return Ok(error(404, 20404)) };
        verification.status.clone_from(status);
        Ok(Reply::Respond(200, json!({"sid": sid, "status": status, "valid": status == "approved"}).to_string()))
    }

    /// Messages are told that one was of use; `sent` is how that one was sent.
    pub fn confirm(&self, sid: &str, fields: &[(String, String)], sent: Option<&[(String, String)]>) -> Taken {
        let [(name, outcome)] = fields else { return Err("Twilio: feedback has an Outcome alone".to_owned()) };
        if name != "Outcome" || !["confirmed", "unconfirmed"].contains(&outcome.as_str()) {
            return Err("Twilio: feedback has an Outcome".to_owned());
        }
        let asked_for =
            |fields: &[(String, String)]| fields.contains(&("ProvideFeedback".to_owned(), "true".to_owned()));
        if !sent.is_some_and(asked_for) {
            return Err("Twilio: feedback on a message that was sent without ProvideFeedback".to_owned());
        }
        let mut state = self.state();
        if let Some(refusal) = state.refusal {
            return Ok(error(refusal, 20500));
        }
        state.feedback.push((sid.to_owned(), outcome.clone()));
        Ok(Reply::Respond(200, json!({"message_sid": sid, "outcome": outcome}).to_string()))
    }
}

fn error(status: u16, code: u32) -> Reply {
    Reply::Respond(status, json!({"code": code, "message": "no", "status": status}).to_string())
}
