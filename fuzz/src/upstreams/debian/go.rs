//! Go's `net/http`, and routers for it.

use super::super::{Read, Reading, Segment, before, decoded};
use super::{decode, parts, split, split_with_empty_parameters};

pub const MODELS: &[(&str, Read)] = &[
    ("go, URL.Path", switch),
    ("go, URL.EscapedPath", escaped_path),
    ("go, ServeMux", redirected_if_unclean),
    ("go, gorilla", redirected_if_unclean),
    ("go, chi", |target| {
        let url = Url::parse(target)?;
        let path = clean(url.routed());
        let is_encoded = url.raw.is_some();
        Some(Reading {
            is_encoded,
            ..split(&path, text)
        })
    }),
    ("go, httprouter", |target| {
        Some(empty_before_slash(&Url::parse(target)?.path))
    }),
    ("go, gin", |target| {
        Some(empty_before_slash(&Url::parse(target)?.path))
    }),
    ("go, echo", |target| {
        let url = Url::parse(target)?;
        let is_encoded = url.raw.is_some();
        Some(Reading {
            is_encoded,
            ..empty_before_slash(url.routed())
        })
    }),
];

/// The URL that Go parses from a target.
struct Url<'t> {
    path: Vec<u8>,
    /// The path as sent, if encoding `path` results in another one.
    raw: Option<&'t str>,
}

impl<'t> Url<'t> {
    fn parse(target: &'t str) -> Option<Self> {
        let raw = before(target, &['?']);
        let path = decode(raw)?;
        let is_default = encoded(&path) == raw;
        let raw = (!is_default).then_some(raw);
        Some(Self { path, raw })
    }

    /// The path by which chi and echo route.
    fn routed(&self) -> &[u8] {
        self.raw.map_or(&self.path, str::as_bytes)
    }
}

/// Go shows each byte that is not UTF-8 as U+FFFD.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    text
}

fn encoded(path: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in path {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The program that splits the decoded path.
pub fn switch(target: &str) -> Option<Reading> {
    Some(switch_of(&Url::parse(target)?.path))
}

pub fn switch_of(path: &[u8]) -> Reading {
    split_with_empty_parameters(path, text)
}

/// Split before it is decoded. A path with characters that should have been escaped is escaped after it was decoded:
/// there, `%2F` separates as well.
fn escaped_path(target: &str) -> Option<Reading> {
    let raw = before(target, &['?']);
    let path = decode(raw)?;
    if raw.contains(['"', '#', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        return Some(switch_of(&path));
    }
    Some(Reading::new(parts(raw.as_bytes()).map(|part| {
        let part = text(&decoded(part));
        Segment {
            literal: part.clone(),
            bound: Some(part),
        }
    })))
}

/// `path.Clean`.
fn clean(path: &[u8]) -> Vec<u8> {
    let mut clean = super::resolved(path);
    if clean.len() > 1 && clean.ends_with(b"/") {
        clean.pop();
    }
    clean
}

/// A path that `path.Clean` would change leads to a redirect. A slash at the end does not matter to that.
fn redirected_if_unclean(target: &str) -> Option<Reading> {
    let path = Url::parse(target)?.path;
    let mut kept = clean(&path);
    if path.ends_with(b"/") && kept != b"/" {
        kept.push(b'/');
    }
    (kept == path).then(|| split(&path, text))
}

/// A parameter may be empty before a slash, not at the end.
fn empty_before_slash(path: &[u8]) -> Reading {
    let mut reading = switch_of(path);
    if let Some(last) = reading.segments.last_mut() {
        last.bound.take_if(|bound| bound.is_empty());
    }
    reading
}
