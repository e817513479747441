//! The way of every request: find the operation, see who calls, check the input, run the handler under the
//! settings it was prepared with (once more when they changed), and write the answer.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, RawPathParams, Request},
    response::Response,
    routing::any,
};
use http::Method;
use serde_json::Value;
use tower_service::Service;

use super::{
    access_token,
    contract::{Auth, Operation},
    cors::{Headers, Sharing},
    input::{BODY_LIMIT, Call, Edge, Incoming, Known},
    oauth,
    problem::{Code, Problem},
    reply::{Answer, Failure, Reply},
    routes::{self, Run},
};
use crate::{
    api_key::{Credential, Scope},
    app,
    config::is_loopback_host,
    context::{App, Client, Context, Parts, RoundTrips},
    crypto::token_hash,
    ids::{EventId, RequestId},
    ports::{DatabaseError, Level, Statement},
    settings::{Snapshot, load, settings_of_variables, store_once},
    statement,
    time::seconds_rounded_up,
    webhook,
};

/// A handler's future.
pub type Handled = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Serves one request.
pub async fn serve(app: App, mut request: Request) -> Response {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    request.extensions_mut().insert(app);
    match ROUTER.get_or_init(router).clone().call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn router() -> Router {
    let mut paths: Vec<(&str, Vec<(Operation, Run)>)> = Vec::new();
    for (operation, run) in routes::table() {
        match paths.iter_mut().find(|(path, _)| *path == operation.path) {
            Some((_, operations)) => operations.push((operation, run)),
            None => paths.push((operation.path, vec![(operation, run)])),
        }
    }
    let mut router = Router::new();
    for (path, operations) in paths {
        let operations: Arc<[(Operation, Run)]> = operations.into();
        router = router.route(path, any(move |request: Request| dispatch(Arc::clone(&operations), request)));
    }
    router.fallback(|request: Request| unrouted(request, Arc::default()))
}

/// The operation of a path with the request's method. HEAD is GET; the router takes its body away.
async fn dispatch(operations: Arc<[(Operation, Run)]>, request: Request) -> Response {
    let asks = ["origin", "access-control-request-method"].iter().all(|name| request.headers().contains_key(*name));
    let for_pages = operations.iter().any(|(operation, _)| operation.auth.takes_pages());
    if request.method() == Method::OPTIONS && asks && for_pages {
        return preflight(operations, request).await;
    }
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    match operations.iter().find(|(operation, _)| operation.method == method).copied() {
        Some((operation, run)) => handle(operation, run, request).await,
        None => unrouted(request, operations).await,
    }
}

/// A browser asks whether a page may call (Fetch, "CORS-preflight fetch"). It names no app: any app's page may ask, and
/// the call itself is held against its own app.
async fn preflight(operations: Arc<[(Operation, Run)]>, request: Request) -> Response {
    let Some((incoming, _)) = incoming(request).await else { return Response::new(Body::empty()) };
    let methods: Vec<&str> = operations.iter().map(|(operation, _)| operation.method).collect();
    let allowed = match is_some_apps_page(&incoming).await {
        Ok(allowed) => allowed,
        Err(error) => return write_problem(&incoming, &database_problem(&incoming, &error)),
    };
    let sharing = operations.first().map_or(Sharing::Nobody, |(operation, _)| operation.auth.sharing());
    let mut reply = Reply::nothing();
    reply.headers = sharing.of_preflight(incoming.header("origin"), allowed, &methods);
    write(&incoming, reply)
}

/// Whether the page that asks is any app's.
async fn is_some_apps_page(incoming: &Incoming) -> Result<bool, DatabaseError> {
    let Some(origin) = incoming.header("origin") else { return Ok(false) };
    if incoming.app.config.embedded_auth_origins.iter().any(|known| known.as_str() == origin) {
        return Ok(true);
    }
    let asks = vec![statement!(app::store::ORIGIN_KNOWN, origin)];
    let answer = incoming.round_trips.batch(&incoming.app.ports, asks).await?;
    Ok(answer.first().and_then(|rows| rows.first()).is_some_and(|row| row.flag("known")))
}

/// The headers that let the page read the answer. A refusal too: where it came before the app was known, any app's
/// page may read it.
async fn share(operation: &Operation, incoming: &Incoming, refused: bool) -> Headers {
    let sharing = operation.auth.sharing();
    if sharing == Sharing::Nobody {
        return Vec::new();
    }
    let allowed = incoming.readable.get() || (refused && is_some_apps_page(incoming).await.unwrap_or(false));
    sharing.of_answer(incoming.header("origin"), allowed)
}

/// No such path, or no such method there.
async fn unrouted(request: Request, there: Arc<[(Operation, Run)]>) -> Response {
    let Some((incoming, _)) = incoming(request).await else { return Response::new(Body::empty()) };
    // Where development tools are off, their paths do not exist, and do not give themselves away.
    let exists = |operation: &Operation| operation.auth != Auth::Development || incoming.dev_tools;
    let there = there.iter().filter(|(operation, _)| exists(operation));
    let allowed: Vec<&str> = there.map(|(operation, _)| operation.method).collect();
    let problem = if allowed.is_empty() {
        Problem::new(Code::RouteNotFound, "see /docs for the paths there are")
    } else {
        let mut problem = Problem::new(Code::MethodNotAllowed, format!("this path takes {}", allowed.join(", ")));
        problem.allow = Some(allowed.join(", "));
        problem
    };
    write_problem(&incoming, &problem)
}

async fn handle(operation: Operation, run: Run, request: Request) -> Response {
    let Some((incoming, too_large)) = incoming(request).await else { return Response::new(Body::empty()) };
    let too_large = too_large && operation.reads_body();
    let answer = match run {
        _ if operation.auth == Auth::Development && !incoming.dev_tools => {
            Err(Problem::new(Code::RouteNotFound, "see /docs for the paths there are").into())
        }
        Run::Open(_) if too_large => Err(Problem::new(Code::RequestTooLarge, "64 KiB is the limit").into()),
        Run::Open(run) if operation.auth == Auth::Development => match incoming.query(&operation) {
            Ok(_) => run(incoming.clone()).await,
            Err(problem) => Err(problem.into()),
        },
        Run::Open(run) => run(incoming.clone()).await,
        Run::Keyed(run) => keyed(&operation, run, &incoming, too_large).await,
    };
    let refused = answer.as_ref().map_or(true, |reply| reply.status >= 400);
    // Events are told once the answer is out. Who was let in nowhere has written none, and costs no round trip more.
    if incoming.tells.get() {
        webhook::deliver::later(&incoming.app);
    }
    let shared = share(&operation, &incoming, refused).await;
    let told = |problem: &Problem| match operation.auth {
        Auth::Client => oauth::told(problem),
        _ => problem_reply(&incoming, problem),
    };
    let mut reply = match answer {
        Ok(reply) => reply,
        Err(Failure::Problem(problem)) => told(&problem),
        Err(Failure::Database(error)) => told(&database_problem(&incoming, &error)),
    };
    reply.headers.extend(shared);
    write(&incoming, reply)
}

/// Reads a request. The second value tells whether its body is over the limit; it is then left out.
async fn incoming(request: Request) -> Option<(Incoming, bool)> {
    let (mut parts, body) = request.into_parts();
    let app = parts.extensions.remove::<App>()?;
    let edge = parts.extensions.remove::<Edge>().unwrap_or_default();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let params = params.map(|params| params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let host = parts.uri.host().map(str::to_owned).or_else(|| {
        parts.headers.get("host").and_then(|host| host.to_str().ok()).map(|host| {
            host.rsplit_once(':')
                .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
                .map_or(host, |(host, _)| host)
                .to_owned()
        })
    });
    let body = to_bytes(body, BODY_LIMIT).await;
    let too_large = body.is_err();
    // After the body, whose sender could take an hour.
    let now = app.ports.clock.now();
    let from_here = parts
        .headers
        .get("cf-connecting-ip")
        .is_none_or(|ip| ip.to_str().is_ok_and(|ip| is_loopback_host(ip) || ip == "127.0.0.1"));
    Some((
        Incoming {
            request_id: RequestId::new(now, &*app.ports.random),
            now,
            round_trips: RoundTrips::default(),
            dev_tools: app.config.dev_tools && from_here && host.as_deref().is_some_and(is_loopback_host),
            method: parts.method,
            path: parts.uri.path().to_owned(),
            params: params.unwrap_or_default(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            readable: Known::default(),
            tells: Known::default(),
            edge,
            headers: parts.headers,
            body: body.map(Into::into).unwrap_or_default(),
            app,
        },
        too_large,
    ))
}

/// Who calls without a server between: the connecting address is theirs.
pub(super) fn client(incoming: &Incoming) -> Client {
    let user_agent = incoming.header("user-agent").map(|text| text.chars().take(512).collect());
    let ip = incoming.header("cf-connecting-ip").and_then(|text| text.parse::<std::net::IpAddr>().ok());
    let Edge { country, asn } = incoming.edge.clone();
    Client { ip: ip.map(|ip| ip.to_string()), user_agent, country, asn }
}

/// A call that needs a server key, or development tools.
async fn keyed(operation: &Operation, run: fn(Call) -> Handled, incoming: &Incoming, too_large: bool) -> Answer {
    let app = &incoming.app;
    let secrets =
        app.config.secrets().map_err(|issue| Problem::new(Code::ConfigurationInvalid, issue.detail.clone()))?;
    for attempt in 0.. {
        let was_cached = app.cache.get().is_some();
        let mut person = None;
        let (credential, snapshot, liveness) = match operation.auth {
            Auth::Key(scope) => authenticate(incoming, secrets.server_api_key.expose(), scope).await?,
            Auth::User => {
                let (found, snapshot) = access_token::person(incoming).await?;
                let credential = Credential::without_scopes(found.user.as_str());
                person = Some(found);
                (credential, snapshot, None)
            }
            Auth::Client => (Credential::without_scopes("client"), snapshot(incoming, None).await?, None),
            // Who it is, is found out with the first thing that is read.
            auth if auth.takes_pages() => (Credential::without_scopes("page"), snapshot(incoming, None).await?, None),
            _ => (Credential::without_scopes("development"), snapshot(incoming, None).await?, None),
        };
        if too_large {
            return Err(Problem::new(Code::RequestTooLarge, "64 KiB is the limit").into());
        }
        let version = snapshot.version;
        // What changes who hears is told too.
        let tells = operation.method != "GET" && (operation.tag == routes::WEBHOOKS || snapshot.heard.any());
        let context = Context::new(Parts {
            app: app.clone(),
            secrets: secrets.clone(),
            request_id: incoming.request_id.clone(),
            now: if attempt == 0 { incoming.now } else { app.ports.clock.now() },
            credential,
            snapshot,
            round_trips: incoming.round_trips.clone(),
            dev_tools: incoming.dev_tools,
        });
        // Tokens are got by servers, too, and then the connecting address is nobody's.
        let is_person = operation.auth.takes_pages() && operation.auth != Auth::Client;
        let context = if is_person { context.for_client(client(incoming)) } else { context };
        let context = match liveness {
            Some(liveness) => context.while_live(liveness),
            None => context,
        };
        let context = match &person {
            Some(person) => person.enter(&context, incoming),
            None => context,
        };
        let decided = context.decided();
        let call = Call {
            query: incoming.query(operation)?,
            form: incoming.form(operation)?,
            reservation: incoming.reservation(operation, &context)?,
            incoming: incoming.clone(),
            context,
        };
        let answer = run(call).await;
        if tells && decided.get() {
            incoming.tells.set();
        }
        // The first batch has held the page's origin against the session's app.
        if person.is_some() && decided.get() {
            incoming.readable.set();
        }
        match answer {
            Err(Failure::Database(DatabaseError::Stale)) if attempt == 0 => app.cache.forget(),
            // The settings were current: their guard comes first.
            Err(Failure::Database(DatabaseError::SessionEnded)) => return answer,
            // A refusal from memory alone may rest on settings that have changed: look, and try once more.
            Err(failure) if attempt == 0 && was_cached && !decided.get() => {
                app.cache.forget();
                if snapshot_version(incoming).await? == version {
                    return Err(failure);
                }
            }
            answer => return answer,
        }
    }
    Err(DatabaseError::Stale.into())
}

async fn snapshot_version(incoming: &Incoming) -> Result<i64, Failure> {
    Ok(snapshot(incoming, None).await?.version)
}

/// The settings, and the key with this secret's hash: from the isolate's memory, or one round trip.
pub(super) async fn snapshot(incoming: &Incoming, key_hash: Option<&str>) -> Result<Arc<Snapshot>, DatabaseError> {
    let app = &incoming.app;
    if let Some(known) = app.cache.get()
        && key_hash.is_none_or(|hash| known.key(hash).is_some())
    {
        return Ok(known);
    }
    read_snapshot(incoming, key_hash).await
}

/// The same as it stands in the database. What is remembered under the same version stays remembered.
pub(super) async fn read_snapshot(incoming: &Incoming, key_hash: Option<&str>) -> Result<Arc<Snapshot>, DatabaseError> {
    let app = &incoming.app;
    let binding = app.config.binding_key_hash();
    let answer = incoming.round_trips.batch(&app.ports, load(&binding, key_hash)).await?;
    let snapshot = Snapshot::read(&answer, key_hash, &app.config)?;
    if !snapshot.sms_stored
        && let Some(settings) = settings_of_variables(&app.config, &*app.ports.random)
    {
        // The first request of a deployment that brings settings of SMS: they are stored, and it goes on under them.
        let event = EventId::new(incoming.now, &*app.ports.random);
        let mut batch = Vec::from(store_once(&settings, &event, &incoming.request_id, incoming.now));
        batch.extend(load(&binding, key_hash));
        let mut answer = incoming.round_trips.batch(&app.ports, batch).await?;
        let answer = answer.split_off(2.min(answer.len()));
        return Ok(app.cache.put(Snapshot::read(&answer, key_hash, &app.config)?));
    }
    Ok(app.cache.put(snapshot))
}

/// Who calls, and under which settings.
async fn authenticate(
    incoming: &Incoming,
    binding_key: &str,
    scope: Scope,
) -> Result<(Credential, Arc<Snapshot>, Option<Statement>), Failure> {
    let Some(token) = incoming.bearer().filter(|token| !token.is_empty()) else {
        return Err(Problem::new(Code::AuthenticationRequired, "send `Authorization: Bearer sk_…`").into());
    };
    let invalid = || Problem::new(Code::ApiKeyInvalid, "no live key has this secret");
    if token.starts_with("eyJ") {
        let (credential, snapshot, liveness) = machine(incoming, token).await?;
        return may(incoming, &credential, scope).map(|()| (credential, snapshot, Some(liveness)));
    }
    if !crate::api_key::is_server_key(token) {
        return Err(invalid().into());
    }
    let hash = token_hash(token);
    // Hashes are compared, so the time tells nothing of the secret.
    let (credential, snapshot) = if hash == token_hash(binding_key) {
        let snapshot = snapshot(incoming, None).await?;
        if snapshot.binding_key_retired {
            return Err(invalid().into());
        }
        (Credential::of_binding(binding_key), snapshot)
    } else {
        let snapshot = snapshot(incoming, Some(&hash)).await?;
        let credential = snapshot.key(&hash).map(|record| record.credential.clone());
        (credential.ok_or_else(invalid)?, snapshot)
    };
    may(incoming, &credential, scope).map(|()| (credential, snapshot, None))
}

/// A machine, by its access token.
async fn machine(incoming: &Incoming, token: &str) -> Result<(Credential, Arc<Snapshot>, Statement), Failure> {
    let (claims, snapshot) = access_token::verified(incoming, token).await?;
    let (credential, liveness) = app::machine::credential(&claims).ok_or_else(access_token::invalid)?;
    Ok((credential, snapshot, liveness))
}

/// Whether the caller may do what the operation wants.
fn may(incoming: &Incoming, credential: &Credential, scope: Scope) -> Result<(), Failure> {
    if incoming.app.config.is_production() && credential.is_refused_in_production(scope) {
        let detail = format!("a test key may not use the scope {} in prod", scope.as_str());
        return Err(Problem::new(Code::ScopeMissing, detail).into());
    }
    if !credential.may(scope) {
        return Err(Problem::new(Code::ScopeMissing, format!("the scope {} is needed", scope.as_str())).into());
    }
    Ok(())
}

/// What the reader is told of a database that failed. What it said goes to the log.
fn database_problem(incoming: &Incoming, error: &DatabaseError) -> Problem {
    let app = &incoming.app;
    if *error == DatabaseError::SessionEnded {
        return access_token::invalid();
    }
    app.ports.log.line(Level::Error, &format!("{} {error}", incoming.request_id));
    match error {
        DatabaseError::Unmigrated(_) => {
            let place = if incoming.dev_tools { "--local" } else { "--remote" };
            Problem::new(Code::DatabaseUnmigrated, format!("run `npx wrangler d1 migrations apply DB {place}`"))
        }
        DatabaseError::Unavailable(_) | DatabaseError::Stale => {
            Problem::new(Code::DatabaseUnavailable, "it may or may not have been done: read before you repeat it")
                .retry_after(std::time::Duration::from_secs(1))
        }
        DatabaseError::SessionEnded | DatabaseError::Constraint(_) | DatabaseError::Other(_) => {
            Problem::new(Code::Internal, "nothing was changed; the log has more under the trace_id")
        }
    }
}

fn write_problem(incoming: &Incoming, problem: &Problem) -> Response {
    write(incoming, problem_reply(incoming, problem))
}

fn problem_reply(incoming: &Incoming, problem: &Problem) -> Reply {
    let body: Value = problem.to_json(incoming.request_id.as_str());
    let mut reply = Reply {
        status: problem.code.status(),
        media: "application/problem+json",
        body: body.to_string(),
        headers: Vec::new(),
    };
    if let Some(wait) = problem.retry_after {
        reply = reply.header("retry-after", seconds_rounded_up(wait).max(1).to_string());
    }
    if let Some(allow) = &problem.allow {
        reply = reply.header("allow", allow.clone());
    }
    if problem.code.status() == 401 {
        reply = reply.header("www-authenticate", access_token::challenge(incoming, problem));
    }
    reply
}

fn write(incoming: &Incoming, reply: Reply) -> Response {
    let mut builder = http::Response::builder()
        .status(reply.status)
        .header("x-request-id", incoming.request_id.as_str())
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer");
    if !reply.media.is_empty() {
        builder = builder.header("content-type", reply.media);
    }
    if !reply.headers.iter().any(|(name, _)| *name == "cache-control") {
        builder = builder.header("cache-control", "no-store");
    }
    if !incoming.app.config.is_production() {
        builder = builder.header("server-timing", format!("d1;desc=\"{}\"", incoming.round_trips.count()));
    }
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_else(|_| Response::new(Body::empty()))
}
