//! Links, anchors and prose of a page, as GitHub renders it.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex_lite::Regex;

/// A parser of GitHub's Markdown.
pub fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(
        text,
        Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_GFM,
    )
}

/// The line of an offset, from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The targets of links and images, with their lines.
pub fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push((line_of(text, range.start), dest_url.into_string()));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let line = line_of(text, range.start);
                let found = attributes(&html, "href|src|srcset").into_iter();
                links.extend(found.map(|target| (line, target)));
            }
            _ => {}
        }
    }
    links
}

/// The anchors that a link to this page can name: those of headings, and `<a id="…">`.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut slugs: BTreeMap<String, usize> = BTreeMap::new();
    let mut heading: Option<String> = None;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let before = slugs.entry(slug.clone()).or_default();
                anchors.insert(match *before {
                    0 => slug,
                    number => format!("{slug}-{number}"),
                });
                *before += 1;
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                anchors.extend(attributes(&html, "id|name"));
            }
            _ => {}
        }
    }
    anchors
}

/// The anchor of a heading, as GitHub forms it: in lower case, without punctuation, with `-` for each space.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars();
    let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The values of attributes of HTML.
fn attributes(html: &str, names: &str) -> Vec<String> {
    let pattern = format!(r#"\s(?:{names})="([^"]*)""#);
    let pattern = Regex::new(&pattern).expect("a pattern");
    let found = pattern.captures_iter(html);
    found.map(|captures| captures[1].to_owned()).collect()
}

/// The code spans, with their lines.
pub fn spans(text: &str) -> Vec<(usize, String)> {
    let events = parser(text).into_offset_iter();
    let spans = events.filter_map(|(event, range)| match event {
        Event::Code(span) => Some((line_of(text, range.start), span.into_string())),
        _ => None,
    });
    spans.collect()
}

/// The rows of tables that have more or fewer cells than the head of their table, with their lines. A `|` in a cell ends it,
/// also in a code span, unless it is `\|`.
pub fn uneven_rows(text: &str) -> Vec<(usize, String)> {
    let mut uneven = Vec::new();
    for (event, range) in parser(text).into_offset_iter() {
        if !matches!(event, Event::Start(Tag::Table(_))) {
            continue;
        }
        let first = line_of(text, range.start);
        let rows = text.get(range).unwrap_or_default().lines();
        let cells = |row: &str| row.replace("\\|", "").matches('|').count();
        let mut rows = rows.enumerate().peekable();
        let head = rows.peek().map_or(0, |(_, row)| cells(row));
        let wrong = rows.filter(|(_, row)| cells(row) != head);
        uneven.extend(wrong.map(|(number, row)| (first + number, row.to_owned())));
    }
    uneven
}

/// A piece of prose: a paragraph, a heading, an item of a list or a cell of a table.
#[derive(Debug)]
pub struct Prose {
    /// The line where it begins, from 1.
    pub line: usize,
    /// The text. `CODE` stands for each code span.
    pub text: String,
    /// Whether it is a cell of a table.
    pub is_cell: bool,
}

/// The prose of a text, in order: everything but code.
pub fn prose(text: &str) -> Vec<Prose> {
    let mut pieces: Vec<Prose> = Vec::new();
    let mut in_code = false;
    for (event, range) in parser(text).into_offset_iter() {
        let begin = |is_cell| Prose {
            line: line_of(text, range.start),
            text: String::new(),
            is_cell,
        };
        match event {
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Item) => {
                pieces.push(begin(false))
            }
            Event::Start(Tag::TableCell) => pieces.push(begin(true)),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(part) if !in_code => add(&mut pieces, &part),
            Event::Code(_) => add(&mut pieces, "CODE"),
            Event::SoftBreak | Event::HardBreak => add(&mut pieces, " "),
            _ => {}
        }
    }
    pieces
}

fn add(pieces: &mut [Prose], part: &str) {
    if let Some(piece) = pieces.last_mut() {
        piece.text.push_str(part);
    }
}

#[test]
fn anchors_are_those_of_github() {
    let text =
        "# What is `client_id`?\n\n## 401, 403 & 404\n\n## Same\n\n## Same\n\n<a id=\"own\"></a>\n";
    let expected = ["401-403--404", "own", "same", "same-1", "what-is-client_id"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
}

#[test]
fn links_are_found_with_their_lines() {
    let text =
        "a [b](c.md#d)\n\n| [e](f) |\n|---|\n| ![g](h.png) <img src=\"i.png\"> |\n\n`[j](k)`\n";
    let found: Vec<_> = links(text);
    let expected = [(1, "c.md#d"), (3, "f"), (5, "h.png"), (5, "i.png")];
    assert_eq!(found, expected.map(|(line, link)| (line, link.to_owned())));
}

#[test]
fn rows_with_a_pipe_too_many_are_found() {
    let text = "| a | b |\n|---|---|\n| `c \\| d` | e |\n| `f | g` | h |\n| i |\n";
    let lines: Vec<usize> = uneven_rows(text)
        .into_iter()
        .map(|(line, _)| line)
        .collect();
    assert_eq!(lines, [4, 5]);
}

#[test]
fn prose_is_without_code() {
    let text = "One `two`.\nThree.\n\n```text\nfour\n```\n\n- five\n\n| six |\n|---|\n| seven |\n";
    let pieces: Vec<_> = prose(text)
        .into_iter()
        .map(|piece| (piece.line, piece.text))
        .collect();
    let expected = [
        (1, "One CODE. Three."),
        (8, "five"),
        (10, "six"),
        (12, "seven"),
    ];
    assert_eq!(pieces, expected.map(|(line, text)| (line, text.to_owned())));
}
