//! HTTP: parses requests into commands of the domain and writes what came of them.
//! `routes/` has one file per group of paths; `contract/` says what each takes and gives, and checks it;
//! `serve.rs` is the way of every request; `problem.rs` is the one map from errors to answers.

mod access_token;
pub mod contract;
pub mod cors;
mod input;
mod oauth;
pub mod problem;
mod reply;
mod routes;
mod serve;

pub use input::{Call, Edge, Incoming};
pub use problem::{Code, Problem};
pub use reply::Reply;
pub use routes::operations;
pub use serve::serve;
