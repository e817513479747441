//! The budgets, measured on what scripts/build.sh built, in workerd. Sizes, round trips and memory are held;
//! times are told, since they say as much about the machine.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a report for people, by the real clock"
)]

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, ExitCode},
    sync::Arc,
    time::Instant,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use support::{
    Carriers, World,
    client::Target,
    vars,
    wrangler::{Server, Setup, artifact, check_startup},
};
use tokio::task::JoinSet;

/// Requests of a kind that a median is taken over.
const SAMPLE: usize = 300;

/// Postern in a frame that also has an empty handler, one with a round trip to D1, and one that tells how large
/// Wasm's memory is: so each is measured on the same server.
const FRAME: &str = r#"import "./instances.mjs";
import Postern from "ARTIFACT";
const told = (text) => new Response(text, { headers: { "x-request-id": "req_" } });
export default { async fetch(request, env, context) {
  switch (new URL(request.url).pathname) {
    case "/frame/empty": return told("");
    case "/frame/d1":
      await env.DB.batch([env.DB.prepare("SELECT version FROM instance")]);
      return told("");
    case "/frame/memory": return told(String(instances.at(-1).exports.memory.buffer.byteLength));
    default: return new Postern(context, env).fetch(request);
  }
} };
"#;
const INSTANCES: &str = "const { Instance } = WebAssembly;
globalThis.instances = [];
WebAssembly.Instance = function (...given) {
  const instance = new Instance(...given);
  instances.push(instance);
  return instance;
};
";

#[derive(Default)]
struct Report {
    lines: Vec<[String; 4]>,
    failed: bool,
}

impl Report {
    /// A number that has to be within its limit.
    fn held(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let good = measured <= limit;
        self.failed |= !good;
        self.line(what, measured, limit, unit, if good { "yes" } else { "NO" });
    }

    /// A time, which is told and not held.
    fn told(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        self.line(what, measured, limit, unit, if measured <= limit { "yes" } else { "over, not held" });
    }

    /// A number without a limit.
    fn noted(&mut self, what: &str, measured: f64, unit: &str) {
        self.lines.push([what.to_owned(), shown(measured, unit), String::new(), String::new()]);
    }

    fn line(&mut self, what: &str, measured: f64, limit: f64, unit: &str, judged: &str) {
        let at_most = format!("≤ {}", shown(limit, unit));
        self.lines.push([what.to_owned(), shown(measured, unit), at_most, judged.to_owned()]);
    }

    fn print(&self) {
        let rows = std::iter::once(["budget", "measured", "limit", "ok"].map(str::to_owned)).chain(self.lines.clone());
        for [what, measured, limit, ok] in rows {
            println!("{what:<58} {measured:>12} {limit:>12}  {ok}");
        }
    }
}

fn shown(number: f64, unit: &str) -> String {
    let digits = usize::from(number.fract() != 0.0);
    format!("{number:.digits$} {unit}").trim_end().to_owned()
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(measure());
    report.print();
    if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure() -> Report {
    let mut report = Report::default();
    size(&mut report);
    start(&mut report).await;
    let frame = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("frame");
    fs::create_dir_all(&frame).unwrap();
    fs::write(frame.join("instances.mjs"), INSTANCES).unwrap();
    let main = frame.join("main.mjs");
    fs::write(&main, FRAME.replace("ARTIFACT", artifact("index.js").to_str().unwrap())).unwrap();
    let server = Server::start("budgets", Setup { main: Some(main), ..Setup::from(&vars::null()) }).await;
    let world = World::remote(&server.base, Arc::new(Carriers::default()));
    cold(&mut report, &world).await;
    round_trips(&mut report, &world).await;
    requests(&mut report, &server, &world).await;
    memory(&mut report, &server, &world).await;
    report
}

fn size(report: &mut Report) {
    let zipped = |file: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&fs::read(artifact(file)).unwrap()).unwrap();
        encoder.finish().unwrap().len() as f64 / 1024.0
    };
    report.held("Wasm, gzip -9", zipped("index_bg.wasm"), 900.0, "KiB");
    report.noted("JavaScript beside it, gzip -9", zipped("index.js"), "KiB");
}

