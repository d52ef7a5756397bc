//! Random conditions in CEL, and claims for them: written to be dear, of every construct that the filter accepts.

use serde_json::{Value, json};

/// Numbers that look random and come again with the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Not 0, which would stay 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below this one.
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % count
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

/// What [`text`] looks at: values of each type and of some sizes, up to `size` values in one.
pub fn claims(size: usize) -> Value {
    let members = |count| -> Value {
        let members = (0..count).map(|number| (format!("m{number}"), json!(number)));
        Value::Object(members.collect())
    };
    json!({
        "none": null, "yes": true, "int": -7, "big": u64::MAX, "double": 1.5e300,
        "word": "word", "number": "12.5e-7", "moment": "2027-01-01T00:00:00Z", "span": "1h30m",
        "text": "ab".repeat(size), "digits": "7".repeat(size),
        "ints": vec![3; size], "words": vec!["a word of some length, for a word"; size / 8],
        "lists": vec![vec![1, 2]; size / 4], "maps": vec![json!({"a": 1, "b": "c"}); size / 8],
        "members": members(size / 4), "few": [1, "b", [3], {"d": 4}],
    })
}

/// What an expression is meant to be; now and then it is another.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Truth,
    Number,
    Text,
    List,
    Map,
}

const KINDS: [Kind; 5] = [Kind::Truth, Kind::Number, Kind::Text, Kind::List, Kind::Map];

impl Kind {
    fn leaves(self) -> &'static [&'static str] {
        match self {
            Self::Truth => &[
                "claims.yes",
                "true",
                "claims.none == null",
                "has(claims.missing)",
            ],
            Self::Number => &[
                "claims.int",
                "claims.big",
                "claims.double",
                "1",
                "-3",
                "2u",
                "1.5",
                "claims.few[0]",
            ],
            Self::Text => &[
                "claims.word",
                "claims.text",
                "claims.digits",
                "claims.number",
                "request.method",
                "'a'",
                "provider",
                "'a text of some more bytes than are counted as one value'",
                "claims.moment",
            ],
            Self::List => &[
                "claims.ints",
                "claims.words",
                "claims.lists",
                "claims.maps",
                "claims.few",
                "roles",
                "[1, 2, 3, 4, 5, 6, 7, 8]",
                "['a', 'b']",
                "[]",
            ],
            Self::Map => &[
                "claims.members",
                "claims",
                "request.headers",
                "claims.maps[0]",
                "{}",
                "{'a': 1, 2: true}",
            ],
        }
    }
}

const PATTERNS: [&str; 5] = [
    "'^[a-z]+$'",
    "'b|c'",
    "'(a|b)*c'",
    "'(a?){12}c'",
    "'(a|a|b|b|ab)*[0-9]'",
];

/// A random expression, which is true or false if it does not fail.
pub fn text(random: &mut Random) -> String {
    let mut writer = Writer { random, loops: 0 };
    let depth = 2 + writer.random.below(4);
    let text = match writer.random.below(3) {
        0 => writer.within_loops(depth),
        _ => writer.write(Kind::Truth, depth),
    };
    format!("({text}) != 7 || true")
}

struct Writer<'r> {
    random: &'r mut Random,
    /// How many loops are around what is written.
    loops: usize,
}

