//! The same scenarios as in `tests/native.rs`, in workerd, on what scripts/build.sh built; and what only a real
//! deployment has: bindings as TOML and `.dev.vars` bring them, migrations, the cron, real time limits.
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

use std::{any::Any, pin::Pin, sync::Arc};

use serde_json::json;
use support::{
    Carriers, Vars, World, vars,
    wrangler::{Server, Setup},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// How many scenarios run at once on one server.
const AT_ONCE: usize = 4;

struct Scenario {
    setup: &'static str,
    name: &'static str,
    run: fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

macro_rules! list {
    ($($setup:ident $module:ident::$name:ident;)*) => {
        &[$(Scenario {
            setup: stringify!($setup),
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |world| Box::pin(scenarios::$module::$name(world)),
        }),*]
    };
}

const SCENARIOS: &[Scenario] = for_each_scenario!(list);

fn of_setup(setup: &str) -> Vec<&'static Scenario> {
    let found: Vec<_> = SCENARIOS.iter().filter(|scenario| scenario.setup == setup).collect();
    assert!(!found.is_empty(), "no scenario has the setup {setup}");
    found
}

/// Runs scenarios on one server, some at once, and gives each that failed.
async fn run(setup: &str, scenarios: Vec<&'static Scenario>, vars: fn(&str) -> Vars) -> Vec<String> {
    let carriers = Arc::new(Carriers::default());
    let server = Server::start(setup, &vars(&carriers.serve().await)).await;
    // Scenarios of strangers share the server: together they send more to a country than anybody who has verified so little.
    let recording = json!({"fraud": {"mode": "record_only"}});
    World::remote(&server.base, Arc::clone(&carriers)).patch("/v1/instance", &recording).await.expect(200);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for scenario in scenarios {
        let world = World::remote(&server.base, Arc::clone(&carriers));
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            (scenario.name, tokio::spawn((scenario.run)(world)).await)
        });
    }
    let ended = running.join_all().await.into_iter();
    ended.filter_map(|(name, ended)| Some(format!("{name}: {}", message(&*ended.err()?.into_panic())))).collect()
}

/// Runs a setup's scenarios on one server and fails with the names of those that failed.
async fn pass(setup: &str, vars: fn(&str) -> Vars) {
    let failed = run(setup, of_setup(setup), vars).await;
    assert!(failed.is_empty(), "on {setup} in workerd failed:\n{}", failed.join("\n\n"));
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a text".to_owned())
}

#[tokio::test]
async fn scenarios_with_the_null_driver() {
    pass("null", |_| vars::null()).await;
}

/// These change what the others work under, so each has a server of its own.
#[tokio::test]
async fn scenarios_that_change_the_instance() {
    let mut failed = Vec::new();
    for scenario in of_setup("alone") {
        failed.extend(run("alone", vec![scenario], |_| vars::null()).await);
    }
    assert!(failed.is_empty(), "alone in workerd failed:\n{}", failed.join("\n\n"));
}

#[tokio::test]
async fn scenarios_with_twilio() {
    pass("twilio", vars::prod_twilio).await;
}

#[tokio::test]
async fn scenarios_with_vonage() {
    pass("vonage", vars::prod_vonage).await;
}

#[tokio::test]
async fn scenarios_with_an_endpoint_of_ones_own() {
    pass("hook", vars::prod_hook).await;
}

#[tokio::test]
async fn scenarios_with_twilio_verify() {
    pass("verify", vars::prod_verify).await;
}

/// Its scenario changes who is asked.
#[tokio::test]
async fn scenarios_with_two_carriers() {
    pass("both", vars::prod_both).await;
}

/// Its scenario brings the carriers.
#[tokio::test]
async fn scenarios_with_carriers_in_settings() {
    pass("bare", vars::prod_bare).await;
}

#[tokio::test]
async fn scenarios_with_a_mail_provider() {
    pass("mail", vars::prod_mail).await;
}

#[tokio::test]
async fn scenarios_with_a_mail_webhook_outside_prod() {
    pass("dev_mail", vars::dev_mail).await;
}

