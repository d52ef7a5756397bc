//! One reading of a path: its segments, decoded.

use crate::grammar::octet_of_digits;
use crate::grammar::unprintable::is_invisible;
use crate::reject::PathFault;

/// Stands before each segment of a decoded text: no reading holds it otherwise, since NUL is refused.
pub(super) const SEPARATOR: u8 = b'\0';

/// Stands before a segment that some routers compare as it was sent. No reading holds it otherwise, since control
/// characters are refused.
pub(super) const AS_SENT: u8 = 1;

/// One reading of a path: a view of its decoded segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'r> {
    /// Each segment with a separator before it; none where the target is not a path.
    text: Option<&'r str>,
    separator: u8,
}

impl<'r> Reading<'r> {
    /// Not a path: the target of CONNECT, or the `*` of OPTIONS (RFC 9110 §7.1). No pattern matches it.
    pub(super) const NO_PATH: Self = Self {
        text: None,
        separator: b'/',
    };

    /// A path as it was sent, in which nothing has to be decoded.
    pub(super) fn as_sent(path: &'r str) -> Self {
        Self {
            text: Some(path.strip_suffix('/').unwrap_or(path)),
            separator: b'/',
        }
    }

    /// A decoded path, [`SEPARATOR`] before each segment and none after the last.
    pub(super) fn decoded(text: &'r str) -> Self {
        Self {
            text: Some(text),
            separator: SEPARATOR,
        }
    }

    /// Whether it is a path at all.
    pub fn is_path(self) -> bool {
        self.text.is_some()
    }

    /// The decoded segments: none for `/`, and for what is not a path. One slash at the end adds none.
    pub fn segments(self) -> impl Iterator<Item = &'r str> {
        let mut rest = self.text.filter(|text| !text.is_empty());
        // By bytes, since the searches for characters in texts set out to search long ones.
        let mut next = move || {
            let text = rest?;
            let end = text.bytes().position(|byte| byte == self.separator);
            let (segment, after) = match end {
                Some(end) => (text.get(..end), text.get(end + 1..)),
                None => (Some(text), None),
            };
            rest = after;
            segment
        };
        // Nothing stands before the first separator.
        next();
        std::iter::from_fn(next)
    }

    /// The reading of servers that drop dots and spaces at the end of a path, as Windows and Caddy do; none where none
    /// stand there.
    #[inline]
    pub fn without_last_dots(self) -> Option<Self> {
        let text = self.text.filter(|text| text.ends_with(['.', ' ']))?;
        let ends = [char::from(self.separator), '.', ' '];
        Some(Self {
            text: Some(text.trim_end_matches(ends)),
            ..self
        })
    }

    /// Whether this is a value that a router which compares the path as it was sent takes for a parameter.
    pub fn is_as_sent(value: &str) -> bool {
        value.as_bytes().first() == Some(&AS_SENT)
    }

    /// The decoded path, without a slash at its end.
    pub fn joined(self) -> String {
        let mut path = String::new();
        for segment in self.segments() {
            path.push('/');
            path.push_str(segment);
        }
        if path.is_empty() {
            path.push('/');
        }
        path
    }

    /// Why another upstream could read it in another way.
    pub(super) fn oddity(self) -> Option<PathFault> {
        self.segments().find_map(oddity)
    }
}

/// Why another upstream could read this decoded segment in another way.
pub(super) fn oddity(segment: &str) -> Option<PathFault> {
    if segment.is_empty() {
        return Some(PathFault::EmptySegment);
    }
    if is_dot_segment(segment) {
        return Some(PathFault::DotSegment);
    }
    let mut bytes = segment.as_bytes().iter();
    while let Some(byte) = bytes.next() {
        let fault = match byte {
            b'/' | b'\\' => PathFault::EncodedSeparator,
            b';' => PathFault::Parameters,
            b'?' => PathFault::EncodedQuery,
            b'%' if octet_of_escape(bytes.as_slice()).is_some() => PathFault::DoubleEncoded,
            _ => continue,
        };
        return Some(fault);
    }
    None
}

/// Whether a segment is `.` or `..` (RFC 3986 §5.2.4).
pub(super) fn is_dot_segment(segment: &str) -> bool {
    segment == "." || segment == ".."
}

/// Why no reading may hold this character: upstreams do not agree on what becomes of it.
pub(super) fn forbidden(character: char) -> Option<PathFault> {
    match character {
        '#' => Some(PathFault::Fragment),
        _ if character.is_control() || is_invisible(character) => Some(PathFault::ControlCharacter),
        _ => None,
    }
}

/// The octet of a percent-escape (RFC 3986 §2.1), of which this is what follows the `%`.
pub(super) fn octet_of_escape(after: &[u8]) -> Option<u8> {
    let [high, low, ..] = after else {
        return None;
    };
    octet_of_digits(*high, *low)
}
