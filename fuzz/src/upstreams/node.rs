//! The Node.js servers of `tests/upstreams`.

use url::Url;

use super::{
    Read, Reading, Segment, before, decoded, decoded_where, merged_slashes, octet, parts, text,
};

pub const MODELS: &[(&str, Read)] = &[
    ("express 4", encoded_literals),
    ("express 5", encoded_literals),
    ("fastify 4", |target| find_my_way(target, &['?', '#', ';'])),
    ("fastify 5", |target| find_my_way(target, &['?', '#'])),
    ("fastify 5, lenient router", |target| {
        let path = decoded_but_reserved(target, &['?', '#', ';'])?;
        let path = merged_slashes(&path);
        let reading = split_before_parameters(&path);
        Some(reading.ignoring_case().ignoring_slash())
    }),
    ("koa", |target| {
        let path = parsed_if_needed(target)?;
        Some(decoded_where_possible(&path).ignoring_case())
    }),
    ("hapi", dots_resolved_after_decoding),
    ("restify 11", |target| {
        find_my_way(&url_parse(target)?, &['?', '#', ';'])
    }),
    ("restify 11, paths sanitized", |target| {
        let target = without_slashes_before_ends(&merged_slashes(target));
        find_my_way(&url_parse(&target)?, &['?', '#', ';'])
    }),
    ("h3 1", decoded_before_the_query),
    ("nitro", decoded_before_the_query),
    ("polka", |target| {
        let segments = parts(before(target, &['?'])).map(|part| Segment {
            literal: part.to_owned(),
            bound: Some(part.to_owned()),
        });
        Some(Reading {
            is_encoded: true,
            ..Reading::new(segments).ignoring_slash()
        })
    }),
    ("polka 1", |target| {
        Some(decoded_where_possible(before(target, &['?', '#'])).ignoring_case())
    }),
    ("hono", decoded_as_far_as_possible),
    ("node http, new URL with a base", |target| {
        pieces(without_authority(target)?)
    }),
    ("node http, new URL of a text", |target| pieces(target)),
    ("node http, url.parse", |target| {
        let path = decode(&url_parse(target)?)?;
        Some(Reading::new(parts(&path).map(Segment::plain)))
    }),
    ("node http, split and decoded", |target| {
        let parts = parts(before(target, &['?']));
        let segments: Option<Vec<_>> = parts
            .map(|part| Some(Segment::plain(&decode(part)?)))
            .collect();
        Some(Reading::new(segments?))
    }),
];

/// What `decodeURI` does not decode.
const RESERVED: &[u8] = b";/?:@&=+$,#";

/// `decodeURIComponent`. `None` if it throws.
fn decode(text: &str) -> Option<String> {
    decode_but(text, &[])
}

/// `decodeURI`, with `%25` left as it is.
fn decode_uri(text: &str) -> Option<String> {
    decode_but(text, &[RESERVED, b"%"].concat())
}

fn decode_but(text: &str, kept: &[u8]) -> Option<String> {
    let has_broken_escape = text
        .match_indices('%')
        .any(|(at, _)| octet(&text.as_bytes()[at..]).is_none());
    let decoded = decoded_where(text.as_bytes(), |octet| !kept.contains(&octet));
    String::from_utf8(decoded)
        .ok()
        .filter(|_| !has_broken_escape)
}

/// Split at raw slashes. Only parameters are decoded.
fn encoded_literals(target: &str) -> Option<Reading> {
    let path = parsed_if_needed(target)?;
    let segments: Option<Vec<_>> = parts(&path)
        .map(|part| Some(Segment::new(part, Some(decode(part)?))))
        .collect();
    Some(Reading::new(segments?).ignoring_case().ignoring_slash())
}

/// Split at raw slashes. A parameter that cannot be decoded stays as it is.
fn decoded_where_possible(path: &str) -> Reading {
    let reading = Reading::new(parts(path).map(|part| {
        let bound = decode(part).unwrap_or_else(|| part.to_owned());
        Segment::new(part, Some(bound))
    }));
    reading.ignoring_slash()
}

/// `find-my-way`: everything but reserved characters is decoded. Parameters decode the rest.
fn find_my_way(target: &str, ends: &[char]) -> Option<Reading> {
    Some(split_before_parameters(&decoded_but_reserved(
        target, ends,
    )?))
}