#[tokio::test]
async fn scenarios_with_twilio_outside_prod() {
    pass("dev_twilio", vars::dev_twilio).await;
}

/// A server without carriers.
async fn server(name: &str, setup: impl Into<Setup>) -> (Server, World) {
    let server = Server::start(name, setup).await;
    let world = World::remote(&server.base, Arc::new(Carriers::default()));
    (server, world)
}

/// As Melody Auth's documentation has it, for wrangler.toml.
const MELODY_MFA: &str = "
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

/// Its variables for SMS, with the example values that it gives.
const MELODY_SMS: &str = r#"
ENVIRONMENT="dev"
DEV_SMS_RECEIVER="+16471231234"
TWILIO_ACCOUNT_ID="AC0123456789abcdef0123456789abcdef"
TWILIO_AUTH_TOKEN="twilio-auth-token-0123456789"
TWILIO_SENDER_NUMBER="+15005550006"
"#;

/// The server's secrets and development tools alone.
fn secrets() -> Vars {
    let mut vars = vars::null();
    vars.remove("ENVIRONMENT");
    vars.remove("ENABLE_RECOVERY_CODE");
    vars
}

#[tokio::test]
async fn lines_of_melody_auth_work_in_wrangler_toml() {
    let vars_toml = format!("{MELODY_MFA}{MELODY_SMS}MFA_CODE_VERIFY_THRESHOLD=7\nAPP_NAME='Caffè'\n");
    let (_server, world) = server("toml", Setup { vars_toml, ..Setup::from(&secrets()) }).await;
    healthy_with_twilio(&world).await;
    let limits = world.get("/v1/instance").await.expect(200)["settings"]["limits"].clone();
    assert_eq!(limits["second_factor_failures"], 7);
    assert_eq!(world.get("/v1/environment").await.expect(200)["app_name"], "Caffè");
}

#[tokio::test]
async fn lines_of_melody_auth_work_in_dev_vars() {
    let mut setup = Setup::from(&secrets());
    setup.dev_vars = format!("{}{MELODY_MFA}{MELODY_SMS}MFA_CODE_VERIFY_THRESHOLD=7\n", setup.dev_vars);
    let (_server, world) = server("dev-vars", setup).await;
    healthy_with_twilio(&world).await;
    let limits = world.get("/v1/instance").await.expect(200)["settings"]["limits"].clone();
    assert_eq!(limits["second_factor_failures"], 7);
}

async fn healthy_with_twilio(world: &World) {
    let health = world.get("/health").await.expect(200);
    assert_eq!(health["checks"]["configuration"], json!({"status": "ok", "detail": null}));
    let environment = world.get("/v1/environment").await.expect(200);
    assert_eq!(environment["sms"], json!({"driver": "twilio", "from_number": vars::SENDER}));
    assert_eq!(environment["environment"], "development");
}

#[tokio::test]
async fn a_malformed_variable_stops_what_depends_on_it_by_name() {
    let vars_toml = "MFA_CODE_VERIFY_THRESHOLD=\"many\"\nENFORCE_ONE_MFA_ENROLLMENT=['otp', 'fax']\n".to_owned();
    let (_server, world) = server("malformed", Setup { vars_toml, ..Setup::from(&vars::null()) }).await;
    let health = world.get("/health").await.expect(503);
    let detail = health["checks"]["configuration"]["detail"].as_str().unwrap();
    for part in ["MFA_CODE_VERIFY_THRESHOLD is \"many\"", "ENFORCE_ONE_MFA_ENROLLMENT is [\"otp\",\"fax\"]"] {
        assert!(detail.contains(part), "{detail}");
    }
    assert_eq!(health["checks"]["database"]["status"], "ok");
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    let problem = problem.expect_problem(503, "configuration_invalid");
    assert!(problem["detail"].as_str().unwrap().contains("MFA_CODE_VERIFY_THRESHOLD"));
    // Nothing else stops.
    world.post("/v1/users", &json!({})).await.expect(201);
}

