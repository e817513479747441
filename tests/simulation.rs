//! A week of honest traffic with attacks on top, asked of the real routes: what the fraud guard has to hold.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::enum_variant_names,
    clippy::format_collect,
    clippy::cast_possible_truncation
)]

#[path = "support/mod.rs"]
mod support;

mod simulation {
    mod bounds;
    mod chart;
    mod dice;
    mod document;
    mod model;
    mod parameters;
    mod places;
    mod report;
    mod routes;
    mod run;
    mod week;
    mod world;
}
