//! Envoy's matchers of strings, headers and paths → formulas.

use super::{Settings, regex};
use crate::migrate::atom::{Atom, How, PathTest, PathText, Text};
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::node::{Node, is_named};

/// What a matcher is read for.
#[derive(Clone, Copy)]
pub struct Scope<'f> {
    /// The name of the file.
    pub file: &'f str,
    /// The settings of the connection manager.
    pub settings: Settings,
    /// Whether a filter before this one verifies tokens.
    pub sees_tokens: bool,
}

impl Scope<'_> {
    /// A place in the file.
    pub fn place(self, node: &Node<'_>) -> String {
        match node.path.is_empty() {
            true => self.file.to_owned(),
            false => format!("{}: {}", self.file, node.path),
        }
    }
}

/// A question that cannot be asked. The report names it.
pub fn unknown(notes: &mut Notes, construct: &str, place: &str, text: &str) -> Formula {
    notes.lost(construct, place, text);
    Formula::atom(Atom::Unknown(format!("{construct} at {place}")))
}

/// A `StringMatcher`, which is one of several keys.
pub enum Strings {
    /// One of these texts.
    OneOf(Vec<Text>),
    /// A regular expression.
    Regex(String),
    /// Something else.
    Other,
}

/// Reads a `StringMatcher`.
pub fn strings(node: &Node<'_>) -> Strings {
    let ignores_case = node.is_true("ignore_case");
    for (key, how) in [
        ("exact", How::Exact),
        ("prefix", How::Prefix),
        ("suffix", How::Suffix),
        ("contains", How::Contains),
    ] {
        if let Some(text) = node.text(key) {
            return Strings::OneOf(vec![Text {
                how,
                text: text.to_owned(),
                ignores_case,
            }]);
        }
    }
    match node.member("safe_regex") {
        Some(regex) => Strings::Regex(regex.text("regex").unwrap_or_default().to_owned()),
        None => Strings::Other,
    }
}

/// The texts of a regular expression that only lists texts: `GET|POST`, `^(a|b)$`.
pub fn texts_of_regex(regex: &str) -> Option<Vec<Text>> {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    let regex = regex.strip_suffix('$').unwrap_or(regex);
    let inner = regex
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let texts = inner.unwrap_or(regex).split('|').map(|text| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/: @".contains(&byte);
        (!text.is_empty() && text.bytes().all(is_plain)).then(|| exact(text))
    });
    texts.collect()
}

/// A text that is compared as it is.
pub fn exact(text: &str) -> Text {
    Text {
        how: How::Exact,
        text: text.to_owned(),
        ignores_case: false,
    }
}

/// A `StringMatcher` of a path without its query.
pub fn path(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let place = scope.place(node);
    match strings(node) {
        Strings::OneOf(texts) => Formula::any(texts.into_iter().map(|text| {
            path_of_text(text).unwrap_or_else(|| {
                let text = "a part of the path that is not at its beginning";
                unknown(notes, "path", &place, text)
            })
        })),
        Strings::Regex(regex) => regex_of_path(&regex, &place, notes),
        Strings::Other => unknown(notes, "path", &place, "this matcher"),
    }
}

/// A regular expression of a path. One that cannot be translated is still bounded by the text at its beginning.
fn regex_of_path(text: &str, place: &str, notes: &mut Notes) -> Formula {
    regex::of_path(text).unwrap_or_else(|| {
        let why = "this regular expression of a path";
        Formula::all([regex::bound(text), unknown(notes, "safe_regex", place, why)])
    })
}

/// The question about a path that is one about a text.
pub fn path_of_text(text: Text) -> Option<Formula> {
    let own = PathText {
        text: text.text,
        ignores_case: text.ignores_case,
    };
    let test = match text.how {
        How::Exact => PathTest::Exact(own),
        How::Prefix if own.text.is_empty() || own.text == "/" => return Some(Formula::True),
        How::Prefix => PathTest::Prefix(own),
        How::NotEmpty => return Some(Formula::True),
        How::Suffix | How::Contains => return None,
    };
    Some(Formula::atom(Atom::Path(test)))
}

