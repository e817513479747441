//! Standards: `docs/standards.md` names the test of every statement, and this holds the page to it; and the tests of
//! the statements that no other law has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use postern::{http::operations, schema::Field};
use serde_json::{Value, json};

use crate::support::{
    World,
    embedded::{Form, RESET, SIGN_IN, SIGN_UP, challenge_of},
};

/// A row of the page: its number, and what stands in its last cell.
fn rows(page: &str) -> BTreeMap<u32, String> {
    let mut rows = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let Ok(number) = cells[0].parse() {
            assert_eq!(cells.len(), 4, "{line}");
            assert!(rows.insert(number, cells[3].to_owned()).is_none(), "{number} is there twice");
        }
    }
    rows
}

/// The tests that a text names: what stands between backticks and has a file and a name.
fn tests_of(text: &str) -> Vec<(&str, &str)> {
    text.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once(".rs::")).collect()
}

/// Why a named test does not count; `None`: it is there and runs.
fn missing(file: &str, name: &str) -> Option<String> {
    let path = format!("{file}.rs");
    let Ok(source) = fs::read_to_string(&path) else { return Some(format!("there is no {path}")) };
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_it = |line: &&str| {
        let rest = line.trim_start_matches("pub ").trim_start_matches("async ");
        rest.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(is_it) else { return Some(format!("{path} has no {name}")) };
    let attributes: Vec<&str> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).copied().collect();
    if attributes.iter().any(|attribute| attribute.contains("ignore")) {
        return Some(format!("{path}::{name} is ignored"));
    }
    let (folder, stem) = file.rsplit_once('/').unwrap();
    let declares = |roots: &[String], what: &str| {
        roots.iter().filter_map(|root| fs::read_to_string(root).ok()).any(|root| root.contains(what))
    };
    let roots = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    if folder.starts_with("tests/") && stem != "mod" && !declares(&roots, &format!("mod {stem};")) {
        return Some(format!("nothing runs {path}"));
    }
    // A scenario is no test by itself: the list of scenarios makes two of it.
    if folder == "tests/scenarios" {
        return (!declares(&roots, &format!("{stem}::{name};"))).then(|| format!("{name} is in no list of scenarios"));
    }
    let runs = attributes.iter().any(|attribute| *attribute == "#[test]" || attribute.starts_with("#[tokio::test"));
    (!runs).then(|| format!("{path}::{name} is no test"))
}

#[test]
fn every_statement_has_a_test_that_runs_or_says_why_not() {
    let page = fs::read_to_string("docs/standards.md").unwrap();
    let rows = rows(&page);
    let wanted: BTreeSet<u32> = (1..=52).filter(|number| ![27, 48].contains(number)).collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), wanted);
    for (number, text) in &rows {
        let excused = text.contains("comes with: ") || text.contains("not applicable: ");
        assert!(!tests_of(text).is_empty() || excused, "{number}: neither a test nor a reason");
    }
    let wrong: Vec<String> = tests_of(&page).into_iter().filter_map(|(file, name)| missing(file, name)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tests_of(&page).len() > 60);
}

#[test]
fn a_test_that_is_not_there_or_does_not_run_is_found_out() {
    let here = "tests/laws/standards";
    assert_eq!(missing(here, "every_statement_has_a_test_that_runs_or_says_why_not"), None);
    assert_eq!(missing("tests/scenarios/job_1", "a_code_is_sent_and_checked"), None);
    for (file, name, why) in [
        ("tests/laws/nowhere", "x", "there is no"),
        (here, "every_statement", "has no every_statement"),
        (here, "missing", "is no test"),
        ("tests/support/world", "new", "has no new"),
        ("tests/scenarios/policy", "app", "is in no list"),
    ] {
        assert!(missing(file, name).unwrap().contains(why), "{file}::{name}");
    }
    assert_eq!(rows("| 3 | a | b | c |\n| x | y | z | u |\n").len(), 1);
    assert_eq!(tests_of("`src/a.rs::b`, `c`, `d.rs::e`"), [("src/a", "b"), ("d", "e")]);
}

