//! What throttling costs: how often a request looks at what workers share, and that judging it changes nothing there.

use std::cell::Cell;
use std::rc::Rc;

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Effects, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::ports::{LocalData, Shared, SharedData};
use countersign::reject::Reject;
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Shared data that counts reads and writes.
struct Counting {
    data: Rc<LocalData>,
    seen: Rc<Cell<(usize, usize)>>,
}

impl SharedData for Counting {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        let (reads, writes) = self.seen.get();
        self.seen.set((reads + 1, writes));
        self.data.get(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        let (reads, writes) = self.seen.get();
        self.seen.set((reads, writes + 1));
        self.data.set(key, value, version)
    }
}

struct Desk {
    plan: Plan,
    store: Store,
    seen: Rc<Cell<(usize, usize)>>,
}

impl Desk {
    fn new(key: &SigningKey, by: &Value) -> Self {
        Self::sharing(Rc::default(), key, by)
    }

    /// A worker that shares its data with others.
    fn sharing(data: Rc<LocalData>, key: &SigningKey, by: &Value) -> Self {
        let jwt = json!({"issuer": "https://as", "audiences": ["api"], "jwks": {"inline": {"keys": [key.public_jwk()]}}});
        let document = json!({
            "throttle": {"failures": 3, "window": "1m", "block": "5m", "by": by, "exempt": ["10.0.0.0/8"]},
            "providers": [{"name": "as", "jwt": jwt}],
            "rules": [
                {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
                {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
                {"name": "any"},
            ],
        });
        let plan = config::load_value(&document).unwrap().plan;
        let mut store = plan.empty_store();
        let seen = Rc::default();
        let counting = Counting {
            data,
            seen: Rc::clone(&seen),
        };
        let failures = store.failures.as_mut().unwrap();
        failures.share(Box::new(counting), &[]);
        seen.set((0, 0));
        Self { plan, store, seen }
    }

    /// Judges a request; how often what is shared was read and written meanwhile, and what is left to do.
    fn judge(&self, path: &str, from: &str, token: Option<&str>) -> ((usize, usize), Effects) {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":authority", b"api.example.com"),
            (b":path", path.as_bytes()),
        ];
        if let Some(authorization) = &authorization {
            fields.push((b"authorization", authorization.as_bytes()));
        }
        let request = RequestView::new(fields).from_client(from.parse().ok());
        self.seen.set((0, 0));
        let outcome = evaluate(
            &self.plan,
            &request,
            &self.store,
            Circumstances::new(&Pure, NOW),
            &mut (),
        );
        match outcome {
            Outcome::Decided(_, effects) => (self.seen.get(), effects),
            Outcome::Needs(..) => panic!("the keys are in the document"),
        }
    }
}

fn token(key: &SigningKey, subject: &str) -> String {
    let claims = json!({"iss": "https://as", "aud": "api", "sub": subject, "exp": NOW.millis() / 1000 + 600});
    let header = json!({"alg": "ES256"});
    key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .unwrap()
}

#[test]
fn a_request_looks_once_for_each_whose_failures_count() {
    let key = SigningKey::generate(Algorithm::Es256);
    let (good, bad) = (
        token(&key, "amy"),
        token(&SigningKey::generate(Algorithm::Es256), "amy"),
    );
    let both = json!(["address", "user"]);
    for (by, path, from, token, reads) in [
        (&both, "/any", "192.0.2.1", Some(&good), 2),
        (&both, "/any", "192.0.2.1", Some(&bad), 2),
        (&both, "/any", "192.0.2.1", None, 1),
        (&both, "/any", "unknown", Some(&good), 1),
        (&both, "/any", "unknown", None, 0),
        (&both, "/any", "10.1.2.3", Some(&bad), 0),
        (&both, "/open", "192.0.2.1", Some(&bad), 0),
        (&both, "/closed", "192.0.2.1", Some(&bad), 0),
        (&json!(["address"]), "/any", "192.0.2.1", Some(&bad), 1),
        (&json!(["user"]), "/any", "192.0.2.1", Some(&bad), 1),
        (&json!(["user"]), "/any", "192.0.2.1", None, 0),
    ] {
        let desk = Desk::new(&key, by);
        let (seen, _) = desk.judge(path, from, token.map(String::as_str));
        assert_eq!(seen, (reads, 0), "{by} {path} {from}");
    }
}

#[test]
fn judging_changes_nothing_and_its_effects_count_once() {
    let key = SigningKey::generate(Algorithm::Es256);
    let bad = token(&SigningKey::generate(Algorithm::Es256), "amy");
    let mut desk = Desk::new(&key, &json!(["address", "user"]));
    for _ in 0..5 {
        let (seen, effects) = desk.judge("/any", "192.0.2.1", Some(&bad));
        assert_eq!((seen, effects.failures.len()), ((2, 0), 2));
    }
    for _ in 0..3 {
        let (_, effects) = desk.judge("/any", "192.0.2.1", Some(&bad));
        desk.seen.set((0, 0));
        assert_eq!(effects.commit(&mut desk.store, NOW), Ok(()));
        assert_eq!(desk.seen.get(), (2, 2));
    }
    // Blocked by address: nobody looks for the user, and nothing is counted.
    let (seen, effects) = desk.judge("/any", "192.0.2.1", Some(&bad));
    assert_eq!((seen, effects.failures.len()), ((1, 0), 0));
    let (seen, _) = desk.judge("/any", "192.0.2.2", Some(&bad));
    assert_eq!(seen, (2, 0));
}

/// Two workers evaluate at the same time, and the limit leaves one of them one failure.
#[test]
fn a_failure_beyond_the_limit_is_not_answered_as_one_within() {
    let key = SigningKey::generate(Algorithm::Es256);
    let bad = token(&SigningKey::generate(Algorithm::Es256), "amy");
    let data = Rc::new(LocalData::default());
    let worker = || Desk::sharing(Rc::clone(&data), &key, &json!(["address"]));
    let (mut one, mut two) = (worker(), worker());
    for _ in 0..2 {
        let (_, effects) = one.judge("/any", "192.0.2.1", Some(&bad));
        assert_eq!(effects.commit(&mut one.store, NOW), Ok(()));
    }
    let (_, last) = one.judge("/any", "192.0.2.1", Some(&bad));
    let (_, beyond) = two.judge("/any", "192.0.2.1", Some(&bad));
    assert_eq!(last.commit(&mut one.store, NOW), Ok(()));
    let retry_after = 300;
    let blocked = Reject::TooManyFailures { retry_after };
    let lost = beyond.commit(&mut two.store, NOW).unwrap_err();
    assert_eq!(lost.reject, blocked);
}