/// A `HeaderMatcher`.
pub fn header(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let place = scope.place(node);
    let name = node.text("name").unwrap_or_default().to_lowercase();
    let is_inverted = node.is_true("invert_match");
    if node.is_true("treat_missing_header_as_empty") {
        return unknown(
            notes,
            "treat_missing_header_as_empty",
            &place,
            "this matcher",
        );
    }
    let present = Formula::atom(Atom::HeaderPresent(name.clone()));
    let is_pseudo = name.starts_with(':') || name == "host";
    if let Some(wanted) = node.member("present_match") {
        let is_wanted = (wanted.value == true || wanted.value == "true") != is_inverted;
        // Only extended CONNECT has `:protocol`, and CONNECT has no `:path`.
        if is_pseudo && !matches!(&*name, ":authority" | ":method" | ":scheme" | "host") {
            return unknown(notes, "present_match", &place, "this pseudo-header");
        }
        return match (is_pseudo, is_wanted) {
            (true, true) => Formula::True,
            (true, false) => Formula::False,
            (false, true) => present,
            (false, false) => present.negated(),
        };
    }
    let values = match node.member("string_match") {
        Some(matcher) => strings(&matcher),
        None => old_style(node),
    };
    let texts = match values {
        Strings::OneOf(texts) => Some(texts),
        Strings::Regex(regex) if name == ":path" => {
            // The value has the query.
            let _ = regex;
            None
        }
        Strings::Regex(regex) => texts_of_regex(&regex),
        Strings::Other => None,
    };
    let Some(texts) = texts else {
        let is_any = [
            "present_match",
            "string_match",
            "exact_match",
            "prefix_match",
            "suffix_match",
            "contains_match",
            "safe_regex_match",
            "range_match",
        ]
        .iter()
        .any(|key| node.member(key).is_some());
        return match is_any || is_pseudo {
            true => unknown(notes, "header", &place, "this matcher"),
            // A matcher without a value asks for presence.
            false if is_inverted => present.negated(),
            false => present,
        };
    };
    let each = texts.into_iter().map(|text| match name.as_str() {
        ":method" if text.how == How::Exact && !text.ignores_case => {
            Formula::atom(Atom::Method(text.text))
        }
        ":authority" | "host" => Formula::atom(Atom::Host(text)),
        ":path" if text.how == How::Prefix && !text.text.contains('?') => {
            path_of_text(text).unwrap_or(Formula::False)
        }
        _ if is_pseudo => unknown(notes, "header", &place, "this pseudo-header"),
        _ => Formula::atom(Atom::Header(name.clone(), text)),
    });
    let matches = Formula::any(each);
    match (is_inverted, is_pseudo) {
        (false, _) => matches,
        (true, true) => matches.negated(),
        // An absent header does not match, although the matcher is inverted.
        (true, false) => Formula::all([present, matches.negated()]),
    }
}

/// The keys before `string_match`.
fn old_style(node: &Node<'_>) -> Strings {
    for (key, how) in [
        ("exact_match", How::Exact),
        ("prefix_match", How::Prefix),
        ("suffix_match", How::Suffix),
        ("contains_match", How::Contains),
    ] {
        if let Some(text) = node.text(key) {
            // Envoy does not compare the value with an empty `exact_match`.
            if text.is_empty() {
                return Strings::Other;
            }
            return Strings::OneOf(vec![Text {
                how,
                text: text.to_owned(),
                ignores_case: false,
            }]);
        }
    }
    match node.member("safe_regex_match") {
        Some(regex) => Strings::Regex(regex.text("regex").unwrap_or_default().to_owned()),
        None => Strings::Other,
    }
}

/// The keys of a `match` that [`route`] reads. With any other key, such as `runtime_fraction`, fewer requests match.
const READ: [&str; 7] = [
    "prefix",
    "path",
    "path_separated_prefix",
    "safe_regex",
    "connect_matcher",
    "case_sensitive",
    "headers",
];

/// The `match` of a route or of a rule of `jwt_authn`.
pub fn route(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let place = scope.place(node);
    let ignores_case = node
        .member("case_sensitive")
        .is_some_and(|member| member.value == false || member.value == "false");
    let text = |how, text: &str| {
        path_of_text(Text {
            how,
            text: text.to_owned(),
            ignores_case,
        })
        .unwrap_or(Formula::False)
    };
    let mut parts = Vec::new();
    if let Some(prefix) = node.text("prefix") {
        parts.push(text(How::Prefix, prefix));
    } else if let Some(path) = node.text("path") {
        parts.push(text(How::Exact, path));
    } else if let Some(path) = node.text("path_separated_prefix") {
        parts.push(match ignores_case {
            false => Formula::atom(Atom::Path(PathTest::Segments(path.to_owned()))),
            true => unknown(notes, "path_separated_prefix", &place, "without case"),
        });
    } else if let Some(regex) = node.at(&["safe_regex"]) {
        let regex = regex.text("regex").unwrap_or_default();
        parts.push(regex_of_path(regex, &place, notes));
    } else if node.member("connect_matcher").is_some() {
        parts.push(Formula::atom(Atom::Method("CONNECT".to_owned())));
    } else {
        parts.push(unknown(notes, "match", &place, "this matcher of a path"));
    }
    let headers = node.member("headers");
    for header_node in headers.iter().flat_map(Node::items) {
        parts.push(header(&header_node, scope, notes));
    }
    for (key, member) in node.members() {
        let is_read = READ.iter().any(|own| is_named(key, own));
        if !is_read && member.value.as_array().is_none_or(|list| !list.is_empty()) {
            parts.push(unknown(notes, key, &place, "this matcher"));
        }
    }
    Formula::all(parts)
}
