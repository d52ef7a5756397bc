//! A path as a text of symbols, for the steps of the closure.
//!
//! An escape is one symbol, and so is a long run of bytes that no step changes. So an ordinary path of 2,000 bytes with
//! one unusual feature has only some hundred symbols, and the cost of a step depends on the unusual features.

use std::ops::Range;

use super::super::reading::octet_of_escape;
use crate::reject::PathFault;

/// A byte; from [`FIRST_ESCAPE`] on, the escape of a byte; from [`FIRST_RUN`] on, the number of a run.
pub(super) type Symbol = u16;

/// The separator before each segment. A path with an encoded NUL is denied, so that no segment holds it.
pub(super) const SEPARATOR: Symbol = 0;

const FIRST_ESCAPE: Symbol = 256;
const FIRST_RUN: Symbol = 512;

/// The escape of a slash.
pub(super) const ESCAPED_SLASH: Symbol = FIRST_ESCAPE + b'/' as Symbol;

/// A decoded slash that no step changes: the run 0, which is the slash at the beginning of the path.
pub(super) const KEPT_SLASH: Symbol = FIRST_RUN;

/// The runs of a path, by number.
#[derive(Debug, Clone)]
pub(super) struct Runs<'p> {
    path: &'p [u8],
    runs: Vec<Range<usize>>,
}

impl<'p> Runs<'p> {
    /// Appends the symbols of a path, split at `/`, to a text.
    ///
    /// # Errors
    /// [`PathFault::TooManyReadings`] if the path has more runs than there are numbers.
    pub(super) fn of(path: &'p str, text: &mut Vec<Symbol>) -> Result<Self, PathFault> {
        let path = path.as_bytes();
        // The run 0 is a slash, for `KEPT_SLASH`.
        let slash = 0..1;
        let mut runs = vec![slash];
        // When an escaped `%` is decoded, the two digits after it can form an escape with it.
        let mut follows_percent = false;
        let mut place = 0;
        while let Some(byte) = path.get(place) {
            let rest = path.get(place..).unwrap_or_default();
            let length = match byte {
                b'%' => {
                    let octet = rest.get(1..).and_then(octet_of_escape);
                    let octet = octet.ok_or(PathFault::BrokenEscape)?;
                    follows_percent = octet == b'%' || follows_percent && octet.is_ascii_hexdigit();
                    text.push(FIRST_ESCAPE + Symbol::from(octet));
                    place += 3;
                    continue;
                }
                _ if is_looked_at(*byte) => {
                    follows_percent = false;
                    1
                }
                _ if follows_percent && byte.is_ascii_hexdigit() => 1,
                _ => {
                    follows_percent = false;
                    rest.iter()
                        .position(|byte| is_looked_at(*byte))
                        .unwrap_or(rest.len())
                }
            };
            let bytes = rest.get(..length).unwrap_or(rest);
            place += bytes.len();
            // Dots may be a dot segment, or become a part of one.
            if bytes.len() == 1 || bytes.iter().all(|byte| *byte == b'.') {
                text.extend(bytes.iter().map(|byte| match byte {
                    b'/' => SEPARATOR,
                    byte => Symbol::from(*byte),
                }));
            } else {
                let number = Symbol::try_from(runs.len()).ok();
                let symbol = number.and_then(|number| FIRST_RUN.checked_add(number));
                text.push(symbol.ok_or(PathFault::TooManyReadings)?);
                runs.push(place - bytes.len()..place);
            }
        }
        Ok(Self { path, runs })
    }

    /// The path as sent.
    pub(super) fn path(&self) -> &'p [u8] {
        self.path
    }

    /// The bytes that the symbols represent.
    pub(super) fn bytes_of(&self, symbols: &[Symbol]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.path.len());
        for symbol in symbols {
            if let Some(number) = symbol.checked_sub(FIRST_RUN) {
                let run = self.runs.get(usize::from(number));
                let run = run.and_then(|run| self.path.get(run.clone()));
                bytes.extend_from_slice(run.unwrap_or_default());
            } else if let Some(octet) = escaped(*symbol) {
                let digit = |value: u8| b"0123456789ABCDEF".get(usize::from(value)).copied();
                bytes.push(b'%');
                bytes.extend([octet >> 4, octet & 15].into_iter().filter_map(digit));
            } else {
                bytes.push(*symbol as u8);
            }
        }
        bytes
    }
}

/// Whether some step acts on this byte of a path. Steps act on dots only where a segment consists of them.
fn is_looked_at(byte: u8) -> bool {
    byte == b'/' || OF_BYTES.get(usize::from(byte)) != Some(&Marks::NONE)
}

/// The octet that a symbol is the escape of.
fn escaped(symbol: Symbol) -> Option<u8> {
    let octet = symbol.checked_sub(FIRST_ESCAPE)?;
    u8::try_from(octet).ok()
}

/// The octet of the escape at the beginning of a text, and the text after the escape. A decoded `%` and two digits form
/// an escape too.
pub(super) fn escape(text: &[Symbol]) -> Option<(u8, &[Symbol])> {
    const PERCENT: Symbol = b'%' as Symbol;
    match text {
        [PERCENT, high, low, rest @ ..] => {
            let digits = [u8::try_from(*high).ok()?, u8::try_from(*low).ok()?];
            Some((octet_of_escape(&digits)?, rest))
        }
        [symbol, rest @ ..] => Some((escaped(*symbol)?, rest)),
        [] => None,
    }
}

