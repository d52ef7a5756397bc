//! The language of the pages: words that are not written, and the length of paragraphs.

use regex_lite::Regex;

use super::expect_none;
use crate::pages::{markdown, pages};

/// The most sentences of a paragraph or of an item of a list.
const MOST_SENTENCES: usize = 4;

/// What is not written outside code, as a pattern, and what is written in its place.
const NOT_WRITTEN: [(&str, &str); 18] = [
    (r"whoever", "anyone who, the caller who"),
    (r"nobody", "no client, anonymous"),
    (r"somebody", "a client, a person"),
    (r"what names another", "method- and path-override headers"),
    (r"as ever", "(leave out)"),
    (r"of (?:its|their) own", "separate"),
    (r"(?:is|are) told", "receives, reads"),
    (r"stands?|stood|standing", "is, is in"),
    (r"by (?:itself|themselves)", "alone, without"),
    (r"all the same", "still"),
    (r"go(?:es)? by", "uses"),
    (r"judg(?:e|es|ed|ing)", "evaluates"),
    (r"(?:take|takes|taken|taking|took) out", "removes"),
    (r"(?:take|takes|taken|taking|took) back", "revokes"),
    (r"(?:hold|holds|held) against", "evaluates, compares"),
    (r"fits?", "matches"),
    (r"let in", "allowed"),
    (r"end(?:s|ed) (?:well|badly)", "succeeded, failed"),
];

/// Where such a word has another meaning.
const ALLOWED: [&str; 8] = [
    "stands for",
    "stand for",
    "stand-in",
    "fits in",
    "fit in",
    "fits into",
    "fit into",
    "does not fit",
];

#[test]
fn no_page_has_a_word_that_is_not_written() {
    let patterns = NOT_WRITTEN.map(|(pattern, instead)| {
        let pattern = format!(r"(?i)\b(?:{pattern})\b");
        (Regex::new(&pattern).unwrap(), instead)
    });
    let mut faults = Vec::new();
    for page in pages() {
        for piece in markdown::prose(&page.text) {
            let mut text = piece.text.replace("CODE", "`…`");
            for allowed in ALLOWED {
                text = text.replace(allowed, "…");
            }
            for (pattern, instead) in &patterns {
                if let Some(found) = pattern.find(&text) {
                    let (word, at) = (found.as_str(), page.at(piece.line));
                    faults.push(format!("{at}: `{word}`: expected for example: {instead}"));
                }
            }
            if text.contains('—') {
                faults.push(format!(
                    "{}: a dash: expected two sentences",
                    page.at(piece.line)
                ));
            }
        }
    }
    expect_none(&faults);
}

#[test]
fn paragraphs_are_short() {
    let mut faults = Vec::new();
    for page in pages() {
        for piece in markdown::prose(&page.text) {
            let sentences = sentences(&piece.text);
            if sentences > MOST_SENTENCES && !piece.is_cell {
                let at = page.at(piece.line);
                faults.push(format!(
                    "{at}: {sentences} sentences: expected at most {MOST_SENTENCES}"
                ));
            }
        }
    }
    expect_none(&faults);
}

/// The number of sentences of a text.
fn sentences(text: &str) -> usize {
    let end = Regex::new(r#"[.!?:][)"”*]*(?:\s+[A-Z`"“*(]|\s*$)"#).unwrap();
    let text = text
        .replace("e.g.", "")
        .replace("i.e.", "")
        .replace("etc.", "");
    // A colon ends no sentence: what follows it explains.
    end.find_iter(&text)
        .filter(|found| !found.as_str().starts_with(':'))
        .count()
}

#[test]
fn sentences_are_counted() {
    for (text, expected) in [
        ("One.", 1),
        ("One. Two (three). Four", 2),
        ("See a.b and 1.2. CODE is two: three.", 2),
        ("A question? Yes!", 2),
    ] {
        assert_eq!(sentences(text), expected, "{text}");
    }
}
