//! The counters of denied requests: which requests share one, and how many there are.

use std::cell::RefCell;
use std::collections::BTreeSet;

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::plan::Plan;
use countersign::request::RequestView;
use countersign::response::reply;
use countersign::telemetry::{Definitions, DeniedCounters, MOST_DENIED};
use countersign::time::Timestamp;
use serde_json::json;

thread_local! {
    static DEFINED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A host without metrics but their names: its identifiers count up.
fn define(name: &str) -> Option<u32> {
    DEFINED.with_borrow_mut(|defined| {
        defined.push(name.to_owned());
        u32::try_from(defined.len()).ok()
    })
}

/// The name that a host knows by an identifier.
fn name_of(id: u32) -> String {
    DEFINED.with_borrow(|defined| defined[id as usize - 1].clone())
}

/// A configuration with this many rules for one path each.
fn plan(rules: usize, name: &str) -> Plan {
    let rules = (0..rules).map(|number| {
        json!({"name": format!("{name}.{number}"), "match": {"paths": [format!("/{number}")]}})
    });
    let document = json!({
        "rules": rules.collect::<Vec<_>>(),
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"],
            "jwks": {"remote": {"uri": "https://login.example.com/jwks", "cluster": "login"}},
        }}],
    });
    config::load_value(&document).unwrap().plan
}

/// Counts a request for the path of a rule, and returns the name of its counter.
fn count(
    plan: &Plan,
    counters: &mut DeniedCounters,
    definitions: &mut Definitions,
    request: (usize, Option<&str>),
) -> String {
    deny(plan, counters, definitions, request);
    match &published(counters)[..] {
        [(name, 1)] => name.clone(),
        others => panic!("{others:?}"),
    }
}

/// The names of the counters that have changed, and by how much.
fn published(counters: &mut DeniedCounters) -> Vec<(String, u32)> {
    let changed = counters.take_unpublished();
    changed.map(|(id, by)| (name_of(id), by)).collect()
}

/// Counts a request for the path of a rule.
fn deny(
    plan: &Plan,
    counters: &mut DeniedCounters,
    definitions: &mut Definitions,
    (rule, authorization): (usize, Option<&str>),
) {
    let path = format!("/{rule}");
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b":authority", b"api.example.com"),
    ];
    let authorization = authorization.map(str::as_bytes);
    fields.extend(authorization.map(|value| (&b"authorization"[..], value)));
    let (request, now) = (RequestView::new(fields), Timestamp::from_millis(0));
    let store = plan.empty_store();
    let outcome = evaluate(
        plan,
        &request,
        &store,
        Circumstances::new(&Pure, now),
        &mut (),
    );
    let Outcome::Decided(decision, _) = outcome else {
        panic!("no request has a token");
    };
    let reply = reply(&decision, &plan.presentation, &request, now).expect("a denial");
    counters.count(&decision, &reply, definitions);
}

#[test]
fn what_is_denied_between_two_ticks_is_published_with_one_call_for_each_counter_that_changed() {
    let mut definitions = Definitions::new(define, define);
    let (plan, mut counters) = (plan(9, "rule"), DeniedCounters::default());
    for rule in 0..9 {
        deny(&plan, &mut counters, &mut definitions, (rule, None));
    }
    assert_eq!(published(&mut counters).len(), 9);
    assert_eq!(published(&mut counters), []);
    let malformed = Some("Bearer a,b");
    for request in [(4, None), (2, malformed), (4, None), (4, None)] {
        deny(&plan, &mut counters, &mut definitions, request);
    }
    let name = |rest: &str| format!("countersign.denied.{rest}.-");
    assert_eq!(
        published(&mut counters),
        [
            (name("401.unauthorized.unauthorized.rule_4"), 3),
            (name("400.invalid_request.malformed_credential.rule_2"), 1),
        ]
    );
    assert_eq!(published(&mut counters), []);
}

#[test]
fn a_host_without_counters_is_not_called() {
    let mut definitions = Definitions::new(|_| None, |_| None);
    let (plan, mut counters) = (plan(1, "rule"), DeniedCounters::default());
    deny(&plan, &mut counters, &mut definitions, (0, None));
    assert_eq!(published(&mut counters), []);
}

#[test]
fn a_counter_is_defined_once_for_all_configurations() {
    let mut definitions = Definitions::new(define, define);
    for _ in 0..3 {
        let (plan, mut counters) = (plan(2, "rule"), DeniedCounters::default());
        for _ in 0..3 {
            for (request, name) in [
                ((0, None), "denied.401.unauthorized.unauthorized.rule_0.-"),
                ((1, None), "denied.401.unauthorized.unauthorized.rule_1.-"),
                (
                    (1, Some("Bearer a,b")),
                    "denied.400.invalid_request.malformed_credential.rule_1.-",
                ),
                ((7, None), "denied.401.unauthorized.unauthorized.-.-"),
            ] {
                let counted = count(&plan, &mut counters, &mut definitions, request);
                assert_eq!(counted, format!("countersign.{name}"));
            }
        }
    }
    assert_eq!(DEFINED.with_borrow(Vec::len), 4);
}

#[test]
fn counters_are_limited_in_number_and_no_request_is_lost() {
    let mut definitions = Definitions::new(define, define);
    let other = "countersign.denied.401.unauthorized.unauthorized.other.other";
    let first = (
        plan(MOST_DENIED + 10, "rule"),
        &mut DeniedCounters::default(),
    );
    let second = (plan(10, "new"), &mut DeniedCounters::default());
    for (plan, counters, rules) in [
        (&first.0, first.1, MOST_DENIED + 10),
        // The limit is of the worker, also if the configuration changes.
        (&second.0, second.1, 10),
    ] {
        for round in 0..2 {
            for rule in 0..rules {
                let counted = count(plan, counters, &mut definitions, (rule, None));
                let own = format!("countersign.denied.401.unauthorized.unauthorized.rule_{rule}.-");
                let is_own = rules > 10 && rule < MOST_DENIED;
                assert_eq!(counted, if is_own { &own } else { other }, "{round}");
            }
        }
    }
    // Another reason is counted under its name, without the rule.
    let (plan, mut counters) = (plan(1, "rule"), DeniedCounters::default());
    let malformed = (0, Some("Bearer a,b"));
    assert_eq!(
        count(&plan, &mut counters, &mut definitions, malformed),
        "countersign.denied.400.invalid_request.malformed_credential.other.other"
    );
    // A counter that is defined is found.
    assert_eq!(
        count(&plan, &mut counters, &mut definitions, (0, None)),
        "countersign.denied.401.unauthorized.unauthorized.rule_0.-"
    );
    DEFINED.with_borrow(|defined| {
        assert_eq!(defined.len(), MOST_DENIED + 2);
        assert_eq!(defined.iter().collect::<BTreeSet<_>>().len(), defined.len());
    });
}
