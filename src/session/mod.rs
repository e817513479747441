//! Sessions: what a sign-in results in. A code is exchanged for one, refresh tokens keep it, and it ends.

pub mod code;
pub mod store;
