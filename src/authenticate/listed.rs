//! What lists of credentials have in common: what an entry grants, and what can be wrong with it.

mod index;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

pub(super) use self::index::{Index, Repeated};
use super::basic::password::PasswordHashFault;
use super::granted::Granted;
use crate::grammar::is_oauth_text;
use crate::grammar::unprintable::escaped;
use crate::json::{ITEM_MAX, ItemsFault, Json, Object, parse_items};
use crate::time::Timestamp;

/// The most entries of a list.
pub const MAX_ENTRIES: usize = 250_000;

/// The longest name of a caller, in bytes. It is logged with each request.
const NAME_MAX: usize = 256;

/// How many different grants are compared with those of the next entry.
const RECENT: usize = 32;

/// How many ignored entries a message lists.
const MAX_SHOWN: usize = 8;

/// What an entry grants.
#[derive(Default, PartialEq, Eq)]
pub struct Grants {
    /// The scopes of the caller.
    pub scopes: Granted,
    /// The roles of the caller.
    pub roles: Granted,
}

/// Why a fetched list is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// It is not a list of entries.
    #[error(transparent)]
    Items(ItemsFault),
    /// It has too many entries.
    #[error("too many entries: expected at most {MAX_ENTRIES}")]
    TooMany,
}

/// What is wrong with an entry. No message contains a part of the entry, which can be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// It is not an object.
    #[error("expected an object")]
    NotAnObject,
    /// It is too long.
    #[error("expected at most {ITEM_MAX} bytes")]
    TooLong,
    /// It has a member that is not known, and could be a restriction.
    #[error("unknown member: expected {0}")]
    UnknownMember(&'static str),
    /// It contains the key itself.
    #[error(
        "a key in plain text: replace it with `sha256`, the hash that `countersign hash key` prints"
    )]
    PlainKey,
    /// The name of the caller is missing, or is not a visible text.
    #[error(
        "expected a text of 1 to {NAME_MAX} bytes, without whitespace at an end and without invisible characters"
    )]
    Name,
    /// The hash of the key is missing or has another form. It may be the key in plain text.
    #[error(
        "expected the SHA-256 of a key, 64 hexadecimal digits: `countersign hash key` prints it"
    )]
    Digest,
    /// It is the hash of an empty text.
    #[error("this is the SHA-256 of an empty key")]
    EmptyKey,
    /// The user name is missing, or `Basic` cannot send it: a user name ends at its first colon (RFC 7617 §2).
    #[error(
        "expected a user name of 1 to {NAME_MAX} bytes, without a colon, without whitespace at an end and without \
         invisible characters"
    )]
    UserName,
    /// The password hash is missing or is not accepted. It may be the password in plain text.
    #[error(transparent)]
    Password(PasswordHashFault),
    /// The scopes are not a list of scopes (RFC 6749 §3.3).
    #[error("expected a list of scopes of visible ASCII characters other than `\"` and `\\`")]
    Scopes,
    /// The roles are not a list of names.
    #[error("expected a list of names, none of them empty")]
    Roles,
    /// The end is not a time.
    #[error("expected a time such as `2027-01-01T00:00:00Z`")]
    Expires,
    /// An earlier entry has the same credential and grants the same.
    #[error("duplicate of entry {0}")]
    Duplicate(usize),
    /// An earlier entry has the same credential and grants something else, so that neither is used.
    #[error("the same credential as entry {0}, which grants something else: both are ignored")]
    Ambiguous(usize),
    /// An earlier entry has the same user name and is different, so that neither is used.
    #[error("the same user name as entry {0}, which is different: both are ignored")]
    AmbiguousUser(usize),
}

impl EntryFault {
    /// The member that is at fault; none if it is the entry.
    fn member(self) -> Option<&'static str> {
        match self {
            Self::PlainKey => Some("key"),
            Self::Name => Some("id"),
            Self::Digest | Self::EmptyKey => Some("sha256"),
            Self::UserName => Some("name"),
            Self::Password(_) => Some("password"),
            Self::Scopes => Some("scopes"),
            Self::Roles => Some("roles"),
            Self::Expires => Some("expires"),
            Self::NotAnObject
            | Self::TooLong
            | Self::UnknownMember(_)
            | Self::Duplicate(_)
            | Self::Ambiguous(_)
            | Self::AmbiguousUser(_) => None,
        }
    }
}

/// The entries of a list that are not used. `Display` shows the first eight.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct IgnoredEntries {
    number: usize,
    first: Vec<(usize, EntryFault)>,
}

impl IgnoredEntries {
    /// Adds the entry at an index of the list.
    pub(super) fn push(&mut self, index: usize, fault: EntryFault) {
        self.number += 1;
        if self.first.len() < MAX_SHOWN {
            self.first.push((index, fault));
        }
    }

