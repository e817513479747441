//! Law 9 for the bot gate: where it is set up no flow begins without a token that the service calls good, and its silence
//! is a refusal that says so.

use std::{collections::BTreeMap, time::Duration};

use postern::config::Config;
use serde_json::{Value, json};

use crate::support::{
    Behaviour, Response, World, at_once, context, count,
    page::Page,
    turnstile::{SECRET, SITE_KEY},
    vars::{self, Vars},
};

const BEGIN: &str = "/v1/client/sign-ins";
const HOST: &str = "app.example.com";

fn with(more: &[(&str, &str)]) -> Vars {
    let mut all = vars::prod_twilio("http://127.0.0.1:9");
    let gate = [
        ("TURNSTILE_SECRET_KEY", SECRET),
        ("TURNSTILE_SITE_KEY", SITE_KEY),
        ("TURNSTILE_API_BASE", "http://127.0.0.1:9"),
    ];
    all.extend(gate.iter().chain(more).map(|(name, value)| ((*name).to_owned(), json!(value))));
    all
}

async fn begin(page: &Page<'_>, token: Option<&str>) -> Response {
    page.call("POST", BEGIN, None, Some(&beginning(page, token))).await
}

fn beginning(page: &Page<'_>, token: Option<&str>) -> Value {
    let mut body = page.beginning();
    body["bot_token"] = json!(token);
    if token.is_none() {
        body.as_object_mut().unwrap().remove("bot_token");
    }
    body
}

fn flows(world: &World) -> i64 {
    world.here().database.number("SELECT count(*) FROM flows")
}

