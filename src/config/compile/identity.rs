//! What the upstream is told of callers.

use super::Compiler;
use crate::config::document::Identity as IdentityDocument;
use crate::credential::Place;
use crate::identity::Identity;
use crate::identity::template::{PLACES, Template, TemplateFault};
use crate::request::{folds_to, is_token};

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
                    self.unknown_name(path, "place", &name, PLACES.into_iter());
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
        let takes = |taken: &&&str| match is_beginning {
            true => begins_like(taken, name),
            false => folds_to(taken.as_bytes(), name.as_bytes()),
        };
        if !is_token(name) || name.contains('*') {
            self.invalid(
                path,
                "this is no header field's name; a `*` may stand at its end",
            );
        } else if let Some(taken) = TAKEN.iter().find(takes) {
            self.invalid(
                path,
                format!("this would take out `{taken}`, which means something else already"),
            );
        } else if is_beginning {
            identity.remove.insert_beginning(name);
        } else {
            identity.remove.insert(name);
        }
    }

    fn identity_field(&mut self, path: &str, name: &str, others: &Identity) -> String {
        let field = name.to_ascii_lowercase();
        if !is_token(name) {
            self.invalid(path, "this is no header field's name");
        } else if TAKEN
            .iter()
            .any(|taken| folds_to(taken.as_bytes(), field.as_bytes()))
            || begins_like(&field, "x-envoy-")
        {
            self.invalid(path, "this field means something else already");
        } else if others.is_claimed_by(field.as_bytes()) {
            self.invalid(
                path,
                "some upstreams would take this field for another one of these",
            );
        }
        let is_looked_at = self.places.iter().any(|served| match &served.place {
            Place::Scheme { field: own, .. } | Place::Field(own) => {
                folds_to(own.as_bytes(), field.as_bytes())
            }
            Place::Cookie(_) | Place::Query(_) => false,
        });
        if is_looked_at {
            self.invalid(path, "a provider looks for credentials in this field");
        }
        field
    }
}

/// Whether a field's name begins with this, in some spelling.
fn begins_like(name: &str, beginning: &str) -> bool {
    let own = name.as_bytes().get(..beginning.len());
    own.is_some_and(|own| folds_to(own, beginning.as_bytes()))
}
