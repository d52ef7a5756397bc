//! The native command as a process: its output and its exit code.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign::authenticate::basic::password::PasswordHash;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::findings;

pub const GOOD: i32 = 0;
pub const FAILURE: i32 = 1;
pub const DENIED: i32 = 2;
pub const INVALID: i32 = 3;

/// The result of a run of the command.
pub struct Ran {
    pub code: i32,
    /// The output, with each finding of `check` in one line: see [`findings::brief`].
    pub out: String,
    /// The errors, without lines of files.
    pub err: String,
    /// The output and the errors as they are.
    pub raw: String,
}

/// The errors without the lines of files.
fn without_excerpts(errors: &str) -> String {
    let is_excerpt = |line: &&str| {
        line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit())
            .starts_with('|')
    };
    errors
        .split_inclusive('\n')
        .filter(|line| !is_excerpt(line))
        .collect()
}

impl Ran {
    pub fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect(&self.out)
    }
}

/// A directory with files, in which the command runs.
pub struct Desk(TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read_json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            out: findings::brief(&out),
            err: without_excerpts(&err),
            raw: out + &err,
        };
        assert!(
            !ran.raw.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
            "no colour"
        );
        ran
    }

    /// A token that is signed with a new key, which `jwks.json` verifies.
    pub fn mint(&self) -> String {
        self.mint_with(&[
            "--generate",
            "ES256",
            "--jwks-out",
            "jwks.json",
            "--key-out",
            "key.json",
        ])
    }

    pub fn mint_with(&self, arguments: &[&str]) -> String {
        let fixed = [
            "mint",
            "--issuer",
            "https://login.example.com",
            "--audience",
            "orders",
            "--subject",
            "alice",
            "--scope",
            "orders:read",
        ];
        let ran = self.run(&[&fixed, arguments].concat());
        assert_eq!((ran.code, ran.err.as_str()), (GOOD, ""));
        assert_eq!(ran.lines().len(), 1, "the token alone");
        ran.out.trim_end().to_owned()
    }

    /// A configuration with the keys of `jwks.json`.
    pub fn document(&self) -> Value {
        let keys = self.read_json("jwks.json");
        json!({
            "realm": "orders",
            "providers": [{ "name": "corp", "jwt": {
                "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": { "inline": keys },
            } }],
            "rules": [
                { "name": "health", "match": { "paths": ["/healthz"] }, "allow": "public" },
                {
                    "name": "write", "match": { "paths": ["/orders/**"], "methods": ["PUT"] },
                    "require": { "scopes": ["orders:write"] },
                },
                { "name": "read", "match": { "paths": ["/orders/**"] }, "require": { "scopes": ["orders:read"] } },
            ],
        })
    }
}

/// A desk with a valid configuration in `document.json`, and a token that it accepts.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    let token = desk.mint();
    desk.write("document.json", desk.document().to_string());
    (desk, token)
}

fn indented(text: &str, by: usize) -> String {
    text.lines()
        .map(|line| format!("{:by$}{line}\n", ""))
        .collect()
}

/// An Envoy bootstrap whose filter has this configuration, without settings that make the filter ineffective.
pub fn bootstrap(configuration: &Value) -> String {
    format!(
        "static_resources:
  listeners:
  - name: ingress
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          use_remote_address: true
          http_filters:
          - name: gate
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: gate
                failure_policy: FAIL_RELOAD
                vm_config:
                  vm_id: gate
                  runtime: envoy.wasm.runtime.v8
                  code: {{local: {{filename: /etc/envoy/countersign.wasm}}}}
                configuration: {configuration}
          - name: envoy.filters.http.router
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"
    )
}

pub const HTTP_FILTER: &str = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config";

pub fn as_struct(document: &Value) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": document })
}

pub fn as_string_value(document: &Value) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": document.to_string() })
}

#[test]
fn help_names_the_verbs_and_the_exit_codes() {
    let desk = Desk::new();
    let ran = desk.run(&["--help"]);
    assert_eq!(ran.code, GOOD);
    for word in [
        "check",
        "explain",
        "schema",
        "hash",
        "mint",
        "2  the request is denied",
        "3  the configuration is invalid",
    ] {
        assert!(ran.out.contains(word), "{word} in {}", ran.out);
    }
    assert_eq!(desk.run(&["--version"]).code, GOOD);
    // Exit code 2 means denied. An invalid command line is a failure.
    for wrong in [&[][..], &["chek"], &["check"], &["explain", "a"]] {
        let ran = desk.run(wrong);
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{wrong:?}");
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn check_reads_a_file_that_is_a_configuration() {
    let (desk, _) = desk();
    for file in ["document.json", "-"] {
        let ran = desk.run_with_input(&["check", file], &desk.document().to_string());
        assert_eq!((ran.code, ran.err.as_str()), (GOOD, ""));
        assert_eq!(ran.out, "1 configuration, no errors, no warnings\n");
    }
    desk.write(
        "public.yaml",
        "# no keys\ndefault: public\n---\ndefault: deny\n",
    );
    assert_eq!(
        desk.run(&["check", "public.yaml"]).out,
        "2 configurations, no errors, no warnings\n"
    );
}

#[test]
fn check_reports_every_error_at_once_with_the_nearest_names() {
    let desk = Desk::new();
    desk.write(
        "bad.yaml",
        "relm: orders
mode: enforced
audit: {log: off}
providers:
- name: corp
  jwt:
    issuer: https://login.example.com
    audience: [orders]
    clock_skew: 60
    algorithms: [RS265]
    jwks: {inline: {keys: []}}
rules:
- name: a
  match: {paths: [orders], method: [GET]}
  providers: [crop]
- name: a
  match: {hosts: [yes]}
  require: {scopes: [no, 'off']}
",
    );
    let ran = desk.run(&["check", "bad.yaml"]);
    assert_eq!(ran.code, INVALID);
    assert_eq!(
        ran.lines(),
        [
            "bad.yaml: audit.log: expected `denied`, `all` or `none`, found the boolean `false`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans; did you mean `none`?",
            "bad.yaml: mode: expected `enforce` or `shadow`, found `enforced`; did you mean `enforce`?",
            "bad.yaml: providers[0].jwt.algorithms[0]: unknown algorithm `RS265`; did you mean `RS256`?",
            "bad.yaml: providers[0].jwt.audience: unknown key; did you mean `audiences`?",
            "bad.yaml: providers[0].jwt.clock_skew: expected a duration such as `90s`, found the number `60`; did you mean `60s`?",
            "bad.yaml: relm: unknown key; did you mean `realm`?",
            "bad.yaml: rules[0].match.method: unknown key; did you mean `methods`?",
            "bad.yaml: rules[0].match.paths[0]: expected a path that begins with `/`",
            "bad.yaml: rules[0].providers[0]: unknown provider `crop`; did you mean `corp`?",
            "bad.yaml: rules[1].match.hosts[0]: expected a string, found the boolean `true`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans",
            "bad.yaml: rules[1].name: duplicate name `a`: `rules[0]` has it already",
            "bad.yaml: rules[1].require.scopes[0]: expected a string, found the boolean `false`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans",
            "1 configuration, 12 errors, no warnings",
        ]
    );
}

#[test]
fn check_marks_warnings() {
    let (desk, _) = desk();
    let mut document = desk.document();
    document["providers"][0]["jwt"]["audiences"] = json!("any");
    desk.write("any.json", document.to_string());
    let ran = desk.run(&["check", "any.json"]);
    assert_eq!(ran.code, GOOD);
    assert_eq!(
        ran.lines(),
        [
            "any.json: providers[0].jwt.audiences: warning: `any` accepts tokens that were issued for other services",
            "1 configuration, no errors, 1 warning",
        ]
    );
}

#[test]
fn check_finds_the_configuration_in_envoys_configuration() {
    let (desk, _) = desk();
    let document = desk.document();
    for configuration in [as_struct(&document), as_string_value(&document)] {
        desk.write("envoy.yaml", bootstrap(&configuration));
        let ran = desk.run(&["check", "envoy.yaml"]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (GOOD, "1 configuration, no errors, no warnings\n")
        );
    }
    let mut bad = document;
    bad["relm"] = json!("orders");
    for configuration in [as_struct(&bad), as_string_value(&bad)] {
        desk.write("envoy.yaml", bootstrap(&configuration));
        let ran = desk.run(&["check", "envoy.yaml"]);
        assert_eq!(ran.code, INVALID);
        let expected = format!(
            "envoy.yaml: {HTTP_FILTER}.configuration.value.relm: unknown key; did you mean `realm`?"
        );
        assert_eq!(
            ran.lines(),
            [expected.as_str(), "1 configuration, 1 error, no warnings"]
        );
    }
}

#[test]
fn check_reports_a_configuration_of_another_type() {
    let desk = Desk::new();
    for (configuration, what) in [
        (
            json!({ "@type": "type.googleapis.com/google.protobuf.BytesValue", "value": "e30=" }),
            "expected `type.googleapis.com/google.protobuf.Struct` or `type.googleapis.com/google.protobuf.StringValue`, \
             found `type.googleapis.com/google.protobuf.BytesValue`",
        ),
        (json!({ "default": "public" }), "found nothing"),
        (
            json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": {} }),
            "expected a string in `value`",
        ),
        (
            json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "default: public" }),
            "expected JSON, found other text",
        ),
    ] {
        desk.write("envoy.yaml", bootstrap(&configuration));
        let ran = desk.run(&["check", "envoy.yaml"]);
        assert_eq!(ran.code, INVALID);
        assert!(ran.out.contains(what), "{}", ran.out);
    }
}

