//! Providers. Each kind of credential is compiled in one file.

mod api_key;
mod basic;
mod digest;
mod endpoint;
mod introspection;
mod jwt;
mod locations;
mod mtls;
mod remote;
mod schemes;
mod sender;

pub(super) use self::schemes::BEARER;
use super::Compiler;
use crate::authenticate::{Provider, ProviderId};
use crate::config::at::At;
use crate::config::diagnostic::Whole;
use crate::config::document::Document;
use crate::config::document::providers::Provider as ProviderDocument;
use crate::config::fault::{Fault, Warning};
use crate::config::read::{Items, Optional, Typed};

/// The providers, as far as they could be compiled.
pub(super) struct CompiledProviders<'d> {
    /// The name of each.
    names: Vec<Typed<&'d str>>,
    /// Each provider, in the same order.
    providers: Vec<Option<Provider>>,
    /// Whether the list could be read.
    whole: Whole,
}

impl CompiledProviders<'_> {
    /// All providers.
    pub fn all(&self) -> Vec<ProviderId> {
        (0..self.providers.len()).map(ProviderId).collect()
    }

    /// Whether no provider is configured.
    pub fn are_none(&self) -> bool {
        self.whole.is_ok() && self.providers.is_empty()
    }

    /// The names that could be read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().copied()
    }

    /// Whether every name could be read, so that a name that is not found is unknown.
    pub fn has_every_name(&self) -> bool {
        self.whole.is_ok() && self.names.iter().all(Result::is_ok)
    }

    /// The provider with a name.
    pub fn id(&self, name: &str) -> Option<ProviderId> {
        let position = self.names.iter().position(|known| *known == Ok(name));
        position.map(ProviderId)
    }

    /// The providers with these identifiers, without those at fault.
    pub fn of<'a>(&'a self, ids: &'a [ProviderId]) -> impl Iterator<Item = &'a Provider> {
        ids.iter()
            .filter_map(|id| self.providers.get(id.0)?.as_ref())
    }

    /// The providers, without those at fault.
    pub fn compiled(self) -> Vec<Provider> {
        self.providers.into_iter().flatten().collect()
    }
}

impl Compiler<'_> {
    pub(super) fn providers<'d>(&mut self, document: &'d Document) -> CompiledProviders<'d> {
        let typed = document.providers.list();
        let names = typed.iter().map(|provider| match provider {
            Ok(provider) => provider.name.as_deref().map_err(|reported| *reported),
            Err(reported) => Err(*reported),
        });
        let names: Vec<_> = names.collect();
        self.names("providers", &names);
        let at = At::Root.member("providers");
        let providers = typed.iter().enumerate();
        let providers = providers.map(|(index, provider)| match provider {
            Ok(provider) => self.provider(&at.item(index), ProviderId(index), provider),
            Err(_) => None,
        });
        let providers = providers.collect();
        self.warn_of_weaker_scheme(document);
        CompiledProviders {
            providers,
            names,
            whole: document.providers.whole(),
        }
    }

    /// Warns of Digest beside Basic: a client that answers the weaker challenge sends the password (RFC 7616 §5.6).
    fn warn_of_weaker_scheme(&mut self, document: &Document) {
        let items = || document.providers.items();
        let has_basic = items().any(|(_, provider)| provider.basic.given().is_some());
        for (number, _) in items().filter(|(_, own)| has_basic && own.digest.given().is_some()) {
            let at = At::Root.member("providers");
            self.warn(&at.item(number).member("digest"), Warning::DigestAndBasic);
        }
    }

    /// The value of a kind of credentials.
    fn built<K>(
        &mut self,
        at: &At<'_>,
        kind: Option<K>,
        key: &'static str,
        feature: &'static str,
    ) -> Typed<K> {
        kind.ok_or_else(|| self.report(at, Fault::NotBuilt { key, feature }))
    }

    fn provider(
        &mut self,
        at: &At<'_>,
        id: ProviderId,
        document: &ProviderDocument,
    ) -> Option<Provider> {
        let name = document.name.as_deref().map_err(|reported| *reported);
        let methods = (
            document.jwt.given(),
            document.introspection.given(),
            document.api_key.given(),
            document.basic.given(),
            document.digest.given(),
            document.mtls.given(),
        );
        match methods {
            (Some(jwt), None, None, None, None, None) => self.jwt(&at.member("jwt"), id, name, jwt),
            (None, Some(own), None, None, None, None) => {
                self.introspection(&at.member("introspection"), id, name, own)
            }
            (None, None, Some(own), None, None, None) => {
                self.api_key(&at.member("api_key"), name, own)
            }
            (None, None, None, Some(own), None, None) => self.basic(&at.member("basic"), name, own),
            (None, None, None, None, Some(own), None) => {
                self.digest(&at.member("digest"), id, name, own)
            }
            (None, None, None, None, None, Some(own)) => self.mtls(&at.member("mtls"), name, own),
            _ => {
                if document.whole.is_ok() {
                    self.report(at, Fault::Method);
                }
                None
            }
        }
    }
}
