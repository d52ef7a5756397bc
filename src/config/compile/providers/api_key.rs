//! Providers of API keys.
#![cfg_attr(
    not(test),
    expect(dead_code, reason = "no provider has such a list yet")
)]

use crate::authenticate::SourceId;
use crate::authenticate::api_key::list::{ApiKeyEntry, ApiKeys, Digest, DuplicateKey};
use crate::authenticate::granted::Granted;
use crate::authenticate::listed::{EntryFault, Grants, is_name};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::api_key::{Entry, KeyList};
use crate::config::fault::Fault;
use crate::config::read::{Items, List, Typed};
use crate::grammar::is_oauth_text;
use crate::keys::Content;

/// The keys of a provider.
pub(super) enum CompiledKeys {
    /// In the configuration.
    Inline(ApiKeys),
    /// Fetched from this source.
    Fetched(SourceId),
}

impl Compiler<'_> {
    /// The keys that are `typed` at `keys` of a provider.
    pub(super) fn api_keys(
        &mut self,
        at: &At<'_>,
        provider: Typed<&str>,
        typed: &Typed<KeyList>,
    ) -> Typed<CompiledKeys> {
        match typed.as_ref().map_err(|reported| *reported)? {
            KeyList::Inline(entries) => self.inline_api_keys(at, entries).map(CompiledKeys::Inline),
            KeyList::Fetched(fetched) => {
                let remote = fetched.remote.as_ref().map_err(|reported| *reported)?;
                let at = at.member("remote");
                let source = self.list_source(&at, provider, remote, Content::ApiKeys);
                self.sources.push(source?);
                Ok(CompiledKeys::Fetched(SourceId(self.sources.len() - 1)))
            }
        }
    }

    fn inline_api_keys(&mut self, at: &At<'_>, entries: &List<Entry>) -> Typed<ApiKeys> {
        if entries.is_empty() {
            return Err(self.report(at, Fault::Empty("key")));
        }
        let compiled = entries.each(at, |at, entry| self.api_key(at, entry));
        let compiled = compiled.whole()?;
        ApiKeys::new(compiled, |DuplicateKey { index, first }| {
            let fault = EntryFault::Duplicate(first);
            self.report(&at.item(index).member("sha256"), fault)
        })
    }

    fn api_key(&mut self, at: &At<'_>, entry: &Entry) -> Typed<(Digest, ApiKeyEntry)> {
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
