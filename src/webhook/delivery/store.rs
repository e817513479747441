//! SQL of deliveries: who takes which on, what is read for them, what became of them.

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.endpoint_id, d.event_id, d.event_type, d.status, d.attempts, d.next_attempt_at, d.response_status,
               d.error, d.latency_ms, d.created_at, d.delivered_at,
               (SELECT e.enabled FROM webhook_endpoints e WHERE e.id = d.endpoint_id) AS enabled
             FROM webhook_deliveries d WHERE ",
            $rest
        )
    };
}

/// Reads a delivery, and whether its endpoint is enabled. `?1` id.
pub(super) const GET: &str = select!("d.id = ?1");

/// Deliveries, newest first. `?1` the id to begin below, `?2` how many.
pub(super) const LIST: &str = select!("d.id < ?1 ORDER BY d.id DESC LIMIT ?2");

/// The same in one state. `?3` state.
pub(super) const LIST_BY_STATUS: &str = select!("d.status = ?3 AND d.id < ?1 ORDER BY d.id DESC LIMIT ?2");

/// The same of one endpoint. `?3` state or NULL, `?4` endpoint.
pub(super) const LIST_BY_ENDPOINT: &str =
    select!("d.endpoint_id = ?4 AND d.id < ?1 AND (?3 IS NULL OR d.status = ?3) ORDER BY d.id DESC LIMIT ?2");

/// The same of one event, which at most every endpoint has heard. `?3` state or NULL, `?4` endpoint or NULL, `?5` event.
pub(super) const LIST_BY_EVENT: &str = select!(
    "d.event_id = ?5 AND d.id < ?1 AND (?3 IS NULL OR d.status = ?3) AND (?4 IS NULL OR d.endpoint_id = ?4)
     ORDER BY d.id DESC LIMIT ?2"
);

/// Makes a delivery due now, from the beginning, unless somebody may be telling it this moment. `?1` id, `?2` now, `?3` until
/// when one that is under way is left alone, `?4` stamp.
pub(super) const REPLAY: &str =
    "UPDATE webhook_deliveries SET status = 'pending', attempts = 0, next_attempt_at = ?2, error = NULL,
    response_status = NULL, latency_ms = NULL, delivered_at = NULL, stamp = ?4
  WHERE id = ?1 AND (status <> 'pending' OR next_attempt_at > ?3)
    AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = endpoint_id AND e.enabled = 1)";

/// How many of what is due longest, and of what is due last, are looked at by one run.
macro_rules! some_that_are_due {
    ($order:literal) => {
        concat!(
            "SELECT id, endpoint_id, next_attempt_at FROM (SELECT id, endpoint_id, next_attempt_at FROM webhook_deliveries
               WHERE next_attempt_at <= ?1 ORDER BY next_attempt_at",
            $order,
            " LIMIT 200)"
        )
    };
}

