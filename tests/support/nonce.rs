//! The nonces of a refusal: `dpop-nonce` (RFC 9449 §8.2), and those of Digest's challenges (RFC 7616 §3.3).

use super::challenge::{self, Parsed};

/// What stands for the nonce in what a case expects, and in what it sends.
pub const NONCE: &str = "{nonce}";
/// What stands for a nonce of the other kind, or outside of a credential.
const DPOP_NONCE: &str = "{dpop-nonce}";
const DIGEST_NONCE: &str = "{digest-nonce}";
const OPAQUE: &str = "{opaque}";

/// A kind of nonce.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Dpop,
    Digest,
}

/// What a refusal has for the next request.
#[derive(Debug, Default)]
pub struct Nonces {
    dpop: Vec<String>,
    /// The challenges of Digest, in order.
    pub digest: Vec<Parsed>,
}

impl Nonces {
    /// Those in the headers of a response.
    pub fn of(headers: &[(String, Vec<u8>)]) -> Self {
        let mut nonces = Self::default();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value).into_owned();
            match name.as_str() {
                "dpop-nonce" => nonces.dpop.push(value),
                "www-authenticate" | "proxy-authenticate" => {
                    let parsed = challenge::parse(&value).ok();
                    let digest = parsed.filter(|parsed| parsed.scheme == "Digest");
                    nonces.digest.extend(digest);
                }
                _ => {}
            }
        }
        nonces
    }

    /// Every nonce.
    pub fn all(&self) -> Vec<&str> {
        let dpop = self.dpop.iter().map(String::as_str);
        let digest = self.digest.iter();
        let digest = digest.filter_map(|challenge| challenge.get("nonce"));
        dpop.chain(digest).collect()
    }

    /// Whether a text has places for nonces.
    pub fn are_in(text: &str) -> bool {
        [NONCE, DPOP_NONCE, DIGEST_NONCE, OPAQUE]
            .iter()
            .any(|place| text.contains(place))
    }

    /// The text with nonces in their places; `{nonce}` is one of this kind. A place for which nothing came back stays.
    pub fn fill(&self, kind: Kind, text: &str) -> String {
        let own = match kind {
            Kind::Dpop => DPOP_NONCE,
            Kind::Digest => DIGEST_NONCE,
        };
        let text = text.replace(NONCE, own);
        let digest = |name| {
            self.digest
                .first()
                .and_then(|challenge| challenge.get(name))
        };
        let text = put(text, DPOP_NONCE, self.dpop.first().map(String::as_str));
        let text = put(text, DIGEST_NONCE, digest("nonce"));
        put(text, OPAQUE, digest("opaque"))
    }
}

fn put(text: String, place: &str, value: Option<&str>) -> String {
    value.map_or_else(|| text.clone(), |value| text.replace(place, value))
}

/// What was found, with `{nonce}` and `{opaque}` in the places of values if they stand in what is expected.
pub fn masked(found: &str, expected: &str) -> String {
    let mut found = found.to_owned();
    for (name, place) in [("nonce", NONCE), ("opaque", OPAQUE)] {
        let begin = format!("{name}=\"");
        if expected.contains(&format!("{begin}{place}\""))
            && let Some(at) = found.find(&begin)
            && let Some(length) = found[at + begin.len()..].find('"')
        {
            let start = at + begin.len();
            found.replace_range(start..start + length, place);
        }
    }
    found
}

/// `NQCHAR = %x21 / %x23-5B / %x5D-7E` (RFC 9449 §8.1). Digest's is a quoted-string of the same, so that nothing is escaped.
pub fn is_well_formed(nonce: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !nonce.is_empty() && nonce.bytes().all(is_nqchar)
}

#[test]
fn a_value_is_masked_only_where_it_is_expected() {
    let found = r#"Digest realm="a", nonce="x1", opaque="y1", cnonce="z1""#;
    let expected = r#"Digest realm="a", nonce="{nonce}", opaque="y1""#;
    assert_eq!(
        masked(found, expected),
        r#"Digest realm="a", nonce="{nonce}", opaque="y1", cnonce="z1""#
    );
    assert_eq!(masked(found, r#"Digest nonce="x1""#), found);
}
