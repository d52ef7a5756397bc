//! PHP: behind nginx, in Apache, and its own server.

use super::super::{Read, Reading, Segment, before, decoded, parts};
use super::{apache, nginx, resolved, split};

pub const MODELS: &[(&str, Read)] = &[
    ("php-fpm behind nginx, REQUEST_URI", |target| {
        nginx::normalized(target)?;
        Some(split(&decoded(before(target, &['?']).as_bytes()), text))
    }),
    ("php-fpm behind nginx, PATH_INFO", fpm_path_info),
    ("symfony", |target| {
        nginx::normalized(target)?;
        let path = decoded(before(target, &['?', '#']).as_bytes());
        Some(match path.strip_prefix(SCRIPT) {
            Some(path) if path.starts_with(b"/") => split(path, text).left_to_operator(true),
            Some(path) => split(&[b"/", path].concat(), text).left_to_operator(true),
            None => split(&path, text),
        })
    }),
    ("slim 3", slim),
    ("php -S, router script", |target| {
        by_segment(parse_url(target)?)
    }),
    ("php -S, PATH_INFO", path_info_of_a_file),
    ("mod_php, REQUEST_URI", |target| {
        apache::normalized(target)?;
        by_segment(parse_url(target)?)
    }),
    ("mod_php, PATH_INFO", mod_php_path_info),
];

/// The front controller.
const SCRIPT: &[u8] = b"/index.php";
/// How often Apache rewrites a target before it gives up.
const MOST_REDIRECTS: usize = 10;

/// PHP shows a sequence that is not UTF-8 as one U+FFFD, up to where another one may begin.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some(chunk) = rest.utf8_chunks().next() {
        text.push_str(chunk.valid());
        rest = &rest[chunk.valid().len()..];
        let Some(first) = rest.first() else {
            break;
        };
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let may_begin = |byte: &u8| matches!(byte, 0..0x80 | 0xc2..=0xf4);
        let end = (1..length).find(|at| rest.get(*at).is_none_or(may_begin));
        rest = &rest[end.unwrap_or(length)..];
        text.push('\u{fffd}');
    }
    text
}

/// The path, split. The program decodes nothing.
fn by_segment(path: &str) -> Option<Reading> {
    Some(Reading::new(parts(path).map(Segment::plain)).encoded())
}

/// The `PATH_INFO` from nginx. A question mark ends it, because nginx writes it into a target.
fn fpm_path_info(target: &str) -> Option<Reading> {
    let path = nginx::normalized(target)?;
    let is_script = |at: usize| {
        let (name, rest) = path.split_at(at + 4);
        at > 0
            && name.ends_with(b".php")
            && name[at - 1] != b'/'
            && (rest.is_empty() || rest.starts_with(b"/") || rest == b"\n")
    };
    let script = (0..path.len().saturating_sub(3)).find(|at| is_script(*at));
    let (info, is_named) = match script {
        Some(_) => (path.strip_prefix(SCRIPT)?, true),
        None => (path.split(|byte| *byte == b'?').next()?, false),
    };
    let info = info.strip_suffix(b"\n").unwrap_or(info);
    // `.` matches no line feed.
    let is_matched = info.starts_with(b"/") && !info.contains(&b'\n');
    is_matched.then(|| split(info, text).left_to_operator(is_named))
}

/// The path is that of a URL. Slashes at the beginning count as one. Parameters are decoded like those of forms.
fn slim(target: &str) -> Option<Reading> {
    nginx::normalized(target)?;
    let path = before(target, &['?', '#']);
    let name = path.get(..SCRIPT.len()).unwrap_or_default();
    let is_named = name.as_bytes().eq_ignore_ascii_case(SCRIPT);
    let path = if is_named {
        &path[SCRIPT.len()..]
    } else {
        path
    };
    let reading = Reading::new(path.trim_start_matches('/').split('/').map(|part| {
        let bound = decoded(part.replace('+', " ").as_bytes());
        Segment::new(part, Some(text(&bound)))
    }));
    Some(reading.left_to_operator(is_named))
}

/// The path that `parse_url` finds. `None` if it finds none.
fn parse_url(target: &str) -> Option<&str> {
    let path = before(target, &['?', '#']);
    let rest;
    let mut has_port = false;
    match path.split_once(':') {
        Some((_, after)) if path.len() < target.len() || !after.is_empty() => {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let behind = target[path.len() - after.len()..].chars().nth(digits);
            if (1..6).contains(&digits) && matches!(behind, None | Some('/')) {
                let port = after[..digits]
                    .parse::<u32>()
                    .ok()
                    .filter(|port| *port <= 65_535)?;
                has_port = port != 0;
                rest = target.strip_prefix("//").unwrap_or(target);
            } else {
                match target.strip_prefix("//") {
                    Some(authority) => rest = authority,
                    None => return Some(path),
                }
            }
        }
        _ => match target.strip_prefix("//") {
            Some(authority) => rest = authority,
            None => return Some(path),
        },
    }
    let authority = before(rest, &['/', '?', '#']);
    let after = &rest[authority.len()..];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_address = host.starts_with('[') && authority.ends_with(']');
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !is_address => {
            if !has_port && (port.len() > 5 || !port.is_empty() && !is_port(port)) {
                return None;
            }
            name
        }
        _ => host,
    };
    if name.is_empty() {
        return None;
    }
    let path = before(after, &['?', '#']);
    (!path.is_empty()).then_some(path)
}

/// What `strtol` reads as a port: a number at the beginning is enough.
fn is_port(text: &str) -> bool {
    let is_negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(unsigned.len());
    match unsigned[..end].parse::<u32>() {
        Ok(port) => port == 0 || !is_negative && port <= 65_535,
        Err(_) => false,
    }
}

/// The server looks for a file, then in the folders above it. It reads a path with a dot as a file.
fn path_info_of_a_file(target: &str) -> Option<Reading> {
    let path = resolved(&decoded(before(target, &['?', '#']).as_bytes()));
    match path.strip_prefix(SCRIPT) {
        Some(info) if info.starts_with(b"/") => Some(split(info, text).left_to_operator(true)),
        _ => (!path.contains(&b'.')).then(|| split(&path, text)),
    }
}

/// A rule makes the path a target again, which Apache reads a second time.
fn mod_php_path_info(target: &str) -> Option<Reading> {
    let mut path = apache::normalized(target)?;
    for redirects in 0..MOST_REDIRECTS {
        if let Some(info) = path.strip_prefix(SCRIPT)
            && (info.is_empty() || info.starts_with(b"/"))
        {
            return Some(split(info, text).left_to_operator(redirects == 0));
        }
        if path.contains(&b'?') {
            return None;
        }
        path = apache::normalized_again(&[SCRIPT, &path].concat())?;
    }
    None
}
