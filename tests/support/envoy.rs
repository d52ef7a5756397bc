//! A real Envoy, started for a test: many listeners in one process, each with the filter and a document of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{self, Request};
use super::in_repository;
use super::leaks;

/// How long Envoy may take to compile every module and open its listeners.
const START: Duration = Duration::from_secs(120);
/// How long Envoy may take to write what it has logged.
const FLUSH: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
/// How often Envoy writes its access log.
const LOG_INTERVAL: Duration = Duration::from_millis(50);

/// Read by each Envoy while it starts. Written by a test while it measures time.
static STARTS: RwLock<()> = RwLock::new(());

/// Waits until no Envoy of this process starts, and keeps others from starting until the guard is dropped.
///
/// An Envoy that starts uses every core. A test that measures time holds the guard meanwhile. It must not start an Envoy
/// with the guard in hand.
pub fn no_starts() -> RwLockWriteGuard<'static, ()> {
    STARTS.write().unwrap_or_else(PoisonError::into_inner)
}

/// What an Envoy of a test is configured with.
pub struct Bootstrap {
    clusters: Vec<Value>,
    listeners: Vec<Value>,
    concurrency: u32,
    /// How much Envoy logs about modules.
    wasm_log: &'static str,
    is_dynamic: bool,
    statistics: Option<Value>,
    addition: Option<String>,
}

impl Bootstrap {
    /// An Envoy that sends every request that passes to 127.0.0.1 at this port.
    pub fn new(upstream_port: u16) -> Self {
        Self {
            clusters: vec![cluster("upstream", &[upstream_port])],
            listeners: Vec::new(),
            concurrency: 1,
            wasm_log: "info",
            is_dynamic: false,
            statistics: None,
            addition: None,
        }
    }

    /// Another cluster: one endpoint of 127.0.0.1 for each port.
    pub fn cluster(mut self, name: &str, ports: &[u16]) -> Self {
        self.clusters.push(cluster(name, ports));
        self
    }

    /// So many workers.
    pub fn concurrency(self, concurrency: u32) -> Self {
        Self {
            concurrency,
            ..self
        }
    }

    /// Envoy logs each call between it and a module.
    pub fn logging_calls(self) -> Self {
        Self {
            wasm_log: "trace",
            ..self
        }
    }

    /// The listeners can be changed while Envoy runs.
    pub fn dynamic(self) -> Self {
        Self {
            is_dynamic: true,
            ..self
        }
    }

    /// Prometheus's page shows the labels of `envoy/envoy.yaml`.
    pub fn labelled(self) -> Self {
        self.with_statistics(super::example::statistics())
    }

    /// A `stats_config`. Envoy updates histograms each second.
    pub fn with_statistics(self, statistics: Value) -> Self {
        Self {
            statistics: Some(statistics),
            ..self
        }
    }

    /// Envoy merges this bootstrap with the other (`--config-yaml`), as Istio's agent has it do.
    pub fn with_addition(self, addition: &str) -> Self {
        Self {
            addition: Some(addition.to_owned()),
            ..self
        }
    }

    /// The last listener with other access loggers.
    pub fn logging(mut self, loggers: &Value) -> Self {
        let listener = self.listeners.last_mut().expect("a listener");
        listener["filter_chains"][0]["filters"][0]["typed_config"]["access_log"] = loggers.clone();
        self
    }

    /// A listener on a free port, whose requests the filter judges by a document.
    pub fn listener(mut self, name: &str, document: &Value) -> Self {
        self.listeners.push(listener(
            name,
            &[wasm_filter(name, &module_path(), document)],
        ));
        self
    }

    /// As [`listener`](Self::listener), with these routes before the one to everything.
    pub fn routed_listener(self, name: &str, document: &Value, routes: &[Value]) -> Self {
        let filter = wasm_filter(name, &module_path(), document);
        self.routed_listener_with(name, &[filter], routes)
    }

