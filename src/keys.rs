//! Keys that are fetched: when they are fetched, and which responses are accepted.
//!
//! All workers of a host share one [`Record`] per source. The worker that finds a fetch due takes a lease and fetches.
//! The other workers adopt its result, so that many workers send an issuer no more requests than one worker.
//!
//! 1. Keys are fetched again after `refresh`, or after the response's `max-age` if that is shorter, but not within a
//!    minute. Up to a tenth of that time is subtracted at random, so that hosts do not fetch all at once.
//! 2. A failed fetch is repeated after 1 second, then 2, then 4, up to 60. The keys in use are kept.
//! 3. A token that no key verifies can bring the next fetch forward, once per [`COOL_DOWN`]: the issuer may have a new
//!    key, or may have replaced a key and kept its `kid`.
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

pub use self::content::{Content, Loaded, parse_body};
pub use self::event::{FetchEvent, FetchReport, Fetched, Listed, Summary};
pub use self::fault::FetchFault;
pub use self::fetcher::Fetcher;
pub use self::held::{COOL_DOWN, HeldKeySets, HeldKeys, Withdrawn};
pub use self::lists::{CurrentLists, HeldLists};
pub use self::metadata::{MetadataFault, jwks_uri};
pub use self::record::Record;
pub use self::source::{Address, Endpoint, Source};

/// The longest response body that is accepted, in bytes.
pub const MAX_RESPONSE: usize = 512 * 1024;
