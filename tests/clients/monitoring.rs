//! Alerts and the dashboard with a real Prometheus and a real Alertmanager, which watch real Envoys.
//!
//! Needs what `scripts/setup-monitoring` fetches; `make test-all` runs this.

// Envoy, Prometheus and Alertmanager read the real clock.
#![allow(clippy::disallowed_methods)]

mod dashboard;
mod gate;
mod picture;
mod scaled;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use crate::support::envoy::Envoy;
use crate::support::issuer::{Issuer, Page};
use crate::support::{in_repository, say, until};
use dashboard::Dashboard;
use gate::{Fleet, Issuers, ask};
use servers::{Alertmanager, Prometheus, Series, promtool, shipped, written};

/// How long there are only usual requests: long enough for the rules to know what is usual.
const USUAL: Duration = Duration::from_secs(20);
/// How long the last alert may take. Keys and lists are stale after 65 seconds.
const LAST_ALERT: Duration = Duration::from_secs(100);
const PAUSE: Duration = Duration::from_millis(100);

/// The alerts that the situations fire, by the labels that tell them apart.
const FIRING: [&str; 16] = [
    "CountersignConditionFailing busy",
    "CountersignConfigurationRejected updated rejected",
    "CountersignForbiddenSpike spike-403",
    "CountersignIntrospectionFailing busy opaque-down",
    "CountersignIssuerDown updated down",
    "CountersignIssuerDown busy stale",
    "CountersignKeysStale busy stale",
    "CountersignListsStale busy list-stale",
    "CountersignMissing without",
    "CountersignModuleCrashed updated crashing",
    "CountersignNoDecisions closed",
    "CountersignNoKeys updated down",
    "CountersignThrottled login",
    "CountersignUnauthorizedSpike spike-401",
    "CountersignUnavailable down",
    "CountersignUnavailable opaque-down",
];

#[test]
fn each_rule_fires_for_one_series_and_not_for_another() {
    promtool(&["check", "rules", "alerts.yaml"]);
    promtool(&["test", "rules", "alerts.test.yaml"]);
    let (rules, tests) = (shipped("alerts.yaml"), shipped("alerts.test.yaml"));
    for alert in alerts(&rules) {
        let fires = format!("alertname: {alert}\n    eval_time");
        assert!(tests.contains(&fires), "no series fires {alert}");
        let not = format!("  - {{alertname: {alert}, ");
        let mut lines = tests.lines().filter(|line| line.starts_with(&not));
        assert!(
            lines.any(|line| line.ends_with("exp_alerts: []}")),
            "{alert} always fires"
        );
    }
}

#[test]
fn prometheus_accepts_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let rules = written(folder.path(), "alerts.yaml", &shipped("alerts.yaml"));
    let config = shipped("prometheus.yaml").replace("/etc/prometheus/alerts.yaml", &rules);
    let config = written(folder.path(), "prometheus.yaml", &config);
    promtool(&["check", "config", &config]);
}

/// Debian's Prometheus has no discovery in Kubernetes: the test gives the labels of pods.
#[test]
fn istios_proxies_with_the_labels_are_scraped() {
    let text = shipped("prometheus-istio.yaml");
    let mut config: Value = serde_yaml_ng::from_str(&text).unwrap();
    config["rule_files"] = json!([]);
    let job = config["scrape_configs"][0].as_object_mut().unwrap();
    let discovery = job.remove("kubernetes_sd_configs");
    assert_eq!(discovery, Some(json!([{"role": "pod"}])));
    let pod = |port: &str, name: &str, overridden: &str| {
        json!({"targets": [port], "labels": {
            "__meta_kubernetes_namespace": "shop",
            "__meta_kubernetes_pod_name": "orders-1",
            "__meta_kubernetes_pod_container_port_name": name,
            "__meta_kubernetes_pod_annotation_sidecar_istio_io_bootstrapOverride": overridden,
        }})
    };
    let pods = [
        pod("10.0.0.1:15090", "http-envoy-prom", "countersign-stats"),
        pod("10.0.0.1:8080", "http", "countersign-stats"),
        pod("10.0.0.2:15090", "http-envoy-prom", ""),
    ];
    job.insert("static_configs".to_owned(), json!(pods));
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), "prometheus.yaml", &config.to_string());
    let found = promtool(&[
        "check",
        "service-discovery",
        "--timeout=1s",
        &config,
        "envoy",
    ]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let kept = found
        .as_array()
        .unwrap()
        .iter()
        .map(|target| &target["labels"]);
    let kept: Vec<_> = kept.filter(|labels| labels["job"] == "envoy").collect();
    let [one] = kept[..] else {
        panic!("one of three targets is kept, not {kept:?}");
    };
    let labels = ["instance", "namespace", "pod", "__metrics_path__"].map(|name| &one[name]);
    assert_eq!(
        labels,
        ["10.0.0.1:15090", "shop", "orders-1", "/stats/prometheus"]
    );
}