    /// As [`listener_with`](Self::listener_with), with these routes before the one to everything.
    pub fn routed_listener_with(mut self, name: &str, filters: &[Value], routes: &[Value]) -> Self {
        let mut listener = listener(name, filters);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let all = &mut manager["route_config"]["virtual_hosts"][0]["routes"];
        *all = routes
            .iter()
            .chain(all.as_array().into_iter().flatten())
            .cloned()
            .collect();
        self.listeners.push(listener);
        self
    }

    /// As [`listener`](Self::listener); before the filter sees a path, Envoy resolves it and merges its slashes.
    pub fn normalising_listener(mut self, name: &str, document: &Value) -> Self {
        let filter = wasm_filter(name, &module_path(), document);
        let mut listener = listener(name, &[filter]);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["normalize_path"] = json!(true);
        manager["merge_slashes"] = json!(true);
        let log = &mut manager["access_log"][0]["typed_config"]["log_format"]["json_format"];
        log["path"] = json!("%PATH(NQ:PATH)%");
        self.listeners.push(listener);
        self
    }

    /// As [`listener`](Self::listener); `x-forwarded-for` says where a request comes from.
    pub fn forwarded_listener(mut self, name: &str, document: &Value) -> Self {
        let filter = wasm_filter(name, &module_path(), document);
        let mut listener = listener(name, &[filter]);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["use_remote_address"] = json!(false);
        self.listeners.push(listener);
        self
    }

    /// A listener on a free port with these filters before the router.
    pub fn listener_with(mut self, name: &str, filters: &[Value]) -> Self {
        self.listeners.push(listener(name, filters));
        self
    }

    /// The last listener is over TLS: its `DownstreamTlsContext`.
    pub fn over_tls(mut self, context: &Value) -> Self {
        let listener = self.listeners.last_mut().expect("a listener");
        listener["filter_chains"][0]["transport_socket"] =
            json!({"name": "envoy.transport_sockets.tls", "typed_config": context});
        self
    }

    /// The workers have the same number of connections of the last listener, give or take one.
    pub fn balanced(mut self) -> Self {
        let listener = self.listeners.last_mut().expect("a listener");
        listener["connection_balance_config"] = json!({"exact_balance": {}});
        listener["stat_prefix"] = listener["name"].clone();
        self
    }

    /// The bootstrap, to be changed or refused.
    pub fn into_json(self) -> Value {
        let mut bootstrap = json!({
            "admin": {"address": socket_address(0)},
            "static_resources": {"listeners": self.listeners, "clusters": self.clusters}
        });
        if let Some(statistics) = self.statistics {
            bootstrap["stats_config"] = statistics;
            bootstrap["stats_flush_interval"] = json!("1s");
        }
        bootstrap
    }
}

fn cluster(name: &str, ports: &[u16]) -> Value {
    let endpoints: Vec<Value> = ports
        .iter()
        .map(|port| json!({"endpoint": {"address": socket_address(*port)}}))
        .collect();
    json!({
        "name": name,
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": endpoints }]
        }
    })
}

/// The built filter: the file that `COUNTERSIGN_WASM` names, else `dist/countersign.wasm`.
pub fn module_path() -> PathBuf {
    let path = std::env::var_os("COUNTERSIGN_WASM")
        .map_or_else(|| in_repository("dist/countersign.wasm"), PathBuf::from);
    assert!(
        path.exists(),
        "{} is not there: run `make build`",
        path.display()
    );
    path
}

/// The version of [the Envoy of the tests](envoy_path): `1.40.0`.
pub fn envoy_version() -> String {
    let output = Command::new(envoy_path()).arg("--version").output();
    let shown = output.expect("Envoy tells its version").stdout;
    let shown = String::from_utf8(shown).expect("a text");
    // `PATH  version: COMMIT/1.40.0/…`
    let (_, all) = shown.split_once("version: ").expect("a version");
    all.split('/').nth(1).expect("a number").to_owned()
}

/// The Envoy of the tests: the one that `ENVOY` names, else the one that `scripts/setup-envoy` finds or fetches.
pub fn envoy_path() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY") {
        return path.into();
    }
    path_from("scripts/setup-envoy")
}

