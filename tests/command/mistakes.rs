//! Mistakes in files, as `check` reports them: one message each, which leads to the fix and repeats no secret.

use serde_json::json;

use super::cli::{Desk, FAILURE, HTTP_FILTER, INVALID, bootstrap};

/// Holds that `check` cannot read each file, and what it says.
fn hold_unreadable(table: &[(&str, usize, &str)]) {
    for (text, line, expected) in table {
        let desk = Desk::new();
        desk.write("gate.yaml", text);
        let ran = desk.run(&["check", "gate.yaml"]);
        let expected = format!("countersign: cannot read `gate.yaml`: line {line}: {expected}\n");
        assert_eq!((ran.code, ran.err), (FAILURE, expected), "{text}");
    }
}

/// Holds that a file has exactly these errors, and no other line but warnings.
fn hold_invalid(text: &str, expected: &[&str]) {
    let desk = Desk::new();
    desk.write("gate.yaml", text);
    let ran = desk.run(&["check", "gate.yaml"]);
    let lines = ran.out.lines().filter(|line| !line.contains("warning"));
    let errors: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("gate.yaml: "))
        .collect();
    assert_eq!(errors, expected, "{text}");
    assert_eq!(ran.code, INVALID, "{text}");
}

/// Holds that a file has no configuration, and what `check` says of it.
fn hold_other(text: &str, expected: &str) {
    let desk = Desk::new();
    desk.write("gate.yaml", text);
    let ran = desk.run(&["check", "gate.yaml"]);
    let expected = format!("countersign: `gate.yaml` contains no configuration: {expected}\n");
    assert_eq!((ran.code, ran.err), (FAILURE, expected), "{text}");
}

#[test]
fn tabs_and_spaces() {
    let tab = "found a tab: YAML is indented with spaces";
    hold_unreadable(&[
        ("providers:\n\t- name: corp\n", 2, tab),
        ("responses:\n  hints: true\n\tbody: json\n", 3, tab),
        ("responses:\n\thints: true\n", 2, tab),
        ("realm:\torders\n", 1, tab),
    ]);
    let indentation =
        "wrong indentation: keys of one object, and the `-` of one list, begin in the same column";
    hold_unreadable(&[
        ("realm: orders\n rules: []\n", 2, indentation),
        (
            "rules:\n  - name: a\n    match: {paths: [/a]}\n   allow: public\n",
            4,
            indentation,
        ),
    ]);
    let colon = "expected `key: value`, with a space after `:`";
    hold_unreadable(&[
        ("realm orders\nrules: []\n", 1, colon),
        ("realm:orders\nrules: []\n", 1, colon),
    ]);
    hold_invalid(
        "realm:orders\n",
        &["expected an object, found a text: write `key: value`, with a space after `:`"],
    );
    hold_invalid(
        "default: public\n\u{a0}realm: orders\n",
        &["\u{a0}realm: unknown key: it belongs at the top level: check its indentation"],
    );
}

#[test]
fn quotes_that_end_early_and_escapes() {
    let early =
        "a quote ends the text before its end: in `'…'` write `''`, and in `\"…\"` write `\\\"`";
    let escape = "`\\` begins an escape in `\"…\"`: write `\\\\`, or use `'…'`";
    hold_unreadable(&[
        ("realm: 'It's closed'\n", 1, early),
        ("responses:\n  documentation: \"a\"b\"\n", 2, early),
        (
            "require: {cel: \"claims.sub.matches('\\d+')\"}\n",
            1,
            escape,
        ),
        ("realm: \"C:\\users\"\n", 1, escape),
    ]);
}

#[test]
fn open_quotes() {
    let open = "the quote that begins here does not end in this line";
    hold_unreadable(&[
        ("realm: \"orders\norigin: https://a\n", 1, open),
        ("realm: 'orders\norigin: 'https://a'\n", 1, open),
        ("realm: \"orders\norigin: \"https://a\"\n", 1, open),
        (
            "responses:\n  documentation: \"https://a\n  request_access: \"https://b\"\n",
            2,
            open,
        ),
        ("rules:\n- name: \"a\n  match: {methods: [GET]}\n", 2, open),
        ("rules:\n- {name: a, match: {methods: [\"GET]}}\n", 2, open),
    ]);
}

