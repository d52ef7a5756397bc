//! Inputs of a seed: pieces of the corpus, combined so that the filter lets at least half of the requests pass.

use std::fmt;

use super::corpus::Corpus;
use super::gate::{Forecast, Policy};
use super::input::{Caller, Field, Input, Tokens};
use crate::fuzz::paths::{self, PIECES};
use crate::fuzz::random::Random;

/// What a path begins with: something that a rule permits.
const BEGINNINGS: [&str; 12] = [
    "/public",
    "/public/",
    "/public/x",
    "/public/x/",
    "/public/a/b/",
    "/users/bob",
    "/users/bob/",
    "/users/bob/orders",
    "/users/bob/orders/",
    "/users/",
    "/public/users/",
    "/",
];
/// What a path ends with: what a server would serve that reads the rest in another way.
const ENDS: [&str; 10] = [
    "",
    "",
    "",
    "",
    "/orders",
    "/x",
    "admin/x",
    "/admin/x",
    "/../admin/x",
    "/users/alice/orders",
];
const PLAIN: [&str; 7] = [
    "/public",
    "/public/x",
    "/public/admin/x",
    "/public/users/alice/orders",
    "/users/bob",
    "/users/bob/orders",
    "/users/bob/admin/x",
];
/// What a plain value of a field becomes another by.
const VALUES: [&str; 12] = [
    "/",
    "/admin",
    "/admin/x",
    "/public",
    "/users/alice/orders",
    "/users/bob",
    "admin.example.com",
    "DELETE",
    "2",
    "alice",
    "http://admin.example.com/admin/x",
    "{forged}",
];

/// The requests of the corpus: the same for every server.
pub struct Base {
    requests: Vec<(Input, Caller)>,
    /// How many of them the filter lets pass.
    passing: usize,
}

impl Base {
    /// With an open policy, only paths are tried: everything else is the same under both.
    pub fn new(corpus: &Corpus, tokens: &Tokens, policy: Policy) -> Self {
        let mut forecast = Forecast::new(tokens, policy);
        let mut base = Self {
            requests: Vec::new(),
            passing: 0,
        };
        let is_tried = |input: &&Input| policy == Policy::Closed || input.is_only_a_target();
        for input in corpus.inputs.iter().filter(is_tried) {
            base.add(input, passing(&mut forecast, input));
        }
        base
    }

    /// Adds an input: once for each caller, or once where it is refused for every caller.
    fn add(&mut self, input: &Input, passing: usize) {
        let callers = match passing {
            0 => &[Caller::Bob],
            _ => input.callers(),
        };
        let callers = callers.iter();
        self.requests
            .extend(callers.map(|caller| (input.clone(), *caller)));
        self.passing += passing;
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, passing) = (self.requests.len(), self.passing);
        write!(f, "{all} requests, of which {passing} should pass")
    }
}

/// How many of the callers may pass with an input.
fn passing(forecast: &mut Forecast, input: &Input) -> usize {
    let callers = input.callers().iter();
    callers
        .filter(|caller| forecast.passes(input, **caller))
        .count()
}

/// Makes requests for one server.
pub struct Generator<'a> {
    corpus: &'a Corpus,
    policy: Policy,
    forecast: Forecast,
    random: Random,
    pieces: Vec<Vec<u8>>,
}

impl<'a> Generator<'a> {
    pub fn new(corpus: &'a Corpus, tokens: &Tokens, policy: Policy, seed: u64) -> Self {
        let targets = corpus.targets.iter();
        Self {
            policy,
            forecast: Forecast::new(tokens, policy),
            random: Random::new(seed),
            pieces: targets.flat_map(|target| pieces(target)).collect(),
            corpus,
        }
    }

