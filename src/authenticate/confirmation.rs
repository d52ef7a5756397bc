//! The keys that a token is bound to (`cnf`, RFC 7800 §3.1).

use super::jose::base64url;
use crate::json::Json;
use crate::reject::TokenFault;

/// What a client must prove possession of, in addition to the token. At least one of the members is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// `jkt`: the thumbprint of the key of a DPoP proof (RFC 9449 §6.1).
    pub jkt: Option<[u8; 32]>,
    /// `x5t#S256`: the SHA-256 hash of the client's TLS certificate (RFC 8705 §3.1).
    pub certificate: Option<[u8; 32]>,
}

impl Confirmation {
    /// Reads the value of `cnf`.
    ///
    /// RFC 7800 §3.1 lets a recipient ignore members that it does not know. Such a member binds the token to something
    /// that the filter cannot check, so that ignoring it would turn the token into a bearer token.
    ///
    /// # Errors
    /// [`TokenFault::Binding`] if it is not an object, is empty, has an unknown member, or a member is not a SHA-256 hash
    /// in base64url.
    pub fn read(cnf: &Json<'_>) -> Result<Self, TokenFault> {
        let Json::Object(members) = cnf else {
            return Err(TokenFault::Binding);
        };
        let mut confirmation = Self {
            jkt: None,
            certificate: None,
        };
        for (name, value) in members.iter() {
            let hash = match name {
                "jkt" => &mut confirmation.jkt,
                "x5t#S256" => &mut confirmation.certificate,
                _ => return Err(TokenFault::Binding),
            };
            let read = value.as_str().and_then(base64url::decode_sha256);
            *hash = Some(read.ok_or(TokenFault::Binding)?);
        }
        match confirmation {
            Self {
                jkt: None,
                certificate: None,
            } => Err(TokenFault::Binding),
            _ => Ok(confirmation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const HASH: &str = "E0tMYKDxd9Cl51xLcOPGcvPPkaIo9i_c1yYWTfvCGAk";

    fn read(text: &str) -> Result<Confirmation, TokenFault> {
        Confirmation::read(&json::parse(text.as_bytes()).unwrap())
    }

    /// T-06: the hash of the certificate of RFC 8705 is the one that hosts write in hexadecimal.
    #[test]
    fn t_06_t_09_the_hashes_are_decoded() {
        let hash = base64url::decode_sha256(HASH).unwrap();
        assert_eq!(hash[..4], [0x13, 0x4b, 0x4c, 0x60]);
        let expected = |jkt: bool, certificate: bool| Confirmation {
            jkt: jkt.then_some(hash),
            certificate: certificate.then_some(hash),
        };
        let one = |name: &str| read(&format!(r#"{{"{name}":"{HASH}"}}"#));
        assert_eq!(one("jkt"), Ok(expected(true, false)));
        assert_eq!(one("x5t#S256"), Ok(expected(false, true)));
        assert_eq!(one(r"x5t\u0023S256"), Ok(expected(false, true)));
        let both = read(&format!(r#"{{"x5t#S256":"{HASH}","jkt":"{HASH}"}}"#));
        assert_eq!(both, Ok(expected(true, true)));
    }

    #[test]
    fn t_05_only_43_characters_of_base64url_are_a_hash() {
        let hexadecimal = "134b4c60a0f177d0a5e75c4b70e3c672f3cf91a228f62fdcd726164dfbc21809";
        let standard = HASH.replace('_', "/");
        let padded = format!("{HASH}=");
        let not_canonical = HASH.replace("GAk", "GAl");
        let sha1 = "2jmj7l5rSw0yVb_vlWAYkK_YBwk";
        for hash in [
            "",
            hexadecimal,
            &standard,
            &padded,
            &not_canonical,
            sha1,
            HASH.trim_end_matches('k'),
        ] {
            for name in ["jkt", "x5t#S256"] {
                let cnf = format!(r#"{{"{name}":"{hash}"}}"#);
                assert_eq!(read(&cnf), Err(TokenFault::Binding), "{cnf}");
            }
        }
        for value in ["null", "5", "[]", "{}", &format!("[\"{HASH}\"]")] {
            let cnf = format!(r#"{{"jkt":{value},"x5t#S256":"{HASH}"}}"#);
            assert_eq!(read(&cnf), Err(TokenFault::Binding), "{cnf}");
        }
    }

    #[test]
    fn t_08_a_confirmation_that_cannot_be_checked_is_a_fault() {
        for cnf in [
            "{}",
            "null",
            "[]",
            "true",
            "\"a\"",
            r#"{"kid":"a"}"#,
            r#"{"jwk":{}}"#,
            r#"{"osc":{}}"#,
            r#"{"JKT":""}"#,
        ] {
            assert_eq!(read(cnf), Err(TokenFault::Binding), "{cnf}");
        }
        for other in [
            "kid", "jwk", "jwe", "jku", "x5t", "x5t#s256", "jkt ", "JKT", "",
        ] {
            let cnf = format!(r#"{{"jkt":"{HASH}","{other}":"{HASH}"}}"#);
            assert_eq!(read(&cnf), Err(TokenFault::Binding), "{cnf}");
        }
    }
}
