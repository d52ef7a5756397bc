//! The API keys that a provider accepts, in the configuration or fetched.
//!
//! 1. A key is stored as its SHA-256. A key is random and long, so that its hash need not be slow.
//! 2. A keyed hash of the SHA-256 selects where the search begins. Its secret is random and never leaves the worker, so
//!    that the time of a search tells nothing about the stored hashes. The 32 octets are compared in constant time.
//! 3. In a fetched list, an entry that cannot be read, or that has an unknown member, is ignored: the member could be a
//!    restriction. If two entries have the same key and differ, both are ignored.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use subtle::ConstantTimeEq;

use crate::authenticate::listed::{
    self, EntryFault, Grants, IgnoredEntries, RecentGrants, is_name,
};
use crate::json::{ItemsFault, Json, parse_items};
use crate::time::Timestamp;

/// The most keys in a list.
pub const MAX_KEYS: usize = 250_000;

/// The length of most entries in JSON, in bytes: an estimate, to allocate once.
const USUAL_ENTRY: usize = 128;

/// The SHA-256 of the empty text.
const OF_NOTHING: Digest = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The SHA-256 of a key.
pub type Digest = [u8; 32];

/// API keys by the SHA-256 of each.
pub struct ApiKeys {
    listed: Vec<Listed>,
    /// The number of keys that are used.
    usable: usize,
    /// For each place of a table with linear probing, the position of a listed key plus one, or 0. At least half of the
    /// places are 0. The length is a power of two.
    table: Vec<u32>,
    secret: RandomState,
}

/// A key of the list.
pub struct Listed {
    digest: Digest,
    /// The position in the list as it was written.
    index: u32,
    /// What the key proves. None if the entry is ignored.
    entry: Option<ApiKeyEntry>,
}

/// What an API key proves.
#[derive(PartialEq, Eq)]
pub struct ApiKeyEntry {
    /// The name of the caller.
    pub id: Box<str>,
    /// The scopes and roles of the caller.
    pub grants: Rc<Grants>,
    /// From when on the key is not accepted.
    pub expires: Option<Timestamp>,
}

/// Why a fetched list is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// It is not a list of keys.
    #[error(transparent)]
    Items(ItemsFault),
    /// It has too many entries.
    #[error("too many keys: expected at most {MAX_KEYS}")]
    TooMany,
}

/// Two entries of a list with the same key, by their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The later entry.
    pub index: usize,
    /// The earlier one.
    pub first: usize,
}

impl ApiKeys {
    /// The keys of a configuration, in the order of its entries. `report` is called with each entry whose key an earlier
    /// entry has.
    ///
    /// # Errors
    /// The last error that `report` returned.
    pub fn new<E>(
        entries: Vec<(Digest, ApiKeyEntry)>,
        mut report: impl FnMut(DuplicateKey) -> E,
    ) -> Result<Self, E> {
        let listed = (0..).zip(entries);
        let listed = listed.map(|(index, (digest, entry))| Listed {
            digest,
            index,
            entry: Some(entry),
        });
        let mut error = None;
        let keys = Self::build(listed.collect(), &mut |later, earlier| {
            error = Some(report(DuplicateKey {
                index: later.index as usize,
                first: earlier.index as usize,
            }));
        });
        error.map_or(Ok(keys), Err)
    }

