//! How well-known servers read a path, written after them and not after the filter.
//!
//! A request may pass proxies that rewrite its path, and ends at a server that reads it.

/// What a proxy makes of a path.
pub type Rewrite = fn(&str) -> String;
/// The segments that a server routes by; none where it refuses the path.
pub type Read = fn(&str) -> Option<Vec<String>>;

pub const REWRITES: &[(&str, Rewrite)] = &[
    ("nothing", str::to_owned),
    ("RFC 3986", rfc_3986),
    ("WHATWG", whatwg),
    ("merged slashes", merged_slashes),
    ("unescaped slashes", unescaped_slashes),
    ("Envoy", |path| merged_slashes(&rfc_3986(path))),
];

pub const SERVERS: &[(&str, Read)] = &[
    ("split and decode", |path| {
        Some(
            parts(path)
                .map(|part| text(&decoded(part.as_bytes())))
                .collect(),
        )
    }),
    ("path.Clean", |path| {
        read(&clean(&text(&decoded(path.as_bytes()))))
    }),
    ("RFC 3986, decoded whole", |path| {
        read(&without_dots(&text(&decoded(path.as_bytes()))))
    }),
    ("nginx", |path| {
        read(&clean(&text(&decoded(path.as_bytes()))))
    }),
    ("Tomcat", |path| {
        let path = decoded(without_parameters(path).as_bytes());
        if path.contains(&b'\\')
            || path
                .windows(3)
                .any(|three| three.eq_ignore_ascii_case(b"%2f"))
        {
            return None;
        }
        read(&clean(&text(&path)))
    }),
    ("Tomcat with backslashes", |path| {
        let path = text(&decoded(without_parameters(path).as_bytes()));
        read(&clean(&path.replace('\\', "/")))
    }),
    ("parameters dropped when decoded", |path| {
        read(&clean(&without_parameters(&text(&decoded(
            path.as_bytes(),
        )))))
    }),
    ("parameters dropped, the rest split and decoded", |path| {
        let path = without_parameters(path);
        Some(
            parts(&path)
                .map(|part| text(&decoded(part.as_bytes())))
                .collect(),
        )
    }),
    ("IIS", |path| {
        let path = text(&decoded(path.as_bytes()));
        read(&clean(&path.replace('\\', "/")))
    }),
    ("IIS that decodes twice", |path| {
        let path = text(&decoded(&decoded(path.as_bytes())));
        read(&clean(&path.replace('\\', "/")))
    }),
    ("decoded until nothing is left", |path| {
        let mut path = path.as_bytes().to_vec();
        loop {
            let further = decoded(&path);
            if further == path {
                return read(&clean(&text(&path)));
            }
            path = further;
        }
    }),
];

/// How the servers of the fleet read a path, by their names in `tests/upstreams/servers.json`.
///
/// `make test-upstreams` compares each with its server: where the server serves something, its model says the same.
pub const MODELS: &[(&str, Read)] = &[
    ("node http, split and decoded", |path| {
        // `decodeURIComponent` throws where what comes out is no UTF-8.
        let decode = |part: &str| String::from_utf8(strictly_decoded(part.as_bytes())?).ok();
        parts(path).map(decode).collect()
    }),
    ("go, URL.Path", |path| {
        read(&text(&strictly_decoded(path.as_bytes())?))
    }),
];

/// The segments of a path; one slash at the end adds none.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').skip(1)
}

fn read(path: &str) -> Option<Vec<String>> {
    Some(parts(path).map(str::to_owned).collect())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Decoded by a server that refuses a broken escape.
fn strictly_decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_whole = |place: usize| octet(&bytes[place..]).is_some();
    let mut percents = (0..bytes.len()).filter(|place| bytes[*place] == b'%');
    percents.all(is_whole).then(|| decoded(bytes))
}

fn octet(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digits = std::str::from_utf8(&[*high, *low]).ok()?.to_owned();
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(&digits, 16).ok().filter(|_| are_digits)
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    decoded_where(bytes, |_| true)
}

fn decoded_where(mut bytes: &[u8], counts: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::new();
    while let Some(first) = bytes.first() {
        match octet(bytes).filter(|octet| counts(*octet)) {
            Some(octet) => {
                decoded.push(octet);
                bytes = &bytes[3..];
            }
            None => {
                decoded.push(*first);
                bytes = &bytes[1..];
            }
        }
    }
    decoded
}

/// Section 6.2.2.2, then 5.2.4.
fn rfc_3986(path: &str) -> String {
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    without_dots(&text(&decoded_where(path.as_bytes(), is_unreserved)))
}

/// Section 5.2.4, to the letter.
fn without_dots(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") {
            input.replace_range(..3, "/");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input.replace_range(..(input.len().min(4)), "/");
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |end| end + 1);
            output.push_str(&input[..end]);
            input.replace_range(..end, "");
        }
    }
    output
}

fn whatwg(path: &str) -> String {
    match url::Url::parse(&format!("http://host{path}")) {
        Ok(url) => url.path().to_owned(),
        Err(_) => path.to_owned(),
    }
}

fn merged_slashes(path: &str) -> String {
    let mut merged = String::new();
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}

fn unescaped_slashes(path: &str) -> String {
    text(&decoded_where(path.as_bytes(), |octet| {
        b"/\\".contains(&octet)
    }))
}

/// Go's `path.Clean`: slashes merged, dots resolved.
fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

fn without_parameters(path: &str) -> String {
    let kept: Vec<&str> = path
        .split('/')
        .map(|part| part.split(';').next().unwrap_or(part))
        .collect();
    kept.join("/")
}
