//! The scenarios on a server in this process. `tests/workerd.rs` runs the same ones in workerd.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod scenarios;
mod support;

use support::{World, vars};

fn world(setup: &str) -> World {
    match setup {
        "null" | "alone" => World::null(),
        "twilio" => World::twilio(),
        "vonage" => World::vonage(),
        "dev_twilio" => World::native(&vars::dev_twilio("http://127.0.0.1:9")),
        "hook" => World::native(&vars::prod_hook("http://127.0.0.1:9")),
        "verify" => World::native(&vars::prod_verify("http://127.0.0.1:9")),
        "both" => World::native(&vars::prod_both("http://127.0.0.1:9")),
        "bare" => World::native(&vars::prod_bare("http://127.0.0.1:9")),
        "mail" => World::native(&vars::prod_mail("http://127.0.0.1:9")),
        "dev_mail" => World::native(&vars::dev_mail("http://127.0.0.1:9")),
        setup => panic!("no setup {setup}"),
    }
}

macro_rules! tests {
    ($($setup:ident $module:ident::$name:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                scenarios::$module::$name(world(stringify!($setup))).await;
            }
        )*
    };
}

for_each_scenario!(tests);