/// The path that a script of the repository prints. What else it has to say is shown.
///
/// # Panics
/// The script fails.
pub fn path_from(script: &str) -> PathBuf {
    let ran = Command::new(in_repository(script))
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("{script}: {error}"));
    assert!(ran.status.success(), "{script} fails");
    PathBuf::from(String::from_utf8(ran.stdout).expect("a path").trim())
}

fn socket_address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

/// The filter with a document, as Envoy configures it.
pub fn wasm_filter(vm_id: &str, module: &Path, document: &Value) -> Value {
    json!({
        "name": "countersign",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "countersign",
                "root_id": "countersign",
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "runtime": "envoy.wasm.runtime.v8",
                    "vm_id": vm_id,
                    "code": {"local": {"filename": module}}
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.Struct",
                    "value": document
                }
            }
        }
    })
}

fn listener(name: &str, filters: &[Value]) -> Value {
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    }));
    let state = |name: &str| format!("%FILTER_STATE(wasm.countersign.{name}:PLAIN)%");
    json!({
        "name": name,
        "address": socket_address(0),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "use_remote_address": true,
                "preserve_external_request_id": true,
                "upgrade_configs": [{"upgrade_type": "websocket"}],
                "max_request_headers_kb": 96,
                "access_log": [{
                    "name": "envoy.access_loggers.file",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                        "path": "access.log",
                        "log_format": {"json_format": {
                            "case": "%REQ(X-CASE)%",
                            "status": "%RESPONSE_CODE%",
                            "details": "%RESPONSE_CODE_DETAILS%",
                            "reason": state("reason"),
                            "rule": state("rule"),
                            "provider": state("provider"),
                            "subject": state("subject")
                        }}
                    }
                }],
                "http_filters": filters,
                "route_config": {"name": name, "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
                }]}
            }
        }]}]
    })
}

/// The field of a response that names the rule by which its request was judged; [`tell_rules`] adds it.
pub const RULE: &str = "x-gate-rule";
/// The field of a response that has its response code details, likewise.
pub const DETAILS: &str = "x-gate-details";

/// Has every listener say in each response what the filter says in the access log.
pub fn tell_rules(bootstrap: &mut Value) {
    let told = [
        (RULE, "%FILTER_STATE(wasm.countersign.rule:PLAIN)%"),
        (DETAILS, "%RESPONSE_CODE_DETAILS%"),
    ];
    let told = told.map(|(key, value)| {
        json!({"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
    });
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut();
    for listener in listeners.into_iter().flatten() {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["route_config"]["response_headers_to_add"] = json!(told);
    }
}

/// The CPU time of an Envoy, in nanoseconds.
#[derive(Debug, Default, Clone, Copy)]
pub struct Cpu {
    /// Of every thread.
    pub process: u64,
    /// Of the workers' threads alone.
    pub workers: u64,
}

/// How the process of an Envoy is started.
struct Started<'a> {
    workers: u32,
    /// The level of the log of filters in WebAssembly.
    wasm_log: &'a str,
    /// Further arguments.
    more: &'a [&'a str],
    /// The command whose argument Envoy is; none if empty.
    under: &'a [&'a str],
}

impl Default for Started<'_> {
    fn default() -> Self {
        Self {
            workers: 1,
            wasm_log: "info",
            more: &[],
            under: &[],
        }
    }
}

impl Started<'_> {
    fn command(&self, envoy: &Path) -> Command {
        match self.under {
            [] => Command::new(envoy),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(envoy);
                command
            }
        }
    }
}

/// A running Envoy; it ends with this value, also when a test panics.
pub struct Envoy {
    process: Child,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    folder: TempDir,
}

impl Envoy {
    /// Starts Envoy and waits until every listener is open.
    ///
    /// # Panics
    /// Envoy ends, or is not ready in time: with the end of its log.
    pub fn start(mut bootstrap: Bootstrap) -> Self {
        let (concurrency, wasm_log) = (bootstrap.concurrency, bootstrap.wasm_log);
        let dynamic = bootstrap
            .is_dynamic
            .then(|| std::mem::take(&mut bootstrap.listeners));
        let addition = bootstrap.addition.take();
        let more = addition.map(|addition| ["--config-yaml".to_owned(), addition]);
        let more = more.iter().flatten().map(String::as_str);
        let more: Vec<&str> = more.collect();
        let json = bootstrap.into_json();
        let started = Started {
            workers: concurrency,
            wasm_log,
            more: &more,
            ..Started::default()
        };
        match Self::launch(json, Stdio::null(), &started, dynamic) {
            Ok(envoy) => envoy,
            Err(fault) => panic!("{fault}"),
        }
    }

