//! The `issuer` of a key: the only issuer whose tokens the key verifies.
//!
//! RFC 7517 §4 allows further members. Entra publishes one key set for all tenants, in which `issuer` says whose tokens a
//! key signs. It is a URL that may have placeholders: `https://login.microsoftonline.com/{tenantid}/v2.0`.

/// The issuer of a key. Each `{…}` stands for one path segment, and the rest is compared exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIssuer(String);

impl KeyIssuer {
    /// Parses an issuer.
    ///
    /// None if the text is empty, or has a `{` or `}` that is not part of a placeholder. A placeholder is a whole segment
    /// of the path, so that it never stands for a host.
    pub fn parse(text: &str) -> Option<Self> {
        let path_begins = if text.contains("://") { 3 } else { 1 };
        let mut is_in_path = true;
        for (index, segment) in text.split('/').enumerate() {
            is_in_path &= !segment.contains(['?', '#']);
            let has_brace = segment.contains(['{', '}']);
            if has_brace && !(is_in_path && index >= path_begins && is_placeholder(segment)) {
                return None;
            }
        }
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The issuer as the key has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the issuer `iss` of a token.
    pub fn is_named_by(&self, iss: &str) -> bool {
        let (mut own, mut named) = (self.0.split('/'), iss.split('/'));
        loop {
            match (own.next(), named.next()) {
                (None, None) => return true,
                (Some(own), Some(named)) if own == named => {}
                (Some(own), Some(named)) if is_placeholder(own) && is_segment(named) => {}
                _ => return false,
            }
        }
    }
}

fn is_placeholder(segment: &str) -> bool {
    let name = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']))
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains(['?', '#'])
}

#[cfg(test)]
mod tests {
    use super::KeyIssuer;

    #[test]
    fn a_placeholder_is_one_segment_of_the_path() {
        let entra = KeyIssuer::parse("https://login.example/{tenantid}/v2.0").unwrap();
        assert!(entra.is_named_by("https://login.example/a/v2.0"));
        assert!(entra.is_named_by("https://login.example/{tenantid}/v2.0"));
        for iss in [
            "",
            "https://login.example/a",
            "https://login.example/a/v2.0/",
            "https://login.example//v2.0",
            "https://login.example/a/b/v2.0",
            "https://login.example/a?/v2.0",
            "https://login.example/#/v2.0",
            "https://login.example/a/v2.0?",
            "https://other.example/a/v2.0",
            "http://login.example/a/v2.0",
        ] {
            assert!(!entra.is_named_by(iss), "{iss}");
        }
        let last = KeyIssuer::parse("login.example/{a}/x/{b}").unwrap();
        assert!(last.is_named_by("login.example/1/x/2"));
        assert!(!last.is_named_by("login.example/1/x/"));
    }

    #[test]
    fn an_issuer_without_a_placeholder_is_compared_exactly() {
        for issuer in ["https://login.example", "accounts.example", "a b", "/"] {
            let own = KeyIssuer::parse(issuer).unwrap();
            assert!(own.is_named_by(issuer));
            assert!(!own.is_named_by(&format!("{issuer}/")));
            assert!(!own.is_named_by(&issuer.to_uppercase()) || issuer == "/");
        }
    }

    #[test]
    fn malformed_issuers() {
        for issuer in [
            "",
            "{tenant}",
            "https://{tenant}/v2.0",
            "https://{tenant}.example/v2.0",
            "{scheme}://login.example/v2.0",
            "https://login.example/{}/v2.0",
            "https://login.example/{tenant/v2.0",
            "https://login.example/tenant}/v2.0",
            "https://login.example/{{tenant}}/v2.0",
            "https://login.example/{a}{b}/v2.0",
            "https://login.example/t-{tenant}/v2.0",
            "https://login.example/{a/b}/v2.0",
            "https://login.example/v2.0?tenant=/{tenant}",
            "https://login.example/v2.0#/{tenant}",
            "urn:example:{tenant}",
        ] {
            assert_eq!(KeyIssuer::parse(issuer), None, "{issuer}");
        }
    }
}
