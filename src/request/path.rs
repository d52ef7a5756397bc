//! The path of a request, as an upstream will read it, and the patterns that rules hold against it.
//!
//! A path is split at `/` and each segment percent-decoded once: that is its plain reading. Upstreams differ in what
//! they do beyond that, and a path that some of them would read otherwise is refused rather than guessed at:
//!
//! 1. an escape that is broken, or that is still there after decoding (`%2561`);
//! 2. a separator that is not one to everybody: `%2F`, `\`, `%5C`;
//! 3. an empty segment, which many merge away; one `/` at the end does not matter;
//! 4. a dot segment (RFC 3986 §5.2.4), also an encoded one;
//! 5. `;parameters`, which some drop before they match;
//! 6. a `#`, a control or format character, what is no UTF-8, and a byte that no URI has (RFC 3986 §2).
//!
//! The caveat: this is the path as it reaches the filter. What a later filter rewrites is not judged again.

use std::borrow::Cow;

use crate::reject::PathFault;

/// `target` up to its query.
pub fn without_query(target: &[u8]) -> &[u8] {
    let end = target
        .iter()
        .position(|byte| *byte == b'?')
        .unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

/// The plain reading of a target.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// A path: its decoded segments, none for `/`.
    Path(Vec<Cow<'a, str>>),
    /// No path: the target of CONNECT, or the `*` of OPTIONS (RFC 9110 §7.1). No pattern fits it.
    NoPath,
}

impl<'a> Reading<'a> {
    /// Reads the target of a request, query included.
    ///
    /// # Errors
    /// [`PathFault`] names what an upstream could read in another way.
    pub fn of_target(target: Option<&'a [u8]>) -> Result<Self, PathFault> {
        let target = match target {
            None | Some(b"*") => return Ok(Self::NoPath),
            Some(target) => target,
        };
        if target.contains(&b'#') {
            return Err(PathFault::Fragment);
        }
        let path = without_query(target)
            .strip_prefix(b"/")
            .ok_or(PathFault::NotAbsolute)?;
        Self::of_path(path)
    }

    fn of_path(path: &'a [u8]) -> Result<Self, PathFault> {
        let mut segments = Vec::with_capacity(8);
        let mut rest = path.split(|byte| *byte == b'/').peekable();
        while let Some(segment) = rest.next() {
            if segment.is_empty() && rest.peek().is_none() {
                break;
            }
            segments.push(decode_segment(segment)?);
        }
        Ok(Self::Path(segments))
    }
}

fn decode_segment(segment: &[u8]) -> Result<Cow<'_, str>, PathFault> {
    if segment.is_empty() {
        return Err(PathFault::EmptySegment);
    }
    if !segment.iter().all(u8::is_ascii_graphic) {
        return Err(PathFault::RawByte);
    }
    let decoded = if segment.contains(&b'%') {
        let bytes = percent_decode(segment)?;
        Cow::Owned(String::from_utf8(bytes).map_err(|_| PathFault::NotUtf8)?)
    } else {
        Cow::Borrowed(std::str::from_utf8(segment).map_err(|_| PathFault::NotUtf8)?)
    };
    match second_reading(&decoded) {
        Some(fault) => Err(fault),
        None => Ok(decoded),
    }
}

