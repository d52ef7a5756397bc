//! `match.networks` for a client whose address the host does not know.

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Decision, Outcome, evaluate};
use countersign::plan::Plan;
use countersign::reject::Reject;
use countersign::request::RequestView;
use countersign::time::Timestamp;
use serde_json::{Value, json};

fn plan(patch: Value) -> Plan {
    let mut document = json!({"default": "public", "rules": [
        {"name": "other-method", "match": {"methods": ["PUT"], "networks": {"allow": ["10.0.0.0/8"]}}, "allow": "public"},
        {"name": "inside", "match": {"paths": ["/a/**"], "networks": {"allow": ["10.0.0.0/8"]}}, "allow": "public"},
        {"name": "outside", "match": {"paths": ["/b/**"], "networks": {"deny": ["10.0.0.0/8"]}}, "allow": "public"},
        {"name": "all", "match": {"paths": ["/a/**", "/b/**", "/c/**"]}, "allow": "public"},
    ]});
    for (name, value) in patch.as_object().expect("an object") {
        document[name] = value.clone();
    }
    config::load_value(&document)
        .unwrap_or_else(|faults| panic!("{faults:?}"))
        .plan
}

fn decide<'p>(plan: &'p Plan, fields: &[(&str, &str)], client: &str) -> Decision<'p> {
    let fields = [(":authority", "api")].iter().chain(fields);
    let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = RequestView::new(fields.collect()).from_client(client.parse().ok());
    let now = Timestamp::from_seconds(1_800_000_000);
    let circumstances = Circumstances::new(&Pure, now);
    match evaluate(plan, &request, &plan.empty_store(), circumstances, &mut ()) {
        Outcome::Decided(decision, _) => decision,
        Outcome::Needs(..) => panic!("nothing is fetched"),
    }
}

fn get(path: &str) -> [(&str, &str); 2] {
    [(":method", "GET"), (":path", path)]
}

#[test]
fn a_known_address_goes_on_to_the_next_rule() {
    let plan = plan(json!({}));
    for (path, client, rule) in [
        ("/a/x", "10.1.2.3", "inside"),
        ("/a/x", "::ffff:10.1.2.3", "inside"),
        ("/a/x", "192.0.2.1", "all"),
        ("/a/x", "2001:db8::1", "all"),
        ("/b/x", "10.1.2.3", "all"),
        ("/b/x", "2001:db8::1", "outside"),
    ] {
        let decision = decide(&plan, &get(path), client);
        assert!(decision.passage().is_some(), "{path} {client}");
        assert_eq!(decision.rule_name(), Some(rule), "{path} {client}");
    }
}

#[test]
fn an_unknown_address_is_denied_where_a_rule_for_networks_matches_otherwise() {
    let plan = plan(json!({}));
    for (path, rule) in [("/a/x", "inside"), ("/b/x", "outside")] {
        let decision = decide(&plan, &get(path), "unknown");
        assert_eq!(decision.refusal(), Some(Reject::Address), "{path}");
        assert_eq!(decision.rule_name(), Some(rule), "{path}");
    }
    for path in ["/c/x", "/d"] {
        let decision = decide(&plan, &get(path), "unknown");
        assert!(decision.passage().is_some(), "{path}");
    }
}

#[test]
fn plain_http_is_denied_before_an_unknown_address() {
    let plan = plan(json!({"https": "require"}));
    let decision = decide(&plan, &get("/a/x"), "unknown");
    assert_eq!(decision.refusal(), Some(Reject::PlainHttp));
}

#[test]
fn in_shadow_mode_an_unknown_address_passes() {
    let plan = plan(json!({"mode": "shadow"}));
    let decision = decide(&plan, &get("/a/x"), "unknown");
    assert_eq!(decision.refusal(), Some(Reject::Address));
    assert!(decision.is_shadow && decision.passage().is_some());
}

/// The rule of the requested method could have a fixed response.
#[test]
fn a_preflight_from_an_unknown_address_is_denied_where_the_rule_of_its_method_looks_at_networks() {
    let plan = plan(json!({}));
    let preflight = |method| {
        let fields = [
            (":method", "OPTIONS"),
            (":path", "/c/x"),
            ("origin", "https://app.example.com"),
            ("access-control-request-method", method),
        ];
        decide(&plan, &fields, "unknown")
    };
    assert_eq!(preflight("PUT").refusal(), Some(Reject::Address));
    assert!(preflight("GET").passage().is_some());
}