#[test]
fn text_that_yaml_reads_otherwise() {
    let alias = "`*` begins an alias in YAML: quote the text, such as `\"*\"`";
    let flow = "in `[…]` and `{…}`, quote text that has `{`, `}`, `[`, `]` or `,`, such as `\"/users/{id}\"`";
    hold_unreadable(&[
        ("rules:\n- match: {methods: [*]}\n", 2, alias),
        ("rules:\n- match: {hosts: [*.example.com]}\n", 2, alias),
        (
            "rules:\n- match:\n    hosts:\n    - *.example.com\n",
            4,
            alias,
        ),
        ("realm: *orders\n", 1, alias),
        ("rules:\n- match: {paths: [/users/{id}]}\n", 2, flow),
        (
            "realm: @orders\n",
            1,
            "a text cannot begin with `@`, `%` or a backtick in YAML: quote it",
        ),
        (
            "realm: orders:\n",
            1,
            "found a second `: ` in a line: quote text that has one",
        ),
        (
            "realm: orders: v2\n",
            1,
            "found a second `: ` in a line: quote text that has one",
        ),
    ]);
    let quote = "in YAML, quote text that has `{` or `: `";
    hold_invalid(
        "default: public\nidentity: {headers: {x-user: {subject}}}\n",
        &[&format!(
            "identity.headers.x-user: expected a string, found an object with the key `subject`; {quote}"
        )],
    );
    hold_invalid(
        "default: deny\nresource_metadata: {resource: 'https://a', authorization_servers: ['https://b'], \
         scopes_supported: [orders: read]}\n",
        &[&format!(
            "resource_metadata.scopes_supported[0]: expected a string, found an object with the key `orders`; {quote}"
        )],
    );
    hold_invalid(
        "default: public\naudit: {log: off}\n",
        &[
            "audit.log: expected `denied`, `all` or `none`, found the boolean `false`: YAML reads `on`, `off`, `yes` and \
             `no` without quotes as booleans; did you mean `none`?",
        ],
    );
    hold_invalid(
        "default: public\nrealm: “orders”\n",
        &["realm: quotes such as `“` are part of the text: use `\"`"],
    );
    hold_invalid(
        "default: public\n“realm”: orders\n",
        &["“realm”: quotes such as `“` are part of the text: use `\"`"],
    );
    let braces = "a text that begins with `{` or `[` is an object or a list in YAML: quote it, such as \
                  `\"{subject}:{provider}\"`";
    hold_unreadable(&[
        (
            "identity:\n  headers:\n    x-user: {subject}:{provider}\n",
            3,
            braces,
        ),
        (
            "rules:\n- name: a\n  match:\n    paths:\n    - {id}/x\n",
            5,
            braces,
        ),
    ]);
}

#[test]
fn templates_that_are_not_rendered() {
    let template =
        "found a template that is not rendered: render it first, for example with `helm template`";
    hold_unreadable(&[
        ("realm: {{ .Values.realm }}\n", 1, template),
        (
            "default: public\nrealm: {{ .Values.realm | quote }}\n",
            2,
            template,
        ),
        (
            "{{- if .Values.gate }}\ndefault: public\n{{- end }}\n",
            1,
            template,
        ),
        ("rules:\n{{ toYaml .Values.rules }}\n", 2, template),
        ("realm: {% if x %}\n", 1, template),
        ("realm: {{ printf \"%s\" .Values.realm }}\n", 1, template),
        ("realm: {{ realm }}\n", 1, template),
    ]);
    for realm in [
        "{{ realm }}",
        "${realm}",
        "${REALM:-orders}",
        "${var.realm}",
        "$(REALM)",
    ] {
        hold_invalid(
            &format!("default: public\nrealm: \"{realm}\"\n"),
            &[&format!("realm: {template}")],
        );
    }
    hold_invalid(
        "default: public\nidentity: {headers: {x-user: \"${subject}\"}}\n",
        &[
            "identity.headers.x-user: a placeholder is written without `$`, such as `{subject}` or `{url}`",
        ],
    );
    hold_invalid(
        "default: public\nrealm: '{{ .Values.realm }}'\norigin: ${ORIGIN}\n",
        &[
            &format!("origin: {template}"),
            &format!("realm: {template}"),
        ],
    );
    hold_invalid(
        "{\"default\": \"public\", \"realm\": \"{{ .Values.realm }}\"}",
        &[&format!("realm: {template}")],
    );
    // A page is sent as it is written.
    let desk = Desk::new();
    let page = "{\"default\": \"public\", \"responses\": {\"not_found\": {\"status\": 404, \"body\": \"{{ .x }}\"}}}";
    desk.write("page.json", page);
    assert_eq!(desk.run(&["check", "page.json"]).code, 0);
}

