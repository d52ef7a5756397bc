//! Reads JWK Sets from issuers: keys in other spellings, and keys with faults.
//!
//! A spelling that means the same key is that key. A key that is accepted is the one that a second, simpler reader finds. A
//! key that is refused is not used.

use std::collections::BTreeSet;

use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::jwk::{Jwk, JwkSet, KEYS_MAX, Source, parse_set};
use countersign::authenticate::jose::signature::Algorithm;
use countersign::keys::Content;
use countersign::mint::SigningKey;
use serde_json::{Map, Value, json};

use super::random::Random;

const KEYS: [&str; 7] = [
    include_str!("../../tests/keys/rs256.json"),
    include_str!("../../tests/keys/hs256.json"),
    include_str!("../../tests/keys/es256.json"),
    include_str!("../../tests/keys/es256-zeros.json"),
    include_str!("../../tests/keys/es384.json"),
    include_str!("../../tests/keys/es512.json"),
    include_str!("../../tests/keys/ed25519.json"),
];

/// Members that may be absent.
const OPTIONAL: [&str; 16] = [
    "kid", "alg", "use", "key_ops", "issuer", "x5c", "x5t", "x5u", "d", "p", "q", "dp", "dq", "qi",
    "oth", "unknown",
];
/// Members of a key that are numbers, and those that are octets.
const NUMBERS: [&str; 3] = ["n", "e", "y"];
const OCTETS: [&str; 2] = ["x", "k"];

/// The canonical keys of a run.
pub struct Keys(Vec<Value>);

impl Keys {
    /// # Panics
    /// A key is not valid.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let keys = KEYS.map(|text| {
            let jwk = serde_json::from_str(text).expect("a key is JSON");
            SigningKey::from_jwk(&jwk).expect("a key").public_jwk()
        });
        Self(keys.into())
    }
}

/// Reads one set of keys. Returns the kind of the result.
///
/// # Errors
/// A key is read wrongly.
pub fn check(keys: &Keys, random: &mut Random) -> Result<&'static str, String> {
    match random.below(4) {
        0 => check_bytes(keys, random),
        1 | 2 => check_spelling(keys, random),
        _ => check_fault(keys, random),
    }
}

/// Another spelling of a key is the same key.
fn check_spelling(keys: &Keys, random: &mut Random) -> Result<&'static str, String> {
    let own = &keys.0[random.below(keys.0.len())];
    let mut jwk = own.clone();
    let mut changed = 0;
    for name in NUMBERS.iter().chain(&OCTETS) {
        let Some(text) = own.get(*name).and_then(Value::as_str) else {
            continue;
        };
        let octets =
            base64url::decode(text.as_bytes()).ok_or("a canonical key is not base64url")?;
        let is_number = NUMBERS.contains(name) || own["kty"] == "EC";
        let octets = if is_number {
            as_number(&octets, random)
        } else {
            octets
        };
        let text = as_base64(&octets, random);
        changed += usize::from(jwk[*name] != text);
        jwk[*name] = json!(text);
    }
    for name in OPTIONAL {
        if random.below(4) == 0 && jwk.get(name).is_none() {
            jwk[name] = random.pick(&[Empty::Null, Empty::List]).value();
            changed += usize::from(!["x5c", "x5t", "x5u", "unknown"].contains(&name));
        }
    }
    let expected = read(own).ok_or("a canonical key is refused")?;
    let set = parse(&json!({"keys": [jwk]}))?;
    let [key] = set.keys.as_slice() else {
        return Err(format!("{jwk} is refused: {:?}", set.refused));
    };
    if !is_same(key, &expected) {
        return Err(format!("{jwk} is another key"));
    }
    if set.lenient.is_empty() != (changed == 0) {
        return Err(format!("{jwk}: {changed} changes, {:?}", set.lenient));
    }
    Ok("another spelling")
}

