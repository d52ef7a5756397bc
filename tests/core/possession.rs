//! What several requests lead to: counts of a nonce, identifiers of proofs, and which faults are counted as failures.

use crate::support::case::{Case, Observed, Table, parse};
use crate::tables::Memory;

const NOW: i64 = 1_700_000_000;

const TABLE: &str = r#"
about: requests that follow one another
keys: {ec: es256.json, client: es256-foreign.json, other: es256-zeros.json}
tokens:
  T: {key: ec, claims: &alice {iss: "https://as.example.com", aud: api, sub: alice, exp: now+900, cnf: {jkt: {thumbprint: client}}}}
  T_later: {key: ec, claims: {<<: *alice, exp: now+901}}
  T_other: {key: ec, claims: {<<: *alice, cnf: {jkt: {thumbprint: other}}}}
proofs:
  P: {key: client, token: T, claims: {jti: fixed-identifier}}
  P_new: {key: client, token: T}
  P_later: {key: client, token: T_later, claims: {jti: fixed-identifier}}
  P_other: {key: other, token: T_other, claims: {jti: fixed-identifier}}
  P_sig: {key: client, token: T, tamper: signature}
  P_nonce: {key: client, token: T, claims: {htm: PUT}}
document:
  origin: https://api.example.com
  throttle: {failures: 3, window: 1m, block: 1h}
  providers:
  - {name: scanners, digest: {nonce_ttl: 5m, users: [{name: lab, ha1: {SHA-256: acbc9ff12e80aa2a56e03ca58d755c75133ce6ca63286fd17dbed307ac75f1e9}}]}}
  - {name: as, jwt: {issuer: "https://as.example.com", audiences: [api], jwks: {inline: {fixture: [ec]}}, sender: dpop, dpop: {algorithms: [ES256]}}}
cases:
- {name: "1", request: {path: /x, digest: {user: lab, password: open-sesame-7}}, expect: {status: 200}}
- {name: "2", request: {path: /x, digest: {user: lab, password: open-sesame-7, with: {nc: "00000002"}}}, expect: {status: 200}}
- {name: "3", request: {path: /y, digest: {user: lab, password: open-sesame-7, with: {nc: "00000003"}}}, expect: {status: 200}}
- {name: stale, request: {path: /x, digest: {user: lab, password: open-sesame-7, with: {nonce: another}}}, expect: {status: 401}}
- {name: wrong, request: {path: /x, digest: {user: lab, password: open-sesame-8}}, expect: {status: 401}}
- {name: challenge, request: {path: /x, digest: {user: lab, password: open-sesame-8, with: {realm: other}}}, expect: {status: 401}}
- {name: malformed, request: {path: /x, digest: {user: lab, password: open-sesame-8, drop: [nc]}}, expect: {status: 400}}
- {name: proof, request: {path: /x, headers: [[authorization, "DPoP {T}"], [dpop, "{P}"]]}, expect: {status: 200}}
- {name: proof elsewhere, request: {method: POST, path: /y, headers: [[authorization, "DPoP {T}"], [dpop, "{P}"]]}, expect: {status: 200}}
- {name: new proof, request: {path: /x, headers: [[authorization, "DPoP {T}"], [dpop, "{P_new}"]]}, expect: {status: 200}}
- {name: later token, request: {path: /x, headers: [[authorization, "DPoP {T_later}"], [dpop, "{P_later}"]]}, expect: {status: 200}}
- {name: other key, request: {path: /x, headers: [[authorization, "DPoP {T_other}"], [dpop, "{P_other}"]]}, expect: {status: 200}}
- {name: signature, request: {path: /x, headers: [[authorization, "DPoP {T}"], [dpop, "{P_sig}"]]}, expect: {status: 401}}
- {name: no proof, request: {path: /x, headers: [[authorization, "DPoP {T}"]]}, expect: {status: 401}}
- {name: method, request: {path: /x, headers: [[authorization, "DPoP {T}"], [dpop, "{P_nonce}"]]}, expect: {status: 401}}
- {name: nothing, request: {path: /x}, expect: {status: 401}}
"#;

/// Requests under one memory.
struct Client {
    table: Table,
    memory: Memory,
}

impl Client {
    fn new() -> Self {
        let table = parse("possession", TABLE, NOW);
        let memory = Memory::of(&table.cases[0]);
        Self { table, memory }
    }

    fn case(&self, name: &str) -> Case {
        let name = format!("possession: {name}");
        let mut cases = self.table.cases.iter();
        cases.find(|case| case.name == name).unwrap().clone()
    }

