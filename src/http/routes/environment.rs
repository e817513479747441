//! `GET /v1/environment`: what a client may know before anybody signs in. No credential ever.
//! It may be a minute old (KV): nothing is decided by it.

use serde_json::json;

use super::Run;
use crate::{
    config::Environment,
    factor::{self, FactorType},
    http::{
        Incoming, Reply,
        contract::{Gives, Operation, operation, shapes},
        reply::Answer,
        serve::read_snapshot,
    },
    ports::Level,
    settings::Settings,
};

pub(super) const ROUTES: &[(Operation, Run)] = &[(
    Operation {
        description: "May be a minute old. Any origin may read it.",
        gives: Gives::One("Environment", shapes::ENVIRONMENT),
        refuses: &[&[crate::http::Code::DatabaseUnmigrated, crate::http::Code::DatabaseUnavailable]],
        ..operation("GET", "/v1/environment", "getEnvironment", "Public", "Public bootstrap for clients")
    },
    Run::Open(|incoming| Box::pin(get(incoming))),
)];

/// Its key in KV; grows with the form of what is stored there.
const KEY: &str = "environment/4";

/// The types of factor that can be enrolled: supported, not switched off, and e-mail only where something carries it.
fn factors(settings: &Settings) -> Vec<&'static str> {
    let there = |kind: &FactorType| {
        factor::kind(*kind).is_some() && (*kind != FactorType::Email || settings.delivery.email().is_ok())
    };
    settings.multi_factor.enabled.iter().filter(there).map(FactorType::as_str).collect()
}

async fn get(incoming: Incoming) -> Answer {
    let app = &incoming.app;
    let cached = app.ports.cache.get(KEY).await.unwrap_or_default();
    let body = if let Some(body) = cached {
        body
    } else {
        let snapshot = read_snapshot(&incoming, None).await?;
        let config = &app.config;
        let driver = snapshot.settings.delivery.sms_driver();
        let body = json!({
            "app_name": config.app_name,
            "environment": match config.environment {
                Environment::Production => "prod",
                Environment::Development => "development",
            },
            "factors": factors(&snapshot.settings),
            "sms": {
                "driver": driver.map(crate::config::SmsDriver::name),
                "from_number": driver.and_then(crate::config::SmsDriver::from_number),
            },
            "voice": {"driver": snapshot.settings.delivery.voice_driver().map(crate::config::VoiceDriver::name)},
            "locales": crate::template::texts::LANGUAGES,
            "turnstile_site_key": config.turnstile.as_ref().and_then(|turnstile| turnstile.site_key.as_deref()),
            "test_mode": snapshot.settings.test_mode(incoming.now, config.is_production(), incoming.dev_tools).as_str(),
        })
        .to_string();
        if let Err(error) = app.ports.cache.put(KEY, body.clone(), 60).await {
            app.ports.log.line(Level::Warn, &format!("{} {error}", incoming.request_id));
        }
        body
    };
    let reply = Reply { status: 200, media: "application/json", body, headers: Vec::new() };
    Ok(reply.header("access-control-allow-origin", "*").header("cache-control", "public, max-age=60"))
}
