//! Certificates of clients, which Envoy has verified.
//!
//! The old filters compare every name in a certificate, and Countersign the first URI. So a name can only be required, and
//! not excluded.

use super::atom::{Atom, How, Text};
use super::formula::Formula;
use super::gate::{Notes, Provider};
use super::write::{list, mapping};

/// The name of the provider.
const PEER: &str = "peer";

/// Whether the certificate has a URI that is this text, or one below it. None for other texts.
pub fn with_uri(uri: &str, how: How) -> Option<Formula> {
    let text = Text {
        how,
        text: uri.to_owned(),
        ignores_case: false,
    };
    let is_expressible = uri.starts_with("spiffe://")
        && uri
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":/.-_".contains(&byte))
        && (how == How::Exact || how == How::Prefix && uri.ends_with('/'));
    is_expressible.then(|| {
        Formula::any([
            Formula::all([
                Formula::atom(Atom::Verified(PEER.to_owned())),
                Formula::atom(Atom::Subject(PEER.to_owned(), text)),
            ]),
            Formula::atom(Atom::OnlyRequired("the name in a certificate".to_owned())),
        ])
    })
}

/// The provider of the certificates that a formula asks about.
pub fn provider(formula: &Formula, notes: &mut Notes) -> Option<Provider> {
    let mut subjects: Vec<String> = Vec::new();
    for atom in formula.atoms() {
        if let Atom::Subject(name, text) = atom
            && name == PEER
        {
            let rest = if text.how == How::Prefix { "**" } else { "" };
            subjects.push(format!("{}{rest}", text.text));
        }
    }
    if subjects.is_empty() {
        return None;
    }
    subjects.sort();
    subjects.dedup();
    notes.differs(
        "principals",
        "",
        "the filter must see the certificate of the client: in Istio, `PeerAuthentication` with `STRICT`; only its first \
         URI is compared, and names can be required, not excluded",
    );
    Some(Provider {
        name: PEER.to_owned(),
        settings: ("mtls", mapping([("subjects", list(subjects))])),
        locations: Vec::new(),
    })
}
