//! What an encoded slash in a path is to the upstream.

use super::pattern::Pattern;
use super::reading::oddity;
use super::readings::Readings;
use crate::reject::PathFault;

/// What an encoded slash (`%2F`) in a path is to the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncodedSlash {
    /// It may be a separator.
    #[default]
    Separator,
    /// In a segment that a parameter of a pattern binds, it is a part of the value. Elsewhere it may be a separator.
    Segment,
}

/// The readings of an upstream that takes the encoded slashes in some segments for parts of values, and those in others for
/// separators.
#[derive(Debug, Default)]
pub struct SlashReadings<'a> {
    /// The readings for each combination of segments.
    pub all: Vec<Readings<'a>>,
    /// Whether these are the only readings. Otherwise the upstream may also treat all slashes in the same way.
    pub are_exhaustive: bool,
}

/// How many segments with encoded slashes that no parameter binds a path may have. There are readings for each combination
/// of them.
const MAX_SEGMENTS: usize = 5;

impl<'a> SlashReadings<'a> {
    /// The readings of a path whose first reading matches a pattern. A slash that the pattern binds is never a separator.
    ///
    /// # Errors
    /// [`PathFault::TooManyReadings`].
    pub fn of(readings: &Readings<'a>, pattern: Option<&Pattern>) -> Result<Self, PathFault> {
        let segments = readings.segments_with_slashes();
        let is_bound = |segment: &usize| pattern.is_some_and(|pattern| pattern.binds_at(*segment));
        let (bound, others): (Vec<_>, Vec<_>) = segments.into_iter().partition(is_bound);
        if others.len() > MAX_SEGMENTS {
            return Err(PathFault::TooManyReadings);
        }
        let mut all = Self {
            all: Vec::new(),
            are_exhaustive: !bound.is_empty(),
        };
        let mut budget = readings.budget();
        // Each bit stands for one of the others. No bit and all bits lead to readings that treat them in the same way.
        for combination in 0..(1_usize << others.len()).saturating_sub(1).max(1) {
            if combination == 0 && bound.is_empty() {
                continue;
            }
            let mut kept = bound.clone();
            let is_kept = |place: &usize| combination >> place & 1 == 1;
            let places = (0..others.len()).filter(is_kept);
            kept.extend(places.filter_map(|place| others.get(place)));
            let next = readings.keeping_slashes(&kept, budget)?;
            budget = next.budget();
            all.all.push(next);
        }
        Ok(all)
    }
}

/// Why servers could read a value with encoded slashes differently: a part of it is empty, a dot segment or otherwise unusual.
pub fn oddity_of_value(value: &str) -> Option<PathFault> {
    let mut parts = value.split('/');
    value.contains('/').then(|| parts.find_map(oddity))?
}
