//! All readings of a request's path.

use super::closure::{self, Closure, Read};
use super::reading::{Reading, octet_of_escape};
use crate::reject::PathFault;

/// All readings of a request's path: of most there is one.
///
/// There is no way to ask one of several alone: [`agree`](Self::agree) asks them all.
#[derive(Debug)]
pub struct Readings<'a> {
    first: First<'a>,
    /// The others, and what they come from.
    others: Option<(Closure<'a>, PathFault)>,
    as_sent: Vec<String>,
}

/// The path split at `/` and decoded once.
#[derive(Debug)]
enum First<'a> {
    NoPath,
    AsSent(&'a str),
    Decoded(String),
}

impl<'a> Readings<'a> {
    /// Reads the target of a request, query included.
    ///
    /// # Errors
    /// [`PathFault`] names why no reading can be relied on.
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
        let Read {
            first,
            others,
            as_sent,
        } = closure::read(path)?;
        Ok(Self {
            first: First::Decoded(first),
            others,
            as_sent,
        })
    }

    fn only(first: First<'a>) -> Self {
        Self {
            first,
            others: None,
            as_sent: Vec::new(),
        }
    }

    /// Whether there is one reading only, so that what is said of the path is true for every upstream.
    pub fn is_plain(&self) -> bool {
        self.others.is_none()
    }

    /// The one reading that there is.
    ///
    /// # Errors
    /// The fault, where there are several.
    pub fn plain(&self) -> Result<Reading<'_>, PathFault> {
        match &self.others {
            None => Ok(self.first()),
            Some((_, oddity)) => Err(*oddity),
        }
    }

    /// The answer that all readings agree on.
    ///
    /// # Errors
    /// The fault where they differ, and the error of any of them.
    pub fn agree<'r, T: PartialEq, E: From<PathFault>>(
        &'r self,
        mut judge: impl FnMut(Reading<'r>) -> Result<T, E>,
    ) -> Result<T, E> {
        let answer = judge(self.first())?;
        if let Some((closure, oddity)) = &self.others {
            for other in &closure.readings {
                if judge(Reading::decoded(other))? != answer {
                    return Err(E::from(*oddity));
                }
            }
        }
        Ok(answer)
    }

    /// Every reading, to be shown; the first as the path is split and decoded once.
    pub fn iter(&self) -> impl Iterator<Item = Reading<'_>> {
        let first = self.first();
        let others = self
            .others
            .iter()
            .flat_map(|(closure, _)| &closure.readings);
        let others = others.map(|other| Reading::decoded(other));
        std::iter::once(first).chain(others.filter(move |other| *other != first))
    }

    /// What some upstream takes for the query, or for a part of it, although it stands in the path: undecoded or decoded
    /// as that upstream would have it.
    pub fn queries(&self) -> impl Iterator<Item = Vec<u8>> {
        self.others
            .iter()
            .flat_map(|(closure, _)| closure.queries())
    }

    /// Whether some upstream takes a part of the path for the host of the request.
    pub fn name_host(&self) -> bool {
        let closure = self.others.as_ref().map(|(closure, _)| closure);
        closure.is_some_and(|closure| closure.names_host)
    }

    /// The readings of routers that compare the path as it was sent, where an unreserved character is escaped in it: they
    /// differ only in what is a literal to them, and what a parameter ([`Reading::is_as_sent`]).
    pub fn as_sent(&self) -> impl Iterator<Item = Reading<'_>> {
        self.as_sent.iter().map(|text| Reading::decoded(text))
    }

    /// Every reading that some server makes, also those that differ only in which rule they fall under.
    pub fn of_any_server(&self) -> impl Iterator<Item = Reading<'_>> {
        let readings = self.iter();
        let all = readings.flat_map(|reading| [Some(reading), reading.without_last_dots()]);
        all.flatten().chain(self.as_sent())
    }

    fn first(&self) -> Reading<'_> {
        match &self.first {
            First::NoPath => Reading::NO_PATH,
            First::AsSent(path) => Reading::as_sent(path),
            First::Decoded(text) => Reading::decoded(text),
        }
    }
}

/// What one pass over the bytes of a target shows of its path.
struct Scan {
    /// Where the query begins.
    length: usize,
    has_escapes: bool,
    /// Whether there are several readings even without any escape.
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

/// Which bytes of a path are merely themselves. An index out of range would not compile.
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
