//! All readings of a request's path.

use super::closure;
use super::reading::{Reading, octet_of_escape};
use super::without_query;
use crate::reject::PathFault;

/// All readings of a request's path: of most there is one.
///
/// There is no way to ask one of several alone: [`agree`](Self::agree) asks them all.
#[derive(Debug)]
pub struct Readings<'a> {
    first: Reading<'a>,
    /// The others, and what they come from.
    others: Option<(Vec<Reading<'a>>, PathFault)>,
}

impl<'a> Readings<'a> {
    /// Reads the target of a request, query included.
    ///
    /// # Errors
    /// [`PathFault`] names what no reading can be relied on for.
    pub fn of_target(target: Option<&'a [u8]>) -> Result<Self, PathFault> {
        let target = match target {
            None | Some(b"*") => return Ok(Self::only(Reading::NO_PATH)),
            Some(target) => target,
        };
        let path = without_query(target);
        if target.iter().skip(path.len()).any(|byte| *byte == b'#') {
            return Err(PathFault::Fragment);
        }
        let scan = Scan::of(path)?;
        let path = std::str::from_utf8(path).map_err(|_| PathFault::RawByte)?;
        if !scan.has_escapes && !scan.is_odd {
            return Ok(Self::only(Reading::as_sent(path)));
        }
        let first = Reading::decoded(closure::first(path)?);
        match first.oddity() {
            None => Ok(Self::only(first)),
            Some(oddity) => {
                let mut others = closure::of(path)?;
                others.retain(|other| *other != first);
                Ok(Self {
                    first,
                    others: Some((others, oddity)),
                })
            }
        }
    }

    fn only(first: Reading<'a>) -> Self {
        let others = None;
        Self { first, others }
    }

    /// Whether there is one reading only, so that what is said of the path is true for every upstream.
    pub fn is_plain(&self) -> bool {
        self.others.is_none()
    }

    /// The one reading that there is.
    ///
    /// # Errors
    /// The fault, where there are several.
    pub fn plain(&self) -> Result<&Reading<'a>, PathFault> {
        match &self.others {
            None => Ok(&self.first),
            Some((_, oddity)) => Err(*oddity),
        }
    }

    /// The answer that all readings agree on.
    ///
    /// # Errors
    /// The fault where they differ, and the error of any of them.
    pub fn agree<'r, T: PartialEq, E: From<PathFault>>(
        &'r self,
        mut judge: impl FnMut(&'r Reading<'a>) -> Result<T, E>,
    ) -> Result<T, E> {
        let answer = judge(&self.first)?;
        if let Some((others, oddity)) = &self.others {
            for other in others {
                if judge(other)? != answer {
                    return Err(E::from(*oddity));
                }
            }
        }
        Ok(answer)
    }

    /// Every reading, to be shown; the first as the path is split and decoded once.
    pub fn iter(&self) -> impl Iterator<Item = &Reading<'a>> {
        let others = self.others.iter().flat_map(|(others, _)| others);
        std::iter::once(&self.first).chain(others)
    }
}

/// What one pass over the bytes of a path shows.
struct Scan {
    has_escapes: bool,
    /// Whether there are several readings even without any escape.
    is_odd: bool,
}

impl Scan {
    fn of(path: &[u8]) -> Result<Self, PathFault> {
        let mut bytes = path.iter();
        if bytes.next() != Some(&b'/') {
            return Err(PathFault::NotAbsolute);
        }
        let mut scan = Self {
            has_escapes: false,
            is_odd: false,
        };
        let mut length = 0_usize;
        let mut dots = 0_usize;
        let is_dot_segment = |length: usize, dots: usize| matches!(length, 1 | 2) && dots == length;
        while let Some(&byte) = bytes.next() {
            length += 1;
            match byte {
                b'/' => {
                    scan.is_odd |= length == 1 || is_dot_segment(length - 1, dots);
                    length = 0;
                    dots = 0;
                }
                b'.' => dots += 1,
                b'\\' | b';' => scan.is_odd = true,
                b'%' if octet_of_escape(bytes.as_slice()).is_some() => scan.has_escapes = true,
                b'%' => return Err(PathFault::BrokenEscape),
                b'#' => return Err(PathFault::Fragment),
                _ if byte.is_ascii_graphic() => {}
                _ => return Err(PathFault::RawByte),
            }
        }
        scan.is_odd |= is_dot_segment(length, dots);
        Ok(scan)
    }
}