#[tokio::test]
async fn without_an_environment_nothing_works_and_health_says_why() {
    // The project's [vars] are left out of the test's configuration, and `.dev.vars` has no ENVIRONMENT either.
    let (_server, world) = server("environment", &secrets()).await;
    let health = world.get("/health").await.expect(503);
    let detail = health["checks"]["configuration"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("ENVIRONMENT is missing"), "{detail}");
    let problem = world.post("/v1/users", &json!({})).await.expect_problem(503, "configuration_invalid");
    assert!(problem["detail"].as_str().unwrap().starts_with("ENVIRONMENT is missing"));
}

#[tokio::test]
async fn an_unmigrated_database_is_told_with_the_command() {
    let setup = Setup { unmigrated: true, ..Setup::from(&vars::null()) };
    let (_server, world) = server("unmigrated", setup).await;
    let command = "npx wrangler d1 migrations apply DB --local";
    let health = world.get("/health").await.expect(503);
    assert!(health["checks"]["database"]["detail"].as_str().unwrap().contains(command), "{health}");
    assert_eq!(health["checks"]["configuration"]["status"], "ok");
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": world.number()}})).await;
    let problem = problem.expect_problem(503, "database_unmigrated");
    assert!(problem["detail"].as_str().unwrap().contains(command), "{problem}");
}

/// One row of each kind that is long over, and one of each that is not. Ids of 0 are of 1970.
const OLD_AND_NEW: &str = "
INSERT INTO challenges (id, type, purpose, channel, destination, country, subject, is_test, digits, seed, pepper_id,
    generation, code_expires_at, expires_at, sends, wrong_answers_max, created_at, stamp)
  SELECT column1, 'phone', 'verification', 'sms', '+14155550000', 'US', 'destination:x', 0, 6, 's', 'p1', 1, 1, 1, 1, 5, 1, 's'
  FROM (VALUES ('chl_00000000000000000000000001'), ('chl_7ZZZZZZZZZZZZZZZZZZZZZZZZZ'));
INSERT INTO messages (id, channel, template, locale, country, cost_class, encoding, segments, status, driver,
    created_at, updated_at)
  SELECT column1, 'sms', 'verification_code', 'en', 'US', 'domestic', 'gsm7', 1, 'sent', 'null', 1, 1
  FROM (VALUES ('msg_00000000000000000000000001'), ('msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ'));
INSERT INTO audit_events (id, type, actor, outcome, request_id, data, created_at)
  SELECT column1, 'user.created', 'key_binding', 'success', 'req_x', '{}', 1
  FROM (VALUES ('evt_00000000000000000000000001'), ('evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ'));
INSERT INTO counters VALUES ('old', 1, 1), ('new', 1, 9000000000000), ('for good', 1, NULL);
INSERT INTO idempotency_keys VALUES ('old', 'f', 'r', 'done', 's', 1), ('new', 'f', 'r', 'done', 's', 9000000000000);
INSERT INTO users (id, metadata, created_at, updated_at, stamp) VALUES ('usr_00000000000000000000000001', '{}', 1, 1, 's');
INSERT INTO factors (id, user_id, type, phone, authority, created_at, activated_at, stamp) VALUES
  ('fac_00000000000000000000000001', 'usr_00000000000000000000000001', 'phone', '+14155550000', 'none', 1, NULL, 's'),
  ('fac_00000000000000000000000002', 'usr_00000000000000000000000001', 'phone', '+14155550000', 'none', 1, 1, 's');
";

/// Runs the cron's minute, so many after one of housekeeping's.
async fn minute(server: &Server, number: i64) {
    let time = 1_795_310_700_000 + number * 60_000;
    let cron = reqwest::Client::builder().no_proxy().build().unwrap();
    let fired =
        cron.get(format!("{}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*&time={time}", server.base)).send().await.unwrap();
    assert_eq!((fired.status().as_u16(), fired.text().await.unwrap().as_str()), (200, "ok"));
}

