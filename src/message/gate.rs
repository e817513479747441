//! The key that somebody presses in a call: whether the code still lives, and what it is. One batch tells, and writes
//! down that the code was told; the code is derived again and stored nowhere.

use super::{
    Channel, Status,
    speech::{Script, Voice},
    store::ended::is_switched_on,
};
use crate::{
    crypto::{Code, CodeLength, Pepper},
    event::{EventType, Outcome},
    ids::{ChallengeId, EventId, MessageId, RequestId},
    point_of_report,
    ports::{DatabaseError, Row, Statement},
    statement,
    time::Timestamp,
};

/// The call that a key was pressed in: the carrier made it, with the credential that has signed, and it was not reported
/// lost. `?1` the message, `?2` the driver, `?3` the carrier's id of it, `?5` fingerprints of what has signed.
macro_rules! the_call {
    () => {
        "m.id = ?1 AND m.channel = 'voice' AND m.status IN ('queued', 'sent', 'unknown', 'delivered')
           AND EXISTS (SELECT 1 FROM message_tries t WHERE t.message_id = ?1 AND t.driver = ?2
             AND (t.provider_id = ?3 OR t.provider_id IS NULL) AND t.reported IS NOT 'failed'
             AND (t.credential IS NULL OR t.credential IN (SELECT value FROM json_each(?5))))"
    };
}

/// Whether its code lives, and calls are switched on, to this country too: that stops those under way. `?4` is now.
macro_rules! its_code_lives {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM challenges c JOIN instance i ON i.id = 1
           WHERE c.id = m.challenge_id AND c.generation = m.generation AND c.code_mac IS NOT NULL
             AND c.code_expires_at > ?4 AND c.verified_at IS NULL AND c.ended_at IS NULL
             AND c.wrong_answers < c.wrong_answers_max AND ",
            is_switched_on!(),
            ")"
        )
    };
}

/// The event of the first key; it stands before [`TOLD`], on the same condition. `?6` its id, `?7` type, `?8` outcome,
/// `?9` request.
const TOLD_EVENT: &str = concat!(
    "INSERT INTO audit_events (id, type, actor, user_id, app_id, subject_id, outcome, request_id, data, created_at)
     SELECT ?6, ?7, 'carrier', m.user_id, m.app_id, m.id, ?8, ?9, json_object('driver', ?2, 'message_sid', ?3), ?4
     FROM messages m WHERE m.status <> 'delivered' AND ",
    the_call!(),
    " AND ",
    its_code_lives!()
);

/// The code is told: the message has arrived, which no report after the call takes back.
const TOLD: &str = concat!(
    "UPDATE messages AS m SET status = 'delivered', provider_id = coalesce(provider_id, ?3), updated_at = ?4
     WHERE m.status <> 'delivered' AND ",
    the_call!(),
    " AND ",
    its_code_lives!(),
    " ",
    point_of_report!()
);

/// The same of its try: the end of the call, which is reported later, is not that nobody pressed a key.
const TOLD_TRY: &str =
    "UPDATE message_tries SET reported = 'delivered', reported_at = ?4, provider_id = coalesce(provider_id, ?3)
  WHERE message_id = ?1 AND driver = ?2 AND (provider_id = ?3 OR provider_id IS NULL)
    AND (reported IS NULL OR reported = 'sent')
    AND EXISTS (SELECT 1 FROM messages m WHERE m.id = ?1 AND m.status = 'delivered' AND m.updated_at = ?4)";

/// What is said next.
const NEXT: &str = concat!(
    "SELECT m.locale, c.id AS challenge_id, c.seed, c.pepper_id, c.digits, c.generation, ",
    its_code_lives!(),
    " AS lives FROM messages m JOIN challenges c ON c.id = m.challenge_id WHERE ",
    the_call!()
);

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[TOLD_EVENT, TOLD, TOLD_TRY, NEXT];

/// A key that was pressed.
pub struct Key<'a> {
    /// In the call of this message.
    pub message: &'a MessageId,
    /// Who carries it.
    pub driver: &'a str,
    /// The carrier's id of the call.
    pub provider_id: &'a str,
    /// Fingerprints of the credentials that have signed it, as a JSON list.
    pub signed_with: &'a str,
}

/// The batch of a key. What it answers last is read by [`next`].
pub fn pressed(key: &Key<'_>, event: &EventId, request: &RequestId, now: Timestamp) -> Vec<Statement> {
    let Key { message, driver, provider_id, signed_with } = *key;
    let delivered = EventType::of_message(Channel::Voice, Status::Delivered);
    vec![
        statement!(
            TOLD_EVENT,
            message,
            driver,
            provider_id,
            now.millis(),
            signed_with,
            event,
            delivered.as_str(),
            Outcome::Success.as_str(),
            request
        ),
        statement!(TOLD, message, driver, provider_id, now.millis(), signed_with),
        statement!(TOLD_TRY, message, driver, provider_id, now.millis()),
        statement!(NEXT, message, driver, provider_id, now.millis(), signed_with),
    ]
}

/// The statement of a wait that nobody ended with a key; what it answers is read by [`nobody`].
pub fn waited(key: &Key<'_>, now: Timestamp) -> Statement {
    statement!(NEXT, key.message, key.driver, key.provider_id, now.millis(), key.signed_with)
}

/// The last words to nobody. `None`: there is no such call.
pub fn nobody(row: Option<&Row>) -> Option<Script> {
    row.and_then(|row| row.opt_text("locale")).map(|locale| Script::nobody(Voice::of(locale)))
}

/// What is said after the key: the code, or that it is too late. `None`: there is no such call.
pub fn next(row: Option<&Row>, pepper: Pepper<'_>) -> Result<Option<Script>, DatabaseError> {
    let Some(row) = row else { return Ok(None) };
    let voice = Voice::of(row.text("locale")?);
    let code = if row.flag("lives") { code(row, pepper)? } else { None };
    Ok(Some(code.map_or_else(|| Script::too_late(voice), |code| Script::code(voice, &code))))
}

/// The code, derived again. `None`: the pepper's key is gone, and with it the code.
pub(crate) fn code(row: &Row, pepper: Pepper<'_>) -> Result<Option<Code>, DatabaseError> {
    let malformed = || DatabaseError::Other("a stored challenge is malformed".to_owned());
    let challenge = ChallengeId::parse(row.text("challenge_id")?).ok_or_else(malformed)?;
    let length = CodeLength::new(row.int("digits")?).ok_or_else(malformed)?;
    Ok(pepper.code(row.text("pepper_id")?, &challenge, row.text("seed")?, row.int("generation")?, length))
}