/// A key with a fault is refused, or is the key that a simpler reader finds.
fn check_fault(keys: &Keys, random: &mut Random) -> Result<&'static str, String> {
    let mut entries = Vec::new();
    for _ in 0..=random.below(6) {
        let mut jwk = keys.0[random.below(keys.0.len())].clone();
        for _ in 0..random.below(4) {
            mutate(&mut jwk, random);
        }
        entries.push(jwk);
    }
    let set = parse(&json!({ "keys": entries }))?;
    if set.keys.len() + set.refused.len() != entries.len() {
        return Err(format!("{entries:?}: a key is lost"));
    }
    let refused: BTreeSet<usize> = set.refused.iter().map(|refused| refused.index).collect();
    let accepted = entries.iter().enumerate();
    let accepted = accepted.filter(|(index, _)| !refused.contains(index));
    for ((_, entry), key) in accepted.zip(&set.keys) {
        let canonical = canonical(entry).ok_or_else(|| format!("{entry} is accepted"))?;
        let again = read(&canonical).ok_or_else(|| format!("{canonical} is refused"))?;
        if !is_same(key, &again) {
            return Err(format!("{entry} and {canonical} are different keys"));
        }
        check_issuer(entry, key)?;
    }
    check_content(&set, &json!({ "keys": entries }).to_string())?;
    Ok(match (set.keys.is_empty(), set.refused.is_empty()) {
        (_, true) => "all keys are accepted",
        (false, false) => "some keys are refused",
        (true, false) => "all keys are refused",
    })
}

/// Any bytes: nothing panics, and a set is not larger than it may be.
fn check_bytes(keys: &Keys, random: &mut Random) -> Result<&'static str, String> {
    let entries: Vec<_> = (0..random.below(4))
        .map(|_| keys.0[random.below(keys.0.len())].clone())
        .collect();
    let mut body = json!({ "keys": entries }).to_string().into_bytes();
    for _ in 0..random.below(4) {
        let place = random.below(body.len());
        match random.below(3) {
            0 => body[place] = random.below(256) as u8,
            1 => drop(body.remove(place)),
            _ => body.insert(place, random.pick(b"\"{}[],:\\0= ")),
        }
    }
    if random.below(4) == 0 {
        body.splice(..0, *b"\xef\xbb\xbf");
    }
    let content = Content::Keys { algorithms: None };
    let result = content.read(&body);
    let again = content.read(&body);
    if format!("{result:?}") != format!("{again:?}") {
        return Err("the second reading differs".to_owned());
    }
    match result {
        Ok((_, summary)) if summary.usable() > KEYS_MAX => Err("too many keys".to_owned()),
        Ok(_) => Ok("bytes that are a set"),
        Err(_) => Ok("bytes that are no set"),
    }
}

/// What is fetched is what the set has: no shared secret, and no key without an algorithm.
fn check_content(set: &JwkSet, body: &str) -> Result<(), String> {
    let content = Content::Keys { algorithms: None };
    let public = set.keys.iter();
    let public = public
        .filter(|key| key.key().default_algorithm().is_some())
        .count();
    match content.read(body.as_bytes()) {
        Ok((_, summary)) if summary.usable() == public => Ok(()),
        Err(_) if public == 0 => Ok(()),
        other => Err(format!("{body}: {public} keys, {other:?}")),
    }
}

