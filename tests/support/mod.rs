//! What the tests work with: a world with a server in it, in this process or in workerd, fake carriers around
//! it, and a client that holds every answer against the OpenAPI document.
#![allow(dead_code, unused_imports, missing_docs)]

pub mod account;
pub mod authenticator;
pub mod breaches;
pub mod calls;
pub mod carriers;
pub mod client;
pub mod clock;
pub mod context;
pub mod contract;
pub mod descriptions;
pub mod embedded;
pub mod exposition;
pub mod hook;
pub mod mail_providers;
pub mod native;
pub mod oauth;
pub mod page;
pub mod passkey;
pub mod ports;
pub mod receipts;
pub mod signatures;
pub mod sqlite;
pub mod together;
pub mod tokens;
pub mod turnstile;
pub mod vars;
pub mod verify;
pub mod webhook_sink;
pub mod work;
pub mod world;
pub mod wrangler;

pub use authenticator::Authenticator;
pub use carriers::{Behaviour, Carriers};
pub use client::{Request, Response};
pub use context::context;
pub use mail_providers::SentMail;
pub use native::Native;
pub use together::{at_once, count, steps};
pub use vars::{KEY, Vars};
pub use webhook_sink::Heard;
pub use world::{Listener, World};
