//! Postern: sign-in and every kind of multi-factor authentication as one Cloudflare Worker.
//! Where things are: `docs/architecture.md`.

pub mod account;
pub mod alert;
pub mod api_key;
pub mod app;
pub mod bot;
pub mod challenge;
#[cfg(target_arch = "wasm32")]
mod cloudflare;
pub mod config;
pub mod context;
pub mod cron;
pub mod crypto;
pub mod device;
#[cfg(not(target_arch = "wasm32"))]
pub mod documents;
pub mod email;
pub mod evaluation;
pub mod event;
pub mod factor;
mod few;
pub mod flow;
pub mod fraud;
pub mod housekeeping;
pub mod http;
pub mod idempotency;
pub mod ids;
pub mod invitation;
pub mod limit;
pub mod message;
pub mod metrics;
pub mod password;
pub mod phone;
pub mod policy;
pub mod ports;
pub mod reseal;
pub mod schema;
pub mod secret;
pub mod session;
pub mod settings;
pub mod template;
pub mod time;
pub mod token;
pub mod totp;
pub mod user;
pub mod webauthn;
pub mod webhook;
