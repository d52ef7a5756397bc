//! The steps of the closure, each over a whole text.

use super::symbols::{Marks, SEPARATOR, Symbol, escape, is_slash, is_unreserved};
use crate::reject::PathFault;

/// A step: it reads a text, and appends its result to another.
pub(super) type Step = fn(&[Symbol], &mut Vec<Symbol>) -> Result<(), PathFault>;

/// The steps, each with the mark of the texts that it changes. The numbers are those of the closure's documentation.
pub(super) const STEPS: [(Marks, Step); 13] = [
    // 1. Decode percent-escapes.
    (Marks::ESCAPE, |text, to| decode(text, |_| true, to)),
    (Marks::UNRESERVED_ESCAPE, |text, to| {
        decode(text, is_unreserved, to)
    }),
    (Marks::SLASH_ESCAPE, |text, to| decode(text, is_slash, to)),
    // 2. and 3. Treat a slash or a backslash as a separator.
    (Marks::SLASH, |text, to| separate(text, b'/', to)),
    (Marks::BACKSLASH, |text, to| separate(text, b'\\', to)),
    // 4. Remove empty segments.
    (Marks::EMPTY_SEGMENT, |text, to| {
        join(segments(text).filter(|segment| !segment.is_empty()), to)
    }),
    // 5. Resolve dot segments.
    (Marks::DOT_SEGMENT, resolve_dots),
    // Or remove the last one, as Windows and Caddy do with dots at the end of a path.
    (Marks::DOT_SEGMENT, drop_last_dots),
    // 6. Remove path parameters.
    (Marks::SEMICOLON, |text, to| {
        join(segments(text).map(|segment| before(segment, b';')), to)
    }),
    // 7. and 8. Begin the query.
    (Marks::SEMICOLON, |text, to| cut(text, b';', to)),
    (Marks::QUESTION_MARK, |text, to| cut(text, b'?', to)),
    // 9. Remove an authority at the beginning, or only the slashes there.
    (Marks::AUTHORITY, drop_authority),
    (Marks::AUTHORITY, |text, to| {
        join(segments(text).skip_while(|segment| segment.is_empty()), to)
    }),
];

/// Decodes every escape of these octets once. A `%` that does not begin an escape is kept.
pub(super) fn decode(
    text: &[Symbol],
    counts: impl Fn(u8) -> bool,
    to: &mut Vec<Symbol>,
) -> Result<(), PathFault> {
    let mut rest = text;
    while let [symbol, after @ ..] = rest {
        match escape(rest).filter(|(octet, _)| counts(*octet)) {
            None => {
                to.push(*symbol);
                rest = after;
            }
            Some((b'#', _)) => return Err(PathFault::Fragment),
            // NUL is among these. It would otherwise be read as a separator.
            Some((octet, _)) if octet.is_ascii_control() => {
                return Err(PathFault::ControlCharacter);
            }
            Some((octet, behind)) => {
                to.push(Symbol::from(octet));
                rest = behind;
            }
        }
    }
    Ok(())
}

/// Replaces every byte `separator` by a separator.
fn separate(text: &[Symbol], separator: u8, to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    to.extend(text.iter().map(|symbol| match *symbol {
        symbol if symbol == Symbol::from(separator) => SEPARATOR,
        symbol => symbol,
    }));
    Ok(())
}

/// Ends the text before the first byte `end`.
fn cut(text: &[Symbol], end: u8, to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    to.extend_from_slice(before(text, end));
    Ok(())
}

fn resolve_dots(text: &[Symbol], to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    const DOT: Symbol = b'.' as Symbol;
    let begin = to.len();
    for segment in segments(text) {
        match segment {
            [DOT] => {}
            [DOT, DOT] => {
                let resolved = to.get(begin..).unwrap_or_default();
                let last = resolved.iter().rposition(|symbol| *symbol == SEPARATOR);
                to.truncate(begin + last.unwrap_or_default());
            }
            _ => {
                to.push(SEPARATOR);
                to.extend_from_slice(segment);
            }
        }
    }
    // A dot segment at the end leaves its slash.
    if matches!(segments(text).last(), Some([DOT] | [DOT, DOT])) {
        to.push(SEPARATOR);
    }
    Ok(())
}

fn drop_last_dots(text: &[Symbol], to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    const DOT: Symbol = b'.' as Symbol;
    let kept = match text {
        [kept @ .., SEPARATOR, DOT] | [kept @ .., SEPARATOR, DOT, DOT] => kept,
        _ => text,
    };
    to.extend_from_slice(kept);
    Ok(())
}

/// Removes an authority at the beginning. Servers disagree on where the path begins after user information, so that
/// user information is a fault.
fn drop_authority(text: &[Symbol], to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    let mut path = segments(text).skip_while(|segment| segment.is_empty());
    match path.next() {
        Some(authority) if authority.contains(&Symbol::from(b'@')) => {
            Err(PathFault::UserInformation)
        }
        Some(_) | None => join(path, to),
    }
}

pub(super) fn segments(text: &[Symbol]) -> impl Iterator<Item = &[Symbol]> {
    text.split(|symbol| *symbol == SEPARATOR).skip(1)
}

fn join<'s>(
    segments: impl Iterator<Item = &'s [Symbol]>,
    to: &mut Vec<Symbol>,
) -> Result<(), PathFault> {
    for segment in segments {
        to.push(SEPARATOR);
        to.extend_from_slice(segment);
    }
    Ok(())
}

/// The text before the first byte `end`, or the whole text if there is none.
pub(super) fn before(text: &[Symbol], end: u8) -> &[Symbol] {
    let mut parts = text.split(|symbol| *symbol == Symbol::from(end));
    parts.next().unwrap_or(text)
}
