//! The forms in which `check` reports: text of several files, JSON and SARIF, without secrets.

use serde_json::{Value, json};

use crate::cli::{Desk, FAILURE, GOOD, INVALID};

const VALID: &str = "default: public\n";
const INVALID_KEY: &str = "realm: orders\ndefault: public\n\"ré😀alm\": 1\n";
const WARNED: &str = "default: public\ntrust_forwarded_proto: true\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("valid.yaml", VALID);
    desk.write("invalid.yaml", INVALID_KEY);
    desk.write("warned.yaml", WARNED);
    desk
}

#[test]
fn the_exit_code_is_that_of_the_worst_file() {
    let desk = desk();
    for (arguments, code, summary) in [
        (
            &["valid.yaml", "valid.yaml"][..],
            GOOD,
            "2 files: 2 configurations, no errors, no warnings",
        ),
        (
            &["valid.yaml", "invalid.yaml"],
            INVALID,
            "2 files: 2 configurations, 1 error, no warnings",
        ),
        (
            &["valid.yaml", "warned.yaml"],
            GOOD,
            "2 files: 2 configurations, no errors, 1 warning",
        ),
        (
            &["--strict", "valid.yaml", "warned.yaml"],
            INVALID,
            "2 files: 2 configurations, no errors, 1 warning",
        ),
        (
            &["--strict", "valid.yaml"],
            GOOD,
            "1 configuration, no errors, no warnings",
        ),
        (
            &["invalid.yaml", "nowhere.yaml"],
            FAILURE,
            "2 files: 1 configuration, 1 error, no warnings, 1 file not checked",
        ),
    ] {
        let ran = desk.run(&[&["check"], arguments].concat());
        assert_eq!(ran.code, code, "{arguments:?}");
        assert_eq!(ran.lines().last(), Some(&summary), "{arguments:?}");
        let fails = code == FAILURE;
        assert_eq!(
            ran.err.contains("cannot read `nowhere.yaml`"),
            fails,
            "{arguments:?}: {}",
            ran.err
        );
        for format in ["json", "sarif"] {
            let ran = desk.run(&[&["check", "--format", format], arguments].concat());
            assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{arguments:?}");
        }
    }
}

#[test]
fn json_has_the_position_of_each_finding() {
    let desk = desk();
    let report = desk
        .run(&["check", "--format", "json", "invalid.yaml", "nowhere.yaml"])
        .json();
    assert_eq!(report["files"], 2);
    assert_eq!(report["errors"], 1);
    assert_eq!(
        report["findings"][0],
        json!({
            "file": "invalid.yaml", "severity": "error", "code": "unknown-key", "path": "ré😀alm",
            "message": "unknown key", "fix": "did you mean `realm`?",
            "start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 9},
        })
    );
    assert_eq!(report["findings"][1]["code"], "cannot-check");
    assert_eq!(report["findings"][1]["file"], "nowhere.yaml");
    desk.write("syntax.yaml", "a: 1\nb: [\n");
    let report = desk
        .run(&["check", "--format", "json", "syntax.yaml"])
        .json();
    assert!(
        report["findings"][0]["start"]["line"].as_u64() > Some(1),
        "{report}"
    );
}

#[test]
fn sarif_counts_columns_in_utf_16_and_names_its_rules() {
    let desk = desk();
    desk.write("a b.yaml", INVALID_KEY);
    let log = desk
        .run(&[
            "check",
            "--format",
            "sarif",
            "a b.yaml",
            "warned.yaml",
            "nowhere.yaml",
        ])
        .json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        // SARIF 2.1.0 §3.27.6: the index is that of the rule with this identifier.
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
    }
    let location = &results[0]["locations"][0];
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        "a%20b.yaml"
    );
    assert_eq!(
        location["physicalLocation"]["region"],
        json!({"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 10})
    );
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "ré😀alm"
    );
}

#[test]
fn color_is_printed_only_where_it_is_asked_for() {
    let desk = desk();
    // `Desk::run` holds that an output has no color.
    desk.run(&["check", "invalid.yaml"]);
    desk.run(&["check", "--color", "never", "invalid.yaml"]);
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["check", "--color", "always", "invalid.yaml"])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    assert!(String::from_utf8(ran.stdout).unwrap().contains('\u{1b}'));
}

/// A secret that looks like any other word, and one that looks random.
const SECRETS: [&str; 2] = ["hunter2secret", "q7XvE4aGq09ZtQpLw7RkYh3nBsUjMdCf1oPp"];

