//! Parses a compact JWS (RFC 7515 §7.1) as §5.2 requires.
//!
//! Nothing is verified here: a [`Compact`] and its [`Header`] have the content that the client sent.

use super::{base64url, signature::Algorithm};
use crate::json::{self, Json, JsonFault, Object};
use std::borrow::Cow;

/// A decoded compact JWS: `BASE64URL(header).BASE64URL(payload).BASE64URL(signature)`.
///
/// RFC 7515 allows an empty payload. The parser of the claims rejects it, because a JWT has claims.
#[derive(Clone, Debug)]
pub struct Compact<'a> {
    /// The octets of the header, the payload and the signature, in this order.
    octets: Vec<u8>,
    /// The length of the header, in octets.
    header: usize,
    /// The length of the payload, in octets.
    payload: usize,
    signing_input: &'a [u8],
}

/// The members of a JOSE header that the filter uses (RFC 7515 §4.1).
///
/// `jwk`, `jku`, `x5u`, `x5c`, `x5t` and unknown members are ignored, because a token must not choose the key that
/// verifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, the name of the key. It is unverified and has any length: compare it, and do not print it.
    pub kid: Option<Cow<'a, str>>,
    /// `typ`, the media type of the token, as sent.
    pub typ: Option<Cow<'a, str>>,
}

/// Why a token is not a JWS that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsFault {
    /// A compact JWS has three segments (RFC 7515 §7.1).
    #[error("expected three segments")]
    Segments,
    /// A segment is not unpadded, canonical base64url.
    #[error("the {0} is not base64url")]
    Base64(Segment),
    /// The header has no octets.
    #[error("the header is empty")]
    HeaderEmpty,
    /// The header is not strict JSON.
    #[error("in the header: {0}")]
    HeaderJson(JsonFault),
    /// The header is JSON, but not an object.
    #[error("the header is not an object")]
    HeaderNotObject,
    /// `alg` is missing or not a string.
    #[error("`alg` is missing or not a string")]
    AlgorithmMissing,
    /// `alg` is not a supported algorithm; `none` is not supported.
    #[error("unknown `alg`")]
    AlgorithmUnknown,
    /// `kid` or `typ` is present and not a string.
    #[error("`{0}` is not a string")]
    NotString(&'static str),
    /// The header has `crit`, `b64` or `zip`. `crit` requires support for an extension, and no extension is supported.
    /// `b64` (RFC 7797) and `zip` change the meaning of the payload.
    #[error("`{0}` is not supported")]
    Extension(&'static str),
}

/// One of the three segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The first segment.
    Header,
    /// The second segment.
    Payload,
    /// The third segment.
    Signature,
}

impl<'a> Compact<'a> {
    /// Splits and decodes `token`.
    ///
    /// # Errors
    ///
    /// The token does not have three segments, a segment is not canonical base64url, or the header is empty.
    pub fn parse(token: &'a [u8]) -> Result<Self, JwsFault> {
        use Segment::{Header, Payload, Signature};
        let mut octets = vec![0; base64url::octets_at_most(token.len())];
        let fault = |segment| move || malformed(token, segment);
        let take = |text, octets: &mut [u8], segment| {
            base64url::decode_start(text, octets).ok_or_else(fault(segment))
        };
        let (header, rest) = take(token, &mut octets, Header)?;
        let rest = after_period(rest).ok_or_else(fault(Header))?;
        let free = octets.get_mut(header..).unwrap_or_default();
        let (payload, rest) = take(rest, free, Payload)?;
        let signing_input = token.get(..token.len() - rest.len()).unwrap_or_default();
        let rest = after_period(rest).ok_or_else(fault(Payload))?;
        let free = free.get_mut(payload..).unwrap_or_default();
        let (signature, rest) = take(rest, free, Signature)?;
        if !rest.is_empty() {
            return Err(malformed(token, Signature));
        } else if header == 0 {
            return Err(JwsFault::HeaderEmpty);
        }
        octets.truncate(header + payload + signature);
        Ok(Self {
            octets,
            header,
            payload,
            signing_input,
        })
    }

    /// The octets of the JOSE header, which are not empty.
    pub fn header(&self) -> &[u8] {
        self.octets.get(..self.header).unwrap_or_default()
    }

