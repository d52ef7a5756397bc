//! JSON in a string of a file: where its parts are in the file.
//!
//! A string in YAML or JSON is written with quotes, escapes, line breaks and indentation that are no part of it. Its text is
//! aligned with what is written, so that a part of the text has a range in the file.

use std::ops::Range;

use super::json;
use super::tree::{Children, Member, Tree};

/// The parts of the JSON that a string contains; none if the string is not JSON.
///
/// `text` is the text of the string, and `range` are its bytes in `source`.
pub fn tree(text: &str, range: Range<usize>, source: &str) -> Option<Tree> {
    let tree = json::tree(text)?;
    let offsets = align(text, source.get(range.clone())?);
    let at = |offset: usize| range.start + offsets.get(offset).copied().unwrap_or(range.len());
    Some(moved(&tree, &at))
}

/// The offset in `source` of a byte of the text of a string, which `range` contains.
pub fn offset(text: &str, offset: usize, range: &Range<usize>, source: &str) -> usize {
    let written = source.get(range.clone()).unwrap_or_default();
    let offsets = align(text, written);
    range.start + offsets.get(offset).copied().unwrap_or(range.len())
}

fn moved(tree: &Tree, at: &dyn Fn(usize) -> usize) -> Tree {
    // The end is behind the last character, which may be followed by the indentation of the next line.
    let range = |range: &Range<usize>| match range.end.checked_sub(1) {
        Some(last) if last >= range.start => at(range.start)..at(last) + 1,
        _ => at(range.start)..at(range.end),
    };
    let children = match tree.children.as_ref() {
        Children::Text(text) => Children::Text(text.clone()),
        Children::Items(items) => {
            Children::Items(items.iter().map(|item| moved(item, at)).collect())
        }
        Children::Members(members) => Children::Members(
            members
                .iter()
                .map(|member| Member {
                    name: member.name.clone(),
                    key: range(&member.key),
                    value: moved(&member.value, at),
                })
                .collect(),
        ),
    };
    Tree::new(range(&tree.range), children)
}

/// For each byte of a text, and for its end, the offset in what is written for it.
fn align(text: &str, written: &str) -> Vec<usize> {
    let quote = written
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let header = match written.chars().next() {
        Some('"' | '\'') => 1,
        // The first line of a block scalar has its indicators only.
        Some('|' | '>') => written.find('\n').map_or(written.len(), |end| end + 1),
        _ => 0,
    };
    let mut offset = header;
    let mut offsets = Vec::with_capacity(text.len() + 1);
    let rest = |offset: usize| written.get(offset..).unwrap_or_default();
    for character in text.chars() {
        if !character.is_whitespace() {
            let skipped = rest(offset);
            offset += skipped.len() - skipped.trim_start().len();
            // A line break that is escaped.
            while quote == Some('"') && is_break(rest(offset)) {
                let skipped = rest(offset).get(1..).unwrap_or_default();
                offset += 1 + skipped.len() - skipped.trim_start().len();
            }
        }
        offsets.extend(std::iter::repeat_n(offset, character.len_utf8()));
        let remaining = rest(offset);
        offset += match quote {
            Some('"') if remaining.starts_with('\\') => escape(remaining),
            Some('\'') if character == '\'' => 2,
            _ if remaining.starts_with(character) => character.len_utf8(),
            _ => 0,
        };
    }
    offsets.push(offset);
    offsets
}

fn is_break(written: &str) -> bool {
    written.starts_with("\\\n") || written.starts_with("\\\r")
}

/// The length of an escape that begins a text.
fn escape(written: &str) -> usize {
    let length = match written.chars().nth(1) {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    };
    let digits = written.get(2..6).unwrap_or_default();
    let is_high = length == 6 && digits.to_ascii_lowercase().starts_with(['d']) && {
        let code = u32::from_str_radix(digits, 16).unwrap_or_default();
        (0xd800..0xdc00).contains(&code)
    };
    match is_high {
        // Two escapes for one character.
        true => length + 6,
        false => length,
    }
}
