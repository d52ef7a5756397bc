//! Two Envoys with the filter behind a third that balances: what they do not share, and what `docs/several-proxies.md`
//! advises.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support;
use crate::support::client::{Connection, Response};
use crate::support::gates::{BALANCER, GATE, GATES, Gates};
use crate::support::possession::{
    Holder, Issuer, challenges, digest_challenge, digest_fields, digest_provider, get,
};

const PATH: &str = "/orders/17";
const GATE_EXAMPLE: &str = "envoy/several/gate.yaml";

/// The statuses of the responses to a request that is sent so many times.
fn again(connection: &mut Connection, times: usize, request: &[u8]) -> Vec<u16> {
    let status = |_| connection.ask(request).unwrap().status;
    (0..times).map(status).collect()
}

/// The Envoy that has responded.
fn gate(response: &Response) -> String {
    let gates: Vec<_> = response.values(GATE).collect();
    let [gate] = gates[..] else {
        panic!("not from one of the two: {response:?}");
    };
    String::from_utf8(gate.to_vec()).unwrap()
}

/// The nonce of a response that wants one in the proof.
fn wanted_nonce(response: &Response) -> String {
    let challenge = challenges(response).find(|challenge| challenge.scheme == "DPoP");
    let challenge = challenge.unwrap_or_else(|| panic!("no challenge of DPoP: {response:?}"));
    assert_eq!(challenge.get("error"), Some("use_dpop_nonce"));
    let nonces: Vec<_> = response.values("dpop-nonce").collect();
    let [nonce] = nonces[..] else {
        panic!("no nonce: {response:?}");
    };
    String::from_utf8(nonce.to_vec()).unwrap()
}

fn is_stale(response: &Response) -> bool {
    response.status == 401 && digest_challenge(response).get("stale") == Some("true")
}

/// A request with a proof that has this nonce, and that was never sent.
fn with_a_nonce(holder: &Holder, nonce: Option<&str>) -> Vec<u8> {
    get(PATH, &holder.fields(&holder.proof(PATH, nonce)))
}

#[test]
fn a_proof_is_accepted_once_if_all_requests_with_its_token_reach_one_envoy() {
    let issuer = Issuer::new();
    let gates = Gates::start(&[issuer.provider(&json!({}))]);
    each_envoy_accepts_a_proof_once(&gates, &issuer);
    by_a_hash_of_the_token_a_proof_is_accepted_once(&gates, &issuer);
    by_a_hash_of_the_whole_header_a_thief_reaches_both(&gates, &issuer);
    by_a_cookie_a_thief_reaches_both(&gates, &issuer);
    gates.end_well();
}

fn each_envoy_accepts_a_proof_once(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.in_turn();
    let holder = issuer.client_of("amy");
    let request = get(PATH, &holder.fields(&holder.proof(PATH, None)));
    let statuses = again(&mut balancer.connect(), 6, &request);
    assert_eq!(statuses, [200, 200, 401, 401, 401, 401]);
}

/// However the scheme and the spaces before the token are written.
fn by_a_hash_of_the_token_a_proof_is_accepted_once(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.by_hash();
    let mut connection = balancer.connect();
    let mut used = BTreeSet::new();
    for number in 0..40 {
        let holder = issuer.client_of(&format!("user-{number}"));
        let proof = holder.proof(PATH, None);
        let responses = ["DPoP ", "dpop ", "DPOP  ", "dPoP      "].map(|scheme| {
            let request = get(PATH, &holder.fields_after(scheme, &proof));
            connection.ask(&request).unwrap()
        });
        let statuses = responses.each_ref().map(|response| response.status);
        assert_eq!(statuses, [200, 401, 401, 401]);
        let gates: BTreeSet<_> = responses.iter().map(gate).collect();
        assert_eq!(gates.len(), 1, "{gates:?}");
        used.extend(gates);
    }
    assert_eq!(used.len(), GATES.len(), "all tokens lead to {used:?}");
}

