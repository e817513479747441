//! What one request works with: ports, configuration, settings, who calls, and the round trips counted.
//! All database access goes through here, so no batch can forget the settings' guard.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    api_key::Credential,
    config::{Config, Secrets},
    crypto::{Pepper, Seal},
    ids::RequestId,
    message::circuit::Circuits,
    ports::{DatabaseError, Level, Ports, Rows, Statement},
    settings::{IsolateCache, Settings, Snapshot, TestMode, guard, load},
    time::Timestamp,
};

/// What a deployment is made of: the ports of this request, the isolate's configuration and memory.
#[derive(Clone)]
pub struct App {
    /// The outside world.
    pub ports: Ports,
    /// The bindings, checked.
    pub config: Arc<Config>,
    /// What the isolate remembers.
    pub cache: Arc<IsolateCache>,
    /// Which drivers have failed of late, here.
    pub circuits: Arc<Circuits>,
}

/// The person: whoever connects, or who is behind the calling server, which passes them as `client`.
#[derive(Clone, Default)]
pub struct Client {
    /// The person's address.
    pub ip: Option<String>,
    /// The person's browser or app.
    pub user_agent: Option<String>,
    /// The country that the person is in, ISO 3166-1 alpha-2, or `XX` (not known) and `T1` (Tor) as Cloudflare says.
    pub country: Option<String>,
    /// The number of the network operator (ASN) that the person's address belongs to.
    pub asn: Option<i64>,
}

/// Counts batches: `Server-Timing` shows them, tests hold them (law 3).
#[derive(Clone, Default)]
pub struct RoundTrips(Arc<AtomicU32>);

impl RoundTrips {
    /// How many batches ran.
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs a batch and counts it.
    pub async fn batch(&self, ports: &Ports, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        ports.database.batch(statements).await
    }
}

/// Whether a batch has passed the settings' guard: then they were current while the request ran.
#[derive(Clone, Default)]
pub struct Decided(Arc<AtomicBool>);

impl Decided {
    /// Whether one has.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One authenticated request.
#[derive(Clone)]
pub struct Context {
    app: App,
    secrets: Secrets,
    request_id: RequestId,
    now: Timestamp,
    credential: Credential,
    snapshot: Arc<Snapshot>,
    round_trips: RoundTrips,
    decided: Decided,
    client: Client,
    bond: Option<Arc<str>>,
    liveness: Option<Statement>,
    dev_tools: bool,
}

/// The parts of a [`Context`].
pub struct Parts {
    /// The deployment.
    pub app: App,
    /// Its secrets, present and valid.
    pub secrets: Secrets,
    /// This request's id.
    pub request_id: RequestId,
    /// When it came.
    pub now: Timestamp,
    /// Who calls.
    pub credential: Credential,
    /// Under which settings.
    pub snapshot: Arc<Snapshot>,
    /// The counter of this request.
    pub round_trips: RoundTrips,
    /// Whether development tools answer: switched on, not `prod`, and a loopback host.
    pub dev_tools: bool,
}

impl Context {
    /// A context from its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { app, secrets, request_id, now, credential, snapshot, round_trips, dev_tools } = parts;
        let (decided, client) = (Decided::default(), Client::default());
        Self {
            app,
            secrets,
            request_id,
            now,
            credential,
            snapshot,
            round_trips,
            decided,
            client,
            bond: None,
            liveness: None,
            dev_tools,
        }
    }

    /// The same, on behalf of a person.
    pub fn for_client(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// The same within a flow or a session: the challenges made here belong to it, and no others are seen.
    pub fn bound_to(&self, bond: &str) -> Self {
        Self { bond: Some(bond.into()), ..self.clone() }
    }

    /// The same, with another name for who calls in the events.
    pub fn acting_as(&self, actor: &str) -> Self {
        Self { credential: Credential { id: actor.to_owned(), ..self.credential.clone() }, ..self.clone() }
    }

    /// The flow or session that asks; `None`: the server API.
    pub fn bond(&self) -> Option<&str> {
        self.bond.as_deref()
    }

    /// The same for a caller whose token stands for a session or an app: the statement fails each batch once that is over.
    pub fn while_live(&self, liveness: Statement) -> Self {
        Self { liveness: Some(liveness), ..self.clone() }
    }

    /// Runs statements as one transaction, under the settings this request works with. When they changed since,
    /// nothing happens and [`DatabaseError::Stale`] comes back; the request is then done once more.
    pub async fn decide(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let mut batch = Vec::with_capacity(statements.len() + 3);
        batch.push(guard(self.snapshot.version));
        batch.extend(self.liveness.clone());
        batch.extend(self.snapshot.note_use(&self.credential.id, self.now));
        let ours = batch.len();
        batch.extend(statements);
        let mut rows = self.round_trips.batch(&self.app.ports, batch).await?;
        self.decided.0.store(true, Ordering::Relaxed);
        Ok(rows.split_off(ours.min(rows.len())))
    }

    /// The same under the settings as they are now, for work that comes after the response: it was decided while the caller's
    /// session was live, and may have ended it.
    pub async fn renewed(&self) -> Result<Self, DatabaseError> {
        let answer = self.round_trips.batch(&self.app.ports, load(&self.app.config.binding_key_hash(), None)).await?;
        let snapshot = Snapshot::read(&answer, None, &self.app.config)?;
        Ok(Self { snapshot: self.app.cache.put(snapshot), liveness: None, ..self.clone() })
    }

    /// Tells later whether a batch has passed the guard.
    pub fn decided(&self) -> Decided {
        self.decided.clone()
    }

    /// Writes down what has happened already, whatever the settings are now.
    pub async fn record(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        self.round_trips.batch(&self.app.ports, statements).await
    }

    /// A fresh stamp: the first statement of a batch sets it, the later ones act only on it.
    pub fn stamp(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.app.ports.random.bytes::<16>())
    }

    /// The outside world.
    pub fn ports(&self) -> &Ports {
        &self.app.ports
    }

    /// The bindings.
    pub fn config(&self) -> &Config {
        &self.app.config
    }

    /// Which drivers have failed of late, in this isolate.
    pub fn circuits(&self) -> &Circuits {
        &self.app.circuits
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.snapshot.settings
    }

    /// The settings with their version and what is stored of them.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What is keyed by the pepper.
    pub fn pepper(&self) -> Pepper<'_> {
        Pepper(&self.secrets.code_pepper)
    }

    /// What seals secrets at rest.
    pub fn seal(&self) -> Seal<'_> {
        Seal(&self.secrets.encryption_keys)
    }

    /// The binding's secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// When the request came.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// This request's id.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Who calls.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Who calls, for events.
    pub fn actor(&self) -> &str {
        &self.credential.id
    }

    /// On whose behalf.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What happens with test numbers in this request.
    pub fn test_mode(&self) -> TestMode {
        self.settings().test_mode(self.now, self.config().is_production(), self.dev_tools)
    }

    /// Whether development tools are on for this request.
    pub fn dev_tools(&self) -> bool {
        self.dev_tools
    }

    /// Writes a line for the operator, with the request's id. No secret, no number.
    pub fn log(&self, level: Level, text: &str) {
        self.app.ports.log.line(level, &format!("{} {text}", self.request_id));
    }
}
