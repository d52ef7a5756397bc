//! Ruby: Puma with several frameworks, and WEBrick.

use super::super::{Read, Reading, Segment, before, decoded, merged_slashes, octet, text};
use super::{decode, is_above_root, parts, resolved, split};

pub const MODELS: &[(&str, Read)] = &[
    ("puma, rack", |target| {
        let path = puma(target)?.trim_start_matches('/');
        Some(Reading::new(path.split('/').map(Segment::plain)).encoded())
    }),
    ("puma, sinatra", sinatra),
    ("puma, rails", rails),
    ("webrick", webrick),
];

/// The path that Puma parses.
fn puma(target: &str) -> Option<&str> {
    let is_valid = !target.contains(['"', '<', '>']);
    is_valid.then(|| before(target, &['?', '#']))
}

/// Some characters are decoded, then dot segments are resolved. Literals match decoded.
fn sinatra(target: &str) -> Option<Reading> {
    let mut path = puma(target)?.to_owned();
    for (escape, character) in [("%2e", "."), ("%2f", "/"), ("%5c", "/")] {
        path = path.replace(escape, character);
        path = path.replace(&escape.to_ascii_uppercase(), character);
    }
    path = path.replace("%2F", "/").replace('\\', "/");
    let path = resolved(path.as_bytes());
    Some(Reading::new(
        parts(&path).map(|part| Segment::plain(&text(&decoded(part)))),
    ))
}

/// Slashes are merged, and one at the end is removed. Below `/users`, a format ends the last segment.
fn rails(target: &str) -> Option<Reading> {
    let path = merged_slashes(puma(target)?);
    let path = path.strip_suffix('/').unwrap_or(&path);
    let mut segments = Vec::new();
    let mut has_format = false;
    let mut rest = path.split('/').skip(1).peekable();
    let is_formatted = rest.peek() == Some(&"users");
    while let Some(part) = rest.next() {
        let is_last = rest.peek().is_none();
        let (name, format) = match part.split_once('.') {
            Some((name, format)) if is_formatted => (name, Some(format)),
            _ => (part, None),
        };
        if format.is_some_and(|format| !is_last || format.is_empty() || format.contains('.')) {
            return None;
        }
        has_format |= format.is_some();
        let bound = String::from_utf8(unescaped(name.as_bytes())).ok()?;
        String::from_utf8(unescaped(format.unwrap_or_default().as_bytes())).ok()?;
        segments.push(Segment::new(name, Some(bound)));
    }
    Some(Reading::new(segments).left_to_operator(has_format))
}

/// Any two letters or digits are an escape. The value is that of the digits at the beginning.
fn unescaped(mut bytes: &[u8]) -> Vec<u8> {
    let mut unescaped = Vec::new();
    while let Some(first) = bytes.first() {
        match bytes {
            [b'%', high, low, rest @ ..]
                if high.is_ascii_alphanumeric() && low.is_ascii_alphanumeric() =>
            {
                let value = octet(bytes)
                    .or_else(|| octet(&[b'%', b'0', *high]))
                    .unwrap_or_default();
                unescaped.push(value);
                bytes = rest;
            }
            _ => {
                unescaped.push(*first);
                bytes = &bytes[1..];
            }
        }
    }
    unescaped
}

/// The characters of a URI.
fn webrick(target: &str) -> Option<Reading> {
    let path = before(target, &['?', '#']);
    if path.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}', '[', ']']) {
        return None;
    }
    let path = decode(path)?;
    (!is_above_root(&path)).then(|| split(&resolved(&path), text))
}