#[test]
fn the_dashboard_has_grafanas_schema() {
    let packages = in_repository("tests/clients/monitoring/node_modules");
    let folder = tempfile::tempdir().unwrap();
    let types = fs::read_to_string(in_repository("tests/clients/monitoring/dashboard.ts")).unwrap();
    let check = |dashboard: &str| {
        let text = format!("{types}\nexport const dashboard: Json = {dashboard};\n");
        written(folder.path(), "dashboard.ts", &text);
        let schema = packages.join("@grafana/schema");
        let config = json!({
            "files": ["dashboard.ts"],
            "compilerOptions": {
                "strict": true, "noEmit": true, "skipLibCheck": true, "types": [], "lib": ["es2022", "dom"],
                "module": "esnext", "moduleResolution": "bundler",
                "paths": {
                    "@grafana/schema": [schema.join("dist/types/index.d.ts")],
                    "@grafana/schema/*": [schema.join("*")],
                },
            },
        });
        written(folder.path(), "tsconfig.json", &config.to_string());
        let tsc = Command::new("node")
            .arg(packages.join("typescript/bin/tsc"))
            .args(["--project", "."])
            .current_dir(folder.path())
            .output()
            .expect("node runs");
        let faults = String::from_utf8_lossy(&tsc.stdout).into_owned();
        assert_eq!(faults.is_empty(), tsc.status.success(), "{faults}");
        faults
    };
    let dashboard = shipped("dashboard.json");
    assert_eq!(check(&dashboard), "");
    for (right, wrong) in [
        ("\"lineWidth\"", "\"lineWidht\""),
        ("\"graphMode\": \"area\"", "\"graphMode\": \"areas\""),
        ("\"w\": 12", "\"w\": \"12\""),
    ] {
        let faults = check(&dashboard.replace(right, wrong));
        assert!(faults.contains("error TS"), "{wrong} is accepted: {faults}");
    }
}

#[test]
fn each_alert_fires_in_its_situation_and_each_query_of_the_dashboard_shows_it() {
    let mut issuers = Issuers::start();
    let fleet = Fleet::start(&issuers);
    let receiver = Issuer::start();
    receiver.serve("/alerts", Page::status(200));
    let alertmanager = Alertmanager::start(&receiver.url("/alerts"));
    let prometheus = Prometheus::start(&fleet.targets(), &alertmanager);
    let begin = now();
    let traffic = Traffic::new(&issuers);
    thread::scope(|scope| {
        let _ends = traffic.ends_with_this();
        scope.spawn(|| traffic.usual(&fleet));
        sleep(USUAL);

        let troubled = now();
        issuers.stop_one();
        fleet.update(&issuers);
        traffic.once(&fleet);
        scope.spawn(|| traffic.troubled(&fleet));
        let expected: BTreeSet<String> = FIRING.map(str::to_owned).into();
        let mut firing = BTreeSet::new();
        while firing != expected && now() - troubled < LAST_ALERT.as_secs_f64() {
            sleep(Duration::from_secs(1));
            firing = fired(&prometheus, begin, now());
        }
        let (missing, more) = (&expected - &firing, &firing - &expected);
        assert!(
            missing.is_empty() && more.is_empty(),
            "missing: {missing:?}, too many: {more:?}"
        );
        say(&format!(
            "all alerts fired within {:.0} s",
            now() - troubled
        ));
    });
    assert_eq!(prometheus.errors(), Vec::<String>::new());
    // While an issuer is down, Alertmanager reports that and not the age of its keys.
    let mut reported: BTreeSet<String> = FIRING.map(alert_name).into();
    reported.remove("CountersignKeysStale");
    until("the webhook has every alert", || {
        names_received(&receiver).is_superset(&reported)
    });
    let (dashboard, end) = (Dashboard::shipped(), now());
    shows_what_happened(&dashboard, &prometheus, begin, end);
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        let png = Path::new(&folder).join("dashboard.png");
        picture::draw(&dashboard, &prometheus, begin, end, &png);
    }
    is_well_formed(&fleet.busy);
}

