//! All readings of a request's path.

use super::closure::{self, Closure, Read};
use super::reading::{Reading, octet_of_escape};
use super::slash::Segments;
use crate::reject::PathFault;

/// All readings of a request's path. Most paths have one.
///
/// A decision cannot be made for one of several readings: [`agree`](Self::agree) evaluates all of them.
#[derive(Debug)]
pub struct Readings<'a> {
    first: First<'a>,
    /// All readings, and why there are several. None if the first is the only one.
    others: Option<(Closure<'a>, PathFault)>,
    as_sent: Vec<String>,
    /// How much more work may be done for the path.
    budget: usize,
}

/// The path split at `/`, with each segment decoded once.
#[derive(Debug)]
enum First<'a> {
    NoPath,
    AsSent(&'a str),
    Decoded(String),
}

impl<'a> Readings<'a> {
    /// Reads the target of a request, which includes its query.
    ///
    /// # Errors
    /// A [`PathFault`] if upstreams do not share any reading of the path.
    pub fn of_target(target: Option<&'a [u8]>) -> Result<Self, PathFault> {
        let target = match target {
            None | Some(b"*") => return Ok(Self::only(First::NoPath)),
            Some(target) => target,
        };
        let scan = Scan::of(target)?;
        let (path, query) = target
            .split_at_checked(scan.length)
            .unwrap_or((target, b""));
        if query.contains(&b'#') {
            return Err(PathFault::Fragment);
        }
        let path = std::str::from_utf8(path).map_err(|_| PathFault::RawByte)?;
        if !scan.has_escapes && !scan.is_odd {
            return Ok(Self::only(First::AsSent(path)));
        }
        closure::read(path).map(Self::of_closure)
    }

    fn of_closure(read: Read<'a>) -> Self {
        Self {
            first: First::Decoded(read.first),
            others: read.others,
            as_sent: read.as_sent,
            budget: read.budget,
        }
    }

    fn only(first: First<'a>) -> Self {
        Self {
            first,
            others: None,
            as_sent: Vec::new(),
            budget: 0,
        }
    }

    /// Whether there is only one reading, so that every upstream reads the path in the same way.
    pub fn is_plain(&self) -> bool {
        self.others.is_none()
    }

    /// Whether the first reading is the only one, also of routers that compare the path as sent.
    pub fn are_one(&self) -> bool {
        self.others.is_none() && self.as_sent.is_empty()
    }