/// The router ignores the first character. After `url.parse`, it may be another one than a slash.
fn decoded_but_reserved(target: &str, ends: &[char]) -> Option<String> {
    let (first, rest) = target.split_at(1);
    let rest = before(rest, ends);
    let is_kept = |at| octet(&rest.as_bytes()[at..]).is_some_and(|octet| RESERVED.contains(&octet));
    let path = format!("{first}{rest}");
    if rest.match_indices('%').all(|(at, _)| is_kept(at)) {
        Some(path)
    } else {
        decode_uri(&path)
    }
}

/// Parameters also match empty segments.
fn split_before_parameters(path: &str) -> Reading {
    let mut path = path.chars();
    path.next();
    let parts = path.as_str().split('/');
    Reading::new(parts.map(|part| Segment {
        literal: part.to_owned(),
        bound: Some(text(&decoded(part.as_bytes()))),
    }))
}

/// `sanitizePath` of restify, after slashes are merged: none before the query, and none at the end.
fn without_slashes_before_ends(target: &str) -> String {
    let (first, rest) = target.split_at(1);
    let rest = rest.replace("/?", "?");
    let rest = rest.strip_suffix('/').unwrap_or(&rest);
    format!("{first}{rest}")
}

/// Dot segments are resolved after the characters are decoded that need no escape.
fn dots_resolved_after_decoding(target: &str) -> Option<Reading> {
    let path = before(target, &['?', '#']);
    let path = decoded_where(path.as_bytes(), |octet| {
        octet.is_ascii_alphanumeric() || b"!$&'()*+,-.:;=@_~".contains(&octet)
    });
    let path = text(&path);
    let mut kept = Vec::new();
    if path.contains("/.") {
        for part in path.split('/') {
            match part {
                ".." => drop(kept.pop()),
                "." => {}
                _ => kept.push(part),
            }
        }
        if path.ends_with("/.") || path.ends_with("/..") {
            kept.push("");
        }
        // The path has a slash at the beginning, also if `..` removed it.
        if kept.first() == Some(&"") {
            kept.remove(0);
        }
    } else {
        kept.extend(parts(&path));
    }
    let segments: Option<Vec<_>> = kept
        .into_iter()
        .map(|part| Some(Segment::new(part, Some(decode(part)?))))
        .collect();
    Some(Reading::new(segments?))
}

/// Everything but `%2F` is decoded. Only then, `?` ends the path. A parameter decodes the rest.
fn decoded_before_the_query(target: &str) -> Option<Reading> {
    let path = before(target, &['?']);
    let query = &target[path.len()..];
    let guarded = path.replace("%25", "%2525");
    let guarded = guarded.replace("%2f", "%252F").replace("%2F", "%252F");
    let path = decode(&guarded).unwrap_or(guarded) + query;
    let segments = parts(before(&path, &['?'])).map(|part| Segment {
        literal: part.to_owned(),
        // The router reads the name of a parameter as the parameter, and binds nothing.
        bound: Some(match part {
            ":id" => String::new(),
            _ => decode(part).unwrap_or_else(|| part.to_owned()),
        }),
    });
    Some(Reading::new(segments).ignoring_slash())
}

/// The path of a `URL`, of which everything is decoded that is not reserved, and that can be decoded.
fn decoded_as_far_as_possible(target: &str) -> Option<Reading> {
    if before(target, &['?']).contains('\\') {
        return None;
    }
    let path = without_dots(before(target, &['?', '#']));
    let mut read = in_runs(&path, decode_uri);
    let encoded = with_stray_percents_encoded(&path);
    // A segment that only becomes a dot segment when it is decoded stays encoded.
    if encoded != path && in_runs(&without_dots(&read), decode_uri) != read {
        read = in_runs(&encoded, decode_uri);
    }
    Some(Reading::new(
        parts(&read).map(|part| Segment::new(part, Some(in_runs(part, decode)))),
    ))
}

