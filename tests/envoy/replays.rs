//! What may be used once, sent to all workers of an Envoy at the same time: RFC 9449 §11.1, RFC 7616 §3.4.

use std::time::Duration;

use rsa::rand_core::{OsRng, RngCore as _};
use serde_json::json;

use crate::support::client::{Connection, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::possession::{
    Holder, Issuer, ORIGIN, REALM, challenges, digest_challenge, digest_fields, digest_provider,
    get,
};

/// How many requests are sent to each worker at once.
const BATCH: u32 = 10;
const PATH: &str = "/orders/17?a=b";

/// An Envoy, and connections to each of its workers.
struct Workers {
    envoy: Envoy,
    holder: Holder,
    connections: Vec<Vec<Connection>>,
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
        let mut connections: Vec<Vec<Connection>> = (0..workers).map(|_| Vec::new()).collect();
        for _ in 0..workers * BATCH {
            let before = envoy.accepted_by_worker("api");
            let mut connection = Connection::new(envoy.listener("api"), Duration::from_secs(120));
            assert_eq!(connection.ask(&get(PATH, &[])).unwrap().status, 401);
            let after = envoy.accepted_by_worker("api");
            let worker = (0..after.len()).find(|worker| after[*worker] != before[*worker]);
            connections[worker.expect("a worker has accepted it")].push(connection);
        }
        Self {
            envoy,
            holder: issuer.client_of("amy"),
            connections,
        }
    }

    /// Sends each request to each worker at once. One of the workers accepts it; the responses of the others.
    ///
    /// Envoy is stopped until all are sent, so that its workers begin together. Each worker gets the requests in another
    /// order. So some requests are evaluated by several workers at the same moment, also if one of them begins later.
    fn refused(&mut self, requests: &[Vec<u8>]) -> Vec<Response> {
        let mut sent = Vec::new();
        for connections in &mut self.connections {
            sent.extend(shuffled(BATCH).into_iter().zip(connections));
        }
        let indices: Vec<usize> = sent.iter().map(|(index, _)| *index).collect();
        let mut sent: Vec<(&mut Connection, &[u8])> = sent
            .into_iter()
            .map(|(index, connection)| (connection, &requests[index][..]))
            .collect();
        self.envoy.pause();
        let responses = Connection::ask_at_once(&mut sent, || self.envoy.resume()).unwrap();
        let mut accepted = vec![0; requests.len()];
        let mut refused = Vec::new();
        for (index, response) in indices.into_iter().zip(responses) {
            if response.status == 200 {
                accepted[index] += 1;
            } else {
                refused.push(response);
            }
        }
        assert_eq!(accepted, vec![1; requests.len()]);
        refused
    }

    fn ends_well(&self) {
        // No connection was closed, and each worker has served the same number.
        let each = vec![u64::from(BATCH); self.connections.len()];
        assert_eq!(self.envoy.accepted_by_worker("api"), each);
        assert_eq!(self.envoy.alarms(), Vec::<String>::new());
    }
}

/// The numbers below this one in a random order.
fn shuffled(count: u32) -> Vec<usize> {
    let mut numbers: Vec<(u32, usize)> = (0..count as usize)
        .map(|number| (OsRng.next_u32(), number))
        .collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|(_, number)| number).collect()
}

fn each_proof_is_accepted_once(workers: &mut Workers, batches: u32) {
    for _ in 0..batches {
        let request = |_| {
            let proof = workers.holder.proof("/orders/17", None);
            get(PATH, &workers.holder.fields(&proof))
        };
        let requests: Vec<Vec<u8>> = (0..BATCH).map(request).collect();
        for refused in workers.refused(&requests) {
            assert_eq!(refused.status, 401);
            let challenge = challenges(&refused).find(|challenge| challenge.scheme == "DPoP");
            let challenge = challenge.expect("a challenge of DPoP");
            assert_eq!(challenge.get("error"), Some("invalid_dpop_proof"));
        }
    }
}

fn each_count_of_a_nonce_is_accepted_once(workers: &mut Workers, batches: u32) {
    let challenge = digest_challenge(&workers.connections[0][0].ask(&get(PATH, &[])).unwrap());
    for batch in 0..batches {
        let counts = batch * BATCH + 1..=(batch + 1) * BATCH;
        let request = |count| get(PATH, &digest_fields(&challenge, PATH, count));
        let requests: Vec<Vec<u8>> = counts.map(request).collect();
        for refused in workers.refused(&requests) {
            assert_eq!(refused.status, 401);
            assert_eq!(digest_challenge(&refused).get("stale"), Some("true"));
        }
    }
}

#[test]
fn a_proof_that_is_sent_to_two_workers_at_once_is_accepted_once() {
    let mut workers = Workers::start(2);
    each_proof_is_accepted_once(&mut workers, 1000 / BATCH);
    workers.ends_well();
}

#[test]
fn a_nonce_count_that_is_sent_to_two_workers_at_once_is_accepted_once() {
    let mut workers = Workers::start(2);
    each_count_of_a_nonce_is_accepted_once(&mut workers, 1000 / BATCH);
    workers.ends_well();
}

#[test]
fn four_workers_accept_a_proof_and_a_nonce_count_once() {
    let mut workers = Workers::start(4);
    each_proof_is_accepted_once(&mut workers, 250 / BATCH);
    each_count_of_a_nonce_is_accepted_once(&mut workers, 250 / BATCH);
    workers.ends_well();
}