    /// The only reading.
    ///
    /// # Errors
    /// Why there are several.
    pub fn plain(&self) -> Result<Reading<'_>, PathFault> {
        match &self.others {
            None => Ok(self.first()),
            Some((_, oddity)) => Err(*oddity),
        }
    }

    /// Calls `decide` for every reading, and returns the result if it is the same for all.
    ///
    /// # Errors
    /// The fault of the path if the results differ, or the first error of `decide`.
    pub fn agree<'r, T: PartialEq, E: From<PathFault>>(
        &'r self,
        mut decide: impl FnMut(Reading<'r>) -> Result<T, E>,
    ) -> Result<T, E> {
        let answer = decide(self.first())?;
        if let Some((closure, oddity)) = &self.others {
            for other in &closure.readings {
                if decide(Reading::decoded(other))? != answer {
                    return Err(E::from(*oddity));
                }
            }
        }
        Ok(answer)
    }

    /// Every reading, for display. The first is the path split at `/` and decoded once.
    pub fn iter(&self) -> impl Iterator<Item = Reading<'_>> {
        let first = self.first();
        let others = self
            .others
            .iter()
            .flat_map(|(closure, _)| &closure.readings);
        let others = others.map(|other| Reading::decoded(other));
        std::iter::once(first).chain(others.filter(move |other| *other != first))
    }

    /// The parts of the path that some upstream reads as the query or a part of it, decoded as far as that upstream
    /// decodes them.
    pub fn queries(&self) -> impl Iterator<Item = Vec<u8>> {
        self.others
            .iter()
            .flat_map(|(closure, _)| closure.queries())
    }

    /// Whether some upstream reads a part of the path as the host of the request.
    pub fn name_host(&self) -> bool {
        let closure = self.others.as_ref().map(|(closure, _)| closure);
        closure.is_some_and(|closure| closure.names_host)
    }

    /// The readings of routers that compare the path as sent, if an unreserved character or the colon of a verb is escaped
    /// in it. They differ from the others only in which segments match a literal or a verb, and which only a parameter
    /// ([`Reading::of_router`]).
    pub fn as_sent(&self) -> impl Iterator<Item = Reading<'_>> {
        self.as_sent.iter().map(|text| Reading::decoded(text))
    }

    /// Every reading of every server, which includes those that differ only in the rule that matches.
    pub fn of_any_server(&self) -> impl Iterator<Item = Reading<'_>> {
        let readings = self.iter();
        let all = readings.flat_map(|reading| [Some(reading), reading.without_last_dots()]);
        all.flatten().chain(self.as_sent())
    }

    /// The segments of the path as sent in which a slash is escaped.
    pub(super) fn segments_with_slashes(&self) -> Segments {
        let closure = self.others.as_ref().map(|(closure, _)| closure);
        closure.map_or(0, Closure::segments_with_slashes)
    }

    /// The readings in which the escaped slashes of these segments are not separators.
    ///
    /// # Errors
    /// The same as for [`Self::of_target`].
    pub(super) fn keeping_slashes(
        &self,
        segments: Segments,
        budget: usize,
    ) -> Result<Self, PathFault> {
        match &self.others {
            Some((closure, _)) => closure
                .keeping_slashes(segments, budget)
                .map(Self::of_closure),
            None => Err(PathFault::EncodedSeparator),
        }
    }

    /// How much more work may be done for the path.
    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// The path split at `/`, with each segment decoded once.
    pub fn first(&self) -> Reading<'_> {
        match &self.first {
            First::NoPath => Reading::NO_PATH,
            First::AsSent(path) => Reading::as_sent(path),
            First::Decoded(text) => Reading::decoded(text),
        }
    }
}

/// The result of one pass over the bytes of a target.
struct Scan {
    /// The length of the path: the position of the query.
    length: usize,
    has_escapes: bool,
    /// Whether there are several readings even without an escape.
    is_odd: bool,
}

impl Scan {
    fn of(target: &[u8]) -> Result<Self, PathFault> {
        if !target.starts_with(b"/") {
            return Err(PathFault::NotAbsolute);
        }
        let mut scan = Self {
            length: target.len(),
            has_escapes: false,
            is_odd: false,
        };
        let is_odd = |segment: Option<&[u8]>| matches!(segment, Some(b"" | b"." | b".."));
        let mut begin = 1;
        for (place, byte) in target.iter().enumerate() {
            if IS_ORDINARY.get(usize::from(*byte)) == Some(&true) {
                continue;
            }
            let after = || target.get(place + 1..).unwrap_or_default();
            match byte {
                b'/' if place == 0 => {}
                b'/' => {
                    scan.is_odd |= is_odd(target.get(begin..place));
                    begin = place + 1;
                }
                b'?' => {
                    scan.length = place;
                    break;
                }
                b'\\' | b';' => scan.is_odd = true,
                b'%' if octet_of_escape(after()).is_some() => scan.has_escapes = true,
                b'%' => return Err(PathFault::BrokenEscape),
                b'#' => return Err(PathFault::Fragment),
                _ => return Err(PathFault::RawByte),
            }
        }
        // A slash at the end adds no segment.
        let last = target.get(begin..scan.length);
        scan.is_odd |= begin < scan.length && is_odd(last);
        Ok(scan)
    }
}

/// The bytes that every server reads as themselves. A wrong index would not compile.
#[allow(clippy::indexing_slicing)]
const IS_ORDINARY: [bool; 256] = {
    let mut is_ordinary = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        is_ordinary[byte as usize] = !matches!(byte, b'/' | b'\\' | b';' | b'%' | b'#' | b'?');
        byte += 1;
    }
    is_ordinary
};
