//! How a claim is found by its path: what `fuzz/` compares for minutes, for a moment, and what it costs.

use countersign::authenticate::jose::claims::ClaimPath;
use countersign::json::{Json, parse};
use serde_json::{Value, json};

use crate::allocations::allocated;
use crate::fuzz::claims;
use crate::fuzz::random::Random;

#[test]
fn a_claim_is_found_as_by_a_plain_search() {
    let mut found = 0;
    for seed in 0..20_000 {
        let kind = claims::check(&mut Random::new(seed));
        found += u32::from(kind.unwrap_or_else(|fault| panic!("seed {seed}: {fault}")) == "found");
    }
    assert!(found > 1_000, "{found}");
}

#[test]
fn finding_a_claim_allocates_nothing() {
    let claims =
        json!({"a.b": {"c.d": {"e": 1}}, "kubernetes.io": {"namespace": "shop"}, "sub": "amy"});
    let text = claims.to_string();
    let Ok(Json::Object(read)) = parse(text.as_bytes()) else {
        panic!("an object");
    };
    let kept = claims.as_object().unwrap();
    let names = ["kubernetes.io", "namespace"].map(str::to_owned);
    let mut paths = vec![ClaimPath::exact(names.to_vec()).unwrap()];
    for text in ["sub", "a.b.c.d.e", "kubernetes.io.namespace"] {
        paths.push(ClaimPath::parse(text).unwrap());
    }
    let before = allocated().allocations;
    for path in &paths {
        assert!(path.find::<Value>(kept).is_some());
        assert!(path.find::<Json<'_>>(&read).is_some());
    }
    assert_eq!(allocated().allocations, before);
}
