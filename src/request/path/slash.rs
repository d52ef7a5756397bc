//! What an encoded slash in a path is to the upstream.

use super::pattern::Pattern;
use super::reading::oddity;
use super::readings::Readings;
use crate::reject::{PathFault, Reject};

/// What an encoded slash (`%2F`) in a path is to the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncodedSlash {
    /// It may be a separator.
    #[default]
    Separator,
    /// In a segment that a parameter of a pattern binds, it is a part of the value. Elsewhere it may be a separator.
    Segment,
}

/// How many segments with encoded slashes that no parameter binds a path may have. There are readings for each combination
/// of them.
const MAX_SEGMENTS: u32 = 5;

/// A set of segments of a path as sent: a bit for each, and the last bit for all later ones, which are always separated or
/// kept together.
pub(super) type Segments = u64;

/// The set of one segment, by its number.
pub(super) fn segment(number: usize) -> Segments {
    1 << number.min(Segments::BITS as usize - 1)
}

/// Visits the readings of an upstream that takes the encoded slashes in some segments for parts of values, and those in others
/// for separators. A slash in a segment that the pattern binds is never a separator.
///
/// Returns whether the pattern binds a slash. Otherwise the upstream may also treat all slashes in the same way.
///
/// # Errors
/// [`PathFault::TooManyReadings`], or the first error of `visit`.
#[inline(never)]
pub fn visit_by_slashes(
    readings: &Readings<'_>,
    pattern: Option<&Pattern>,
    visit: &mut dyn FnMut(&Readings<'_>) -> Result<(), Reject>,
) -> Result<bool, Reject> {
    let with_slashes = readings.segments_with_slashes();
    let bound = with_slashes & pattern.map_or(0, Pattern::bound_segments);
    let others = with_slashes & !bound;
    if others.count_ones() > MAX_SEGMENTS {
        return Err(Reject::Path(PathFault::TooManyReadings));
    }
    let mut budget = readings.budget();
    // The subsets of the others. The empty and the whole one lead to readings that treat them in the same way.
    let mut kept: Segments = 0;
    loop {
        if bound | kept != 0 {
            let next = readings.keeping_slashes(bound | kept, budget);
            let next = next.map_err(Reject::Path)?;
            budget = next.budget();
            visit(&next)?;
        }
        kept = kept.wrapping_sub(others) & others;
        if kept == 0 || kept == others {
            return Ok(bound != 0);
        }
    }
}

/// Why servers could read a value with encoded slashes differently: a part of it is empty, a dot segment or otherwise unusual.
pub fn oddity_of_value(value: &str) -> Option<PathFault> {
    let mut parts = value.split('/');
    value.contains('/').then(|| parts.find_map(oddity))?
}
