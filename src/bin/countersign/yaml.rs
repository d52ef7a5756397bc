//! Parses YAML to JSON values, as Envoy and Kubernetes do.
//!
//! 1. Envoy and Kubernetes read plain `yes`, `no`, `on`, `off`, `y` and `n` as booleans (YAML 1.1). Only a quoted
//!    `"off"` is a string. A YAML 1.2 parser would read strings, and accept a configuration that Envoy rejects.
//!    The integer `010` is 8, and `0x10` is 16.
//! 2. A duplicate key is an error, because parsers differ in which value they use.
//! 3. JSON is YAML, and is parsed here too.

pub mod mistake;

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Number, Value};

use crate::source::{Children, Member, Tree};

/// The most levels of nested lists and mappings.
const DEPTH_MAX: usize = 100;

/// The most values in a file, after its aliases are expanded.
const VALUES_MAX: usize = 1_000_000;

/// Why a text cannot be parsed, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct YamlFault {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1; none if only the line is known.
    pub column: Option<usize>,
    /// What is wrong. It repeats no text of the file except for a key.
    pub message: String,
}

/// A document of a YAML stream.
pub struct Document {
    /// Its value.
    pub value: Value,
    /// Where its parts are in the text.
    pub tree: Tree,
}

/// Parses the documents of a YAML stream, without the empty ones.
pub fn parse(text: &str) -> Result<Vec<Document>, YamlFault> {
    documents(text, |text| Some(plain(text))).map_err(|fault| {
        match mistake::find(text, fault.line, &fault.message) {
            Some((line, message)) => YamlFault {
                line,
                column: fault.column.filter(|_| line == fault.line),
                message: message.to_owned(),
            },
            None => fault,
        }
    })
}

/// As [`parse`], without the locations.
pub fn values(text: &str) -> Result<Vec<Value>, YamlFault> {
    let documents = parse(text)?.into_iter();
    Ok(documents.map(|document| document.value).collect())
}

/// As [`values`], with another reading of plain scalars. If it returns none, the value is missing.
pub fn parse_with(text: &str, plain: fn(String) -> Option<Value>) -> Result<Vec<Value>, YamlFault> {
    let documents = documents(text, plain)?.into_iter();
    Ok(documents.map(|document| document.value).collect())
}

fn documents(text: &str, plain: fn(String) -> Option<Value>) -> Result<Vec<Document>, YamlFault> {
    let content = text.trim_start_matches('\u{feff}');
    let mut reader = Reader {
        plain,
        parser: Parser::new_from_str(content),
        anchors: HashMap::new(),
        values: 0,
        offsets: Offsets::new(text, content),
    };
    let mut documents = Vec::new();
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) => reader.anchors.clear(),
            content => {
                let document = reader.value(content, span, 0)?;
                documents.extend((!document.value.is_null()).then_some(document));
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Reads a plain scalar.
    plain: fn(String) -> Option<Value>,
    /// The anchors and their values.
    anchors: HashMap<usize, (Value, Tree)>,
    values: usize,
    offsets: Offsets<'t>,
}

/// The offsets of characters in bytes. The parser counts characters.
struct Offsets<'t> {
    text: &'t str,
    offsets: Vec<usize>,
}

impl<'t> Offsets<'t> {
    /// The offsets in a text of the characters of its end.
    fn new(text: &'t str, end: &str) -> Self {
        let skipped = text.len() - end.len();
        let offsets = end.char_indices().map(|(offset, _)| skipped + offset);
        let offsets = offsets.chain([text.len()]).collect();
        Self { text, offsets }
    }