#[test]
fn check_reports_settings_that_make_the_filter_ineffective() {
    let desk = Desk::new();
    let safe = bootstrap(&as_struct(&json!({ "default": "public" })));
    let hcm = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
    let cases = [
        (
            "          use_remote_address: true\n",
            "",
            format!("{hcm}: warning: without `use_remote_address: true`"),
            GOOD,
        ),
        (
            "                  vm_id: gate\n",
            "",
            format!("{HTTP_FILTER}: warning: without a `vm_id`, the filter"),
            GOOD,
        ),
        (
            "FAIL_RELOAD",
            "FAIL_CLOSED",
            format!("{HTTP_FILTER}: warning: without `failure_policy: FAIL_RELOAD`"),
            GOOD,
        ),
        (
            "FAIL_RELOAD",
            "FAIL_OPEN",
            format!("{HTTP_FILTER}.failure_policy: Envoy forwards every request"),
            INVALID,
        ),
        (
            "failure_policy: FAIL_RELOAD",
            "fail_open: true",
            format!("{HTTP_FILTER}.fail_open: Envoy forwards every request"),
            INVALID,
        ),
    ];
    for (from, to, expected, code) in cases {
        desk.write("envoy.yaml", safe.replace(from, to));
        let ran = desk.run(&["check", "envoy.yaml"]);
        assert!(
            ran.lines()[0].starts_with(&format!("envoy.yaml: {expected}")),
            "{}",
            ran.out
        );
        assert_eq!((ran.lines().len(), ran.code), (2, code));
    }

    let named = "          use_remote_address: true\n";
    let detection = "          original_ip_detection_extensions: [{name: envoy.http.original_ip_detection.xff}]\n";
    desk.write("envoy.yaml", safe.replace(named, detection));
    assert_eq!(
        desk.run(&["check", "envoy.yaml"]).out,
        "1 configuration, no errors, no warnings\n"
    );
}

#[test]
fn check_reports_unknown_routes_and_routes_by_identity() {
    let desk = Desk::new();
    let rules = json!([
        { "name": "a", "match": { "route": ["order", "users"] }, "allow": "public" },
        { "name": "b", "match": { "policy": ["x"] }, "allow": "public" },
    ]);
    let identity = json!({ "headers": { "x-auth-subject": "{subject}" } });
    let document = json!({ "rules": rules, "identity": identity });
    let routes = "          route_config:
            virtual_hosts:
            - routes:
              - {name: orders, match: {prefix: /orders, headers: [{name: X_Auth_Subject, present_match: true}]}}
              - {name: users, match: {prefix: /, headers: [{name: x-other, present_match: true}]}}
";
    let manager = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
    desk.write("envoy.yaml", bootstrap(&as_struct(&document)) + routes);
    let ran = desk.run(&["check", "envoy.yaml"]);
    assert_eq!(
        ran.lines(),
        [
            format!(
                "envoy.yaml: {manager}.route_config.virtual_hosts[0].routes[0].match.headers[0]: warning: the route \
                 matches on `X_Auth_Subject`, an identity header: Envoy selects it after the filter has evaluated the \
                 request for another route"
            ),
            format!(
                "envoy.yaml: {HTTP_FILTER}.configuration.value.rules[0].match.route[0]: warning: unknown route `order`; did you mean `orders`?"
            ),
            "1 configuration, no errors, 2 warnings".to_owned(),
        ],
        "{}",
        ran.out
    );

    // Routes that no rule matches, and routes that are not in the file.
    let fetched = "          rds: {route_config_name: public}\n";
    let without = json!({ "default": "public", "identity": identity });
    for (document, routes) in [(&document, fetched), (&without, routes)] {
        desk.write("envoy.yaml", bootstrap(&as_struct(document)) + routes);
        let ran = desk.run(&["check", "envoy.yaml"]);
        assert_eq!(ran.out, "1 configuration, no errors, no warnings\n");
    }
    let ran = desk.run(&[
        "check",
        concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/routes.yaml"),
    ]);
    assert_eq!(ran.out, "1 configuration, no errors, no warnings\n");
}

#[test]
fn check_reports_filters_that_share_a_virtual_machine() {
    let desk = Desk::new();
    let safe = bootstrap(&as_struct(&json!({ "default": "public" })));
    let (_, filter) = safe.split_once("          http_filters:\n").unwrap();
    let (filter, _) = filter
        .split_once("          - name: envoy.filters.http.router")
        .unwrap();
    let other = filter.replace("countersign", "other");
    let both = safe.replace(
        "          http_filters:\n",
        &format!("          http_filters:\n{other}"),
    );
    desk.write("envoy.yaml", &both);
    let ran = desk.run(&["check", "envoy.yaml"]);
    assert_eq!(ran.code, GOOD);
    assert!(
        ran.lines()[0].ends_with(
            "http_filters[0] has the same `vm_id`, so both filters share their data; choose a unique `vm_id`"
        ),
        "{}",
        ran.out
    );
    assert!(ran.lines()[0].contains("http_filters[1].typed_config.config: warning: "));
    assert_eq!(ran.lines()[1], "1 configuration, no errors, 1 warning");
}

