//! An input: one odd request, and its exact bytes.

use std::fmt;

use super::shown;

/// Where bob's good token stands in an input.
pub const GOOD: &[u8] = b"{bob}";
/// A token of an untrusted key, with the roles of an administrator.
pub const FORGED: &[u8] = b"{forged}";
/// What is asked for, unless an input says otherwise.
const HOST: &[u8] = b"api.example.com";

/// A header field, name and value.
pub type Field = (Vec<u8>, Vec<u8>);

/// Whose credential a request carries in the way that clients do: none, or bob's in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    Bob,
}

/// The tokens of a run.
pub struct Tokens {
    pub good: Vec<u8>,
    pub forged: Vec<u8>,
}

impl Tokens {
    /// For requests to a server that no filter stands before.
    pub fn none() -> Self {
        Self {
            good: b"good".to_vec(),
            forged: b"forged".to_vec(),
        }
    }
}

/// An odd request. `{bob}` and `{forged}` stand for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Vec<Field>,
    /// Fields after the content.
    pub trailers: Vec<Field>,
}

impl Input {
    pub fn get(target: &str) -> Self {
        Self {
            method: b"GET".to_vec(),
            target: target.into(),
            fields: Vec::new(),
            trailers: Vec::new(),
        }
    }

    /// Whether nothing but its target is odd.
    pub fn is_only_a_target(&self) -> bool {
        self.method == b"GET" && self.fields.is_empty() && self.trailers.is_empty()
    }

    /// Who may send it: one that names bob's token shows it where it says, and no other.
    pub fn callers(&self) -> &'static [Caller] {
        if self.shows_good_token() {
            &[Caller::Bob]
        } else {
            &[Caller::Anonymous, Caller::Bob]
        }
    }

    fn shows_good_token(&self) -> bool {
        let has = |text: &[u8]| text.windows(GOOD.len()).any(|part| part == GOOD);
        let fields = self.fields.iter().chain(&self.trailers);
        has(&self.target)
            || fields
                .into_iter()
                .any(|(name, value)| has(name) || has(value))
    }

    /// The header fields as they are sent.
    pub fn head(&self, caller: Caller) -> Vec<Field> {
        let mut head: Vec<Field> = Vec::new();
        let has = |name: &[u8]| {
            self.fields
                .iter()
                .any(|(own, _)| own.eq_ignore_ascii_case(name))
        };
        if !has(b"host") {
            head.push((b"host".to_vec(), HOST.to_vec()));
        }
        if caller == Caller::Bob && !self.shows_good_token() {
            let value = [&b"Bearer "[..], GOOD].concat();
            head.push((b"authorization".to_vec(), value));
        }
        head.extend(self.fields.iter().cloned());
        if !self.trailers.is_empty() {
            head.push((b"transfer-encoding".to_vec(), b"chunked".to_vec()));
        } else if self.method != b"GET" && !has(b"content-length") && !has(b"transfer-encoding") {
            head.push((b"content-length".to_vec(), b"0".to_vec()));
        }
        head
    }

    /// The request, byte for byte.
    pub fn to_bytes(&self, caller: Caller, tokens: &Tokens) -> Vec<u8> {
        let mut bytes = [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        bytes.extend(lines(&self.head(caller)));
        if !self.trailers.is_empty() {
            bytes.extend(b"0\r\n");
            bytes.extend(lines(&self.trailers));
        }
        let bytes = replaced(&bytes, GOOD, &tokens.good);
        replaced(&bytes, FORGED, &tokens.forged)
    }

    /// How much there is to read.
    pub fn length(&self) -> usize {
        let fields = self.fields.iter().chain(&self.trailers);
        let fields = fields.map(|(name, value)| name.len() + value.len() + 4);
        self.method.len() + self.target.len() + fields.sum::<usize>()
    }

    /// The target up to its query.
    pub fn path(&self) -> &[u8] {
        countersign::request::path::without_query(&self.target)
    }

    /// The parts by which it differs from an ordinary request: names of fields, and the oddities of its path.
    pub fn cause(&self) -> Vec<Vec<u8>> {
        let fields = self.fields.iter().chain(&self.trailers);
        let mut cause: Vec<Vec<u8>> = fields.map(|(name, _)| name.to_ascii_lowercase()).collect();
        let is_odd = |byte: &&u8| !byte.is_ascii_alphanumeric() && **byte != b'/';
        cause.push(self.path().iter().filter(is_odd).copied().collect());
        if self.path().starts_with(b"//") {
            cause.push(b"//".to_vec());
        }
        if self.path().len() < self.target.len() {
            cause.push(b"?".to_vec());
        }
        cause.sort();
        cause.dedup();
        cause
    }

    /// As it is sent by someone, a line a field.
    pub fn of(&self, caller: Caller) -> impl fmt::Display {
        let mut lines = vec![format!(
            "{} {} HTTP/1.1",
            shown(&self.method),
            shown(&self.target)
        )];
        let fields = self
            .head(caller)
            .into_iter()
            .chain(self.trailers.iter().cloned());
        lines.extend(fields.map(|(name, value)| format!("{}: {}", shown(&name), shown(&value))));
        lines.join("\n      ")
    }
}

/// Fields and the empty line after them.
fn lines(fields: &[Field]) -> Vec<u8> {
    let line = |(name, value): &Field| [name, &b": "[..], value, b"\r\n"].concat();
    let mut lines: Vec<u8> = fields.iter().flat_map(line).collect();
    lines.extend(b"\r\n");
    lines
}

/// `text` with every `old` replaced.
pub fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(old) {
            result.extend_from_slice(new);
            rest = after;
        } else {
            result.push(*first);
            rest = &rest[1..];
        }
    }
    result
}