impl Writer<'_> {
    /// Something that is done again and again.
    fn within_loops(&mut self, depth: usize) -> String {
        self.loops = 2;
        let body = self.write(Kind::Truth, depth);
        format!("claims.ints.all(v1, claims.ints.all(v2, ({body}) || true))")
    }

    fn write(&mut self, kind: Kind, depth: usize) -> String {
        let kind = match self.random.below(12) {
            0 => KINDS[self.random.below(KINDS.len())],
            _ => kind,
        };
        if depth == 0 || self.random.below(8) == 0 {
            return match self.random.below(3) {
                0 if self.loops > 0 => format!("v{}", 1 + self.random.below(self.loops)),
                _ => self.random.one_of(kind.leaves()).to_owned(),
            };
        }
        let depth = depth - 1;
        if self.random.below(12) == 0 {
            let (which, a, b) = (
                self.write(Kind::Truth, depth),
                self.write(kind, depth),
                self.write(kind, depth),
            );
            return format!("({which} ? {a} : {b})");
        }
        match kind {
            Kind::Truth => self.truth(depth),
            Kind::Number => self.number(depth),
            Kind::Text => match self.random.below(4) {
                0 => format!("string({})", self.write(Kind::Number, depth)),
                1 => format!("string(bytes({}))", self.write(Kind::Text, depth)),
                2 => format!("claims.words[{}]", self.write(Kind::Number, depth)),
                _ => self.binary(&["+"], kind, depth),
            },
            Kind::List => match self.random.below(5) {
                0 => self.each(&["map"], kind, depth),
                1 => self.each(&["map"], Kind::Number, depth),
                2 => self.each(&["filter"], Kind::Truth, depth),
                3 => {
                    let count = self.random.below(5);
                    let items: Vec<String> = (0..count).map(|_| self.anything(depth)).collect();
                    format!("[{}]", items.join(", "))
                }
                _ => self.binary(&["+"], kind, depth),
            },
            Kind::Map => format!(
                "{{{}: {}, 'a': {}}}",
                self.write(Kind::Text, depth),
                self.anything(depth),
                self.anything(depth)
            ),
        }
    }

    fn anything(&mut self, depth: usize) -> String {
        let kind = KINDS[self.random.below(KINDS.len())];
        self.write(kind, depth)
    }

    fn truth(&mut self, depth: usize) -> String {
        match self.random.below(10) {
            0 => format!("!({})", self.write(Kind::Truth, depth)),
            1 => self.binary(&["&&", "||"], Kind::Truth, depth),
            2 => self.binary(&["<", "<=", ">", ">="], Kind::Text, depth),
            3 => self.binary(&["<", "<=", ">", ">="], Kind::Number, depth),
            4 => {
                let method = self.random.one_of(&["contains", "endsWith", "startsWith"]);
                let (text, part) = (self.write(Kind::Text, depth), self.write(Kind::Text, depth));
                format!("({text}).{method}({part})")
            }
            5 => format!(
                "({}).matches({})",
                self.write(Kind::Text, depth),
                self.random.one_of(&PATTERNS)
            ),
            6 => {
                let of = if self.random.below(2) == 0 {
                    Kind::List
                } else {
                    Kind::Map
                };
                format!("({}) in ({})", self.anything(depth), self.write(of, depth))
            }
            7 | 8 => self.each(&["all", "exists", "exists_one"], Kind::Truth, depth),
            _ => {
                let kind = KINDS[self.random.below(KINDS.len())];
                self.binary(&["==", "!="], kind, depth)
            }
        }
    }

    fn number(&mut self, depth: usize) -> String {
        match self.random.below(7) {
            0 => format!("size({})", self.write(Kind::List, depth)),
            1 => format!("size({})", self.write(Kind::Map, depth)),
            2 => format!("size({})", self.write(Kind::Text, depth)),
            3 => format!(
                "{}({})",
                self.random.one_of(&["int", "uint", "double", "dyn"]),
                self.write(Kind::Text, depth)
            ),
            4 => format!("int(timestamp({}))", self.write(Kind::Text, depth)),
            5 => format!("now.getHours({})", self.write(Kind::Text, depth)),
            _ => self.binary(&["+", "-", "*", "/", "%"], Kind::Number, depth),
        }
    }

    fn binary(&mut self, operators: &[&'static str], kind: Kind, depth: usize) -> String {
        let (a, b) = (self.write(kind, depth), self.write(kind, depth));
        format!("({a} {} {b})", self.random.one_of(operators))
    }

    fn each(&mut self, loops: &[&'static str], body: Kind, depth: usize) -> String {
        let range = self.write(Kind::List, depth);
        self.loops += 1;
        let name = format!("v{}", self.loops);
        let body = self.write(body, depth);
        self.loops -= 1;
        format!("({range}).{}({name}, {body})", self.random.one_of(loops))
    }
}
