//! The Worker's entry points: fetch and the cron.

use std::sync::{Arc, OnceLock};

use futures_channel::oneshot;
use worker::{Cf, Context, Env, HttpRequest, ScheduleContext, ScheduledEvent, event, send::SendFuture};

use super::{
    analytics::AnalyticsEngine,
    bindings,
    d1::D1,
    fetch::WorkersFetch,
    kv::Kv,
    mailer::CloudflareMailer,
    signatures::WebCryptoSignatures,
    small::{Console, WebCryptoRandom, WorkersClock},
};
use crate::{
    config::Config,
    context::App,
    cron,
    http::{Edge, serve},
    message::circuit::Circuits,
    ports::{Level, Log, Ports},
    settings::IsolateCache,
    time::Timestamp,
};

/// What lives as long as the isolate: the configuration, which a deployment fixes, the snapshot of settings, and which
/// drivers have failed of late.
struct Isolate {
    config: Arc<Config>,
    cache: Arc<IsolateCache>,
    circuits: Arc<Circuits>,
}

fn app(env: &Env) -> App {
    static ISOLATE: OnceLock<Isolate> = OnceLock::new();
    let isolate = ISOLATE.get_or_init(|| {
        let config = Config::read(&bindings(env));
        for issue in config.issues() {
            Console.line(Level::Error, &format!("configuration: {}", issue.detail));
        }
        Isolate { config: Arc::new(config), cache: Arc::default(), circuits: Arc::default() }
    });
    App {
        ports: Ports {
            database: Arc::new(D1 { binding: env.d1("DB").ok() }),
            cache: Arc::new(Kv { binding: env.kv("KV").ok() }),
            fetch: Arc::new(WorkersFetch),
            mailer: Arc::new(CloudflareMailer::of(env)),
            clock: Arc::new(WorkersClock),
            random: Arc::new(WebCryptoRandom),
            signatures: Arc::new(WebCryptoSignatures),
            log: Arc::new(Console),
            analytics: Arc::new(AnalyticsEngine::of(env)),
            after: Arc::default(),
        },
        config: Arc::clone(&isolate.config),
        cache: Arc::clone(&isolate.cache),
        circuits: Arc::clone(&isolate.circuits),
    }
}

#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, context: Context) -> worker::Result<http::Response<axum::body::Body>> {
    let app = app(&env);
    let mut request = request.map(axum::body::Body::new);
    let cf = request.extensions_mut().remove::<Cf>();
    let edge = cf.map(|cf| Edge { country: cf.country(), asn: cf.asn().map(i64::from) });
    request.extensions_mut().insert(edge.unwrap_or_default());
    // A caller that hangs up must not end the work between the carrier's answer and its record.
    let (done, response) = oneshot::channel();
    let after = Arc::clone(&app.ports.after);
    context.wait_until(async move {
        let _ = done.send(serve(app, request).await);
        after.finish().await;
    });
    SendFuture::new(response).await.map_err(|_| worker::Error::from("the request was not finished"))
}

#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let app = app(&env);
    // Whole milliseconds.
    #[allow(clippy::cast_possible_truncation)]
    let scheduled = Timestamp::from_millis(event.schedule() as i64);
    cron::run(&app, scheduled).await;
    app.ports.after.finish().await;
}
