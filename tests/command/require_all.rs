//! Rules with `require_all`, as `check` and `explain` show them.

use serde_json::{Value, json};

use crate::cli::{DENIED, Desk, GOOD, INVALID};

/// A configuration with an API key in each of two headers.
fn configuration(rule: &Value) -> Value {
    let provider = |name: &str, digest: &str| {
        let keys = json!([{"id": format!("{name}-1"), "sha256": digest, "scopes": [name]}]);
        let from = json!([{"header": format!("x-{name}")}]);
        json!({"name": name, "api_key": {"from": from, "keys": keys}})
    };
    // The SHA-256 of `partner-key-4f1c9a7e2b6d8053` and of `service-key-8a03d5c1e79b2f46`.
    let partner = "ee9f12269dda021dd53c33f028d9a20630e78a78830ef9639381cc5c3639b339";
    let service = "979aaff41596a3ffeb22dde1e7fbeb4c573e2301f8d125be5e029aca7799427f";
    json!({
        "providers": [provider("partner", partner), provider("service", service)],
        "rules": [rule],
    })
}

#[test]
fn explain_names_every_caller_and_what_is_missing() {
    let desk = Desk::new();
    let rule = json!({
        "name": "both", "require_all": ["service", "partner"],
        "require": {"cel": "callers.partner.subject == 'partner-1' && subject == 'service-1'"},
    });
    desk.write("document.json", configuration(&rule).to_string());
    let partner = "x-partner: partner-key-4f1c9a7e2b6d8053";
    let service = "x-service: service-key-8a03d5c1e79b2f46";
    let explain = |headers: &[&str]| {
        let mut arguments = vec!["explain", "document.json", "--path", "/x"];
        arguments.extend(headers.iter().flat_map(|header| ["--header", header]));
        desk.run(&arguments)
    };

    let ran = explain(&[partner]);
    assert_eq!(ran.code, DENIED, "{}", ran.err);
    for line in [
        "access: a credential of each provider of `require_all` is required",
        "provider `partner` verified subject `partner-1`, scopes `partner`",
        "a credential of provider `service` is missing",
        "www-authenticate: ApiKey realm=\"api\", in=\"header\", name=\"x-service\"",
    ] {
        assert!(ran.lines().contains(&line), "{line}: {}", ran.out);
    }
    assert!(!ran.out.contains("name=\"x-partner\""), "{}", ran.out);

    let ran = explain(&[partner, service]);
    assert_eq!(ran.code, GOOD, "{}", ran.out);
    for line in [
        "provider `partner` verified subject `partner-1`, scopes `partner`",
        "provider `service` verified subject `service-1`, scopes `service`",
    ] {
        assert!(ran.lines().contains(&line), "{line}: {}", ran.out);
    }
    assert!(
        ran.out.contains("passes: subject `service-1`"),
        "{}",
        ran.out
    );
}

#[test]
fn check_rejects_providers_of_which_no_request_has_a_credential_each() {
    let desk = Desk::new();
    let rule = json!({"name": "both", "require_all": ["service", "partner"]});
    let mut document = configuration(&rule);
    document["providers"][1]["api_key"]["from"] =
        document["providers"][0]["api_key"]["from"].clone();
    desk.write("document.json", document.to_string());
    let ran = desk.run(&["check", "document.json"]);
    assert_eq!(ran.code, INVALID);
    let said = "rules[0].require_all: no request can have a credential of `service` and one of `partner`: configure \
                another `from` for one of them";
    assert!(
        ran.out.contains(said) || ran.err.contains(said),
        "{} {}",
        ran.out,
        ran.err
    );
}