/// The alerts that fired between two times.
fn fired(prometheus: &Prometheus, from: f64, to: f64) -> BTreeSet<String> {
    let firing = prometheus.query_range("ALERTS{alertstate=\"firing\"}", from, to);
    let label = |alert: &Series, names: &[&str]| {
        let values = names.iter().map(|name| alert.label(name));
        let values: Vec<_> = values.filter(|value| !["", "-"].contains(value)).collect();
        values.join(" ")
    };
    let cause = [
        "countersign_rule",
        "countersign_plugin",
        "plugin",
        "countersign_provider",
    ];
    let named = |alert: &Series| {
        let name = label(alert, &["alertname", "instance"]);
        // A rule and its provider have the same name, or the provider is `corp`.
        let cause = label(alert, &cause);
        let cause = cause.split(' ').next().unwrap_or_default();
        format!("{name} {cause}").trim_end().to_owned()
    };
    firing.iter().map(named).collect()
}

fn alert_name(firing: &str) -> String {
    firing.split(' ').next().unwrap_or_default().to_owned()
}

/// The names of the alerts that came to the webhook.
fn names_received(receiver: &Issuer) -> BTreeSet<String> {
    let bodies = receiver.received("/alerts").into_iter();
    let groups = bodies.map(|body| serde_json::from_slice::<Value>(&body).expect("JSON"));
    groups
        .map(|group| {
            group["groupLabels"]["alertname"]
                .as_str()
                .expect("a name")
                .to_owned()
        })
        .collect()
}

/// Every query of the dashboard has a series with a value that is not 0, and the variables have values.
fn shows_what_happened(dashboard: &Dashboard, prometheus: &Prometheus, from: f64, to: f64) {
    let mut empty = Vec::new();
    for query in dashboard.queries() {
        let series = query.run(prometheus, from, to);
        let mut values = series.iter().flat_map(|series| &series.points);
        if !values.any(|(_, value)| value.is_finite() && *value > 0.0) {
            empty.push(format!("{}: {}", query.title(), query.expression(&[])));
        }
    }
    assert_eq!(empty, Vec::<String>::new(), "queries without a value");
    let most = |title: &str| {
        let query = dashboard.queries().find(|query| query.title() == title);
        let series = query.expect("the panel").run(prometheus, from, to);
        let values = series.iter().flat_map(|series| &series.points);
        values.map(|(_, value)| *value).fold(0.0, f64::max)
    };
    assert_eq!(
        most("Configurations in use"),
        2.0,
        "the configurations differ"
    );
    assert_eq!(most("Rejected configurations"), 1.0);
    let variables: BTreeMap<&str, Vec<String>> = dashboard
        .variables()
        .into_iter()
        .map(|(name, selector, label)| (name, prometheus.label_values(&selector, label)))
        .collect();
    for (name, value) in [
        ("instance", "busy"),
        ("rule", "spike-403"),
        ("provider", "stale"),
    ] {
        assert!(
            variables[name].iter().any(|own| own == value),
            "{variables:?}"
        );
    }
    let by_rule = dashboard
        .queries()
        .find(|query| query.title() == "403 by rule");
    let one = by_rule
        .expect("the panel")
        .expression(&[("rule", "spike-403")]);
    let found = prometheus.query_range(&one, from, to);
    assert_eq!(found.len(), 1, "{one}");
}

/// `promtool check metrics` reports nothing of the filter's series that Envoy does not cause: it prints no help, and no
/// suffix of the kind.
fn is_well_formed(envoy: &Envoy) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut stdin = promtool.stdin.take().expect("stdin is piped");
    let metrics = envoy.admin("/stats/prometheus");
    thread::spawn(move || stdin.write_all(metrics.as_bytes()));
    let out = promtool.wait_with_output().expect("promtool ends");
    let findings = String::from_utf8_lossy(&out.stderr).into_owned();
    let others = findings.lines().filter(|finding| {
        let of_envoy = [
            "no help text",
            "counter metrics should have \"_total\" suffix",
        ];
        finding.starts_with("countersign_")
            && !of_envoy.iter().any(|known| finding.ends_with(known))
    });
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&str>::new());
    // 3: the text is well-formed, and there are findings.
    assert_eq!(out.status.code(), Some(3), "{findings}");
}