    /// A refusal with nonces.
    fn refusal(&mut self, at: i64) -> Observed {
        let case = self.case("nothing");
        self.memory.judge(&case, at)
    }

    /// What a case gets at a time, with the nonce of a refusal.
    fn after(&mut self, refusal: &Observed, name: &str, at: i64) -> String {
        let case = self.case(name);
        let ready = case.ready(Some(refusal), at);
        let observed = self.memory.judge(&ready, at);
        match observed.upstream {
            Some(_) => "passed".to_owned(),
            None => observed.details.unwrap(),
        }
    }

    /// What a case gets at a time, with a nonce that it asks for.
    fn send(&mut self, name: &str, at: i64) -> String {
        let refusal = self.refusal(at);
        self.after(&refusal, name, at)
    }
}

const STALE: &str = "countersign_nonce_stale";
const REPLAYED: &str = "countersign_proof_replayed";

#[test]
fn each_count_of_a_nonce_passes_once_in_any_order() {
    let mut client = Client::new();
    let nonce = client.refusal(NOW);
    for (name, expected) in [
        ("2", "passed"),
        ("1", "passed"),
        ("2", STALE),
        ("3", "passed"),
        ("1", STALE),
        ("3", STALE),
    ] {
        assert_eq!(client.after(&nonce, name, NOW), expected, "{name}");
    }
    // A nonce has counts of its own.
    let another = client.refusal(NOW);
    assert_eq!(client.after(&another, "1", NOW), "passed");
    assert_eq!(client.after(&nonce, "1", NOW), STALE);
}

#[test]
fn a_count_that_was_used_is_refused_until_its_nonce_expires() {
    let mut client = Client::new();
    let nonce = client.refusal(NOW);
    assert_eq!(client.after(&nonce, "1", NOW), "passed");
    for later in [1, 60, 299, 300, 301, 3600] {
        assert_eq!(client.after(&nonce, "1", NOW + later), STALE, "{later}");
    }
}

#[test]
fn an_identifier_is_used_once_for_a_key_whatever_the_request_and_the_token() {
    let mut client = Client::new();
    assert_eq!(client.send("proof", NOW), "passed");
    for name in ["proof", "proof elsewhere", "later token"] {
        assert_eq!(client.send(name, NOW + 1), REPLAYED, "{name}");
    }
    // Another key is another client, which can choose the same identifier.
    assert_eq!(client.send("other key", NOW + 1), "passed");
    assert_eq!(client.send("other key", NOW + 1), REPLAYED);
    assert_eq!(client.send("new proof", NOW + 1), "passed");
}

/// The window of 60 seconds and the tolerated difference of clocks, 10 seconds.
#[test]
fn a_proof_that_was_used_is_refused_until_it_is_too_old() {
    let mut client = Client::new();
    let ready = client.case("proof").ready(None, NOW).into_owned();
    let mut send = |at: i64| client.memory.judge(&ready, NOW + at).details.unwrap();
    assert_eq!(send(0), "via_upstream");
    for later in [1, 59, 60, 69, 70] {
        assert_eq!(send(later), REPLAYED, "{later}");
    }
    for later in [71, 100, 600] {
        assert_eq!(send(later), "countersign_proof_time", "{later}");
    }
}

#[test]
fn only_faults_of_a_guess_are_counted_as_failures() {
    for (name, fault) in [
        ("stale", STALE),
        ("challenge", "countersign_digest_challenge"),
        ("malformed", "countersign_malformed_credential"),
        ("no proof", "countersign_proof_missing"),
        ("method", "countersign_proof_method"),
    ] {
        let mut client = Client::new();
        for _ in 0..10 {
            assert_eq!(client.send(name, NOW), fault);
        }
        assert_eq!(client.send("1", NOW), "passed", "{name}");
        for _ in 0..10 {
            client.send("proof", NOW);
        }
        assert_eq!(client.send("new proof", NOW), "passed");
    }
    for (name, fault) in [
        ("wrong", "countersign_password_wrong"),
        ("signature", "countersign_proof_signature"),
    ] {
        let mut client = Client::new();
        let nonce = client.refusal(NOW);
        let mut send = |name: &str| client.after(&nonce, name, NOW);
        assert_eq!([(); 3].map(|()| send(name)), [fault; 3]);
        let blocked = "countersign_too_many_failures";
        assert_eq!([send(name), send("1"), send("new proof")], [blocked; 3]);
    }
}