    /// The requests of the corpus, then combinations, until there are so many. Of every five, three should pass: Envoy
    /// itself refuses some.
    pub fn requests(&mut self, base: &Base, number: usize) -> Vec<(Input, Caller)> {
        if base.requests.len() > number {
            let kept = (0..number).map(|_| self.random.below(base.requests.len()));
            return kept.map(|place| base.requests[place].clone()).collect();
        }
        let mut all = Base {
            requests: base.requests.clone(),
            passing: base.passing,
        };
        while all.requests.len() < number {
            let input = self.input();
            let passing = passing(&mut self.forecast, &input);
            if passing > 0 || all.passing * 5 > all.requests.len() * 3 {
                all.add(&input, passing);
            }
        }
        all.requests
    }

    fn input(&mut self) -> Input {
        let mut input = Input::get("");
        if self.policy == Policy::Open {
            input.target = self.path();
            return input;
        }
        input.method = self.random.pick(&["GET", "GET", "GET", "POST"]).into();
        let is_plain = self.random.below(2) == 0;
        input.target = if is_plain {
            self.random.pick(&PLAIN).into()
        } else {
            self.path()
        };
        if self.random.below(4) == 0 {
            self.add_query(&mut input);
        }
        let fields = if is_plain {
            1 + self.random.below(3)
        } else {
            self.random.below(2)
        };
        for _ in 0..fields {
            self.add_fields(&mut input);
        }
        input
    }

    fn path(&mut self) -> Vec<u8> {
        if self.random.below(4) == 0 {
            return paths::random_path(&mut self.random).into_bytes();
        }
        let mut path: Vec<u8> = self.random.pick(&BEGINNINGS).into();
        for _ in 0..1 + self.random.below(3) {
            if self.random.below(2) == 0 {
                path.extend_from_slice(self.random.pick(&PIECES).as_bytes());
            } else {
                let place = self.random.below(self.pieces.len());
                path.extend_from_slice(&self.pieces[place]);
            }
        }
        path.extend_from_slice(self.random.pick(&ENDS).as_bytes());
        path
    }

    fn add_query(&mut self, input: &mut Input) {
        let queries = &self.corpus.queries;
        for first in [true, false] {
            let separator = match (first, input.target.contains(&b'?')) {
                (_, false) => "?",
                (true, true) => self.random.pick(&["&", ";"]),
                (false, true) if self.random.below(3) == 0 => self.random.pick(&["&", ";", "?"]),
                (false, true) => return,
            };
            input.target.extend_from_slice(separator.as_bytes());
            input
                .target
                .extend_from_slice(&queries[self.random.below(queries.len())]);
        }
    }

    fn add_fields(&mut self, input: &mut Input) {
        if self.random.below(8) == 0 {
            let cookies = &self.corpus.cookies;
            let cookie = cookies[self.random.below(cookies.len())].clone();
            input.fields.push((b"cookie".to_vec(), cookie));
            return;
        }
        let fields = &self.corpus.fields;
        let mut fields = fields[self.random.below(fields.len())].clone();
        if self.random.below(2) == 0 {
            for field in &mut fields {
                self.respell(field);
            }
        }
        input.fields.extend(fields);
    }

    /// Another spelling of the name, or another value. The fields of HTTP itself stay as they are.
    fn respell(&mut self, (name, value): &mut Field) {
        let of_http: [&[u8]; 5] = [
            b"host",
            b"connection",
            b"content-length",
            b"transfer-encoding",
            b"upgrade",
        ];
        if of_http.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return;
        }
        let places: Vec<usize> = (0..name.len())
            .filter(|place| b"-_.".contains(&name[*place]))
            .collect();
        if !places.is_empty() {
            let place = places[self.random.below(places.len())];
            name[place] = self.random.pick(b"-_.-_");
        }
        match self.random.below(6) {
            0 => name.make_ascii_uppercase(),
            1 => name.make_ascii_lowercase(),
            2 => *value = self.random.pick(&VALUES).into(),
            _ => {}
        }
    }
}

/// The pieces of a path: each begins where a segment does.
fn pieces(target: &[u8]) -> Vec<Vec<u8>> {
    let path = countersign::request::path::without_query(target);
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for &byte in path {
        match pieces.last_mut() {
            Some(piece) if byte != b'/' => piece.push(byte),
            _ => pieces.push(vec![byte]),
        }
    }
    pieces.retain(|piece| piece.len() < 40);
    pieces
}