/// The profile has a sample every few milliseconds, so one run may see little: the longest of three is told.
async fn start(report: &mut Report) {
    let mut longest = 0.0_f64;
    for _ in 0..3 {
        let said = check_startup().await;
        let active = said.split_once("Active: ").and_then(|(_, rest)| rest.split_once(" ms")?.0.parse().ok());
        longest =
            longest.max(active.unwrap_or_else(|| panic!("wrangler check startup does not say how long:\n{said}")));
    }
    report.told("start-up, active time of wrangler check startup", longest, 50.0, "ms");
}

/// A request's median wall time, and its mean processor time in workerd, in milliseconds.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    processor: f64,
}

async fn cost<T, F: AsyncFnMut(&World, T)>(server: &Server, world: &World, inputs: Vec<T>, mut one: F) -> Cost {
    let (before, count) = (processor_of(server), inputs.len());
    let mut times = Vec::new();
    for input in inputs {
        let started = Instant::now();
        one(world, input).await;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Cost { wall: times[count / 2], processor: (processor_of(server) - before) / count as f64 }
}

/// The first request of an isolate: configuration, routes, the first phone number, the first round trips.
async fn cold(report: &mut Report, world: &World) {
    let started = Instant::now();
    world.challenge(&world.number()).await;
    report.noted("first challenge of an isolate, all in", started.elapsed().as_secs_f64() * 1000.0, "ms");
}

async fn round_trips(report: &mut Report, world: &World) {
    let number = world.number();
    let created = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
    report.held("round trips: create a challenge, null driver", f64::from(created.round_trips()), 1.0, "");
    let challenge = created.expect(201);
    let code = world.code(&number).await;
    let wrong = world.answer(&challenge, &world.wrong(&code)).await;
    report.held("round trips: a wrong answer", f64::from(wrong.round_trips()), 1.0, "");
    let right = world.answer(&challenge, &code).await;
    report.held("round trips: a right answer", f64::from(right.round_trips()), 1.0, "");
    let (user, ..) = world.user_with_phone().await;
    let created = world.post("/v1/challenges", &json!({"user_id": user})).await;
    report.held("round trips: create a challenge for a user", f64::from(created.round_trips()), 2.0, "");
}

async fn requests(report: &mut Report, server: &Server, world: &World) {
    let mut challenges = Vec::new();
    for _ in 0..SAMPLE {
        let number = world.number();
        let challenge = world.challenge(&number).await;
        let body = json!({"code": world.code(&number).await});
        challenges.push((format!("/v1/challenges/{}", challenge["id"].as_str().unwrap()), body));
    }
    let get = async |world: &World, (path, status): (String, u16)| drop(world.get(&path).await.expect(status));
    let answer = async |world: &World, (path, body): (String, Value)| {
        drop(world.post(&format!("{path}/answer"), &body).await.expect(200));
    };
    let create = async |world: &World, body: Value| drop(world.post("/v1/challenges", &body).await.expect(201));
    let same = |path: &str, status| vec![(path.to_owned(), status); SAMPLE];
    let reads = challenges.iter().map(|(path, _)| (path.clone(), 200)).collect();
    let bodies = (0..SAMPLE).map(|_| json!({"to": {"phone": world.number()}})).collect();

    let empty = cost(server, world, same("/frame/empty", 200), get).await;
    let d1 = cost(server, world, same("/frame/d1", 200), get).await;
    let measured = [
        ("no such path", empty, cost(server, world, same("/nothing", 404), get).await),
        ("GET challenge", d1, cost(server, world, reads, get).await),
        ("POST answer", d1, cost(server, world, challenges, answer).await),
        ("POST challenge", d1, cost(server, world, bodies, create).await),
    ];
    for (what, cost) in [("an empty handler", empty), ("one with a round trip to D1", d1)] {
        report.noted(&format!("{what}: wall, median"), cost.wall, "ms");
        report.noted(&format!("{what}: processor"), cost.processor, "ms");
    }
    for (what, platform, cost) in measured {
        report.noted(&format!("{what}: wall, median"), cost.wall, "ms");
        report.told(&format!("{what}: processor above the platform's"), cost.processor - platform.processor, 3.0, "ms");
    }
}

/// What the isolate holds: JavaScript's heap after a collection, and Wasm's memory. The process itself grows with
/// every request under `wrangler dev`, also with an empty handler, so its size says nothing of ours.
async fn memory(report: &mut Report, server: &Server, world: &World) {
    let mut held = [0.0; 2];
    for (held, count) in held.iter_mut().zip([1000, 10_000]) {
        mixed(world, count).await;
        let wasm: f64 = world.get("/frame/memory").await.text.parse().unwrap();
        *held = (wasm + server.heap("/frame/empty").await) / 1024.0 / 1024.0;
    }
    report.held("memory of the isolate after 1,000 mixed requests", held[0], 64.0, "MiB");
    report.held("its growth in the next 10,000", held[1] - held[0], 2.0, "MiB");
}

/// Requests of many kinds, eight at a time.
async fn mixed(world: &World, count: usize) {
    let mut running = JoinSet::new();
    for at in 0..count / 10 {
        if running.len() >= 8 {
            running.join_next().await.unwrap().unwrap();
        }
        let Target::There(base, client) = world.target.clone() else { panic!("budgets are measured in workerd") };
        running.spawn(ten(base, client, world.number(), at));
    }
    running.join_all().await;
}

/// Ten requests: people's, mistaken ones, and the documents'. Without the contract's checks, which cost more than
/// the requests.
async fn ten(base: String, client: reqwest::Client, number: String, at: usize) {
    let send = async |method: &str, path: &str, body: Vec<u8>, status: u16| {
        let request = client.request(method.parse().unwrap(), format!("{base}{path}")).bearer_auth(vars::KEY);
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null)
    };
    let json = |value: Value| value.to_string().into_bytes();
    let challenge = send("POST", "/v1/challenges", json(json!({"to": {"phone": number}})), 201).await;
    let path = format!("/v1/challenges/{}", challenge["id"].as_str().unwrap());
    let inbox = send("GET", &format!("/dev/inbox.json?to=%2B{}", &number[1..]), Vec::new(), 200).await;
    send("POST", &format!("{path}/answer"), json(json!({"code": "x"})), 422).await;
    send("POST", &format!("{path}/answer"), json(json!({"code": inbox[0]["code"]})), 200).await;
    send("GET", &path, Vec::new(), 200).await;
    let user = json!({"email": format!("u{}@example.com", &number[1..])});
    let user = send("POST", "/v1/users", json(user), 201).await;
    send("GET", &format!("/v1/users/{}", user["id"].as_str().unwrap()), Vec::new(), 200).await;
    send("POST", "/v1/challenges", vec![b'['; 1 + at % 5000], 400).await;
    send("GET", ["/health", "/openapi.json", "/v1/environment", "/v1/messages"][at % 4], Vec::new(), 200).await;
    send("GET", "/v1/nothing", Vec::new(), 404).await;
}

/// Processor time of the Worker's workerd so far, D1's included, which is in the same process, in milliseconds.
fn processor_of(server: &Server) -> f64 {
    let pid = server.workerd();
    // Linux tells hundredths of a second here; ps tells seconds there, and hundredths elsewhere.
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        let ticks = |at: usize| rest.split(' ').nth(at).unwrap().parse::<f64>().unwrap();
        return (ticks(11) + ticks(12)) * 10.0;
    }
    ps(server, "time").split(':').fold(0.0, |total, part| total * 60.0 + part.parse::<f64>().unwrap()) * 1000.0
}

fn ps(server: &Server, column: &str) -> String {
    let output =
        Command::new("ps").args(["-o", &format!("{column}="), "-p", &server.workerd().to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
