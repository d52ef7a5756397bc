use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config::load_value;
use crate::keys::{self, Address, Schedule};
use crate::plan::Policy;

/// The SHA-256 of `hunter2`.
const HEX: &str = "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
const OTHER: &str = "a52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
const URL: &str = "https://keys.example.com/keys";

/// The policy with these keys, or the faults without the location of the provider.
fn compiled(keys: &Value) -> Result<Policy, Vec<String>> {
    let document = json!({ "providers": [{ "name": "partners", "api_key": { "keys": keys } }] });
    match load_value(&document) {
        Ok(loaded) => Ok(loaded.plan.policy.unwrap()),
        Err(faults) => Err(faults
            .iter()
            .map(|fault| {
                let fault = fault.to_string();
                assert!(!fault.contains("hunter2"), "{fault}");
                fault.replace("providers[0].api_key.", "")
            })
            .collect()),
    }
}

/// The keys that are in the configuration.
fn inline(policy: &Policy) -> &ApiKeys {
    match policy.providers.first().map(|provider| &provider.method) {
        Some(Method::ApiKey(api_key::ApiKey {
            keys: Keys::Inline(keys),
            ..
        })) => keys,
        other => panic!("{other:?}"),
    }
}

fn faults(keys: &Value) -> Vec<String> {
    compiled(keys).err().unwrap_or_default()
}

fn source(remote: &Value) -> keys::Source {
    match compiled(&json!({ "remote": remote })) {
        Ok(mut policy) => policy.sources.pop().unwrap(),
        Err(faults) => panic!("{faults:?}"),
    }
}

/// The remote list with these members besides `uri` and `cluster`.
fn remote(members: &Value) -> Value {
    let mut remote = json!({"uri": URL, "cluster": "keys"});
    for (name, value) in members.as_object().unwrap() {
        remote[name] = value.clone();
    }
    remote
}

#[test]
fn inline_keys_are_compiled() {
    let keys = compiled(&json!([
        {"id": "acme", "sha256": HEX, "scopes": ["orders:read"], "roles": ["clerk"], "expires": "2027-01-01T00:00:00Z"},
        {"id": "acme", "sha256": OTHER.to_uppercase()},
    ]));
    let policy = keys.unwrap();
    let keys = inline(&policy);
    assert_eq!(keys.len(), 2);
    let found = keys.find(&crate::authenticate::api_key::list::parse_digest(HEX).unwrap());
    let found = found.unwrap();
    assert_eq!(&*found.id, "acme");
    assert!(found.grants.scopes.iter().eq(["orders:read"]));
    assert!(found.grants.roles.iter().eq(["clerk"]));
    assert!(found.expires.is_some());
}

#[test]
fn each_mistake_in_an_inline_key_has_one_message_that_shows_no_key() {
    let digits =
        "expected the SHA-256 of a key, 64 hexadecimal digits: `countersign hash key` prints it";
    let plain = "a key in plain text: replace it with `sha256`, the hash that `countersign hash key` prints";
    let name = "expected a text of 1 to 256 bytes, without whitespace at an end and without invisible characters";
    let text = "expected one or more visible ASCII characters other than `\"` and `\\`";
    let entry = |member: &str, value: Value| {
        let mut entry = json!({"id": "acme", "sha256": HEX});
        entry[member] = value;
        json!([entry])
    };
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (keys, expected) in [
        (json!([]), vec!["keys: expected at least one key".to_owned()]),
        (json!("hunter2"), vec!["keys: expected a list of keys, or `remote`, found another value".to_owned()]),
        (json!(["hunter2"]), vec!["keys[0]: expected an object with `id` and `sha256`, found another value".to_owned()]),
        (entry("sha256", json!("hunter2")), vec![format!("keys[0].sha256: {digits}")]),
        (entry("sha256", json!(1_234)), vec![format!("keys[0].sha256: {digits}")]),
        (entry("sha256", json!(of_nothing)), vec!["keys[0].sha256: this is the SHA-256 of an empty key".to_owned()]),
        (
            json!([{"id": "acme", "key": "hunter2"}]),
            vec![format!("keys[0].key: {plain}"), format!("keys[0].sha256: missing: {digits}")],
        ),
        (entry("key", json!("hunter2")), vec![format!("keys[0].key: {plain}")]),
        (entry("id", json!("")), vec![format!("keys[0].id: {name}")]),
        (entry("id", json!("a\u{200b}")), vec![format!("keys[0].id: {name}")]),
        (entry("scopes", json!("a")), vec!["keys[0].scopes: expected a list, found `a`".to_owned()]),
        (entry("scopes", json!(["a b"])), vec![format!("keys[0].scopes[0]: {text}")]),
        (
            entry("scopes", json!(["*"])),
            vec!["keys[0].scopes[0]: `*` is not a wildcard here: write each name that is granted".to_owned()],
        ),
        (entry("roles", json!([""])), vec!["keys[0].roles[0]: expected a name, found an empty string".to_owned()]),
        (
            entry("expires", json!("2027-01-01")),
            vec!["keys[0].expires: expected a time such as `2027-01-01T00:00:00Z`, found `2027-01-01`".to_owned()],
        ),
        (
            entry("expires", json!(null)),
            vec!["keys[0].expires: expected a time such as `2027-01-01T00:00:00Z`, found nothing".to_owned()],
        ),
        (
            entry("expire", json!("2027-01-01T00:00:00Z")),
            vec!["keys[0].expire: unknown key; did you mean `expires`?".to_owned()],
        ),
        (
            json!([{"id": "a", "sha256": HEX}, {"id": "b", "sha256": OTHER}, {"id": "a", "sha256": HEX.to_uppercase()}]),
            vec!["keys[2].sha256: duplicate of entry 0".to_owned()],
        ),
    ] {
        assert_eq!(faults(&keys), expected, "{keys}");
    }
}

