//! One reading of a path: its segments, decoded.

use std::borrow::Cow;

use crate::reject::PathFault;
use crate::request::unprintable::is_invisible;

/// Stands before each segment of a decoded text: no reading holds it otherwise, since NUL is refused.
pub(super) const SEPARATOR: char = '\0';

/// One reading of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Each segment with a separator before it; none where the target is no path.
    text: Option<Cow<'a, str>>,
    separator: char,
}

impl<'a> Reading<'a> {
    /// No path: the target of CONNECT, or the `*` of OPTIONS (RFC 9110 §7.1). No pattern fits it.
    pub(super) const NO_PATH: Self = Self {
        text: None,
        separator: '/',
    };

    /// A path in which nothing has to be decoded.
    pub(super) fn as_sent(path: &'a str) -> Self {
        Self {
            text: Some(Cow::Borrowed(path.strip_suffix('/').unwrap_or(path))),
            separator: '/',
        }
    }

    /// A decoded path, [`SEPARATOR`] before each segment.
    pub(super) fn decoded(mut text: String) -> Self {
        if text.ends_with(SEPARATOR) {
            text.pop();
        }
        Self {
            text: Some(Cow::Owned(text)),
            separator: SEPARATOR,
        }
    }

    /// Whether it is a path at all.
    pub fn is_path(&self) -> bool {
        self.text.is_some()
    }

    /// The decoded segments: none for `/`, and for what is no path. One slash at the end adds none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let text = self.text.as_deref().unwrap_or_default();
        // Not by the character alone, which sets out to search long texts.
        text.split([self.separator]).skip(1)
    }

    /// The decoded path, without a slash at its end.
    pub fn joined(&self) -> String {
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
    pub(super) fn oddity(&self) -> Option<PathFault> {
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
    while let Some(&byte) = bytes.next() {
        let fault = match byte {
            b'/' | b'\\' => PathFault::EncodedSeparator,
            b';' => PathFault::Parameters,
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

/// What no segment of any reading may hold: nobody agrees on what becomes of it.
pub(super) fn forbidden(segment: &str) -> Option<PathFault> {
    segment.chars().find_map(|character| match character {
        '#' => Some(PathFault::Fragment),
        _ if character.is_control() || is_invisible(character) => Some(PathFault::ControlCharacter),
        _ => None,
    })
}

/// The octet of a percent-escape (RFC 3986 §2.1), of which this is what follows the `%`.
pub(super) fn octet_of_escape(after: &[u8]) -> Option<u8> {
    let [high, low, ..] = after else {
        return None;
    };
    Some(hex(*high)? << 4 | hex(*low)?)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}
