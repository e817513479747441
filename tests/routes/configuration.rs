//! Configuration: every variable in every form that a binding delivers, and every wrong one refused by name
//! without telling a secret; what each stops and what goes on; which driver carries SMS.

use postern::{
    config::{Config, Kind, SmsDriver, Stops, VARIABLES},
    settings::Delivery,
};
use serde_json::{Value, json};

use super::variables::{LONG, bad, good};
use crate::support::{Vars, World, vars};

pub fn with(base: &Vars, name: &str, value: Value) -> Vars {
    let mut all = base.clone();
    all.insert(name.to_owned(), value);
    all
}

/// What is told of one variable.
pub fn told(vars: &Vars, name: &str) -> Option<String> {
    Config::read(vars).issues().iter().find(|issue| issue.variable == name).map(|issue| issue.detail.clone())
}

#[test]
fn every_variable_is_taken_in_every_form_that_bindings_deliver() {
    for variable in VARIABLES {
        for name in [Some(variable.name), variable.alias].into_iter().flatten() {
            for value in good(variable.kind) {
                let bindings = with(&vars::null(), name, value.clone());
                assert_eq!(told(&bindings, variable.name), None, "{name}={value}");
                assert!(Config::read(&bindings).is_set(variable.name), "{name}={value}");
            }
        }
    }
}

#[test]
fn every_wrong_value_is_refused_by_name_and_no_secret_is_told() {
    for variable in VARIABLES {
        for value in bad(variable.kind) {
            let config = Config::read(&with(&vars::null(), variable.name, value.clone()));
            let issue = config.issues().iter().find(|issue| issue.variable == variable.name);
            let issue = issue.unwrap_or_else(|| panic!("{}={value} is taken", variable.name));
            assert_eq!(issue.stops, variable.stops, "{}", variable.name);
            let detail = &issue.detail;
            assert!(detail.starts_with(variable.name) && detail.contains("wanted is "), "{detail}");
            assert!(detail.len() < 400, "{detail}");
            // It says what it got, by form: what is not as plain as a number or a flag may be a secret gone astray.
            assert!(detail.starts_with(&format!("{} is ", variable.name)), "{detail}");
            let shown = value.to_string();
            let plain = matches!(variable.kind, Kind::Flag | Kind::Integer(..) | Kind::CallingCode);
            if plain && !value.is_array() && !value.is_object() && shown.len() <= 6 {
                assert!(detail.contains(&shown), "{} does not say what it got: {detail}", variable.name);
            }
            assert!(
                !detail.contains("hunter2") || matches!(value, Value::Array(_)),
                "{}={value}: {detail}",
                variable.name
            );
            assert!(!detail.contains(LONG), "{detail}");
            assert!(!config.is_set(variable.name));
        }
    }
}

#[test]
fn an_empty_value_is_none() {
    for variable in VARIABLES {
        for empty in [json!(""), json!("  "), Value::Null] {
            let mut without = vars::null();
            without.remove(variable.name);
            let (empty, without) = (with(&without, variable.name, empty), without);
            assert_eq!(Config::read(&empty).issues(), Config::read(&without).issues(), "{}", variable.name);
            assert!(!Config::read(&empty).is_set(variable.name));
        }
    }
}

#[test]
fn what_is_required_is_named_and_no_secret_has_a_default() {
    let required: Vec<&str> =
        VARIABLES.iter().filter(|variable| variable.required).map(|variable| variable.name).collect();
    assert_eq!(required, ["ENVIRONMENT", "SERVER_API_KEY", "ENCRYPTION_KEYS", "CODE_PEPPER"]);
    for base in [vars::null(), vars::prod_twilio("http://127.0.0.1:9")] {
        for name in &required {
            let mut bindings = base.clone();
            bindings.remove(*name);
            let config = Config::read(&bindings);
            let issue = config.secrets().err().expect(name);
            assert!(issue.detail.starts_with(&format!("{name} is missing")), "{}", issue.detail);
        }
    }
    for variable in VARIABLES.iter().filter(|variable| variable.secret) {
        assert!(variable.default.is_none() && variable.example.is_empty(), "{}", variable.name);
    }
}

#[test]
fn defaults_and_examples_are_values() {
    for variable in VARIABLES {
        for text in [variable.default.unwrap_or_default(), variable.example] {
            let bindings = with(&vars::null(), variable.name, json!(text));
            assert!(variable.required || told(&bindings, variable.name).is_none(), "{}={text}", variable.name);
        }
    }
}

