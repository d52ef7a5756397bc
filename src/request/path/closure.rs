//! What upstreams make of a path, each in its own order.
//!
//! An upstream is taken for a row of steps, of these, each over the whole path:
//!
//! 1. percent-escapes are decoded, once or again: all of them, those of unreserved characters (RFC 3986 §6.2.2.2), or
//!    those of slashes and backslashes;
//! 2. a slash that was encoded separates;
//! 3. a backslash separates, also an encoded one after 1;
//! 4. empty segments are merged away;
//! 5. dot segments are resolved (RFC 3986 §5.2.4);
//! 6. parameters are dropped: what stands in a segment from `;` on.
//!
//! The closure of the path as sent under them holds what every such row leads to: whatever their order and however
//! often each is taken, also before the first decoding, so that an upstream is covered that drops `;x` and keeps `%3Bx`.
//! A text in which an escape of the path as sent still stands is no reading, but a step on the way to some.

use super::reading::{Reading, SEPARATOR, forbidden, is_dot_segment, octet_of_escape};
use crate::reject::PathFault;

/// How many texts a closure may have. One oddity makes a handful, and three or four make some ten to forty.
const MOST_TEXTS: usize = 64;
/// How many bytes they may have together, which bounds the work: no path that is that long and odd is meant well.
const MOST_BYTES: usize = 64 * 1024;

/// The first reading of a path whose escapes are whole: split at `/`, decoded once.
///
/// # Errors
/// What no reading may hold.
pub(super) fn first(path: &str) -> Result<String, PathFault> {
    decode(&split(path))
}

/// All readings of such a path.
///
/// # Errors
/// What no reading may hold, or that there are too many.
pub(super) fn of(path: &str) -> Result<Vec<Reading<'static>>, PathFault> {
    let mut texts = Texts::default();
    texts.add(Text {
        is_reading: !has_escape(path),
        text: split(path),
    })?;
    let mut next = 0;
    while let Some(text) = texts.known.get(next) {
        for further in text.steps()? {
            texts.add(further)?;
        }
        next += 1;
    }
    let mut readings: Vec<Reading<'static>> = Vec::with_capacity(texts.known.len());
    for text in texts.known.into_iter().filter(|text| text.is_reading) {
        let reading = Reading::decoded(text.text);
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    Ok(readings)
}

#[derive(PartialEq, Eq)]
struct Text {
    /// [`SEPARATOR`] before each segment.
    text: String,
    /// Whether no escape of the path as sent still stands in it.
    is_reading: bool,
}

#[derive(Default)]
struct Texts {
    known: Vec<Text>,
    bytes: usize,
}

impl Texts {
    fn add(&mut self, text: Text) -> Result<(), PathFault> {
        if self.known.contains(&text) {
            return Ok(());
        }
        self.bytes += text.text.len();
        if self.known.len() == MOST_TEXTS || self.bytes > MOST_BYTES {
            return Err(PathFault::TooManyReadings);
        }
        self.known.push(text);
        Ok(())
    }
}

impl Text {
    /// What each step that changes something makes of it.
    fn steps(&self) -> Result<Vec<Self>, PathFault> {
        let mut further = Vec::new();
        if has_escape(&self.text) {
            further.push(Self {
                text: decode(&self.text)?,
                is_reading: true,
            });
        }
        let changed = [
            decode_some(&self.text, is_unreserved)?,
            decode_some(&self.text, |octet| matches!(octet, b'/' | b'\\'))?,
            separated_at(&self.text, '/'),
            separated_at(&self.text, '\\'),
            without_empty_segments(&self.text),
            without_dot_segments(&self.text),
            without_parameters(&self.text),
        ];
        further.extend(changed.into_iter().flatten().map(|text| Self {
            is_reading: self.is_reading || !has_escape(&text),
            text,
        }));
        Ok(further)
    }
}

fn split(path: &str) -> String {
    path.chars()
        .map(|character| match character {
            '/' => SEPARATOR,
            _ => character,
        })
        .collect()
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).skip(1)
}

fn joined<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    let mut text = String::new();
    for segment in segments {
        text.push(SEPARATOR);
        text.push_str(segment);
    }
    text
}

fn has_escape(text: &str) -> bool {
    let mut bytes = text.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'%' && octet_of_escape(bytes.as_slice()).is_some() {
            return true;
        }
    }
    false
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Every escape decoded once; a `%` that begins none is left.
fn decode(text: &str) -> Result<String, PathFault> {
    Ok(decode_some(text, |_| true)?.unwrap_or_else(|| text.to_owned()))
}

/// Every escape of these octets decoded once; none where there is none.
fn decode_some(text: &str, counts: impl Fn(u8) -> bool) -> Result<Option<String>, PathFault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        let octet = match byte {
            b'%' => octet_of_escape(bytes.as_slice()).filter(|octet| counts(*octet)),
            _ => None,
        };
        match octet {
            None => decoded.push(byte),
            // It would be taken for a separator.
            Some(0) => return Err(PathFault::ControlCharacter),
            Some(octet) => {
                decoded.push(octet);
                bytes.nth(1);
            }
        }
    }
    if decoded.len() == text.len() {
        return Ok(None);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PathFault::NotUtf8)?;
    let fault = segments(&decoded).find_map(forbidden);
    fault.map_or(Ok(Some(decoded)), Err)
}

fn separated_at(text: &str, separator: char) -> Option<String> {
    text.contains(separator).then(|| {
        text.chars()
            .map(|character| match character {
                _ if character == separator => SEPARATOR,
                _ => character,
            })
            .collect()
    })
}

/// One empty segment at the end is a slash at the end, which does not matter.
fn without_empty_segments(text: &str) -> Option<String> {
    text.contains("\0\0")
        .then(|| joined(segments(text).filter(|segment| !segment.is_empty())))
}

fn without_dot_segments(text: &str) -> Option<String> {
    if !segments(text).any(is_dot_segment) {
        return None;
    }
    let mut resolved = String::with_capacity(text.len());
    for segment in segments(text) {
        match segment {
            "." => {}
            ".." => resolved.truncate(resolved.rfind(SEPARATOR).unwrap_or_default()),
            _ => {
                resolved.push(SEPARATOR);
                resolved.push_str(segment);
            }
        }
    }
    Some(resolved)
}

fn without_parameters(text: &str) -> Option<String> {
    text.contains(';')
        .then(|| joined(segments(text).map(|segment| segment.split(';').next().unwrap_or(segment))))
}