/// A key with an issuer serves no other.
fn check_issuer(entry: &Value, key: &Jwk) -> Result<(), String> {
    let Some(issuer) = entry.get("issuer").and_then(Value::as_str) else {
        return Ok(());
    };
    let filled = |value: &str| {
        let parts = issuer.split('/');
        let parts = parts.map(|part| if part.starts_with('{') { value } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let has_placeholder = issuer.contains('{');
    let is_right = key.is_of(&filled("a"))
        && key.is_of(issuer)
        && !key.is_of(&filled("a/b")) | !has_placeholder
        && !key.is_of(&filled("")) | !has_placeholder
        && !key.is_of(&filled("a?b")) | !has_placeholder
        && !key.is_of(&(filled("a") + "/"))
        && !key.is_of("https://other.example");
    match is_right {
        true => Ok(()),
        false => Err(format!("the issuer of {entry}")),
    }
}

/// Changes a member, so that the key may be invalid.
fn mutate(jwk: &mut Value, random: &mut Random) {
    let members = jwk.as_object().map_or(0, Map::len);
    let names: Vec<String> = jwk
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .cloned()
        .collect();
    let name = match random.below(2) {
        0 => names[random.below(members)].clone(),
        _ => random.pick(&OPTIONAL).to_owned(),
    };
    let text = jwk.get(&name).and_then(Value::as_str).unwrap_or_default();
    let mut characters: Vec<char> = text.chars().collect();
    jwk[name] = match random.below(9) {
        0 => json!(null),
        1 => json!([]),
        2 => json!(""),
        3 => json!(["verify"]),
        4 => json!(random.pick(&["sig", "RS256", "P-384", "EC", "RSA", "AQAB", "AA", "enc"])),
        5 => json!(random.pick(&[
            "https://a.example/{t}/v2.0",
            "https://a.example/1/v2.0",
            "https://{t}.example/",
            "https://a.example/{t}{u}",
            "{t}",
        ])),
        6 => json!(random.below(2) == 0),
        7 => {
            characters.insert(
                random.below(characters.len() + 1),
                random.pick(&['=', '+', '/', 'A', ' ']),
            );
            json!(characters.into_iter().collect::<String>())
        }
        _ => {
            characters.truncate(random.below(characters.len() + 1));
            json!(characters.into_iter().collect::<String>())
        }
    };
}

/// The canonical JWK of a key that was accepted; none if no reader may accept it.
fn canonical(entry: &Value) -> Option<Value> {
    let members = entry.as_object()?;
    let present = members.iter().filter(|(_, value)| {
        !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
    });
    let mut canonical: Map<String, Value> = present.map(|(n, v)| (n.clone(), v.clone())).collect();
    let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
    if is_private.iter().any(|name| canonical.contains_key(*name)) {
        return None;
    }
    let length = match canonical.get("crv").and_then(Value::as_str) {
        Some("P-256") => 32,
        Some("P-384") => 48,
        Some("P-521") => 66,
        _ => 0,
    };
    let kty = canonical.get("kty")?.as_str()?.to_owned();
    let numbers: &[&str] = match kty.as_str() {
        "RSA" => &["n", "e"],
        "EC" => &["x", "y"],
        "OKP" => &["x"],
        _ => &["k"],
    };
    for name in numbers {
        let text = canonical
            .get(*name)?
            .as_str()?
            .replace('+', "-")
            .replace('/', "_");
        let mut octets = base64url::decode(text.trim_end_matches('=').as_bytes())?;
        if kty == "RSA" || kty == "EC" {
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            octets.drain(..zeros);
            let missing = if kty == "EC" { length } else { 0_usize };
            let missing = missing.saturating_sub(octets.len());
            octets.splice(..0, vec![0; missing]);
        }
        canonical.insert((*name).to_owned(), json!(base64url::encode(&octets)));
    }
    Some(Value::Object(canonical))
}

/// A big-endian number with other leading zero octets, and never without octets.
fn as_number(octets: &[u8], random: &mut Random) -> Vec<u8> {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let mut number = vec![0; random.below(4)];
    number.extend_from_slice(&octets[random.below(zeros + 1)..]);
    number
}

/// Base64 of either alphabet, with or without padding.
fn as_base64(octets: &[u8], random: &mut Random) -> String {
    let mut text = base64url::encode(octets);
    if random.below(3) == 0 {
        text = text.replace('-', "+").replace('_', "/");
    }
    if random.below(3) == 0 {
        text.push_str(&"=".repeat(random.below(4)));
    }
    text
}

#[derive(Clone, Copy)]
enum Empty {
    Null,
    List,
}

impl Empty {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::List => json!([]),
        }
    }
}

fn parse(set: &Value) -> Result<JwkSet, String> {
    parse_set(set, Source::Inline).map_err(|fault| format!("{set}: {fault}"))
}

fn read(jwk: &Value) -> Option<Jwk> {
    Jwk::parse(jwk, Source::Inline).ok()
}

/// Whether two keys are the same, as far as a host or a token can tell.
fn is_same(one: &Jwk, other: &Jwk) -> bool {
    let serves = |key: &Jwk| Algorithm::ALL.map(|algorithm| key.serves(algorithm));
    one.key().spki_der() == other.key().spki_der()
        && one.kid() == other.kid()
        && one.algorithm() == other.algorithm()
        && one.issuer() == other.issuer()
        && serves(one) == serves(other)
}
