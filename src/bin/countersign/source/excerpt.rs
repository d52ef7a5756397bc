//! A line of a file as a report shows it: without secrets.
//!
//! 1. A line shows the names of keys, and the values of keys that are known to hold no secret: most keys of a
//!    configuration, and some of Envoy and Kubernetes. Every other value is `…`, and so are comments.
//! 2. Of a value that is shown, a part that looks random, the user name in a URL and the query of a URL are `…`, too.
//! 3. A value that an alias names is hidden if one of the keys that have it hides it.

use std::ops::Range;
use std::sync::OnceLock;

use countersign::config::document::Document;
use regex_lite::Regex;
use serde_json::Value;

use super::tree::{Children, Member, Tree};
use super::{Source, embedded};

/// Stands for text that is not shown.
const HIDDEN: &str = "…";

/// Keys whose values are shown, besides the keys of a configuration.
const SHOWN: [&str; 41] = [
    "@type",
    "action",
    "allow_expired_certificate",
    "apiVersion",
    "applyTo",
    "capability_restriction_config",
    "disabled",
    "fail_open",
    "failOpen",
    "failStrategy",
    "failure_policy",
    "failurePolicy",
    "forward",
    "forward_client_cert_details",
    "forwardOriginalToken",
    "host_env_keys",
    "hostKeys",
    "is_optional",
    "kind",
    "operation",
    "path",
    "phase",
    "port_value",
    "prefix",
    "priority",
    "require_client_certificate",
    "root_id",
    "rootId",
    "stat_prefix",
    "trust_chain_verification",
    "type",
    "type_url",
    "use_remote_address",
    "valueFrom",
    "value_from",
    "vm_id",
    "vmId",
    "xff_num_trusted_hops",
    "match_subject_alt_names",
    "namespace",
    "address",
];

/// Keys of a configuration whose values are not shown.
const NOT_SHOWN: [&str; 16] = [
    "body",
    "claims",
    "client_secret",
    "env",
    "ha1",
    "headers",
    "inline",
    "jti",
    "keys",
    "pages",
    "password",
    "secret",
    "sha256",
    "users",
    "remove",
    "value",
];

/// Keys below which no value is shown. A key whose name contains `secret`, `passw` or `credential` is one, too.
const SECRETS: [&str; 14] = [
    "d",
    "dp",
    "dq",
    "data",
    "env",
    "environment_variables",
    "ha1",
    "k",
    "key_values",
    "oth",
    "p",
    "q",
    "qi",
    "stringData",
];

/// A line, or a part of a long one, as a report shows it, and the bytes of it that are marked.
pub struct Excerpt {
    /// The text.
    pub line: String,
    /// The bytes that are marked.
    pub marked: Range<usize>,
}

impl Source {
    /// The line in which a range begins.
    pub fn excerpt(&self, range: &Range<usize>) -> Excerpt {
        let start = self.position(range.start);
        let line = self.line(start.line);
        let offset = self.lines.get(start.line - 1).copied().unwrap_or_default();
        let mut painter = Painter::new(range);
        if self.roots.is_empty() {
            lexical(line, offset, &mut painter);
        } else {
            let shown = Shown::of(self, offset..offset + line.len());
            shown.paint(line, offset, &mut painter);
        }
        painter.finish()
    }
}

/// The ranges of a line that are shown, and those that are not.
#[derive(Default)]
struct Shown {
    keys: Vec<Range<usize>>,
    values: Vec<(Range<usize>, bool)>,
    hidden: Vec<Range<usize>>,
}

impl Shown {
    fn of(source: &Source, line: Range<usize>) -> Self {
        let mut shown = Self::default();
        for (_, tree) in &source.roots {
            shown.add(tree, "", false, &line, &source.text);
        }
        shown
    }

