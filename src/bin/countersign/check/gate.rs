//! A Countersign filter in a file, with its configuration.

use countersign::authenticate::{Method, Provider};
use countersign::config::Loaded;
use countersign::plan::{Policy, StateName};

use crate::locate::{Configuration, Located, WasmFilter};
use crate::node::Node;

/// How the names of the filter's filter state begin.
const FILTER_STATE: &str = "wasm.countersign.";

/// A Countersign filter in a file, with its configuration.
pub struct Gate<'l, 'v> {
    /// The filter.
    pub filter: &'l WasmFilter<'v>,
    /// Its configuration.
    pub configuration: &'l Configuration<'v>,
    /// The configuration, loaded; none if it is invalid.
    loaded: Option<Loaded>,
}

/// What a configuration uses of client certificates. A later variant also needs what an earlier one needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateUse {
    /// Nothing that the configuration requires.
    Nothing,
    /// The certificate that tokens are bound to. The handshake proves that the client has its key, also if no authority signed it.
    Binding,
    /// The names in it. They are true only if a trusted authority signed them.
    Names,
}

impl CertificateUse {
    fn of(provider: &Provider) -> Self {
        match provider.method {
            Method::Mtls(_) => Self::Names,
            _ if provider.needs_certificate() => Self::Binding,
            _ => Self::Nothing,
        }
    }
}

impl<'l, 'v> Gate<'l, 'v> {
    /// The Countersign filters in a file.
    pub fn all(located: &'l Located<'v>) -> Vec<Self> {
        let configurations = located.configurations.iter();
        let gates = configurations.filter_map(|configuration| {
            Some(Self {
                filter: configuration.filter.as_ref()?,
                configuration,
                loaded: configuration.load().ok(),
            })
        });
        gates.collect()
    }

    /// What the filter decides by; none if the configuration is invalid.
    pub fn policy(&self) -> Option<&Policy> {
        self.loaded.as_ref()?.plan.policy.as_ref()
    }

    /// What the filter writes as filter state; none if the configuration is invalid.
    pub fn filter_state(&self) -> Option<&[StateName]> {
        Some(&self.loaded.as_ref()?.plan.filter_state)
    }

    /// What the configuration uses of client certificates.
    pub fn certificate_use(&self) -> CertificateUse {
        let providers = self.policy().map(|policy| policy.providers.iter());
        let uses = providers.into_iter().flatten().map(CertificateUse::of);
        uses.max().unwrap_or(CertificateUse::Nothing)
    }

    /// Whether the filter sets a header of this name, or of a name that an upstream could mistake for it.
    pub fn sets_header(&self, name: &str) -> bool {
        self.policy()
            .is_some_and(|policy| policy.identity.conflicts_with(name.as_bytes()))
    }

    /// The first word in a text that names what the filter sets: an identity header, or filter state.
    pub fn named_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        let is_in_name =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        text.split(|character| !is_in_name(character))
            .find(|word| word.starts_with(FILTER_STATE) || self.sets_header(word))
    }

    /// The first string in a node that names what the filter sets, and the name.
    pub fn named_within<'n>(&self, node: &Node<'n>) -> Option<(Node<'n>, &'n str)> {
        let mut found = None;
        node.visit(&mut |node| {
            if found.is_none() {
                let name = node.value.as_str().and_then(|text| self.named_in(text));
                found = name.map(|name| (node.clone(), name));
            }
        });
        found
    }
}