#[test]
fn files_of_other_kinds() {
    hold_other(
        "services:\n  envoy:\n    image: envoyproxy/envoy\n    volumes: ['./envoy.yaml:/etc/envoy.yaml']\n",
        "this is a Docker Compose file: pass the configuration that a service mounts",
    );
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gate}\ndata:\n  note: hello\n";
    hold_other(
        map,
        "this is a `ConfigMap`, and none of its texts is a configuration",
    );
    hold_other(
        &format!("{map}  gate.yaml: |\n    providers: []\n    rules: []\n"),
        "this is a `ConfigMap`: pass the text of `data[\"gate.yaml\"]` as a file",
    );
    let envoy = bootstrap(&json!({ "@type": "type.googleapis.com/google.protobuf.Struct" }));
    let envoy: String = envoy.lines().map(|line| format!("    {line}\n")).collect();
    hold_other(
        &format!("{map}  envoy.yaml: |\n{envoy}"),
        "this is a `ConfigMap`: pass the text of `data[\"envoy.yaml\"]` as a file",
    );
    let list = format!(
        "kind: List\nitems:\n- {}",
        map.trim_end().replace('\n', "\n  ")
    );
    hold_other(
        &format!(
            "kind: Deployment\nspec: {{}}\n---\n{list}\n    gate.json: '{{\"default\": \"deny\"}}'\n"
        ),
        "this is a `ConfigMap`: pass the text of `data[\"gate.json\"]` as a file",
    );
    hold_other(
        "kind: Secret\nstringData:\n  gate.yaml: |\n    default: deny\n",
        "this is a `Secret`: pass the text of `stringData[\"gate.yaml\"]` as a file",
    );
    hold_other(
        "kind: Secret\ndata:\n  gate.yaml: cnVsZXM6IFtdCg==\n  password: aHVudGVyMg==\n",
        "this is a `Secret`: pass the text of `data[\"gate.yaml\"]`, decoded from base64, as a file",
    );
    hold_other(
        &format!("{map}binaryData:\n  gate.yaml: cnVsZXM6IFtdCg==\n"),
        "this is a `ConfigMap`: pass the text of `binaryData[\"gate.yaml\"]`, decoded from base64, as a file",
    );
    // The text itself cannot be read: that is for `check` of the file to say.
    hold_other(
        &format!("{map}  gate.yaml: |\n    realm: {{{{ .Values.realm }}}}\n    rules: []\n"),
        "this is a `ConfigMap`: pass the text of `data[\"gate.yaml\"]` as a file",
    );
    hold_other(
        "gateway:\n  filters:\n  - providers: [{name: corp, jwt: {}}]\n",
        "the configuration is below `gateway.filters[0]`: pass only what is below this key",
    );
    for (kind, rule) in [("Ingress", "host: a"), ("AuthorizationPolicy", "to: []")] {
        hold_other(
            &format!("apiVersion: v1\nkind: {kind}\nspec: {{rules: [{{{rule}}}]}}\n"),
            &format!("`kind: {kind}` has no configuration of a Wasm filter"),
        );
    }
    hold_other(
        "config:\n  providers: []\n  rules: []\n",
        "the configuration is below `config`: pass only what is below this key",
    );
    hold_other(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nspec: {jwtRules: []}\n",
        "`kind: RequestAuthentication` has no configuration of a Wasm filter",
    );
}