/// Decodes the whole text or, if that fails, each sequence of escapes that can be decoded.
fn in_runs(text: &str, decode: fn(&str) -> Option<String>) -> String {
    if let Some(decoded) = decode(text) {
        return decoded;
    }
    let (mut read, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('%') {
        let bytes = rest.as_bytes();
        let mut end = at;
        while octet(&bytes[end..]).is_some() {
            end += 3;
        }
        read.push_str(&rest[..at]);
        let run = &rest[at..end];
        read.push_str(&decode(run).unwrap_or_else(|| run.to_owned()));
        if run.is_empty() {
            read.push('%');
            end += 1;
        }
        rest = &rest[end..];
    }
    read + rest
}

fn with_stray_percents_encoded(path: &str) -> String {
    let mut encoded = String::new();
    for (at, character) in path.char_indices() {
        encoded.push(character);
        if character == '%' && octet(&path.as_bytes()[at..]).is_none() {
            encoded.push_str("25");
        }
    }
    encoded
}

/// The path of a `URL`, split. The program decodes the second segment, also for routes without a parameter.
fn pieces(target: &str) -> Option<Reading> {
    let path = without_dots(before(target, &['?', '#']));
    let parts: Vec<&str> = parts(&path).collect();
    decode(parts.get(1).unwrap_or(&""))?;
    Some(Reading::new(
        parts.iter().map(|part| Segment::new(part, decode(part))),
    ))
}

/// Two or more slashes or backslashes begin an authority.
fn without_authority(target: &str) -> Option<&str> {
    let rest = target.trim_start_matches(['/', '\\']);
    if target.len() - rest.len() < 2 {
        return Some(target);
    }
    let authority = before(rest, &['/', '\\', '?', '#']);
    // Node.js accepts punycode that the crate does not.
    Url::parse(&format!("http://{}/", authority.replace("xn--", "x"))).ok()?;
    Some(&rest[authority.len()..])
}

/// The path of a `URL`.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    // A backslash is a slash.
    let mut parts = path.split(['/', '\\']).skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_dots = match &*part.replace("%2e", ".").replace("%2E", ".") {
            "." => true,
            ".." => {
                kept.pop();
                true
            }
            _ => {
                kept.push(part);
                false
            }
        };
        if is_dots && parts.peek().is_none() {
            kept.push("");
        }
    }
    escaped(&format!("/{}", kept.join("/")), "\"<>`{}")
}

/// `parseurl`, which calls `url.parse` if there is a fragment.
fn parsed_if_needed(target: &str) -> Option<String> {
    if target.contains('#') {
        url_parse(target)
    } else {
        Some(before(target, &['?']).to_owned())
    }
}

/// The path that `url.parse` finds in a target. `None` if it finds none or throws.
fn url_parse(target: &str) -> Option<String> {
    let path = before(target, &['?', '#']);
    let parsed = path.replace('\\', "/") + &target[path.len()..];
    let is_simple = !path.contains('@') && !target.contains('#') && !parsed.starts_with("///");
    let path = if is_simple {
        parsed
    } else if has_user_and_host(&parsed) {
        escaped(&after_host(&parsed[2..])?, "\"'<>\\^`{|}")
    } else {
        escaped(&parsed, "\"'<>\\^`{|}")
    };
    let path = before(&path, &['?', '#']);
    (!path.is_empty()).then(|| path.to_owned())
}

/// `^//[^@/]+@[^@/]+`
fn has_user_and_host(text: &str) -> bool {
    let Some((user, host)) = text
        .strip_prefix("//")
        .and_then(|rest| rest.split_once('@'))
    else {
        return false;
    };
    !user.is_empty() && !user.contains('/') && !host.is_empty() && !host.starts_with(['@', '/'])
}

/// What follows the host. It begins with the character that ended the host.
fn after_host(text: &str) -> Option<String> {
    let (mut host, mut end) = (0, None);
    for (at, character) in text.char_indices() {
        match character {
            '@' => (host, end) = (at + 1, None),
            '/' | '?' | '#' => {
                end = end.or(Some(at));
                break;
            }
            _ if " \"%';<>\\^`{|}".contains(character) => end = end.or(Some(at)),
            _ => {}
        }
    }
    if host > 0 {
        decode(&text[..host - 1])?;
    }
    let (host, rest) = text[host..].split_at(end.unwrap_or(text.len()) - host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    if name.starts_with('[') && name.ends_with(']') {
        let slash = if rest.starts_with('/') { "" } else { "/" };
        return Some(format!("{slash}{rest}"));
    }
    // An invalid port belongs to the path.
    let (name, rest) = match name.split_once(':') {
        Some((name, further)) => (name, format!("/:{further}{rest}")),
        None => (name, rest.to_owned()),
    };
    (!name.contains(['[', ']'])).then_some(rest)
}

/// These characters escaped.
fn escaped(text: &str, characters: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if characters.contains(character) {
            escaped.push_str(&format!("%{:02X}", character as u32));
        } else {
            escaped.push(character);
        }
    }
    escaped
}