/// Takes deliveries on that are due: one statement decides, so that of many runs at once one has each. They are not due again
/// before `?2`, should this run be lost. The endpoints take turns, those that work first; of one that fails, one is tried. So
/// none that is down keeps another one waiting (law 9), however much it has not heard. `?1` now, `?3` stamp, `?4` how many,
/// `?5` how many of an endpoint, `?6` 1: what is due longest first, -1: what is due last.
pub(in crate::webhook) const CLAIM: &str = concat!(
    "UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_at = ?2, stamp = ?3
     WHERE id IN (SELECT id FROM (
         SELECT id, failing, row_number() OVER (PARTITION BY endpoint_id ORDER BY next_attempt_at * ?6, id) AS turn
         FROM (SELECT r.id, r.endpoint_id, r.next_attempt_at, e.failing_since IS NOT NULL AS failing
           FROM (",
    some_that_are_due!(""),
    " UNION ",
    some_that_are_due!(" DESC"),
    ") r CROSS JOIN webhook_endpoints e ON e.id = r.endpoint_id))
       WHERE turn <= CASE WHEN failing THEN 1 ELSE ?5 END ORDER BY failing, turn LIMIT ?4)
     RETURNING 1 AS claimed"
);

/// What has to be known to tell what was just taken on: the endpoint, whether it asked for this type by its name, the event,
/// the message it is of, whether the code in that still lives and its channel is switched on. `?1` until when it is taken on, `?2` stamp, `?3` now.
pub(in crate::webhook) const READ: &str =
    "SELECT d.id, d.endpoint_id, d.event_id, d.event_type, d.attempts, e.url, e.secret,
    CASE WHEN e.previous_expires_at > ?3 THEN e.previous_secret END AS previous_secret, e.failing_since,
    EXISTS (SELECT 1 FROM webhook_filters f WHERE f.type = d.event_type AND f.endpoint_id = d.endpoint_id) AS is_named,
    v.user_id, v.app_id, v.subject_id, v.outcome, v.reason, v.data, v.created_at AS happened_at,
    m.channel, m.template, m.locale, m.status, coalesce(m.redirected_to, m.destination) AS recipient,
    m.user_id AS whom, u.name, m.challenge_id, m.generation, m.created_at AS sent_at,
    c.seed, c.pepper_id, c.digits, c.code_expires_at,
    (c.generation = m.generation AND c.code_mac IS NOT NULL AND c.code_expires_at > ?3 AND c.verified_at IS NULL
      AND c.ended_at IS NULL AND c.wrong_answers < c.wrong_answers_max) AS lives,
    coalesce(i.settings ->> ('$.' || m.channel || '.enabled'), 1) = 1 AS is_on
  FROM webhook_deliveries d
    JOIN webhook_endpoints e ON e.id = d.endpoint_id
    JOIN instance i ON i.id = 1
    LEFT JOIN audit_events v ON v.id = d.event_id
    LEFT JOIN messages m ON m.id = v.subject_id
    LEFT JOIN users u ON u.id = m.user_id
    LEFT JOIN challenges c ON c.id = m.challenge_id
  WHERE d.next_attempt_at = ?1 AND d.stamp = ?2";

/// Writes down what became of those that are still this run's. What was taken was taken, whatever has ended it meanwhile.
/// `?1` a JSON list, `?2` stamp.
pub(in crate::webhook) const ENDED: &str =
    "UPDATE webhook_deliveries SET status = r.value ->> 'status', next_attempt_at = r.value ->> 'next',
    response_status = r.value ->> 'response', error = r.value ->> 'error', latency_ms = r.value ->> 'latency',
    delivered_at = r.value ->> 'delivered'
  FROM json_each(?1) r
  WHERE webhook_deliveries.id = r.value ->> 'id' AND webhook_deliveries.stamp = ?2
    AND (webhook_deliveries.status = 'pending' OR r.value ->> 'status' = 'delivered')";

/// Endpoints that took something. `?1` a JSON list of ids.
pub(in crate::webhook) const WORK: &str = "UPDATE webhook_endpoints SET failing_since = NULL
  WHERE id IN (SELECT value FROM json_each(?1)) AND failing_since IS NOT NULL";

/// Endpoints that took nothing. `?1` a JSON list of ids, `?2` now.
pub(in crate::webhook) const FAIL: &str = "UPDATE webhook_endpoints SET failing_since = ?2
  WHERE id IN (SELECT value FROM json_each(?1)) AND failing_since IS NULL AND enabled = 1";

/// Switches endpoints off that have taken nothing since `?4`, or are gone, where they are still where they were told: what the
/// old place answers says nothing of a new one. `?1` a JSON list of {id, event, reason, url}, `?2` now, `?3` stamp.
pub(in crate::webhook) const DISABLE: &str =
    "UPDATE webhook_endpoints SET enabled = 0, disabled_reason = 'failing', updated_at = ?2, stamp = ?3
  FROM json_each(?1) r WHERE webhook_endpoints.id = r.value ->> 'id' AND webhook_endpoints.url = r.value ->> 'url'
    AND webhook_endpoints.enabled = 1
    AND (r.value ->> 'reason' = 'gone' OR webhook_endpoints.failing_since <= ?4)";

/// The event of each. `?4` request.
pub(in crate::webhook) const DISABLED_EVENTS: &str =
    "INSERT INTO audit_events (id, type, actor, subject_id, outcome, reason, request_id, data, created_at)
  SELECT r.value ->> 'event', 'webhook.endpoint_disabled', 'system', e.id, 'success', r.value ->> 'reason', ?4, '{}', ?2
  FROM json_each(?1) r CROSS JOIN webhook_endpoints e ON e.id = r.value ->> 'id' WHERE e.stamp = ?3 AND e.enabled = 0";

/// Every isolate reads anew what is heard. `?1` the list, `?2` now, `?3` stamp.
pub(in crate::webhook) const DISABLED_VERSION: &str = "UPDATE instance SET version = version + 1, updated_at = ?2
  WHERE id = 1 AND EXISTS (SELECT 1 FROM json_each(?1) r CROSS JOIN webhook_endpoints e ON e.id = r.value ->> 'id' WHERE e.stamp = ?3)";

/// What they were still to hear is told to nobody. `?1` the list, `?3` stamp.
pub(in crate::webhook) const DISABLED_PENDING: &str =
    "UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, error = 'endpoint_disabled'
  WHERE next_attempt_at IS NOT NULL AND endpoint_id IN (SELECT e.id FROM json_each(?1) r
    CROSS JOIN webhook_endpoints e ON e.id = r.value ->> 'id' WHERE e.stamp = ?3)";

/// Every statement of this file, for the test of query plans.
pub const STATEMENTS: &[&str] = &[
    GET,
    LIST,
    LIST_BY_STATUS,
    LIST_BY_ENDPOINT,
    LIST_BY_EVENT,
    REPLAY,
    CLAIM,
    READ,
    ENDED,
    WORK,
    FAIL,
    DISABLE,
    DISABLED_EVENTS,
    DISABLED_VERSION,
    DISABLED_PENDING,
];
