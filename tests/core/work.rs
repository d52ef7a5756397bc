//! That the operations that a condition in CEL spends bound what it does, for any expression and any claims: counted in
//! allocations and bytes, since time differs from machine to machine. `cargo run --example conditions` measures time.

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::authorize::condition::OPERATIONS;
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, Step, Trace, evaluate};
use countersign::mint::SigningKey;
use countersign::request::RequestView;
use countersign::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::allocations::{self, Allocated, allocated};
use crate::support::expression::{self, Random};

const ISSUER: &str = "https://as.example.com";
const NOW: i64 = 1_800_000_000;

/// What a request does besides its condition.
const BESIDES: u64 = 2_000;
const BYTES_BESIDES: i64 = 1_000_000;

/// What an operation holds at the most. It is half of that in wasm, where a pointer has half the size.
const BYTES: i64 = 32;

/// Hears what a condition has spent.
#[derive(Default)]
struct Spent(Option<u32>);

impl Trace for Spent {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Condition { spent, .. } = step {
            self.0 = Some(spent);
        }
    }
}

struct Caller {
    key: SigningKey,
    token: String,
}

impl Caller {
    fn new(mut claims: Value) -> Self {
        let key = SigningKey::generate(Algorithm::Es256);
        claims["iss"] = json!(ISSUER);
        claims["exp"] = json!(NOW + 600);
        let header = json!({"alg": "ES256", "kid": key.kid()});
        let payload = claims.to_string();
        let token = key.sign(Algorithm::Es256, &header, payload.as_bytes());
        let token = token.expect("signed");
        Self { key, token }
    }

    /// What the condition spends and allocates; none if the configuration refuses it.
    fn ask(&self, condition: &str) -> Option<(u32, Allocated)> {
        let document = json!({
            "providers": [{"name": "as", "jwt": {
                "issuer": ISSUER, "audiences": "any", "jwks": {"inline": {"keys": [self.key.public_jwk()]}},
            }}],
            "rules": [{"name": "cel", "require": {"cel": condition}}],
        });
        let plan = config::load_value(&document).ok()?.plan;
        let authorization = format!("Bearer {}", self.token);
        let request = RequestView::new(vec![
            (b":method", b"GET"),
            (b":path", b"/a"),
            (b":authority", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
            (b"x-a", b"1"),
        ]);
        let (store, now) = (plan.empty_store(), Timestamp::from_seconds(NOW));
        let mut spent = Spent::default();
        allocations::reset();
        let outcome = evaluate(
            &plan,
            &request,
            &store,
            Circumstances::new(&Pure, now),
            &mut spent,
        );
        let counted = allocated();
        assert!(matches!(outcome, Outcome::Decided(..)));
        Some((spent.0.expect("a condition was evaluated"), counted))
    }
}

fn caller(size: usize) -> Caller {
    Caller::new(expression::claims(size))
}

thread_local! {
    static CALLERS: [Caller; 3] = [4, 64, 700].map(caller);
}

/// What holds as much as it can at once.
#[test]
fn operations_bound_what_a_condition_holds() {
    let sixty = vec!["claims.maps"; 60].join(", ");
    let ask = |text: &str| CALLERS.with(|callers| callers[2].ask(text).expect("a condition"));
    for text in [
        "claims.ints.map(x, {1: x}) == 1",
        "claims.ints.map(x, claims.ints.map(y, {y: x})) == 1",
        "claims.ints.map(x, claims.maps) == 1",
        "claims.ints.map(x, claims.members) == 1",
        "claims.ints.map(x, claims.text + claims.text) == 1",
        "claims.ints.map(x, [[], [], [], [], [], [], [], []]) == 1",
        &format!("[{sixty}] + 1 == 1"),
    ] {
        let (spent, counted) = ask(text);
        assert!(
            counted.most_bytes <= BYTES * i64::from(spent) + BYTES_BESIDES,
            "{text}: {spent} operations, {counted:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn operations_bound_what_any_condition_does(seed: u64, size in 0..3_usize) {
        let text = expression::text(&mut Random::new(seed));
        let asked = CALLERS.with(|callers| callers[size].ask(&text));
        if let Some((spent, counted)) = asked {
            let allocations = counted.allocations;
            prop_assert!(spent <= OPERATIONS);
            prop_assert!(allocations <= u64::from(spent) + BESIDES, "{text}: {spent} operations, {counted:?}");
            prop_assert!(counted.most_bytes <= BYTES * i64::from(spent) + BYTES_BESIDES, "{text}: {spent} operations, {counted:?}");
        }
    }
}
