//! SQL that writes a message down before its carrier is asked: the row, its first try, what it counts, its event, and the
//! dev inbox's copy.

use serde_json::json;

use crate::{
    context::Context,
    crypto::Code,
    event::{self, Event, EventType, When},
    have_room,
    limit::{self, Check},
    message::{Outgoing, Route, Status, notice::Change},
    ports::Statement,
    statement,
};

const INSERT: &str = "INSERT INTO messages (id, challenge_id, generation, user_id, app_id, channel, template, locale,
    destination, redirected_to, country, cost_class, encoding, segments, status, reason, driver, created_at, updated_at)
  SELECT ?1, c.id, c.generation, c.user_id, c.app_id, c.channel, ?2, ?3, c.destination, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, ?12
  FROM challenges c WHERE c.id = ?13 AND c.stamp = ?14";
const INSERT_TRY: &str = "INSERT INTO message_tries (id, message_id, driver, credential, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?6 AND stamp = ?7)";
const INSERT_INBOX: &str = "INSERT INTO dev_inbox (message_id, subject, body, html, code, created_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM challenges WHERE id = ?7 AND stamp = ?8)";

/// Writes a message down on the stamp of its challenge: the row, its first try, the event, and outside production
/// the dev inbox's copy. A dropped message is done with that.
pub fn queue(context: &Context, outgoing: &Outgoing, challenge: &str, stamp: &str) -> Vec<Statement> {
    let now = context.now().millis();
    let (status, reason) = outgoing.route.begins();
    let kind = EventType::of_message(outgoing.channel, status);
    let mut statements = vec![statement!(
        INSERT,
        &outgoing.id,
        outgoing.template,
        outgoing.locale.as_str(),
        outgoing.redirected_to.as_ref(),
        outgoing.country.as_deref(),
        outgoing.cost_class,
        outgoing.sms.map(|(encoding, _)| encoding.as_str()),
        outgoing.sms.map(|(_, segments)| segments),
        status.as_str(),
        reason,
        outgoing.driver,
        now,
        challenge,
        stamp
    )];
    if matches!(outgoing.route, Route::Send(_)) {
        let credential = outgoing.credential(context);
        statements.push(statement!(
            INSERT_TRY,
            &outgoing.try_id,
            &outgoing.id,
            outgoing.driver,
            credential,
            now,
            challenge,
            stamp
        ));
    }
    if context.dev_tools() {
        statements.push(statement!(
            INSERT_INBOX,
            &outgoing.id,
            outgoing.subject.as_deref(),
            outgoing.body.as_str(),
            outgoing.html.as_deref(),
            outgoing.code.as_ref().map(Code::expose),
            now,
            challenge,
            stamp
        ));
    }
    let data = json!({"challenge_id": challenge, "driver": outgoing.driver, "template": outgoing.template,
        "country": outgoing.country, "segments": outgoing.sms.map(|(_, segments)| segments)});
    let event = Event::new(kind, outgoing.id.as_str()).data(data).ended(event::Outcome::Success, reason);
    statements.push(event::store::write(context, event, When::Challenge(challenge, stamp)));
    statements
}

/// Writes a notice down: it belongs to no challenge. Without room in the limits it is dropped and says so.
/// `?1` checks, `?2` now, `?3` id, `?4` user, `?5` channel, `?6` template, `?7` locale, `?8` destination, `?9` where it goes
/// instead, `?10` country, `?11` cost class, `?12` encoding, `?13` segments, `?14` status, `?15` reason, `?16` driver.
const INSERT_NOTICE: &str = concat!(
    "INSERT INTO messages (id, user_id, channel, template, locale, destination, redirected_to, country, cost_class, encoding,
       segments, status, reason, driver, created_at, updated_at)
     SELECT ?3, n.id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
       CASE WHEN n.room THEN ?14 ELSE 'dropped' END, CASE WHEN n.room THEN ?15 ELSE 'limited' END, ?16, ?2, ?2
     FROM (SELECT u.id, ",
    have_room!(),
    " AS room FROM users u WHERE u.id = ?4) n"
);
const INSERT_NOTICE_TRY: &str = "INSERT INTO message_tries (id, message_id, driver, credential, created_at)
  SELECT ?1, m.id, m.driver, ?4, ?3 FROM messages m WHERE m.id = ?2 AND m.status = 'queued'";
const INSERT_NOTICE_INBOX: &str = "INSERT INTO dev_inbox (message_id, subject, body, html, created_at)
  SELECT m.id, ?2, ?3, ?4, ?5 FROM messages m WHERE m.id = ?1";
