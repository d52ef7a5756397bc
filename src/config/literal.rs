//! Texts that the filter compares as written, although their author may have meant a pattern.
//!
//! A `*` that could only stand for every text is a fault: what it stands in would match nothing, and a weaker rule could
//! decide. Within a longer text it is a warning, since `orders:*` is a scope that issuers use. So is whitespace at an end.

use std::borrow::Cow;

use serde_json::Value;

use super::at::At;
use super::diagnostic::{Diagnostics, Reported, Whole};
use super::fault::{Fault, InvalidHeader, Warning};
use crate::grammar::unprintable::escaped;

impl Diagnostics {
    /// Checks an item of a list that can be removed to match any value.
    pub fn literal(&mut self, at: &At<'_>, text: &str) -> Whole {
        self.literal_or(at, text, "")
    }

    /// Checks a text. `instead` says what to write in place of a `*`; if it is empty, the list is to be removed.
    // Not inlined, as the others below: many keys have a call.
    #[inline(never)]
    pub fn literal_or(&mut self, at: &At<'_>, text: &str, instead: &'static str) -> Whole {
        if !stands_for_every_text(text) {
            self.warn_of_pattern(at, text);
            return Ok(());
        }
        Err(match instead {
            "" => self.wildcard(at, text),
            instead => self.report(at, Fault::Wildcard(instead)),
        })
    }

    /// Reports a text that stands for every value of a list.
    #[inline(never)]
    pub fn wildcard(&mut self, at: &At<'_>, text: &str) -> Reported {
        let fault = Fault::WildcardInList {
            found: text.to_owned(),
            key: at.key().to_owned(),
        };
        self.report(at, fault)
    }

    /// Checks each text in a value. The recursion is bounded by the depth of a configuration.
    #[inline(never)]
    pub fn literal_in(&mut self, at: &At<'_>, value: &Value, instead: &'static str) -> Whole {
        match value {
            Value::String(text) => self.literal_or(at, text, instead),
            Value::Array(items) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| self.literal_in(&at.item(index), item, instead))
            }
            Value::Object(members) => {
                let mut members = members.iter();
                members
                    .try_for_each(|(name, item)| self.literal_in(&at.member(name), item, instead))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// Checks the value of a header that a rule matches.
    #[inline(never)]
    pub fn header_value(&mut self, at: &At<'_>, header: &str, value: &str) -> Whole {
        if !has_star(value) {
            self.warn_of_pattern(at, value);
        } else if !is_media_range(header, value) {
            return Err(self.report(at, InvalidHeader::Wildcard));
        }
        Ok(())
    }

    #[inline(never)]
    fn warn_of_pattern(&mut self, at: &At<'_>, text: &str) {
        if has_star(text) {
            self.warn(at, Warning::LiteralStar);
        } else if looks_like_a_pattern(text) {
            self.warn(at, Warning::LiteralPattern);
        } else if is_stray(text) {
            self.warn(at, Warning::LiteralStray);
        }
    }
}

/// Whether a text begins or ends with whitespace, or contains an invisible character. Issuers write no such value, and
/// a copy of a value easily does.
#[inline(never)]
pub fn is_stray(text: &str) -> bool {
    text.trim() != text || matches!(escaped(text), Cow::Owned(_))
}

/// Whether a text has a `*`.
#[inline(never)]
pub fn has_star(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'*')
}

/// Whether a text can only be meant to match every text: `*`, `**`, `.*` or `^.*$`.
#[inline(never)]
pub fn stands_for_every_text(text: &str) -> bool {
    let is_of_pattern =
        |byte| matches!(byte, b'*' | b'.' | b'+' | b'?' | b'^' | b'$' | b'/' | b' ');
    has_star(text) && text.bytes().all(is_of_pattern) || text == ".+"
}

/// Whether a text without a `*` looks like a regular expression, or like a template.
fn looks_like_a_pattern(text: &str) -> bool {
    text.starts_with('^') || text.contains(".+") || text.bytes().any(|byte| byte == b'{')
}

/// Whether each `*` of a header's value has a meaning: in `*/*`, `text/*` or `*` of the headers for content negotiation
/// (RFC 9110 §12.5) and of those for conditional requests (§13.1).
fn is_media_range(header: &str, value: &str) -> bool {
    let mut is_known = header.starts_with("accept") || header.starts_with("if-");
    let mut before = b' ';
    for byte in value.bytes().chain([b' ']) {
        // On both sides of a `*` is a delimiter, or an end of the value.
        if before == b'*' || byte == b'*' {
            let other = if byte == b'*' { before } else { byte };
            is_known &= matches!(other, b' ' | b'\t' | b',' | b';' | b'/');
        }
        before = byte;
    }
    is_known
}
