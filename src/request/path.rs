//! The path of a request, by every reading that an upstream could make of it, and the patterns that rules hold against
//! them.
//!
//! A path is split at `/`, and each segment percent-decoded once: that is its first reading, and of most paths the only
//! one. Where upstreams are known to go on from there, or to go another way, each way is a further reading
//! (`closure`). Whoever judges a path judges all of them, by [`Readings::agree`]: one answer, or none.
//!
//! Some paths have no reading that could be relied on, and are refused whoever they are for:
//!
//! 1. what does not begin with `/`, but for the targets that are no path (RFC 9110 §7.1);
//! 2. a byte that no URI has (RFC 3986 §2), as it is;
//! 3. a broken percent-escape;
//! 4. in any reading: a control or format character, a `#`, and what is no UTF-8;
//! 5. more readings than anybody needs.
//!
//! The caveat: this is the path as it reaches the filter. What a later filter rewrites is not judged again.

mod case;
mod closure;
mod pattern;
mod reading;
mod readings;

pub use self::case::Case;
pub use self::pattern::{Pattern, PatternFault, PatternSegment};
pub use self::reading::Reading;
pub use self::readings::Readings;

/// `target` up to its query.
pub fn without_query(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

#[cfg(test)]
mod tests;
