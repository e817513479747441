//! The laws of the design, one file each: every test fails when its law is broken. They run on a server in
//! this process, with the database, the clock, the carriers and KV in the tests' hands.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    clippy::format_collect
)]

mod laws {
    mod account;
    mod account_proofs;
    mod alerts;
    mod attacks;
    mod bad_day;
    mod bot_gate;
    mod calls;
    mod calls_gate;
    mod chaos;
    mod circuit;
    mod clients;
    mod cors;
    mod custom_delivery;
    mod delivery_settings;
    mod failover;
    mod fallback;
    mod fallback_voice;
    mod feedback;
    mod flows_model;
    mod fraud_entries;
    mod fraud_guard;
    mod fraud_senders;
    mod housekeeping;
    mod keys;
    mod kill_switch;
    mod law_1_d1_decides;
    mod law_2_limits;
    mod law_2_passkeys;
    mod law_2_recovery_codes;
    mod law_2_totp;
    mod law_3_flows;
    mod law_3_round_trips;
    mod law_4_codes;
    mod law_4_model;
    mod law_5_sealed;
    mod law_5_secrets;
    mod law_6_factors;
    mod law_6_flows;
    mod law_6_planted;
    mod law_6_proofs;
    mod law_6_takeover;
    mod law_7_email;
    mod law_7_messages;
    mod law_8_no_enumeration;
    mod law_9_fail_closed;
    mod machines;
    mod metrics;
    mod migrations;
    mod notices;
    mod number_kinds;
    mod origin;
    mod passwords;
    mod receipts;
    mod sessions;
    mod sessions_end;
    mod sign_in_lockouts;
    mod sign_up;
    mod standards;
    mod statements;
    mod templates;
    mod tokens;
    mod tokens_keys;
    mod veiled;
    mod webhooks;
}
mod support;