/// Configurations with a fault in the line of a secret.
fn planted(secret: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let provider = |method: &str, fields: Value| json!({"realm": "orders", "providers": [{"name": "a", method: fields}]});
    for wrong in [
        json!({"client_secret": [secret]}),
        json!({"client_secrt": secret}),
        json!({"client_secret": {"env": secret}}),
        json!({"client_secret": {"name": secret}}),
        json!({"client_secret": {"envs": secret}}),
        json!({"secret": secret}),
        json!({"uri": format!("https://gate:{secret}@a.example")}),
        json!({"uri": format!("ftp://a/?access_token={secret}")}),
        json!({"cluster": 7, "password": secret}),
        json!({"cluster": 7, "key": secret}),
        json!({"headers": {"authorization": secret}}),
    ] {
        found.push(provider("introspection", wrong));
    }
    for key in ["k", "d", "p", "q", "dp", "dq", "qi", "n", "x"] {
        let jwk = json!({"kty": "oct", "crv": [], key: secret});
        found.push(provider(
            "jwt",
            json!({"issuer": 1, "audiences": [], "jwks": {"inline": {"keys": [jwk]}}}),
        ));
    }
    found.push(provider("api_key", json!({"keys": [secret]})));
    found.push(provider(
        "api_key",
        json!({"keys": [{"id": 7, "key": secret}]}),
    ));
    found.push(provider(
        "api_key",
        json!({"keys": [{"id": 7, "sha256": secret}]}),
    ));
    found.push(provider("api_key", json!({"keys": {"acme": secret}})));
    found.push(provider("api_key", json!({"keys": {secret: "acme"}})));
    found.push(provider("digest", json!({"users": {secret: 1}})));
    found.push(provider("digest", json!({"users": [{secret: "lab"}]})));
    found.push(provider(
        "digest",
        json!({"users": [format!("lab:{secret}")]}),
    ));
    found.push(provider(
        "basic",
        json!({"users": [{"name": 7, "password": secret}]}),
    ));
    found.push(provider(
        "basic",
        json!({"users": [format!("root:{secret}")]}),
    ));
    found.push(provider("basic", json!({"users": {"root": secret}})));
    found.push(provider(
        "digest",
        json!({"secret": [secret], "users": [{"name": 7, "ha1": {"MD5": secret}}]}),
    ));
    found.push(json!({"default": "public", "password": secret}));
    found.push(json!({"default": "public", "rules": [{"name": 7, "match": {"headers": {"x-api-key": secret}}}]}));
    found.push(json!({"default": "public", "rules": [{"name": 7, "require": {"cel": format!("request.headers['k'] = '{secret}'")}}]}));
    found.push(json!({"default": "public", "responses": {"pages": {"99": secret}, "login": {"uri": format!("//a?x={secret}")}}}));
    found
}

#[test]
fn no_report_shows_a_secret_in_any_kind_of_file() {
    for secret in SECRETS {
        for document in planted(secret) {
            let text = document.to_string();
            let pretty = format!("{document:#}");
            let settings = |value: &Value| {
                json!({"name": "countersign", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                    "config": {"configuration": value}}})
            };
            let string = |text: &str| {
                settings(
                    &json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}),
                )
            };
            let plugin = json!({
                "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"name": "countersign"},
                "spec": {"pluginConfig": document},
            });
            let yaml = serde_yaml_ng::to_string(&document).unwrap();
            let files = [
                text.clone(),
                pretty.clone(),
                yaml.clone(),
                yaml.lines().map(|line| format!("{line} # {secret}\n")).collect(),
                serde_yaml_ng::to_string(&string(&pretty)).unwrap(),
                string(&text).to_string(),
                serde_yaml_ng::to_string(&string(&yaml)).unwrap(),
                settings(&json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": document})).to_string(),
                serde_yaml_ng::to_string(&plugin).unwrap(),
                // Not YAML, not JSON.
                yaml.replacen(": ", ": {[", 1),
                format!("{yaml}\t- {secret}\n"),
                format!("{yaml}client_secret: \"{secret}\nx: y\n"),
                text.replacen(':', ":,", 1),
            ];
            hold_no_secret(&files, secret);
        }
    }
}

fn hold_no_secret(files: &[String], secret: &str) {
    let desk = Desk::new();
    let mut names = Vec::new();
    for (index, file) in files.iter().enumerate() {
        for extension in ["yaml", "json"] {
            let name = format!("{index}.{extension}");
            desk.write(&name, file);
            names.push(name);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let explain: Vec<Vec<&str>> = names
        .iter()
        .step_by(3)
        .map(|name| vec!["explain", name, "--path", "/"])
        .collect();
    let check = [
        &["check"][..],
        &["check", "--format", "json"],
        &["check", "--format", "sarif"],
    ];
    let check = check.map(|arguments| [arguments, &names].concat());
    for arguments in check.into_iter().chain(explain) {
        let ran = desk.run(&arguments);
        assert!(!ran.raw.is_empty());
        assert!(
            !ran.raw.contains(secret),
            "{arguments:?} of {files:#?}: {}",
            ran.raw
        );
    }
}
