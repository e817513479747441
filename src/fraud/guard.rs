//! The guard of one message: its statements ride in the batch that decides the send, so that judging costs no round trip,
//! and two hundred at once are judged one after the other. Who sends does this:
//!
//! ```text
//! let guard = Guard::of(context, &outgoing, user, app, …);  None: it is not looked at
//! [guard.judge(…, stamp)]  then the deciding statement with not_refused!(), whose ?4 is the stamp
//! [guard.after(…, stamp)]  behind the message's INSERT
//! [guard.verdict(stamp)]   in the report, read by Guard::read
//! ```
//!
//! A refusal consumes nothing but its own row and event (`docs/decisions/0047`).

use std::time::Duration;

use serde_json::Value;

use super::{
    Mode,
    rules::{self, Facts, prefix::Trip},
    store,
};
use crate::{
    context::Context,
    ids::{EventId, FraudEntryId, MessageId},
    limit::{self, Check, lockout},
    message::Outgoing,
    ports::{Param, Row, Statement},
    statement,
    time::Timestamp,
};

/// A message that the guard refuses. Nobody learns which rule: the event says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// When there may be room again.
    pub wait: Duration,
}

/// The guard of one message.
pub struct Guard {
    /// The rules, and whom the message is about, as JSON.
    rules: String,
    subjects: String,
    trip: Option<Trip>,
    enforces: bool,
    /// The number, its MAC, and `prefix:` with the number less its last four digits.
    number: String,
    mac: String,
    prefix: String,
    cost: i64,
    /// What `messages.guarded` becomes where it is counted.
    counts: i64,
    /// For events: the country, the channel, the origin, the user and the app.
    about: [Option<String>; 5],
}

impl Guard {
    /// The guard of a message that is sent for this user, through this app. Codes are held against every rule; what carries
    /// none, a notice or a test message, against the block list and the caps only. Behind a veil it counts under keys of its
    /// own. `None`: the guard does not look at it.
    pub fn of(
        context: &Context,
        outgoing: &Outgoing,
        user: Option<&str>,
        app: Option<&str>,
        veiled: bool,
    ) -> Option<Self> {
        let number = outgoing.destination.phone().filter(|_| outgoing.signs.judged)?.e164();
        let (settings, signs, is_code) = (&context.settings().fraud, outgoing.signs, outgoing.code.is_some());
        let country = outgoing.country.as_deref().unwrap_or_default();
        let (mac, network) = (context.pepper().destination_mac(number), lockout::network(context));
        let facts = Facts {
            channel: outgoing.channel,
            country,
            origin: signs.origin,
            asn: signs.asn,
            app,
            user,
            number: &mac,
            network: network.as_deref(),
            veiled,
        };
        let about = [Some(country), Some(outgoing.channel.as_str()), Some(signs.origin.as_str()), user, app];
        Some(Self {
            rules: rules::parameter(&facts, settings, is_code),
            subjects: subjects(number, &facts),
            trip: Trip::of(settings).filter(|_| is_code),
            enforces: settings.mode == Mode::Enforce,
            number: number.to_owned(),
            prefix: ["prefix:", prefix(number), facts.tail()].concat(),
            counts: if veiled { 2 } else { 1 },
            cost: signs.cost,
            about: about.map(|text| text.map(str::to_owned)),
            mac,
        })
    }

    /// The same where nobody is sent anything, and nobody may learn that: the same statements find nothing to act on (law 8).
    pub fn of_nobody(self) -> Self {
        let none = || "[]".to_owned();
        Self { rules: none(), subjects: none(), prefix: String::new(), ..self }
    }

    /// The same for what went out before and goes out once more: a prefix trips by what is sent first.
    pub fn again(self) -> Self {
        Self { trip: None, ..self }
    }

    /// What decides, before the deciding statement: whether the prefix trips, and which rules refuse on the stamp. Only where
    /// the limits have room and the call's key is its own: what is refused anyway, or was answered before, is judged by
    /// nobody. Where the deciding statement must not depend on it, the stamp is one of its own.
    pub fn judge(&self, context: &Context, checks: &[Check], key: Option<&str>, stamp: &str) -> Vec<Statement> {
        let (checks, now, random) = (limit::store::parameter(checks), context.now(), &*context.ports().random);
        let mut statements = Vec::with_capacity(6);
        if let Some(trip) = self.trip {
            statements.push(statement!(
                store::TRIP,
                checks.as_str(),
                now.millis(),
                self.prefix.as_str(),
                stamp,
                key,
                self.enforces,
                self.subjects.as_str(),
                &FraudEntryId::new(now, random),
                trip.unverified,
                trip.conversion,
                trip.hours
            ));
            statements.push(self.event(context, store::TRIPPED, stamp, &self.prefix));
            statements.push(statement!(store::USE_UP, self.prefix.as_str(), stamp));
        }
        statements.push(statement!(
            store::REFUSE,
            checks,
            now.millis(),
            self.rules.as_str(),
            stamp,
            key,
            self.enforces,
            self.subjects.as_str(),
            self.number.as_str(),
            self.mac.as_str(),
            self.cost
        ));
        statements.push(self.event(context, store::TELL, stamp, &self.rules));
        statements.push(statement!(store::TOLD, stamp, now.millis()));
        statements
    }

