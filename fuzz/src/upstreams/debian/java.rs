//! Java: Tomcat, Jetty and Spring.

use super::super::{Read, Reading, Segment, before, merged_slashes, text, without_parameters};
use super::{decode, is_above_root, latin_1, parts, resolved, split};

pub const MODELS: &[(&str, Read)] = &[
    ("tomcat 10", tomcat),
    ("jetty 9", |target| {
        let path = jetty(target)?;
        Some(Reading::new(path.split('/').skip(1).map(Segment::plain)))
    }),
    ("spring 4 on jetty 9", spring),
];

/// Parameters are removed, the rest is decoded, then dot segments are resolved.
fn tomcat(target: &str) -> Option<Reading> {
    if target.contains(['"', '#', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        return None;
    }
    let path = without_parameters(before(target, &['?']));
    if path.contains(['[', ']']) || path.to_ascii_lowercase().contains("%2f") {
        return None;
    }
    let path = decode(&path)?;
    if path.contains(&0) || path.contains(&b'\\') || is_above_root(&path) {
        return None;
    }
    let ends_with_dots = parts(&path)
        .last()
        .is_some_and(|last| matches!(last, b"." | b".."));
    let mut path = resolved(&path);
    if ends_with_dots && path.len() > 1 {
        path.pop();
    }
    std::str::from_utf8(&path).ok()?;
    Some(split(&path, text))
}

/// Parameters are removed while the path is decoded. Dot segments are resolved after that, and slashes stay.
fn jetty(target: &str) -> Option<String> {
    let path = before(target, &['?', '#']);
    let is_ambiguous = |part: &str| {
        let name = before(part, &[';']);
        let decoded = name.to_ascii_lowercase().replace("%2e", ".");
        name.len() < part.len() && matches!(&*decoded, "." | "..")
    };
    if path.split('/').any(is_ambiguous) {
        return None;
    }
    let mut decoded = Vec::new();
    let mut rest = path.as_bytes();
    while let Some(first) = rest.first() {
        if *first == b';' {
            let end = rest.iter().position(|byte| *byte == b'/');
            rest = &rest[end.unwrap_or(rest.len())..];
        } else if let [b'%', b'u', digits @ ..] = rest {
            let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
            let unit = u32::from_str_radix(digits, 16).ok()?;
            let mut bytes = [0; 4];
            decoded.extend_from_slice(char::from_u32(unit)?.encode_utf8(&mut bytes).as_bytes());
            rest = &rest[6..];
        } else if *first == b'%' {
            let [_, high, low, after @ ..] = rest else {
                return None;
            };
            decoded.push(16 * digit(*high)? + digit(*low)?);
            rest = after;
        } else {
            decoded.push(*first);
            rest = &rest[1..];
        }
    }
    let path = String::from_utf8(decoded).unwrap_or_else(|error| latin_1(error.as_bytes()));
    if path.contains('\0') {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." => {}
            ".." => drop(kept.pop()?),
            _ => kept.push(part),
        }
        if is_last && matches!(part, "." | "..") {
            kept.push("");
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// Jetty reads some other characters as digits, too.
fn digit(byte: u8) -> Option<u8> {
    let value = (byte & 0x1f) + (byte >> 6) * 0x19;
    value.checked_sub(0x10).filter(|value| *value < 16)
}

/// Empty segments are ignored. The text after the last dot is a suffix, which is ignored too.
fn spring(target: &str) -> Option<Reading> {
    let path = jetty(target)?;
    let raw = decode(without_parameters(before(target, &['?', '#'])))?;
    // The rest of the raw path after Jetty's is read as the path.
    let raw = merged_slashes(&latin_1(&raw));
    let behind = raw.strip_prefix(&path);
    if behind.is_some_and(|behind| !behind.is_empty()) {
        return None;
    }
    let mut segments: Vec<Segment> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(matched)
        .collect();
    let mut has_suffix = false;
    if let Some(last) = segments.last_mut()
        && !path.ends_with('/')
        && let Some((name, _)) = last.literal.rsplit_once('.')
    {
        has_suffix = true;
        let name = name.to_owned();
        last.bound = last.bound.take().map(|_| name);
        last.literal = before(&last.literal, &['.']).to_owned();
    }
    Some(Reading::new(segments).left_to_operator(has_suffix))
}

/// No parameter matches the end of a line.
fn matched(part: &str) -> Segment {
    let ends_line = part.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    Segment {
        literal: part.to_owned(),
        bound: (!ends_line).then(|| part.to_owned()),
    }
}
