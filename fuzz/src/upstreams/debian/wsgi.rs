//! uWSGI.

use super::super::{Read, before, octet};
use super::{latin_1, split_with_empty_parameters};

pub const MODELS: &[(&str, Read)] = &[("uwsgi", |target| {
    Some(split_with_empty_parameters(&uwsgi(target), latin_1))
})];

/// Dot segments are resolved between raw slashes. The two characters after a `%` are never separators.
fn uwsgi(target: &str) -> Vec<u8> {
    let mut path: Vec<u8> = Vec::new();
    let mut rest = before(target, &['?', '#']).as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'/' => {
                let segment = after.split(|byte| *byte == b'/').next().unwrap_or_default();
                if !matches!(segment, b"." | b"..") {
                    path.push(b'/');
                    continue;
                }
                rest = &after[segment.len()..];
                if segment == b".." {
                    let end = path.iter().rposition(|byte| *byte == b'/');
                    path.truncate(end.unwrap_or(0));
                }
                if rest.is_empty() {
                    path.push(b'/');
                }
            }
            b'%' if after.starts_with(b"%") => {
                path.push(b'%');
                rest = &after[1..];
            }
            b'%' => {
                // An invalid escape is decoded to zero. An incomplete one at the end is dropped.
                let [high, low, further @ ..] = after else {
                    break;
                };
                path.push(octet(&[b'%', *high, *low]).unwrap_or_default());
                rest = further;
            }
            _ => path.push(*first),
        }
    }
    path
}