#[test]
fn each_of_the_attacks_has_its_test() {
    let mut found = BTreeSet::new();
    for folder in ["tests/laws", "tests/laws/attacks"] {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        // This file names attacks, and has none.
        for path in
            files.filter(|path| path.extension().is_some_and(|end| end == "rs") && !path.ends_with("standards.rs"))
        {
            let source = fs::read_to_string(&path).unwrap();
            for name in source.split("fn attack_").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name)
            {
                let stem = Path::new(folder).join(path.file_stem().unwrap());
                assert_eq!(missing(stem.to_str().unwrap(), &format!("attack_{name}")), None);
                found.insert(name[..2].parse::<u32>().unwrap());
            }
        }
    }
    assert_eq!(found, (1..=18).collect());
}

#[tokio::test]
async fn statement_02_no_password_runs_out() {
    let world = World::null();
    let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let body = json!({"type": "password", "password": "lilac-otter-walks-at-dawn"});
    world.post(&format!("/v1/users/{user}/factors"), &body).await.expect(201);
    world.here().clock.advance(Duration::from_hours(24 * 365 * 20));
    let verified = json!({"password": "lilac-otter-walks-at-dawn"});
    let told = world.post(&format!("/v1/users/{user}/verify-password"), &verified).await.expect(200);
    assert_eq!(told["status"], "verified");
}

