//! Tells endpoints what is due: right after a response, and each minute by the cron. One statement takes deliveries on, so
//! that of many runs at once one has each; what became of them is one batch.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    delivery::{Status, store},
    handed_over::words,
    payload::payload,
    secret,
    together::together,
    url,
};
use crate::{
    config::Secrets,
    context::App,
    crypto::Seal,
    ids::{EventId, RequestId},
    ports::{DatabaseError, FetchError, Level, OutgoingRequest, Row, Statement},
    settings::{Snapshot, load},
    statement,
    template::Templates,
    time::{Timestamp, millis},
};

/// How long one that was taken on is left alone: longer than a run takes.
pub const LEASE: Duration = Duration::from_mins(1);

/// When one that was not taken is tried again, after the first, second, … try. Then it has failed, after three days.
const AGAIN: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How long an endpoint may take nothing until it is switched off.
const PATIENCE: Duration = Duration::from_hours(72);

/// How many connections are open at once: the platform's limit. What waits has not begun, and its time limit neither.
const AT_ONCE: usize = 6;

/// What begins a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// A response that went out. What has just happened is told first.
    Response,
    /// The cron. What waits longest is told first.
    Cron,
}

/// How much one run does. It is at most nine statements, since what follows a response counts as the request's own, of which
/// the free plan allows 50; what is left is the next run's.
struct Share {
    deliveries: i64,
    of_an_endpoint: i64,
    order: i64,
    timeout: Duration,
}

impl Begun {
    fn share(self) -> Share {
        match self {
            // The platform lets work after a response go on for 30 seconds.
            Self::Response => Share { deliveries: 10, of_an_endpoint: 4, order: -1, timeout: Duration::from_secs(4) },
            Self::Cron => Share { deliveries: 20, of_an_endpoint: 5, order: 1, timeout: Duration::from_secs(10) },
        }
    }
}

/// Leaves a run for after the response.
pub fn later(app: &App) {
    let later = app.clone();
    app.ports.after.later(Box::pin(async move {
        if let Err(error) = run(&later, Begun::Response).await {
            later.ports.log.line(Level::Error, &format!("webhooks: {error}"));
        }
    }));
}

/// Tells endpoints what is due, and gives how much was told.
pub async fn run(app: &App, begun: Begun) -> Result<usize, DatabaseError> {
    // Without secrets nothing can be signed; `/health` says so.
    let Ok(secrets) = app.config.secrets() else { return Ok(0) };
    let share = begun.share();
    let round = Round::claim(app, secrets, &share).await?;
    let results = round.tell(&share).await;
    let told = results.len();
    round.record(results).await?;
    Ok(told)
}

/// What one claim has taken on.
struct Round<'a> {
    app: &'a App,
    secrets: &'a Secrets,
    stamp: String,
    templates: Arc<Templates>,
    deliveries: Vec<Row>,
}

/// What became of one try.
struct Tried {
    id: String,
    endpoint: String,
    /// Where it was told.
    url: String,
    /// How often it was tried.
    attempts: i64,
    failing_since: Option<i64>,
    latency_ms: i64,
    end: End,
}