#[test]
fn check_finds_the_configuration_in_kubernetes_manifests() {
    let (desk, _) = desk();
    let document = desk.document();
    let wasm_plugin = |more: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: orders}}\n---\n\
             apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  name: gate\nspec:\n  \
             url: oci://registry.example.com/countersign:1\n  {more}\n  pluginConfig: {document}\n"
        )
    };
    desk.write("plugin.yaml", wasm_plugin("failStrategy: FAIL_RELOAD"));
    let ran = desk.run(&["check", "plugin.yaml"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (GOOD, "1 configuration, no errors, no warnings\n")
    );

    desk.write(
        "plugin.yaml",
        wasm_plugin("failStrategy: FAIL_OPEN").replace("realm", "relm"),
    );
    let ran = desk.run(&["check", "plugin.yaml"]);
    assert_eq!(ran.code, INVALID);
    assert_eq!(
        ran.lines(),
        [
            "plugin.yaml: documents[1].spec.pluginConfig.relm: unknown key; did you mean `realm`?",
            "plugin.yaml: documents[1].spec.failStrategy: Envoy forwards every request without authentication if the filter fails; set `failStrategy: FAIL_RELOAD`",
            "1 configuration, 2 errors, no warnings",
        ]
    );

    let policy = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyExtensionPolicy",
        "metadata": { "name": "countersign" },
        "spec": { "wasm": [{ "name": "a", "failOpen": true, "config": { "default": "public" } }] },
    });
    desk.write("policy.json", policy.to_string());
    let ran = desk.run(&["check", "policy.json"]);
    assert_eq!(ran.code, INVALID);
    assert_eq!(
        ran.lines(),
        [
            "policy.json: spec.wasm[0].failOpen: Envoy forwards every request without authentication if the filter fails; remove `failOpen`",
            "1 configuration, 1 error, no warnings",
        ]
    );

    let filter = json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": { "name": "gate" },
        "spec": { "configPatches": [{ "applyTo": "HTTP_FILTER", "patch": { "operation": "INSERT_BEFORE", "value": {
            "name": "countersign",
            "typed_config": {
                "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
                "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "value": { "config": {
                    "failure_policy": "FAIL_RELOAD", "vm_config": { "vm_id": "gate" },
                    "configuration": as_string_value(&document),
                } },
            },
        } } }] },
    });
    desk.write("filter.json", filter.to_string());
    let ran = desk.run(&["check", "filter.json"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (GOOD, "1 configuration, no errors, no warnings\n")
    );
}

/// A `google.protobuf.Struct` has doubles, and Istio prints them as integers: 2^53 + 1 arrives as 2^53.
#[test]
fn numbers_are_read_as_envoy_delivers_them() {
    const WRITTEN: &str = "account=9007199254740993";
    const ROUNDED: &str = "account=9007199254740992";
    let (desk, _) = desk();
    let tokens =
        [WRITTEN, ROUNDED].map(|claim| desk.mint_with(&["--key", "key.json", "--claim", claim]));
    let mut document = desk.document();
    document["rules"] = json!([
        { "name": "mine", "require": { "any_of": [{ "claims": { "account": [1, 9_007_199_254_740_993_u64] } }] } },
    ]);
    let warning = "rules[0].require.any_of[0].claims.account[1]: warning: numbers from 2^53 on lose their last digits here, so this is \
                   not compared as written: use a claim that is a string, or a configuration in a JSON string \
                   (`google.protobuf.StringValue`)";
    let in_yaml = "rules[0].require.any_of[0].claims.account[1]: warning: Envoy reads this number in YAML as a string, since it is no \
                   integer of 32 bits, so it never equals a number: use a configuration in a JSON string \
                   (`google.protobuf.StringValue`)";
    let in_struct = bootstrap(&as_struct(&document));
    let in_json: Value = serde_yaml_ng::from_str(&in_struct).unwrap();
    let at_value = format!("{HTTP_FILTER}.configuration.value.");
    let plugin = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": { "name": "countersign" },
        "spec": { "failStrategy": "FAIL_RELOAD", "pluginConfig": document },
    });
    let policy = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyExtensionPolicy",
        "metadata": { "name": "countersign" }, "spec": { "wasm": [{ "name": "a", "config": document }] },
    });
    let in_text = bootstrap(&as_string_value(&document));
    let of_plugin = Some(format!("spec.pluginConfig.{warning}"));
    for (name, text, warning, passes) in [
        ("document.json", document.to_string(), None, [true, false]),
        ("policy.json", policy.to_string(), None, [true, false]),
        ("text.yaml", in_text, None, [true, false]),
        (
            "struct.yaml",
            in_struct,
            Some(format!("{at_value}{in_yaml}")),
            [false, false],
        ),
        (
            "struct.json",
            in_json.to_string(),
            Some(format!("{at_value}{warning}")),
            [false, false],
        ),
        ("plugin.json", plugin.to_string(), of_plugin, [false, true]),
    ] {
        desk.write(name, text);
        let checked = desk.run(&["check", name]);
        assert_eq!(checked.code, GOOD, "{}", checked.out);
        match &warning {
            Some(warning) => assert!(checked.out.contains(warning), "{}", checked.out),
            None => assert!(!checked.out.contains("account"), "{}", checked.out),
        }
        for (token, passes) in tokens.iter().zip(passes) {
            for keys in [&[][..], &["--jwks", "jwks.json"]] {
                let arguments = ["explain", name, "--path", "/", "--bearer", token];
                let ran = desk.run(&[&arguments, keys].concat());
                let code = if passes { GOOD } else { DENIED };
                assert_eq!(ran.code, code, "{name}: {}", ran.out);
            }
        }
    }
}

/// In a Struct in YAML, Envoy keeps only integers of 32 bits as numbers.
#[test]
fn numbers_in_yaml_are_strings_for_envoy() {
    let (desk, _) = desk();
    let mut document = desk.document();
    document["rules"] =
        json!([{ "name": "mine", "require": { "claims": { "account": [7, 3_000_000_000_u64] } } }]);
    desk.write("envoy.yaml", bootstrap(&as_struct(&document)));
    for (claim, code) in [
        ("account=7", GOOD),
        ("account=3000000000", DENIED),
        ("account=\"3000000000\"", GOOD),
    ] {
        let token = desk.mint_with(&["--key", "key.json", "--claim", claim]);
        let ran = desk.run(&["explain", "envoy.yaml", "--path", "/", "--bearer", &token]);
        assert_eq!(ran.code, code, "{claim}: {}", ran.out);
    }
    let checked = desk.run(&["check", "envoy.yaml"]);
    let warned =
        "rules[0].require.claims.account[1]: warning: Envoy reads this number in YAML as a string";
    assert!(checked.out.contains(warned), "{}", checked.out);
    assert_eq!(checked.out.matches("in YAML").count(), 1);
}

#[test]
fn check_identifies_its_filter_by_name() {
    let desk = Desk::new();
    let safe = bootstrap(&as_struct(&json!({ "default": "public" })));
    let nameless = safe.replace("countersign", "something");
    desk.write("envoy.yaml", &nameless);
    let ran = desk.run(&["check", "envoy.yaml"]);
    assert_eq!(ran.code, GOOD);
    assert!(
        ran.lines()[0].ends_with(
            "note: no name contains `countersign`, so the only Wasm filter in the file is assumed to be Countersign"
        ),
        "{}",
        ran.out
    );

    desk.write(
        "envoy.yaml",
        format!(
            "a:\n{}\nb:\n{}",
            indented(&nameless, 2),
            indented(&nameless, 2)
        ),
    );
    let ran = desk.run(&["check", "envoy.yaml"]);
    assert_eq!(ran.code, FAILURE);
    assert!(
        ran.err
            .contains("contains 2 Wasm filters, and none is called `countersign`"),
        "{}",
        ran.err
    );
}