    /// Adds what a value contains of a line.
    fn add(&mut self, tree: &Tree, key: &str, is_secret: bool, line: &Range<usize>, text: &str) {
        match tree.children.as_ref() {
            Children::Text(value) => {
                if tree.range.start >= line.end || tree.range.end <= line.start {
                    return;
                }
                let embedded = embedded::tree(value, tree.range.clone(), text);
                let embedded = embedded.filter(|tree| !matches!(*tree.children, Children::Text(_)));
                match embedded {
                    Some(tree) if !is_secret => self.add(&tree, "", false, line, text),
                    _ if is_secret || !may_be_shown(key) => self.hidden.push(tree.range.clone()),
                    _ => self.values.push((tree.range.clone(), key == "cel")),
                }
            }
            Children::Items(items) => {
                for item in items {
                    self.add(item, key, is_secret, line, text);
                }
            }
            Children::Members(members) => {
                if matches!(key, "keys" | "users") {
                    self.hide_names(members);
                }
                for member in members {
                    self.keys.push(member.key.clone());
                    // The names of headers and claims are names of the user.
                    let name = match key {
                        "headers" | "claims" | "pages" => "",
                        _ => member.name.as_str(),
                    };
                    self.add(
                        &member.value,
                        name,
                        is_secret || is_secret_name(&member.name),
                        line,
                        text,
                    );
                }
            }
        }
    }

    /// Hides the names in keys and users that no key or user has: `keys: {sk-4f…: acme}` and `keys: [{sk-4f…: acme}]` have a
    /// key as a name. A JSON Web Key has names of its standard.
    fn hide_names(&mut self, members: &[Member]) {
        if members.iter().any(|own| own.name == "kty") {
            return;
        }
        let is_known = |name: &str| {
            // A key in plain text has this name.
            name == "key" || may_be_shown(name) || NOT_SHOWN.contains(&name)
        };
        let unknown = members.iter().filter(|own| !is_known(&own.name));
        self.hidden.extend(unknown.map(|own| own.key.clone()));
    }

    fn paint(&self, line: &str, offset: usize, painter: &mut Painter<'_>) {
        let within = |ranges: &[Range<usize>], at: usize| {
            let mut ranges = ranges.iter();
            ranges
                .find(|range| range.contains(&at))
                .map(|range| range.end)
        };
        let mut at = offset;
        let end = offset + line.len();
        let text =
            |from: usize, to: usize| line.get(from - offset..to - offset).unwrap_or_default();
        while at < end {
            let hidden = within(&self.hidden, at);
            let key = within(&self.keys, at);
            let value = self.values.iter().find(|(range, _)| range.contains(&at));
            let next = match (hidden, key, value) {
                (Some(next), ..) => {
                    let next = next.min(end);
                    painter.hide_quoted(text(at, next), at);
                    next
                }
                (_, Some(next), _) => {
                    let next = next.min(end);
                    painter.show(text(at, next), at);
                    next
                }
                (_, _, Some((range, is_code))) => {
                    // A range that is hidden can begin within one that is shown.
                    let hidden = self
                        .hidden
                        .iter()
                        .map(|range| range.start)
                        .filter(|start| *start > at);
                    let next = hidden.fold(range.end.min(end), usize::min);
                    match is_code {
                        true => painter.show_code(text(at, next), at),
                        false => painter.show(text(at, next), at),
                    }
                    next
                }
                (None, None, None) => {
                    let rest = text(at, end);
                    if rest.starts_with('#')
                        && line.get(..at - offset).is_none_or(is_before_comment)
                    {
                        painter.hide(rest.len(), at);
                        break;
                    }
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    painter.structure(text(at, at + length), at);
                    at + length
                }
            };
            at = next;
        }
    }
}

fn is_before_comment(before: &str) -> bool {
    before.is_empty() || before.ends_with(char::is_whitespace)
}

/// Shows a line of a file that cannot be parsed: its first key and its punctuation. A key with a digit can be a secret in
/// the place of a name.
fn lexical(line: &str, offset: usize, painter: &mut Painter<'_>) {
    static KEY: OnceLock<Option<Regex>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        Regex::new(
            r#"^[\s\u{a0}]*(?:-\s+)*[{\[]?\s*["']?[A-Za-z_@][A-Za-z0-9_.-]{0,40}["']?\s*:(?:\s|$)"#,
        )
        .ok()
    });
    let is_name = |found: &str| {
        let name = found.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        !name.contains(|letter: char| letter.is_ascii_digit())
            || may_be_shown(name)
            || NOT_SHOWN.contains(&name)
    };
    let key = key
        .as_ref()
        .and_then(|key| key.find(line))
        .filter(|found| is_name(found.as_str()))
        .map_or(0, |found| found.end());
    let (key, rest) = line.split_at_checked(key).unwrap_or_default();
    painter.show(key, offset);
    let mut at = offset + key.len();
    for character in rest.chars() {
        let mut buffer = [0; 4];
        painter.structure(character.encode_utf8(&mut buffer), at);
        at += character.len_utf8();
    }
}