#[tokio::test]
async fn a_flow_begins_with_a_good_token_and_with_each_once() {
    let world = World::native(&with(&[]));
    let page = Page::new(&world).await;
    let turnstile = &world.carriers.turnstile;
    assert_eq!(world.get("/v1/environment").await.expect(200)["turnstile_site_key"], SITE_KEY);
    // Nobody is asked about what cannot be a token.
    let problem = begin(&page, None).await.expect_problem(422, "bot_check_required");
    assert_eq!(problem["site_key"], SITE_KEY);
    for none in [String::new(), "x".repeat(2049)] {
        begin(&page, Some(&none)).await.expect_problem(422, "form_param_invalid");
    }
    assert_eq!((turnstile.asked().len(), flows(&world)), (0, 0));
    begin(&page, Some("0.forged")).await.expect_problem(422, "bot_check_required");
    let token = turnstile.solve(HOST, "sign_in");
    begin(&page, Some(&token)).await.expect(201);
    begin(&page, Some(&token)).await.expect_problem(422, "bot_check_required");
    assert_eq!(flows(&world), 1);
    // The service is told the client's address.
    let mut request = page.request("POST", BEGIN, None, Some(&beginning(&page, Some(&turnstile.solve(HOST, "")))));
    request = request.header("cf-connecting-ip", "203.0.113.7");
    request.send().await.expect(201);
    assert_eq!(turnstile.asked().last().unwrap()["remoteip"], "203.0.113.7");
    // Of many at once with one token one begins.
    let token = turnstile.solve(HOST, "");
    let many =
        at_once((0..20).map(|_| page.request("POST", BEGIN, None, Some(&beginning(&page, Some(&token))))).collect());
    let many = many.await;
    assert_eq!((count(&many, 201, ""), count(&many, 422, "bot_check_required")), (1, 19));
    assert_eq!(world.carriers.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn every_flow_has_the_gate() {
    let world = World::native(&with(&[]));
    let page = Page::new(&world).await;
    for flows in ["sign-ins", "sign-ups", "password-resets"] {
        let path = format!("/v1/client/{flows}");
        let refused = page.call("POST", &path, None, Some(&beginning(&page, None))).await;
        refused.expect_problem(422, "bot_check_required");
        let token = world.carriers.turnstile.solve(HOST, "");
        page.call("POST", &path, None, Some(&beginning(&page, Some(&token)))).await.expect(201);
    }
}

#[tokio::test]
async fn a_token_of_another_host_or_action_is_none_where_they_are_set() {
    let world =
        World::native(&with(&[("TURNSTILE_HOSTNAMES", "app.example.com, b.example"), ("TURNSTILE_ACTION", "sign_in")]));
    let page = Page::new(&world).await;
    for (host, action, good) in [
        (HOST, "sign_in", true),
        ("B.example", "sign_in", true),
        ("evil.example", "sign_in", false),
        (HOST, "comment", false),
        (HOST, "", false),
    ] {
        let told = begin(&page, Some(&world.carriers.turnstile.solve(host, action))).await;
        assert_eq!(told.status, if good { 201 } else { 422 }, "{host} {action}: {}", told.text);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_once_costs_nobody_a_token() {
    let world = World::native(&with(&[]));
    let page = Page::new(&world).await;
    let turnstile = &world.carriers.turnstile;
    let internal = json!({"success": false, "error-codes": ["internal-error"]}).to_string();
    for lost in [
        Behaviour::Hang,
        Behaviour::Drop,
        Behaviour::NotHttp,
        Behaviour::Answer(503, "later".to_owned()),
        Behaviour::Answer(200, "<html>".to_owned()),
        Behaviour::Answer(200, internal),
    ] {
        turnstile.next(lost.clone());
        let told = begin(&page, Some(&turnstile.solve(HOST, ""))).await;
        assert_eq!(told.status, 201, "{lost:?}: {}", told.text);
    }
    // Nor does a change of settings, which has the call done once more.
    let token = turnstile.solve(HOST, "");
    let other = World::on(&world.here().isolate());
    other.patch("/v1/instance", &json!({"codes": {"length": 7}})).await.expect(200);
    let asked = turnstile.asked().len();
    begin(&page, Some(&token)).await.expect(201);
    assert_eq!(turnstile.asked().len(), asked + 2, "it was done twice");
}

#[tokio::test]
async fn no_flow_begins_while_the_service_is_silent_and_the_log_says_why() {
    let world = World::native(&with(&[]));
    let page = Page::new(&world).await;
    let turnstile = &world.carriers.turnstile;
    for (silent, why) in [
        (Behaviour::Hang, "timeout"),
        (Behaviour::Drop, "network"),
        (Behaviour::Answer(500, json!({"success": true}).to_string()), "status"),
        (Behaviour::Answer(200, json!({"success": "true"}).to_string()), "malformed"),
        (Behaviour::Answer(302, String::new()), "malformed"),
    ] {
        for _ in 0..2 {
            turnstile.next(silent.clone());
        }
        let (before, clock) = (context(&world).await.now(), world.here().log.lines().len());
        begin(&page, Some(&turnstile.solve(HOST, ""))).await.expect_problem(503, "bot_check_unavailable");
        assert!(context(&world).await.now() <= before + Duration::from_secs(4), "a person waits four seconds at most");
        let said = world.here().log.lines().split_off(clock);
        assert!(said.iter().any(|line| line.starts_with("Error") && line.contains(&format!("({why})"))), "{said:?}");
    }
    assert_eq!(flows(&world), 0);
}

#[tokio::test]
async fn a_secret_that_the_service_refuses_is_the_operators_to_mend() {
    let world = World::native(&with(&[("TURNSTILE_SECRET_KEY", "0x4AAAAAAAsome-other-secret")]));
    let page = Page::new(&world).await;
    let token = world.carriers.turnstile.solve(HOST, "");
    begin(&page, Some(&token)).await.expect_problem(503, "bot_check_unavailable");
    assert_eq!(world.carriers.turnstile.asked().len(), 1, "asking again changes nothing");
    let log = world.here().log.lines();
    assert!(log.iter().any(|line| line.contains("TURNSTILE_SECRET_KEY")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("some-other-secret") || line.contains(&token)), "{log:?}");
}

#[tokio::test]
async fn nothing_of_the_secret_or_of_a_token_is_anywhere() {
    let world = World::native(&with(&[]));
    let page = Page::new(&world).await;
    let token = world.carriers.turnstile.solve(HOST, "");
    let good = begin(&page, Some(&token)).await.text;
    let bad = begin(&page, Some(&token)).await.text;
    let environment = world.get("/v1/environment").await.text;
    let rows = world.here().database.everything();
    for secret in [SECRET, &token] {
        assert!([&good, &bad, &environment].iter().all(|text| !text.contains(secret)));
        assert!(rows.iter().all(|(_, value)| !value.contains(secret)));
        assert!(world.here().log.lines().iter().all(|line| !line.contains(secret)));
    }
}

#[tokio::test]
async fn without_the_variables_there_is_no_gate() {
    let world = World::native(&vars::prod_twilio("http://127.0.0.1:9"));
    let page = Page::new(&world).await;
    begin(&page, None).await.expect(201);
    begin(&page, Some("anything")).await.expect(201);
    assert_eq!(world.carriers.turnstile.asked().len(), 0);
    assert_eq!(world.get("/v1/environment").await.expect(200)["turnstile_site_key"], Value::Null);
}

#[tokio::test]
async fn a_gate_that_is_set_up_by_half_or_for_tests_stops_flows_and_nothing_else() {
    let issue = |more: &[(&str, &str)], gone: &[&str], environment: &str| {
        let mut all: BTreeMap<_, _> = with(more);
        for name in gone {
            all.remove(*name);
        }
        all.insert("ENVIRONMENT".to_owned(), json!(environment));
        (Config::read(&all).issues().iter().map(|issue| issue.detail.clone()).collect::<Vec<_>>(), all)
    };
    let testing = [("TURNSTILE_SECRET_KEY", "1x0000000000000000000000000000000AA")];
    for (more, gone, what) in [
        (&[][..], &["TURNSTILE_SECRET_KEY"][..], "TURNSTILE_SITE_KEY is set"),
        (&testing[..], &[][..], "testing secrets"),
        (&[("TURNSTILE_API_BASE", "http://turnstile.example.com")][..], &[][..], "https in prod"),
    ] {
        let (issues, all) = issue(more, gone, "prod");
        assert!(issues.len() == 1 && issues[0].contains(what), "{issues:?}");
        let world = World::native(&all);
        let page = Page::new(&world).await;
        begin(&page, Some("anything")).await.expect_problem(503, "configuration_invalid");
        world.challenge(&world.number()).await;
    }
    // A developer may use them.
    assert_eq!(issue(&testing, &[], "dev").0, Vec::<String>::new());
    // A server that checks for another page than ours needs no site key.
    assert_eq!(issue(&[], &["TURNSTILE_SITE_KEY"], "prod").0, Vec::<String>::new());
}
