//! The corpus: known tricks, one a line, from `tests/upstreams/corpus/*.txt`; and the fuzzer's finds.
//!
//! | line | input |
//! |---|---|
//! | `# …` | nothing: what kind the following lines are of |
//! | `on METHOD TARGET` | nothing: what the following lines ask for; at first `GET /public/x` |
//! | `target TARGET` | `GET TARGET` |
//! | `method METHOD` | the target with another method |
//! | `field NAME: VALUE` | a header field; several are separated by ` && ` |
//! | `query TEXT` | a query behind the target |
//! | `cookie TEXT` | the field `cookie` |
//! | `trailer NAME: VALUE` | a field behind chunked content |
//!
//! `{x0a}` stands for that byte, `{bob}` for bob's good token, `{forged}` for one of an untrusted key. An input that
//! names `{bob}` is sent as it is; every other is sent without a credential and with bob's.

use super::input::{Field, Input};
use super::list;

/// Where the fields of one line are separated.
const SEPARATOR: &str = " && ";

/// All inputs, those of the corpus first.
pub struct Corpus {
    pub inputs: Vec<Input>,
    /// What its lines say, for the generator to combine.
    pub targets: Vec<Vec<u8>>,
    pub fields: Vec<Vec<Field>>,
    pub queries: Vec<Vec<u8>>,
    pub cookies: Vec<Vec<u8>>,
}

impl Corpus {
    /// Reads the corpus and the finds.
    ///
    /// # Panics
    /// A line is wrong.
    pub fn read() -> Self {
        let mut corpus = Self {
            inputs: Vec::new(),
            targets: Vec::new(),
            fields: Vec::new(),
            queries: Vec::new(),
            cookies: Vec::new(),
        };
        let folder = list::corpus();
        let mut files: Vec<_> = std::fs::read_dir(folder.join("corpus"))
            .expect("tests/upstreams/corpus is a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).expect("the corpus can be read");
            corpus.add(&file.display().to_string(), &text);
        }
        let finds = std::fs::read_to_string(folder.join("finds.txt")).expect("the finds");
        for path in finds.lines().filter(|line| line.starts_with('/')) {
            corpus.targets.push(path.into());
            corpus.inputs.push(Input::get(path));
        }
        corpus
    }

    fn add(&mut self, file: &str, text: &str) {
        let mut on = Input::get("/public/x");
        for (place, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let input = self.line(line, &mut on);
            let input = input.unwrap_or_else(|| panic!("{file}:{}: {line:?}", place + 1));
            self.inputs.extend(input);
        }
    }

    /// The input of a line, where it has one; none where the line is wrong.
    fn line(&mut self, line: &str, on: &mut Input) -> Option<Option<Input>> {
        let (kind, text) = line.split_once(' ')?;
        let mut input = on.clone();
        match kind {
            "on" => {
                let (method, target) = text.split_once(' ')?;
                *on = Input::get("");
                on.method = bytes(method)?;
                on.target = bytes(target)?;
                return Some(None);
            }
            "target" => {
                input = Input::get("");
                input.target = bytes(text)?;
                self.targets.push(input.target.clone());
            }
            "method" => input.method = bytes(text)?,
            "field" => {
                input.fields = text.split(SEPARATOR).map(field).collect::<Option<_>>()?;
                self.fields.push(input.fields.clone());
            }
            "query" => {
                let query = bytes(text)?;
                input.target.push(b'?');
                input.target.extend_from_slice(&query);
                self.queries.push(query);
            }
            "cookie" => {
                let cookie = bytes(text)?;
                self.cookies.push(cookie.clone());
                input.fields = vec![(b"cookie".to_vec(), cookie)];
            }
            "trailer" => {
                input.method = b"POST".to_vec();
                input.trailers = text.split(SEPARATOR).map(field).collect::<Option<_>>()?;
            }
            _ => return None,
        }
        Some(Some(input))
    }
}

fn field(text: &str) -> Option<Field> {
    let (name, value) = text.split_once(':')?;
    Some((
        bytes(name)?,
        bytes(value.strip_prefix(' ').unwrap_or(value))?,
    ))
}

/// The bytes that a text of the corpus stands for.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find("{x") {
        bytes.extend_from_slice(&rest.as_bytes()[..place]);
        let (digits, after) = rest[place + 2..].split_once('}')?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}
