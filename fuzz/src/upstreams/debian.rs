//! The servers of Debian's packages in `tests/upstreams`.

mod apache;
mod go;
mod java;
mod nginx;
mod php;
mod proxies;
mod ruby;
mod wsgi;

use super::{Read, Reading, Segment, decoded, octet, text};

pub fn models() -> [&'static [(&'static str, Read)]; 8] {
    [
        nginx::MODELS,
        php::MODELS,
        apache::MODELS,
        proxies::MODELS,
        ruby::MODELS,
        go::MODELS,
        java::MODELS,
        wsgi::MODELS,
    ]
}

/// Decoded as a whole; none if an escape is broken.
fn decode(path: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let path = path.as_ref();
    let is_valid = |at: usize| path[at] != b'%' || octet(&path[at..]).is_some();
    (0..path.len()).all(is_valid).then(|| decoded(path))
}

/// The segments of a decoded path.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').skip(1)
}

/// A decoded path, split. `text` is how the program shows bytes.
fn split(path: &[u8], text: fn(&[u8]) -> String) -> Reading {
    Reading::new(parts(path).map(|part| Segment::plain(&text(part))))
}

/// The same for a program that also accepts an empty parameter.
fn split_with_empty_parameters(path: &[u8], text: fn(&[u8]) -> String) -> Reading {
    Reading::new(parts(path).map(|part| Segment {
        literal: text(part),
        bound: Some(text(part)),
    }))
}

/// Each byte is the character of its number.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Slashes merged and dot segments resolved. A slash at the end stays, and a dot segment at the end leaves one.
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut is_folder = false;
    for part in parts(path) {
        is_folder = matches!(part, b"" | b"." | b"..");
        match part {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(part),
        }
    }
    if is_folder {
        kept.push(b"");
    }
    [b"/", &*kept.join(&b'/')].concat()
}

/// Whether a dot segment leads above the root, which many servers reject.
fn is_above_root(path: &[u8]) -> bool {
    let mut depth = 0_usize;
    for part in parts(path) {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return true,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// A path below a folder with files: `index.html` is the folder.
///
/// The model is stricter than the server: it reads a path as if every file existed, and every user.
fn files(path: &[u8]) -> Reading {
    let mut reading = split(path, text);
    if let [_, .., last] = &*reading.segments
        && matches!(&*last.literal, "" | "index.html")
        && reading.segments.len() <= 3
    {
        reading.segments.pop();
    }
    reading
}