const NOTICE: &str = "SELECT status FROM messages WHERE id = ?1";

/// What stands beside the row of a message that belongs to no challenge, where there is one: what it counts, its first try,
/// and outside production the dev inbox's copy.
pub(in crate::message) fn beside(context: &Context, outgoing: &Outgoing, checks: &[Check]) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let mut statements = vec![
        limit::store::spend_on_message(checks, now, id),
        statement!(INSERT_NOTICE_TRY, &outgoing.try_id, id, now.millis(), outgoing.credential(context)),
    ];
    if context.dev_tools() {
        let (subject, html) = (outgoing.subject.as_deref(), outgoing.html.as_deref());
        statements.push(statement!(INSERT_NOTICE_INBOX, id, subject, outgoing.body.as_str(), html, now.millis()));
    }
    statements
}

/// Writes a notice of what has changed for a user down, on its limits: the row, its first try, the event, and outside
/// production the dev inbox's copy. The last statement gives its state.
pub fn queue_notice(
    context: &Context,
    outgoing: &Outgoing,
    user: &str,
    change: &Change,
    checks: &[Check],
) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let (status, reason) = outgoing.route.begins();
    let mut statements = vec![statement!(
        INSERT_NOTICE,
        limit::store::parameter(checks),
        now.millis(),
        id,
        user,
        outgoing.channel.as_str(),
        outgoing.template,
        outgoing.locale.as_str(),
        outgoing.destination.as_str(),
        outgoing.redirected_to.as_deref(),
        outgoing.country.as_deref(),
        outgoing.cost_class,
        outgoing.sms.map(|(encoding, _)| encoding.as_str()),
        outgoing.sms.map(|(_, segments)| segments),
        status.as_str(),
        reason,
        outgoing.driver
    )];
    statements.extend(beside(context, outgoing, checks));
    // Without room it is dropped, whatever was meant.
    let begins = if status == Status::Dropped { Status::Queued } else { status };
    for status in [begins, Status::Dropped] {
        let data = json!({"driver": outgoing.driver, "template": outgoing.template, "change": change.kind(),
            "factor": change.factor(), "country": outgoing.country, "segments": outgoing.sms.map(|(_, segments)| segments)});
        let event = Event::new(EventType::of_message(outgoing.channel, status), id).user(Some(user)).data(data);
        statements.push(event::store::write(context, event, When::Message(id, status.as_str())));
    }
    statements.push(statement!(NOTICE, id));
    statements
}

/// Writes the e-mail of an invitation down, on the invitation's stamp. `?1` id, `?2` template, `?3` locale, `?4` where it
/// goes instead, `?5` status, `?6` reason, `?7` driver, `?8` now, `?9` invitation, `?10` stamp.
const INSERT_INVITATION: &str =
    "INSERT INTO messages (id, app_id, channel, template, locale, destination, redirected_to,
    cost_class, status, reason, driver, created_at, updated_at)
  SELECT ?1, i.app_id, 'email', ?2, ?3, i.email_normalised, ?4, 'none', ?5, ?6, ?7, ?8, ?8
  FROM invitations i WHERE i.id = ?9 AND i.stamp = ?10";

/// Writes the e-mail of an invitation down: the row, its first try, what it counts, the event, and outside production the
/// dev inbox's copy.
pub fn queue_invitation(
    context: &Context,
    outgoing: &Outgoing,
    invitation: &str,
    stamp: &str,
    checks: &[Check],
) -> Vec<Statement> {
    let (id, now) = (outgoing.id.as_str(), context.now());
    let (status, reason) = outgoing.route.begins();
    let mut statements = vec![statement!(
        INSERT_INVITATION,
        id,
        outgoing.template,
        outgoing.locale.as_str(),
        outgoing.redirected_to.as_deref(),
        status.as_str(),
        reason,
        outgoing.driver,
        now.millis(),
        invitation,
        stamp
    )];
    statements.extend(beside(context, outgoing, checks));
    let data = json!({"driver": outgoing.driver, "template": outgoing.template, "invitation_id": invitation});
    let event = Event::new(EventType::of_message(outgoing.channel, status), id)
        .data(data)
        .ended(event::Outcome::Success, reason);
    statements.push(event::store::write(context, event, When::Message(id, status.as_str())));
    statements
}

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    INSERT_TRY,
    INSERT_INBOX,
    INSERT_NOTICE,
    INSERT_NOTICE_TRY,
    INSERT_NOTICE_INBOX,
    NOTICE,
    INSERT_INVITATION,
];
