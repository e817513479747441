//! The Wasm module that is uploaded. It has no code of its own: the entry points are `src/cloudflare/entry.rs` of the
//! library, which are exported as soon as the library is linked.

extern crate postern as _;
