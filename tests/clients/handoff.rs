//! `envoy/handoff/ratelimit.yaml` with a rate limit service that Envoy asks over gRPC (Node.js).

use serde_json::json;

use crate::support::example;
use crate::support::handoff::{Outcome, RATELIMIT, Running, limits_hold};
use crate::support::ratelimit::Service;

fn running(service: u16) -> Running {
    Running::start(|upstream| {
        example::bootstrap(RATELIMIT, &[("upstream", upstream), ("ratelimit", service)])
    })
}

#[test]
fn a_limit_is_each_callers_own() {
    let mut service = Service::start(3);
    let running = running(service.port());
    limits_hold(&running);
    // Exactly what was let through and what was over the limit: no 401, and nothing that was sent in a name.
    let counted = json!({"orders subject=alice": 4, "orders subject=bob": 4});
    assert_eq!(service.counted(), counted);
    assert_eq!(running.envoy.alarms(), Vec::<String>::new());
}

#[test]
fn without_the_service_nobody_who_is_to_be_counted_passes() {
    // Nobody listens there, and nobody who is not root can.
    let running = running(1);
    let alice = json!({"sub": "alice"});
    assert_eq!(
        running.send("GET /orders/1", Some(&alice), &[]),
        Outcome::RefusedByEnvoy(500)
    );
    assert_eq!(
        running.send("GET /orders/1", None, &[]),
        Outcome::Refused(401)
    );
    assert_eq!(running.send("GET /healthz", None, &[]), Outcome::Passed);
}
