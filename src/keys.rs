//! Keys and lists of credentials that are fetched: when they are fetched, and which responses are accepted.
//!
//! All workers of a host share one [`Record`] per source. The worker that finds a fetch due takes a lease and fetches.
//! The other workers adopt its result, so that many workers send a server no more requests than one worker.
//!
//! For the keys of an issuer:
//!
//! 1. Keys are fetched again after `refresh`, or after the response's `max-age` if that is shorter, but not within a
//!    minute. Up to a tenth of that time is subtracted at random, so that hosts do not fetch all at once.
//! 2. A failed fetch is repeated after 1 second, then 2, then 4, up to 60. The keys in use are kept.
//! 3. A token that no key verifies can bring the next fetch forward, once per [`COOL_DOWN`]: the issuer may have a new
//!    key, or may have replaced a key and kept its `kid`.
//!
//! For a list of credentials:
//!
//! 1. It is fetched again exactly after `refresh`, since its owner decides how soon a withdrawn credential must end. The
//!    response's `max-age` is not read.
//! 2. A failed fetch is repeated after 1 second, then 2, then 4, up to `refresh`, but at least 5 and at most 60. The list
//!    in use is kept, until its last confirmation is older than `max_stale`.
//! 3. A request names the list that the worker has by its `ETag`. A 304, or the same body again, confirms the list for all
//!    workers, and no worker reads it again (RFC 9110 §13.1.2).
//! 4. A response that comes after another worker has taken the lease is dropped, so that no older list replaces a newer
//!    one.
//!
//! [`Record`] and [`Fetcher`] do not know what a response means. [`Content`] says how a body is read, and the store
//! keeps what was read.

mod content;
mod event;
mod fault;
mod fetcher;
mod held;
mod lists;
mod metadata;
mod record;
mod source;

pub use self::content::{Content, List, Loaded, parse_body};
pub use self::event::{FetchEvent, FetchReport, Fetched, Ignored, Listed, Summary};
pub use self::fault::FetchFault;
pub use self::fetcher::Fetcher;
pub use self::held::{COOL_DOWN, HeldKeySets, HeldKeys, Withdrawn};
pub use self::lists::{CurrentLists, HeldList, HeldLists};
pub use self::metadata::{MetadataFault, jwks_uri};
pub use self::record::Record;
pub use self::source::{Address, Endpoint, Headers, Schedule, Source};

/// The longest JWK Set and the longest metadata that are accepted, in bytes.
pub const MAX_KEY_SET: usize = 512 * 1024;

/// The longest list of credentials that is accepted, in bytes.
pub const MAX_LIST: usize = 16 * 1024 * 1024;