#[test]
fn check_fails_without_a_configuration() {
    let desk = Desk::new();
    desk.write("empty.yaml", "# nothing\n");
    desk.write("service.yaml", "apiVersion: v1\nkind: Service\n");
    desk.write("twice.yaml", "realm: a\nrealm: b\n");
    desk.write("broken.yaml", "a: [1,\n");
    desk.write("binary", b"\xff\xfe\x00");
    for (file, what) in [
        ("empty.yaml", "contains no configuration"),
        ("service.yaml", "contains no configuration"),
        ("twice.yaml", "line 2: duplicate key `realm`"),
        ("broken.yaml", "line 2"),
        ("binary", "is not UTF-8"),
        ("missing.yaml", "cannot read `missing.yaml`"),
        (".", "cannot read `.`"),
    ] {
        let ran = desk.run(&["check", file]);
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{file}");
        assert!(
            ran.err.starts_with("countersign: ") && ran.err.contains(what),
            "{}",
            ran.err
        );
    }
}

#[test]
fn explain_evaluates_a_minted_token() {
    let (desk, token) = desk();
    let explain = |arguments: &[&str]| {
        let ran = desk.run(&[&["explain", "document.json"], arguments].concat());
        assert!(!ran.out.contains(&token) && !ran.err.contains(&token));
        ran
    };

    let ran = explain(&["--path", "/orders/7", "--bearer", &token]);
    assert_eq!(ran.code, GOOD);
    assert_eq!(
        ran.lines(),
        [
            "the path is read as `/orders/7`",
            "rule `health` does not match: the path is not `/healthz`",
            "rule `write` does not match: the method is not `PUT`",
            "rule `read` matches",
            "access: a credential is required",
            "the request has a Bearer credential",
            "provider `corp` verified subject `alice`, scopes `orders:read`",
            "passes: subject `alice`, verified by provider `corp`",
            "filter state: countersign.rule=read, countersign.provider=corp, countersign.subject=alice",
        ]
    );

    let ran = explain(&["--path", "/orders/7"]);
    assert_eq!(ran.code, DENIED);
    assert!(ran.out.contains(
        "\nthe request has no credential\nrequires a credential of provider `corp`: the request has none\n\
         denied: unauthorized\n"
    ));
    assert!(
        ran.out
            .contains("\nwww-authenticate: Bearer realm=\"orders\"\n")
    );
    assert!(
        ran.out
            .contains("\ncontent-length: 112\n\n{\"error\":\"unauthorized\","),
        "{}",
        ran.out
    );

    let ran = explain(&["--path", "/orders/7", "--method", "HEAD"]);
    assert_eq!(ran.code, DENIED);
    assert!(
        ran.out.ends_with("\ncontent-length: 112\n\n"),
        "{}",
        ran.out
    );

    let ran = explain(&["--path", "/orders/7", "--method", "PUT", "--bearer", &token]);
    assert_eq!(ran.code, DENIED);
    assert!(
        ran.out.contains("\nHTTP/1.1 403 Forbidden\n") && ran.out.contains("insufficient_scope")
    );
    assert!(!ran.out.contains("www-authenticate"));

    let ran = explain(&["--path", "/orders/7%00"]);
    assert_eq!(ran.code, DENIED);
    assert!(
        ran.out.starts_with(
            "upstreams could read the path differently: it has a control or format character\n\
                 denied: ambiguous_path\nfilter state: countersign.reason=ambiguous_path\n\n\
                 HTTP/1.1 400 Bad Request\n"
        ),
        "{}",
        ran.out
    );

    let ran = explain(&["--path", "/healthz"]);
    assert_eq!(
        (ran.code, *ran.lines().last().unwrap()),
        (GOOD, "filter state: countersign.rule=health")
    );
}

#[test]
fn explain_names_what_is_removed_and_what_is_set() {
    let (desk, token) = desk();
    let mut document = desk.read_json("document.json");
    document["identity"] = json!({
        "headers": { "x-auth-subject": "{subject}" },
        "strip_credential": true,
    });
    desk.write("changed.json", document.to_string());
    let ran = desk.run(&[
        "explain",
        "changed.json",
        "--path",
        "/orders/7?_method=PUT",
        "--header",
        "X_Original_URL: /healthz",
        "--bearer",
        &token,
    ]);
    assert_eq!(ran.code, GOOD, "{}", ran.err);
    assert!(
        ran.out.ends_with(
            "passes: subject `alice`, verified by provider `corp`\nremoved: x_original_url, authorization\n\
             set: x-auth-subject: alice\ntarget: /orders/7\n\
             filter state: countersign.rule=read, countersign.provider=corp, countersign.subject=alice, \
             countersign.changed=1\n"
        ),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains(&token));
}

#[test]
fn explain_says_that_an_encoded_slash_in_a_parameter_is_no_separator() {
    let desk = Desk::new();
    desk.write(
        "slashes.json",
        json!({
            "encoded_slash": "segment",
            "rules": [{ "name": "project", "match": { "paths": ["/projects/{id}"] }, "allow": "public" }],
        })
        .to_string(),
    );
    let ran = desk.run(&[
        "explain",
        "slashes.json",
        "--path",
        "/projects/group%2Fshop",
    ]);
    let steps = [
        "rule `project` matches",
        "`%2F` in a path parameter is a part of its value, because `encoded_slash` is `segment`",
    ];
    assert!(ran.out.contains(&steps.join("\n")), "{}", ran.out);
    let ran = desk.run(&["explain", "slashes.json", "--path", "/projects/group"]);
    assert!(!ran.out.contains("encoded_slash"), "{}", ran.out);
}

#[test]
fn explain_says_that_a_rule_for_networks_needs_an_address() {
    let desk = Desk::new();
    desk.write(
        "networks.json",
        json!({ "rules": [
            { "name": "inside", "match": { "networks": { "allow": ["10.0.0.0/8"] } }, "allow": "public" },
            { "name": "all", "allow": "public" },
        ] })
        .to_string(),
    );
    for (arguments, expected) in [
        (&["--client", "10.1.2.3"][..], "rule `inside` matches"),
        (&["--client", "192.0.2.1"], "rule `all` matches"),
        (&[], "denied: address_not_allowed"),
    ] {
        let ran = desk.run(&[&["explain", "networks.json", "--path", "/"], arguments].concat());
        assert!(ran.out.contains(expected), "{}", ran.out);
    }
}

#[test]
fn explain_uses_the_given_address() {
    let (desk, _) = desk();
    let document = r#"{"default": "public", "networks": {"allow": ["10.0.0.0/8"]}}"#;
    desk.write("networks.json", document);
    for (arguments, code) in [
        (&["--client", "10.1.2.3"][..], GOOD),
        (&["--client", "::ffff:10.1.2.3"], GOOD),
        (&["--client", "11.0.0.1"], DENIED),
        (&[], DENIED),
    ] {
        let ran = desk.run(&[&["explain", "networks.json", "--path", "/"], arguments].concat());
        assert_eq!(ran.code, code, "{arguments:?} {}", ran.out);
        assert_eq!(ran.out.contains("address_not_allowed"), code == DENIED);
    }
}

#[test]
fn explain_uses_the_given_route() {
    let (desk, _) = desk();
    let document = r#"{"rules": [{"name": "a", "match": {"route": ["one"], "policy": ["x", "y"]}, "allow": "public"}]}"#;
    desk.write("routes.json", document);
    for (arguments, code, step) in [
        (
            &["--route", "one", "--policy", "z", "--policy", "y"][..],
            GOOD,
            "the route is `one`, with policy `z` and `y`",
        ),
        (
            &["--route", "One", "--policy", "x"],
            DENIED,
            "the route is `One`, with",
        ),
        (
            &["--policy", "x"],
            DENIED,
            "the route has no name, with policy `x`",
        ),
        (&[], DENIED, "the route has no name\n"),
    ] {
        let ran = desk.run(&[&["explain", "routes.json", "--path", "/"], arguments].concat());
        assert_eq!(ran.code, code, "{arguments:?} {}", ran.out);
        assert!(ran.out.contains(step), "{}", ran.out);
    }
}

