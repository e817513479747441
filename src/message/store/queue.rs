//! SQL that writes a message down before its carrier is asked: the row, its first try, what it counts, its event, and the
//! dev inbox's copy.

use serde_json::json;

use crate::{
    context::Context,
    crypto::Code,
    event::{self, Event, EventType, When},
    fraud::Guard,
    have_room, is_refused,
    limit::{self, Check},
    message::{Outgoing, Route, Status, notice::Change},
    ports::Statement,
    statement,
};

const INSERT: &str = concat!(
    "INSERT INTO messages (id, challenge_id, generation, user_id, app_id, channel, template, locale,
    destination, redirected_to, country, cost_class, encoding, segments, driver, created_at, updated_at, origin, asn,
    cost, status, reason)
  SELECT ?1, c.id, c.generation, c.user_id, c.app_id, c.channel, ?2, ?3, c.destination, ?4, ?5, ?6, ?7, ?8, ?11,
    ?12, ?12, ?15, ?16, ?17, CASE WHEN r.is_refused THEN 'dropped' ELSE ?9 END,
    CASE WHEN r.is_refused THEN 'fraud_guard' ELSE ?10 END
  FROM challenges c CROSS JOIN (SELECT ",
    is_refused!("?18"),
    " AS is_refused) r WHERE c.id = ?13 AND c.stamp = ?14"
);
const INSERT_INBOX: &str = "INSERT INTO dev_inbox (message_id, subject, body, html, code, created_at)
  SELECT m.id, ?2, ?3, ?4, ?5, ?6 FROM messages m WHERE m.id = ?1 AND m.reason IS NOT 'fraud_guard'";

/// Writes a message down on the stamp of its challenge: the row, its first try, the event, and outside production
/// the dev inbox's copy. A dropped message is done with that. What the fraud guard has refused on the stamp `unless`, where
/// the challenge does not depend on it, is dropped.
pub fn queue(
    context: &Context,
    outgoing: &Outgoing,
    challenge: &str,
    stamp: &str,
    unless: Option<&str>,
) -> Vec<Statement> {
    let (id, now, signs) = (outgoing.id.as_str(), context.now().millis(), outgoing.signs);
    let (status, reason) = outgoing.route.begins();
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
        stamp,
        signs.origin.as_str(),
        signs.asn,
        signs.cost,
        unless
    )];
    if matches!(outgoing.route, Route::Send(_)) {
        statements.push(statement!(INSERT_QUEUED_TRY, &outgoing.try_id, id, now, outgoing.credential(context)));
    }
    if context.dev_tools() {
        statements.push(statement!(
            INSERT_INBOX,
            id,
            outgoing.subject.as_deref(),
            outgoing.body.as_str(),
            outgoing.html.as_deref(),
            outgoing.code.as_ref().map(Code::expose),
            now
        ));
    }
    let data = json!({"challenge_id": challenge, "driver": outgoing.driver, "template": outgoing.template,
        "country": outgoing.country, "segments": outgoing.sms.map(|(_, segments)| segments)});
    let told = |status: Status, reason: Option<&str>| {
        let kind = EventType::of_message(outgoing.channel, status);
        Event::new(kind, id).data(data.clone()).ended(event::Outcome::Success, reason)
    };
    if unless.is_none() {
        statements.push(event::store::write(context, told(status, reason), When::Challenge(challenge, stamp)));
        return statements;
    }
    // Which of the two it has become, the row says.
    let begins = if status == Status::Dropped { Status::Queued } else { status };
    for status in [begins, Status::Dropped] {
        statements.push(event::store::write(context, told(status, None), When::Message(id, status.as_str())));
    }
    statements
}

/// Writes a notice down: it belongs to no challenge. Without room in the limits it is dropped and says so, and where the
/// guard refuses it.
/// `?1` checks, `?2` now, `?3` id, `?4` user, `?5` channel, `?6` template, `?7` locale, `?8` destination, `?9` where it goes
/// instead, `?10` country, `?11` cost class, `?12` encoding, `?13` segments, `?14` status, `?15` reason, `?16` driver, `?17`
/// cost, `?18` the guard's stamp. No code comes back for it: the guard counts what it costs and nothing else.
const INSERT_NOTICE: &str = concat!(
    "INSERT INTO messages (id, user_id, channel, template, locale, destination, redirected_to, country, cost_class, encoding,
       segments, status, reason, driver, created_at, updated_at, cost)
     SELECT ?3, n.id, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
       CASE WHEN n.why IS NULL THEN ?14 ELSE 'dropped' END, coalesce(n.why, ?15), ?16, ?2, ?2, ?17
     FROM (SELECT u.id, CASE WHEN NOT ",
    have_room!(),
    " THEN 'limited' WHEN ",
    is_refused!("?18"),
    " THEN 'fraud_guard' END AS why FROM users u WHERE u.id = ?4) n"
);
/// The first try of a message that waits for one. `?1` try, `?2` message, `?3` now, `?4` credential.
const INSERT_QUEUED_TRY: &str = "INSERT INTO message_tries (id, message_id, driver, credential, created_at)
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
        statement!(INSERT_QUEUED_TRY, &outgoing.try_id, id, now.millis(), outgoing.credential(context)),
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
    let stamp = &*context.stamp();
    // The block list and the caps hold for notices too; what counts codes does not.
    let guard = Guard::of(context, outgoing, Some(user), None, false);
    let mut statements = guard.map(|guard| guard.judge(context, checks, None, stamp)).unwrap_or_default();
    statements.push(statement!(
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
        outgoing.driver,
        outgoing.signs.cost,
        stamp
    ));
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
pub const STATEMENTS: &[&str] =
    &[INSERT, INSERT_INBOX, INSERT_NOTICE, INSERT_QUEUED_TRY, INSERT_NOTICE_INBOX, NOTICE, INSERT_INVITATION];
