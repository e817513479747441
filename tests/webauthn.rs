//! WebAuthn: the standard's vectors, one refusal per step of its verification, other implementations as oracle,
//! and a software authenticator; and the signatures port that all of it rests on.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

mod webauthn {
    mod signatures;
}
