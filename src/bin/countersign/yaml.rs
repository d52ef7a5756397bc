//! YAML text → JSON values, as Envoy and Kubernetes read it.
//!
//! 1. Plain `yes`, `no`, `on`, `off`, `y` and `n` are booleans there, as in YAML 1.1; only a quoted `"off"` is a name.
//!    A reader of YAML 1.2 would take them for names, and call a document valid that the host refuses.
//! 2. A key that stands twice is refused: which one wins differs from reader to reader.
//! 3. JSON is YAML, and is read here too.

use serde_json::{Map, Number, Value};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// How deep lists and mappings may stand in one another.
const DEPTH_MAX: usize = 100;

/// How many values aliases may multiply a file to.
const VALUES_MAX: usize = 1_000_000;

/// Why a text is not read, and the line where that shows.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct YamlFault {
    line: usize,
    what: String,
}

/// The documents of a stream; empty ones are left out.
pub fn parse(text: &str) -> Result<Vec<Value>, YamlFault> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text.trim_start_matches('\u{feff}')),
        anchors: Vec::new(),
        values: 0,
    };
    let mut documents = Vec::new();
    loop {
        let (event, mark) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart => reader.anchors.clear(),
            content => match reader.value(content, mark, 0)? {
                Value::Null => {}
                value => documents.push(value),
            },
        }
    }
}

struct Reader<'t> {
    parser: Parser<std::str::Chars<'t>>,
    /// What aliases stand for.
    anchors: Vec<(usize, Value)>,
    values: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<(Event, Marker), YamlFault> {
        self.parser
            .next_token()
            .map_err(|fault| fault_at(*fault.marker(), fault.info()))
    }

    fn value(&mut self, event: Event, mark: Marker, depth: usize) -> Result<Value, YamlFault> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return Err(fault_at(mark, "too deep or too long"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match tag {
                    None if style == TScalarStyle::Plain => plain(text),
                    // `!!str` and `!` say what a quote says; other tags do not occur in a configuration.
                    _ => Value::String(text),
                };
                (anchor, value)
            }
            Event::SequenceStart(anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(depth)?),
            Event::Alias(anchor) => (0, self.alias(anchor, mark)?),
            _ => return Err(fault_at(mark, "a value is expected")),
        };
        // Anchors are counted from 1.
        if anchor > 0 {
            self.anchors.push((anchor, value.clone()));
        }
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlFault> {
        let mut items = Vec::new();
        loop {
            let (event, mark) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            items.push(self.value(event, mark, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlFault> {
        let mut members = Map::new();
        loop {
            let (event, mark) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(Value::Object(members)),
                // A key is text, however it looks: `404:` names the member "404".
                Event::Scalar(name, ..) => name,
                _ => return Err(fault_at(mark, "a key is a name")),
            };
            let (event, value_mark) = self.next()?;
            let value = self.value(event, value_mark, depth + 1)?;
            if name == "<<" {
                return Err(fault_at(
                    mark,
                    "merge keys (`<<`) are not read by every host",
                ));
            }
            if members.contains_key(&name) {
                return Err(fault_at(mark, &format!("the key `{name}` stands twice")));
            }
            members.insert(name, value);
        }
    }

    fn alias(&mut self, anchor: usize, mark: Marker) -> Result<Value, YamlFault> {
        let known = self
            .anchors
            .iter()
            .rev()
            .find(|(known, _)| *known == anchor);
        let value = known.map(|(_, value)| value.clone());
        let value = value.ok_or_else(|| fault_at(mark, "an alias without its anchor"))?;
        self.values += size(&value);
        Ok(value)
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

fn fault_at(mark: Marker, what: &str) -> YamlFault {
    YamlFault {
        line: mark.line(),
        what: what.to_owned(),
    }
}

/// What a plain scalar means.
fn plain(text: String) -> Value {
    if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    if let Some(truth) = boolean(&text) {
        return Value::Bool(truth);
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Value::Number(integer.into());
    }
    let looks_like_a_number =
        text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    let number = text.parse().ok().filter(|_| looks_like_a_number);
    match number.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(text),
    }
}

/// The booleans of yaml-cpp and of Kubernetes' YAML: in lower case, in upper case, or capitalised.
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
    use super::parse;
    use serde_json::json;

    #[test]
    fn plain_words_are_booleans_and_quoted_ones_names() {
        let documents = parse("[off, On, YES, n, true, \"off\", 'yes', oFF, !!str no]").unwrap();
        let expected = json!([false, true, true, false, true, "off", "yes", "oFF", "no"]);
        assert_eq!(documents, [expected]);
    }

    #[test]
    fn streams_anchors_and_numbers() {
        let documents =
            parse("a: &x [1, 1.5, 1e3, 1.2.3, 10.0.0.0/8]\nb: *x\n---\n---\n404: ~\n").unwrap();
        let list = json!([1, 1.5, 1000.0, "1.2.3", "10.0.0.0/8"]);
        assert_eq!(
            documents,
            [json!({"a": list, "b": list}), json!({"404": null})]
        );
    }

    #[test]
    fn what_is_read_in_two_ways_is_refused() {
        for (text, expected) in [
            ("a: 1\nb: 2\na: 3\n", "line 3: the key `a` stands twice"),
            (
                "a: &x {c: 1}\nb:\n  <<: *x\n",
                "line 3: merge keys (`<<`) are not read by every host",
            ),
            ("a: *x", "line 1: while parsing node, found unknown anchor"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn aliases_do_not_multiply_without_bound() {
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
