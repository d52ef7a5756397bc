//! The users that a provider accepts, in the configuration or fetched.
//!
//! 1. A user is found by name. The name is not a secret; the search is still keyed, so that no client can make it slow.
//! 2. For an unknown name, the hash of some user stands in. It is always the same for one name, in every worker, so that an
//!    unknown user takes as long as one that is listed.
//! 3. In a fetched list, an entry that cannot be read, or that has an unknown member, is ignored: the member could be a
//!    restriction. If two entries have the same name and differ, both are ignored.

use std::fmt;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::password::{PasswordHash, PasswordHashFault};
use crate::authenticate::listed::{
    self, EntryFault, Grants, IgnoredEntries, Index, ListFault, RecentGrants, Repeated, is_name,
};
use crate::json::Json;

/// The length of most entries in JSON, in bytes: an estimate, to allocate once.
const USUAL_ENTRY: usize = 96;

/// Users by their names.
pub struct UserList {
    listed: Vec<Listed>,
    /// The number of users that are used.
    usable: usize,
    index: Index,
    /// Selects the hash that stands in for an unknown user. It is derived from every hash of the list.
    secret: [u8; 32],
}

/// A user of the list.
struct Listed {
    user: Rc<User>,
    /// The position in the list as it was written.
    index: u32,
    /// Whether the entry is used.
    is_used: bool,
}

/// A user, and what the right password proves.
#[derive(PartialEq, Eq)]
pub struct User {
    /// The user name.
    pub name: Box<str>,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The scopes and roles of the user.
    pub grants: Rc<Grants>,
}

impl UserList {
    /// The users of a configuration, in the order of its entries. `report` is called with the index of each entry whose
    /// name an earlier entry has, and with the index of that one.
    ///
    /// # Errors
    /// The last error that `report` returned.
    pub fn new<E>(users: Vec<User>, mut report: impl FnMut(usize, usize) -> E) -> Result<Self, E> {
        let listed = (0..)
            .zip(users)
            .map(|(index, user)| Listed::new(index, user));
        let mut error = None;
        let users = Self::build(listed.collect(), &mut |later, earlier| {
            error = Some(report(later.index as usize, earlier.index as usize));
        });
        error.map_or(Ok(users), Err)
    }

    /// Reads the list of a response: `{"users": [...]}`, with entries as in a configuration. Also returns the entries that
    /// are ignored.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn read(body: &[u8]) -> Result<(Self, IgnoredEntries), ListFault> {
        let mut listed = Vec::new();
        listed.reserve_exact((body.len() / USUAL_ENTRY).min(listed::MAX_ENTRIES));
        let mut grants = RecentGrants::default();
        let mut ignored = listed::read_entries(body, "users", &mut |item, index| {
            listed.push(Listed::new(index, read_user(item, &mut grants)?));
            Ok(())
        })?;
        let users = Self::build(listed, &mut |later, earlier| {
            let first = earlier.index as usize;
            let fault = match earlier.is_used && later.user == earlier.user {
                true => EntryFault::Duplicate(first),
                false => {
                    if std::mem::take(&mut earlier.is_used) {
                        ignored.count_earlier();
                    }
                    EntryFault::AmbiguousUser(first)
                }
            };
            ignored.push(later.index as usize, fault);
        });
        Ok((users, ignored))
    }

    /// Builds the index. `repeats` is called with each entry whose name an earlier entry has, which is not used, and with
    /// the earlier entry.
    fn build(mut listed: Vec<Listed>, repeats: &mut dyn FnMut(&Listed, &mut Listed)) -> Self {
        let name = |position: usize| {
            let listed = listed.get(position);
            listed.map_or(&[][..], |own| own.user.name.as_bytes())
        };
        let (index, repeated) = Index::new(listed.len(), &name);
        for Repeated { later, first } in repeated {
            let (earlier, later) = listed.split_at_mut(later);
            if let (Some(earlier), Some(later)) = (earlier.get_mut(first), later.first_mut()) {
                repeats(later, earlier);
                later.is_used = false;
            }
        }
        let mut secret = Sha256::new();
        for Listed { user, .. } in &listed {
            secret.update(user.password.digest());
        }
        Self {
            usable: listed.iter().filter(|listed| listed.is_used).count(),
            listed,
            index,
            secret: secret.finalize().into(),
        }
    }

    /// The user with this name.
    pub fn find(&self, name: &str) -> Option<&Rc<User>> {
        let is_same = |position: usize| {
            let known = self.listed.get(position);
            known.is_some_and(|known| *known.user.name == *name)
        };
        let position = self.index.find(name.as_bytes(), &is_same)?;
        let found = self.listed.get(position)?;
        found.is_used.then_some(&found.user)
    }

    /// The hash that stands in for the one of an unknown user. None if the list is empty: then every user is unknown.
    pub fn decoy(&self, name: &str) -> Option<&PasswordHash> {
        let hash = Sha256::new().chain_update(self.secret).chain_update(name);
        let hash: [u8; 32] = hash.finalize().into();
        let number = u64::from_le_bytes(*hash.first_chunk()?);
        let position = number.checked_rem(self.listed.len() as u64)?;
        let listed = self.listed.get(usize::try_from(position).ok()?)?;
        Some(&listed.user.password)
    }

    /// The number of users that are used.
    pub fn len(&self) -> usize {
        self.usable
    }

    /// Whether no user is used.
    pub fn is_empty(&self) -> bool {
        self.usable == 0
    }
}

impl User {
    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + 2 * size_of::<usize>() + self.name.len() + self.password.bytes()
    }
}

impl Listed {
    fn new(index: u32, user: User) -> Self {
        Self {
            user: Rc::new(user),
            index,
            is_used: true,
        }
    }
}

/// Prints no user, because the names are private.
impl fmt::Debug for UserList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "UserList({})", self.usable)
    }
}

/// Prints nothing of the user.
impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("User")
    }
}

/// Whether `Basic` can send a user name, and logs can show it (RFC 7617 §2).
pub fn is_user_name(name: &str) -> bool {
    is_name(name) && !name.contains(':')
}

fn read_user(entry: Option<&Json<'_>>, recent: &mut RecentGrants) -> Result<User, EntryFault> {
    let object = listed::members(
        entry,
        &["name", "password", "scopes", "roles"],
        "`name`, `password`, `scopes` and `roles`",
    )?;
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    let name = text("name")
        .filter(|name| is_user_name(name))
        .ok_or(EntryFault::UserName)?;
    let password = match text("password") {
        Some(text) => PasswordHash::parse(text),
        None => Err(PasswordHashFault::Unsupported("none")),
    };
    let password = password.map_err(EntryFault::Password)?;
    let grants = recent.share(listed::grants(object)?);
    Ok(User {
        name: name.into(),
        password,
        grants,
    })
}

#[cfg(test)]
mod tests;
