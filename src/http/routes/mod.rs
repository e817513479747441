//! The routes: one file per group of paths. Each operation stands with its handler.

mod api_keys;
mod apps;
mod audit_events;
mod callbacks;
mod callbacks_proof;
mod callbacks_voice;
mod challenges;
mod client;
mod dev;
mod devices;
mod docs;
mod environment;
mod factors;
mod fraud_entries;
mod health;
mod instance;
mod invitations;
mod me;
mod messages;
mod metrics;
mod mfa_evaluation;
mod oauth;
mod parts;
mod passwords;
mod recovery_codes;
mod sessions;
mod signing_keys;
mod templates;
mod users;
mod view;
mod webhook_deliveries;
mod webhook_endpoints;
mod well_known;

use super::{
    contract::Operation,
    input::{Call, Incoming},
    serve::Handled,
};

/// The heading of what concerns webhooks.
pub(super) const WEBHOOKS: &str = "Webhooks";

/// How an operation is run.
#[derive(Clone, Copy)]
pub enum Run {
    /// With the request as it came.
    Open(fn(Incoming) -> Handled),
    /// With a call that is checked, under the settings' guard.
    Keyed(fn(Call) -> Handled),
}

/// Every operation with its handler.
pub fn table() -> Vec<(Operation, Run)> {
    [
        health::ROUTES,
        environment::ROUTES,
        docs::ROUTES,
        well_known::ROUTES,
        challenges::ROUTES,
        users::ROUTES,
        factors::ROUTES,
        recovery_codes::ROUTES,
        passwords::ROUTES,
        mfa_evaluation::ROUTES,
        devices::ROUTES,
        client::SIGN_INS,
        client::SIGN_UPS,
        client::PASSWORD_RESETS,
        sessions::ROUTES,
        oauth::ROUTES,
        me::ACCOUNT,
        me::FACTORS,
        me::IDENTIFIERS,
        me::SIGNED_IN,
        me::STEP_UP,
        apps::ROUTES,
        invitations::ROUTES,
        messages::ROUTES,
        metrics::ROUTES,
        audit_events::ROUTES,
        api_keys::ROUTES,
        instance::ROUTES,
        signing_keys::ROUTES,
        fraud_entries::ROUTES,
        webhook_deliveries::ROUTES,
        webhook_endpoints::ROUTES,
        templates::OF_SMS,
        templates::OF_VOICE,
        templates::OF_EMAIL,
        callbacks::ROUTES,
        callbacks_voice::ROUTES,
        dev::ROUTES,
    ]
    .concat()
}

/// Every operation.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}
