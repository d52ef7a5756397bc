//! What the upstream is told of callers.

use super::Compiler;
use crate::config::document::Identity as IdentityDocument;
use crate::grammar::{folds_to, is_token};
use crate::identity::Identity;
use crate::identity::template::{PLACEHOLDERS, Template, TemplateFault};
use crate::request::FieldNames;

/// Fields that mean something else to the host, to proxies or to the upstream. Without `x-forwarded-proto` Envoy finds no
/// route.
const TAKEN: [&str; 10] = [
    "host",
    "cookie",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "te",
    "upgrade",
    "x-request-id",
    "x-forwarded-proto",
];

impl Compiler<'_> {
    pub(super) fn identity(&mut self, document: &IdentityDocument) -> Identity {
        let mut identity = Identity {
            strip_credential: document.strip_credential.unwrap_or(false),
            ..Identity::default()
        };
        for (name, text) in document.headers.iter().flatten() {
            let path = format!("identity.headers.{name}");
            let field = self.identity_field(&path, name, &identity);
            match Template::parse(text) {
                Ok(template) => identity.headers.push((field, template)),
                Err(TemplateFault::Brace) => {
                    self.invalid(path, "a place is a name between `{` and `}`");
                }
                Err(TemplateFault::Text) => {
                    self.invalid(path, "a field can carry visible ASCII and spaces only");
                }
                Err(TemplateFault::Unknown(name)) => {
                    self.unknown_name(path, "place", &name, PLACEHOLDERS.into_iter());
                }
            }
        }
        if let Some(name) = &document.payload_header {
            let field = self.identity_field("identity.payload_header", name, &identity);
            identity.payload_header = Some(field);
        }
        if let Some(name) = &document.anonymous_header {
            let field = self.identity_field("identity.anonymous_header", name, &identity);
            identity.anonymous_header = Some(field);
        }
        for (place, name) in document.remove.iter().flatten().enumerate() {
            self.remove(&format!("identity.remove[{place}]"), name, &mut identity);
        }
        identity
    }

    /// A field that nobody may send, or the beginning of such.
    fn remove(&mut self, path: &str, text: &str, identity: &mut Identity) {
        let field = text.to_ascii_lowercase();
        let (name, is_beginning) = match field.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (field.as_str(), false),
        };
        let mut names = FieldNames::default();
        if is_beginning {
            names.insert_beginning(name);
        } else {
            names.insert(name);
        }
        if !is_token(name) || name.contains('*') {
            self.invalid(
                path,
                "this is no header field's name; a `*` may stand at its end",
            );
        } else if let Some(taken) = TAKEN.iter().find(|taken| names.have(taken.as_bytes())) {
            self.invalid(
                path,
                format!("this would take out `{taken}`, which means something else already"),
            );
        } else {
            identity.remove.extend(&names);
        }
    }

    fn identity_field(&mut self, path: &str, name: &str, others: &Identity) -> String {
        let field = name.to_ascii_lowercase();
        if !is_token(name) {
            self.invalid(path, "this is no header field's name");
        } else if means_something_else().have(field.as_bytes()) {
            self.invalid(path, "this field means something else already");
        } else if others.conflicts_with(field.as_bytes()) {
            self.invalid(
                path,
                "some upstreams would take this field for another one of these",
            );
        }
        let mut looked_at = self
            .locations
            .iter()
            .filter_map(|served| served.carrier.own_field());
        if looked_at.any(|own| folds_to(own.as_bytes(), field.as_bytes())) {
            self.invalid(path, "a provider looks for credentials in this field");
        }
        field
    }
}

/// Fields that are no identity's.
fn means_something_else() -> FieldNames {
    let mut names = FieldNames::default();
    TAKEN.iter().for_each(|name| names.insert(name));
    names.insert_beginning("x-envoy-");
    names
}
