//! The path of a request in every way that an upstream could read it, and the patterns that rules match against it.
//!
//! The first reading of a path is the path split at `/`, with each segment percent-decoded once. Most paths have no
//! other. Where upstreams are known to decode further, or to read the path differently, each result is another reading
//! (`closure`). Every decision on a path is made for all of its readings ([`Readings::agree`]): if they disagree, the
//! request is denied.
//!
//! Some paths have no reading that all upstreams share. They are denied under every rule:
//!
//! 1. a path that does not begin with `/`, except for targets that are not a path (RFC 9110 §7.1);
//! 2. a byte that is not allowed in a URI (RFC 3986 §2) and is not escaped;
//! 3. a broken percent-escape;
//! 4. in any reading: a control or format character, a `#`, or bytes that are not UTF-8;
//! 5. more readings than the limit.
//!
//! Caveat: this is the path as it reaches the filter. If a later filter rewrites the path, the decision is not
//! repeated.

mod case;
mod closure;
mod pattern;
mod reading;
mod readings;
mod slash;

pub use self::case::Case;
pub use self::pattern::{Pattern, PatternFault, PatternSegment, without_verb};
pub use self::reading::Reading;
pub use self::readings::Readings;
pub use self::slash::{EncodedSlash, oddity_of_value, visit_by_slashes};

/// The part of `target` before its query.
pub fn without_query(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

#[cfg(test)]
mod tests;
