//! What a request allocates: nothing if its token is known, and next to nothing if it is refused.

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::header_map::serialize;
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::request::{Around, RequestView};
use countersign::response::{Prepared, Reply, write_reply};
use countersign::store::Store;
use countersign::telemetry::{AuditLines, filter_state, is_audited};
use countersign::time::{Now, Timestamp};
use serde_json::json;

use crate::allocations::allocated;

const NOW: i64 = 1_800_000_000;

/// One worker, with the memory that it uses again.
struct Worker {
    plan: Plan,
    prepared: Prepared,
    store: Store,
    reply: Reply,
    map: Vec<u8>,
    lines: AuditLines,
}

impl Worker {
    fn new(plan: Plan) -> Self {
        Self {
            prepared: Prepared::new(&plan),
            store: plan.empty_store(),
            plan,
            reply: Reply::default(),
            map: Vec::new(),
            lines: AuditLines::default(),
        }
    }

    /// Decides a request as the host does, with the header map that the host made. Returns the status of the response, and
    /// how often the decision and the response allocated.
    fn decide(&mut self, map: &[u8]) -> (Option<u16>, u64) {
        let before = allocated().allocations;
        let now = Timestamp::from_seconds(NOW);
        let Self {
            plan,
            prepared,
            store,
            reply,
            map: headers,
            lines,
        } = self;
        let mut request = RequestView::around(Around::default());
        request.read(map).expect("a header map");
        let circumstances = Circumstances::new(&Pure, now);
        let outcome = evaluate(plan, &request, store, circumstances, &mut ());
        let Outcome::Decided(mut decision, effects) = outcome else {
            panic!("the keys are in the document");
        };
        decision.commit(effects, store, (plan, &request), now);
        let is_written = write_reply(
            &decision,
            (&plan.presentation, prepared),
            &request,
            Now::At(now),
            reply,
        );
        let reply = is_written.then_some(&*reply);
        for (name, value) in filter_state(&decision, &plan.filter_state) {
            assert!(!name.is_empty() && !value.is_empty());
        }
        if is_audited(&decision, plan.audit) {
            let client = "192.0.2.1".parse().ok();
            lines.write(&decision, reply, &request, client, now);
        }
        if let Some(reply) = reply {
            reply.headers.write_to(headers);
        }
        let status = reply.map(|reply| reply.status);
        drop(decision);
        (status, allocated().allocations - before)
    }
}

#[test]
fn a_known_token_allocates_nothing_and_a_refusal_at_most_twice() {
    let key = SigningKey::generate(Algorithm::Es256);
    let document = json!({
        "realm": "orders",
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": [
            {"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"},
            {"name": "read", "match": {"paths": ["/orders/**"]}, "require": {"scopes": ["orders:read"]}},
        ],
    });
    let mut worker = Worker::new(config::load_value(&document).expect("a document").plan);
    let token = |scope: &str, expires: i64| {
        let claims = json!({
            "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": expires, "scope": scope,
        });
        let header = json!({"alg": "ES256", "kid": key.kid()});
        let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
        format!("Bearer {}", token.expect("the key signs"))
    };
    let valid = token("orders:read", NOW + 600);
    let expired = token("orders:read", NOW - 600);
    let mut forged = valid.clone();
    forged.replace_range(forged.len() - 20..forged.len() - 16, "AAAA");
    for (what, path, authorization, status, most) in [
        ("public", "/healthz", None, None, 0),
        ("public with a token", "/healthz", Some(&valid), None, 0),
        ("known", "/orders/1", Some(&valid), None, 0),
        ("no token", "/orders/1", None, Some(401), 2),
        ("forged", "/orders/1", Some(&forged), Some(401), 2),
        ("expired", "/orders/1", Some(&expired), Some(401), 2),
        ("broken path", "/orders/%", None, Some(400), 2),
    ] {
        let mut fields = vec![
            (":method", "GET"),
            (":path", path),
            (":authority", "orders.example.com"),
            (":scheme", "https"),
            ("user-agent", "shop/2.4 (linux)"),
            ("accept", "*/*"),
            ("accept-encoding", "gzip, br"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"),
        ];
        fields.extend(authorization.map(|value| ("authorization", value.as_str())));
        let map = serialize(&fields);
        // A token is known from the third request on, and the memory that is used again has its size.
        let last = (0..4).map(|_| worker.decide(&map)).last();
        let (answered, allocations) = last.expect("four decisions");
        assert_eq!(answered, status, "{what}");
        assert!(allocations <= most, "{what}: {allocations} allocations");
    }
}

/// How many bytes the prepared responses of a configuration with these rules take.
fn prepared_bytes(rules: usize, challenge_scope: bool) -> i64 {
    let key = SigningKey::generate(Algorithm::Es256);
    let rule = |number: usize| {
        json!({
            "name": format!("rule {number}"), "match": {"paths": [format!("/{number}")]},
            "require": {"scopes": [format!("scope-{number}")]},
        })
    };
    let document = json!({
        "realm": "orders",
        "responses": {"challenge_scope": challenge_scope},
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": (0..rules).map(rule).collect::<Vec<_>>(),
    });
    let plan = config::load_value(&document).expect("a document").plan;
    let prepared = Prepared::new(&plan);
    let before = allocated().bytes;
    drop(prepared);
    before - allocated().bytes
}

#[test]
fn prepared_responses_are_shared_and_take_bounded_memory() {
    let of_one = prepared_bytes(1, false);
    assert!((1..128 * 1024).contains(&of_one), "{of_one}");
    // All gates offer the same, and no response names a scope. Each rule has the number of its responses.
    assert!(prepared_bytes(10_000, false) < of_one + 16 * 10_000);
    let different = prepared_bytes(10_000, true);
    assert!(
        (1024 * 1024..3 * 1024 * 1024).contains(&different),
        "{different}"
    );
}