fn by_a_hash_of_the_whole_header_a_thief_reaches_both(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.behind(|route, _| {
        route["hash_policy"] = json!([{"header": {"header_name": "authorization"}}]);
    });
    let mut connection = balancer.connect();
    let holder = issuer.client_of("amy");
    let proof = holder.proof(PATH, None);
    let passed = (1..=40).filter(|spaces| {
        let fields = holder.fields_after(&format!("DPoP{}", " ".repeat(*spaces)), &proof);
        connection.ask(&get(PATH, &fields)).unwrap().status == 200
    });
    assert_eq!(passed.count(), 2);
}

fn by_a_cookie_a_thief_reaches_both(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.behind(by_cookie);
    let mut connection = balancer.connect();
    let holder = issuer.client_of("amy");
    let proof = holder.proof(PATH, None);
    let passed = (1..=40).filter(|number| {
        let mut fields = holder.fields(&proof);
        fields.push(("cookie".to_owned(), format!("gate={number}")));
        connection.ask(&get(PATH, &fields)).unwrap().status == 200
    });
    assert_eq!(passed.count(), 2);
}

/// Requests with the same cookie go to the same Envoy.
fn by_cookie(route: &mut Value, _: &mut Value) {
    route["hash_policy"] = json!([{"cookie": {"name": "gate", "ttl": "0s"}}]);
}

/// Requests of the same address go to the same Envoy.
fn by_address(route: &mut Value, _: &mut Value) {
    route["hash_policy"] = json!([{"connection_properties": {"source_ip": true}}]);
}

#[test]
fn a_nonce_is_accepted_once_and_only_by_its_issuer() {
    let issuer = Issuer::new();
    let required = issuer.provider(&json!({"nonce": "required"}));
    let gates = Gates::start(&[required, digest_provider(&json!({}))]);
    let [mut one, mut two] = gates.each();

    let challenge = digest_challenge(&one.ask(&get(PATH, &[])).unwrap());
    let request = get(PATH, &digest_fields(&challenge, PATH, 1));
    assert!(is_stale(&two.ask(&request).unwrap()));
    assert_eq!(again(&mut one, 1, &request), [200]);
    assert!(is_stale(&one.ask(&request).unwrap()));
    assert!(is_stale(&two.ask(&request).unwrap()));

    let holder = issuer.client_of("amy");
    let nonce = wanted_nonce(&one.ask(&with_a_nonce(&holder, None)).unwrap());
    let request = with_a_nonce(&holder, Some(&nonce));
    wanted_nonce(&two.ask(&request).unwrap());
    assert_eq!(again(&mut one, 2, &request), [200, 401]);
    wanted_nonce(&two.ask(&request).unwrap());

    clients_whose_requests_go_elsewhere_each_time_never_pass(&gates, &holder);
    gates.end_well();
}

fn clients_whose_requests_go_elsewhere_each_time_never_pass(gates: &Gates, holder: &Holder) {
    let balancer = gates.in_turn();
    let mut connection = balancer.connect();
    let mut challenge = digest_challenge(&connection.ask(&get(PATH, &[])).unwrap());
    for _ in 0..6 {
        let request = get(PATH, &digest_fields(&challenge, PATH, 1));
        let response = connection.ask(&request).unwrap();
        assert!(is_stale(&response));
        challenge = digest_challenge(&response);
    }
    let mut nonce = None;
    for _ in 0..6 {
        let request = with_a_nonce(holder, nonce.as_deref());
        nonce = Some(wanted_nonce(&connection.ask(&request).unwrap()));
    }
}

#[test]
fn nonces_serve_many_requests_if_a_client_always_reaches_one_envoy() {
    let issuer = Issuer::new();
    let required = issuer.provider(&json!({"nonce": "required"}));
    let gates = Gates::start(&[required, digest_provider(&json!({}))]);
    by_a_hash_of_the_credential_nonces_serve(&gates, &issuer);
    by_address_or_cookie_nonces_serve(&gates, &issuer);
    by_connection_nonces_serve(&gates, &issuer);
    the_hash_is_of_the_user_name_alone(&gates);
    gates.end_well();
}

