//! The tokens of a table: written down as claims, signed when the table is loaded.

use std::collections::BTreeMap;
use std::fs;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{in_repository, thumbprint};

/// A token as a table writes it: `literal`, or signed with `key`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Any text, in place of a signed token.
    literal: Option<String>,
    /// How many times the literal stands.
    #[serde(default = "once")]
    repeat: usize,
    /// The name of the key that signs.
    key: Option<String>,
    /// The algorithm that signs; the key's own if left out. `alg` in the header may say another.
    sign_as: Option<String>,
    /// Members of the header besides `alg` and `kid`, or in their place.
    #[serde(default)]
    header: Map<String, Value>,
    /// The claims. A string such as `now+300` or `now-60.5` is a NumericDate, `{thumbprint: ec}` the thumbprint of a key.
    #[serde(default)]
    claims: Map<String, Value>,
    /// Members of header and claims that are left out.
    #[serde(default)]
    drop: Vec<String>,
    /// Further claims that are lists of so many zeros.
    #[serde(default)]
    zeros: BTreeMap<String, usize>,
    /// The header's exact bytes, one a character.
    raw_header: Option<String>,
    /// The payload's exact bytes, one a character; `{now+300}` is a NumericDate.
    raw_payload: Option<String>,
    /// What is done to the signed token.
    tamper: Option<Tamper>,
    /// The third segment, in place of the signature.
    signature: Option<String>,
    /// How the segments are put together: `{header}.{payload}.{signature}`.
    shape: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tamper {
    /// One bit of the signature is flipped.
    Signature,
    /// One claim's text is changed after signing.
    Payload,
    /// The unused bits of the signature's last character are set: another spelling of the same bytes.
    UnusedBits,
    /// The signature's last byte is missing.
    ShortSignature,
    /// The signature has a byte too many.
    LongSignature,
    /// An ECDSA signature as DER, not as the pair of numbers that JWS has.
    Der,
}

fn once() -> usize {
    1
}

/// The keys of a table, by the names that it gives them.
pub type Keys = BTreeMap<String, SigningKey>;

/// Reads keys: names and files of `tests/keys/`.
pub fn read_keys(files: &BTreeMap<String, String>) -> Keys {
    files
        .iter()
        .map(|(name, file)| (name.clone(), read_key(&format!("tests/keys/{file}"))))
        .collect()
}

/// The private key in a file of the repository.
pub fn read_key(path: &str) -> SigningKey {
    let text = fs::read_to_string(in_repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let jwk = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    SigningKey::from_jwk(&jwk).unwrap_or_else(|e| panic!("{path}: {e}"))
}

impl TokenSpec {
    /// The same with these members of the header, and these claims, where it has no other ones. Of exact bytes, `{name}` is
    /// the member or claim of that name, as JSON.
    pub fn with_defaults(mut self, header: Map<String, Value>, claims: Map<String, Value>) -> Self {
        fill(&mut self.raw_header, &mut self.header, header);
        fill(&mut self.raw_payload, &mut self.claims, claims);
        self
    }

    /// The name of the key that signs.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The token's text.
    ///
    /// # Panics
    /// The table is wrong.
    pub fn mint(&self, name: &str, keys: &Keys, now: i64) -> String {
        if let Some(literal) = &self.literal {
            assert!(self.key.is_none(), "{name}: either `literal` or `key`");
            return literal.repeat(self.repeat);
        }
        let key = self
            .key
            .as_ref()
            .unwrap_or_else(|| panic!("{name}: neither `literal` nor `key`"));
        let key = keys
            .get(key)
            .unwrap_or_else(|| panic!("{name}: no key is named {key}"));
        let algorithm = match &self.sign_as {
            Some(written) => Algorithm::from_name(written),
            None => key.algorithm(),
        };
        let algorithm = algorithm.unwrap_or_else(|| panic!("{name}: no algorithm to sign with"));
        let token = key
            .sign_compact(
                algorithm,
                &self.header_bytes(key, algorithm),
                &self.payload_bytes(name, keys, now),
            )
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        self.assemble(name, &token)
    }

    fn header_bytes(&self, key: &SigningKey, algorithm: Algorithm) -> Vec<u8> {
        if let Some(raw) = &self.raw_header {
            assert!(self.header.is_empty(), "either `header` or `raw_header`");
            return latin_1(raw);
        }
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(algorithm.name()));
        if let Some(kid) = key.kid() {
            header.insert("kid".to_owned(), json!(kid));
        }
        header.extend(self.header.clone());
        let header = self.without_dropped(header);
        Value::Object(header).to_string().into_bytes()
    }

    fn without_dropped(&self, mut members: Map<String, Value>) -> Map<String, Value> {
        members.retain(|name, _| !self.drop.contains(name));
        members
    }

    fn payload_bytes(&self, name: &str, keys: &Keys, now: i64) -> Vec<u8> {
        if let Some(raw) = &self.raw_payload {
            assert!(
                self.claims.is_empty() && self.zeros.is_empty(),
                "{name}: either `claims` or `raw_payload`"
            );
            return latin_1(&with_dates(raw, now));
        }
        let claims = self.without_dropped(self.claims.clone());
        let mut claims = thumbprint::written(dated(Value::Object(claims), now), keys);
        for (name, count) in &self.zeros {
            claims[name] = json!(vec![0; *count]);
        }
        claims.to_string().into_bytes()
    }

    fn assemble(&self, name: &str, token: &str) -> String {
        let mut segments = token.split('.');
        let mut next = || segments.next().unwrap_or_default().to_owned();
        let (header, mut payload, mut signature) = (next(), next(), next());
        match self.tamper {
            None => {}
            Some(Tamper::Payload) => payload = encode(&replaced_last_letter(decode(&payload))),
            Some(Tamper::UnusedBits) => signature = with_unused_bits(&signature),
            Some(tamper) => signature = encode(&tamper.applied(decode(&signature))),
        }
        if let Some(written) = &self.signature {
            assert!(
                self.tamper.is_none(),
                "{name}: either `signature` or `tamper`"
            );
            signature.clone_from(written);
        }
        match &self.shape {
            None => format!("{header}.{payload}.{signature}"),
            Some(shape) => shape
                .replace("{header}", &header)
                .replace("{payload}", &payload)
                .replace("{signature}", &signature),
        }
    }
}

