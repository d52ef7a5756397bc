//! Why a credential, or the proof that belongs to it, is not valid, as a finding. No credential is printed.

use countersign::authenticate::introspection::Answer;
use countersign::authenticate::jose::jws::{Compact, parse_members};
use countersign::authenticate::{Claim, Decoded, Parsed, select};
use countersign::credential::Shown;
use countersign::evaluate::InvalidCredential;
use countersign::json::{self, Json, Object};
use countersign::reject::{Invalid, KeyFault, LoginFault, ProofFault, Reject, Unavailable};
use countersign::request::RequestView;
use countersign::request::path::without_query;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use super::finding::{Finding, list, names, one_of, plain, quoted};
use super::token::{Token, fact};

/// Why a credential is not valid; none if the reason is of another kind.
pub fn finding(
    invalid: &InvalidCredential<'_>,
    request: &RequestView<'_>,
    now: Timestamp,
) -> Option<Finding> {
    let decoded = Decoded::new(invalid.credential);
    let parsed = Parsed::new(&decoded);
    let selected = select(
        invalid.providers,
        invalid.accepted,
        invalid.location,
        &parsed,
    );
    let selected = selected.ok();
    Some(match invalid.reject {
        Reject::Invalid(Invalid::Token(fault)) => {
            let Shown::Token(octets) = invalid.credential else {
                return Some(fact("token", "the token is malformed"));
            };
            let readers = invalid.providers.iter();
            let readers = readers.filter(|own| own.locations.contains(&invalid.location));
            let store = invalid.store;
            let known = selected.as_ref().and_then(|selected| {
                let id = store.tokens.id_at(selected.id, octets);
                store.introspections.find(id, Some(now), now)
            });
            let token = Token {
                octets,
                provider: selected.as_ref().map(|selected| selected.provider),
                readers: readers.collect(),
                answer: known.and_then(|known| match known.answer {
                    Answer::Active(payload) => Some(payload.as_slice()),
                    Answer::Inactive => None,
                }),
                store,
                now,
            };
            token.finding(fault)
        }
        Reject::Invalid(Invalid::Key(fault)) => fact(
            "api_key",
            match fault {
                KeyFault::Malformed => "the API key has characters that no key has, or is too long",
                KeyFault::Unknown => "the API key is not in the list of the provider",
                KeyFault::Expired => {
                    "the API key has expired (`expires` in the list of the provider)"
                }
            },
        ),
        Reject::Invalid(Invalid::Login(fault)) => login(fault, selected.map(|own| own.claim)),
        Reject::Proof(fault) => proof(fault, selected.map(|selected| selected.claim), request, now),
        Reject::Unavailable(what) => unavailable(what),
        _ => return None,
    })
}

/// Why the filter cannot verify a credential now.
pub fn unavailable(what: Unavailable) -> Finding {
    let what = match what {
        Unavailable::Keys => "the keys of the issuer are not available",
        Unavailable::Entries => "the list of keys or users is not available",
        Unavailable::Introspection => {
            "the authorization server does not answer, or not as expected"
        }
        Unavailable::Hashing => "the worker has spent its time for password hashes",
        Unavailable::Crypto => "the cryptography of Envoy is not available",
        Unavailable::Replays => "too many used proofs and nonces are recorded",
        Unavailable::SharedData => "Envoy shares no data between workers",
    };
    fact("unavailable", what)
}

/// That a DPoP proof was used before.
pub fn replayed() -> Finding {
    fact("proof", "the DPoP proof was used before (`jti`)").about("jti")
}

/// That the nonce of a Digest credential is not valid.
pub fn stale() -> Finding {
    let message = "the nonce has expired, was used before, or was not issued by this server";
    fact("nonce", message)
}

/// What is wrong with a user name and a password. A name that is not listed is not printed: people enter their password there.
fn login(fault: LoginFault, claim: Option<Claim<'_, '_>>) -> Finding {
    let user = claim.and_then(|claim| claim.subject()).unwrap_or_default();
    let message = match fault {
        LoginFault::Malformed => "the user name and password are malformed".to_owned(),
        LoginFault::User => "the user is not in the list of a provider".to_owned(),
        LoginFault::Password => match claim {
            Some(Claim::Digest(..)) => format!(
                "the response of user `{}` is not that of the listed password",
                plain(user)
            ),
            _ => format!("the password of user `{}` is wrong", plain(user)),
        },
        LoginFault::Challenge => {
            "the credential is for another realm, algorithm or `opaque` than the provider has"
                .to_owned()
        }
        LoginFault::Stale => return stale(),
    };
    fact("user", message)
}