#[test]
fn a_remote_list_has_defaults() {
    let plain = source(&remote(&json!({})));
    assert_eq!(plain.provider, "partners");
    assert_eq!(plain.timeout, Duration::from_secs(5));
    let schedule = |refresh, max_stale| Schedule::List {
        refresh: Duration::from_secs(refresh),
        max_stale: Duration::from_secs(max_stale),
    };
    assert_eq!(plain.schedule, schedule(60, 86_400));
    assert!(plain.headers.0.is_empty());
    assert!(plain.content.is_list());
    assert!(matches!(plain.address, Address::Direct(endpoint) if endpoint.cluster == "keys"));

    let full = source(&remote(&json!({
        "timeout": "1s", "refresh": "1s", "max_stale": "1s", "headers": {"Authorization": "Bearer hunter2", "x-a": "b"},
    })));
    assert_eq!(full.timeout, Duration::from_secs(1));
    assert_eq!(full.schedule, schedule(1, 1));
    let headers = full.headers.0.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.expose()));
    assert!(headers.eq([("authorization", "Bearer hunter2"), ("x-a", "b")]));
    assert_eq!(format!("{:?}", full.headers), r#"["authorization", "x-a"]"#);
    source(&remote(&json!({"uri": "http://127.0.0.1:8080/keys"})));
}

#[test]
fn each_mistake_in_a_remote_list_has_one_message() {
    let refresh = "keys.remote.refresh: expected a `refresh` from `1s` to `24h`";
    let stale = "keys.remote.max_stale: expected a `max_stale` of at least `refresh`";
    let value = "expected printable ASCII characters without whitespace at an end: a header cannot carry others";
    for (members, expected) in [
        (
            json!({"uri": "http://keys.example.com/"}),
            "keys.remote.uri: expected an `https` URL: without TLS, anyone on the network path can read and replace what is sent; `http` is \
             accepted for a loopback address",
        ),
        (
            json!({"uri": "/keys"}),
            "keys.remote.uri: expected an absolute `https` or `http` URL",
        ),
        (
            json!({"uri": "https://a:hunter2@keys.example.com/"}),
            "keys.remote.uri: expected a URL without user name and password: the filter does not send them",
        ),
        (
            json!({"cluster": ""}),
            "keys.remote.cluster: expected the name of a cluster, found an empty string",
        ),
        (
            json!({"timeout": "0s"}),
            "keys.remote.timeout: expected a `timeout` from `1ms` to `60s`",
        ),
        (
            json!({"timeout": "61s"}),
            "keys.remote.timeout: expected a `timeout` from `1ms` to `60s`",
        ),
        (json!({"refresh": "999ms"}), refresh),
        (json!({"refresh": "25h"}), refresh),
        (json!({"max_stale": "59s"}), stale),
        (json!({"refresh": "2m", "max_stale": "1m"}), stale),
        (
            json!({"max_stale": null}),
            "keys.remote.max_stale: expected a duration such as `90s`, found nothing",
        ),
        (
            json!({"headers": null}),
            "keys.remote.headers: expected an object of header names and values, found nothing",
        ),
        (
            json!({"headers": {"a b": "c"}}),
            "keys.remote.headers: a key is not a valid header name: in YAML, write a space after the colon of `name: value`",
        ),
        (
            json!({"headers": {":path": "c"}}),
            "keys.remote.headers: a key is not a valid header name: in YAML, write a space after the colon of `name: value`",
        ),
        (
            json!({"headers": {"Host": "c"}}),
            "keys.remote.headers.Host: the filter or the host sets this header",
        ),
        (
            json!({"headers": {"accept": "c"}}),
            "keys.remote.headers.accept: the filter or the host sets this header",
        ),
        (
            json!({"headers": {"x-a": "c", "X-A": "d"}}),
            "keys.remote.headers.x-a: duplicate header: header names are case-insensitive",
        ),
        (
            json!({"headers": {"x-a": "hunter2\r\nx-b: c"}}),
            &format!("keys.remote.headers.x-a: {value}"),
        ),
        (
            json!({"headers": {"x-a": ""}}),
            "keys.remote.headers.x-a: expected a secret, found an empty string",
        ),
    ] {
        assert_eq!(
            faults(&json!({ "remote": remote(&members) })),
            [expected],
            "{members}"
        );
    }
    let missing = faults(&json!({ "remote": {} }));
    assert_eq!(missing.len(), 2, "{missing:?}");
    // A key of an object can be an API key.
    for keys in [json!({}), json!({"hunter2": "acme"})] {
        assert_eq!(
            faults(&keys),
            ["keys: expected a list of keys, or `remote`, found another value"]
        );
    }
    let both = faults(&json!({"remote": remote(&json!({})), "inline": []}));
    assert_eq!(
        both,
        ["keys.inline: unknown key: it belongs in `providers[].jwt.jwks`"]
    );
}
