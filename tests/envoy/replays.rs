//! What may be used once, sent to all workers of an Envoy at the same time: RFC 9449 §11.1, RFC 7616 §3.4.

use std::time::Duration;

use serde_json::json;

use crate::support::client::{Connection, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::possession::{
    Holder, Issuer, ORIGIN, REALM, challenges, digest_challenge, digest_fields, digest_provider,
    get,
};

const PATH: &str = "/orders/17?a=b";

/// An Envoy, and a connection to each of its workers.
struct Workers {
    envoy: Envoy,
    holder: Holder,
    connections: Vec<Connection>,
}

impl Workers {
    fn start(workers: u32) -> Self {
        let issuer = Issuer::new();
        let document = json!({
            "realm": REALM,
            "origin": ORIGIN,
            "providers": [issuer.provider(&json!({})), digest_provider(&json!({"nonce_ttl": "1h"}))],
        });
        // Envoy itself responds, so that nothing between the workers makes them wait for one another.
        let passed = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
        let bootstrap = Bootstrap::new(1).concurrency(workers);
        let envoy = Envoy::start(
            bootstrap
                .routed_listener("api", &document, &[passed])
                .balanced(),
        );
        let connect = |_| Connection::new(envoy.listener("api"), Duration::from_secs(120));
        let mut connections: Vec<Connection> = (0..workers).map(connect).collect();
        for connection in &mut connections {
            assert_eq!(connection.ask(&get(PATH, &[])).unwrap().status, 401);
        }
        Self {
            envoy,
            holder: issuer.client_of("amy"),
            connections,
        }
    }

    /// Sends a request to each worker at once. One of them accepts it; the response of the others.
    fn refused(&mut self, request: &[u8]) -> Vec<Response> {
        // No worker is always the first to get it.
        self.connections.rotate_left(1);
        let mut responses = Connection::ask_at_once(&mut self.connections, request).unwrap();
        let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
        responses.retain(|response| response.status != 200);
        assert_eq!(responses.len() + 1, self.connections.len(), "{statuses:?}");
        responses
    }

    fn ends_well(&self) {
        // The connections were never closed, and each worker had one.
        let each = vec![1; self.connections.len()];
        assert_eq!(self.envoy.accepted_by_worker("api"), each);
        assert_eq!(self.envoy.alarms(), Vec::<String>::new());
    }
}

fn each_proof_is_accepted_once(workers: &mut Workers, proofs: u32) {
    for _ in 0..proofs {
        let proof = workers.holder.proof("/orders/17", None);
        let request = get(PATH, &workers.holder.fields(&proof));
        for refused in workers.refused(&request) {
            assert_eq!(refused.status, 401);
            let challenge = challenges(&refused).find(|challenge| challenge.scheme == "DPoP");
            let challenge = challenge.expect("a challenge of DPoP");
            assert_eq!(challenge.get("error"), Some("invalid_dpop_proof"));
        }
    }
}

fn each_count_of_a_nonce_is_accepted_once(workers: &mut Workers, counts: u32) {
    let challenge = digest_challenge(&workers.connections[0].ask(&get(PATH, &[])).unwrap());
    for count in 1..=counts {
        let request = get(PATH, &digest_fields(&challenge, PATH, count));
        for refused in workers.refused(&request) {
            assert_eq!(refused.status, 401);
            assert_eq!(digest_challenge(&refused).get("stale"), Some("true"));
        }
    }
}

#[test]
fn a_proof_that_is_sent_to_two_workers_at_once_is_accepted_once() {
    let mut workers = Workers::start(2);
    each_proof_is_accepted_once(&mut workers, 1000);
    workers.ends_well();
}

#[test]
fn a_nonce_count_that_is_sent_to_two_workers_at_once_is_accepted_once() {
    let mut workers = Workers::start(2);
    each_count_of_a_nonce_is_accepted_once(&mut workers, 1000);
    workers.ends_well();
}

#[test]
fn four_workers_accept_a_proof_and_a_nonce_count_once() {
    let mut workers = Workers::start(4);
    each_proof_is_accepted_once(&mut workers, 250);
    each_count_of_a_nonce_is_accepted_once(&mut workers, 250);
    workers.ends_well();
}