#[tokio::test]
async fn statement_08_a_new_instance_has_no_account_no_app_and_no_key() {
    let world = World::twilio();
    for list in ["/v1/users", "/v1/apps"] {
        assert_eq!(world.get(list).await.expect(200)["data"], json!([]), "{list}");
    }
    // The one key is the deployment's own, which the configuration has to bring.
    let keys = world.get("/v1/api-keys").await.expect(200)["data"].clone();
    let keys: Vec<&Value> = keys.as_array().unwrap().iter().filter(|key| key["id"] != "key_binding").collect();
    assert!(keys.is_empty(), "{keys:?}");
    let fresh = World::null();
    for table in ["users", "factors", "apps", "api_keys", "devices", "sessions", "signing_keys", "app_secrets"] {
        assert_eq!(fresh.here().database.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn statement_14_codes_have_six_digits_and_do_not_repeat() {
    let world = World::null();
    let mut codes = BTreeSet::new();
    for _ in 0..50 {
        let number = world.number();
        world.challenge(&number).await;
        let code = world.code(&number).await;
        assert_eq!((code.len(), code.chars().all(|digit| digit.is_ascii_digit())), (6, true));
        codes.insert(code);
    }
    assert!(codes.len() >= 49, "{}", codes.len());
}

#[tokio::test]
async fn statement_15_no_setting_lets_a_code_live_longer_than_ten_minutes() {
    let world = World::null();
    let refused = world.patch("/v1/instance", &json!({"codes": {"lifetime_seconds": 601}})).await;
    assert_eq!(refused.fields(), [("codes.lifetime_seconds", "form_param_value_invalid")]);
    world.patch("/v1/instance", &json!({"codes": {"lifetime_seconds": 600}})).await.expect(200);
    for to in [json!({"phone": world.number()}), json!({"email": world.address()})] {
        let challenge = world.post("/v1/challenges", &json!({"to": to})).await.expect(201);
        let destination = to.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        let code = world.code(&destination).await;
        world.here().clock.advance(Duration::from_mins(10));
        world.answer(&challenge, &code).await.expect_problem(422, "verification_expired");
    }
}

/// Every name of a field, with those inside.
fn names(fields: &[Field], into: &mut BTreeSet<&'static str>) {
    for field in fields {
        into.insert(field.name);
        if let postern::schema::Shape::Object(inner) = field.shape {
            names(inner, into);
        }
    }
}

#[test]
fn statement_31_no_call_brings_a_time_of_its_own() {
    // What a call may say of time is when something ends, or from when on to list: none is the time of a proof.
    let said =
        ["expires_at", "test_mode_expires_at", "exempt_until", "from", "to", "activated_at", "email_verified_at"];
    let mut all = BTreeSet::new();
    for operation in operations() {
        names(operation.query, &mut all);
        names(operation.body.unwrap_or_default(), &mut all);
    }
    assert!(all.len() > 50, "{}", all.len());
    let times: Vec<&&str> = all
        .iter()
        .filter(|name| {
            name.contains("time") || name.ends_with("_at") || name.contains("timestamp") || name.contains("now")
        })
        .filter(|name| !said.contains(*name))
        .collect();
    assert_eq!(times, ["lifetime_seconds"].iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn statement_47_amr_has_registered_values_and_two_of_ours() {
    // RFC 8176 §2, as far as they can be meant here; and the two words that it has no value for.
    let known = ["pwd", "otp", "sms", "tel", "hwk", "swk", "user", "mfa", "email", "recovery"];
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let proof = world.proof(&user, &number).await;
    let met = world.evaluate(&user, &json!({"proofs": [proof]})).await.expect(200);
    assert_eq!(met["assurance"]["amr"], json!(["pwd", "sms", "mfa"]));
    // The page of the policy is generated from cases that are tests: each of its values is one of these.
    let page = fs::read_to_string("docs/policy.md").unwrap();
    let mut seen = BTreeSet::new();
    for answer in page.split("satisfied: ").skip(1).filter_map(|rest| rest.split_once(" – ")).map(|(answer, _)| answer)
    {
        let amr = answer.split(", ").nth(1).unwrap_or_default();
        seen.extend(amr.split(' ').filter(|value| !value.is_empty()).map(str::to_owned));
    }
    assert!(seen.len() >= 8, "{seen:?}");
    assert!(seen.iter().all(|value| known.contains(&value.as_str())), "{seen:?}");
}

#[tokio::test]
async fn statement_40_a_redirect_uri_is_the_registered_one_to_the_character() {
    let world = World::null();
    let form = Form::new(&world, json!({})).await;
    let begin = |uri: &str| form.beginning(&world, SIGN_IN, &json!({"redirect_uri": uri})).0.send();
    let registered = "https://app.example.com/callback";
    assert_eq!(begin(registered).await.expect(201)["redirect_uri"], registered);
    for near in [
        "https://app.example.com/callback/",
        "https://app.example.com/Callback",
        "https://app.example.com/callback?x=1",
        "https://app.example.com:443/callback",
        "https://app.example.com/a/../callback",
        "https://APP.example.com/callback",
        "http://app.example.com/callback",
        "https://app.example.com/callbac",
    ] {
        let refused = begin(near).await;
        assert_eq!((refused.status, refused.fields()[0].0), (422, "redirect_uri"), "{near}");
    }
}

#[tokio::test]
async fn statement_42_no_flow_begins_without_s256() {
    let world = World::null();
    let form = Form::new(&world, json!({})).await;
    let verifier = "a".repeat(43);
    for flows in [SIGN_IN, SIGN_UP, RESET] {
        let begin = |change: Value| form.beginning(&world, flows, &change).0.send();
        begin(json!({"code_challenge": challenge_of(&verifier)})).await.expect(201);
        for wrong in [
            json!({"code_challenge_method": "plain"}),
            json!({"code_challenge_method": null}),
            json!({"code_challenge": null}),
            json!({"code_challenge": ""}),
            // As long as a verifier may be, and no digest.
            json!({"code_challenge": "a".repeat(64)}),
            json!({"code_challenge": format!("{}=", "a".repeat(42))}),
        ] {
            let refused = begin(wrong.clone()).await;
            assert_eq!(refused.status, 422, "{flows} {wrong}: {}", refused.text);
            assert!(refused.fields()[0].0.starts_with("code_challenge"), "{flows} {wrong}");
        }
    }
}
