//! A server in workerd: `wrangler dev` on what scripts/build.sh built, with the project's own wrangler.toml, a
//! migrated D1 of its own, on a free loopback port. It ends with the value, by its own process id.

#![allow(clippy::disallowed_methods, reason = "a server in workerd runs by the real clock")]

use std::{
    fmt::Write as _,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::OnceCell;

use super::vars::Vars;

/// How long a server may take to start, on a machine that does other things too.
const START: Duration = Duration::from_secs(120);

/// How a server is set up.
#[derive(Clone, Default)]
pub struct Setup {
    /// The Worker's own code instead of Postern's, for comparisons.
    pub main: Option<PathBuf>,
    /// Bindings as `[vars]`, with TOML's types.
    pub vars: Vars,
    /// Lines of `[vars]` as they stand.
    pub vars_toml: String,
    /// Lines of `.dev.vars` as they stand.
    pub dev_vars: String,
    /// SQL that runs after the migrations and before the start.
    pub sql: String,
    /// Whether D1 stays as it is before the migrations.
    pub unmigrated: bool,
}

impl From<&Vars> for Setup {
    /// All of it in `.dev.vars`, as `make dev` and a person do it.
    fn from(vars: &Vars) -> Self {
        let line = |(name, value): (&String, &serde_json::Value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // As `make dev` writes it: JSON in single quotes, all else bare.
            if text.starts_with('{') { format!("{name}='{text}'\n") } else { format!("{name}={text}\n") }
        };
        Self { dev_vars: vars.iter().map(line).collect(), ..Self::default() }
    }
}

/// A running server.
pub struct Server {
    /// Its base URL.
    pub base: String,
    inspector: u16,
    /// Where its files are.
    pub folder: PathBuf,
    wrangler: Child,
    /// Ends the server should this process end without dropping it.
    watchdog: Child,
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What scripts/build.sh built.
///
/// # Panics
/// When it is not there.
pub fn artifact(file: &str) -> PathBuf {
    let path = project().join("build").join(file);
    assert!(path.exists(), "build/{file} is missing: run scripts/build.sh (make build)");
    path
}

/// `wrangler` with the project's Node, which asks nobody and reports to nobody.
fn wrangler(folder: &Path) -> Command {
    tool(folder, "wrangler")
}

/// A tool of node_modules.
fn tool(folder: &Path, name: &str) -> Command {
    let bin = project().join("node_modules/.bin");
    assert!(bin.join(name).exists(), "node_modules is missing: run make tools");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(bin.join(name));
    command
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_LOG_PATH", folder.join("logs"))
        .env("WRANGLER_REGISTRY_PATH", folder.join("registry"))
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// An empty folder, in cargo's folder for tests.
fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{count}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The project's wrangler.toml without its build, its `[vars]` and its relative paths.
fn configuration(setup: &Setup) -> String {
    let text = fs::read_to_string(project().join("wrangler.toml")).unwrap();
    let main = setup.main.clone().unwrap_or_else(|| artifact("index.js"));
    let mut section = "";
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let line = match line.split_once(" = ").map_or("", |(name, _)| name) {
            _ if matches!(section, "[build]" | "[vars]") => continue,
            "main" => format!("main = '{}'", main.display()),
            "migrations_dir" => format!("migrations_dir = '{}'", project().join("migrations").display()),
            _ => line.to_owned(),
        };
        kept.push_str(&line);
        kept.push('\n');
    }
    kept.push_str("[vars]\n");
    for (name, value) in &setup.vars {
        writeln!(kept, "{name} = {value}").unwrap();
    }
    kept.push_str(&setup.vars_toml);
    kept
}

/// Where a migrated D1 is. It is made once for these migrations and this wrangler, and copied for each server.
async fn migrated() -> &'static Path {
    static MIGRATED: OnceCell<PathBuf> = OnceCell::const_new();
    MIGRATED
        .get_or_init(|| async {
            let mut hasher = DefaultHasher::new();
            let mut files: Vec<PathBuf> =
                fs::read_dir(project().join("migrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.extend(["wrangler.toml", "package-lock.json"].map(|file| project().join(file)));
            files.sort();
            for file in files {
                fs::read(file).unwrap().hash(&mut hasher);
            }
            let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("migrated-{:016x}", hasher.finish()));
            if !made.exists() {
                let folder = folder("migrating");
                let arguments = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", "state", "--config"];
                let mut command = wrangler(&folder);
                command.args(arguments).arg(project().join("wrangler.toml"));
                let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
                let said = [output.stdout, output.stderr].concat();
                assert!(output.status.success(), "the migrations failed:\n{}", String::from_utf8_lossy(&said));
                // Another process may have been faster; then it made the same.
                if fs::rename(folder.join("state"), &made).is_err() {
                    assert!(made.exists(), "{} could not be made", made.display());
                }
                let _ = fs::remove_dir_all(folder);
            }
            made
        })
        .await
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// What `wrangler check startup` says of the Worker.
pub async fn check_startup() -> String {
    let folder = folder("startup");
    fs::write(folder.join("wrangler.toml"), configuration(&Setup::default())).unwrap();
    let mut command = wrangler(&folder);
    command.args(["check", "startup", "--config", "wrangler.toml"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "wrangler check startup failed:\n{said}");
    let _ = fs::remove_dir_all(folder);
    said
}

/// Opens the database of a server that does not run.
pub fn database(state: &Path) -> rusqlite::Connection {
    let folder = state.join("v3/d1/miniflare-D1DatabaseObject");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| {
        path.extension().is_some_and(|extension| extension == "sqlite") && !path.ends_with("metadata.sqlite")
    });
    rusqlite::Connection::open(files.next().unwrap_or_else(|| panic!("no D1 in {}", folder.display()))).unwrap()
}

impl Server {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When it does not start; its output is in the message.
    pub async fn start(name: &str, setup: impl Into<Setup>) -> Self {
        let setup = setup.into();
        let configuration = configuration(&setup);
        let folder = folder(name);
        fs::write(folder.join("wrangler.toml"), configuration).unwrap();
        fs::write(folder.join(".dev.vars"), &setup.dev_vars).unwrap();
        let state = folder.join("state");
        if !setup.unmigrated {
            copy(migrated().await, &state);
        }
        if !setup.sql.is_empty() {
            database(&state).execute_batch(&setup.sql).unwrap();
        }
        let output = File::create(folder.join("output.log")).unwrap();
        // wrangler does not say which port it took for the inspector, so a free one is chosen here.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let inspector = free.local_addr().unwrap().port();
        drop(free);
        let child = wrangler(&folder)
            .args(["dev", "--config", "wrangler.toml", "--ip", "127.0.0.1", "--port", "0"])
            .args(["--inspector-ip", "127.0.0.1", "--inspector-port", &inspector.to_string()])
            .args(["--persist-to", "state", "--show-interactive-dev-session=false"])
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        // Its standard input closes when this process ends, however it ends.
        let watchdog = Command::new("sh")
            .args(["-c", &format!("cat >/dev/null; kill {} 2>/dev/null", child.id())])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self { base: String::new(), inspector, folder, wrangler: child, watchdog };
        server.base = server.ready().await;
        server
    }

    /// Waits until wrangler says where it listens.
    async fn ready(&mut self) -> String {
        let asked = Instant::now();
        loop {
            let output = self.output();
            if let Some((_, rest)) = output.split_once("Ready on ") {
                return rest.lines().next().unwrap_or_default().trim().to_owned();
            }
            let ended = self.wrangler.try_wait().unwrap();
            assert!(ended.is_none() && asked.elapsed() < START, "wrangler dev did not start: {ended:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What wrangler has said so far.
    pub fn output(&self) -> String {
        let mut text = Vec::new();
        File::open(self.folder.join("output.log")).unwrap().read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Waits until wrangler has said this.
    pub async fn says(&self, text: &str) {
        let asked = Instant::now();
        while !self.output().contains(text) {
            assert!(asked.elapsed() < Duration::from_secs(10), "the server did not say {text:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the Worker's isolate holds in memory after a collection, in bytes, without Wasm's own. It is asked
    /// while it serves this path.
    pub async fn heap(&self, path: &str) -> f64 {
        let mut command = tool(&self.folder, "node");
        command.arg(project().join("tests/support/inspector.mjs")).arg(self.inspector.to_string());
        command.arg(format!("{}{path}", self.base));
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.trim().parse().unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The process id of the workerd that runs the Worker. wrangler has another one in front of it, which no
    /// inspector looks into.
    pub fn workerd(&self) -> u32 {
        let output = Command::new("ps").args(["-A", "-o", "pid=,ppid=,args="]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let processes: Vec<(u32, u32, &str)> = text
            .lines()
            .filter_map(|line| {
                let mut parts = line.split_whitespace();
                let (pid, parent) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                Some((pid, parent, line))
            })
            .collect();
        let mut family = vec![self.wrangler.id()];
        while let Some((pid, _, line)) =
            processes.iter().find(|(pid, parent, _)| family.contains(parent) && !family.contains(pid))
        {
            if line.contains("workerd serve") && line.contains("--inspector-addr") {
                return *pid;
            }
            family.push(*pid);
        }
        panic!("wrangler {} has no workerd:\n{text}", self.wrangler.id());
    }

    /// Ends the server and gives the database it leaves.
    pub fn end(&mut self) -> rusqlite::Connection {
        self.stop();
        database(&self.folder.join("state"))
    }

    /// Ends wrangler, which ends workerd.
    fn stop(&mut self) {
        if self.wrangler.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = Command::new("sh").args(["-c", &format!("kill {}", self.wrangler.id())]).status();
            let asked = Instant::now();
            while self.wrangler.try_wait().is_ok_and(|ended| ended.is_none()) && asked.elapsed() < START {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let output = self.output();
            let lines: Vec<&str> = output.lines().collect();
            eprintln!("the last that the server said:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
