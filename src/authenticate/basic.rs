//! Basic: user names and passwords (RFC 7617).
//!
//! A slow hash protects the passwords of a list that leaks. It cannot be interrupted and stops the worker, so that
//! [`Hashing`] says whether a credential may be hashed now. The result is cached, and is valid while the user's entry does
//! not change.

pub mod password;
pub mod users;

use std::cell::Cell;
use std::rc::Rc;

use self::password::PasswordHash;
use self::users::{User, UserList};
use super::principal::Verified;
use super::{Evidence, Facts, Offer, Refusal, SourceId};
use crate::credential::{Login, Shown};
use crate::kinds;
use crate::reject::{LoginFault, Unavailable};

/// How a provider verifies passwords.
#[derive(Debug)]
pub struct Basic {
    /// This build verifies this kind.
    pub kind: kinds::Basic,
    /// The users.
    pub users: Users,
    /// What a 401 offers.
    pub offers: Vec<Offer>,
}

/// Where the list of users is.
#[derive(Debug)]
pub enum Users {
    /// In the configuration.
    Inline(UserList),
    /// It is fetched.
    Remote(SourceId),
}

/// Whether slow hashes are computed now, and whether one was.
pub struct Hashing<'h> {
    is_allowed: &'h dyn Fn() -> bool,
    is_done: Cell<bool>,
}

impl<'h> Hashing<'h> {
    /// Slow hashes are computed if `is_allowed` returns true. It is called for each hash: it can depend on the time, which is
    /// not read for other requests.
    pub fn new(is_allowed: &'h dyn Fn() -> bool) -> Self {
        Self {
            is_allowed,
            is_done: Cell::new(false),
        }
    }

    /// Whether a slow hash was computed.
    pub fn is_done(&self) -> bool {
        self.is_done.get()
    }

    fn verify(&self, hash: &PasswordHash, password: &[u8]) -> Result<bool, Refusal> {
        if hash.is_slow() {
            if !(self.is_allowed)() {
                return Err(Refusal::Unavailable(Unavailable::Hashing));
            }
            self.is_done.set(true);
        }
        Ok(hash.verify(password))
    }
}

impl Basic {
    /// What a 401 offers.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The source of the list, if it is fetched.
    pub fn source(&self) -> Option<SourceId> {
        match self.users {
            Users::Inline(_) => None,
            Users::Remote(source) => Some(source),
        }
    }

    /// The user name and the password that are presented.
    pub fn claim<'c>(&self, shown: &'c Shown<'_>) -> Option<&'c Login> {
        match shown {
            Shown::Login(login) => Some(login),
            Shown::Token(_) | Shown::Digest(_) | Shown::Key(_) | Shown::Malformed(_) => None,
        }
    }

    /// Verifies a user name and a password. For an unknown user, a hash is computed too.
    ///
    /// # Errors
    /// [`Refusal`]: the user is unknown or has another password, the list is not at hand, or a hash may not be computed now.
    pub(super) fn verify(&self, login: &Login, facts: Facts<'_>) -> Result<Verified, Refusal> {
        let users = self.at_hand(facts)?;
        let verify = |hash| facts.hashing.verify(hash, login.password());
        // Also of a known user, so that selecting it takes no time that tells.
        let decoy = users.decoy(login.user());
        let Some(user) = users.find(login.user()) else {
            if let Some(decoy) = decoy {
                verify(decoy)?;
            }
            return Err(LoginFault::User.into());
        };
        if !verify(&user.password)? {
            return Err(LoginFault::Password.into());
        }
        Ok(Verified {
            subject: Some(user.name.to_string()),
            scopes: user.grants.scopes.clone(),
            roles: user.grants.roles.clone(),
            groups: super::granted::Granted::default(),
            evidence: Evidence::Login(Rc::clone(user)),
            confirmation: None,
            payload: Vec::new(),
        })
    }

    /// Whether the entry of a verified user has not changed.
    ///
    /// # Errors
    /// [`Refusal::NotFetched`].
    pub(super) fn still_valid(&self, user: &Rc<User>, facts: Facts<'_>) -> Result<bool, Refusal> {
        let known = self.at_hand(facts)?.find(&user.name);
        Ok(known.is_some_and(|known| Rc::ptr_eq(known, user) || known == user))
    }

    fn at_hand<'f>(&'f self, facts: Facts<'f>) -> Result<&'f UserList, Refusal> {
        match &self.users {
            Users::Inline(users) => Ok(users),
            Users::Remote(source) => {
                let users = facts.lists.users(*source);
                users.ok_or(Refusal::NotFetched(*source))
            }
        }
    }
}