#[tokio::test]
async fn the_cron_deletes_what_is_over_and_nothing_else() {
    let setup = Setup { sql: OLD_AND_NEW.to_owned(), ..Setup::from(&vars::null()) };
    let (mut server, world) = server("cron", setup).await;
    world.get("/health").await.expect(200);
    minute(&server, 0).await;
    server.says("housekeeping: 6 rows").await;
    let database = server.end();
    let left = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(left("SELECT group_concat(id) FROM challenges"), "chl_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    assert_eq!(left("SELECT group_concat(id) FROM messages"), "msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    assert_eq!(left("SELECT group_concat(id) FROM audit_events"), "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    assert_eq!(left("SELECT group_concat(key) FROM (SELECT key FROM counters ORDER BY key)"), "for good,new");
    assert_eq!(left("SELECT group_concat(key) FROM idempotency_keys"), "new");
    assert_eq!(left("SELECT group_concat(id) FROM factors"), "fac_00000000000000000000000002");
}

/// A good week of codes, and an hour in which none came back.
const DROP_OF_CONVERSION: &str = "
INSERT INTO message_hours (hour, channel, country, driver, template, app_id, sent, codes, verified)
  SELECT CAST(strftime('%s', 'now') AS INTEGER) / 3600 - column1, 'sms', 'GB', 'twilio', 'verification_code', '', column2,
    column2, column3
  FROM (VALUES (24, 1000, 850), (0, 100, 0));
";

#[tokio::test]
async fn the_cron_tells_of_an_alert_once() {
    let setup = Setup { sql: DROP_OF_CONVERSION.to_owned(), ..Setup::from(&vars::null()) };
    let (server, world) = server("alerts", setup).await;
    world.patch("/v1/instance", &json!({"alerts": {"emails": ["ops@example.com"]}})).await.expect(200);
    minute(&server, 3).await;
    minute(&server, 3).await;
    let events = world.get("/v1/audit-events?type=alert.firing").await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "{events}");
    let data = &events["data"][0]["data"];
    assert_eq!((&data["condition"], &data["subject"]), (&json!("conversion_drop"), &json!("sms:GB")));
    assert_eq!((&data["observed"], &data["threshold"]), (&json!(0), &json!(51)));
    let messages = world.get("/v1/messages").await.expect(200);
    assert_eq!(messages["data"].as_array().unwrap().len(), 1, "{messages}");
    assert_eq!(
        (&messages["data"][0]["template"], &messages["data"][0]["status"]),
        (&json!("alert"), &json!("dropped"))
    );
}

/// The line that `make dev` prints, as a shell reads it beside a `.dev.vars` with more than secrets in it.
#[tokio::test]
async fn the_line_that_make_dev_prints_sends_a_code() {
    let mut setup = Setup::from(&vars::null());
    setup.dev_vars.push_str(MELODY_MFA);
    let (server, world) = server("curl", setup).await;
    let port = server.base.rsplit(':').next().unwrap();
    let script = include_str!("../scripts/dev.sh");
    let (_, printed) = script.split_once("cat <<TEXT\n").unwrap();
    let (printed, _) = printed.split_once("\nTEXT\n").unwrap();
    // First what the script prints; then what a shell hands to curl, for which this function stands.
    let print = format!("PORT={port}\ncat <<TEXT\n{printed}\nTEXT\n");
    let text = shell(&server, &print);
    let (_, line) = text.split_once("Try     ").unwrap();
    let arguments = shell(&server, &format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{line}"));
    let mut arguments = arguments.lines();
    let (mut url, mut request) = ("", world.request("POST", "/v1/challenges").without("authorization"));
    while let Some(argument) = arguments.next() {
        request = match argument {
            "-s" => request,
            "-H" => {
                let (name, value) = arguments.next().unwrap().split_once(": ").unwrap();
                request.header(&name.to_lowercase(), value)
            }
            "-d" => request.raw("application/json", arguments.next().unwrap().as_bytes().to_vec()),
            argument => {
                url = argument;
                request
            }
        };
    }
    assert_eq!(url, format!("http://localhost:{port}/v1/challenges"));
    let challenge = request.send().await.expect(201);
    let inbox = world.get("/dev/inbox.json").await.expect(200);
    world.answer(&challenge, inbox[0]["code"].as_str().unwrap()).await.expect(200);
}

fn shell(server: &Server, script: &str) -> String {
    let output = std::process::Command::new("sh").args(["-c", script]).current_dir(&server.folder).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