/// Fills in what is not written: members, or places in exact bytes.
fn fill(
    raw: &mut Option<String>,
    written: &mut Map<String, Value>,
    mut defaults: Map<String, Value>,
) {
    if let Some(raw) = raw {
        for (name, value) in &defaults {
            *raw = raw.replace(&format!("{{{name}}}"), &value.to_string());
        }
    } else {
        defaults.append(written);
        *written = defaults;
    }
}

impl Tamper {
    fn applied(self, mut signature: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Signature => signature[0] ^= 1,
            Self::ShortSignature => {
                signature.pop();
            }
            Self::LongSignature => signature.push(0),
            Self::Der => return der(&signature),
            Self::Payload | Self::UnusedBits => unreachable!("no change of the signature's bytes"),
        }
        signature
    }
}

/// `SEQUENCE { INTEGER r, INTEGER s }` of a JWS's r‖s.
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integers: Vec<u8> = [r, s]
        .into_iter()
        .flat_map(|number| {
            let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
            let sign = if number[0] >= 0x80 { &[0][..] } else { &[] };
            let length = u8::try_from(sign.len() + number.len()).expect("a short number");
            [&[2, length], sign, number].concat()
        })
        .collect();
    let length = u8::try_from(integers.len()).expect("P-256 at most");
    [&[0x30, length][..], &integers].concat()
}

/// The last letter or digit becomes another, so that the JSON stays JSON.
fn replaced_last_letter(mut payload: Vec<u8>) -> Vec<u8> {
    let letter = payload
        .iter_mut()
        .rev()
        .find(|byte| byte.is_ascii_alphanumeric());
    let letter = letter.expect("a payload with a letter or digit");
    *letter = if *letter == b'1' { b'2' } else { b'1' };
    payload
}

fn with_unused_bits(segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert!(
        !segment.len().is_multiple_of(4),
        "the segment's last character has no unused bits"
    );
    let last = segment.as_bytes()[segment.len() - 1];
    let place = ALPHABET
        .iter()
        .position(|byte| *byte == last)
        .expect("base64url");
    let other = char::from(ALPHABET[place | 1]);
    format!("{}{other}", &segment[..segment.len() - 1])
}

/// The value, if it is an object with a NumericDate in place of each member such as `now+300`.
pub fn dated(mut value: Value, now: i64) -> Value {
    for member in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(date) = member.as_str().and_then(|text| numeric_date(text, now)) {
            *member = date;
        }
    }
    value
}

/// `now`, `now+300`, `now-60.5` → a number.
fn numeric_date(text: &str, now: i64) -> Option<Value> {
    let offset = text.strip_prefix("now")?;
    if offset.is_empty() {
        return Some(json!(now));
    }
    if let Ok(seconds) = offset.parse::<i64>() {
        return Some(json!(now + seconds));
    }
    #[allow(clippy::cast_precision_loss)]
    // Seconds since 1970 fit a double for the next 285 million years.
    let date = now as f64 + offset.parse::<f64>().ok()?;
    Some(json!(date))
}

/// Replaces each `{now…}` of a raw payload.
fn with_dates(raw: &str, now: i64) -> String {
    let mut text = raw.to_owned();
    while let Some(start) = text.find("{now") {
        let end = start + text[start..].find('}').expect("`{now…}` is closed");
        let date = numeric_date(&text[start + 1..end], now).expect("`{now+300}` or the like");
        text.replace_range(start..=end, &date.to_string());
    }
    text
}

/// One byte a character (ISO 8859-1).
///
/// # Panics
/// A character is beyond U+00FF.
pub fn latin_1(text: &str) -> Vec<u8> {
    let byte =
        |c| u8::try_from(u32::from(c)).unwrap_or_else(|_| panic!("{c:?} of {text:?} is no byte"));
    text.chars().map(byte).collect()
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn decode(segment: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(segment).expect("a segment that was just minted")
}
