//! lighttpd, HAProxy and Caddy.

use super::super::{Read, Reading, before, decoded, decoded_where, text};
use super::{decode, files, go, latin_1, parts, resolved, split, split_with_empty_parameters};

pub const MODELS: &[(&str, Read)] = &[
    ("lighttpd, files", files_with_path_info),
    ("lighttpd, url.rewrite", files_with_path_info),
    ("lighttpd, FastCGI", |target| {
        Some(split_with_empty_parameters(&lighttpd(target)?, latin_1))
    }),
    ("haproxy, path_beg", |target| {
        let path = before(target, &['?']);
        let is_valid = !target.contains('#');
        is_valid.then(|| split(path.as_bytes(), text).encoded())
    }),
    ("haproxy, normalize-uri", normalize_uri),
    ("caddy, path matchers", |target| {
        path_matchers(&decode(before(target, &['?']))?)
    }),
    ("caddy, file_server", |target| {
        Some(files(&caddy(&decode(before(target, &['?']))?)))
    }),
];

/// Decoded as a whole, then slashes merged and dot segments resolved. A broken escape stays as it is.
fn lighttpd(target: &str) -> Option<Vec<u8>> {
    let path = decoded(before(target, &['?', '#']).as_bytes());
    let target = decoded(before(target, &['#']).as_bytes());
    let is_invalid = |byte: &u8| byte.is_ascii_control() || matches!(byte, 0xc0 | 0xc1 | 0xf5..);
    (!target.iter().any(is_invalid)).then(|| resolved(&path))
}

/// The path below a file is ignored.
fn files_with_path_info(target: &str) -> Option<Reading> {
    let path = lighttpd(target)?;
    let file = match parts(&path).collect::<Vec<_>>()[..] {
        [b"users", id, file @ (b"orders" | b"index.html"), _, ..] => {
            Some([b"/users/", id, b"/", file].concat())
        }
        _ => None,
    };
    let is_below = file.is_some();
    Some(files(&file.unwrap_or(path)).left_to_operator(is_below))
}

/// Normalized, and then decoded for the comparison.
fn normalize_uri(target: &str) -> Option<Reading> {
    if target.contains('#') {
        return None;
    }
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    let path = decoded_where(before(target, &['?']).as_bytes(), is_unreserved);
    let path = decode(resolved(&path))?;
    // A text is compared up to its first null byte.
    let whole = path.split(|byte| *byte == 0).next()?;
    if matches!(whole, b"/admin" | b"/public") {
        return Some(split(whole, text));
    }
    Some(split(&path, latin_1).ignoring_last_line_feed())
}

/// `path` ignores case, and dots and spaces at the end; `path_regexp` does not.
///
/// The model is stricter than the server: it ignores case in `/users` as well.
fn path_matchers(path: &[u8]) -> Option<Reading> {
    let end = path.iter().rposition(|byte| !b". ".contains(byte))? + 1;
    // Go reads this as a capital letter of `i`.
    let lowered = |part: &[u8]| text(part).replace('\u{130}', "i");
    let matched = split(&caddy(&path[..end]), lowered);
    let first = matched.segments.first()?;
    if first.is("admin", true) || first.is("public", true) {
        return Some(matched.ignoring_case());
    }
    Some(split(&caddy(path), go::text).ignoring_case())
}

/// Slashes merged and dot segments resolved; only a slash leaves one at the end.
fn caddy(path: &[u8]) -> Vec<u8> {
    let mut clean = resolved(path);
    if !path.ends_with(b"/") && clean.len() > 1 && clean.ends_with(b"/") {
        clean.pop();
    }
    clean
}