fn by_a_hash_of_the_credential_nonces_serve(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.by_hash();
    let mut connection = balancer.connect();
    let mut challenge = digest_challenge(&connection.ask(&get(PATH, &[])).unwrap());
    // This challenge may be from the other Envoy. The next one is from the Envoy to which the user name leads.
    let request = get(PATH, &digest_fields(&challenge, PATH, 1));
    let response = connection.ask(&request).unwrap();
    if is_stale(&response) {
        challenge = digest_challenge(&response);
    }
    for count in 2..40 {
        let request = get(PATH, &digest_fields(&challenge, PATH, count));
        assert_eq!(again(&mut connection, 2, &request), [200, 401]);
    }
    let holder = issuer.client_of("amy");
    let nonce = wanted_nonce(&connection.ask(&with_a_nonce(&holder, None)).unwrap());
    for _ in 0..40 {
        let request = with_a_nonce(&holder, Some(&nonce));
        assert_eq!(again(&mut connection, 2, &request), [200, 401]);
    }
}

fn by_address_or_cookie_nonces_serve(gates: &Gates, issuer: &Issuer) {
    for policy in [by_address, by_cookie] {
        let balancer = gates.behind(policy);
        let mut connection = balancer.connect();
        let response = connection.ask(&get(PATH, &[])).unwrap();
        // The balancer sets the cookie on the first response.
        let set = response.values("set-cookie").next();
        let cookie = set.map(|set| {
            let cookie = set.split(|byte| *byte == b';').next().unwrap();
            let cookie = String::from_utf8(cookie.to_vec()).unwrap();
            ("cookie".to_owned(), cookie)
        });
        let request = |mut fields: Vec<(String, String)>| {
            fields.extend(cookie.clone());
            get(PATH, &fields)
        };
        let challenge = digest_challenge(&response);
        for count in 1..20 {
            let request = request(digest_fields(&challenge, PATH, count));
            assert_eq!(again(&mut connection, 2, &request), [200, 401]);
        }
        let holder = issuer.client_of("amy");
        let first = request(holder.fields(&holder.proof(PATH, None)));
        let nonce = wanted_nonce(&connection.ask(&first).unwrap());
        for _ in 0..20 {
            let request = request(holder.fields(&holder.proof(PATH, Some(&nonce))));
            assert_eq!(again(&mut connection, 2, &request), [200, 401]);
        }
    }
}

/// Behind a balancer of connections, a nonce is accepted on the connection on which it came.
fn by_connection_nonces_serve(gates: &Gates, issuer: &Issuer) {
    let balancer = gates.by_connection();
    let holder = issuer.client_of("amy");
    let mut used = BTreeSet::new();
    for _ in GATES {
        let mut connection = balancer.connect();
        let nonce = wanted_nonce(&connection.ask(&with_a_nonce(&holder, None)).unwrap());
        let request = with_a_nonce(&holder, Some(&nonce));
        assert_eq!(again(&mut connection, 2, &request), [200, 401]);
        let response = connection.ask(&get(PATH, &[])).unwrap();
        let challenge = digest_challenge(&response);
        let request = get(PATH, &digest_fields(&challenge, PATH, 1));
        assert_eq!(again(&mut connection, 2, &request), [200, 401]);
        used.insert(gate(&response));
    }
    assert_eq!(used.len(), GATES.len(), "both connections lead to {used:?}");
}

