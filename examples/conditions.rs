//! The third part of `make bench`: the CPU time of the most expensive CEL conditions in Envoy, in milliseconds.
//!
//! Each condition reaches the operation limit with a different kind of work. A figure is the CPU time of Envoy for a
//! request, minus the CPU time of the same request with a trivial condition. It is the minimum of several requests.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::authorize::condition::Condition;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use support::client::{self, Request};
use support::envoy::{Bootstrap, Envoy};
use support::expression::{self, Random};
use support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";
/// The number of requests for each condition.
const REQUESTS: usize = 5;
/// The number of random conditions, in addition to the conditions below.
const RANDOM: usize = 300;
/// The number of printed conditions, which are the most expensive.
const SHOWN: usize = 20;
/// The most that the conditions of a request may cost, in milliseconds.
const BOUND: f64 = 20.0;

/// Half of the smallest double. A parser needs every digit to round it.
const HALF: &str = "2.4703282292062327208828439643411068618252990130716238221279284125033775363510437593264991818081799618989828234772285886546332835517796989819938739800539093906315035659515570226392290858392449105184435931802849936536152500319370457678249219365623669863658480757001585769269903706311928279558551332927834338409351978015531246597263579574622766465272827220056374006485499977096599470454020828166226237857393450736339007967761930577506740176324673600968951340535537458516661134223766678604162159680461914467291840300530057530849048765391711386591646239524912623653881879636239373280423891018672348497668235089863388587925628302755995657524455507255189313690836254779186948667994968324049705821028513185451396213837722826145437693412532098591327667236328125e-324";

/// Work for each iteration of two nested loops: with literals, and with values of the request.
const IN_LOOPS: &[(&str, &str)] = &[
    ("a literal", "true"),
    (
        "`<`",
        "1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2",
    ),
    (
        "`<` that fails",
        "1 < 'a' || 1 < 'a' || 1 < 'a' || 1 < 'a' || 1 < 'a' || 1 < 'a'",
    ),
    (
        "`==`",
        "1 == 2 || 1 == 2 || 1 == 2 || 1 == 2 || 1 == 2 || 1 == 2 || 1 == 2",
    ),
    (
        "`||` that fails",
        "1 || 1 || 1 || 1 || 1 || 1 || 1 || 1 || 1 || 1 || 1 || 1 || 1",
    ),
    ("`!`", "!!!!!!!!!!!!!!!!!!!!!!!!false"),
    ("`+`", "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 == 0"),
    (
        "`+` that fails",
        "(1 + 'a') == 0 || (1 + 'a') == 0 || (1 + 'a') == 0 || (1 + 'a') == 0",
    ),
    (
        "`in` of other types",
        "true in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]",
    ),
    (
        "`in`",
        "1 in [2] || 1 in [2] || 1 in [2] || 1 in [2] || 1 in [2]",
    ),
    (
        "a list",
        "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] == 1",
    ),
    (
        "a map",
        "{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8} == 1",
    ),
    (
        "a variable",
        "x == y || x == y || x == y || x == y || x == y",
    ),
    (
        "a claim",
        "claims.n == claims.n && claims.n == claims.n && claims.n == claims.n",
    ),
    (
        "a claim that is not there",
        "claims.q == 1 || claims.q == 1 || claims.q == 1 || claims.q == 1",
    ),
    (
        "has()",
        "has(claims.n) && has(claims.n) && has(claims.n) && has(claims.n)",
    ),
    (
        "an item",
        "claims.list[0] == 1 && claims.list[0] == 1 && claims.list[0] == 1",
    ),
    (
        "an item that is not there",
        "claims.list[9999] == 1 || claims.list[9999] == 1",
    ),
    (
        "names",
        "claims.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v == 1",
    ),
    (
        "size()",
        "size('a') == 2 || size('a') == 2 || size('a') == 2 || size('a') == 2",
    ),
    (
        "size() that fails",
        "size(1) == 2 || size(1) == 2 || size(1) == 2 || size(1) == 2",
    ),
    (
        "contains()",
        "'a'.contains('b') || 'a'.contains('b') || 'a'.contains('b')",
    ),
    (
        "startsWith()",
        "'a'.startsWith('b') || 'a'.startsWith('b') || 'a'.startsWith('b')",
    ),
    (
        "string() of a double",
        "string(1.7e308) == '' || string(1.7e-308) == '' || string(1.7e308) == ''",
    ),
    (
        "string() of a double of many digits",
        "string(3.822552438524997e305) == '' || string(5.2567338192279027e-297) == '' || string(1.5259807359811325e307) == ''",
    ),
    (
        "double()",
        "double('2.470328229206232720e-324') == 1.0 || double('2.470328229206232720e-324') == 1.0",
    ),
    (
        "int()",
        "int('1') == 2 || int('1') == 2 || int('a') == 2 || int(1.5) == 2",
    ),
    (
        "type()",
        "type(1) == string || type(1) == string || type(1) == string",
    ),
    (
        "timestamp()",
        "timestamp('2027-01-01T00:00:00.123456789+01:00') == now || timestamp(1) == now",
    ),
    (
        "duration()",
        "duration('1h1m1s1ms1us1ns') == 1 || duration('1h') == 1",
    ),
    (
        "getHours()",
        "now.getHours('+02:00') == 99 || now.getMonth() == 99 || now.getHours('+02:00') == 99",
    ),
    (
        "now + duration",
        "now + duration('1h') == 1 || now - now == 1",
    ),
    (
        "matches()",
        "'a'.matches('^b') || 'a'.matches('^b') || 'a'.matches('^b')",
    ),
    (
        "loops without a turn",
        "[].all(a, true) && [].all(a, true) && [].map(a, a) == [1]",
    ),
    (
        "nested loops",
        "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, [1].all(f, x == y))))))",
    ),
    (
        "loops that fail",
        "[1, 2, 3].all(a, 1) || [1, 2, 3].exists(a, a < 'a')",
    ),
    ("map()", "[1, 2, 3, 4, 5].map(a, a) == 1"),
    ("filter()", "[1, 2, 3, 4, 5].filter(a, true) == 1"),
    ("exists_one()", "[1, 2, 3, 4, 5].exists_one(a, true)"),
    ("exists()", "[1, 2, 3, 4, 5].exists(a, false)"),
];

