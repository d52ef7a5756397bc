//! The closure against the same steps written plainly, over texts without runs, budget or buffer.

use std::collections::BTreeSet;

use super::{MAX_TEXTS, Read, read, segment};
use crate::reject::PathFault;

/// The texts have a `\n` before each segment.
fn plainly(path: &str) -> Option<BTreeSet<String>> {
    let mut known = vec![(path.replace('/', "\n"), false)];
    let mut next = 0;
    while let Some((text, is_reading)) = known.get(next).cloned() {
        next += 1;
        let decoded = decoded(&text, |_| true);
        let is_decoded = decoded != text;
        for (text, is_reading) in steps(&text)
            .into_iter()
            .map(|further| (further, is_reading))
            .chain(is_decoded.then_some((decoded, true)))
        {
            let text = (text.clone(), is_reading || !has_escape(&text));
            if !known.contains(&text) {
                known.push(text);
            }
        }
        if known.len() > 4 * MAX_TEXTS {
            return None;
        }
    }
    let readings = known
        .into_iter()
        .filter(|(text, is_reading)| *is_reading || !has_escape(text));
    Some(
        readings
            .map(|(text, _)| text.strip_suffix('\n').unwrap_or(&text).replace('\n', "\0"))
            .collect(),
    )
}

fn steps(text: &str) -> Vec<String> {
    let segments: Vec<&str> = text.split('\n').skip(1).collect();
    let joined = |segments: &[&str]| -> String {
        segments
            .iter()
            .map(|segment| format!("\n{segment}"))
            .collect()
    };
    let mut resolved: Vec<&str> = Vec::new();
    for segment in &segments {
        match *segment {
            "." => {}
            ".." => {
                resolved.pop();
            }
            segment => resolved.push(segment),
        }
    }
    let merged: Vec<&str> = segments
        .iter()
        .copied()
        .filter(|segment| !segment.is_empty())
        .collect();
    let cut: Vec<&str> = segments
        .iter()
        .map(|segment| segment.split(';').next().unwrap())
        .collect();
    let mut all = vec![
        decoded(text, |octet| {
            octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
        }),
        decoded(text, |octet| b"/\\".contains(&octet)),
        text.replace('/', "\n"),
        text.replace('\\', "\n"),
        joined(&resolved)
            + if matches!(segments.last(), Some(&"." | &"..")) {
                "\n"
            } else {
                ""
            },
        joined(&cut),
        text.split(';').next().unwrap().to_owned(),
        text.strip_suffix("\n.")
            .or(text.strip_suffix("\n.."))
            .unwrap_or(text)
            .to_owned(),
        text.split('?').next().unwrap().to_owned(),
    ];
    if text.contains("\n\n") {
        all.push(joined(&merged));
    }
    if text.starts_with("\n\n") {
        let first = segments.iter().position(|segment| !segment.is_empty());
        let rest = |skipped| first.map_or(&[][..], |place| &segments[place + skipped..]);
        all.push(joined(rest(0)));
        all.push(joined(rest(1)));
    }
    all
}

fn octet(text: &str) -> Option<u8> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

fn has_escape(text: &str) -> bool {
    text.match_indices('%')
        .any(|(place, _)| octet(text.split_at(place).1).is_some())
}

fn decoded(text: &str, counts: impl Fn(u8) -> bool) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        match octet(rest).filter(|octet| counts(*octet)) {
            Some(octet) => {
                decoded.push(char::from(octet));
                rest = rest.split_at(3).1;
            }
            None => {
                decoded.push(character);
                rest = rest.split_at(character.len_utf8()).1;
            }
        }
    }
    decoded
}

/// Pieces of which every step has something to change, and those between them that hide an escape.
const PIECES: [&str; 26] = [
    "/", "/", "/", "a", "bc", "b.c", ".", "..", "...", "%2e", "%2E", "%2f", "%5c", "\\", ";",
    "%3b", "?", "%3f", "%25", "2", "5", "f", "2e", "%32", "%61", "//",
];

#[test]
fn the_readings_are_those_of_a_plain_implementation() {
    let (mut equal, mut capped, mut kept) = (0, 0, 0);
    let mut state = 1_u64;
    for _ in 0..60_000 {
        let mut draw = |end: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % end
        };
        let mut path = String::from("/");
        for _ in 0..draw(9) {
            path.push_str(PIECES[draw(PIECES.len())]);
        }
        let path = path.split('?').next().unwrap();
        let has_broken_escape = path
            .match_indices('%')
            .any(|(place, _)| octet(path.split_at(place).1).is_none());
        if has_broken_escape {
            continue;
        }
        match (read(path), plainly(path)) {
            (Ok(read), Some(expected)) => {
                kept += usize::from(holds_with_kept_slashes(path, &read));
                assert_eq!(all_of(read), expected, "{path}");
                equal += 1;
            }
            (Err(PathFault::TooManyReadings), expected) => {
                assert!(expected.is_none_or(|expected| expected.len() > 8), "{path}");
                capped += 1;
            }
            // An escape that was put together is of a byte beyond ASCII, or of a control character.
            (Err(_), Some(expected)) => {
                let is_odd = |character: char| !character.is_ascii_graphic() && character != '\0';
                assert!(expected.iter().any(|text| text.contains(is_odd)), "{path}");
            }
            (read, None) => panic!("{path}: {read:?}"),
        }
    }
    eprintln!("{equal} paths read alike, {capped} read in too many ways");
    assert!(equal > 20_000 && capped < equal / 20 && kept > 1_000);
}

fn all_of(read: Read<'_>) -> BTreeSet<String> {
    match read.others {
        Some((closure, _)) => closure.readings.into_iter().collect(),
        None => BTreeSet::from([read.first]),
    }
}

/// Holds the readings in which the escaped slashes of every second segment are no separators against those with another
/// character in their place. Returns whether there are any.
fn holds_with_kept_slashes(path: &str, read: &Read<'_>) -> bool {
    let Some((closure, _)) = &read.others else {
        return false;
    };
    let kept = closure.segments_with_slashes() & 0x5555_5555_5555_5555;
    let marked = path.split('/').skip(1).enumerate();
    let marked = marked.map(|(number, text)| match kept & segment(number) {
        0 => text.to_owned(),
        _ => text.replace("%2f", "!"),
    });
    let marked: String = marked.map(|segment| format!("/{segment}")).collect();
    let Ok(read) = closure.keeping_slashes(kept, 100_000) else {
        return false;
    };
    let expected = plainly(&marked).expect("fewer readings than with separators");
    let expected = expected.iter().map(|text| text.replace('!', "/")).collect();
    assert_eq!(all_of(read), expected, "{path}");
    kept != 0
}