    /// As [`start`](Self::start), with a bootstrap of any kind; what Envoy prints goes to `stdout`.
    pub fn start_with(bootstrap: &Value, stdout: Stdio) -> Self {
        match Self::try_start(bootstrap, stdout) {
            Ok(envoy) => envoy,
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Starts Envoy, or says why it refused its configuration.
    ///
    /// # Errors
    /// What happened, and the end of Envoy's log.
    pub fn try_start(bootstrap: &Value, stdout: Stdio) -> Result<Self, String> {
        Self::launch(bootstrap.clone(), stdout, &Started::default(), None)
    }

    /// As [`start_with`](Self::start_with), with so many workers, and as the argument of a command such as `valgrind`. An empty
    /// command runs Envoy itself.
    pub fn start_under(bootstrap: &Value, workers: u32, command: &[&str]) -> Self {
        let started = Started {
            workers,
            under: command,
            ..Started::default()
        };
        match Self::launch(bootstrap.clone(), Stdio::null(), &started, None) {
            Ok(envoy) => envoy,
            Err(fault) => panic!("{fault}"),
        }
    }

    fn launch(
        mut bootstrap: Value,
        stdout: Stdio,
        started: &Started,
        dynamic: Option<Vec<Value>>,
    ) -> Result<Self, String> {
        let _starting = STARTS.read().unwrap_or_else(PoisonError::into_inner);
        let folder = TempDir::new().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        let expected = dynamic.as_ref().map_or(0, Vec::len);
        leaks::of_configuration(&bootstrap);
        leaks::of_configuration(&json!(dynamic));
        if let Some(listeners) = dynamic {
            write_listeners(folder.path(), &listeners);
            bootstrap["node"] = json!({"id": "test", "cluster": "test"});
            let source = json!({"path_config_source": {"path": file("listeners.json")}});
            bootstrap["dynamic_resources"] = json!({"lds_config": source});
        }
        fs::write(file("bootstrap.json"), bootstrap.to_string()).expect("the bootstrap is written");
        let log = File::create(file("envoy.log")).expect("the log is created");
        let envoy = envoy_path();
        let mut process = started
            .command(&envoy)
            .current_dir(folder.path())
            .args([
                "-c",
                "bootstrap.json",
                "--admin-address-path",
                "admin.address",
            ])
            .args(["--concurrency", &started.workers.to_string()])
            .arg("--disable-hot-restart")
            .args(started.more)
            .args([
                "--log-level",
                "warning",
                "--component-log-level",
                &format!("wasm:{}", started.wasm_log),
            ])
            .args([
                "--file-flush-interval-msec",
                &LOG_INTERVAL.as_millis().to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not run: {error}", envoy.display()));
        let mut waited = Duration::ZERO;
        loop {
            let ended = process.try_wait().expect("Envoy can be waited for");
            if let Some(ready) = ready(&file("admin.address"))
                && ready.listeners.len() >= expected
            {
                return Ok(Self {
                    process,
                    admin: ready.admin,
                    listeners: ready.listeners,
                    folder,
                });
            }
            if ended.is_some() || waited > START {
                let _ = process.kill();
                let _ = process.wait();
                let what = match ended {
                    Some(status) => format!("Envoy ended at start ({status})"),
                    None => format!("Envoy was not ready after {START:?}"),
                };
                refuse_leaks(&read_lossy(&file("envoy.log")));
                return Err(format!(
                    "{what}; its log ends:\n{}",
                    tail(&file("envoy.log"))
                ));
            }
            sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// Puts these in the place of all listeners; for one that was started [`dynamic`](Bootstrap::dynamic).
    pub fn change_listeners(&self, changed: Bootstrap) {
        leaks::of_configuration(&json!(changed.listeners));
        write_listeners(self.folder.path(), &changed.listeners);
    }

    /// Where a listener listens.
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// Where a listener listens now; none while it is not open.
    pub fn listening(&self, name: &str) -> Option<SocketAddr> {
        listeners(self.admin).and_then(|all| all.get(name).copied())
    }

    /// What an admin page shows: `/stats`, `/config_dump`, …
    pub fn admin(&self, path: &str) -> String {
        ask_admin(self.admin, path).unwrap_or_else(|error| {
            panic!(
                "admin {path}: {error}; Envoy's log ends:\n{}",
                tail(&self.log_path())
            )
        })
    }

    /// A counter or gauge; 0 where there is none yet.
    pub fn stat(&self, name: &str) -> u64 {
        let shown = self.admin("/stats");
        let value = shown
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map_or(0, |value| value.parse().expect("a number"))
    }

    /// How many connections of a listener that is [balanced](Bootstrap::balanced) each worker has accepted.
    pub fn accepted_by_worker(&self, listener: &str) -> Vec<u64> {
        let shown = self.admin(&format!("/stats?filter=^listener.{listener}.worker_"));
        let accepted = shown
            .lines()
            .filter_map(|line| line.split_once(".downstream_cx_total: "));
        accepted
            .map(|(_, accepted)| accepted.parse().expect("a number"))
            .collect()
    }

    /// The sum of the filter's counters and gauges whose names begin with these elements; 0 where there is none yet.
    pub fn counted(&self, elements: &str) -> u64 {
        let metrics = self.metrics();
        let is_one = |name: &str| {
            let rest = name.strip_prefix(elements);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let ones = metrics.iter().filter(|(name, _)| is_one(name));
        ones.map(|(_, value)| value).sum()
    }

    /// The filter's counters and gauges, by the part of their names that follows `countersign.`.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        let shown = self.admin("/stats?filter=^wasmcustom.countersign.");
        let metrics = shown.lines().filter_map(|line| {
            let (name, value) = line
                .strip_prefix("wasmcustom.countersign.")?
                .split_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        metrics.collect()
    }

    /// The series of the filter on Prometheus's page, with their labels, and their values.
    pub fn series(&self) -> BTreeMap<String, u64> {
        let shown = self.admin("/stats/prometheus");
        let ours = shown.lines().filter(|line| line.starts_with("countersign"));
        let series = ours.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        series.collect()
    }

    /// Where the admin pages are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// The process's identifier.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Stops every thread of the process until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets every thread of the process go on, all at the same moment.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process_id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.expect("kill runs").success(), "kill {signal}");
    }

    /// The CPU time of every thread of the process.
    pub fn cpu_nanoseconds(&self) -> u64 {
        self.cpu().process
    }

    /// The CPU time of the process.
    pub fn cpu(&self) -> Cpu {
        let process = self.process_id();
        let tasks =
            fs::read_dir(format!("/proc/{process}/task")).expect("Linux shows a process's threads");
        let mut cpu = Cpu::default();
        for task in tasks {
            let task = task.expect("a thread").path();
            let read = |file| {
                let text = fs::read_to_string(task.join(file));
                text.expect("Linux shows a thread's name and CPU time")
            };
            let text = read("schedstat");
            let spent = text.split(' ').next();
            let spent = spent.and_then(|spent| spent.parse::<u64>().ok());
            let spent = spent.expect("nanoseconds");
            cpu.process += spent;
            if read("comm").starts_with("wrk:") {
                cpu.workers += spent;
            }
        }
        cpu
    }

    /// The memory of the process that is not part of a file (`RssAnon`), in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process_id()));
        let status = status.expect("Linux shows a process's memory");
        let kibibytes = status.lines().find_map(|line| {
            let value = line.strip_prefix("RssAnon:")?.trim();
            value.strip_suffix(" kB")?.parse::<u64>().ok()
        });
        kibibytes.expect("a number of kB") * 1024
    }

    /// What Envoy has logged so far.
    pub fn log(&self) -> String {
        read_lossy(&self.log_path())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("envoy.log")
    }

    /// The access log as text.
    pub fn access_log(&self) -> String {
        self.file("access.log")
    }

    /// A file in the folder where Envoy runs, as text.
    pub fn file(&self, name: &str) -> String {
        read_lossy(&self.folder.path().join(name))
    }

    /// The access log's entries by their `case`, once every one of `cases` is there or time is up.
    pub fn access_log_of(&self, cases: &[String]) -> BTreeMap<String, Value> {
        let mut waited = Duration::ZERO;
        loop {
            let entries: BTreeMap<String, Value> = self
                .access_log()
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter_map(|entry| Some((entry["case"].as_str()?.to_owned(), entry)))
                .collect();
            if waited > FLUSH || cases.iter().all(|case| entries.contains_key(case)) {
                return entries;
            }
            sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// The lines of Envoy's log that no run may leave: crashes and traps.
    pub fn alarms(&self) -> Vec<String> {
        const SIGNS: [&str; 6] = [
            "panicked",
            "Unreachable",
            "unreachable",
            "RuntimeError",
            "Function: proxy_on",
            "Caught Segmentation",
        ];
        self.log()
            .lines()
            .filter(|line| SIGNS.iter().any(|sign| line.contains(sign)))
            .map(str::to_owned)
            .collect()
    }
}

/// Ends Envoy, and searches what it has logged for every secret that was used.
impl Drop for Envoy {
    fn drop(&mut self) {
        sleep(2 * LOG_INTERVAL);
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            refuse_leaks(&self.log());
            refuse_leaks(&self.access_log());
        }
    }
}

/// Panics if a log shows a secret.
fn refuse_leaks(log: &str) {
    let leaks = leaks::found_in(log);
    assert!(
        leaks.is_empty(),
        "{} lines of a log show a secret:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

struct Ready {
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

/// Envoy's addresses, once it serves.
fn ready(admin_file: &Path) -> Option<Ready> {
    let admin = fs::read_to_string(admin_file).ok()?.trim().parse().ok()?;
    let live = ask_admin(admin, "/ready").ok()?;
    if live.trim() != "LIVE" {
        return None;
    }
    Some(Ready {
        admin,
        listeners: listeners(admin)?,
    })
}

/// The addresses of the listeners that are open.
fn listeners(admin: SocketAddr) -> Option<BTreeMap<String, SocketAddr>> {
    let shown: Value =
        serde_json::from_str(&ask_admin(admin, "/listeners?format=json").ok()?).ok()?;
    let address = |status: &Value| -> Option<SocketAddr> {
        let socket = &status["local_address"]["socket_address"];
        format!("{}:{}", socket["address"].as_str()?, socket["port_value"])
            .parse()
            .ok()
    };
    // Without a listener the member is absent.
    let statuses = shown["listener_statuses"].as_array();
    statuses
        .into_iter()
        .flatten()
        .map(|status| Some((status["name"].as_str()?.to_owned(), address(status)?)))
        .collect()
}

/// Envoy looks at the file when another takes its place.
fn write_listeners(folder: &Path, listeners: &[Value]) {
    let kind = "type.googleapis.com/envoy.config.listener.v3.Listener";
    let resources: Vec<Value> = listeners
        .iter()
        .map(|listener| {
            let mut listener = listener.clone();
            listener["@type"] = json!(kind);
            listener
        })
        .collect();
    let new = folder.join("listeners.new");
    fs::write(&new, json!({ "resources": resources }).to_string()).expect("listeners are written");
    fs::rename(&new, folder.join("listeners.json")).expect("listeners are put in place");
}

fn ask_admin(admin: SocketAddr, path: &str) -> std::io::Result<String> {
    let request = Request {
        method: b"GET",
        target: path.as_bytes(),
        headers: vec![(b"host", b"admin")],
        body: b"",
    };
    let response = client::send(admin, &request)?;
    Ok(String::from_utf8_lossy(&response.body).into_owned())
}

fn read_lossy(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn tail(path: &Path) -> String {
    let log = read_lossy(path);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
