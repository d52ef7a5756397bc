//! The steps, each over a whole text.

use super::symbols::{Marks, SEPARATOR, Symbol, escape, is_slash, is_unreserved};
use crate::reject::PathFault;

/// What a step makes of a text, appended to another.
pub(super) type Step = fn(&[Symbol], &mut Vec<Symbol>) -> Result<(), PathFault>;

/// The steps, each with what it changes; the numbers are those of the closure's documentation.
pub(super) const STEPS: [(Marks, Step); 13] = [
    // 1. Percent-escapes are decoded.
    (Marks::ESCAPE, |text, to| decode(text, |_| true, to)),
    (Marks::UNRESERVED_ESCAPE, |text, to| {
        decode(text, is_unreserved, to)
    }),
    (Marks::SLASH_ESCAPE, |text, to| decode(text, is_slash, to)),
    // 2. and 3. A slash or backslash separates.
    (Marks::SLASH, |text, to| separate(text, b'/', to)),
    (Marks::BACKSLASH, |text, to| separate(text, b'\\', to)),
    // 4. Empty segments are merged away.
    (Marks::EMPTY_SEGMENT, |text, to| {
        join(segments(text).filter(|segment| !segment.is_empty()), to)
    }),
    // 5. Dot segments are resolved.
    (Marks::DOT_SEGMENT, resolve_dots),
    // Or the last one is dropped, as dots at the end of a path are by Windows and Caddy.
    (Marks::DOT_SEGMENT, drop_last_dots),
    // 6. Parameters are dropped.
    (Marks::SEMICOLON, |text, to| {
        join(segments(text).map(|segment| before(segment, b';')), to)
    }),
    // 7. and 8. The query begins.
    (Marks::SEMICOLON, |text, to| cut(text, b';', to)),
    (Marks::QUESTION_MARK, |text, to| cut(text, b'?', to)),
    // 9. An authority begins the path, or slashes that are merged there alone.
    (Marks::AUTHORITY, drop_authority),
    (Marks::AUTHORITY, |text, to| {
        join(segments(text).skip_while(|segment| segment.is_empty()), to)
    }),
];

/// Every escape of these octets decoded once; a `%` that begins none stays.
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
            // Among them NUL, which would be taken for a separator.
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

/// Every one of these bytes separates.
fn separate(text: &[Symbol], separator: u8, to: &mut Vec<Symbol>) -> Result<(), PathFault> {
    to.extend(text.iter().map(|symbol| match *symbol {
        symbol if symbol == Symbol::from(separator) => SEPARATOR,
        symbol => symbol,
    }));
    Ok(())
}

/// The text ends before the first of these bytes.
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
    // What is resolved at the end leaves its slash.
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

/// Where user information ends, no two servers agree on where the path begins.
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

/// What stands before the first of these bytes: all of it where there is none.
pub(super) fn before(text: &[Symbol], end: u8) -> &[Symbol] {
    let mut parts = text.split(|symbol| *symbol == Symbol::from(end));
    parts.next().unwrap_or(text)
}
