//! Apache, and what it passes requests to.

use super::super::{Read, Reading, Segment, before, decoded, decoded_where, text};
use super::{
    decode, files, go, is_above_root, latin_1, parts, resolved, split_with_empty_parameters,
};

pub const MODELS: &[(&str, Read)] = &[
    ("apache, sections", sections),
    ("apache, files", |target| Some(files(&normalized(target)?))),
    ("mod_cgi", |target| {
        Some(split_with_empty_parameters(&normalized(target)?, latin_1))
    }),
    ("mod_wsgi", |target| {
        Some(split_with_empty_parameters(&normalized(target)?, latin_1))
    }),
    ("apache, ProxyPass", |target| {
        Some(go::switch_of(&normalized(target)?))
    }),
    ("apache, ProxyPass nocanon", nocanon),
    ("apache, RewriteRule to a proxy", |target| {
        // Apache rejects a question mark that a rule would make the beginning of a query.
        let path = normalized(target).filter(|path| !path.contains(&b'?'))?;
        Some(go::switch_of(&path))
    }),
];

/// The path that Apache reads in a target. `None` if it denies it.
pub fn normalized(target: &str) -> Option<Vec<u8>> {
    let is_valid = !target.contains('#');
    is_valid
        .then(|| normalized_bytes(before(target, &['?']).as_bytes()))
        .flatten()
}

fn normalized_bytes(path: &[u8]) -> Option<Vec<u8>> {
    let path = with_escapes(path)?;
    let has_slash = path
        .to_ascii_lowercase()
        .windows(3)
        .any(|part| part == b"%2f");
    let path = decoded(&path);
    (!has_slash && !path.contains(&0)).then_some(path)
}

/// The same for the target of an internal redirect, of which a fragment is removed.
pub fn normalized_again(target: &[u8]) -> Option<Vec<u8>> {
    let end = target.iter().position(|byte| *byte == b'#');
    normalized_bytes(&target[..end.unwrap_or(target.len())])
}

/// Unreserved characters are decoded, then slashes are merged and dot segments resolved.
fn with_escapes(path: &[u8]) -> Option<Vec<u8>> {
    decode(path)?;
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    let path = decoded_where(path, is_unreserved);
    (!is_above_root(&path)).then(|| resolved(&path))
}

/// Parameters are escaped in the header that shows them. A path that no section matches is a file.
fn sections(target: &str) -> Option<Reading> {
    let path = normalized(target)?;
    let mut reading =
        Reading::new(parts(&path).map(|part| Segment::new(&text(part), Some(escaped(part)))));
    if path == b"/users/" {
        // The sections read the file that Apache looks for in the folder as a user.
        reading.segments[1].bound = Some("index.html".to_owned());
    } else if path.starts_with(b"/users/") && reading.segments.len() == 3 {
        reading.segments.truncate(files(&path).segments.len());
    }
    Some(reading.encoded())
}

fn escaped(part: &[u8]) -> String {
    let mut escaped = String::new();
    for byte in part {
        if byte.is_ascii_alphanumeric() || b"$-_.+!*'(),:;@&=/~".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    escaped
}

/// The target is passed on as sent if it begins in the same way as the path that Apache reads. Otherwise, that path is
/// passed on.
fn nocanon(target: &str) -> Option<Reading> {
    if target.contains('#') {
        return None;
    }
    let raw = before(target, &['?']);
    // Escaped slashes stay.
    let path = decoded_where(&with_escapes(raw.as_bytes())?, |octet| octet != b'/');
    if path.contains(&0) {
        return None;
    }
    let first = parts(&path).next()?;
    if !matches!(first, b"admin" | b"users" | b"public") {
        return None;
    }
    if parts(raw.as_bytes()).next() == Some(first) {
        return go::switch(target);
    }
    Some(go::switch_of(&path))
}
