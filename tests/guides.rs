//! The guides' commands, run from their pages as they stand, against a server in workerd as `make dev` sets it up, and
//! with a real browser where a page needs one.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]

mod support;

use std::{fmt::Write as _, fs, net::TcpListener, path::Path, process::Command};

use support::{
    vars,
    wrangler::{Server, project},
};

/// A fenced block of a page: its language, the name of the file it is, and its text.
struct Block {
    language: String,
    file: String,
    text: String,
}

/// The blocks of a page in order.
fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| {
            let (head, text) = block.split_once('\n').unwrap();
            let (language, file) = head.split_once(' ').unwrap_or((head, ""));
            Block { language: language.to_owned(), file: file.to_owned(), text: format!("{text}\n") }
        })
        .collect()
}

/// Runs shell where `.dev.vars` is; gives what it printed.
fn run(server: &Server, script: &str) -> String {
    let script = script.replace("http://localhost:8787", &server.base);
    let output = Command::new("sh").args(["-eu", "-c", &script]).current_dir(&server.folder).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{printed}\n{complaints}");
    printed
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_commands_work_as_they_stand() {
    let pasted: Vec<String> = blocks("README.md")
        .into_iter()
        .filter(|block| block.language == "sh" && block.text.contains("POSTERN="))
        .map(|block| block.text)
        .collect();
    assert_eq!(pasted.len(), 2, "the README has a first code and a second factor");
    let server = Server::start("readme", &vars::null()).await;
    let first = run(&server, &pasted[0]);
    assert!(first.contains(r#""status":"verified""#), "{first}");
    let second = run(&server, &pasted[1]);
    assert!(second.contains(r#""status":"active""#), "{second}");
    assert!(second.contains(r#""purpose":"sign_in""#) && second.contains(r#""status":"verified""#), "{second}");
    // Pasted a second time, it works again: nothing of the first time stands in its way.
    run(&server, &pasted[0]);
}

/// The page is one shell session with files beside it. Each block prints what the page says it prints.
#[tokio::test(flavor = "multi_thread")]
async fn add_mfa_to_your_login_works_as_it_stands() {
    // In the order of the page's blocks of shell; those that only prepare print nothing that is looked at.
    let expected: [&[&str]; 18] = [
        &[],
        &[],
        &[r#""step":"needs_enrolment""#],
        &["needs_enrolment"],
        &["active"],
        &["needs_second_factor", "verified", r#""step":"satisfied""#, r#""completed":true"#],
        &["voice"],
        &[],
        &["active"],
        &[],
        &["active"],
        &["9"],
        &["http://localhost:", "the browser signed in with a passkey"],
        &["active", "verified"],
        &["device_remembered"],
        &["needs_enrolment"],
        &["factor."],
        &[],
    ];
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let server = Server::start("add_mfa", &vars::null()).await;
    let browser = Path::new(&project()).join("tests/browser/add-mfa.mjs");
    let mut script = "trap 'kill $SERVER' EXIT\n".to_owned();
    let mut shells = 0;
    for block in blocks("docs/guides/add-mfa-to-your-login.md") {
        let text = block
            .text
            .replace("localhost:3000", &format!("localhost:{port}"))
            .replace("listen(3000", &format!("listen({port}"));
        match block.language.as_str() {
            "sh" => {
                let _ = write!(script, "echo '=== {shells}'\n{text}");
                if text.contains("node server.mjs &") {
                    let page = format!("http://localhost:{port}/?proof=$(proof)");
                    let browser = browser.display();
                    let _ = writeln!(script, "SERVER=$!; sleep 1; node {browser} \"{page}\"");
                }
                shells += 1;
            }
            _ if !block.file.is_empty() => fs::write(server.folder.join(&block.file), text).unwrap(),
            _ => {}
        }
    }
    let printed = run(&server, &script);
    let sections: Vec<&str> = printed.split("=== ").skip(1).collect();
    assert_eq!(sections.len(), shells);
    for (at, wanted) in expected.iter().enumerate().take(shells) {
        for words in *wanted {
            assert!(sections[at].contains(words), "block {at} does not say {words}:\n{}", sections[at]);
        }
    }
    assert!(shells + 1 >= expected.len(), "{shells} blocks");
}
