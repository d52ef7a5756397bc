//! What the upstream learns about callers.

use super::Compiler;
use crate::config::at::At;
use crate::config::diagnostic::nearest;
use crate::config::document::identity::Identity as IdentityDocument;
use crate::config::document::providers::jwt::claims;
use crate::config::fault::{Fault, InvalidHeader, InvalidIdentity};
use crate::config::read::{Entries, Items, Optional};
use crate::grammar::{folds_to, is_header_name, is_token};
use crate::identity::Identity;
use crate::identity::template::{PLACEHOLDERS, Template, TemplateFault};
use crate::request::FieldNames;

/// Headers that have a meaning for the host, for proxies or for the upstream. Without `x-forwarded-proto`, Envoy finds no
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
            strip_credential: document.strip_credential.given() == Some(&true),
            ..Identity::default()
        };
        let at = At::Root.member("identity");
        let headers_at = at.member("headers");
        for (name, text) in document.headers.entries() {
            let at = headers_at.member(name);
            let header = self.identity_header(&at, name, &identity);
            match Template::parse(text) {
                Ok(template) => {
                    self.judge_claims(&at, text);
                    identity.headers.push((header, template));
                }
                Err(fault) => self.invalid_template(&at, &fault),
            }
        }
        if let Some(name) = document.payload_header.given() {
            let header = self.identity_header(&at.member("payload_header"), name, &identity);
            identity.payload_header = Some(header);
        }
        if let Some(name) = document.anonymous_header.given() {
            let header = self.identity_header(&at.member("anonymous_header"), name, &identity);
            identity.anonymous_header = Some(header);
        }
        let remove_at = at.member("remove");
        for (index, name) in document.remove.items() {
            if let Some(names) = self.removed(&remove_at.item(index), name) {
                identity.remove.extend(&names);
            }
        }
        identity
    }

    /// Judges the claims that a template names, as those of a rule: a `*` in their paths stands for nothing.
    fn judge_claims(&mut self, at: &At<'_>, template: &str) {
        for rest in template.split("{claims.").skip(1) {
            if let Some((path, _)) = rest.split_once('}') {
                drop(claims::path(path, at, self.diagnostics));
            }
        }
    }

    fn invalid_template(&mut self, at: &At<'_>, fault: &TemplateFault) {
        match fault {
            TemplateFault::Brace => self.report(at, InvalidIdentity::Brace),
            TemplateFault::Text => self.report(at, InvalidHeader::Text),
            TemplateFault::ClaimPath => self.report(at, Fault::ClaimPath),
            TemplateFault::Unknown(name) => {
                let fault = Fault::Placeholder {
                    name: name.clone(),
                    nearest: nearest(name, PLACEHOLDERS),
                };
                self.report(at, fault)
            }
        };
    }

    /// A header that is removed from every request, or all that begin with a prefix.
    fn removed(&mut self, at: &At<'_>, text: &str) -> Option<FieldNames> {
        let header = text.to_ascii_lowercase();
        let (name, is_prefix) = match header.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (header.as_str(), false),
        };
        if !is_token(name) || name.contains('*') {
            self.report(at, InvalidHeader::NameOrPrefix);
            return None;
        }
        let mut names = FieldNames::default();
        if is_prefix {
            names.insert_beginning(name);
        } else {
            names.insert(name);
        }
        if let Some(header) = TAKEN.iter().find(|taken| names.have(taken.as_bytes())) {
            self.report(at, InvalidIdentity::RemovesOther { header });
            return None;
        }
        Some(names)
    }

    fn identity_header(&mut self, at: &At<'_>, name: &str, others: &Identity) -> String {
        let header = name.to_ascii_lowercase();
        let bytes = header.as_bytes();
        if !is_header_name(name) {
            self.report(at, InvalidHeader::Name);
        } else if has_other_meaning(bytes) {
            self.report(at, InvalidIdentity::OtherMeaning);
        } else if others.conflicts_with(bytes) {
            self.report(at, InvalidIdentity::Indistinguishable);
        } else if self.is_read_by_provider(bytes) {
            self.report(at, InvalidIdentity::ReadByProvider);
        }
        header
    }

    fn is_read_by_provider(&self, header: &[u8]) -> bool {
        let locations = self.locations.iter();
        let mut read = locations.filter_map(|location| location.carrier.own_field());
        read.any(|own| folds_to(own.as_bytes(), header))
    }
}

/// Whether a header has a meaning other than an identity.
fn has_other_meaning(header: &[u8]) -> bool {
    let mut names = FieldNames::default();
    TAKEN.iter().for_each(|name| names.insert(name));
    names.insert_beginning("x-envoy-");
    names.have(header)
}