#[test]
fn explain_prints_the_result_of_throttling() {
    let (desk, _) = desk();
    let document = |by: &str| {
        let throttle = format!(
            r#"{{"failures": 3, "window": "1m", "block": "5m", "by": ["{by}"], "exempt": ["10.0.0.0/8"]}}"#
        );
        format!(
            r#"{{"throttle": {throttle}, "rules": [{{"name": "open", "match": {{"paths": ["/open"]}}, "allow": "public"}}]}}"#
        )
    };
    desk.write("by-address.json", document("address"));
    desk.write("by-user.json", document("user"));
    let not_blocked = "throttle: not blocked";
    let no_caller =
        "throttle: not blocked, because the request has no address or user to count failures for";
    let exempt = "throttle: the client address is exempt";
    for (file, client, said) in [
        ("by-address.json", Some("192.0.2.1"), not_blocked),
        ("by-address.json", Some("10.1.2.3"), exempt),
        ("by-address.json", None, no_caller),
        ("by-user.json", Some("192.0.2.1"), no_caller),
    ] {
        let client = client.map(|client| ["--client", client]);
        let arguments = client.as_ref().map_or(&[][..], |client| &client[..]);
        let ran = desk.run(&[&["explain", file, "--path", "/"], arguments].concat());
        assert!(ran.lines().contains(&said), "{}", ran.out);
        let ran = desk.run(&[&["explain", file, "--path", "/open"], arguments].concat());
        assert!(!ran.out.contains("throttle:"), "{}", ran.out);
    }
}

