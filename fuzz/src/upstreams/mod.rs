//! Models of how well-known servers read a path. They follow the servers, not the filter.
//!
//! A request may pass proxies that rewrite its path, and ends at a server that reads it. [`SERVERS`] are kinds of servers.
//! [`models`] are the servers of `tests/upstreams`. A model reads a whole request target of printable ASCII that begins with
//! `/`: the filter denies all others.
//!
//! A model is as exact as [`agree`] requires. It may be stricter where no request gets past the filter: the filter denies
//! control characters, so a model matches a wildcard also where the server's `.*` does not match a line feed.

mod debian;
mod node;
mod python;

/// The path that a proxy sends for a path.
pub type Rewrite = fn(&str) -> String;
/// What a server routes by. `None` if it rejects the path or serves nothing.
pub type Read = fn(&str) -> Option<Reading>;

/// A path as a server's router sees it.
#[derive(Debug)]
pub struct Reading {
    /// The segments. The last one is empty if there is a slash at the end.
    pub segments: Vec<Segment>,
    /// Whether the router ignores case.
    pub ignores_case: bool,
    /// Whether the router ignores one slash at the end.
    pub ignores_slash: bool,
    /// Whether the router leaves the decoding of parameters to the application.
    pub is_encoded: bool,
    /// Whether the server has removed a part that the filter cannot know: `leaves_to_operator` in `servers.json`.
    pub is_left_to_operator: bool,
}

/// A segment of a path.
#[derive(Debug)]
pub struct Segment {
    /// What the router compares with a literal segment of a route.
    pub literal: String,
    /// What a parameter of a route receives; none if no parameter matches the segment.
    pub bound: Option<String>,
}

/// What an upstream of `tests/upstreams` serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// `admin`, `orders`, `user` or `public`.
    pub route: String,
    /// The parameter; empty if there is none.
    pub id: String,
}

/// The servers of `tests/upstreams`: the name in `servers.json`, and the model.
pub fn models() -> impl Iterator<Item = (&'static str, Read)> {
    let all = [node::MODELS, python::MODELS];
    let debian = debian::models().into_iter().flatten();
    all.into_iter().flatten().chain(debian).copied()
}

/// The models of Node and Python. `tests/core/paths.rs` has recorded the responses of these servers.
pub fn recorded() -> impl Iterator<Item = (&'static str, Read)> {
    [node::MODELS, python::MODELS]
        .into_iter()
        .flatten()
        .copied()
}

/// Compares a model with what the server served for a target.
///
/// A server that serves nothing agrees with every model: a model may be stricter.
///
/// # Errors
/// The server served what the model does not predict.
pub fn agree(model: Read, target: &str, served: Option<&Served>) -> Result<(), String> {
    let predicted = model(target).and_then(|reading| reading.served());
    if served.is_none() || served == predicted.as_ref() {
        Ok(())
    } else {
        Err(format!(
            "`{target}`: the server served {served:?}, the model predicts {predicted:?}"
        ))
    }
}

impl Reading {
    fn new(segments: impl IntoIterator<Item = Segment>) -> Self {
        Self {
            segments: segments.into_iter().collect(),
            ignores_case: false,
            ignores_slash: false,
            is_encoded: false,
            is_left_to_operator: false,
        }
    }

    fn ignoring_case(self) -> Self {
        Self {
            ignores_case: true,
            ..self
        }
    }

    fn ignoring_slash(self) -> Self {
        Self {
            ignores_slash: true,
            ..self
        }
    }

    /// Whether a literal of a route and a parameter read a segment differently.
    pub fn is_as_sent(&self) -> bool {
        let mut segments = self.segments.iter();
        segments.any(|segment| {
            let bound = segment.bound.as_ref();
            bound.is_some_and(|bound| *bound != segment.literal || self.is_encoded)
        })
    }

    fn left_to_operator(self, is_left_to_operator: bool) -> Self {
        Self {
            is_left_to_operator,
            ..self
        }
    }

    fn encoded(self) -> Self {
        Self {
            is_encoded: true,
            ..self
        }
    }

    /// In regular expressions, `$` matches before a line feed at the end: a literal segment is compared without it.
    fn ignoring_last_line_feed(mut self) -> Self {
        if let Some(last) = self.segments.last_mut()
            && last.literal.ends_with('\n')
        {
            last.literal.pop();
        }
        self
    }

    /// The segments without one slash at the end.
    pub fn without_last_slash(&self) -> &[Segment] {
        match &*self.segments {
            [segments @ .., last] if last.literal.is_empty() => segments,
            segments => segments,
        }
    }

    /// The route of `tests/upstreams` that the path matches.
    pub fn served(&self) -> Option<Served> {
        let is = |segment: &Segment, literal| segment.is(literal, self.ignores_case);
        let segments = match self.ignores_slash {
            true => self.without_last_slash(),
            false => &self.segments,
        };
        let (route, id) = match segments {
            [first, ..] if is(first, "admin") => ("admin", None),
            [first, ..] if is(first, "public") => ("public", None),
            [first, id] if is(first, "users") => ("user", Some(id)),
            [first, id, last] if is(first, "users") && is(last, "orders") => ("orders", Some(id)),
            _ => return None,
        };
        let id = id.map_or(Some(String::new()), |id| id.bound.clone())?;
        let route = route.to_owned();
        Some(Served { route, id })
    }
}

impl Segment {
    /// A segment. In most routers, no parameter matches an empty segment.
    fn new(literal: &str, bound: Option<String>) -> Self {
        Self {
            literal: literal.to_owned(),
            bound: bound.filter(|bound| !bound.is_empty()),
        }
    }

    fn plain(text: &str) -> Self {
        Self::new(text, Some(text.to_owned()))
    }

    /// Whether the segment matches a literal segment of a route.
    pub fn is(&self, literal: &str, ignores_case: bool) -> bool {
        self.literal == literal || ignores_case && self.literal.to_lowercase() == literal
    }
}

pub const REWRITES: &[(&str, Rewrite)] = &[
    ("nothing", str::to_owned),
    ("RFC 3986", rfc_3986),
    ("WHATWG", whatwg),
    ("merged slashes", merged_slashes),
    ("unescaped slashes", unescaped_slashes),
    ("Envoy", |path| merged_slashes(&rfc_3986(path))),
];

pub const SERVERS: &[(&str, Read)] = &[
    ("split and decode", |path| Some(split_and_decoded(path))),
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
        Some(split_and_decoded(&without_parameters(path)))
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

/// The segments of a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

fn read(path: &str) -> Option<Reading> {
    Some(Reading::new(parts(path).map(Segment::plain)))
}

fn split_and_decoded(path: &str) -> Reading {
    let decoded = |part: &str| text(&decoded(part.as_bytes()));
    Reading::new(parts(path).map(|part| Segment::plain(&decoded(part))))
}

/// A target up to the first of these characters.
fn before<'t>(target: &'t str, ends: &[char]) -> &'t str {
    target.split(ends).next().unwrap_or(target)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn octet(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digits = std::str::from_utf8(&[*high, *low]).ok()?.to_owned();
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(&digits, 16).ok().filter(|_| are_digits)
}

/// A parameter that a router leaves encoded, as an application decodes it.
pub fn decoded_parameter(value: &str) -> String {
    text(&decoded(value.as_bytes()))
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

/// RFC 3986 §6.2.2.2, then §5.2.4.
fn rfc_3986(path: &str) -> String {
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    without_dots(&text(&decoded_where(path.as_bytes(), is_unreserved)))
}

/// RFC 3986 §5.2.4, exactly.
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