    /// The octets of the payload.
    pub fn payload(&self) -> &[u8] {
        let rest = self.octets.get(self.header..).unwrap_or_default();
        rest.get(..self.payload).unwrap_or_default()
    }

    /// The octets of the signature.
    pub fn signature(&self) -> &[u8] {
        let signature = self.octets.get(self.header + self.payload..);
        signature.unwrap_or_default()
    }

    /// The signed message: the first two segments as sent, with the period between them.
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }
}

fn after_period(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b".")
}

/// The fault of a token in which this segment cannot be decoded or has no period after it.
fn malformed(token: &[u8], segment: Segment) -> JwsFault {
    let periods = token.iter().filter(|byte| **byte == b'.').count();
    if periods == 2 {
        JwsFault::Base64(segment)
    } else {
        JwsFault::Segments
    }
}

impl<'a> Header<'a> {
    /// Parses the octets of a JOSE header.
    ///
    /// # Errors
    ///
    /// The header is not a strict JSON object, its `alg` is missing or unknown, its `kid` or `typ` is not a string, or it
    /// has `crit`, `b64` or `zip` with any value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JwsFault> {
        let members = parse_members(bytes)?;
        let string = |name| match members.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JwsFault::NotString(name)),
        };
        Ok(Self {
            algorithm: algorithm_of(&members)?,
            kid: string("kid")?,
            typ: string("typ")?,
        })
    }
}

/// Parses the octets of a JOSE header to its members.
///
/// # Errors
///
/// The header is not a strict JSON object, or has `crit`, `b64` or `zip` with any value.
pub fn parse_members(bytes: &[u8]) -> Result<Object<'_>, JwsFault> {
    let value = json::parse(bytes).map_err(JwsFault::HeaderJson)?;
    let Json::Object(members) = value else {
        return Err(JwsFault::HeaderNotObject);
    };
    for name in ["crit", "b64", "zip"] {
        if members.get(name).is_some() {
            return Err(JwsFault::Extension(name));
        }
    }
    Ok(members)
}

/// The `alg` of a JOSE header.
///
/// # Errors
///
/// It is missing or unknown.
pub fn algorithm_of(members: &Object<'_>) -> Result<Algorithm, JwsFault> {
    match members.get("alg") {
        Some(Json::Text(name)) => Algorithm::from_name(name).ok_or(JwsFault::AlgorithmUnknown),
        _ => Err(JwsFault::AlgorithmMissing),
    }
}

impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Compact, Header, JwsFault, Segment};
    use crate::{authenticate::jose::signature::Algorithm, json::JsonFault};

    fn header(text: &str) -> Result<Header<'_>, JwsFault> {
        Header::parse(text.as_bytes())
    }

    #[test]
    fn a_token_is_decoded() {
        let compact = Compact::parse(b"e30.e30.AQI").unwrap();
        assert_eq!(compact.header(), b"{}");
        assert_eq!(compact.payload(), b"{}");
        assert_eq!(compact.signature(), [1, 2]);
        assert_eq!(compact.signing_input(), b"e30.e30");
        // A token without a signature can be decoded. No key verifies an empty signature.
        assert!(Compact::parse(b"e30..").unwrap().signature().is_empty());
    }

    /// J-24.
    #[test]
    fn j_24_only_three_segments() {
        for token in [
            "",
            "e30",
            "e30.e30",
            "e30.e30.AQI.",
            ".e30.e30.AQI",
            "a.b.c.d.e",
            "....",
        ] {
            assert_eq!(
                Compact::parse(token.as_bytes()).unwrap_err(),
                JwsFault::Segments
            );
        }
        let empty = Compact::parse(b".e30.AQI").unwrap_err();
        assert_eq!(empty, JwsFault::HeaderEmpty);
    }

    /// J-26 to J-28.
    #[test]
    fn j_26_j_27_j_28_strict_base64url() {
        use Segment::{Header, Payload, Signature};
        for (token, segment) in [
            ("e30=.e30.AQI", Header),
            ("e30.e30=.AQI", Payload),
            ("e30.e30.AQI=", Signature),
            ("e30.e3+.AQI", Payload),
            ("e30.e3/.AQI", Payload),
            ("e30.e30.AQ I", Signature),
            ("e30.e30.AQI\n", Signature),
            ("e30?.e30.AQI", Header),
            ("e30~.e30.AQI", Header),
            ("e31.e30.AQI", Header),
            ("e30.e31.AQI", Payload),
            ("e30.e30.AQJ", Signature),
            ("e30.A.AQI", Payload),
        ] {
            let fault = Compact::parse(token.as_bytes()).unwrap_err();
            assert_eq!(fault, JwsFault::Base64(segment), "{token:?}");
        }
        assert!(Compact::parse(b"e30.e30.\xff").is_err());
    }

    #[test]
    fn a_header_is_read() {
        let text =
            r#"{"alg":"ES256","kid":"k","typ":"at+jwt","jku":"https://evil","x5c":[1],"jwk":{}}"#;
        let expected = Header {
            algorithm: Algorithm::Es256,
            kid: Some("k".into()),
            typ: Some("at+jwt".into()),
        };
        assert_eq!(header(text), Ok(expected));
    }

    /// J-01, J-02, J-08.
    #[test]
    fn j_01_j_02_j_08_alg() {
        for name in ["none", "None", "nOnE", "es256", " ES256", "", "ES256K"] {
            let text = format!(r#"{{"alg":"{name}"}}"#);
            assert_eq!(header(&text), Err(JwsFault::AlgorithmUnknown), "{name}");
        }
        for text in [
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":5}"#,
            r#"{"alg":["ES256"]}"#,
        ] {
            assert_eq!(header(text), Err(JwsFault::AlgorithmMissing), "{text}");
        }
    }

    /// J-13.
    #[test]
    fn j_13_kid_is_a_string() {
        for value in ["1", "null", "{}", "[\"a\"]", "true"] {
            for name in ["kid", "typ"] {
                let text = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                assert_eq!(header(&text), Err(JwsFault::NotString(name)));
            }
        }
    }

    /// J-12: a `kid` is any string, and only that.
    #[test]
    fn j_12_kid_is_any_string() {
        let long = "k".repeat(65_536);
        for kid in [
            "../../../dev/null",
            "' OR 1=1 --",
            "http://evil/",
            "\0",
            "",
            &long,
        ] {
            let text = serde_json::json!({"alg": "ES256", "kid": kid}).to_string();
            assert_eq!(header(&text).unwrap().kid.as_deref(), Some(kid));
        }
    }

    /// J-30, J-31, J-33.
    #[test]
    fn j_30_j_31_j_33_the_header_is_a_strict_object() {
        for text in ["[]", "\"x\"", "null", "5"] {
            assert_eq!(header(text), Err(JwsFault::HeaderNotObject), "{text}");
        }
        for text in ["", "{}{}", "\u{feff}{}"] {
            let fault = JwsFault::HeaderJson(JsonFault::Syntax);
            assert_eq!(header(text), Err(fault), "{text}");
        }
        for text in [
            r#"{"alg":"none","alg":"ES256"}"#,
            r#"{"alg":"ES256","alg":"none"}"#,
            r#"{"\u0061lg":"none","alg":"ES256"}"#,
        ] {
            let fault = JwsFault::HeaderJson(JsonFault::Duplicate);
            assert_eq!(header(text), Err(fault), "{text}");
        }
    }

    /// J-36 to J-40.
    #[test]
    fn j_36_to_j_40_no_extensions() {
        for member in [
            r#""crit":["x"],"x":1"#,
            r#""crit":["exp"],"exp":1"#,
            r#""crit":[]"#,
            r#""crit":"b64""#,
            r#""crit":[1]"#,
            r#""crit":["alg"]"#,
            r#""crit":null"#,
            r#""b64":false,"crit":["b64"]"#,
            r#""b64":true,"crit":["b64"]"#,
            r#""b64":false"#,
            r#""b64":true"#,
            r#""zip":"DEF""#,
        ] {
            let fault = header(&format!(r#"{{"alg":"ES256",{member}}}"#)).unwrap_err();
            assert!(matches!(fault, JwsFault::Extension(_)), "{member}");
        }
    }
}