/// The requests of clients.
struct Traffic {
    of_corp: String,
    of_down: String,
    ended: AtomicBool,
}

/// The traffic ends with this value, also when a test panics.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Traffic {
    fn new(issuers: &Issuers) -> Self {
        Self {
            of_corp: issuers.token("corp"),
            of_down: issuers.token("down"),
            ended: AtomicBool::new(false),
        }
    }

    fn ends_with_this(&self) -> Ends<'_> {
        Ends(&self.ended)
    }

    /// Ten times a second until the end, with the number of the turn.
    fn repeat(&self, turn: impl Fn(u32)) {
        for number in 0.. {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            turn(number);
            sleep(PAUSE);
        }
    }

    /// Requests that are never a reason for an alert.
    fn usual(&self, fleet: &Fleet) {
        let gate =
            |path: &str, header: Option<(&str, &str)>| ask(&fleet.busy, "gate", path, header);
        self.repeat(|turn| {
            for _ in 0..2 + turn / 8 % 3 {
                assert_eq!(gate("/orders", Some(("authorization", &self.of_corp))), 200);
            }
            // At first fewer than the 50 in 5 seconds of the alert. Then more, but not much more than usual.
            for _ in 0..if turn < 200 {
                turn % 2
            } else {
                1 + turn % 5 / 4
            } {
                gate("/usual-401", None);
            }
            if turn % 5 == 0 {
                ask(&fleet.busy, "shadow", "/shadow", None);
                ask(
                    &fleet.updated,
                    "changed",
                    "/",
                    Some(("authorization", &self.of_corp)),
                );
            }
            if turn % 10 == 0 {
                let opaque = format!("opaque-token-{turn}");
                assert_eq!(gate("/opaque-up", Some(("x-opaque-up", &opaque))), 200);
                let password = Base64::encode_string(format!("ci:wrong-{turn}").as_bytes());
                gate(
                    "/staff",
                    Some(("authorization", &format!("Basic {password}"))),
                );
                gate("/few-403", Some(("authorization", &self.of_corp)));
            }
        });
    }

    /// Requests that come once: those that cause an alert because they are many, and a few that cause none.
    fn once(&self, fleet: &Fleet) {
        let corp = Some(("authorization", self.of_corp.as_str()));
        let gate = |number: u32, path: &str, header, status| {
            for _ in 0..number {
                assert_eq!(ask(&fleet.busy, "gate", path, header), status, "{path}");
            }
        };
        gate(100, "/spike-401", None, 401);
        gate(10, "/few-401", None, 401);
        gate(100, "/spike-403", corp, 403);
        let wrong = Some(("x-api-key", "sk-wrong-0123456789abcdef"));
        for (number, path) in [(40, "/login"), (10, "/login-rarely")] {
            for _ in 0..number {
                ask(&fleet.busy, "throttled", path, wrong);
            }
        }
        let down = Some(("authorization", self.of_down.as_str()));
        until("the configuration is changed", || {
            ask(&fleet.updated, "down", "/down-rarely", down) == 503
        });
        assert_eq!(ask(&fleet.updated, "changed", "/condition", corp), 403);
    }

    /// Requests that show a trouble for as long as it lasts.
    fn troubled(&self, fleet: &Fleet) {
        let gate =
            |path: &str, header: Option<(&str, &str)>| ask(&fleet.busy, "gate", path, header);
        self.repeat(|turn| {
            ask(&fleet.closed, "gate", "/", None);
            if turn % 3 == 0 {
                ask(
                    &fleet.updated,
                    "down",
                    "/down",
                    Some(("authorization", &self.of_down)),
                );
                let opaque = format!("opaque-token-{turn}");
                gate("/opaque-down", Some(("x-opaque-down", &opaque)));
                gate("/condition", Some(("authorization", &self.of_corp)));
                ask(&fleet.updated, "crashing", "/", None);
            }
        });
    }
}

/// The names of the alerts in a file of rules.
fn alerts(rules: &str) -> Vec<String> {
    let rules: Value = serde_yaml_ng::from_str(rules).expect("YAML");
    let groups = rules["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    rules
        .filter_map(|rule| Some(rule["alert"].as_str()?.to_owned()))
        .collect()
}

/// The seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_secs_f64()
}