fn percent_decode(segment: &[u8]) -> Result<Vec<u8>, PathFault> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'%' {
            let high = bytes.next().copied().and_then(hex);
            let low = bytes.next().copied().and_then(hex);
            let (Some(high), Some(low)) = (high, low) else {
                return Err(PathFault::BrokenEscape);
            };
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    Ok(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Why another upstream could read this decoded segment as something else.
fn second_reading(segment: &str) -> Option<PathFault> {
    if segment == "." || segment == ".." {
        return Some(PathFault::DotSegment);
    }
    let mut characters = segment.chars();
    while let Some(character) = characters.next() {
        let fault = match character {
            '/' | '\\' => PathFault::EncodedSeparator,
            ';' => PathFault::Parameters,
            '#' => PathFault::Fragment,
            '%' if starts_with_two_hex_digits(characters.as_str()) => PathFault::DoubleEncoded,
            _ if character.is_control() || is_invisible(character) => PathFault::ControlCharacter,
            _ => continue,
        };
        return Some(fault);
    }
    None
}

fn starts_with_two_hex_digits(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().and_then(hex).is_some() && bytes.next().and_then(hex).is_some()
}

/// Unicode's format characters (category Cf) and the line and paragraph separators: they show nothing, and some
/// upstreams drop them.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{0600}'..='\u{0605}' | '\u{061c}' | '\u{06dd}' | '\u{070f}'
        | '\u{0890}'..='\u{0891}' | '\u{08e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// What a rule's `paths` entry fits: literal segments, `{name}` for one segment, `/**` at the end for any rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
    any_rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Parameter(Box<str>),
}

/// Why a text is no path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// A `*` that is not the final `/**`.
    #[error(
        "`*` has a meaning only as `/**` at the end; write `{{name}}` for one segment of any text"
    )]
    Wildcard,
    /// A brace that does not enclose a whole segment, or encloses no name.
    #[error("`{{name}}` stands for one whole segment, its name made of letters, digits and `_`")]
    Brace,
    /// The same parameter twice.
    #[error("the parameter `{{{0}}}` is bound twice")]
    BoundTwice(String),
    /// A text that no request's path can have once it is decoded.
    #[error("no request can have this path: {0}")]
    Unreachable(PathFault),
    /// A query.
    #[error("a path has no `?`; the query is never matched")]
    Query,
    /// A percent-escape.
    #[error("patterns are written decoded, without percent-escapes")]
    Escape,
}

impl Pattern {
    /// Parses a pattern; one trailing slash does not matter.
    ///
    /// # Errors
    /// [`PatternFault`].
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        let path = text.strip_prefix('/').ok_or(PatternFault::NotAbsolute)?;
        let (path, any_rest) = match path.strip_suffix("**") {
            Some("") => ("", true),
            Some(before) => (
                before.strip_suffix('/').ok_or(PatternFault::Wildcard)?,
                true,
            ),
            None => (path.strip_suffix('/').unwrap_or(path), false),
        };
        let mut pattern = Self {
            segments: Vec::new(),
            any_rest,
        };
        if path.is_empty() && !text.starts_with("//") {
            return Ok(pattern);
        }
        for segment in path.split('/') {
            let segment = Segment::parse(segment)?;
            if let Segment::Parameter(name) = &segment
                && pattern.parameters().any(|bound| bound == &**name)
            {
                return Err(PatternFault::BoundTwice(name.to_string()));
            }
            pattern.segments.push(segment);
        }
        Ok(pattern)
    }

    /// Whether the pattern fits a reading. Literals are compared case-sensitively (RFC 9110 §4.2.3).
    pub fn fits(&self, reading: &Reading<'_>) -> bool {
        let Reading::Path(segments) = reading else {
            return false;
        };
        let long_enough = segments.len() >= self.segments.len();
        long_enough
            && (self.any_rest || segments.len() == self.segments.len())
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(own, segment)| match own {
                    Segment::Literal(text) => **text == **segment,
                    Segment::Parameter(_) => true,
                })
    }

    /// The names that the pattern binds, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(&**name),
            Segment::Literal(_) => None,
        })
    }

    /// Whether every path that fits `other` fits this.
    pub fn covers(&self, other: &Self) -> bool {
        let lengths = if self.any_rest {
            other.segments.len() >= self.segments.len()
        } else {
            !other.any_rest && other.segments.len() == self.segments.len()
        };
        lengths
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|pair| match pair {
                    (Segment::Parameter(_), _) => true,
                    (Segment::Literal(own), Segment::Literal(text)) => own == text,
                    (Segment::Literal(_), Segment::Parameter(_)) => false,
                })
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternFault> {
        if let Some(name) = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            let named = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if named {
                Ok(Self::Parameter(name.into()))
            } else {
                Err(PatternFault::Brace)
            };
        }
        if text.contains(['{', '}']) {
            return Err(PatternFault::Brace);
        }
        if text.contains('*') {
            return Err(PatternFault::Wildcard);
        }
        if text.contains('?') {
            return Err(PatternFault::Query);
        }
        if text.is_empty() {
            return Err(PatternFault::Unreachable(PathFault::EmptySegment));
        }
        match second_reading(text) {
            Some(PathFault::DoubleEncoded) => Err(PatternFault::Escape),
            Some(fault) => Err(PatternFault::Unreachable(fault)),
            None => Ok(Self::Literal(text.into())),
        }
    }
}

#[cfg(test)]
mod tests;
