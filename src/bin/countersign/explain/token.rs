//! Why a token is not valid, as a finding. A token is never printed: only members of its header, and claims.

use std::time::Duration;

use countersign::authenticate::jose::claims::{ClaimPath, Times};
use countersign::authenticate::jose::jws::{Compact, parse_members};
use countersign::authenticate::jwt::{Audiences, Issuer, Jwt, Keys, Kind};
use countersign::authenticate::{Method, Provider};
use countersign::json::{self, Json, Object};
use countersign::reject::TokenFault;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use super::finding::{Finding, list, names, one_of, plain, quoted};
use super::times::{between, lasting, time};

/// A token that is not valid.
pub struct Token<'t> {
    /// The token.
    pub octets: &'t [u8],
    /// The provider that verifies it; none if no provider trusts its issuer.
    pub provider: Option<&'t Provider>,
    /// The providers that look at its location.
    pub readers: Vec<&'t Provider>,
    /// What the authorization server said of the token, in JSON.
    pub answer: Option<&'t [u8]>,
    /// The fetched keys.
    pub store: &'t Store,
    /// The current time.
    pub now: Timestamp,
}

/// The claims that an access token must have (RFC 9068 §2.2).
const OF_ACCESS_TOKENS: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

impl Token<'_> {
    /// Why the token is not valid.
    pub fn finding(&self, fault: TokenFault) -> Finding {
        let compact = Compact::parse(self.octets);
        let header = compact.as_ref().ok().map(Compact::header);
        let header = header.and_then(|header| parse_members(header).ok());
        let header = header.unwrap_or_default();
        let payload = compact
            .as_ref()
            .ok()
            .map(|compact| compact.payload().to_vec());
        let payload = self
            .answer
            .map(<[u8]>::to_vec)
            .or(payload)
            .unwrap_or_default();
        let claims = match json::parse(&payload) {
            Ok(Json::Object(claims)) => claims,
            Ok(_) | Err(_) => Object::default(),
        };
        let jwt = self.jwt();
        let of = |name: &str| value_of(claims.get(name));
        let of_header = |name: &str| value_of(header.get(name));
        match fault {
            TokenFault::Malformed => {
                let why = match &compact {
                    Err(fault) => fault.to_string(),
                    Ok(_) => "the payload is not a JSON object without duplicate names".to_owned(),
                };
                fact("token", format!("the token is not a JSON Web Token: {why}"))
            }
            TokenFault::Algorithm => {
                let algorithms = jwt.map(|jwt| jwt.algorithms.iter());
                let known = algorithms.into_iter().flatten().map(|own| own.name());
                let known: Vec<&str> = known.collect();
                requires("alg", json!(known), of_header("alg"), "the header has")
            }
            TokenFault::Extension => {
                let names = ["crit", "b64", "zip"].into_iter();
                let found: Vec<&str> = names.filter(|name| header.get(name).is_some()).collect();
                let message = format!(
                    "the header requires an extension that the filter does not support: {}",
                    self::names(found.iter().copied())
                );
                Finding::new("token", Value::Null, json!(found), message).about("crit")
            }
            TokenFault::Type => {
                let expected = match jwt.map(|jwt| jwt.kind) {
                    Some(Kind::AccessToken) => json!(["at+jwt"]),
                    Some(Kind::Jwt) => json!(["JWT"]),
                    _ => json!(["access token"]),
                };
                requires("typ", expected, of_header("typ"), "the token has")
            }
            TokenFault::Key => {
                let known = self.kids();
                let listed = names(known.iter().map(String::as_str));
                let found = of_header("kid");
                let has = match (&found, known.is_empty()) {
                    (_, true) => "no provider key has a `kid` that can be used".to_owned(),
                    (_, false) => format!("the keys of the provider have {listed}"),
                };
                let message = match &found {
                    Value::Null => {
                        format!("no key can be used with the token, which has no `kid`: {has}")
                    }
                    kid => format!(
                        "no key has `kid` {}, the issuer and the algorithm of the token: {has}",
                        quoted(kid)
                    ),
                };
                Finding::new("token", json!(known), found, message).about("kid")
            }
            TokenFault::Signature => {
                let kid = of_header("kid");
                let message = match &kid {
                    Value::Null => "no key of the provider verifies the signature".to_owned(),
                    kid => format!(
                        "the key with `kid` {} does not verify the signature",
                        quoted(kid)
                    ),
                };
                Finding::new("token", Value::Null, Value::Null, message).about("signature")
            }
            TokenFault::Issuer => {
                let issuers = self.readers.iter().filter_map(|own| match &own.method {
                    Method::Jwt(jwt) => Some(issuer_text(&jwt.issuer)),
                    _ => None,
                });
                requires("iss", issuers.collect(), of("iss"), "found")
            }
            TokenFault::Audience => {
                let (paths, accepted) = self.audiences();
                let found = paths.iter().find_map(|path| path.find::<Json<'_>>(&claims));
                let first = paths
                    .first()
                    .map_or_else(|| "aud".to_owned(), ToString::to_string);
                let name = paths
                    .iter()
                    .find(|path| path.find::<Json<'_>>(&claims).is_some())
                    .map_or(first, ToString::to_string);
                requires(&name, json!(accepted), value_of(found), "found")
            }
            TokenFault::Expired | TokenFault::NotYetValid => self.time(fault, &claims),
            TokenFault::Lifetime => {
                let most = jwt.and_then(|jwt| jwt.max_lifetime).unwrap_or_default();
                let times = Times::of(&claims).ok();
                let begins = times
                    .and_then(|times| times.issued)
                    .map_or(self.now, |issued| issued.min(self.now));
                let found = times
                    .and_then(|times| times.expires)
                    .map(|ends| between(begins, ends));
                let found = found.unwrap_or_default();
                let message = format!(
                    "requires a lifetime within `max_lifetime`, {}: the token has {}",
                    lasting(most),
                    lasting(found)
                );
                Finding::new("token", lasting(most), lasting(found), message).about("exp")
            }
            TokenFault::Revoked => {
                let revoked = jwt.map(|jwt| &jwt.revoked);
                let jti = claims.get("jti").and_then(Json::as_str);
                let is_jti = revoked
                    .zip(jti)
                    .is_some_and(|(own, jti)| own.jti.contains(jti));
                let (name, found) = match is_jti {
                    true => ("jti".to_owned(), of("jti")),
                    false => self.subject(&claims),
                };
                let message = format!(
                    "the token is revoked by `{}` {}",
                    plain(&name),
                    quoted(&found)
                );
                Finding::new("token", Value::Null, found, message).about(name)
            }
            TokenFault::ClaimMissing => self.missing(&claims),
            TokenFault::ClaimType => self.wrong_type(&claims),
            TokenFault::ClaimMismatch => {
                let wanted = jwt.map_or(&[][..], |jwt| &jwt.require_claims);
                let unmet = wanted.iter().find(|own| !own.is_met(&claims));
                match unmet {
                    None => fact("token", "a claim does not have a required value"),
                    Some(own) => {
                        let found = value_of(own.claim.find::<Json<'_>>(&claims));
                        let has = match &found {
                            Value::Null => "the token does not have it".to_owned(),
                            value => format!("the token has {}", quoted(value)),
                        };
                        let name = own.claim.to_string();
                        let message = format!(
                            "requires claim `{}` to be {}: {has}",
                            plain(&name),
                            one_of(own.values.len(), &list(&own.values))
                        );
                        Finding::new("claim", json!(own.values), found, message).about(name)
                    }
                }
            }
            TokenFault::Binding => {
                let found = of("cnf");
                let members = found
                    .as_object()
                    .map(|own| own.keys().cloned().collect::<Vec<_>>());
                let members = members.unwrap_or_default();
                let way = match members.first().map(String::as_str) {
                    Some("jkt") => "it must be sent with the scheme `DPoP`, and a proof",
                    Some("x5t#S256") => {
                        "it must be sent over a connection with that client certificate, after `Bearer`"
                    }
                    _ => "the provider does not accept such a binding",
                };
                let message = match members.is_empty() {
                    true => "the token is not bound as it is sent, or as the provider requires"
                        .to_owned(),
                    false => format!(
                        "the token is bound to a key, by {} in `cnf`: {way}",
                        names(members.iter().map(String::as_str))
                    ),
                };
                Finding::new("token", Value::Null, json!(members), message).about("cnf")
            }
            TokenFault::Unbound => {
                let message =
                    "requires a token that is bound to a key of the client: the token has no `cnf`";
                fact("token", message).about("cnf")
            }
            TokenFault::Inactive => fact(
                "token",
                "the authorization server says that the token is not active",
            )
            .about("active"),
        }
    }

    fn jwt(&self) -> Option<&Jwt> {
        match &self.provider?.method {
            Method::Jwt(jwt) => Some(jwt),
            _ => None,
        }
    }

    /// The claims with the audience, and the accepted audiences.
    fn audiences(&self) -> (&[ClaimPath], &[String]) {
        let (names, audiences) = match self.provider.map(|own| &own.method) {
            Some(Method::Jwt(own)) => (&own.names, &own.audiences),
            Some(Method::Introspection(own)) => (&own.names, &own.audiences),
            _ => return (&[], &[]),
        };
        let accepted = match audiences {
            Audiences::OneOf(accepted) => accepted.as_slice(),
            Audiences::Any => &[],
        };
        (&names.audience, accepted)
    }

    /// The claim with the subject, and its value.
    fn subject(&self, claims: &Object<'_>) -> (String, Value) {
        let names = match self.provider.map(|own| &own.method) {
            Some(Method::Jwt(own)) => Some(&own.names),
            Some(Method::Introspection(own)) => Some(&own.names),
            _ => None,
        };
        match names {
            None => ("sub".to_owned(), Value::Null),
            Some(names) => {
                let found = names.subject.find::<Json<'_>>(claims);
                (names.subject.to_string(), value_of(found))
            }
        }
    }

    /// The `kid` of each key of the provider.
    fn kids(&self) -> Vec<String> {
        let sets = self.jwt().into_iter().flat_map(|jwt| &jwt.keys);
        let sets = sets.filter_map(|keys| match keys {
            Keys::Inline(set) => Some(set),
            Keys::Remote(source) => self.store.keys.get(*source)?.set.as_deref(),
        });
        let kids = sets.flat_map(|set| set.kids().flatten());
        kids.map(str::to_owned).collect()
    }

    fn clock_skew(&self) -> Duration {
        // That of introspection is not configured.
        self.jwt()
            .map_or(Duration::from_secs(60), |jwt| jwt.clock_skew)
    }

    /// The claim `exp`, `nbf` or `iat` that does not permit the use now.
    fn time(&self, fault: TokenFault, claims: &Object<'_>) -> Finding {
        let Ok(times) = Times::of(claims) else {
            return self.wrong_type(claims);
        };
        let (now, skew) = (self.now, self.clock_skew());
        let finding = |name: &str, then: Timestamp, message: String| {
            let message = match skew.is_zero() {
                true => format!("{message} (`{name}` {}, now {})", time(then), time(now)),
                false => format!(
                    "{message} (`{name}` {}, now {}, `clock_skew` {})",
                    time(then),
                    time(now),
                    lasting(skew)
                ),
            };
            Finding::new("token", time(now), time(then), message).about(name)
        };
        if let (TokenFault::Expired, Some(then)) = (fault, times.expires) {
            let ago = lasting(between(then, now));
            return finding("exp", then, format!("the token expired {ago} ago"));
        }
        for (name, then) in [("nbf", times.not_before), ("iat", times.issued)] {
            if let Some(then) = then.filter(|then| now < then.minus(skew)) {
                let after = lasting(between(now, then));
                return finding(name, then, format!("the token is valid only in {after}"));
            }
        }
        match times.issued.zip(times.expires) {
            Some((issued, expires)) => {
                let message = format!("`iat` {} is after `exp` {}", time(issued), time(expires));
                Finding::new("token", time(expires), time(issued), message).about("iat")
            }
            None => fact("token", "the token is not valid yet"),
        }
    }

    /// The required claim that is missing.
    fn missing(&self, claims: &Object<'_>) -> Finding {
        let jwt = self.jwt();
        let is_missing = |found: Option<&Json<'_>>| {
            found.is_none_or(|found| found.is_null() || found.as_str() == Some(""))
        };
        let by_kind = match jwt.map(|jwt| jwt.kind) {
            Some(Kind::AccessToken) => &OF_ACCESS_TOKENS[..],
            _ => &[],
        };
        let by_kind = by_kind.iter().filter(|name| is_missing(claims.get(name)));
        let listed = jwt.map_or(&[][..], |jwt| &jwt.require).iter();
        let listed = listed.filter(|path| is_missing(path.find(claims)));
        let mut missing: Vec<String> = by_kind.map(|name| (*name).to_owned()).collect();
        missing.extend(listed.map(ToString::to_string));
        if missing.is_empty() {
            missing.push("exp".to_owned());
        }
        let message = match missing.as_slice() {
            [one] => format!(
                "requires claim `{}`: the token does not have it",
                plain(one)
            ),
            several => format!(
                "requires claims {}: the token does not have them",
                names(several.iter().map(String::as_str))
            ),
        };
        let name = missing.first().cloned().unwrap_or_default();
        Finding::new("claim", json!(missing), Value::Null, message).about(name)
    }

    /// The claim of another type than the filter reads.
    fn wrong_type(&self, claims: &Object<'_>) -> Finding {
        let of_type = |name: &str, what: &str, found: Value| {
            let message = format!(
                "requires claim `{}` to be {what}: found {}",
                plain(name),
                quoted(&found)
            );
            Finding::new("claim", what, found, message).about(name)
        };
        let (paths, _) = self.audiences();
        for path in paths {
            let found = value_of(path.find::<Json<'_>>(claims));
            let is_text = |value: &Value| value.is_string();
            let is_valid = match &found {
                Value::Array(items) => items.iter().all(is_text),
                Value::Null => path.find::<Json<'_>>(claims).is_none(),
                value => is_text(value),
            };
            if !is_valid {
                return of_type(&path.to_string(), "a string or an array of strings", found);
            }
        }
        for name in ["exp", "nbf", "iat"] {
            let found = claims.get(name);
            if found.is_some_and(|found| !matches!(found, Json::Number(_))) {
                return of_type(name, "a number of seconds", value_of(found));
            }
        }
        let (name, found) = self.subject(claims);
        of_type(&name, "a string without control characters", found)
    }
}

fn requires(name: &str, expected: Value, found: Value, holder: &str) -> Finding {
    let values = expected.as_array().cloned().unwrap_or_default();
    let found_text = match &found {
        Value::Null => "the token does not have it".to_owned(),
        value => format!("{holder} {}", quoted(value)),
    };
    let listed = one_of(values.len(), &list(&values));
    let message = match values.is_empty() {
        true => format!("no provider trusts `{}`: {found_text}", plain(name)),
        false => format!("requires `{}` to be {listed}: {found_text}", plain(name)),
    };
    Finding::new("token", expected, found, message).about(name)
}

/// A finding that has neither an expected nor a found value.
pub fn fact(kind: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(kind, Value::Null, Value::Null, message)
}

fn issuer_text(issuer: &Issuer) -> String {
    match issuer {
        Issuer::Exact(text) => text.clone(),
        Issuer::PerClaim {
            before,
            claim,
            after,
        } => format!("{before}{{{claim}}}{after}"),
    }
}

fn value_of(found: Option<&Json<'_>>) -> Value {
    found.cloned().map_or(Value::Null, Value::from)
}
