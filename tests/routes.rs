//! Every route, natively: what its user expects, what it refuses, and that it is what the contract says.
//! `tests/routes/` mirrors `src/http/routes/`; what concerns all routes has files of its own there.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

#[path = "routes/mod.rs"]
mod routes;
mod support;
