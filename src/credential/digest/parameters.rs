//! A list of parameters after a scheme: `#auth-param` (RFC 9110 §11.2, §5.6.1).

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::grammar::split_token;

/// The longest list that is read, in bytes.
const BYTES_MAX: usize = 8 * 1024;

/// The most list elements that are read. Empty ones count (RFC 9110 §5.6.1.2). RFC 7616 §3.4 has 12 parameters.
const ELEMENTS_MAX: usize = 32;

/// The value of a parameter, without quotes and escapes.
type Value<'a> = Cow<'a, [u8]>;

/// Parameters, each name once.
pub(super) struct Parameters<'a>(SmallVec<[(&'a [u8], Value<'a>); 12]>);

impl<'a> Parameters<'a> {
    /// Reads a list. `None` if it breaks the grammar, repeats a name, or is too long.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let mut read = Self(SmallVec::new());
        let mut rest = text;
        if text.len() > BYTES_MAX {
            return None;
        }
        for _ in 0..ELEMENTS_MAX {
            rest = without_spaces(rest);
            if !rest.is_empty() && !rest.starts_with(b",") {
                let (name, after) = split_token(rest);
                // Before and after `=` there may be spaces (`BWS`, RFC 9110 §5.6.3).
                let sent = without_spaces(after).strip_prefix(b"=")?;
                let (value, after) = value(without_spaces(sent))?;
                if name.is_empty() || read.position(name).is_some() {
                    return None;
                }
                read.0.push((name, value));
                rest = without_spaces(after);
            }
            match rest.split_first() {
                None => return Some(read),
                Some((b',', after)) => rest = after,
                Some(_) => return None,
            }
        }
        None
    }

    /// The value of a parameter, whose name may have any case. It is there once.
    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let position = self.position(name.as_bytes())?;
        Some(self.0.swap_remove(position).1)
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let mut names = self.0.iter().map(|(known, _)| known);
        names.position(|known| known.eq_ignore_ascii_case(name))
    }
}

/// A token or a quoted-string at the start of a text, and the rest of the text (RFC 9110 §5.6.2, §5.6.4).
fn value(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (token, rest) = split_token(text);
        return (!token.is_empty()).then_some((Cow::Borrowed(token), rest));
    };
    let mut is_escaped = false;
    let mut has_escapes = false;
    for (end, byte) in quoted.iter().enumerate() {
        match byte {
            // RFC 9110 §5.6.4: `qdtext` and `quoted-pair` have no other control character than the tab.
            0..=0x08 | 0x0a..=0x1f | 0x7f => return None,
            _ if is_escaped => is_escaped = false,
            b'\\' => {
                is_escaped = true;
                has_escapes = true;
            }
            b'"' => {
                let content = quoted.get(..end)?;
                let value = match has_escapes {
                    true => Cow::Owned(unescaped(content)),
                    false => Cow::Borrowed(content),
                };
                return Some((value, quoted.get(end + 1..)?));
            }
            _ => {}
        }
    }
    None
}

/// The content of a quoted-string, without the backslash before each escaped character.
#[cold]
fn unescaped(content: &[u8]) -> Vec<u8> {
    let mut octets = content.iter();
    let mut text = Vec::with_capacity(content.len());
    while let Some(octet) = octets.next() {
        let escaped = if *octet == b'\\' { octets.next() } else { None };
        text.push(*escaped.unwrap_or(octet));
    }
    text
}

fn without_spaces(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    start
        .and_then(|start| text.get(start..))
        .unwrap_or_default()
}