/// Whether the last colon of a segment is escaped.
pub(super) fn ends_in_escaped_colon(segment: &[Symbol]) -> bool {
    const COLON: Symbol = b':' as Symbol;
    let is_colon = |symbol: &&Symbol| [COLON, FIRST_ESCAPE + COLON].contains(*symbol);
    segment.iter().rev().find(is_colon) == Some(&(FIRST_ESCAPE + COLON))
}

/// The marks of a text, which show the steps that would change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    /// A percent-escape.
    pub(super) const ESCAPE: Self = Self(1);
    /// A percent-escape of an unreserved character (RFC 3986 §2.3).
    pub(super) const UNRESERVED_ESCAPE: Self = Self(1 << 1);
    /// A percent-escape of a slash or backslash.
    pub(super) const SLASH_ESCAPE: Self = Self(1 << 2);
    /// A slash that is not a separator.
    pub(super) const SLASH: Self = Self(1 << 3);
    /// A backslash.
    pub(super) const BACKSLASH: Self = Self(1 << 4);
    /// A semicolon.
    pub(super) const SEMICOLON: Self = Self(1 << 5);
    /// A question mark.
    pub(super) const QUESTION_MARK: Self = Self(1 << 6);
    /// An empty segment that is not the last.
    pub(super) const EMPTY_SEGMENT: Self = Self(1 << 7);
    /// An empty segment at the beginning, with another segment after it.
    pub(super) const AUTHORITY: Self = Self(1 << 8);
    /// A dot segment.
    pub(super) const DOT_SEGMENT: Self = Self(1 << 9);
    /// A percent-escape of a colon.
    pub(super) const COLON_ESCAPE: Self = Self(1 << 13);
    /// An `@`, which ends user information in an authority, or a `:`, which begins a verb. No step changes them.
    const LOOKED_AT: Self = Self(1 << 12);
    const BEGINS_SEGMENT: Self = Self(1 << 10);
    const BEGINS_ESCAPE: Self = Self(1 << 11);
    /// No mark: no step changes the text.
    pub(super) const NONE: Self = Self(0);

    const fn of_byte(byte: u8) -> Self {
        match byte {
            b'\0' => Self::BEGINS_SEGMENT,
            b'%' => Self::BEGINS_ESCAPE,
            b'/' => Self::SLASH,
            b'\\' => Self::BACKSLASH,
            b';' => Self::SEMICOLON,
            b'?' => Self::QUESTION_MARK,
            b'@' | b':' => Self::LOOKED_AT,
            _ => Self::NONE,
        }
    }

    /// The marks of a text.
    pub(super) fn of(text: &[Symbol]) -> Self {
        let mut marks = Self::NONE;
        for (place, symbol) in text.iter().enumerate() {
            let here = || text.get(place..).unwrap_or_default();
            let Some(of_symbol) = OF_BYTES.get(usize::from(*symbol)) else {
                if *symbol < FIRST_RUN {
                    marks.0 |= Self::of_escape(here()).0;
                }
                continue;
            };
            marks.0 |= of_symbol.0;
            if of_symbol.has(Self::BEGINS_SEGMENT) {
                marks.0 |= Self::of_segment(here().get(1..).unwrap_or_default()).0;
            } else if of_symbol.has(Self::BEGINS_ESCAPE) {
                marks.0 |= Self::of_escape(here()).0;
            }
        }
        if text.starts_with(&[SEPARATOR, SEPARATOR]) {
            marks.0 |= Self::AUTHORITY.0;
        }
        Self(marks.0 & !(Self::BEGINS_SEGMENT.0 | Self::BEGINS_ESCAPE.0 | Self::LOOKED_AT.0))
    }

    /// The marks of the segment at the beginning of a text.
    fn of_segment(text: &[Symbol]) -> Self {
        const DOT: Symbol = b'.' as Symbol;
        match text {
            [] => Self::NONE,
            [SEPARATOR, ..] => Self::EMPTY_SEGMENT,
            [other, ..] if *other != DOT => Self::NONE,
            [DOT] | [DOT, SEPARATOR, ..] | [DOT, DOT] | [DOT, DOT, SEPARATOR, ..] => {
                Self::DOT_SEGMENT
            }
            _ => Self::NONE,
        }
    }

    fn of_escape(text: &[Symbol]) -> Self {
        match escape(text) {
            None => Self::NONE,
            Some((octet, _)) if is_unreserved(octet) => {
                Self(Self::ESCAPE.0 | Self::UNRESERVED_ESCAPE.0)
            }
            Some((octet, _)) if is_slash(octet) => Self(Self::ESCAPE.0 | Self::SLASH_ESCAPE.0),
            Some((b':', _)) => Self(Self::ESCAPE.0 | Self::COLON_ESCAPE.0),
            Some(_) => Self::ESCAPE,
        }
    }

    /// Whether one of the marks `other` is set.
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The mark of each byte. A wrong index would not compile.
#[allow(clippy::indexing_slicing)]
const OF_BYTES: [Marks; 256] = {
    let mut of_bytes = [Marks::NONE; 256];
    let mut byte = 0;
    while byte < of_bytes.len() {
        of_bytes[byte] = Marks::of_byte(byte as u8);
        byte += 1;
    }
    of_bytes
};

/// Whether an octet is an unreserved character (RFC 3986 §2.3).
pub(super) fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Whether an octet is a slash or a backslash.
pub(super) fn is_slash(octet: u8) -> bool {
    matches!(octet, b'/' | b'\\')
}
