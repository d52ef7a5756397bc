//! nginx, and what it passes requests to.

use super::super::{Read, Reading, Segment, before, text};
use super::{decode, files, go, is_above_root, parts, resolved};

pub const MODELS: &[(&str, Read)] = &[
    ("nginx, locations", |target| {
        let reading = captures(target, &normalized(target)?);
        Some(reading.ignoring_last_line_feed())
    }),
    ("nginx, files", |target| Some(files(&normalized(target)?))),
    ("nginx, rewrite and alias", rewrite_and_alias),
    ("nginx, proxy_pass", |target| {
        let path = normalized(target)?;
        let locations: [&[u8]; 3] = [b"/admin", b"/users/", b"/public"];
        let is_passed = locations.iter().any(|prefix| path.starts_with(prefix));
        is_passed.then(|| go::switch(target)).flatten()
    }),
    ("nginx, proxy_pass with a URI", |target| {
        Some(go::switch_of(&below_location(target)?))
    }),
    ("nginx, proxy_pass after rewrite", |target| {
        let mut path = below_location(target)?;
        if path.ends_with(b"\n") {
            path.pop();
        }
        // `.` does not match a line feed. Without a match, the target is passed on as sent.
        if path.contains(&b'\n') {
            return go::switch(target);
        }
        Some(go::switch_of(&path))
    }),
];

/// `$uri`: decoded as a whole, then slashes merged and dot segments resolved.
pub fn normalized(target: &str) -> Option<Vec<u8>> {
    let path = decode(before(target, &['?', '#']))?;
    let is_valid = !path.contains(&0) && !is_above_root(&path);
    is_valid.then(|| resolved(&path))
}

/// The path below a location with a slash at the end; nginx redirects the location's name without the slash.
fn below_location(target: &str) -> Option<Vec<u8>> {
    let path = normalized(target)?;
    let locations: [&[u8]; 3] = [b"/admin/", b"/users/", b"/public/"];
    let is_passed = locations.iter().any(|prefix| path.starts_with(prefix));
    is_passed.then_some(path)
}

/// A path split, with parameters as captures of regular expressions. Where the target has an escape or a plus sign,
/// nginx escapes what was captured.
fn captures(target: &str, path: &[u8]) -> Reading {
    let is_escaped = before(target, &['?', '#']).contains(['%', '+']);
    let reading = Reading::new(parts(path).map(|part| {
        let bound = match is_escaped {
            true => escaped(part),
            false => text(part),
        };
        Segment::new(&text(part), Some(bound))
    }));
    reading.encoded()
}

fn escaped(part: &[u8]) -> String {
    let mut escaped = String::new();
    for byte in part {
        match byte {
            b'!' | b'$' | b'\''..=b'*' | b','..=b'.' | b'0'..=b'~'
                if !b";<>?\\^`{|}".contains(byte) =>
            {
                escaped.push(char::from(*byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// The rewritten path has the parameter in its query, where an ampersand ends it if nginx does not escape it.
fn rewrite_and_alias(target: &str) -> Option<Reading> {
    let path = normalized(target)?;
    let mut reading = captures(target, &path).ignoring_last_line_feed();
    if !path.starts_with(b"/users/") {
        let is_folder = reading.segments.len() > 1;
        return is_folder.then_some(reading);
    }
    for segment in &mut reading.segments {
        if let Some(bound) = &mut segment.bound {
            *bound = before(bound, &['&']).to_owned();
        }
    }
    Some(reading)
}
