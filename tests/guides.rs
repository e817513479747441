//! The README's commands, run from the page as they stand, against a server in workerd as `make dev` sets it up.
//! A block of shell that names `POSTERN=` is one that a reader pastes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

use std::process::Command;

use support::{vars, wrangler::Server};

/// The blocks of shell of a page that a reader pastes.
fn blocks(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter(|block| block.contains("POSTERN=")).collect()
}

/// Runs a block where `.dev.vars` is; gives what it printed.
fn run(server: &Server, block: &str) -> String {
    let script = block.replace("http://localhost:8787", &server.base);
    let output = Command::new("sh").args(["-eu", "-c", &script]).current_dir(&server.folder).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{block}\n{printed}\n{complaints}");
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_commands_work_as_they_stand() {
    let blocks = blocks("README.md");
    assert_eq!(blocks.len(), 2, "the README has a first code and a second factor");
    let server = Server::start("readme", &vars::null()).await;
    let first = run(&server, &blocks[0]);
    assert!(first.contains(r#""status":"verified""#), "{first}");
    let second = run(&server, &blocks[1]);
    assert!(second.contains(r#""status":"active""#), "{second}");
    assert!(second.contains(r#""purpose":"sign_in""#) && second.contains(r#""status":"verified""#), "{second}");
    // Pasted a second time, it works again: nothing of the first time stands in its way.
    run(&server, &blocks[0]);
}