/// Work on a large value for each iteration of a loop.
const ON_VALUES: &[(&str, &str)] = &[
    ("==", "claims.large == claims.large"),
    ("in", "claims.sought in claims.large"),
    (
        "exists() of an equal",
        "[claims.sought].all(s, claims.large.exists(y, y == s))",
    ),
    (
        "matches(), anchored",
        "claims.large.matches('^(aaaa|aaab)')",
    ),
    ("matches(), a part", "claims.large.matches('aaab[a-z]')"),
    ("[…]", "[claims.large, claims.large] == 1"),
    ("{…}", "{'a': claims.large} == 1"),
    ("+", "claims.large + claims.large == 1"),
    ("+ that fails", "claims.large + 1 == 1"),
    ("- that fails", "1 - claims.large == 1"),
    ("< that fails", "1 < claims.large"),
    ("[1.5]", "claims.large[1.5] == 1"),
    ("a key", "{claims.large: 1} == 1"),
    ("in a map", "claims.large in {'a': 1}"),
    ("size()", "size(claims.large) == -1"),
    ("dyn()", "dyn(claims.large) == 1"),
    ("map()", "claims.large.map(y, y) == 1"),
    ("map() of lists", "claims.large.map(y, [y, y, y, y]) == 1"),
    ("filter()", "claims.large.filter(y, true) == 1"),
    ("all()", "claims.large.all(y, true)"),
    ("exists()", "claims.large.exists(y, false)"),
    ("contains()", "claims.large.contains('b')"),
    ("contains() of much", "claims.large.contains(claims.needle)"),
    ("startsWith()", "claims.large.startsWith(claims.large)"),
    ("endsWith()", "claims.large.endsWith(claims.large)"),
    ("bytes()", "string(bytes(claims.large)) == 1"),
    ("double()", "double(claims.large) == 1.0"),
    ("int()", "int(claims.large) == 1"),
    ("timestamp()", "timestamp(claims.large) == 1"),
    ("duration()", "duration(claims.large) == 1"),
    ("<", "claims.large < claims.large"),
    ("matches(), light", "claims.large.matches('^[a-z]+c')"),
    ("matches(), lightest", "claims.large.matches('b')"),
    ("matches(), heavy", "claims.large.matches('(?:a?){90}c')"),
    (
        "matches(), heavy 2",
        "claims.large.matches('(a|aa|aaa|b?){25}c')",
    ),
    (
        "matches(), wide",
        "claims.large.matches('(a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a)*c')",
    ),
    (
        "matches(), sparse",
        "claims.large.matches('[acegikmoqsuwy]{1,60}c')",
    ),
];

