//! The points of each sweep.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use countersign::authenticate::jose::signature::Algorithm;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Point, REQUESTS_OF_ALL_TURNS, Sweep};
use crate::chains::{Chain, countersign, document, jwt_authn, jwt_authn_with, rbac, rbac_with};
use crate::credentials::{Credentials, SCOPE, bearer, sign};
use crate::load::request;
use crate::situations::ORDERS;
use crate::support::random::Random;
use crate::support::token::read_key;

/// The headers of a request with a token.
const HEADERS: usize = 7;
/// The tokens that each cache holds by default in this benchmark.
const CACHED: usize = 10_000;

/// Every sweep.
pub fn all(credentials: &Credentials) -> Vec<Sweep> {
    let of = |name, unit, numbers: &[usize], point: &dyn Fn(usize) -> Point| Sweep {
        name,
        unit,
        points: numbers.iter().map(|number| point(*number)).collect(),
    };
    vec![
        of("rules", "rules", &[10, 100, 1_000, 10_000], &|number| {
            rules(number, credentials)
        }),
        of(
            "keys, for tokens that were never seen",
            "keys",
            &[1, 10, 100],
            &|number| keys(number, credentials),
        ),
        of(
            "cached tokens",
            "tokens",
            &[1, 1_000, 10_000, 100_000],
            &|number| cached(number, credentials),
        ),
        of("request headers", "headers", &[10, 30, 60], &|number| {
            headers(number, credentials)
        }),
        of("workers", "workers", &[1, 2], &|number| {
            workers(number, credentials)
        }),
    ]
}

/// One token, repeated, on a path.
fn repeated(
    number: usize,
    path: &str,
    more: &[(String, String)],
    arms: Vec<(Chain, Vec<Value>)>,
    credentials: &Credentials,
) -> Point {
    let fields = [&[bearer(&credentials.rs256[0])], more].concat();
    Point {
        number,
        workers: 1,
        arms,
        first: (vec![], 0),
        octets: vec![request(path, &fields)],
        measured: vec![],
    }
}

/// A rule for each of so many prefixes. The request's is in the middle.
fn rules(number: usize, credentials: &Credentials) -> Point {
    let prefixes: Vec<String> = (0..number)
        .map(|rule| format!("/service-{rule:05}"))
        .collect();
    let rule = |prefix: &String| {
        json!({
            "name": &prefix[1..],
            "match": {"paths": [format!("{prefix}/**")], "methods": ["GET"]},
            "require": {"scopes": [SCOPE]}
        })
    };
    let rules: Vec<Value> = prefixes.iter().map(rule).collect();
    let ours = document(&credentials.jwks, &json!({"rules": rules}));
    let theirs = vec![
        jwt_authn_with(&credentials.jwks, Some(CACHED), &prefixes),
        rbac_with(&prefixes),
    ];
    let arms = vec![
        (Chain::NoFilter, vec![]),
        (Chain::JwtAuthnWithCache, theirs),
        (Chain::Countersign, vec![countersign(&ours)]),
    ];
    repeated(
        number,
        &format!("{}/4711", prefixes[number / 2]),
        &[],
        arms,
        credentials,
    )
}

/// So many keys of the issuer, of which one has signed the tokens.
fn keys(number: usize, credentials: &Credentials) -> Point {
    let jwks = json!({"keys": similar_keys(&credentials.jwks["keys"][0], number)});
    let arms = vec![
        (Chain::NoFilter, vec![]),
        (Chain::JwtAuthn, vec![jwt_authn(&jwks, None), rbac()]),
        (
            Chain::Countersign,
            vec![countersign(&document(&jwks, &json!({})))],
        ),
    ];
    let octets = credentials.rs256.iter().take(REQUESTS_OF_ALL_TURNS);
    Point {
        number,
        workers: 1,
        arms,
        first: (vec![], 0),
        octets: octets
            .map(|token| request(ORDERS, &[bearer(token)]))
            .collect(),
        measured: vec![],
    }
}

/// The key as the middle one of so many. The others have a modulus of the same length, which no key pair has: the filters read
/// it, and do not use it.
fn similar_keys(key: &Value, count: usize) -> Vec<Value> {
    let modulus = key["n"]
        .as_str()
        .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok());
    let modulus = modulus.expect("a key of RSA");
    let similar = |number: usize| {
        if number == count / 2 {
            return key.clone();
        }
        let mut other = modulus.clone();
        other[32..64].copy_from_slice(&Sha256::digest(number.to_be_bytes()));
        let mut key = key.clone();
        key["n"] = json!(Base64UrlUnpadded::encode_string(&other));
        key["kid"] = json!(format!("other-{number}"));
        key
    };
    (0..count).map(similar).collect()
}

/// So many tokens. Each is sent twice before the measurement, which sends random ones of them.
fn cached(number: usize, credentials: &Credentials) -> Point {
    let tokens = sign(&read_key("tests/keys/es256.json"), Algorithm::Es256, number);
    let octets: Vec<Vec<u8>> = tokens
        .iter()
        .map(|token| request(ORDERS, &[bearer(token)]))
        .collect();
    let mut random = Random::new(1);
    let drawn = (0..REQUESTS_OF_ALL_TURNS)
        .map(|_| octets[random.below(number)].clone())
        .collect();
    let size = number.max(CACHED);
    let ours = document(&credentials.jwks, &json!({"cache": {"verified": size}}));
    Point {
        number,
        workers: 1,
        arms: vec![
            (Chain::NoFilter, vec![]),
            (
                Chain::JwtAuthnWithCache,
                vec![jwt_authn(&credentials.jwks, Some(size)), rbac()],
            ),
            (Chain::Countersign, vec![countersign(&ours)]),
        ],
        first: (octets, 2),
        octets: drawn,
        measured: vec![],
    }
}

/// The chains whose cost depends on the request alone.
fn chains(credentials: &Credentials) -> Vec<(Chain, Vec<Value>)> {
    let chains = [
        Chain::NoFilter,
        Chain::Empty,
        Chain::JwtAuthnWithCache,
        Chain::Countersign,
    ];
    chains
        .map(|chain| (chain, chain.filters(credentials)))
        .to_vec()
}

/// So many headers, besides `:method`, `:path` and those that Envoy adds.
fn headers(number: usize, credentials: &Credentials) -> Point {
    let more: Vec<(String, String)> = (0..number - HEADERS)
        .map(|header| {
            (
                format!("x-client-header-{header}"),
                format!("value-{header}-of-the-client"),
            )
        })
        .collect();
    repeated(number, ORDERS, &more, chains(credentials), credentials)
}

fn workers(number: usize, credentials: &Credentials) -> Point {
    let workers = u32::try_from(number).expect("a small number");
    Point {
        workers,
        ..repeated(number, ORDERS, &[], chains(credentials), credentials)
    }
}
