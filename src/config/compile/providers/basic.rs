//! Providers of user names and passwords.

use super::locations::scheme_in;
use crate::authenticate::basic::users::{User, UserList, is_user_name};
use crate::authenticate::basic::{self, Users};
use crate::authenticate::listed::{EntryFault, Grants};
use crate::authenticate::{Method, Offer, Provider};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::basic::{self as document, Basic};
use crate::config::document::providers::remote::Credentials;
use crate::config::fault::{Fault, Warning};
use crate::config::read::{Items, List, Typed};
use crate::credential::Grammar;
use crate::keys::Content;
use crate::kinds;

/// The scheme of RFC 7617.
const SCHEME: &str = "Basic";

impl Compiler<'_> {
    pub(super) fn basic(
        &mut self,
        at: &At<'_>,
        name: Typed<&str>,
        document: &Basic,
    ) -> Option<Provider> {
        let kind = self.built(at, kinds::Basic::BUILT, "basic", "basic").ok()?;
        let carrier = scheme_in(self.own_header(), SCHEME);
        let locations = self.locations(at, &Ok(None), Grammar::Basic, carrier);
        let users = self.users(&at.member("users"), kind, name, &document.users);
        let (Ok(name), Ok(locations), Ok(users)) = (name, locations, users) else {
            return None;
        };
        let scheme = self.plain_scheme(at, SCHEME, &locations).ok()?;
        Some(Provider {
            name: name.to_owned(),
            locations,
            method: Method::Basic(basic::Basic {
                kind,
                users,
                offers: vec![Offer::Basic { scheme }],
            }),
        })
    }

    /// The users that are `typed` at `users` of a provider.
    fn users(
        &mut self,
        at: &At<'_>,
        kind: kinds::Basic,
        provider: Typed<&str>,
        typed: &Typed<Credentials<List<document::User>>>,
    ) -> Typed<Users> {
        match typed.as_ref().map_err(|reported| *reported)? {
            Credentials::Inline(users) => self.inline_users(at, users).map(Users::Inline),
            Credentials::Fetched(fetched) => {
                let source = self.fetched_list(at, provider, fetched, Content::Users(kind))?;
                self.warn_of_no_cache(&at.member("remote"));
                Ok(Users::Remote(source))
            }
        }
    }

    fn inline_users(&mut self, at: &At<'_>, users: &List<document::User>) -> Typed<UserList> {
        if users.is_empty() {
            return Err(self.report(at, Fault::Empty("user")));
        }
        let compiled = users.each(at, |at, user| self.user(at, user));
        let compiled = compiled.whole()?;
        if compiled.iter().any(|user| user.password.is_slow()) {
            self.warn_of_no_cache(at);
        }
        UserList::new(compiled, |index, first| {
            let at = at.item(index);
            self.report(&at.member("name"), EntryFault::Duplicate(first))
        })
    }

    fn user(&mut self, at: &At<'_>, user: &document::User) -> Typed<User> {
        let name = user.name.as_deref().map_err(|reported| *reported);
        if name.is_ok_and(|name| !is_user_name(name)) {
            self.report(&at.member("name"), EntryFault::UserName);
        }
        if let Ok(password) = &user.password {
            let warning = match password {
                hash if !hash.is_slow() => Some(Warning::FastHash),
                hash if hash.is_costly() => Some(Warning::CostlyHash),
                _ => None,
            };
            if let Some(warning) = warning {
                self.warn(&at.member("password"), warning);
            }
        }
        let scopes = self.granted(&at.member("scopes"), &user.scopes, true);
        let roles = self.granted(&at.member("roles"), &user.roles, false);
        // Of a user with an unknown member, it is not known what it restricts.
        user.whole?;
        let password = user.password.as_ref().map_err(|reported| *reported)?;
        Ok(User {
            name: name?.into(),
            password: password.clone(),
            grants: Grants {
                scopes: scopes?,
                roles: roles?,
            }
            .into(),
        })
    }

    fn warn_of_no_cache(&mut self, at: &At<'_>) {
        if self.caches_nothing {
            self.warn(at, Warning::UncachedPasswords);
        }
    }
}

#[cfg(test)]
mod tests;
