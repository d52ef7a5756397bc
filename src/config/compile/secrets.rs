//! Secrets: in place, or from the environment of the filter.

use super::Compiler;
use crate::config::at::At;
use crate::config::document::secret::SecretSource;
use crate::config::fault::{Fault, InvalidSecret, Warning};
use crate::config::read::Typed;
use crate::grammar::can_be_quoted;
use crate::secret::Secret;

impl Compiler<'_> {
    /// A secret that a header can carry as it is: printable ASCII, without whitespace at an end.
    ///
    /// RFC 6749 Appendix A.2 allows a client secret the same characters. Whitespace at an end is a newline in a file, or a
    /// mistake in a copy.
    pub(super) fn secret_to_send(&mut self, at: &At<'_>, source: &SecretSource) -> Typed<Secret> {
        let secret = self.secret(at, source)?;
        let text = secret.expose();
        if !can_be_quoted(text) || text.trim() != text {
            return Err(self.report(at, InvalidSecret::Characters));
        }
        Ok(secret)
    }

    /// A secret that is not empty.
    pub(super) fn secret(&mut self, at: &At<'_>, source: &SecretSource) -> Typed<Secret> {
        let name = match source {
            SecretSource::InPlace(secret) => {
                self.warn(at, Warning::SecretInPlace);
                return Ok(secret.clone());
            }
            SecretSource::Variable(name) => name,
        };
        let fault = match (self.environment)(name) {
            Some(text) if text.is_empty() => Fault::EmptyString("a secret"),
            Some(text) => return Ok(Secret::new(text)),
            None => InvalidSecret::Unset { name: name.clone() }.into(),
        };
        Err(self.report(&at.member("env"), fault))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::at::At;
    use crate::config::compile::compile;
    use crate::config::diagnostic::Diagnostics;
    use crate::config::document::Document;
    use crate::config::read::Read;

    /// What is printed of a configuration with a client secret, and of its diagnostics.
    fn printed(secret: &serde_json::Value) -> String {
        let document = json!({"providers": [{"name": "legacy", "introspection": {
            "uri": "https://login.example.com", "cluster": "login", "client_id": "gate", "client_secret": secret,
        }}]});
        let mut diagnostics = Diagnostics::default();
        let document = Document::read(&document, &At::Root, &mut diagnostics).unwrap();
        let environment = |name: &str| (name == "GATE_SECRET").then(|| "xyzzy".to_owned());
        compile(&document, &environment, &mut diagnostics);
        format!("{document:?} {diagnostics:?}")
    }

    #[test]
    fn a_secret_in_place_is_warned_of_and_no_secret_is_printed() {
        let in_place = printed(&json!("xyzzy"));
        assert!(
            in_place.contains("client_secret\", what: SecretInPlace"),
            "{in_place}"
        );
        let variable = printed(&json!({"env": "GATE_SECRET"}));
        assert!(!variable.contains("SecretInPlace"), "{variable}");
        for text in [in_place, variable] {
            assert!(!text.contains("xyzzy"), "{text}");
        }
    }
}