#[test]
fn a_configuration_of_jwt_authn() {
    let expected = "this is a configuration of Envoy's `jwt_authn`: here `providers` is a list of `{name, jwt}`, \
                    `remote_jwks` is `jwks: {remote: {uri, cluster}}`, `match: {prefix: /a}` is `match: {paths: \
                    [/a/**]}`, and `requires` is `providers: [name]`";
    let pasted = "providers:\n  corp:\n    issuer: https://login.example.com\n    remote_jwks: {http_uri: {uri: https://a}}\n\
                  rules:\n- match: {prefix: /}\n  requires: {provider_name: corp}\n";
    hold_invalid(pasted, &[expected]);
    let typed =
        "'@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    hold_other(&format!("{typed}\n{pasted}"), expected);
    let inner: String = pasted.lines().map(|line| format!("    {line}\n")).collect();
    hold_other(
        &format!("http_filters:\n- name: jwt\n  typed_config:\n    {typed}\n{inner}"),
        expected,
    );
}

#[test]
fn a_configuration_under_the_wrong_key_or_in_the_wrong_form() {
    let plugin = |spec: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: countersign}}\nspec:\n  \
             url: oci://registry/countersign\n  failStrategy: FAIL_RELOAD\n  phase: AUTHN\n{spec}"
        )
    };
    hold_invalid(
        &plugin("  pluginConfig: |\n    default: public\n"),
        &[
            "spec.pluginConfig: expected an object, found a text: in YAML, remove the `|` or `>` before it",
        ],
    );
    for key in ["config", "configuration", "pluginconfig", "pluginConfg"] {
        hold_invalid(
            &plugin(&format!("  {key}:\n    default: public\n")),
            &[&format!(
                "spec.{key}: unknown key `{key}`: expected the configuration in `pluginConfig`"
            )],
        );
    }
    hold_invalid(
        &format!("{}pluginConfig:\n  default: public\n", plugin("")),
        &["pluginConfig: found `pluginConfig`: expected the configuration in `spec.pluginConfig`"],
    );
    hold_invalid(
        &plugin("  vmConfig: {env: []}\n"),
        &["spec.default: a credential is required, but no provider is configured"],
    );
    let text = json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "default: public\n" });
    hold_invalid(
        &bootstrap(&text),
        &[&format!(
            "{HTTP_FILTER}.configuration.value: expected JSON, found other text: a `google.protobuf.StringValue` holds \
             JSON, and YAML needs a `google.protobuf.Struct`"
        )],
    );
    let block = json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": "default: public\n" });
    hold_invalid(
        &bootstrap(&block),
        &[&format!(
            "{HTTP_FILTER}.configuration.value: expected an object, found a text: in YAML, remove the `|` or `>` before it"
        )],
    );
    let beside =
        json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "default": "public" });
    hold_invalid(
        &bootstrap(&beside),
        &[&format!(
            "{HTTP_FILTER}.configuration.default: expected the configuration in `value`, found `default` beside it"
        )],
    );
    let renamed = bootstrap(&text).replace("configuration: {", "config: {");
    hold_invalid(
        &renamed,
        &[&format!(
            "{HTTP_FILTER}.config: unknown key `config`: expected the configuration in `configuration`"
        )],
    );
}

/// A value in the wrong place can be a password.
#[test]
fn no_message_repeats_a_secret() {
    for text in [
        "default: public\nrealm: *hunter2hunter2\n",
        "default: public\nrealm: @hunter2hunter2\n",
        "default: public\nrealm: \"hunter2hunter2\nrules: []\n",
        "default: public\nrealm: {hunter2hunter2}: x\n",
        "default: public\npassword: hunter2hunter2\n",
        "default: public\nrealm: {password: hunter2hunter2}\n",
        "default: public\norigin: https://user:hunter2hunter2@a\n",
        "default: public\nresponses: {documentation: 'https://user:hunter2hunter2@a'}\n",
    ] {
        let desk = Desk::new();
        desk.write("gate.yaml", text);
        let ran = desk.run(&["check", "gate.yaml"]);
        assert_ne!(ran.code, 0, "{text}");
        let said = ran.out + &ran.err;
        assert!(!said.contains("hunter2"), "{text}: {said}");
    }
}
