//! One reading of a path: its decoded segments.

use crate::grammar::octet_of_digits;
use crate::grammar::unprintable::is_invisible;
use crate::reject::PathFault;

/// The separator before each segment of a decoded text. A path with an encoded NUL is denied, so that no segment holds
/// it.
pub(super) const SEPARATOR: u8 = b'\0';

/// The mark before a segment that some routers compare as sent. A path with an encoded control character is denied, so
/// that no other segment holds it.
pub(super) const AS_SENT: char = '\u{1}';

/// The same, before a segment whose last colon is escaped. A colon is a reserved character, so that an upstream that knows
/// verbs serves another resource for it (RFC 3986 §2.2).
pub(super) const COLON_AS_SENT: char = '\u{2}';

/// One reading of a path: a view of its decoded segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'r> {
    /// The segments, with a separator before each. None if the target is not a path.
    text: Option<&'r str>,
    separator: u8,
}

impl<'r> Reading<'r> {
    /// A target that is not a path: that of CONNECT, or `*` of OPTIONS (RFC 9110 §7.1). No pattern matches it.
    pub(super) const NO_PATH: Self = Self {
        text: None,
        separator: b'/',
    };

    /// The reading of a path as sent that has nothing to decode.
    pub(super) fn as_sent(path: &'r str) -> Self {
        Self {
            text: Some(path.strip_suffix('/').unwrap_or(path)),
            separator: b'/',
        }
    }

    /// The reading of a decoded path, with [`SEPARATOR`] before each segment and none after the last.
    pub(super) fn decoded(text: &'r str) -> Self {
        Self {
            text: Some(text),
            separator: SEPARATOR,
        }
    }

    /// Whether the target is a path.
    pub fn is_path(self) -> bool {
        self.text.is_some()
    }

    /// The decoded segments. `/` has none, and a slash at the end adds none.
    pub fn segments(self) -> impl Iterator<Item = &'r str> {
        // A separator comes before the first segment.
        let mut rest = self.text.and_then(|text| text.get(1..));
        // This loop over bytes is faster than `str::find`, which is made for long texts.
        std::iter::from_fn(move || {
            let text = rest?;
            let end = text.bytes().position(|byte| byte == self.separator);
            let (segment, after) = match end {
                Some(end) => (text.get(..end), text.get(end + 1..)),
                None => (Some(text), None),
            };
            rest = after;
            segment
        })
    }

    /// The reading of servers that drop dots and spaces at the end of a path, as Windows and Caddy do. None if there
    /// are none.
    #[inline]
    pub fn without_last_dots(self) -> Option<Self> {
        let text = self.text.filter(|text| text.ends_with(['.', ' ']))?;
        let ends = [char::from(self.separator), '.', ' '];
        Some(Self {
            text: Some(text.trim_end_matches(ends)),
            ..self
        })
    }

    /// The value that a parameter has bound, and whether it is one that a router compares as sent.
    pub fn of_router(value: &str) -> (&str, bool) {
        let sent = value.strip_prefix([AS_SENT, COLON_AS_SENT]);
        (sent.unwrap_or(value), sent.is_some())
    }

    /// Whether the last colon of a segment is escaped, in a reading of a router that compares the path as sent.
    pub fn has_escaped_colon(self) -> bool {
        self.text.is_some_and(|text| text.contains(COLON_AS_SENT))
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

    /// Why another upstream could read this path differently.
    pub(super) fn oddity(self) -> Option<PathFault> {
        self.segments().find_map(oddity)
    }
}

/// Why another upstream could read this decoded segment differently.
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

/// Why a reading may not hold this character: upstreams handle it differently.
pub(super) fn forbidden(character: char) -> Option<PathFault> {
    match character {
        '#' => Some(PathFault::Fragment),
        _ if character.is_control() || is_invisible(character) => Some(PathFault::ControlCharacter),
        _ => None,
    }
}

/// The octet of a percent-escape (RFC 3986 §2.1), given the text after its `%`.
pub(super) fn octet_of_escape(after: &[u8]) -> Option<u8> {
    let [high, low, ..] = after else {
        return None;
    };
    octet_of_digits(*high, *low)
}
