//! `migrate`: what becomes of the configurations of other filters.
//!
//! Each `migrate/<name>.in.yaml` begins with a comment that says what it is about, and one with the arguments. The
//! configurations that result are in `<name>.out.yaml`, without the report. `BLESS=1` writes them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::cli::{Desk, INVALID};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/migrate")
}

/// The names of the inputs.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let names = entries.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".in.yaml").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn input(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.in.yaml"))).unwrap()
}

/// Runs `migrate` with the arguments of an input and further ones.
fn migrate(name: &str, further: &[&str]) -> (i32, String) {
    let input = input(name);
    let desk = Desk::new();
    desk.write("old.yaml", &input);
    let line = input.lines().nth(1).unwrap();
    let own = line.trim_start_matches('#').split_whitespace();
    let mut arguments: Vec<&str> = ["migrate"].into_iter().chain(own).collect();
    arguments.extend(further);
    arguments.push("old.yaml");
    let ran = desk.run(&arguments);
    assert_eq!(ran.err, "", "{name}");
    (ran.code, ran.out)
}

fn report(name: &str) -> Value {
    serde_json::from_str(&migrate(name, &["--format", "json"]).1).unwrap()
}

/// The configurations of an output: the lines after the report of each.
fn configurations(output: &str) -> String {
    let mut kept = String::new();
    let mut is_report = false;
    for line in output.lines() {
        is_report = line.starts_with("# gate: ") || is_report && !line.is_empty();
        if !is_report || line.starts_with("# gate: ") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn inputs_have_these_translations() {
    for name in names() {
        let (_, output) = migrate(&name, &[]);
        let found = configurations(&output);
        let file = folder().join(format!("{name}.out.yaml"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn every_translation_is_valid() {
    for name in names() {
        let (_, output) = migrate(&name, &[]);
        for document in output.split("---\n") {
            let desk = Desk::new();
            desk.write("new.yaml", document);
            let ran = desk.run(&["check", "new.yaml"]);
            assert_eq!(ran.code, 0, "{name}: {}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn what_is_lost_is_named_and_exits_with_3() {
    let lost = |name: &str| {
        let report = report(name);
        let gates = report["gates"].as_array().unwrap().clone();
        let each = gates
            .into_iter()
            .flat_map(|gate| gate["lost"].as_array().unwrap().clone());
        each.map(|note| note["construct"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("jwt", &[][..]),
        ("jwt-strict", &["spelling"]),
        ("unknown", &["condition", "destination_port", "spelling"]),
        ("istio-empty", &["action: CUSTOM"]),
        ("gateway", &["oidc"]),
        ("envoyfilter", &["typed_per_filter_config"]),
    ] {
        let mut found = lost(name);
        found.sort();
        assert_eq!(found, expected, "{name}");
        let (code, _) = migrate(name, &[]);
        assert_eq!(
            code,
            if expected.is_empty() { 0 } else { INVALID },
            "{name}"
        );
    }
}

#[test]
fn statuses_are_those_of_the_differences() {
    for name in names() {
        for gate in report(&name)["gates"].as_array().unwrap() {
            let mut pairs: Vec<(u64, u64)> = Vec::new();
            for difference in gate["differences"].as_array().unwrap() {
                let pair = (
                    difference["old"]["status"].as_u64().unwrap(),
                    difference["new"]["status"].as_u64().unwrap(),
                );
                assert!(
                    pair.1 != 200 || pair.0 == 200 || difference["permits"] == true,
                    "{name}"
                );
                if pair.0 != pair.1 && !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
            pairs.sort_unstable();
            let statuses = gate["statuses"].as_array().unwrap();
            let statuses = statuses
                .iter()
                .map(|pair| (pair["old"].as_u64().unwrap(), pair["new"].as_u64().unwrap()));
            assert_eq!(statuses.collect::<Vec<_>>(), pairs, "{name}");
        }
    }
}

#[test]
fn keys_are_hashed_and_never_printed() {
    for name in ["header-of-filter", "gateway"] {
        for format in ["yaml", "text", "json"] {
            let (_, output) = migrate(name, &["--format", format]);
            assert!(!output.contains("6f1d0c2b9a7e4835"), "{name} {format}");
        }
    }
}

#[test]
fn one_gate_can_be_chosen() {
    let (_, output) = migrate("istio", &["--gate", "shop app=orders tier=web"]);
    assert_eq!(output.matches("# gate: ").count(), 1, "{output}");
}

#[test]
fn a_file_without_a_gate_is_a_failure() {
    let desk = Desk::new();
    desk.write("other.yaml", "a: 1\n");
    let ran = desk.run(&["migrate", "other.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("nothing to translate"), "{}", ran.err);
}

/// Parsers of YAML end a comment at a carriage return, and some of them at U+0085 and U+2028.
#[test]
fn names_of_the_input_do_not_end_a_comment() {
    let desk = Desk::new();
    let name = r"a\rrules: []\u0085b\u2028c\e[1m";
    desk.write(
        "policy.yaml",
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: \"{name}\", namespace: \"{name}\"}}\n\
             spec: {{rules: [{{to: [{{operation: {{paths: [\"/{name}\"], ports: [\"1\"]}}}}]}}]}}\n"
        ),
    );
    for format in ["yaml", "text"] {
        let ran = desk.run(&["migrate", "--format", format, "policy.yaml"]);
        let is_odd = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{2028}';
        assert!(
            !ran.out.is_empty() && !ran.out.contains(is_odd),
            "{}",
            ran.out
        );
    }
}

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/// A connection manager with `rbac`, and routes.
fn manager(policies: &Value, routes: (&str, Value)) -> Value {
    let rbac = json!({"@type": RBAC, "rules": policies});
    json!({
        "@type": MANAGER, "stat_prefix": "ingress", "normalize_path": true, routes.0: routes.1,
        "http_filters": [{"name": "rbac", "typed_config": rbac}],
    })
}

/// One virtual host with these members.
fn host(members: Value) -> (&'static str, Value) {
    let mut host = json!({"name": "all", "domains": ["*"]});
    let own = members.as_object().unwrap().clone();
    host.as_object_mut().unwrap().extend(own);
    ("route_config", json!({"virtual_hosts": [host]}))
}

/// What is not read could deny every request. So no rule of the output permits one.
#[test]
fn what_is_not_read_permits_nothing() {
    let everything = json!([{"any": true}]);
    let allow = |permissions: &Value| json!({"action": "ALLOW", "policies": {"own": {"permissions": permissions, "principals": everything}}});
    let header = |matcher: Value| allow(&json!([{"header": matcher}]));
    let nothing = json!({"action": "ALLOW", "policies": {}});
    let per_route = |rbac: Value| {
        let mut own = json!({"@type": format!("{RBAC}PerRoute")});
        own.as_object_mut()
            .unwrap()
            .extend(rbac.as_object().unwrap().clone());
        json!({"rbac": own})
    };
    let off = per_route(json!({}));
    let denies = per_route(json!({"rbac": {"rules": nothing}}));
    let plain = || host(json!({"routes": [{"match": {"prefix": "/"}, "route": {"cluster": "o"}}]}));
    let rare = json!({"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 0}}});
    let tree = json!({"on_no_match": {"action": {"name": "r", "typed_config": {
        "match": {"prefix": "/"}, "route": {"cluster": "o"}, "typed_per_filter_config": denies,
    }}}});
    let weighted = json!({"weighted_clusters": {"clusters": [
        {"name": "o", "weight": 1, "typed_per_filter_config": denies},
    ]}});
    let policy = |spec: Value| {
        let mut own = json!({"targetRefs": [{"kind": "HTTPRoute", "name": "orders"}]});
        own.as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy", "metadata": {"name": "own"}, "spec": own,
        })
    };
    for (what, old) in [
        (
            "a pseudo-header that most requests lack",
            manager(
                &header(json!({"name": ":protocol", "present_match": true})),
                plain(),
            ),
        ),
        (
            "an exact match of nothing, which is any value",
            manager(
                &header(json!({"name": "x-debug", "exact_match": "", "invert_match": true})),
                plain(),
            ),
        ),
        (
            "a fraction of requests",
            manager(
                &nothing,
                host(json!({"routes": [
                    {"match": rare, "route": {"cluster": "o"}, "typed_per_filter_config": off},
                    {"match": {"prefix": "/"}, "route": {"cluster": "o"}},
                ]})),
            ),
        ),
        (
            "a tree of routes",
            manager(&allow(&everything), host(json!({"matcher": tree}))),
        ),
        (
            "a cluster of a route",
            manager(
                &allow(&everything),
                host(json!({"routes": [{"match": {"prefix": "/"}, "route": weighted}]})),
            ),
        ),
        (
            "routes that are elsewhere",
            manager(
                &allow(&everything),
                ("rds", json!({"route_config_name": "own"})),
            ),
        ),
        ("tokens of no provider", policy(json!({"jwt": {}}))),
        (
            "optional tokens of no provider",
            policy(json!({"jwt": {"optional": true}})),
        ),
        (
            "a key of a later version",
            policy(json!({"quota": {"requests": 1}})),
        ),
    ] {
        let desk = Desk::new();
        desk.write("old.json", old.to_string());
        let ran = desk.run(&["migrate", "old.json"]);
        assert!(ran.out.contains("rules:"), "{what}: {}{}", ran.out, ran.err);
        let rules = configurations(&ran.out);
        let permits = rules.contains("allow:") || rules.contains("require:");
        assert!(!permits, "{what}: {rules}");
    }
}