fn proof(
    fault: ProofFault,
    claim: Option<Claim<'_, '_>>,
    request: &RequestView<'_>,
    now: Timestamp,
) -> Finding {
    let sender = match claim {
        Some(Claim::Jwt(own, _)) => Some(&own.sender),
        Some(Claim::Introspection(own, _)) => Some(&own.sender),
        _ => None,
    };
    let dpop = sender.and_then(|own| own.dpop.as_ref());
    let sent = request.values(b"dpop").next().unwrap_or_default();
    let compact = Compact::parse(sent).ok();
    let header = compact
        .as_ref()
        .and_then(|own| parse_members(own.header()).ok());
    let claims = compact.as_ref().map(|own| json::parse(own.payload()));
    let claims = match claims {
        Some(Ok(Json::Object(claims))) => claims,
        _ => Object::default(),
    };
    let value = |found: Option<&Json<'_>>| found.cloned().map_or(Value::Null, Value::from);
    let of_header = |name: &str| value(header.as_ref().and_then(|header| header.get(name)));
    let of = |name: &str| value(claims.get(name));
    let method = String::from_utf8_lossy(request.method()).into_owned();
    match fault {
        ProofFault::Missing => fact("proof", "requires a DPoP proof in the header `dpop`: the request has none"),
        ProofFault::Several => fact("proof", "requires one DPoP proof: the request has several headers `dpop`"),
        ProofFault::Malformed => fact("proof", "the DPoP proof is not a JSON Web Token, or is too long"),
        ProofFault::Type => requires("typ", json!(["dpop+jwt"]), of_header("typ")),
        ProofFault::Algorithm => {
            let known = dpop.map(|own| own.algorithms.iter().map(|own| own.name()));
            let known: Vec<&str> = known.into_iter().flatten().collect();
            requires("alg", json!(known), of_header("alg"))
        }
        ProofFault::Key => fact(
            "proof",
            "the `jwk` of the DPoP proof is missing, is not a public key, or is not one for its `alg`",
        )
        .about("jwk"),
        ProofFault::Signature => fact("proof", "the signature of the DPoP proof is not valid").about("signature"),
        ProofFault::Claims => {
            let required = ["jti", "htm", "htu", "iat", "ath"].into_iter();
            let missing: Vec<&str> = required.filter(|name| of(name).is_null()).collect();
            let message = match missing.is_empty() {
                true => "a claim of the DPoP proof has the wrong type".to_owned(),
                false => format!("the DPoP proof does not have {}", names(missing.iter().copied())),
            };
            Finding::new("proof", json!(missing), Value::Null, message)
        }
        ProofFault::Method => requires("htm", json!([method]), of("htm")),
        ProofFault::Url => {
            let path = without_query(request.target().unwrap_or_default());
            let origin = dpop.map_or("", |own| own.origin.as_str());
            let url = format!("{origin}{}", String::from_utf8_lossy(path));
            requires("htu", json!([url]), of("htu"))
        }
        ProofFault::Token => {
            fact("proof", "the DPoP proof is for another access token (`ath`), or for another key than `cnf` of the token").about("ath")
        }
        ProofFault::Time => {
            let window = dpop.map(|own| humantime::format_duration(own.window).to_string());
            let window = window.unwrap_or_default();
            let message = format!(
                "requires a DPoP proof that was issued within {window}: `iat` is {}, now is `{}`",
                quoted(&of("iat")),
                now.millis().div_euclid(1000)
            );
            Finding::new("proof", window, of("iat"), message).about("iat")
        }
        ProofFault::Nonce => fact(
            "proof",
            "requires a nonce of this server in the DPoP proof: it has none, or an expired or unknown one",
        )
        .about("nonce"),
        ProofFault::Replayed => replayed(),
    }
}

fn requires(name: &str, expected: Value, found: Value) -> Finding {
    let values = expected.as_array().cloned().unwrap_or_default();
    let has = match &found {
        Value::Null => "the proof does not have it".to_owned(),
        value => format!("found {}", quoted(value)),
    };
    let listed = one_of(values.len(), &list(&values));
    let message = format!("requires `{name}` of the DPoP proof to be {listed}: {has}");
    Finding::new("proof", expected, found, message).about(name)
}