/// Whether the value of a key is shown.
fn may_be_shown(key: &str) -> bool {
    static KEYS: OnceLock<Vec<String>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let mut keys = Vec::new();
        names(&Value::from(schemars::schema_for!(Document)), &mut keys);
        keys
    });
    SHOWN.contains(&key) || !NOT_SHOWN.contains(&key) && keys.iter().any(|known| known == key)
}

/// The names of the properties in a schema.
fn names(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                if let ("properties", Some(properties)) = (name.as_str(), value.as_object()) {
                    found.extend(properties.keys().cloned());
                }
                names(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

/// Whether the value of a key is probably a secret, whatever it contains.
fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut parts = ["secret", "passw", "credential"].iter();
    SECRETS.contains(&name) || parts.any(|part| lower.contains(part)) && !may_be_shown(name)
}

/// The text without what may be a secret.
pub fn without_secrets(text: &str) -> String {
    static PARTS: OnceLock<Vec<Regex>> = OnceLock::new();
    let parts = PARTS.get_or_init(|| {
        [
            // The user and the password in a URL, and the query of a URL.
            r"(://)[^/\s@]*(@)",
            r"(//[^\s?#]*[?#])[^\s\x22']+()",
            r"([?&])[^\s\x22'=]*=[^\s\x22']*()",
            // A key without a space behind the colon.
            r"((?i:secret|passw[a-z]*|credential[a-z]*|token|ha1|sha256|key)\w*:)[^\s\[\],}]+()",
            // A token, and what looks like a random key.
            r"()eyJ[A-Za-z0-9_.\-]{8,}()",
            r"()\$(?:2[abxy]|argon2[a-z]*)\$[^\s\x22']+()",
            r"()\{SHA(?:256)?\}[A-Za-z0-9+/=]+()",
            r"()\b[0-9A-Fa-f]{32,}\b()",
        ]
        .iter()
        .filter_map(|part| Regex::new(part).ok())
        .collect()
    });
    let mut text = text.to_owned();
    for part in parts {
        text = part
            .replace_all(&text, format!("${{1}}{HIDDEN}${{2}}"))
            .into_owned();
    }
    let is_of_word =
        |character: char| character.is_ascii_alphanumeric() || "_+/=".contains(character);
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(|character| !is_of_word(character)) {
        let word = piece.trim_end_matches(|character| !is_of_word(character));
        match is_random(word) {
            true => shown.extend([HIDDEN, piece.get(word.len()..).unwrap_or_default()]),
            false => shown.push_str(piece),
        }
    }
    shown
}

fn is_random(word: &str) -> bool {
    let has = |is_meant: fn(&u8) -> bool| word.as_bytes().iter().any(is_meant);
    word.len() >= 20
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// Assembles the line that is shown, and maps the marked bytes to it.
struct Painter<'r> {
    marked: &'r Range<usize>,
    line: String,
    from: Option<usize>,
    to: usize,
}

impl<'r> Painter<'r> {
    fn new(marked: &'r Range<usize>) -> Self {
        Self {
            marked,
            line: String::new(),
            from: None,
            to: 0,
        }
    }

    /// Adds what is shown for a piece of the file. A part of a piece is marked exactly if the piece is shown as it is.
    fn add(&mut self, shown: &str, piece: Range<usize>) {
        let before = self.line.len();
        let is_as_written = shown.len() == piece.len();
        self.line.push_str(shown);
        if piece.start >= self.marked.end || piece.end <= self.marked.start {
            return;
        }
        let (mut from, mut to) = (before, self.line.len());
        if is_as_written {
            from += self.marked.start.saturating_sub(piece.start);
            to -= piece.end.saturating_sub(self.marked.end);
        }
        self.from.get_or_insert(from);
        self.to = to;
    }

    fn show(&mut self, text: &str, at: usize) {
        self.add(&without_secrets(text), at..at + text.len());
    }

    /// Shows an expression without the text in its quotes. One with escapes is hidden: they change where a quote ends.
    fn show_code(&mut self, text: &str, at: usize) {
        let escapes = text.len() - text.trim_start_matches('\\').len();
        let rest = text.get(escapes..).unwrap_or_default();
        let outer = escapes + usize::from(rest.starts_with(['"', '\'']));
        let (begin, code) = text.split_at_checked(outer).unwrap_or_default();
        let end = code.len().saturating_sub(outer);
        let inner = code.get(..end).unwrap_or_default();
        if inner.contains('\\') || begin.ends_with('\'') || outer > 0 && !code.ends_with(begin) {
            return self.hide(text.len(), at);
        }
        self.structure(begin, at);
        let mut at = at + outer;
        for (index, piece) in inner.split_inclusive(['"', '\'']).enumerate() {
            let text = piece.trim_end_matches(['"', '\'']);
            match index % 2 {
                0 => self.show(piece, at),
                _ => {
                    self.hide(text.len(), at);
                    self.show(piece.get(text.len()..).unwrap_or_default(), at + text.len());
                }
            }
            at += piece.len();
        }
        self.structure(begin, at);
    }

    /// Hides a piece. What is hidden beside it, and the spaces between, are hidden with it.
    fn hide(&mut self, length: usize, at: usize) {
        let is_beside = self.line.trim_end_matches(' ').ends_with(HIDDEN);
        if length > 0 && is_beside {
            self.line.truncate(self.line.trim_end_matches(' ').len());
            self.to = self.to.min(self.line.len());
            self.add("", at..at + length);
        } else if length > 0 {
            self.add(HIDDEN, at..at + length);
        }
    }

    /// Hides a value, but shows its indentation and its quotes.
    fn hide_quoted(&mut self, text: &str, at: usize) {
        let start = text.len() - text.trim_start().len();
        self.structure(text.get(..start).unwrap_or_default(), at);
        let value = text.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\'' | '|' | '>'));
        let Some(quote) = quote else {
            return self.hide(value.len(), at + start);
        };
        self.structure(value.get(..1).unwrap_or_default(), at + start);
        let is_closed = value.len() > 1 && value.ends_with(quote) && matches!(quote, '"' | '\'');
        let end = value.len() - usize::from(is_closed);
        self.hide(end - 1, at + start + 1);
        self.structure(value.get(end..).unwrap_or_default(), at + start + end);
    }

    /// Shows whitespace and punctuation, and hides the rest.
    fn structure(&mut self, text: &str, at: usize) {
        let is_shown = |character: char| {
            character.is_whitespace() || "-[]{},:\"'|><&*!?%@`“”/#\t".contains(character)
        };
        match text.chars().all(is_shown) {
            // A byte order mark has no width.
            _ if text == "\u{feff}" => self.add("", at..at + text.len()),
            true => self.add(text, at..at + text.len()),
            false => self.hide(text.len(), at),
        }
    }

    fn finish(self) -> Excerpt {
        let end = self.line.len();
        let from = self.from.unwrap_or(end);
        let to = self.to.clamp(from, end);
        // The renderer panics at a mark that begins or ends within a character.
        let is_boundary = |at: &usize| self.line.is_char_boundary(*at);
        let from = (0..=from).rev().find(is_boundary).unwrap_or_default();
        let to = (to..=end).find(is_boundary).unwrap_or(end);
        let (line, marked) = shortened(self.line, from..to);
        Excerpt { line, marked }
    }
}

/// The longest line that is shown whole, in bytes.
const LINE_MAX: usize = 160;

/// A long line, such as one of minified JSON, is shown from shortly before what is marked.
fn shortened(line: String, marked: Range<usize>) -> (String, Range<usize>) {
    if line.len() <= LINE_MAX {
        return (line, marked);
    }
    let boundary = |at: usize| {
        (at..=line.len())
            .find(|at| line.is_char_boundary(*at))
            .unwrap_or(line.len())
    };
    let from = boundary(marked.start.saturating_sub(40));
    let to = boundary((from + LINE_MAX).min(line.len()));
    let (before, after) = (
        if from > 0 { HIDDEN } else { "" },
        if to < line.len() { HIDDEN } else { "" },
    );
    let text = line.get(from..to).unwrap_or_default();
    let moved = |at: usize| (at.clamp(from, to) - from) + before.len();
    let marked = moved(marked.start)..moved(marked.end);
    (format!("{before}{text}{after}"), marked)
}