    /// The bytes of a span, without the whitespace at its end.
    fn range(&self, span: Span) -> Range<usize> {
        let at = |mark: Marker| self.offsets.get(mark.index()).copied();
        let start = at(span.start).unwrap_or(self.text.len());
        let end = at(span.end).unwrap_or(self.text.len());
        let content = self.text.get(start..end).unwrap_or_default();
        start..start + content.trim_end().len()
    }
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), YamlFault> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(fault)) => Err(fault_at(*fault.marker(), fault.info())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn value(&mut self, event: Event<'_>, span: Span, depth: usize) -> Result<Document, YamlFault> {
        self.values += 1;
        let mark = span.start;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            let message = format!(
                "the file is too large: expected at most {VALUES_MAX} values in {DEPTH_MAX} levels"
            );
            return Err(fault_at(mark, message));
        }
        let (anchor, document) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = text.into_owned();
                let tree = self.offsets.range(span);
                let tree = Tree::new(tree, Children::Text(text.clone()));
                let value = match tag {
                    None if style == ScalarStyle::Plain => {
                        (self.plain)(text).ok_or_else(|| fault_at(mark, "expected a value"))?
                    }
                    // The tags `!!str` and `!` mean a string. Other tags do not occur in a configuration.
                    _ => Value::String(text),
                };
                (anchor, Document { value, tree })
            }
            Event::SequenceStart(anchor, _) => (anchor, self.list(span, depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(span, depth)?),
            Event::Alias(anchor) => (0, self.alias(anchor, mark)?),
            _ => return Err(fault_at(mark, "expected a value")),
        };
        // The parser numbers anchors from 1; 0 means that the value has no anchor.
        if anchor > 0 {
            let anchored = (document.value.clone(), document.tree.clone());
            self.anchors.insert(anchor, anchored);
        }
        Ok(document)
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Document, YamlFault> {
        let (mut values, mut trees) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Document {
                    value: Value::Array(values),
                    tree: self.collection(start, span, Children::Items(trees)),
                });
            }
            let item = self.value(event, span, depth + 1)?;
            values.push(item.value);
            trees.push(item.tree);
        }
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Result<Document, YamlFault> {
        let mut values = Map::new();
        let mut members = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let mark = span.start;
            let name = match event {
                Event::MappingEnd => {
                    return Ok(Document {
                        value: Value::Object(values),
                        tree: self.collection(start, span, Children::Members(members)),
                    });
                }
                // A key is always a string: `404:` is the key "404".
                Event::Scalar(name, ..) => name.into_owned(),
                _ => return Err(fault_at(mark, "expected a string as the key")),
            };
            let (event, value_span) = self.next()?;
            let member = self.value(event, value_span, depth + 1)?;
            if name == "<<" {
                return Err(fault_at(
                    mark,
                    "merge keys (`<<`) are not supported, because not every parser reads them",
                ));
            }
            if values.contains_key(&name) {
                return Err(fault_at(mark, format!("duplicate key `{name}`")));
            }
            members.push(Member {
                name: name.clone(),
                key: self.offsets.range(span),
                value: member.tree,
            });
            values.insert(name, member.value);
        }
    }

    /// The tree of a list or a mapping.
    fn collection(&self, start: Span, end: Span, children: Children) -> Tree {
        let range = self.offsets.range(Span::new(start.start, end.end));
        Tree::new(range, children)
    }

    fn alias(&mut self, anchor: usize, mark: Marker) -> Result<Document, YamlFault> {
        let anchored = self.anchors.get(&anchor).cloned();
        let (value, tree) = anchored.ok_or_else(|| fault_at(mark, "unknown anchor"))?;
        self.values += size(&value);
        Ok(Document { value, tree })
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

fn fault_at(mark: Marker, message: impl Into<String>) -> YamlFault {
    YamlFault {
        line: mark.line(),
        column: Some(mark.col() + 1),
        message: message.into(),
    }
}

/// The value of a plain scalar.
fn plain(text: String) -> Value {
    if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(truth) = boolean(&text) {
        return Value::Bool(truth);
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    if let Some(integer) = integer(&text, unsigned) {
        return Value::Number(integer);
    }
    let is_octal = unsigned.starts_with('0') && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    let looks_like_a_number = !is_octal
        && text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    let number = text.parse().ok().filter(|_| looks_like_a_number);
    match number.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(text),
    }
}

/// The integer that yaml-cpp and Kubernetes read from a plain scalar: octal after `0`, hexadecimal after `0x`.
fn integer(text: &str, unsigned: &str) -> Option<Number> {
    let hexadecimal = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X"));
    let (digits, radix) = match hexadecimal {
        Some(digits) => (digits, 16),
        None if unsigned.starts_with('0') => (unsigned, 8),
        None => (unsigned, 10),
    };
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match text.strip_suffix(unsigned)? {
        _ if digits.starts_with('+') => None,
        "" | "+" => Some(magnitude.into()),
        "-" => Some(0_i64.checked_sub_unsigned(magnitude)?.into()),
        _ => None,
    }
}

/// The boolean that yaml-cpp and Kubernetes read from a plain scalar in lower case, in upper case, or capitalised.
fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let rest = text.get(1..)?;
    let spelt =
        text == lower || rest == rest.to_ascii_lowercase() || text == text.to_ascii_uppercase();
    match lower.as_str() {
        "true" | "yes" | "on" | "y" if spelt => Some(true),
        "false" | "no" | "off" | "n" if spelt => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::values as parse;
    use serde_json::json;

    #[test]
    fn plain_words_are_booleans_and_quoted_words_are_strings() {
        let documents = parse("[off, On, YES, n, true, \"off\", 'yes', oFF, !!str no]").unwrap();
        let expected = json!([false, true, true, false, true, "off", "yes", "oFF", "no"]);
        assert_eq!(documents, [expected]);
    }

    #[test]
    fn streams_anchors_and_numbers() {
        let documents =
            parse("a: &x [1, 1.5, 1e3, 1.2.3, 10.0.0.0/8, 18446744073709551615]\nb: *x\n---\n---\n404: ~\n").unwrap();
        let list = json!([1, 1.5, 1000.0, "1.2.3", "10.0.0.0/8", u64::MAX]);
        assert_eq!(
            documents,
            [json!({"a": list, "b": list}), json!({"404": null})]
        );
    }

    #[test]
    fn integers_are_read_with_their_prefix() {
        let documents =
            parse("[010, -017, 0x1F, -0x10, +5, 0, 00, 08, 0o10, 0x, 0b1, 1_000, 0.5, \"010\"]");
        let expected = json!([
            8, -15, 31, -16, 5, 0, 0, "08", "0o10", "0x", "0b1", "1_000", 0.5, "010"
        ]);
        assert_eq!(documents.unwrap(), [expected]);
        let edges = parse("[-9223372036854775808, 18446744073709551616, 0x+1, 0x-1, -+1]");
        let expected = json!([i64::MIN, 18446744073709551616.0, "0x+1", "0x-1", "-+1"]);
        assert_eq!(edges.unwrap(), [expected]);
    }

    #[test]
    fn what_parsers_read_differently_is_an_error() {
        for (text, expected) in [
            ("a: 1\nb: 2\na: 3\n", "line 3: duplicate key `a`"),
            (
                "a: &x {c: 1}\nb:\n  <<: *x\n",
                "line 3: merge keys (`<<`) are not supported, because not every parser reads them",
            ),
            (
                "a: *x",
                "line 1: `*` begins an alias in YAML: quote the text, such as `\"*\"`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_expansion_of_aliases_is_bounded() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}", level - 1);
            let row = vec![below; 10].join(", ");
            text += &format!("a{level}: &a{level} [{row}]\n");
        }
        assert!(parse(&text).is_err());
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
