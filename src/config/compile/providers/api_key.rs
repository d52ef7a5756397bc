//! Providers of API keys.

use crate::authenticate::api_key::list::{ApiKeyEntry, ApiKeys, Digest};
use crate::authenticate::api_key::{self, Keys};
use crate::authenticate::granted::Granted;
use crate::authenticate::listed::{EntryFault, Grants, is_name};
use crate::authenticate::{Method, Offer, Provider};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::api_key::{ApiKey, Entry};
use crate::config::document::providers::remote::Credentials;
use crate::config::fault::Fault;
use crate::config::read::{Items, List, Typed};
use crate::credential::{Carrier, Grammar};
use crate::grammar::is_oauth_text;
use crate::keys::Content;
use crate::kinds;

/// The header with the key, by default.
const HEADER: &str = "x-api-key";

/// The name of the scheme in challenges. No scheme is registered for API keys.
const SCHEME: &str = "ApiKey";

impl Compiler<'_> {
    pub(super) fn api_key(
        &mut self,
        at: &At<'_>,
        name: Typed<&str>,
        document: &ApiKey,
    ) -> Option<Provider> {
        let kind = self
            .built(at, kinds::ApiKey::BUILT, "api_key", "api-key")
            .ok()?;
        let default = Carrier::Field(HEADER.to_owned());
        let from = at.member("from");
        let locations = self.locations(&from, &document.from, Grammar::Key, default);
        let keys = self.api_keys(&at.member("keys"), kind, name, &document.keys);
        let (Ok(name), Ok(locations), Ok(keys)) = (name, locations, keys) else {
            return None;
        };
        let scheme = self.plain_scheme(&from, SCHEME, &locations).ok()?;
        let first = locations.first().and_then(|id| self.locations.get(id.0));
        let offers = first.map(|first| Offer::api_key(scheme, &first.carrier));
        Some(Provider {
            name: name.to_owned(),
            locations,
            method: Method::ApiKey(api_key::ApiKey {
                kind,
                keys,
                offers: offers.into_iter().collect(),
            }),
        })
    }

    /// The keys that are `typed` at `keys` of a provider.
    fn api_keys(
        &mut self,
        at: &At<'_>,
        kind: kinds::ApiKey,
        provider: Typed<&str>,
        typed: &Typed<Credentials<List<Entry>>>,
    ) -> Typed<Keys> {
        match typed.as_ref().map_err(|reported| *reported)? {
            Credentials::Inline(entries) => self.inline_api_keys(at, entries).map(Keys::Inline),
            Credentials::Fetched(fetched) => {
                let source = self.fetched_list(at, provider, fetched, Content::ApiKeys(kind));
                source.map(Keys::Remote)
            }
        }
    }

    fn inline_api_keys(&mut self, at: &At<'_>, entries: &List<Entry>) -> Typed<ApiKeys> {
        if entries.is_empty() {
            return Err(self.report(at, Fault::Empty("key")));
        }
        let compiled = entries.each(at, |at, entry| self.api_key_entry(at, entry));
        let compiled = compiled.whole()?;
        ApiKeys::new(compiled, |index, first| {
            let fault = EntryFault::Duplicate(first);
            self.report(&at.item(index).member("sha256"), fault)
        })
    }

    fn api_key_entry(&mut self, at: &At<'_>, entry: &Entry) -> Typed<(Digest, ApiKeyEntry)> {
        let id = entry.id.as_deref().map_err(|reported| *reported);
        if id.is_ok_and(|id| !is_name(id)) {
            self.report(&at.member("id"), EntryFault::Name);
        }
        let scopes = self.granted(&at.member("scopes"), &entry.scopes, true);
        let roles = self.granted(&at.member("roles"), &entry.roles, false);
        // Of a key with an unknown member, it is not known what it restricts.
        entry.whole?;
        let key = ApiKeyEntry {
            id: id?.into(),
            grants: Grants {
                scopes: scopes?,
                roles: roles?,
            }
            .into(),
            expires: entry.expires?,
        };
        Ok((entry.sha256?, key))
    }

    /// The scopes or roles that a credential grants.
    pub(super) fn granted(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
        are_scopes: bool,
    ) -> Typed<Granted> {
        let names = typed.each(at, |at, name| {
            if are_scopes && !is_oauth_text(name) {
                return Err(self.report(at, Fault::OAuthText));
            }
            if name.is_empty() {
                return Err(self.report(at, Fault::EmptyString("a name")));
            }
            self.diagnostics
                .literal_or(at, name, "write each name that is granted")?;
            Ok(name.clone())
        });
        let names = names.whole()?;
        let mut granted = Granted::default();
        granted.reserve(names.iter().map(String::as_str));
        granted.extend(names.iter().map(String::as_str));
        Ok(granted)
    }
}

#[cfg(test)]
mod tests;