    /// Reads the list of a response: `{"keys": [...]}`, with entries as in a configuration. Also returns the entries that
    /// are ignored.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn read(body: &[u8]) -> Result<(Self, IgnoredEntries), ListFault> {
        let mut listed = Vec::new();
        listed.reserve_exact((body.len() / USUAL_ENTRY).min(MAX_KEYS));
        let mut ignored = IgnoredEntries::default();
        let mut grants = RecentGrants::default();
        let mut index = 0;
        let read = parse_items(body, "keys", &mut |item| {
            match read_entry(item.as_ref(), index, &mut grants) {
                Ok(entry) => listed.push(entry),
                Err(fault) => ignored.push(index as usize, fault),
            }
            index += 1;
            (index as usize) <= MAX_KEYS
        });
        read.map_err(|fault| match fault {
            ItemsFault::Stopped => ListFault::TooMany,
            fault => ListFault::Items(fault),
        })?;
        // Most estimates are good enough, and a copy would need as much memory again.
        if listed.capacity() / 5 > listed.len() / 4 {
            listed.shrink_to_fit();
        }
        let keys = Self::build(listed, &mut |later, earlier| {
            let first = earlier.index as usize;
            let fault = match later.entry == earlier.entry {
                true => EntryFault::Duplicate(first),
                false => {
                    if earlier.entry.take().is_some() {
                        ignored.count_earlier();
                    }
                    EntryFault::Ambiguous(first)
                }
            };
            ignored.push(later.index as usize, fault);
        });
        Ok((keys, ignored))
    }

    /// Builds the table. `repeats` is called with each entry whose key an earlier entry has, which is not used, and with
    /// the earlier entry.
    fn build(mut listed: Vec<Listed>, repeats: &mut dyn FnMut(&Listed, &mut Listed)) -> Self {
        let places = (2 * listed.len()).next_power_of_two();
        let mut keys = Self {
            listed: Vec::new(),
            usable: 0,
            table: vec![0; places],
            secret: RandomState::new(),
        };
        for position in 0..listed.len() {
            let (earlier, later) = listed.split_at_mut(position);
            let Some(later) = later.first_mut() else {
                continue;
            };
            match keys.search(&later.digest, earlier) {
                Ok(first) => {
                    if let Some(earlier) = earlier.get_mut(first) {
                        repeats(later, earlier);
                    }
                    later.entry = None;
                }
                Err(place) => {
                    if let (Some(free), Ok(number)) =
                        (keys.table.get_mut(place), u32::try_from(position + 1))
                    {
                        *free = number;
                    }
                }
            }
        }
        keys.usable = listed
            .iter()
            .filter(|listed| listed.entry.is_some())
            .count();
        keys.listed = listed;
        keys
    }

    /// What the key with this SHA-256 proves. None if it is not a key of the list.
    pub fn find(&self, digest: &Digest) -> Option<&ApiKeyEntry> {
        let position = self.search(digest, &self.listed).ok()?;
        self.listed.get(position)?.entry.as_ref()
    }

    /// The position of a key among the listed ones, or its place in the table if it is not among them.
    fn search(&self, digest: &Digest, listed: &[Listed]) -> Result<usize, usize> {
        let mask = self.table.len().wrapping_sub(1);
        let mut place = self.secret.hash_one(digest) as usize & mask;
        while let Some(position) = self.table.get(place).and_then(|n| n.checked_sub(1)) {
            let position = position as usize;
            let is_same = |known: &Listed| bool::from(known.digest.ct_eq(digest));
            if listed.get(position).is_some_and(is_same) {
                return Ok(position);
            }
            place = (place + 1) & mask;
        }
        Err(place)
    }

    /// The number of keys that are used.
    pub fn len(&self) -> usize {
        self.usable
    }

    /// Whether no key is used.
    pub fn is_empty(&self) -> bool {
        self.usable == 0
    }
}

/// No digest, because a key that can be guessed is found from it.
impl fmt::Debug for ApiKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKeys({})", self.usable)
    }
}

impl fmt::Debug for ApiKeyEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKeyEntry({:?})", self.id)
    }
}

/// The SHA-256 of a key, from 64 hexadecimal digits.
///
/// # Errors
/// [`EntryFault::Digest`], [`EntryFault::EmptyKey`].
pub fn parse_digest(text: &str) -> Result<Digest, EntryFault> {
    let mut digest = Digest::default();
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    for octet in &mut digest {
        let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
            return Err(EntryFault::Digest);
        };
        *octet = u8::try_from(high << 4 | low).map_err(|_| EntryFault::Digest)?;
    }
    match digits.next() {
        Some(_) => Err(EntryFault::Digest),
        None if digest == OF_NOTHING => Err(EntryFault::EmptyKey),
        None => Ok(digest),
    }
}

fn read_entry(
    entry: Option<&Json<'_>>,
    index: u32,
    recent: &mut RecentGrants,
) -> Result<Listed, EntryFault> {
    let object = listed::members(
        entry,
        &["id", "sha256", "scopes", "roles", "expires"],
        "`id`, `sha256`, `scopes`, `roles` and `expires`",
    )?;
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    let id = text("id")
        .filter(|id| is_name(id))
        .ok_or(EntryFault::Name)?;
    let digest = parse_digest(text("sha256").unwrap_or_default())?;
    let grants = listed::grants(object)?;
    let entry = ApiKeyEntry {
        id: id.into(),
        grants: recent.share(grants),
        expires: listed::expires(object)?,
    };
    Ok(Listed {
        digest,
        index,
        entry: Some(entry),
    })
}

#[cfg(test)]
mod tests;
