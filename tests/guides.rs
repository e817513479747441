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

use std::{fmt::Write as _, fs, net::TcpListener, process::Command};

use support::{
    vars,
    wrangler::{Server, Setup, project},
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
    let expected: [&[&str]; 17] = [
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
    ];
    let server = Server::start("add_mfa", &vars::null()).await;
    let visits = [("node server.mjs &", "add-mfa.mjs \"$PAGE/?proof=$(proof)\"")];
    session(&server, "docs/guides/add-mfa-to-your-login.md", &visits, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn your_own_form_works_as_it_stands() {
    let expected: [&[&str]; 4] = [
        &["passkey,totp"],
        &[],
        &["Hello usr_", "urn:postern:acr:aal2", "the browser signed up, and signed in"],
        &["form_password_incorrect"],
    ];
    let server = Server::start("own_form", &vars::null()).await;
    let visits = [("node site/server.mjs &", "your-own-form.mjs $PAGE $POSTERN")];
    session(&server, "docs/guides/your-own-form.md", &visits, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_only_works_as_it_stands() {
    let expected: [&[&str]; 3] =
        [&["required"], &["signed in with nothing but a passkey"], &["factor.removed", "came back"]];
    let server = Server::start("passkeys_only", &vars::null()).await;
    let visits = [
        ("node site/server.mjs &", "passkeys-only.mjs $PAGE $POSTERN"),
        ("override_reason", "passkeys-only.mjs $PAGE $POSTERN back"),
    ];
    session(&server, "docs/guides/passkeys-only.md", &visits, &expected);
}

/// The page's stand-ins for carriers are what the page's lines of `.dev.vars` lead to.
#[tokio::test(flavor = "multi_thread")]
async fn sms_works_as_it_stands() {
    const PAGE: &str = "docs/guides/sms.md";
    let expected: [&[&str]; 11] = [
        &[],
        &["auth_token_set: true", "'twilio'"],
        &[r#""status":"delivered""#, r#""driver":"twilio""#, r#""receipts":["#],
        &["twilio unknown, vonage accepted", "verified"],
        &[],
        &["{{otp_code}}", r#""segments":1"#, "opens"],
        &["opens", "true"],
        &["sms.queued", "sms.delivered", "delivered, delivered"],
        &["is your", "handed_over"],
        &["pending", "yours"],
        &["sms_disabled", "pending"],
    ];
    let port = free_port();
    let mut vars = vars::null();
    let lines = blocks(PAGE).into_iter().find(|block| block.language == "ini").unwrap().text;
    vars.extend(lines.lines().map(|line| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.replace("localhost:3000", &format!("localhost:{port}")).into())
    }));
    let server = Server::start("sms", &vars).await;
    session_on(port, &server, PAGE, &[], &expected);
}

/// People and attackers of the simulation against a server in workerd: all that the page tells is what it prints.
#[tokio::test(flavor = "multi_thread")]
async fn sms_fraud_works_as_it_stands() {
    const PAGE: &str = "docs/guides/sms-fraud.md";
    let server = Server::start("sms_fraud", &vars::null()).await;
    let mut page = fs::read_to_string(PAGE).unwrap();
    let mut wrong = String::new();
    for shown in shown(free_port(), &server, PAGE, &[]) {
        let told = shown.told.unwrap_or_default();
        if !is_told(&shown.printed, &told) {
            assert_ne!(told, "", "{PAGE} does not tell what a block prints:\n{}", shown.printed);
            let _ = write!(wrong, "--- the page tells\n{told}+++ and this is printed\n{}", shown.printed);
            let block = |text: &str| format!("```text\n{text}```\n");
            page = page.replacen(&block(&told), &block(&retold(&shown.printed, &told)), 1);
        }
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(PAGE, page).unwrap();
    } else {
        assert!(wrong.is_empty(), "{PAGE}; UPDATE_SNAPSHOTS=1 writes what is printed\n{wrong}");
    }
}

/// As a new user would try it: `make dev` has seeded the database, and `npm run example` runs beside it.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_works_in_a_browser() {
    let sql = fs::read_to_string("scripts/seed.sql").unwrap();
    let server = Server::start("example", Setup { sql, ..Setup::from(&vars::null()) }).await;
    let (port, root) = (free_port(), project().display());
    let printed = run(
        &server,
        &format!(
            "export POSTERN={} EXAMPLE_PORT={port}
             example={root}/examples/your-own-form
             node $example/setup.mjs
             node $example/server.mjs &
             trap 'kill $!' EXIT
             ISSUER=$(curl -s $POSTERN/.well-known/openid-configuration | node -pe 'JSON.parse(fs.readFileSync(0)).issuer')
             node {root}/tests/browser/example.mjs http://localhost:{port}/ $POSTERN $ISSUER ${{PICTURES:-}}",
            // As the passkeys' settings know it.
            server.base.replace("127.0.0.1", "localhost")
        ),
    );
    assert!(printed.contains("set a new password"), "{printed}");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a page as one shell session with its files beside it, and holds what each block of shell prints against what is
/// expected of it. After the block with a visit's words a browser comes: its script and arguments.
fn session(server: &Server, page: &str, visits: &[(&str, &str)], expected: &[&[&str]]) {
    session_on(free_port(), server, page, visits, expected);
}

/// The same, with this port in the place of the page's.
fn session_on(port: u16, server: &Server, page: &str, visits: &[(&str, &str)], expected: &[&[&str]]) {
    let shown = shown(port, server, page, visits);
    assert_eq!(shown.len(), expected.len(), "blocks of shell in {page}");
    for (shown, wanted) in shown.iter().zip(expected) {
        for words in *wanted {
            assert!(shown.printed.contains(words), "{page}: a block does not say {words}:\n{}", shown.printed);
        }
    }
}

/// What a block of shell has printed, and the block of text below it, if the page has one.
struct Shown {
    printed: String,
    told: Option<String>,
}

/// Runs a page as one shell session with its files beside it.
fn shown(port: u16, server: &Server, page: &str, visits: &[(&str, &str)]) -> Vec<Shown> {
    let browser = project().join("tests/browser");
    // What a page takes out of the clone that its reader is in.
    for folder in ["clients", "examples"] {
        std::os::unix::fs::symlink(project().join(folder), server.folder.join(folder)).unwrap();
    }
    let mut script = format!("trap '[ -z \"${{SERVER:-}}\" ] || kill $SERVER' EXIT\nPAGE=http://localhost:{port}\n");
    let mut told: Vec<Option<String>> = Vec::new();
    for block in blocks(page) {
        let text = block
            .text
            .replace("localhost:3000", &format!("localhost:{port}"))
            .replace("listen(3000", &format!("listen({port}"));
        match block.language.as_str() {
            "sh" => {
                let _ = write!(script, "echo '=== {}'\n{text}", told.len());
                if text.contains(".mjs &") {
                    script.push_str("SERVER=$!; sleep 1\n");
                }
                for (_, visit) in visits.iter().filter(|(words, _)| text.contains(words)) {
                    let _ = writeln!(script, "node {}/{visit}", browser.display());
                }
                told.push(None);
            }
            "text" => *told.last_mut().unwrap() = Some(block.text),
            _ if !block.file.is_empty() => {
                let file = server.folder.join(&block.file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text.replace("http://localhost:8787", &server.base)).unwrap();
            }
            _ => {}
        }
    }
    let printed = run(server, &script);
    // The first line of each is its number.
    let sections = printed.split("=== ").skip(1).map(|section| section.split_once('\n').unwrap().1.to_owned());
    let shown: Vec<Shown> = sections.zip(&told).map(|(printed, told)| Shown { printed, told: told.clone() }).collect();
    assert_eq!(shown.len(), told.len(), "{page}: not every block ran:\n{printed}");
    shown
}

/// Whether this was printed, where `…` stands for anything within a line.
fn is_told(printed: &str, told: &str) -> bool {
    let (printed, told): (Vec<&str>, Vec<&str>) = (printed.lines().collect(), told.lines().collect());
    printed.len() == told.len() && printed.iter().zip(told).all(|(printed, told)| line_is_told(printed, told))
}

fn line_is_told(printed: &str, told: &str) -> bool {
    let Some((begin, rest)) = told.split_once('…') else { return printed.trim_end() == told.trim_end() };
    let Some(mut printed) = printed.trim_end().strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let end = parts.pop().unwrap().trim_end();
    for part in parts {
        let Some((_, after)) = printed.split_once(part) else { return false };
        printed = after;
    }
    printed.ends_with(end)
}

/// What was printed, with the lines that were told right as they were told.
fn retold(printed: &str, told: &str) -> String {
    let mut told = told.lines();
    let mut text = String::new();
    for printed in printed.lines() {
        let line = told.next().filter(|told| line_is_told(printed, told)).unwrap_or(printed);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[test]
fn what_a_page_tells_is_held_to_the_letter() {
    for (printed, told, wanted) in [
        ("a\nb\n", "a\nb\n", true),
        ("a\n", "a\nb\n", false),
        ("a\nb\n", "a\n", false),
        ("", "a\n", false),
        ("until 10:00:01.5Z, 17 times", "until …, 17 times", true),
        ("until 10:00:01.5Z, 18 times", "until …, 17 times", false),
        ("x 1 y 2 z", "x … y … z", true),
        ("x 1 y 2", "x … y … z", false),
        ("w 1 y 2 z", "x … y … z", false),
    ] {
        assert_eq!(is_told(printed, told), wanted, "{printed:?} {told:?}");
    }
}
