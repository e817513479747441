//! The ports on Cloudflare Workers: D1, KV, fetch, `Date`, WebCrypto's random bytes, the console.
//! Compiled for wasm32 only; nothing outside this folder knows the `worker` crate.

mod analytics;
mod bindings;
mod d1;
mod entry;
mod fetch;
mod kv;
mod mailer;
mod signatures;
mod small;

pub use bindings::bindings;
pub(crate) use small::nfkc;