/// A measured condition.
struct Work {
    name: String,
    /// The conditions of the rule, as alternatives.
    conditions: Vec<String>,
    /// The index of the token.
    token: usize,
    /// The rest of the request.
    shape: Shape,
}

/// The rest of a request besides its token.
#[derive(Clone, Copy)]
enum Shape {
    Plain,
    /// Many headers with long names that differ in their last characters.
    Fields,
    /// A path of many segments.
    Path,
    /// A host of many labels.
    Host,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Plain, Self::Fields, Self::Path, Self::Host];

    fn target(self, rule: usize) -> String {
        match self {
            Self::Path => format!("/{rule}{}", "/a".repeat(10_000)),
            Self::Plain | Self::Fields | Self::Host => format!("/{rule}"),
        }
    }

    fn host(self) -> String {
        match self {
            Self::Host => format!("{}example.com", "a.".repeat(120)),
            Self::Plain | Self::Fields | Self::Path => "api.example.com".to_owned(),
        }
    }

    fn names(self) -> Vec<String> {
        let count = match self {
            Self::Fields => 85,
            Self::Plain | Self::Path | Self::Host => 0,
        };
        let name = |number| format!("x-{}{number:02}", "a".repeat(598));
        (0..count).map(name).collect()
    }
}

fn main() -> ExitCode {
    let random = std::env::args()
        .nth(1)
        .map_or(Ok(RANDOM), |count| count.parse());
    let Ok(random) = random else {
        eprintln!("error: expected the number of random conditions");
        return ExitCode::FAILURE;
    };
    let key = SigningKey::generate(Algorithm::Es256);
    let claims = claims();
    let works = works(&claims, random);
    let upstream = Upstream::start();
    let bootstrap = Bootstrap::new(upstream.port()).listener("cel", &document(&key, &works));
    let envoy = Envoy::start(bootstrap);
    let tokens: Vec<String> = claims
        .iter()
        .map(|(_, claims)| token(&key, claims))
        .collect();
    let of_nothing: Vec<[f64; Shape::ALL.len()]> = tokens
        .iter()
        .map(|token| Shape::ALL.map(|shape| measure(&envoy, token, 0, shape)))
        .collect();
    let mut costs: Vec<(&Work, f64)> = works
        .iter()
        .enumerate()
        .map(|(place, work)| {
            (
                work,
                measure(&envoy, &tokens[work.token], place, work.shape)
                    - of_nothing[work.token][work.shape as usize],
            )
        })
        .collect();
    costs.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    println!("{} conditions, the most expensive first\n", costs.len());
    println!("| work | claims | CPU, ms |\n|---|---|---:|");
    for (work, ms) in costs.iter().take(SHOWN) {
        let name: String = work.name.chars().take(100).collect();
        println!("| {name} | {} | {ms:.1} |", claims[work.token].0);
    }
    let dearest = costs.first().map_or(0.0, |(_, ms)| *ms);
    if dearest > BOUND {
        eprintln!("error: a condition costs {dearest:.2} ms: expected at most {BOUND} ms");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn works(claims: &[(&'static str, Value)], random: usize) -> Vec<Work> {
    let one = |name: String, text: String, token| Work {
        name,
        conditions: vec![text],
        token,
        shape: Shape::Plain,
    };
    let mut works = vec![one(
        "nothing".to_owned(),
        "claims.none == 7 || true".to_owned(),
        0,
    )];
    for (name, body) in IN_LOOPS {
        let text = format!("claims.list.all(x, claims.list.all(y, ({body}) || true)) || true");
        works.push(one((*name).to_owned(), text, 0));
    }
    let ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    for token in 1..claims.len() - 1 {
        for (name, work) in ON_VALUES {
            let text = format!("{ten}.all(a, {ten}.all(b, {ten}.all(c, {work} || true))) || true");
            works.push(one((*name).to_owned(), text, token));
        }
        let copies = vec!["claims.large"; 140].join(", ");
        works.push(one(
            "many copies".to_owned(),
            format!("[{copies}] == 1 || true"),
            token,
        ));
        let conditions = vec!["claims.large == 1".to_owned(); 200];
        works.push(Work {
            name: "many conditions".to_owned(),
            conditions,
            token,
            shape: Shape::Plain,
        });
    }
    let deep = |range: &str, body: &str| {
        (0..17).fold(body.to_owned(), |text, number| {
            format!("{range}.all(v{number}, {text})")
        })
    };
    works.push(one("deep loops".to_owned(), deep("claims.pair", "true"), 0));
    works.push(one(
        "a claim in deep loops".to_owned(),
        deep(
            "claims.pair",
            "claims.n == claims.n && claims.n == claims.n && claims.n == claims.n",
        ),
        0,
    ));
    works.push(one(
        "names in deep loops".to_owned(),
        deep("claims.pair", "claims.n.a == 1 || v0.a == 1 || true"),
        0,
    ));
    let name = "n".repeat(1500);
    works.push(one(
        "a long name".to_owned(),
        format!("claims.list.all(x, claims.list.all({name}, claims.n == 1))"),
        0,
    ));
    works.push(one(
        "a long member".to_owned(),
        format!("claims.list.all(x, claims.list.all(y, claims.{name} == 1 || true))"),
        0,
    ));
    works.push(one(
        "a long text".to_owned(),
        format!("claims.list.all(x, claims.list.all(y, ['{name}', x] != [y]))"),
        0,
    ));
    works.push(Work {
        name: "many small conditions".to_owned(),
        conditions: vec![
            "claims.n == 7 || provider == '' || now == 1 || roles == 1".to_owned();
            1_000
        ],
        token: 0,
        shape: Shape::Plain,
    });
    for (name, text, count, shape) in [
        (
            "all fields",
            "size(request.headers) == 1",
            10,
            Shape::Fields,
        ),
        (
            "all fields, often",
            "size(request.headers) == 1",
            60,
            Shape::Fields,
        ),
        (
            "a field, often",
            "request.headers['x-a'] == ''",
            200,
            Shape::Fields,
        ),
        ("the path", "request.path == ''", 190, Shape::Path),
        ("the host", "request.host == ''", 190, Shape::Host),
    ] {
        works.push(Work {
            name: name.to_owned(),
            conditions: vec![text.to_owned(); count],
            token: 0,
            shape,
        });
    }
    works.push(one(
        "string() of many doubles".to_owned(),
        "claims.list.all(x, claims.nums.all(y, string(y) != 'q'))".to_owned(),
        0,
    ));
    for (name, text) in [
        (
            "groups among roles",
            "claims.groups.exists(g, claims.roles.exists(r, r == g)) || true",
        ),
        (
            "groups among groups",
            "claims.groups.all(g, g in claims.groups)",
        ),
    ] {
        works.push(one(name.to_owned(), text.to_owned(), 0));
    }
    let seeds = 0..u64::try_from(random).unwrap_or(u64::MAX);
    let texts = seeds.map(|seed| expression::text(&mut Random::new(seed)));
    let texts = texts.filter(|text| Condition::compile(text).is_ok());
    works.extend(texts.map(|text| one(text.clone(), text, claims.len() - 1)));
    works
}

fn document(key: &SigningKey, works: &[Work]) -> Value {
    let rules = works.iter().enumerate().map(|(place, work)| {
        let conditions = work.conditions.iter().map(|text| json!({"cel": text}));
        json!({
            "name": format!("r{place}"),
            "match": {"paths": [format!("/{place}/**")]},
            "require": {"any_of": conditions.collect::<Vec<_>>()},
        })
    });
    let document = json!({
        "providers": [{"name": "corp", "jwt": {
            "issuer": ISSUER, "audiences": "any", "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": rules.collect::<Vec<_>>(),
    });
    if let Err(faults) = countersign::config::load_value(&document) {
        panic!("{faults:?}");
    }
    document
}

/// Names that differ in their last characters.
fn ids(count: usize) -> Vec<String> {
    let id = |number| format!("6f9619ff-8b86-d011-b42d-00cf{count:03}{number:05}");
    (0..count).map(id).collect()
}

/// The claims for each kind of work. The first are for [`IN_LOOPS`], the last for random conditions.
fn claims() -> Vec<(&'static str, Value)> {
    let times = |what: Value, count| json!({"large": vec![what; count], "sought": 1});
    let text = |text: String, needle: usize| json!({"large": text, "needle": format!("{}b{}", "a".repeat(needle), "a".repeat(needle))});
    let members = (0..1000).map(|number| (format!("k{number}"), json!(number)));
    let members = Value::Object(members.collect());
    let pair = json!({"a": 1});
    vec![
        (
            "",
            json!({"list": vec![1; 200], "n": 1, "pair": [1, 2], "nums": vec![3.822_552_438_524_997e305; 45], "groups": ids(200), "roles": ids(100)}),
        ),
        ("numbers", times(json!(0), 2_000)),
        ("many numbers", times(json!(0), 11_000)),
        ("words", json!({"large": vec!["a"; 1_000], "sought": "b"})),
        (
            "long words",
            json!({"large": vec!["a".repeat(31); 650], "sought": "a".repeat(30)}),
        ),
        (
            "words of a length",
            json!({"large": vec!["a".repeat(95); 200], "sought": format!("{}b", "a".repeat(94))}),
        ),
        (
            "numbers, a text",
            json!({"large": vec![0; 1_000], "sought": "a".repeat(10_000)}),
        ),
        (
            "numbers, a list",
            json!({"large": vec![0; 1_000], "sought": vec![0; 1_000]}),
        ),
        ("lists", json!({"large": vec![[0]; 1_000], "sought": [1]})),
        ("members", json!({"large": members, "sought": "q"})),
        (
            "maps",
            json!({"large": vec![pair; 1_000], "sought": {"a": 2}}),
        ),
        ("a text", text("a".repeat(20_000), 500)),
        ("a short text", text("a".repeat(500), 50)),
        (
            "digits",
            text(format!("0.{}", "123456789".repeat(2_000)), 0),
        ),
        (
            "some digits",
            text(format!("0.{}", "123456789".repeat(80)), 0),
        ),
        ("half a double", text(HALF.to_owned(), 0)),
        (
            "a moment",
            text(format!("2027-01-01T00:00:00.{}Z", "1".repeat(20_000)), 0),
        ),
        ("a duration", text("1ns".repeat(7_000), 0)),
        ("random", expression::claims(700)),
    ]
}

fn token(key: &SigningKey, claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["iss"] = json!(ISSUER);
    claims["exp"] = json!(support::now() + 3_600);
    let header = json!({"alg": "ES256", "kid": key.kid()});
    let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
    token.expect("signed")
}

/// The CPU time of Envoy for a request that matches a rule, in milliseconds.
fn measure(envoy: &Envoy, token: &str, rule: usize, shape: Shape) -> f64 {
    let target = shape.target(rule);
    let authorization = format!("Bearer {token}");
    let (host, names) = (shape.host(), shape.names());
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"host", host.as_bytes()),
        (b"authorization", authorization.as_bytes()),
    ];
    headers.extend(names.iter().map(|name| (name.as_bytes(), &b"1"[..])));
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers,
        body: b"",
    };
    let costs = (0..REQUESTS).map(|_| {
        let before = envoy.cpu_nanoseconds();
        let response = client::send(envoy.listener("cel"), &request).expect("a response");
        assert!(
            [200, 403].contains(&response.status),
            "{target}: {}",
            response.status
        );
        (envoy.cpu_nanoseconds() - before) as f64 / 1e6
    });
    costs.fold(f64::INFINITY, f64::min)
}