    /// What is counted and remembered of a code that goes out: that it did, and who was seen with whom. Behind the message's
    /// row.
    pub fn after(&self, context: &Context, message: &MessageId, stamp: &str) -> [Statement; 2] {
        let (now, rules) = (context.now().millis(), self.rules.as_str());
        let (subjects, number, mac) = (self.subjects.as_str(), self.number.as_str(), self.mac.as_str());
        let remember = statement!(store::REMEMBER, message, now, rules, stamp, subjects, number, mac);
        [self.count(context, message, stamp), remember]
    }

    /// What is counted of a code that goes out once more: who was seen with whom is known from the first time.
    pub fn count(&self, context: &Context, message: &MessageId, stamp: &str) -> Statement {
        let (subjects, number, mac) = (self.subjects.as_str(), self.number.as_str(), self.mac.as_str());
        statement!(store::COUNT, message, context.now().millis(), self.counts, stamp, subjects, number, mac)
    }

    /// Asks whether it was refused, for [`Self::read`].
    pub fn verdict(stamp: &str) -> Statement {
        statement!(store::VERDICT, stamp)
    }

    /// Reads the answer of [`Self::verdict`].
    pub fn read(rows: &[Row], now: Timestamp) -> Option<Blocked> {
        let until = rows.first().and_then(|row| row.opt_int("until"))?;
        Some(Blocked { wait: now.until(Timestamp::from_millis(until)) })
    }

    /// An event of what happened on the stamp.
    fn event(&self, context: &Context, sql: &'static str, stamp: &str, what: &str) -> Statement {
        let (now, client) = (context.now(), context.client());
        let mut params: Vec<Param> = vec![
            (&EventId::new(now, &*context.ports().random)).into(),
            now.millis().into(),
            what.into(),
            stamp.into(),
            context.actor().into(),
            client.ip.clone().into(),
            client.user_agent.clone().into(),
            context.request_id().into(),
            self.prefix.as_str().into(),
        ];
        params.extend(self.about.iter().map(|text| text.clone().into()));
        Statement::new(sql, params)
    }
}

/// A number less its last four digits.
fn prefix(number: &str) -> &str {
    number.get(..number.len().saturating_sub(4)).unwrap_or_default()
}

/// What block list and safe list may say of a message: each prefix of two digits up to all but four, the number, the
/// network and the operator that it is asked from.
fn subjects(number: &str, facts: &Facts<'_>) -> String {
    let prefix = prefix(number);
    let prefixes = (3..=prefix.len()).filter_map(|end| prefix.get(..end)).map(|head| ["prefix", head].join(":"));
    // What was blocked by what was asked for behind a veil is blocked there.
    let veiled = facts.veiled.then(|| ["prefix:", prefix, facts.tail()].concat());
    let own = [
        veiled,
        Some(["number", facts.number].join(":")),
        facts.network.map(|network| ["network", network].join(":")),
        facts.asn.map(|asn| ["asn", &asn.to_string()].join(":")),
    ];
    Value::Array(prefixes.chain(own.into_iter().flatten()).map(Value::from).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::rules::tests::FACTS, *};

    #[test]
    fn a_message_has_the_subjects_that_an_entry_can_have() {
        let told: Value = serde_json::from_str(&subjects("+447946012345", &FACTS)).unwrap();
        let wanted = json!([
            "prefix:+44",
            "prefix:+447",
            "prefix:+4479",
            "prefix:+44794",
            "prefix:+447946",
            "prefix:+4479460",
            "prefix:+44794601",
            "number:NUMBER",
            "network:NETWORK",
            "asn:64500"
        ]);
        assert_eq!(told, wanted);
        let unknown = Facts { network: None, asn: None, ..FACTS };
        let told: Value = serde_json::from_str(&subjects("+2901234", &unknown)).unwrap();
        assert_eq!(told, json!(["prefix:+29", "prefix:+290", "number:NUMBER"]));
    }
}