/// Nothing that differs between the requests of a user changes the hash of a credential of Digest.
fn the_hash_is_of_the_user_name_alone(gates: &Gates) {
    let balancer = gates.by_hash();
    let mut connection = balancer.connect();
    let mut gate_of = |authorization: &str| {
        let fields = [("authorization".to_owned(), authorization.to_owned())];
        gate(&connection.ask(&get(PATH, &fields)).unwrap())
    };
    let mut used = BTreeSet::new();
    for number in 0..40 {
        for name in [
            format!(r#"username="user \"{number}\", lab""#),
            format!("username*=UTF-8''J%C3%A4s%20{number}"),
        ] {
            let one = gate_of(&format!(r#"Digest {name}, nc=00000001, cnonce="a""#));
            let two = gate_of(&format!(r#"digest nc=00000002, realm="b, c", {name}"#));
            assert_eq!(one, two, "{name}");
            used.insert(one);
        }
    }
    assert_eq!(used.len(), GATES.len(), "all names lead to {used:?}");
}

#[test]
fn a_nonce_of_a_shared_secret_is_accepted_once_by_each_envoy() {
    let secret = json!({"secret": "zJ4vZrKQ0m5n7w1dXyB3"});
    let gates = Gates::start(&[digest_provider(&secret)]);
    let [mut one, mut two] = gates.each();
    let challenge = digest_challenge(&one.ask(&get(PATH, &[])).unwrap());
    let request = get(PATH, &digest_fields(&challenge, PATH, 1));
    assert_eq!(again(&mut two, 2, &request), [200, 401]);
    assert_eq!(again(&mut one, 2, &request), [200, 401]);
    gates.end_well();
}

#[test]
fn failures_of_an_address_are_counted_together_if_all_of_its_requests_reach_one_envoy() {
    let gates = Gates::start_with(&json!({
        "providers": [digest_provider(&json!({}))],
        "throttle": {"failures": 3, "window": "10m", "block": "1h"},
    }));
    let wrong = wrong_response(&gates);
    let balancer = gates.behind(by_address);
    let mut connection = balancer.connect();
    // What a client writes about its address does not count.
    let statuses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(|address| {
        let request = get(PATH, &[wrong.clone(), forwarded_for(address)]);
        connection.ask(&request).unwrap().status
    });
    assert_eq!(statuses, [401, 401, 401, 429]);
    // The other has counted none of them.
    let in_turn = gates.in_turn();
    let mut statuses = again(
        &mut in_turn.connect(),
        8,
        &get(PATH, std::slice::from_ref(&wrong)),
    );
    statuses.sort_unstable();
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429, 429, 429]);
    // They know the addresses that are behind the balancer.
    let another = get(PATH, &[wrong, forwarded_for("192.0.2.1")]);
    let each = gates.each().map(|mut envoy| again(&mut envoy, 1, &another));
    assert_eq!(each, [[401], [401]]);
    gates.end_well();
}

/// What a balancer adds to a request from an address.
fn forwarded_for(address: &str) -> (String, String) {
    ("x-forwarded-for".to_owned(), address.to_owned())
}

/// A credential of Digest that is right, except for the response.
fn wrong_response(gates: &Gates) -> (String, String) {
    let [mut one, _] = gates.each();
    let challenge = digest_challenge(&one.ask(&get(PATH, &[])).unwrap());
    let mut fields = digest_fields(&challenge, PATH, 1);
    let (name, right) = fields.pop().unwrap();
    let (before, rest) = right.split_once("response=\"").unwrap();
    let (response, after) = rest.split_at(64);
    let wrong: String = response.chars().rev().collect();
    (name, format!("{before}response=\"{wrong}{after}"))
}

/// The blocks of `docs/several-proxies.md` are lines of the examples, and the filter accepts the configuration.
#[test]
fn what_the_page_of_several_proxies_shows_stands_in_the_examples() {
    let read = |path: &str| fs::read_to_string(support::in_repository(path)).unwrap();
    let page = read("docs/several-proxies.md");
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    let [gate, route, cluster, _by_address] = blocks[..] else {
        panic!("{} blocks", blocks.len());
    };
    for (block, path) in [(gate, GATE_EXAMPLE), (route, BALANCER), (cluster, BALANCER)] {
        let example = read(path);
        for line in block.lines().skip(1) {
            assert!(example.lines().any(|own| own == line), "{path}: {line}");
        }
    }
    let checked = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["check", GATE_EXAMPLE])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{said}");
}