/// How a try ended.
enum End {
    /// The endpoint answered.
    Answered(u16),
    /// It did not.
    NoAnswer(&'static str),
    /// It cannot be told, now or ever.
    Impossible(&'static str),
}

impl Tried {
    fn is_delivered(&self) -> bool {
        matches!(self.end, End::Answered(200..=299))
    }
}

impl<'a> Round<'a> {
    /// Takes on what is due.
    async fn claim(app: &'a App, secrets: &'a Secrets, share: &Share) -> Result<Self, DatabaseError> {
        let now = app.ports.clock.now();
        let (until, stamp) = (now + LEASE, RequestId::new(now, &*app.ports.random).to_string());
        let batch = vec![
            statement!(
                store::CLAIM,
                now.millis(),
                until.millis(),
                stamp.as_str(),
                share.deliveries,
                share.of_an_endpoint,
                share.order
            ),
            statement!(store::READ, until.millis(), stamp.as_str(), now.millis()),
        ];
        let deliveries = app.ports.database.batch(batch).await?.pop().unwrap_or_default();
        let templates = if deliveries.is_empty() { Arc::default() } else { snapshot(app).await?.templates.clone() };
        Ok(Self { app, secrets, stamp, templates, deliveries })
    }

    /// Tells each, and gives what became of it.
    async fn tell(&self, share: &Share) -> Vec<Tried> {
        let tries = self.deliveries.iter().map(|row| Box::pin(self.try_one(row, share.timeout)));
        together(tries, AT_ONCE).await
    }

    async fn try_one(&self, row: &Row, timeout: Duration) -> Tried {
        let clock = &self.app.ports.clock;
        let started = clock.now();
        let end = match self.request(row, started, timeout) {
            Err(why) => End::Impossible(why),
            Ok(request) => match self.app.ports.fetch.fetch(request).await {
                // What it says beside the status is nobody's business, and kept nowhere.
                Ok(response) => End::Answered(response.status),
                Err(FetchError::Timeout) => End::NoAnswer("timeout"),
                Err(FetchError::Network) => End::NoAnswer("connection_lost"),
            },
        };
        let text = |column| row.opt_text(column).unwrap_or_default().to_owned();
        Tried {
            id: text("id"),
            endpoint: text("endpoint_id"),
            url: text("url"),
            attempts: row.opt_int("attempts").unwrap_or(0),
            failing_since: row.opt_int("failing_since"),
            latency_ms: millis(started.until(clock.now())),
            end,
        }
    }

    /// The request, signed; or why there is none.
    fn request(&self, row: &Row, now: Timestamp, timeout: Duration) -> Result<OutgoingRequest, &'static str> {
        let text = |column| row.opt_text(column).unwrap_or_default();
        let url = text("url");
        if url::fault(url, self.app.config.is_production()).is_some() {
            return Err("url_not_allowed");
        }
        let words = words(&self.app.config, self.secrets, &self.templates, row, now);
        let body = payload(row, &self.templates, words.as_ref()).ok_or("event_gone")?.to_string();
        let (id, seconds, seal) = (text("id"), now.millis() / 1000, Seal(&self.secrets.encryption_keys));
        let sign = |sealed: &str| {
            let secret = secret::open(seal, text("endpoint_id"), sealed).map_err(|_| "secret_unreadable")?;
            Ok::<_, &'static str>(secret.sign(id, seconds, &body))
        };
        let mut signature = sign(text("secret"))?;
        if let Some(previous) = row.opt_text("previous_secret") {
            signature = format!("{signature} {}", sign(previous)?);
        }
        Ok(OutgoingRequest {
            method: "POST",
            url: url.to_owned(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("user-agent", concat!("Postern/", env!("CARGO_PKG_VERSION")).to_owned()),
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", signature),
            ],
            body,
            timeout,
        })
    }

    /// Writes down what became of all of it.
    async fn record(&self, results: Vec<Tried>) -> Result<(), DatabaseError> {
        if results.is_empty() {
            return Ok(());
        }
        let now = self.app.ports.clock.now();
        let ended: Vec<Value> = results.iter().map(|tried| outcome(tried, now)).collect();
        let mut batch = vec![statement!(store::ENDED, Value::from(ended).to_string(), self.stamp.as_str())];
        batch.extend(self.endpoints(&results, now));
        self.app.ports.database.batch(batch).await?;
        Ok(())
    }

    /// What the endpoints' answers say of them: those that took something work; the others fail, and are switched off once
    /// they have for days, or say that they are gone.
    fn endpoints(&self, results: &[Tried], now: Timestamp) -> Vec<Statement> {
        let mut endpoints: Vec<(&str, Vec<&Tried>)> = Vec::new();
        for tried in results.iter().filter(|tried| !matches!(tried.end, End::Impossible(_))) {
            match endpoints.iter_mut().find(|(id, _)| *id == tried.endpoint) {
                Some((_, tries)) => tries.push(tried),
                None => endpoints.push((&tried.endpoint, vec![tried])),
            }
        }
        let (mut work, mut fail, mut off) = (Vec::new(), Vec::new(), Vec::new());
        for (id, tries) in endpoints {
            let is_gone = tries.iter().any(|tried| matches!(tried.end, End::Answered(410)));
            let since = tries.iter().filter_map(|tried| tried.failing_since).min();
            let is_late = since.is_some_and(|since| since <= now.before(PATIENCE).millis());
            if tries.iter().any(|tried| tried.is_delivered()) && !is_gone {
                work.push(id);
                continue;
            }
            fail.push(id);
            if is_gone || is_late {
                let event = EventId::new(now, &*self.app.ports.random);
                let reason = if is_gone { "gone" } else { "failing" };
                self.app.ports.log.line(Level::Warn, &format!("webhooks: {id} is switched off: {reason}"));
                let url = tries.first().map(|tried| tried.url.as_str());
                off.push(json!({"id": id, "event": event.as_str(), "reason": reason, "url": url}));
            }
        }
        let list = |ids: Vec<&str>| Value::from(ids).to_string();
        let mut batch = Vec::new();
        if !work.is_empty() {
            batch.push(statement!(store::WORK, list(work)));
        }
        if !fail.is_empty() {
            batch.push(statement!(store::FAIL, list(fail), now.millis()));
        }
        if !off.is_empty() {
            let (off, stamp, now_ms) = (Value::from(off).to_string(), self.stamp.as_str(), now.millis());
            let request = RequestId::new(now, &*self.app.ports.random);
            batch.extend([
                statement!(store::DISABLE, off.as_str(), now_ms, stamp, now.before(PATIENCE).millis()),
                statement!(store::DISABLED_EVENTS, off.as_str(), now_ms, stamp, &request),
                statement!(store::DISABLED_VERSION, off.as_str(), now_ms, stamp),
                statement!(store::DISABLED_PENDING, off.as_str(), now_ms, stamp),
            ]);
        }
        batch
    }
}

/// What is written down of a delivery that was tried.
fn outcome(tried: &Tried, now: Timestamp) -> Value {
    let next = usize::try_from(tried.attempts - 1).ok().and_then(|at| AGAIN.get(at)).map(|wait| (now + *wait).millis());
    let (response, error) = match tried.end {
        End::Answered(status) => (Some(status), None),
        End::NoAnswer(why) | End::Impossible(why) => (None, Some(why)),
    };
    let (status, next) = match (tried.is_delivered(), &tried.end, next) {
        (true, ..) => (Status::Delivered, None),
        (false, End::Impossible("event_gone"), _) | (false, _, None) => (Status::Failed, None),
        (false, _, next) => (Status::Pending, next),
    };
    json!({
        "id": tried.id, "status": status.as_str(), "next": next, "response": response, "error": error,
        "latency": tried.latency_ms, "delivered": tried.is_delivered().then(|| now.millis()),
    })
}

/// The settings that the isolate remembers, else those that are stored.
async fn snapshot(app: &App) -> Result<Arc<Snapshot>, DatabaseError> {
    if let Some(known) = app.cache.get() {
        return Ok(known);
    }
    let answer = app.ports.database.batch(load(&app.config.binding_key_hash(), None)).await?;
    Ok(app.cache.put(Snapshot::read(&answer, None, &app.config)?))
}