#[test]
fn explain_prints_the_result_of_a_condition() {
    let (desk, token) = desk();
    for (text, step, code, reason) in [
        ("subject == 'alice'", "is true", GOOD, "passes"),
        ("subject == 'bob'", "is false", DENIED, "denied: cel_false"),
        ("claims.sub > 3", "failed: ", DENIED, "denied: cel_failed"),
    ] {
        let mut document = desk.document();
        document["rules"] = json!([{ "name": "read", "require": { "cel": text } }]);
        desk.write("cel.json", document.to_string());
        let ran = desk.run(&["explain", "cel.json", "--path", "/", "--bearer", &token]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let step = format!("\nCEL condition {step}");
        assert!(
            ran.out.contains(&step) && ran.out.contains(reason),
            "{}",
            ran.out
        );
        assert!(ran.out.contains(" of 600000)\n"), "{}", ran.out);
    }
}

#[test]
fn explain_says_where_a_credential_is_and_which_cookie_is_ignored() {
    let (desk, token) = desk();
    let mut document = desk.read_json("document.json");
    document["providers"][0]["jwt"]["from"] =
        json!([{ "cookie": "session" }, { "header": "authorization", "scheme": "Token" }]);
    desk.write("places.json", document.to_string());
    let explain = |headers: &[&str]| {
        let path = ["explain", "places.json", "--path", "/orders/7"];
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        desk.run(&path.into_iter().chain(headers).collect::<Vec<_>>())
    };
    let cookie = format!("Cookie: session={token}; a=1");
    let ran = explain(&[&cookie]);
    assert!(
        ran.out
            .contains("\nthe request has a credential in the cookie `session`\n"),
        "{}",
        ran.out
    );
    let ran = explain(&[&format!("Authorization: token {token}"), &cookie]);
    assert_eq!(ran.code, GOOD, "{}", ran.err);
    assert!(
        ran.out.contains(
            "\nthe cookie `session` is ignored and removed, because a header has a credential\n\
             the request has a Token credential\n"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\nremoved: cookie\n"), "{}", ran.out);
    let ran = explain(&["Cookie: session=s%3Ax"]);
    assert!(
        ran.out
            .contains("\nwww-authenticate: Token realm=\"orders\", error=\"invalid_token\""),
        "{}",
        ran.out
    );
}

#[test]
fn explain_reads_a_token_from_each_source() {
    let (desk, token) = desk();
    desk.write("token", format!("{token}\n"));
    desk.write(
        "headers",
        format!("x-request-id: 7\n\nAuthorization: Bearer {token}\n"),
    );
    let header = format!("Authorization: Bearer {token}");
    for source in [
        ["--bearer", &token],
        ["--bearer-file", "token"],
        ["--header", &header],
        ["--header", "@headers"],
    ] {
        let ran = desk.run(
            &[
                &["explain", "document.json", "--path", "/orders/1"],
                &source[..],
            ]
            .concat(),
        );
        assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    }
    let ran = desk.run_with_input(
        &[
            "explain",
            "document.json",
            "--path",
            "/orders/1",
            "--bearer-file",
            "-",
        ],
        &token,
    );
    assert_eq!(ran.code, GOOD);
    let both = [
        "explain",
        "document.json",
        "--path",
        "/orders/1",
        "--bearer",
        &token,
        "--header",
        &header,
    ];
    let ran = desk.run(&both);
    assert_eq!(ran.code, DENIED);
    assert!(ran.out.contains("HTTP/1.1 400 Bad Request"), "{}", ran.out);
}

#[test]
fn explain_uses_the_given_time() {
    let desk = Desk::new();
    let token = desk.mint_with(&[
        "--generate",
        "ES256",
        "--jwks-out",
        "jwks.json",
        "--now",
        "2026-03-01T12:00:00Z",
        "--expires-in",
        "10m",
    ]);
    desk.write("document.json", desk.document().to_string());
    for (now, code) in [
        ("2026-03-01T12:05:00Z", GOOD),
        ("2026-03-01 12:05:00", GOOD),
        ("1772366700", GOOD),
        ("2026-03-01T12:12:00Z", DENIED),
        ("2026-03-01T11:00:00Z", DENIED),
        ("noon", FAILURE),
        ("253402300800", FAILURE),
    ] {
        let ran = desk.run(&[
            "explain",
            "document.json",
            "--path",
            "/orders/1",
            "--bearer",
            &token,
            "--now",
            now,
        ]);
        assert_eq!(ran.code, code, "{now}: {}{}", ran.out, ran.err);
        if code == DENIED {
            assert!(ran.out.contains("error=\"invalid_token\""), "{}", ran.out);
        }
    }
    let ran = desk.run(&[
        "explain",
        "document.json",
        "--path",
        "/orders/1",
        "--bearer",
        &token,
        "--now",
        "2026-03-01T12:12:00Z",
        "--json",
    ]);
    let explanation = ran.json();
    assert_eq!(explanation["reason"], "token_expired");
    assert_eq!(explanation["response"]["status"], 401);
    let body: Value =
        serde_json::from_str(explanation["response"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["timestamp"], "2026-03-01T12:12:00Z");
}

#[test]
fn explain_prints_json() {
    let (desk, token) = desk();
    let ran = desk.run(&[
        "explain",
        "document.json",
        "--path",
        "/orders/1",
        "--bearer",
        &token,
        "--json",
    ]);
    assert_eq!(ran.code, GOOD);
    let explanation = ran.json();
    for (name, value) in [
        ("verdict", json!("passes")),
        ("reason", json!(null)),
        ("rule", json!("read")),
        ("provider", json!("corp")),
        ("subject", json!("alice")),
        ("response", json!(null)),
    ] {
        assert_eq!(explanation[name], value, "{name}");
    }
    assert_eq!(explanation["steps"].as_array().unwrap().len(), 7);

    desk.write("bad.json", r#"{"relm": "x", "default": "public"}"#);
    let ran = desk.run(&["explain", "bad.json", "--path", "/", "--json"]);
    assert_eq!(ran.code, INVALID);
    assert_eq!(
        ran.json(),
        json!({ "faults": ["relm: unknown key; did you mean `realm`?"] })
    );
    let ran = desk.run(&["explain", "bad.json", "--path", "/"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (
            INVALID,
            "bad.json: relm: unknown key; did you mean `realm`?\n"
        )
    );
}

#[test]
fn explain_replaces_the_keys() {
    let (desk, token) = desk();
    let mut document = desk.document();
    document["providers"][0]["jwt"]["jwks"] =
        json!({ "remote": { "uri": "https://login", "cluster": "login" } });
    desk.write("remote.json", document.to_string());
    desk.write("envoy.yaml", bootstrap(&as_string_value(&document)));
    for file in ["remote.json", "envoy.yaml"] {
        let explain = ["explain", file, "--path", "/orders/1", "--bearer", &token];
        let ran = desk.run(&[&explain[..], &["--jwks", "jwks.json"]].concat());
        assert_eq!(ran.code, GOOD, "{}", ran.out);
    }
    let explain = [
        "explain",
        "document.json",
        "--path",
        "/orders/1",
        "--bearer",
        &token,
        "--jwks",
    ];
    desk.mint_with(&["--generate", "ES256", "--jwks-out", "others.json"]);
    assert_eq!(
        desk.run(&[&explain[..], &["others.json"]].concat()).code,
        DENIED
    );
    // A key set is read as a fetched one.
    let keys = std::fs::read_to_string(desk.path("jwks.json")).unwrap();
    desk.write("marked.json", format!("\u{feff}{keys}"));
    let ran = desk.run(&[&explain[..], &["marked.json"]].concat());
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    desk.write("keys.txt", "no keys");
    let ran = desk.run(&[&explain[..], &["keys.txt"]].concat());
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            FAILURE,
            "countersign: `keys.txt` is not a JSON Web Key Set: not JSON\n"
        )
    );
}

#[test]
fn explain_requires_a_choice_of_several_configurations() {
    let desk = Desk::new();
    desk.write("two.yaml", "default: public\n---\ndefault: deny\n");
    let explain = ["explain", "two.yaml", "--path", "/"];
    let ran = desk.run(&explain);
    assert_eq!(ran.code, FAILURE);
    assert_eq!(
        ran.err,
        "countersign: `two.yaml` contains 2 configurations; select one with `--document NUMBER`\n"
    );
    for (number, code) in [("1", GOOD), ("2", DENIED), ("3", FAILURE), ("0", FAILURE)] {
        assert_eq!(
            desk.run(&[&explain[..], &["--document", number]].concat())
                .code,
            code
        );
    }
}

/// A token is not printed, whatever the error is and whichever argument contains the token.
#[test]
fn no_token_is_printed() {
    let (desk, token) = desk();
    let bad_header = format!("Authorization Bearer {token}");
    let bad_name = format!("Bearer {token}: x");
    let equals = format!("--bearr={token}");
    let other = Desk::new().mint();
    let query = format!("/orders/1?access_token={token}");
    for (arguments, code) in [
        (vec!["--path", "/orders/1", "--bearer", &other], DENIED),
        (
            vec!["--path", "/orders/1", "--bearer", &token, "--host", "a,b"],
            DENIED,
        ),
        (vec!["--path", &query], DENIED),
        (
            vec!["--path", "/orders/1", "--header", &bad_header],
            FAILURE,
        ),
        (vec!["--path", "/orders/1", "--header", &bad_name], FAILURE),
        (
            vec![
                "--path",
                "/orders/1",
                "--header",
                "Authorization:",
                "Bearer",
                &token,
            ],
            FAILURE,
        ),
        (vec!["--path", "/orders/1", &token], FAILURE),
        (vec!["--path", "/orders/1", &equals], FAILURE),
        (
            vec!["--path", "/orders/1", "--bearer-file", &token],
            FAILURE,
        ),
        (vec!["--path", "/orders/1", "--jwks", &token], FAILURE),
        (vec!["--path", "/orders/1", "--now", &token], FAILURE),
        (vec!["--path", "/orders/1", "--document", &token], FAILURE),
    ] {
        let ran = desk.run(&[&["explain", "document.json"], &arguments[..]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        for printed in [&ran.out, &ran.err] {
            for part in token.split('.').chain(other.split('.')) {
                assert!(!printed.contains(part), "{arguments:?}: {printed}");
            }
        }
    }
    for arguments in [
        vec!["check", &token],
        vec![&token],
        vec!["hash", "key", &token],
        vec!["schema", &token],
    ] {
        let ran = desk.run(&arguments);
        assert_eq!(ran.code, FAILURE);
        assert!(!ran.err.contains(&token), "{}", ran.err);
    }
}

/// A token that is truncated within a character, or pasted with bytes that are not UTF-8.
#[cfg(unix)]
#[test]
fn an_argument_that_is_not_utf_8_is_a_failure_and_not_printed() {
    use std::os::unix::ffi::OsStrExt;
    let (desk, token) = desk();
    let broken = [token.as_bytes(), b"\xff"].concat();
    let broken = std::ffi::OsStr::from_bytes(&broken);
    for arguments in [
        &["explain", "document.json", "--path", "/", "--bearer"][..],
        &["explain", "document.json", "--path", "/", "--jwks"],
        &["check"],
        &[],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .arg(broken)
            .current_dir(desk.0.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(FAILURE), "{arguments:?}");
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for part in token.split('.') {
            assert!(!printed.contains(part), "{arguments:?}: {printed}");
        }
    }
}

#[test]
fn schema_is_a_schema_and_agrees_with_the_reader() {
    let (desk, _) = desk();
    let ran = desk.run(&["schema"]);
    assert_eq!(ran.code, GOOD);
    assert_eq!(desk.run(&["schema", "document"]).out, ran.out);
    let schema = ran.json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["$id"].is_string() && schema["title"].is_string());
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();

    let good = desk.document();
    let changed = |pointer: &str, value: Value| {
        let mut document = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        document
    };
    let jwt = "/providers/0/jwt";
    let documents = [
        (good.clone(), true),
        (changed("/realm", json!("x")), true),
        (changed("/realm", json!(null)), true),
        (changed("/default", json!("optional")), true),
        (changed("/crypto", json!("wasm")), true),
        (changed("/audit", json!({ "log": "none" })), true),
        (
            changed("/responses", json!({ "error_description": false })),
            true,
        ),
        (changed(&format!("{jwt}/audiences"), json!("any")), true),
        (changed(&format!("{jwt}/audiences"), json!(["any"])), true),
        (
            changed(&format!("{jwt}/audiences"), json!(["a", "b"])),
            true,
        ),
        (changed(&format!("{jwt}/clock_skew"), json!("90s")), true),
        (
            changed(&format!("{jwt}/clock_skew"), json!("1h 30min")),
            true,
        ),
        (
            changed(&format!("{jwt}/algorithms"), json!(["ES256"])),
            true,
        ),
        (
            changed("/rules/1/match/headers", json!({ "x-a": "1" })),
            true,
        ),
        (changed("/realm", json!(true)), false),
        (changed("/relm", json!("x")), false),
        (changed("/mode", json!("shadow")), true),
        (changed("/mode", json!("shade")), false),
        (changed("/audit", json!({ "log": false })), false),
        (changed("/audit", json!({ "level": "all" })), false),
        (changed("/rules", json!({})), false),
        (changed("/rules/0/allow", json!("everyone")), false),
        (changed("/rules/0/name", json!(null)), false),
        (changed("/rules/0/match", json!(null)), false),
        (changed("/rules/1/match/paths", json!(null)), false),
        (changed("/rules/1/require", json!(null)), false),
        (changed(&format!("{jwt}/token_type"), json!(null)), false),
        (changed("/rules/1/match/paths", json!("/a")), false),
        (
            changed("/rules/1/match/headers", json!({ "x-a": 1 })),
            false,
        ),
        (
            changed("/rules/1/require", json!({ "scope": ["a"] })),
            false,
        ),
        (changed(&format!("{jwt}/audiences"), json!("orders")), false),
        (
            changed(&format!("{jwt}/audiences"), json!(["any", "orders"])),
            false,
        ),
        (changed(&format!("{jwt}/audiences"), json!([])), false),
        (changed(&format!("{jwt}/audiences"), json!(null)), false),
        (changed(&format!("{jwt}/clock_skew"), json!(60)), false),
        (changed(&format!("{jwt}/clock_skew"), json!("60")), false),
        (changed(&format!("{jwt}/clock_skew"), json!("soon")), false),
        (changed(&format!("{jwt}/from"), json!([])), false),
        (changed("/identity", json!({})), true),
        (
            changed("/identity", json!({ "headers": { "x-a": "{subject}" } })),
            true,
        ),
        (
            changed("/identity", json!({ "headers": { "x-a": 1 } })),
            false,
        ),
        (changed("/https", json!("require")), true),
        (changed("/https", json!(null)), false),
        (
            changed("/networks", json!({ "allow": ["10.0.0.0/8"] })),
            true,
        ),
        (changed("/networks", json!({ "allow": null })), false),
        (
            changed("/rules/1/require", json!({ "claims": { "a": [1, "b"] } })),
            true,
        ),
        (
            changed("/rules/1/require", json!({ "claims": null })),
            false,
        ),
        (
            changed(
                "/rules/1/require",
                json!({ "any_of": [{ "roles": ["a"] }] }),
            ),
            true,
        ),
        (changed("/rules/1/require", json!({ "any_of": {} })), false),
        (changed("/rules/1/on_forbidden", json!("not_found")), true),
        (changed("/rules/1/on_forbidden", json!("forbidden")), false),
        (changed("/responses", json!({ "body": "xml" })), false),
        (
            changed("/responses", json!({ "not_found": { "body": "x" } })),
            false,
        ),
        (
            changed("/cors", json!({ "allow_origins": ["https://a.example"] })),
            true,
        ),
        (changed("/cors", json!({})), false),
        (
            changed(
                "/throttle",
                json!({ "failures": 10, "window": "1m", "block": "5m", "by": ["user"] }),
            ),
            true,
        ),
        (changed("/throttle", json!({})), false),
        (
            changed(
                "/throttle",
                json!({ "failures": 101, "window": "1m", "block": "5m" }),
            ),
            false,
        ),
        (
            changed(
                "/throttle",
                json!({ "failures": 10, "window": "1m", "block": "5m", "by": [] }),
            ),
            false,
        ),
    ];
    for (document, expected) in &documents {
        assert_eq!(
            validator.is_valid(document),
            *expected,
            "the schema on {document}"
        );
        assert_eq!(
            countersign::config::load_value(document).is_ok(),
            *expected,
            "the reader on {document}"
        );
    }
}

#[test]
fn schema_describes_the_body_of_an_error() {
    let (desk, token) = desk();
    let schema = desk.run(&["schema", "error"]).json();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for arguments in [
        &["--path", "/orders/1"][..],
        &["--path", "/orders/1", "--header", "x-request-id: abc-123"],
        &["--path", "/x", "--bearer", &token],
        &["--path", "//"],
    ] {
        let ran = desk.run(&[&["explain", "document.json", "--json"], arguments].concat());
        let body: Value =
            serde_json::from_str(ran.json()["response"]["body"].as_str().unwrap()).unwrap();
        assert!(validator.is_valid(&body), "{body}");
    }
    assert!(!validator.is_valid(&json!({ "error": "x" })));
    assert_eq!(desk.run(&["schema", "nothing"]).code, FAILURE);
}

#[test]
fn hash_reads_the_secret_from_standard_input_only() {
    let desk = Desk::new();
    let sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n";
    for input in ["secret", "secret\n", "secret\r\n"] {
        let ran = desk.run_with_input(&["hash", "key"], input);
        assert_eq!((ran.code, ran.out.as_str()), (GOOD, sha256));
    }
    let ran = desk.run_with_input(&["hash", "password", "--cost", "4"], "secret\n");
    assert_eq!(ran.code, GOOD);
    assert!(ran.out.starts_with("$2y$04$"));
    assert!(bcrypt::verify("secret", ran.out.trim_end()).unwrap());
    assert!(!bcrypt::verify("secret\n", ran.out.trim_end()).unwrap());
    let ran = desk.run_with_input(&["hash", "password"], "secret");
    assert!(ran.out.starts_with("$2y$10$"));

    let longest = "x".repeat(72);
    assert_eq!(
        desk.run_with_input(&["hash", "password", "--cost", "4"], &longest)
            .code,
        GOOD
    );
    let (too_long, too_long_key) = ("x".repeat(73), "k".repeat(513));
    for (arguments, input, what) in [
        (&["hash", "key"][..], "", "the secret is empty"),
        (&["hash", "password"], "\n", "the secret is empty"),
        (&["hash", "key"], "a\nb\n", "more than one line"),
        (
            &["hash", "key"],
            "a b",
            "the filter does not accept this key",
        ),
        (
            &["hash", "key"],
            "a,b",
            "the filter does not accept this key",
        ),
        (
            &["hash", "key"],
            "caf\u{e9}",
            "the filter does not accept this key",
        ),
        (&["hash", "key"], &too_long_key, "expected at most 512"),
        (
            &["hash", "password"],
            &too_long,
            "the password has 73 bytes",
        ),
        (&["hash", "password"], "a\0b", "control characters"),
        (&["hash", "password"], "a\tb", "control characters"),
        (&["hash", "password", "--cost", "99"], "a", "99"),
        (&["hash", "password", "--cost", "15"], "a", "15"),
        (
            &["hash", "password", "--algorithm", "argon2id"],
            "a\0b",
            "control characters",
        ),
        (
            &[
                "hash",
                "password",
                "--algorithm",
                "argon2id",
                "--cost",
                "10",
            ],
            "a",
            "`--cost`",
        ),
        (&["hash", "password", "--algorithm", "md5"], "a", "md5"),
        (&["hash", "key", "secret"], "", "unexpected argument"),
        (&["hash"], "", "Usage"),
    ] {
        let ran = desk.run_with_input(arguments, input);
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{arguments:?}");
        assert!(ran.err.contains(what), "{}", ran.err);
    }
}

#[test]
fn hash_prints_password_hashes_that_the_filter_accepts() {
    let desk = Desk::new();
    let long = "x".repeat(100);
    for (arguments, password, start) in [
        (&["--cost", "4"][..], "pässwörd", "$2y$04$"),
        (
            &["--algorithm", "bcrypt", "--cost", "5"],
            "secret",
            "$2y$05$",
        ),
        (
            &["--algorithm", "argon2id"],
            &long,
            "$argon2id$v=19$m=19456,t=2,p=1$",
        ),
    ] {
        let arguments = [&["hash", "password"], arguments].concat();
        let ran = desk.run_with_input(&arguments, &format!("{password}\n"));
        assert_eq!((ran.code, ran.err.as_str()), (GOOD, ""), "{arguments:?}");
        let hash = ran.out.strip_suffix('\n').unwrap();
        assert!(hash.starts_with(start), "{hash}");
        let parsed = PasswordHash::parse(hash).unwrap();
        assert!(parsed.verify(password.as_bytes()), "{hash}");
        assert!(!parsed.verify(b"Secret"), "{hash}");
        let again = desk.run_with_input(&arguments, password);
        assert_ne!(again.out, ran.out, "the salt is random");
    }
}

#[test]
fn dg_06_hash_prints_the_digest_users_of_rfc_7616() {
    let desk = Desk::new();
    let run = |arguments: &[&str], password: &str| {
        let user = ["hash", "digest", "--user", "Mufasa"];
        let realm = ["--realm", "http-auth@example.org"];
        desk.run_with_input(&[&user[..], &realm, arguments].concat(), password)
    };
    let sha256 = "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
    let md5 = "3d78807defe7de2157e2b0b6573a855f";
    for (arguments, hashes) in [
        (&[][..], json!({"SHA-256": sha256})),
        (&["--algorithm", "MD5"], json!({"MD5": md5})),
        (
            &["--algorithm", "md5", "--algorithm", "sha-256"],
            json!({"SHA-256": sha256, "MD5": md5}),
        ),
    ] {
        let ran = run(arguments, "Circle of Life\n");
        assert_eq!((ran.code, ran.err.as_str()), (GOOD, ""), "{arguments:?}");
        let entry = json!({"name": "Mufasa", "ha1": hashes});
        assert_eq!(ran.json(), entry, "{arguments:?}");
        let yaml: Value = serde_yaml_ng::from_str(&format!("- {}", ran.out)).unwrap();
        assert_eq!(yaml, json!([entry]));
    }
    let ran = run(&["--algorithm", "SHA-256-sess"], "Circle of Life");
    assert_eq!(ran.code, FAILURE);
    assert!(ran.err.contains("`SHA-256` or `MD5`"), "{}", ran.err);
}

#[test]
fn hash_refuses_digest_users_that_the_filter_does_not_accept() {
    let desk = Desk::new();
    let long = "u".repeat(257);
    for (user, realm, password, what) in [
        ("", "orders", "secret", "this user name"),
        (" lab", "orders", "secret", "this user name"),
        ("l\tab", "orders", "secret", "this user name"),
        (&long, "orders", "secret", "this user name"),
        ("lab", "caf\u{e9}", "secret", "this realm"),
        ("lab", "a\nb", "secret", "this realm"),
        ("lab", "orders", "", "the secret is empty"),
        ("lab", "orders", "a\tb", "this password"),
    ] {
        let arguments = ["hash", "digest", "--user", user, "--realm", realm];
        let ran = desk.run_with_input(&arguments, password);
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{user:?}");
        assert!(ran.err.contains(what), "{}", ran.err);
    }
    let ran = desk.run_with_input(&["hash", "digest", "--user", "lab"], "secret");
    assert!(ran.err.contains("--realm"), "{}", ran.err);
    let arguments = [
        "hash",
        "digest",
        "--user",
        "J\u{e4}s \"X\"\\",
        "--realm",
        "a \"b\"",
    ];
    let ran = desk.run_with_input(&arguments, "p\u{e4}ss");
    assert_eq!(ran.json()["name"], "J\u{e4}s \"X\"\\");
}

/// The header and the claims of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        countersign::authenticate::jose::base64url::decode(part.as_bytes())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn mint_signs_the_given_claims() {
    let desk = Desk::new();
    desk.mint();
    let token = desk.mint_with(&[
        "--key",
        "key.json",
        "--kid",
        "other",
        "--type",
        "at+jwt",
        "--audience",
        "second",
        "--scope",
        "b c",
        "--claim",
        "level=3",
        "--claim",
        "tenant=red",
        "--claim",
        r#"roles=["admin"]"#,
        "--claim",
        "sub=bob",
        "--expires-in",
        "10m",
        "--now",
        "1772366400",
    ]);
    let (header, claims) = parts(&token);
    assert_eq!(
        header,
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": "other" })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "https://login.example.com", "aud": ["orders", "second"], "sub": "bob",
            "scope": "orders:read b c", "level": 3, "tenant": "red", "roles": ["admin"], "iat": 1772366400,
            "exp": 1772367000,
        })
    );
    for algorithm in ["HS256", "PS384", "ES512", "EdDSA"] {
        let token = desk.mint_with(&[
            "--generate",
            algorithm,
            "--jwks-out",
            &format!("{algorithm}.json"),
        ]);
        assert_eq!(parts(&token).0["alg"], algorithm);
        let key = &desk.read_json(&format!("{algorithm}.json"))["keys"][0];
        assert_eq!(key["alg"], algorithm);
        assert!(key.get("d").is_none());
    }
}

#[test]
fn mint_guards_private_keys() {
    let desk = Desk::new();
    desk.mint();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = std::fs::metadata(desk.path("key.json"))
            .unwrap()
            .permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }
    let before = desk.read_json("key.json");
    let ran = desk.run(&["mint", "--generate", "ES256", "--key-out", "key.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""));
    assert!(
        ran.err.starts_with("countersign: cannot write `key.json`"),
        "{}",
        ran.err
    );
    assert_eq!(desk.read_json("key.json"), before);
}

#[test]
fn mint_fails_if_it_cannot_sign() {
    let desk = Desk::new();
    desk.mint();
    desk.write("text", "secret");
    for (arguments, what) in [
        (&["mint"][..], "--key"),
        (&["mint", "--generate", "ES256"], "--jwks-out"),
        (
            &["mint", "--generate", "none", "--jwks-out", "x"],
            "found `none`",
        ),
        (
            &["mint", "--key", "key.json", "--generate", "ES256"],
            "cannot be used",
        ),
        (
            &["mint", "--key", "text"],
            "`text` is not a private key: not JSON",
        ),
        (
            &["mint", "--key", "jwks.json"],
            "`jwks.json` is not a private key",
        ),
        (&["mint", "--key", "missing"], "cannot read `missing`"),
        (
            &["mint", "--key", "key.json", "--expires-in", "soon"],
            "expected a duration",
        ),
        (
            &["mint", "--key", "key.json", "--claim", "x"],
            "`--claim`: expected `name=value`",
        ),
    ] {
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (FAILURE, ""), "{arguments:?}");
        assert!(ran.err.contains(what), "{}", ran.err);
    }
    assert!(!Path::new(&desk.path("x")).exists());
}

#[test]
fn explain_prints_answers_that_are_not_denials_and_shadowed_denials() {
    let desk = Desk::new();
    let document = json!({
        "origin": "https://a.example", "https": "redirect", "default": "public",
        "resource_metadata": {"resource": "https://a.example", "authorization_servers": ["https://as.example"]},
    });
    desk.write("document.json", document.to_string());
    let explain =
        |arguments: &[&str]| desk.run(&[&["explain", "document.json"], arguments].concat());

    let metadata = explain(&["--path", "/.well-known/oauth-protected-resource"]);
    assert!(
        metadata
            .out
            .contains("answered by the filter\n\nHTTP/1.1 200 OK"),
        "{}",
        metadata.out
    );
    assert_eq!(metadata.code, DENIED);
    assert_eq!(explain(&["--path", "/a"]).code, GOOD);
    let plain = explain(&["--path", "/a", "--plain-http"]);
    assert!(
        plain
            .out
            .contains("HTTP/1.1 308 Permanent Redirect\nlocation: https://a.example/a\n"),
        "{}",
        plain.out
    );
    assert_eq!(plain.code, DENIED);

    let mut shadow = document;
    shadow["mode"] = json!("shadow");
    desk.write("document.json", shadow.to_string());
    let passes = explain(&["--path", "/a", "--plain-http"]);
    assert!(
        passes
            .out
            .contains("passes because `mode` is `shadow`; would be denied: https_required"),
        "{}",
        passes.out
    );
    assert_eq!(passes.code, GOOD);
}