#[test]
fn two_names_of_one_variable_may_not_differ() {
    for variable in VARIABLES {
        let Some(alias) = variable.alias else { continue };
        let values = good(variable.kind);
        let one = with(&vars::null(), variable.name, values[0].clone());
        assert_eq!(told(&with(&one, alias, values[0].clone()), variable.name), None);
        assert_eq!(told(&with(&one, alias, json!("")), variable.name), None);
        let other = values.get(1).cloned().unwrap_or_else(|| json!("ACffffffffffffffffffffffffffffffff"));
        let detail = told(&with(&one, alias, other), variable.name).expect(alias);
        assert!(detail.contains(variable.name) && detail.contains(alias), "{detail}");
        // A malformed alias is told under the variable's name.
        assert!(told(&with(&vars::null(), alias, json!([1])), variable.name).is_some());
    }
    assert!(VARIABLES.iter().filter(|variable| variable.alias.is_some()).count() >= 2);
}

/// A wrong value of a variable stops what depends on it, and nothing else.
#[tokio::test]
async fn a_wrong_variable_stops_what_depends_on_it_and_nothing_else() {
    let base = vars::dev_twilio("http://127.0.0.1:9");
    for variable in VARIABLES {
        let world = World::native(&base);
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let inbox = world.get("/dev/inbox.json").await.expect(200);
        let code = inbox[0]["code"].as_str().unwrap().to_owned();

        let broken = World::on(&world.here().redeploy(&with(&base, variable.name, bad(variable.kind)[0].clone())));
        let names_it = |problem: &Value| problem["detail"].as_str().unwrap().contains(variable.name);
        let refused = |answer: crate::support::Response| names_it(&answer.expect_problem(503, "configuration_invalid"));
        let health = broken.get("/health").await.expect(503);
        assert!(names_it(&health["checks"]["configuration"]), "{}", variable.name);
        let users = broken.get("/v1/users").await;
        let sent = broken.post("/v1/challenges", &json!({"to": {"phone": broken.number()}})).await;
        let answered = broken.answer(&challenge, &code).await;
        match variable.stops {
            Stops::Everything => assert!(refused(users) && refused(sent) && refused(answered), "{}", variable.name),
            Stops::Challenges => {
                users.expect(200);
                assert!(refused(sent) && refused(answered), "{}", variable.name);
            }
            Stops::Sending => {
                users.expect(200);
                answered.expect(200);
                assert!(refused(sent), "{}", variable.name);
            }
            Stops::RecoveryCodes => {
                users.expect(200);
                answered.expect(200);
                sent.expect(201);
                let user = broken.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
                assert!(refused(broken.post(&format!("/v1/users/{user}/recovery-codes"), &json!({})).await));
                let setting = json!({"multi_factor": {"recovery_codes": {"enabled": true}}});
                broken.patch("/v1/instance", &setting).await.expect(200);
                broken.post(&format!("/v1/users/{user}/recovery-codes"), &json!({})).await.expect(201);
            }
            Stops::Calls => {
                users.expect(200);
                answered.expect(200);
                sent.expect(201);
                let call = json!({"to": {"phone": broken.number()}, "channel": "voice"});
                assert!(refused(broken.post("/v1/challenges", &call).await), "{}", variable.name);
            }
            Stops::SignIn | Stops::BotCheck => {
                users.expect(200);
                answered.expect(200);
                sent.expect(201);
                let begin = json!({"client_id": "app_01M83WM7ZA000G40R40M30E209", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"});
                assert!(refused(broken.post("/v1/client/sign-ins", &begin).await), "{}", variable.name);
            }
            Stops::Policy => {
                users.expect(200);
                answered.expect(200);
                sent.expect(201);
                let user = broken.post("/v1/users", &json!({})).await.expect(201);
                let path = format!("/v1/users/{}/mfa-evaluation", user["id"].as_str().unwrap());
                assert!(refused(broken.post(&path, &json!({})).await), "{}", variable.name);
            }
            // None of them stops SMS.
            Stops::Email | Stops::BreachCheck | Stops::Storing | Stops::Nothing => {
                users.expect(200);
                answered.expect(200);
                sent.expect(201);
            }
        }
        broken.get("/v1/environment").await.expect(200);
        // The issuer is one variable, and stops more than it says of itself.
        let metadata = broken.get("/.well-known/openid-configuration").await;
        let stops_tokens = variable.name == "PUBLIC_URL";
        assert_eq!(metadata.status, if stops_tokens { 503 } else { 200 }, "{}", variable.name);
        assert!(!stops_tokens || refused(metadata));
    }
}

#[test]
fn the_environment_is_prod_or_development() {
    for (value, production) in [("prod", true), (" prod ", true), ("dev", false), ("staging", false)] {
        let config = Config::read(&with(&vars::null(), "ENVIRONMENT", json!(value)));
        assert_eq!(config.is_production(), production, "{value}");
        assert_eq!(config.dev_tools, !production, "{value}");
    }
    for (value, on) in [
        (json!("on"), true),
        (json!(true), true),
        (json!("off"), false),
        (json!(false), false),
        (json!(""), false),
        (json!("1"), false),
    ] {
        assert_eq!(Config::read(&with(&vars::null(), "DEV_TOOLS", value.clone())).dev_tools, on, "{value}");
    }
}

/// The block of seed 001, as it stands there.
const MFA: &str = "\
# Enforce a specific MFA factor at sign-in
OTP_MFA_IS_REQUIRED=false
EMAIL_MFA_IS_REQUIRED=false # requires email provider configured
SMS_MFA_IS_REQUIRED=false   # requires SMS provider configured

# Enforce enrollment in at least one allowed MFA factor when all *_IS_REQUIRED=false
ENFORCE_ONE_MFA_ENROLLMENT=['otp', 'email'] # options: 'email', 'otp', 'sms'

# Allow Email MFA as backup when the primary factor is unavailable
ALLOW_EMAIL_MFA_AS_BACKUP=true

# Related features
ALLOW_PASSKEY_ENROLLMENT=false   # enable passkey enrollment flows
ENABLE_RECOVERY_CODE=false       # enable recovery codes
ENABLE_MFA_REMEMBER_DEVICE=false # allow users to remember device for 30 days
";

/// The table of seed 000 with values like its examples.
const SMS: &str = "\
ENVIRONMENT=\"dev\"
DEV_SMS_RECEIVER=\"+16471231234\"
TWILIO_ACCOUNT_ID=\"AC0123456789abcdef0123456789abcdef\"
TWILIO_AUTH_TOKEN=\"twilio-auth-token-0123456789\"
TWILIO_SENDER_NUMBER=\"+15005550006\"
";

fn lines(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines()
        .map(|line| line.split(" #").next().unwrap().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value))
}

/// What `wrangler.toml` makes of a value.
fn as_toml(value: &str) -> Value {
    match value {
        "true" => json!(true),
        "false" => json!(false),
        value if value.starts_with('[') => serde_json::from_str(&value.replace('\'', "\"")).unwrap(),
        value => json!(value.trim_matches('"')),
    }
}

/// What `.dev.vars` makes of it: text.
fn as_dotenv(value: &str) -> Value {
    json!(value.trim_matches('"'))
}

#[tokio::test]
async fn the_lines_of_the_seeds_work_as_they_stand_in_both_places() {
    assert_eq!(lines(MFA).count(), 8);
    for read in [as_toml, as_dotenv] {
        let mut bindings = vars::null();
        bindings.extend(lines(&format!("{MFA}{SMS}")).map(|(name, value)| (name, read(value))));
        let config = Config::read(&bindings);
        assert_eq!(config.issues(), []);
        for (name, _) in lines(&format!("{MFA}{SMS}")) {
            assert!(config.is_set(&name), "{name}");
        }
        assert_eq!(config.dev_sms_receiver.as_deref(), Some("+16471231234"));
        let delivery = Delivery::effective(&json!({}), &config);
        assert!(matches!(delivery.sms_driver(), Some(SmsDriver::Twilio(_))));
        assert!(!config.is_production());
        // Outside prod everything goes to the receiver; in prod to the person.
        bindings.insert("TWILIO_API_BASE".to_owned(), json!("http://127.0.0.1:9/twilio"));
        let world = World::native(&bindings);
        let number = world.number();
        world.challenge(&number).await;
        assert_eq!((world.carriers.sent_to("+16471231234").len(), world.carriers.sent_to(&number).len()), (1, 0));
        bindings.insert("ENVIRONMENT".to_owned(), json!("prod"));
        let world = World::native(&bindings);
        world.challenge(&number).await;
        assert_eq!((world.carriers.sent_to("+16471231234").len(), world.carriers.sent_to(&number).len()), (0, 1));
    }
}

#[test]
fn what_is_generated_from_the_tables_is_current() {
    for (path, wanted) in postern::documents::documents() {
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let line = kept.lines().zip(wanted.lines()).position(|(kept, wanted)| kept != wanted);
        assert!(kept == wanted, "{path} is stale (line {line:?}): run `make generate` and commit it");
    }
}

#[test]
fn the_documents_have_every_variable() {
    let of_variables = |path: &str| path != "docs/policy.md" && path != "docs/flows.md";
    for (path, text) in postern::documents::documents().into_iter().filter(|(path, _)| of_variables(path)) {
        for variable in VARIABLES {
            assert!(text.contains(variable.name), "{path} lacks {}", variable.name);
            assert!(!variable.meaning.is_empty());
        }
    }
}