    /// Counts an earlier entry that is ignored because of the last one.
    pub(super) fn count_earlier(&mut self) {
        self.number += 1;
    }

    /// The number of entries that are not used.
    pub fn len(&self) -> usize {
        self.number
    }

    /// Whether every entry is used.
    pub fn is_empty(&self) -> bool {
        self.number == 0
    }
}

impl fmt::Display for IgnoredEntries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (index, fault)) in self.first.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(formatter, "{separator}entry {index}: ")?;
            if let Some(member) = fault.member() {
                write!(formatter, "`{member}`: ")?;
            }
            fault.fmt(formatter)?;
        }
        match self.number.saturating_sub(self.first.len()) {
            0 => Ok(()),
            more => write!(formatter, "; and {more} more"),
        }
    }
}

/// Grants that entries share. Most entries of a list grant the same as others.
#[derive(Default)]
pub(super) struct RecentGrants {
    recent: Vec<Rc<Grants>>,
    /// Which one is replaced next.
    next: usize,
}

impl RecentGrants {
    /// These grants, in the memory of equal ones if there are any.
    pub(super) fn share(&mut self, grants: Grants) -> Rc<Grants> {
        if let Some(known) = self.recent.iter().find(|known| ***known == grants) {
            return Rc::clone(known);
        }
        let grants = Rc::new(grants);
        match self.recent.get_mut(self.next) {
            Some(oldest) => *oldest = Rc::clone(&grants),
            None => self.recent.push(Rc::clone(&grants)),
        }
        self.next = (self.next + 1) % RECENT;
        grants
    }
}

/// Whether a text can be the name of a caller.
pub fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text.trim() == text
        && matches!(escaped(text), Cow::Borrowed(_))
}

/// Reads an entry, which is `None` if it is too long, at an index of the list.
type ReadEntry<'r> = &'r mut dyn FnMut(Option<&Json<'_>>, u32) -> Result<(), EntryFault>;

/// Reads the list of a response: `{"name": [...]}`. Returns the entries that `read` cannot read.
///
/// # Errors
/// [`ListFault`].
pub(super) fn read_entries(
    body: &[u8],
    name: &'static str,
    read: ReadEntry<'_>,
) -> Result<IgnoredEntries, ListFault> {
    let mut ignored = IgnoredEntries::default();
    let mut index = 0;
    let items = parse_items(body, name, &mut |item| {
        if let Err(fault) = read(item.as_ref(), index) {
            ignored.push(index as usize, fault);
        }
        index += 1;
        (index as usize) <= MAX_ENTRIES
    });
    items.map_err(|fault| match fault {
        ItemsFault::Stopped => ListFault::TooMany,
        fault => ListFault::Items(fault),
    })?;
    Ok(ignored)
}

/// The members of an entry, if it has only `known` ones. `expected` lists them for the message.
pub(super) fn members<'j, 'b>(
    entry: Option<&'j Json<'b>>,
    known: &[&str],
    expected: &'static str,
) -> Result<&'j Object<'b>, EntryFault> {
    let object = match entry {
        Some(Json::Object(object)) => object,
        Some(_) => return Err(EntryFault::NotAnObject),
        None => return Err(EntryFault::TooLong),
    };
    match object.iter().all(|(name, _)| known.contains(&name)) {
        true => Ok(object),
        false => Err(EntryFault::UnknownMember(expected)),
    }
}

/// What an entry grants.
pub(super) fn grants(object: &Object<'_>) -> Result<Grants, EntryFault> {
    let names = |member, is_valid: fn(&str) -> bool, fault| {
        names(object.get(member), is_valid).ok_or(fault)
    };
    Ok(Grants {
        scopes: names("scopes", is_oauth_text, EntryFault::Scopes)?,
        roles: names("roles", |role| !role.is_empty(), EntryFault::Roles)?,
    })
}

fn names(list: Option<&Json<'_>>, is_valid: fn(&str) -> bool) -> Option<Granted> {
    let mut granted = Granted::default();
    let items = match list {
        None | Some(Json::Null) => return Some(granted),
        Some(Json::Array(items)) => items,
        Some(_) => return None,
    };
    granted.reserve(items.iter().filter_map(Json::as_str));
    for item in items {
        granted.push(item.as_str().filter(|name| is_valid(name))?);
    }
    Some(granted)
}

/// When an entry ends. `null` is a fault, because it could be meant as a restriction.
pub(super) fn expires(object: &Object<'_>) -> Result<Option<Timestamp>, EntryFault> {
    let Some(time) = object.get("expires") else {
        return Ok(None);
    };
    let time = time.as_str().and_then(Timestamp::parse);
    time.map(Some).ok_or(EntryFault::Expires)
}
