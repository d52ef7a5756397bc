//! Regular expressions of paths that are prefixes, texts or segments. Envoy matches the whole path.

use crate::migrate::atom::{Atom, PathTest, PathText};
use crate::migrate::formula::Formula;

/// The formula of a regular expression; none if it asks for more than Countersign can.
pub fn of_path(regex: &str) -> Option<Formula> {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    let regex = match regex.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => rest,
        _ => regex,
    };
    let whole = regex
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(inner) = whole.filter(|inner| !inner.contains(['(', ')'])) {
        return alternatives(inner);
    }
    match regex.contains(['(', ')']) {
        false => alternatives(regex),
        true => one(regex),
    }
}

/// The formula of every path that an expression could match: those with the text at its beginning.
pub fn bound(regex: &str) -> Formula {
    let regex = regex.strip_prefix('^').unwrap_or(regex);
    if regex.contains('|') && !regex.contains('(') {
        return Formula::True;
    }
    let mut depth = 0_u32;
    for character in regex.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return Formula::True,
            _ => {}
        }
    }
    let end = regex.find(|character: char| ".*+?[](){}|^$\\".contains(character));
    let mut text = end
        .and_then(|end| regex.get(..end))
        .unwrap_or(regex)
        .to_owned();
    // What follows the last character can make it optional.
    if end.is_some() {
        text.pop();
    }
    match text.starts_with('/') && text.len() > 1 {
        true => path(PathTest::Prefix(sensitive(text))),
        false => Formula::True,
    }
}

fn alternatives(text: &str) -> Option<Formula> {
    let each = text.split('|').map(one);
    each.collect::<Option<Vec<_>>>().map(Formula::any)
}

fn one(regex: &str) -> Option<Formula> {
    let prefix = |text: &str| {
        let text = literal(text)?;
        let is_all = text.is_empty() || text == "/";
        Some(match is_all {
            true => Formula::True,
            false => path(PathTest::Prefix(sensitive(text))),
        })
    };
    for rest in [
        "(/.*)?", "(?:/.*)?", "(|/.*)", "($|/.*)", "(/|$).*", "(/.*|$)",
    ] {
        if let Some(before) = regex.strip_suffix(rest) {
            return Some(path(PathTest::Segments(literal(before)?)));
        }
    }
    if let Some(before) = regex.strip_suffix(".*") {
        return prefix(before);
    }
    if let Some(before) = regex.strip_suffix(".+") {
        let text = literal(before)?;
        let same = path(PathTest::Exact(sensitive(text)));
        return Some(Formula::all([prefix(before)?, same.negated()]));
    }
    if let Some(text) = literal(regex) {
        return Some(path(PathTest::Exact(sensitive(text))));
    }
    let segments = regex.strip_prefix('/')?;
    let segments = split(segments)
        .into_iter()
        .map(|segment| match segment.as_str() {
            "[^/]+" | "([^/]+)" => Some(None),
            other => literal(other).map(Some),
        });
    Some(path(PathTest::Template(segments.collect::<Option<_>>()?)))
}

/// Splits at slashes outside brackets.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_class = false;
    for character in text.chars() {
        is_class = match character {
            '[' => true,
            ']' => false,
            _ => is_class,
        };
        match (character, parts.last_mut()) {
            ('/', _) if !is_class => parts.push(String::new()),
            (_, Some(last)) => last.push(character),
            (_, None) => {}
        }
    }
    parts
}

fn path(test: PathTest) -> Formula {
    Formula::atom(Atom::Path(test))
}

fn sensitive(text: String) -> PathText {
    PathText {
        text,
        ignores_case: false,
    }
}

/// The text that an expression without operators matches.
fn literal(regex: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = regex.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => text.push(escaped),
                _ => return None,
            },
            // A dot matches more than itself, so that this is a narrower question. It cannot be negated.
            '.' | '*' | '+' | '?' | '[' | ']' | '(' | ')' | '{' | '}' | '|' | '^' | '$' => {
                return None;
            }
            other => text.push(other),
        }
    }
    Some(text)
}
