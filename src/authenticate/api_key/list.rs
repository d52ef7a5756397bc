//! The API keys that a provider accepts, in the configuration or fetched.
//!
//! 1. A key is stored as its SHA-256. A key is random and long, so that its hash need not be slow.
//! 2. A keyed hash of the SHA-256 selects where the search begins. Its secret is random and never leaves the worker, so
//!    that the time of a search tells nothing about the stored hashes. The 32 octets are compared in constant time.
//! 3. In a fetched list, an entry that cannot be read, or that has an unknown member, is ignored: the member could be a
//!    restriction. If two entries have the same key and differ, both are ignored.

use std::fmt;
use std::rc::Rc;

use subtle::ConstantTimeEq;

use crate::authenticate::listed::{
    self, EntryFault, Grants, IgnoredEntries, Index, ListFault, RecentGrants, Repeated, is_name,
};
use crate::grammar::sha256_of_hex;
use crate::json::Json;
use crate::time::Timestamp;

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
    index: Index,
}

/// A key of the list.
struct Listed {
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

impl ApiKeys {
    /// The keys of a configuration, in the order of its entries. `report` is called with the index of each entry whose
    /// key an earlier entry has, and with the index of that one.
    ///
    /// # Errors
    /// The last error that `report` returned.
    pub fn new<E>(
        entries: Vec<(Digest, ApiKeyEntry)>,
        mut report: impl FnMut(usize, usize) -> E,
    ) -> Result<Self, E> {
        let listed = (0..).zip(entries);
        let listed = listed.map(|(index, (digest, entry))| Listed {
            digest,
            index,
            entry: Some(entry),
        });
        let mut error = None;
        let keys = Self::build(listed.collect(), &mut |later, earlier| {
            error = Some(report(later.index as usize, earlier.index as usize));
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
        listed.reserve_exact((body.len() / USUAL_ENTRY).min(listed::MAX_ENTRIES));
        let mut grants = RecentGrants::default();
        let mut ignored = listed::read_entries(body, "keys", &mut |item, index| {
            listed.push(read_entry(item, index, &mut grants)?);
            Ok(())
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

    /// Builds the index. `repeats` is called with each entry whose key an earlier entry has, which is not used, and with
    /// the earlier entry.
    fn build(mut listed: Vec<Listed>, repeats: &mut dyn FnMut(&Listed, &mut Listed)) -> Self {
        let key = |position: usize| listed.get(position).map_or(&[][..], |own| &own.digest);
        let (index, repeated) = Index::new(listed.len(), &key);
        for Repeated { later, first } in repeated {
            let (earlier, later) = listed.split_at_mut(later);
            if let (Some(earlier), Some(later)) = (earlier.get_mut(first), later.first_mut()) {
                repeats(later, earlier);
                later.entry = None;
            }
        }
        let usable = listed.iter().filter(|listed| listed.entry.is_some());
        Self {
            usable: usable.count(),
            listed,
            index,
        }
    }

    /// What the key with this SHA-256 proves. None if it is not a key of the list.
    pub fn find(&self, digest: &Digest) -> Option<&ApiKeyEntry> {
        let is_same = |position: usize| {
            let known = self.listed.get(position);
            known.is_some_and(|known| known.digest.ct_eq(digest).into())
        };
        let position = self.index.find(digest, &is_same)?;
        self.listed.get(position)?.entry.as_ref()
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
    match sha256_of_hex(text) {
        None => Err(EntryFault::Digest),
        Some(OF_NOTHING) => Err(EntryFault::EmptyKey),
        Some(digest) => Ok(digest),
    }
}

fn read_entry(
    entry: Option<&Json<'_>>,
    index: u32,
    recent: &mut RecentGrants,
) -> Result<Listed, EntryFault> {
    if let Some(Json::Object(object)) = entry
        && object.get("key").is_some()
    {
        return Err(EntryFault::PlainKey);
    }
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
