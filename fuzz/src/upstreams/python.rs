//! The Python servers of `tests/upstreams`.

use super::{Read, Reading, Segment, before, decoded, octet, parts, text};

pub const MODELS: &[(&str, Read)] = &[
    ("flask, gunicorn", |target| {
        slashes_at_the_beginning_as_one(before(target, URL))
    }),
    ("flask, waitress", |target| {
        slashes_at_the_beginning_as_one(before(target, URL))
    }),
    ("django, gunicorn", |target| {
        let path = escaped_again(&decoded(before(target, URL).as_bytes()));
        Some(ignoring_last_line_feed(&path))
    }),
    ("django, daphne", |target| {
        Some(ignoring_last_line_feed(&whole(before(target, TARGET))))
    }),
    ("starlette, uvicorn", |target| {
        Some(ignoring_last_line_feed(&whole(before(target, URL))))
    }),
    ("starlette, hypercorn", |target| {
        Some(ignoring_last_line_feed(&whole(before(target, TARGET))))
    }),
    ("fastapi, gunicorn", |target| {
        Some(ignoring_last_line_feed(&whole(before(target, TARGET))))
    }),
    ("falcon, gunicorn", |target| {
        empty_parameters(before(target, URL))
    }),
    ("falcon, uvicorn", |target| {
        empty_parameters(before(target, TARGET))
    }),
    ("quart, hypercorn", |target| {
        slashes_at_the_beginning_as_one(before(target, TARGET))
    }),
    ("wsgi, gunicorn", |target| {
        let path = whole(before(target, URL));
        Some(Reading::new(parts(&path).map(Segment::plain)))
    }),
    ("bottle, wsgiref", bottle),
    ("cherrypy", cherrypy),
    ("aiohttp", aiohttp),
    ("tornado", |target| {
        Some(Reading::new(parts(before(target, TARGET)).map(|part| {
            let bound = String::from_utf8(decoded(part.as_bytes()));
            Segment::new(part, bound.ok())
        })))
    }),
    ("sanic", |target| {
        let path = before(target, URL).trim_end_matches('/');
        Some(Reading::new(
            parts(path).map(|part| Segment::new(part, Some(whole(part)))),
        ))
    }),
];

/// What ends the path for servers that parse a URL: gunicorn and waitress for WSGI, and servers with httptools.
const URL: &[char] = &['?', '#'];
/// What ends it for servers that split the target: gunicorn for ASGI, daphne, hypercorn, h11 and wsgiref.
const TARGET: &[char] = &['?'];

/// Decoded as a whole, so that `%2F` separates. What is not UTF-8 becomes U+FFFD.
fn whole(path: &str) -> String {
    text(&decoded(path.as_bytes()))
}

/// Slashes at the beginning count as one. Other empty segments lead to a redirect, except below `<path:..>`.
fn slashes_at_the_beginning_as_one(path: &str) -> Option<Reading> {
    let path = whole(path);
    let path = path.trim_start_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 2 && parts[1].is_empty() {
        return None;
    }
    Some(Reading::new(parts.into_iter().map(Segment::plain)))
}

/// Django's `path()` has `\Z` instead of `$`, and its `re_path()` may have `$`.
fn ignoring_last_line_feed(path: &str) -> Reading {
    Reading::new(parts(path).map(Segment::plain)).ignoring_last_line_feed()
}

/// Parameters also match empty segments. Slashes at the beginning count as one.
fn empty_parameters(path: &str) -> Option<Reading> {
    let path = whole(path);
    let parts = path.trim_start_matches('/').split('/');
    Some(Reading::new(parts.map(|part| Segment {
        literal: part.to_owned(),
        bound: Some(part.to_owned()),
    })))
}

/// What is not UTF-8 is removed. wsgiref merges raw slashes at the beginning.
fn bottle(target: &str) -> Option<Reading> {
    let path = before(target, TARGET);
    let path = format!("/{}", path.trim_start_matches('/'));
    let path: String = decoded(path.as_bytes())
        .utf8_chunks()
        .map(|chunk| chunk.valid())
        .collect();
    // A route without a parameter is compared as a whole.
    Some(if path.matches('/').count() == 1 {
        Reading::new(parts(&path).map(Segment::plain))
    } else {
        ignoring_last_line_feed(&path)
    })
}

/// `//` begins an authority. Empty segments are removed. A query that is not UTF-8 leads to 404, which is not modelled.
fn cherrypy(target: &str) -> Option<Reading> {
    let path = match target.strip_prefix("//") {
        Some(rest) => {
            let authority = before(rest, &['/', '?', '#']);
            if authority.contains('[') != authority.contains(']') {
                return None;
            }
            &rest[authority.len()..]
        }
        None => target,
    };
    if path
        .split_once('#')
        .is_some_and(|(_, fragment)| !fragment.is_empty())
    {
        return None;
    }
    let path = before(path, &['?', '#']);
    // Parameters decode `%2F`, also if it was `%252F`.
    let path = decoded(
        path.replace("%2f", "%2F")
            .replace("%2F", "%252F")
            .as_bytes(),
    );
    let path = String::from_utf8(path)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let parts = path.split('/').filter(|part| !part.is_empty());
    Some(Reading::new(parts.map(|part| {
        Segment::new(part, Some(part.replace("%2F", "/")))
    })))
}

/// Everything but `%2F` and `%25` is decoded. Parameters decode the rest. What is not UTF-8 stays as it is.
fn aiohttp(target: &str) -> Option<Reading> {
    // A `#` before the query belongs to the path.
    let path = target.split_once('?').map(|(path, _)| path);
    let path = decoded_if_utf8(path.unwrap_or_else(|| before(target, &['#'])));
    Some(Reading::new(parts(&path).map(|part| {
        let bound = part.replace("%2F", "/").replace("%25", "%");
        // A parameter matches `[^{}/]+`.
        Segment::new(part, (!part.contains(['{', '}'])).then_some(bound))
    })))
}

fn decoded_if_utf8(path: &str) -> String {
    let mut read = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut octets = Vec::new();
        while let Some(octet) = octet(&rest.as_bytes()[3 * octets.len()..]) {
            octets.push(octet);
        }
        let mut escapes = rest;
        for chunk in octets.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '/' => read.push_str("%2F"),
                    '%' => read.push_str("%25"),
                    _ => read.push(character),
                }
            }
            let (_, after) = escapes.split_at(3 * chunk.valid().len());
            let (invalid, after) = after.split_at(3 * chunk.invalid().len());
            read.push_str(invalid);
            escapes = after;
        }
        rest = escapes;
        if octets.is_empty() {
            read.push('%');
            rest = &rest[1..];
        }
    }
    read + rest
}

/// What is not UTF-8 is escaped again.
fn escaped_again(bytes: &[u8]) -> String {
    let mut read = String::new();
    for chunk in bytes.utf8_chunks() {
        read.push_str(chunk.valid());
        for octet in chunk.invalid() {
            read.push_str(&format!("%{octet:02X}"));
        }
    }
    read
}
