use std::cell::Cell;
use std::rc::Rc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::authenticate::api_key::{ApiKey, Keys};
use crate::authenticate::{Method, Principal, Provider, SourceId};
use crate::authorize::Principals;
use crate::request::path::Readings;
use crate::request::{HttpsBy, RequestView};
use crate::time::Timestamp;

/// 2026-03-01T23:30:45.678Z, a Sunday.
const NOW: i64 = 1_772_407_845_678;

struct Asking {
    claims: Value,
    subject: Option<&'static str>,
    fields: Vec<(&'static [u8], &'static [u8])>,
    target: &'static [u8],
    client: Option<&'static str>,
    over_tls: bool,
    https_by: HttpsBy,
    now: i64,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            claims: json!({"level": 3, "tenant": "acme", "list": ["a", "b"], "deep": {"er": [1]}, "none": null}),
            subject: Some("user-1"),
            fields: vec![
                (b":method", b"GET"),
                (b":authority", b"API.example.com:443"),
                // The client chooses this value, so that it must not be used.
                (b":scheme", b"gopher"),
                (b"x-a", b"1"),
                (b"x-b", b"b"),
                (b"x-a", b"2"),
                (b"cookie", b"a=1"),
                (b"cookie", b"b=2"),
                (b"x-raw", b"\xff"),
            ],
            target: b"/v1/a%20b/",
            client: Some("10.1.2.3"),
            over_tls: true,
            https_by: HttpsBy::Connection,
            now: NOW,
        }
    }
}

impl Asking {
    fn of(&self, text: &str) -> Result<bool, Failed> {
        self.with(text, &Budget::default())
    }

    fn with(&self, text: &str, budget: &Budget) -> Result<bool, Failed> {
        let condition =
            Condition::compile(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        self.ask(budget, |input| condition.holds(input))
    }

    /// The result of the interpreter without charges.
    fn unmetered(&self, text: &str) -> Result<bool, Failed> {
        let condition = Condition::compile(text).unwrap();
        let expression = cel::parser::PrattParser::new().parse(text).unwrap();
        self.ask(&Budget::default(), |input| {
            let meter = input.budget.meter(&condition.patterns);
            let context = values::of(&condition.references, &meter, input).ok_or(Failed)?;
            match cel::Value::resolve(&expression, &context) {
                Ok(cel::Value::Bool(truth)) => Ok(truth),
                Ok(_) | Err(_) => Err(Failed),
            }
        })
    }

    fn ask<T>(&self, budget: &Budget, answer: impl FnOnce(Input<'_>) -> T) -> T {
        let Value::Object(claims) = self.claims.clone() else {
            panic!("claims are an object");
        };
        let principal = Principal::for_tests(
            self.subject,
            [&["read", "write"], &["admin"], &["staff"]],
            claims,
        );
        let callers = Principals::from_buf([Rc::new(principal)]);
        let providers = [Provider {
            name: "as-1".to_owned(),
            locations: Vec::new(),
            method: Method::ApiKey(ApiKey {
                kind: crate::kinds::ApiKey::BUILT.unwrap(),
                keys: Keys::Remote(SourceId(0)),
                offers: Vec::new(),
            }),
        }];
        let client = self.client.map(|client| client.parse().unwrap());
        let request = RequestView::new(self.fields.clone())
            .from_client(client)
            .over_tls(self.over_tls);
        let path = Readings::of_target(Some(self.target)).unwrap();
        let on_condition = Cell::new(0);
        answer(Input {
            principal: &callers[0],
            provider: "as",
            callers: &callers,
            providers: &providers,
            request: &request,
            https_by: self.https_by,
            path: &path,
            parameters: &[("org", "acme"), ("id", "a b")],
            now: Timestamp::from_millis(self.now),
            budget,
            on_condition: &|_| on_condition.set(1),
        })
    }
}

fn faults(text: &str) -> String {
    let faults = Condition::compile(text).expect_err(text);
    let messages: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.position, fault.kind))
        .collect();
    messages.join("; ")
}

/// Conditions that hold for the default input.
const HOLD: [&str; 32] = [
    "claims.level >= 3 && claims['tenant'] == 'acme'",
    "claims.level == 3.0 && claims.level == 3u",
    "'a' in claims.list && claims.list[1] == 'b' && size(claims.list) == 2",
    "claims.deep.er[0] == 1 && has(claims.deep.er) && !has(claims.deep.err)",
    "has(claims.none) && claims.none == null && !has(claims.other) && !('other' in claims)",
    "claims.size() == 5 && claims.exists(name, name == 'tenant')",
    "subject == 'user-1' && provider == 'as'",
    "scopes == ['read', 'write'] && roles == ['admin'] && 'staff' in groups",
    "callers['as-1'].subject == subject && callers['as-1'].claims.tenant == 'acme'",
    "'as-1' in callers && has(callers['as-1'].subject) && !('other' in callers) && size(callers) == 1",
    "callers.all(name, callers[name].roles == roles && 'read' in callers[name].scopes)",
    "!has(callers.other) && callers['as-1'].groups == groups && callers['as-1'].size() == 5",
    "params.org == claims.tenant && params.id == 'a b' && size(params) == 2",
    "request.method == 'GET' && request.path == '/v1/a b' && request.host == 'api.example.com'",
    "request.scheme == 'https' && source.address == '10.1.2.3'",
    "request.headers['x-a'] == '1,2' && request.headers.cookie == 'a=1; b=2'",
    "'x-b' in request.headers && !('x-c' in request.headers) && !has(request.headers.x)",
    "claims.tenant.startsWith('ac') && claims.tenant.matches('^ac[a-z]e$') && matches('b', 'a|b')",
    "claims.tenant.contains('cm') && claims.tenant.endsWith('e') && claims.tenant + '1' == 'acme1'",
    "claims.list.all(x, x in ['a', 'b']) && claims.list.exists(x, x == 'b')",
    "claims.list.map(x, x + '!') == ['a!', 'b!'] && claims.list.filter(x, x > 'a') == ['b']",
    "claims.list.exists_one(x, x.matches('a')) && claims.list.all(x, [x].all(y, y == x))",
    "claims.missing == 1 || claims.level == 3",
    "type(claims.level) == int && type(subject) == string && string(claims.level) == '3'",
    "claims.level > 2 ? true : claims.nothing",
    "int(now) == 1772407845 && timestamp(1772407845) < now",
    "now < timestamp('2027-01-01T00:00:00Z') && now >= timestamp('2026-03-02T00:30:45.678+01:00')",
    "now + duration('1h') > now && now - duration('30m') < now && now - now == duration('0')",
    "now - timestamp('2026-03-01T22:00:00.678Z') == duration('1h30m45s')",
    "duration('1h') + duration('-30m') == duration('1800s') && duration('1.5s') == duration('1500ms')",
    "true",
    "1 < 2 // a comment",
];

/// The `cel` crate has two parsers. The filter uses the newer one, and the other is the reference here.
#[test]
fn both_parsers_agree() {
    let without_ids = |expression: &Expression| {
        let shown = format!("{expression:?}");
        let parts = shown.split("id: ");
        let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.collect::<String>()
    };
    let others = [
        "-1 - -2 * 3 % 4 == 5",
        "a ? b : c ? d : e",
        "!!a || !b && c || d && e || f",
        "-a.b[1]['c'].d(1u, 0x1F, 1e3)",
        r#"r'\d' + b"\x41" + """x'y""""#,
    ];
    for text in HOLD.iter().chain(&EXPRESSIONS).chain(&others) {
        let own = cel::parser::PrattParser::new().parse(text).unwrap();
        let other = cel::parser::Parser::new().parse(text).unwrap();
        assert_eq!(without_ids(&own), without_ids(&other), "{text}");
    }
}

#[test]
fn a_condition_can_read_every_value() {
    let asking = Asking::default();
    for text in HOLD {
        assert_eq!(asking.of(text), Ok(true), "{text}");
    }
    assert_eq!(asking.of("claims.level > 3"), Ok(false));
    assert_eq!(asking.of("false"), Ok(false));
}

#[test]
fn a_reference_to_an_absent_value_or_another_type_fails() {
    let asking = Asking::default();
    for text in [
        "claims.missing == 1",
        "claims.tenant.x == 1",
        "claims.level > 'a'",
        "claims.level",
        "claims.level && true",
        "1 / (claims.level - 3) == 1",
        "1 % (claims.level - 3) == 1",
        "claims.list[2] == 'a'",
        "claims.list[-1 * claims.level] == 'a'",
        "claims.level + 9223372036854775807 > 0",
        "claims.deep.er.er",
        "request.headers['x-raw'] == 'a'",
        "size(request.headers) > 0",
        "size(request) > 0",
        "now.getHours(claims.tenant) > 0",
        "timestamp(claims.tenant) > now",
        "duration(claims.tenant) > duration('1s')",
        "now + now > now",
        "now == now && now < 1",
    ] {
        assert_eq!(asking.of(text), Err(Failed), "{text}");
    }
    let unknown = Asking {
        subject: None,
        client: None,
        fields: Vec::new(),
        ..Asking::default()
    };
    for text in [
        "subject == 'user-1'",
        "source.address == '10.1.2.3'",
        "request.host == ''",
    ] {
        assert_eq!(unknown.of(text), Err(Failed), "{text}");
    }
    assert_eq!(unknown.of("!has(source.address)"), Ok(true));
}

#[test]
fn the_scheme_is_that_of_the_connection_or_of_x_forwarded_proto() {
    let asking = |over_tls: bool, https_by: HttpsBy, forwarded: Option<&'static [u8]>| Asking {
        over_tls,
        https_by,
        fields: std::iter::once((&b":scheme"[..], &b"https"[..]))
            .chain(forwarded.map(|proto| (&b"x-forwarded-proto"[..], proto)))
            .collect(),
        ..Asking::default()
    };
    for (over_tls, https_by, forwarded, scheme) in [
        (true, HttpsBy::Connection, None, "https"),
        (false, HttpsBy::Connection, None, "http"),
        (false, HttpsBy::Connection, Some(&b"https"[..]), "http"),
        (false, HttpsBy::ForwardedProto, Some(b"https"), "https"),
        (true, HttpsBy::ForwardedProto, Some(b"http"), "http"),
        (true, HttpsBy::ForwardedProto, Some(b"https,http"), "http"),
        (true, HttpsBy::ForwardedProto, None, "http"),
    ] {
        let asking = asking(over_tls, https_by, forwarded);
        let text = format!("request.scheme == '{scheme}'");
        assert_eq!(
            asking.of(&text),
            Ok(true),
            "{over_tls} {https_by:?} {forwarded:?}"
        );
    }
}

#[test]
fn a_fault_has_a_position() {
    for (text, expected) in [
        ("claims.level >=", "column 16: "),
        (
            "cliams.level == 1",
            "column 1: there is no variable `cliams`",
        ),
        (
            "true &&\n  sizes(claims) == 1",
            "line 2, column 3: there is no function `sizes`",
        ),
        (
            "request.methd == 'GET'",
            "column 9: there is no member of `request` `methd`",
        ),
        (
            "source.port == 1",
            "column 8: there is no member of `source` `port`",
        ),
        (
            "'é' == provider && x",
            "column 20: there is no variable `x`",
        ),
        (
            "request.headers['X-A'] == ''",
            "column 17: expected a header name in lower case",
        ),
        (
            "request.headers.host == ''",
            "column 17: `host` is not in `request.headers`: use `request.host`",
        ),
        (
            "subject.matches(claims.re)",
            "column 9: expected the pattern of `matches` as a string literal",
        ),
        ("subject.matches('a(')", "column 17: invalid pattern: "),
        (
            "subject.matches('(a{1000}){1000}')",
            "column 17: invalid pattern: ",
        ),
        ("now.getHours('2:00') > 1", "column 14: expected an offset"),
        (
            "now.getHours('Europe/Paris') > 1",
            "column 14: expected an offset",
        ),
        ("now > timestamp('2027')", "column 17: expected a timestamp"),
        (
            "now > now - duration('1d')",
            "column 22: expected a duration",
        ),
        (
            "1",
            "column 1: expected an expression of type bool, found int",
        ),
        (
            "'a' + 'b'",
            "column 1: expected an expression of type bool, found string",
        ),
        (
            "roles",
            "column 1: expected an expression of type bool, found list",
        ),
        (
            "1 / 0 == 1",
            "column 1: this expression fails for every request",
        ),
        ("claims.list.all(x)", "column 13: wrong arguments for `all`"),
        ("has(subject)", "column 5: "),
        ("a.B{c: 1} == 1", "column 1: there is no message `a.B`"),
        ("claims.?level == 1", "column 7: "),
        ("", "column 1: "),
        (
            "[1, 2].all(x, x > y)",
            "column 19: there is no variable `y`",
        ),
        (
            "[1].all(roles, true) && .roles == x",
            "column 35: there is no variable `x`",
        ),
    ] {
        let messages = faults(text);
        assert!(messages.starts_with(expected), "{text:?}: {messages}");
    }
    assert!(
        faults(&format!("{}true{}", "(".repeat(50), ")".repeat(50))).contains("nested at most")
    );
    assert!(faults(&format!("{}1 > 0", "1 + ".repeat(60))).contains("nested at most"));
    assert!(faults(&format!("claims{} == 1", ".a".repeat(60))).contains("nested at most"));
    assert!(faults(&format!("claims{} == 1", "['a']".repeat(60))).contains("nested at most"));
    assert!(faults(&format!("{}true", "claims.a ? true : ".repeat(50))).contains("nested at most"));
    assert!(faults(&format!("{}true", "!".repeat(3000))).contains("at most 2048 bytes"));
}

#[test]
fn timestamps_have_the_functions_of_cel() {
    let read = |now: i64, what: &str| {
        let asking = Asking {
            now,
            ..Asking::default()
        };
        let found =
            (-1..=3000).find(|number| asking.of(&format!("now.{what} == {number}")) == Ok(true));
        found.unwrap_or_else(|| panic!("{what}"))
    };
    // 2026-03-01T23:30:45.678Z, a Sunday.
    for (what, expected) in [
        ("getFullYear()", 2026),
        ("getMonth()", 2),
        ("getDate()", 1),
        ("getDayOfMonth()", 0),
        ("getDayOfWeek()", 0),
        ("getDayOfYear()", 59),
        ("getHours()", 23),
        ("getMinutes()", 30),
        ("getSeconds()", 45),
        ("getMilliseconds()", 678),
        ("getHours('+02:00')", 1),
        ("getDate('+02:00')", 2),
        ("getDayOfWeek('+02:00')", 1),
        ("getMinutes('-00:45')", 45),
        ("getHours('-23:30')", 0),
    ] {
        assert_eq!(read(NOW, what), expected, "{what}");
    }
    // 2024-02-29T12:00:00Z, a Thursday; 2024-12-31T12:00:00Z; 1970-01-01T00:00:00Z.
    assert_eq!(read(1_709_208_000_000, "getDate()"), 29);
    assert_eq!(read(1_709_208_000_000, "getDayOfWeek()"), 4);
    assert_eq!(read(1_735_646_400_000, "getDayOfYear()"), 365);
    assert_eq!(read(0, "getFullYear()"), 1970);
    assert_eq!(read(0, "getDayOfWeek()"), 4);
    assert_eq!(read(0, "getFullYear('-01:00')"), 1969);
}

/// Office hours in Paris, in summer.
#[test]
fn hours_have_the_given_offset() {
    let open = "now.getHours('+02:00') >= 8 && now.getHours('+02:00') < 18 && now.getDayOfWeek('+02:00') in [1, 2, 3, 4, 5]";
    let at = |text: &str| {
        let moment = humantime::parse_rfc3339(text).unwrap();
        let since = moment.duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = i64::try_from(since.as_millis()).unwrap();
        Asking {
            now,
            ..Asking::default()
        }
        .of(open)
        .unwrap()
    };
    assert!(at("2026-07-06T06:00:00Z") && at("2026-07-06T15:59:59Z"));
    assert!(!at("2026-07-06T05:59:59Z") && !at("2026-07-06T16:00:00Z"));
    assert!(!at("2026-07-05T12:00:00Z"), "a Sunday");
}

#[test]
fn a_condition_says_which_values_it_refers_to() {
    let looks = |text: &str| {
        let condition = Condition::compile(text).unwrap();
        (condition.looks_at_path(), condition.looks_at_address())
    };
    assert_eq!(looks("request.method == 'GET'"), (false, false));
    assert_eq!(looks("request.path == '/'"), (true, false));
    assert_eq!(looks("request['path'] == '/'"), (true, false));
    assert_eq!(looks("has(request.path)"), (true, false));
    assert_eq!(looks("size(request) == 1"), (true, false));
    assert_eq!(looks("['path'].all(x, request[x] == '/')"), (true, false));
    assert_eq!(looks("[1].all(request, request == 1)"), (false, false));
    assert_eq!(
        looks("[1].all(request, .request.path == '/')"),
        (true, false)
    );
    assert_eq!(looks("source.address == ''"), (false, true));
    assert_eq!(looks("size(source) == 1"), (false, true));
}

/// A loop within a loop over the client's data stops early, whatever the data is.
#[test]
fn work_is_bounded() {
    let items: Vec<String> = (0..20_000).map(|number| format!("{number:04}")).collect();
    let asking = Asking {
        claims: json!({"list": items, "big": "a".repeat(60_000), "n": 1, "numbers": vec![0; 5_000]}),
        ..Asking::default()
    };
    for text in [
        "claims.list.all(x, claims.list.all(y, y != ''))",
        "claims.list.all(x, claims.list.exists(y, y == '' || y == claims.big))",
        "claims.list.all(x, x in claims.list)",
        "claims.list in claims.numbers",
        "claims.big in claims.numbers",
        "claims.list.all(x, !claims.big.contains(x))",
        "claims.list.all(x, claims.list == claims.list)",
        "claims.list.map(x, claims.big + x).size() > 0",
        "claims.list.map(x, claims.list).size() > 0",
        "claims.list.map(x, {'a': claims.big}).size() > 0",
        "claims.list.all(x, !claims.big.matches('b|c'))",
        "claims.big.matches('(a|aa|aaa|b?){25}c')",
        "claims.list.all(x, size(claims.big) > 0)",
        "claims.list.map(x, claims.list.map(y, x)).size() > 0",
        "claims.list.all(a, [1, 2, 3].all(b, [1, 2, 3].all(c, [1, 2, 3].all(d, [1, 2, 3].all(e, a != '')))))",
    ] {
        assert_eq!(asking.of(text), Err(Failed), "{text}");
    }
    assert_eq!(asking.of("claims.big.matches('^[a-z]+$')"), Ok(true));
    assert_eq!(asking.of("claims.list.size() > 0"), Ok(true));
}

/// Values without size are charged in a loop too.
#[test]
fn loops_over_literals_are_bounded() {
    let asking = Asking {
        claims: json!({"list": vec![0; 8_000], "some": vec![0; 2_500], "few": vec![0; 100]}),
        ..Asking::default()
    };
    for text in [
        "claims.list.all(x, [1, 2, 3].all(y, [1, 2, 3].all(z, true)))",
        "claims.list.all(x, 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2 && 1 < 2)",
        "claims.list.map(x, {1: 1, 2: 2, 3: 3, 4: 4}).size() > 0",
        "claims.list.all(x, '1' + '2' == '12' && string(1.5) == '1.5')",
        "claims.some.all(x, claims.some.exists(y, true))",
        "claims.some.exists(x, claims.some.all(y, false))",
        "claims.few.all(x, claims.few.all(y, claims.few.all(z, true)))",
        "size([claims, claims, claims, claims, claims, claims, claims, claims, claims]) > 0",
    ] {
        assert_eq!(asking.of(text), Err(Failed), "{text}");
    }
    assert_eq!(asking.of("claims.list.all(x, true)"), Ok(true));
    assert_eq!(
        asking.of("claims.few.all(x, claims.few.all(y, true))"),
        Ok(true)
    );
}

/// An error is ignored if another operand decides, but an exhausted budget is not.
#[test]
fn no_operator_ignores_an_exhausted_budget() {
    let asking = Asking {
        claims: json!({"list": vec![0; 2_500]}),
        ..Asking::default()
    };
    let work = "claims.list.all(x, claims.list.all(y, true))";
    for text in [
        format!("{work} || true"),
        format!("true == ({work} || true)"),
        format!("!({work} && false)"),
        format!("[{work} || true].all(x, x)"),
        format!("[1].exists(x, {work} || true)"),
        format!("[1, 2].exists(x, x == 2 || {work})"),
        format!("claims.list.exists(x, {work}) || true"),
        format!("({work} || true) ? true : false"),
    ] {
        assert_eq!(asking.of(&text), Err(Failed), "{text}");
    }
    assert_eq!(
        asking.of(&format!("has(claims.list) || {work}")),
        Ok(true),
        "what is not evaluated costs nothing"
    );
    let budget = Budget::default();
    assert_eq!(
        asking.with(&format!("{work} || true"), &budget),
        Err(Failed)
    );
    assert_eq!(budget.spent(), OPERATIONS);
}

#[test]
fn the_conditions_of_a_request_share_one_budget() {
    let asking = Asking {
        claims: json!({"list": vec![0; 5_000]}),
        ..Asking::default()
    };
    let budget = Budget::default();
    assert_eq!(budget.spent(), 0);
    let text = "claims.list.all(x, x == 0)";
    let mut held = 0;
    while asking.with(text, &budget) == Ok(true) {
        held += 1;
    }
    assert!((1..10).contains(&held), "{held}");
    assert_eq!(asking.with("true", &budget), Err(Failed));
    assert_eq!(asking.of(text), Ok(true));
}

#[test]
fn a_constant_that_costs_too_much_is_rejected() {
    let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let within = |inner: &str| format!("{ten}.all(a, {ten}.all(b, {inner}))");
    let thousand = within(&format!("{ten}.all(c, true)"));
    assert!(Condition::compile(&thousand).is_ok());
    assert_eq!(
        faults(&within(&within(&thousand))),
        "column 1: this expression needs more than 600000 operations for every request"
    );
    // Whether the loops are evaluated depends on the request.
    let maybe = format!("has(claims.a) && {}", within(&within(&thousand)));
    assert!(Condition::compile(&maybe).is_ok());
}

/// Realistic conditions, for a caller with a large token. The last two are expensive on purpose.
#[test]
fn common_conditions_cost_little() {
    let named = |prefix: &str, count| -> Vec<String> {
        (0..count).map(|n| format!("{prefix}-{n:03}")).collect()
    };
    let asking = Asking {
        claims: json!({
            "level": 3, "tenant": "acme", "email": "alice@example.com", "email_verified": true,
            "groups": named("cn=department,ou=groups,dc=example,dc=com", 200),
            "features": named("feature", 50),
            "resource_access": {"orders": {"roles": named("role", 30)}, "billing": {"roles": ["reader"]}},
            "amr": ["pwd", "otp"], "auth_time": 1_772_407_000,
        }),
        ..Asking::default()
    };
    for (text, most) in [
        ("claims.level >= 3 || 'admin' in roles", 300),
        (
            "claims.tenant == params.org && request.method in ['GET', 'HEAD']",
            300,
        ),
        (
            "'otp' in claims.amr && int(now) - claims.auth_time < 3600",
            300,
        ),
        (
            "claims.email.matches('^[a-z.]+@example[.]com$') && claims.email_verified",
            700,
        ),
        (
            "now.getHours('+01:00') >= 0 && now.getDayOfWeek('+01:00') in [0, 1, 2, 3, 4, 5, 6]",
            300,
        ),
        ("'role-029' in claims.resource_access.orders.roles", 500),
        ("claims.features.all(x, x.startsWith('feature-'))", 3_000),
        (
            "claims.features.exists(x, x in ['a', 'b', 'feature-049'])",
            4_000,
        ),
        (
            "claims.groups.exists(x, x.startsWith('cn=department,') && x.endsWith('-199'))",
            25_000,
        ),
        (
            "claims.groups.filter(x, x.matches('-1[0-9]+$')).size() == 100",
            70_000,
        ),
    ] {
        let budget = Budget::default();
        let holds = asking.with(text, &budget);
        let spent = budget.spent();
        println!(
            "{spent:6} {:5.2} %  {text}",
            f64::from(spent) * 100.0 / f64::from(OPERATIONS)
        );
        assert_eq!(holds, Ok(true), "{text}");
        assert!(spent <= most, "{text}: {spent}");
    }
}

/// Realistic conditions, for a caller with 200 groups and 100 roles. All names have the same length, and many begin
/// alike.
#[test]
fn common_conditions_on_large_tokens_are_within_the_budget() {
    let names: Vec<String> = (0..200)
        .map(|n| {
            format!("CN=team-{n:03}-developers,OU=Groups,OU=Engineering,DC=corp,DC=example,DC=com")
        })
        .collect();
    let ids: Vec<String> = (0..200)
        .map(|n| format!("6f9619ff-8b86-d011-b42d-00cf4fc9{n:04}"))
        .collect();
    let roles: Vec<String> = (0..100)
        .map(|n| format!("6f9619ff-8b86-d011-b42d-00cf4fc8{n:04}"))
        .collect();
    let asking = Asking {
        claims: json!({"dns": names, "names": ids, "groups": ids, "roles": roles}),
        ..Asking::default()
    };
    for (text, most) in [
        (
            "claims.dns.exists(g, g.matches('^CN=team-199-developers,(OU=[A-Za-z]+,)+DC=corp,DC=example,DC=com$'))",
            5.0,
        ),
        (
            "claims.dns.exists(g, g.matches('(?i)^cn=(admins|owners|team-199-developers),ou=groups,'))",
            5.0,
        ),
        (
            "!claims.dns.exists(g, g.matches('^CN=[a-z0-9-]+-admins,OU=Groups,'))",
            60.0,
        ),
        ("claims.groups.all(g, g in claims.groups)", 25.0),
        (
            "claims.groups.exists(g, g in claims.roles) || claims.names.exists(g, g in claims.roles) || true",
            30.0,
        ),
        ("claims.roles.all(r, claims.roles.exists(q, q == r))", 10.0),
        (
            "claims.groups.exists(g, claims.roles.exists(r, r == g)) || true",
            15.0,
        ),
    ] {
        let budget = Budget::default();
        let holds = asking.with(text, &budget);
        let share = f64::from(budget.spent()) * 100.0 / f64::from(OPERATIONS);
        println!("{share:5.1} %  {text}");
        assert_eq!(holds, Ok(true), "{text}");
        assert!(share <= most, "{text}: {share}");
    }
}

/// A fraction is charged by what writing it may cost, a text by its size.
#[test]
fn printing_a_fraction_costs_much() {
    let asking = Asking {
        claims: json!({"list": vec![0; 200], "nums": vec![3.822552438524997e305; 20], "words": vec!["a"; 20]}),
        ..Asking::default()
    };
    let text = |of: &str| format!("claims.list.all(x, claims.{of}.all(y, string(y) != 'q'))");
    assert_eq!(asking.of(&text("nums")), Err(Failed));
    assert_eq!(asking.of(&text("words")), Ok(true));
}

/// All headers of a request are charged by their names.
#[test]
fn long_header_names_are_charged() {
    let names: Vec<String> = (0..90)
        .map(|n| format!("x-{}{n:02}", "a".repeat(598)))
        .collect();
    let fields = names.iter().map(|name| {
        let name: &'static [u8] = name.clone().leak().as_bytes();
        let value: &'static [u8] = b"1";
        (name, value)
    });
    let asking = Asking {
        fields: fields.collect(),
        ..Asking::default()
    };
    let budget = Budget::default();
    assert_eq!(
        asking.with("size(request.headers) == 90", &budget),
        Ok(true)
    );
    assert!(budget.spent() > 90 * 6 * 600 / 32, "{}", budget.spent());
}

const EXPRESSIONS: [&str; 26] = [
    "claims.a > claims.b",
    "claims.a + claims.b == claims.a",
    "claims.a - claims.b < claims.a",
    "claims.a * claims.b != claims.a",
    "claims.a / claims.b >= claims.a",
    "claims.a % claims.b == claims.a",
    "-claims.a == claims.b",
    "!claims.a",
    "claims.a[claims.b] == claims.a",
    "claims.a in claims.b",
    "claims.a.all(x, x == claims.b)",
    "claims.a.map(x, x + x).exists(y, y in claims.b)",
    "claims.a.exists(x, claims.b.exists(y, y == x))",
    "claims.a.exists(x, x == 'a') || claims.b.exists(x, 1u == x)",
    "claims.a.exists_one(x, claims.b.filter(y, x < y).size() == 1)",
    "int(claims.a) == uint(claims.b)",
    "double(claims.a) < 1.0 || string(claims.b) == ''",
    "bytes(claims.a) < bytes(claims.b) || bool(claims.a)",
    "timestamp(claims.a) + duration(claims.b) > now",
    "now - timestamp(claims.a) < duration(claims.b) + duration(claims.a)",
    "now.getHours(claims.a) == now.getDayOfYear(claims.b)",
    "claims.a.matches('^(a|b)*[0-9]+$') || claims.b.startsWith(claims.a)",
    "{claims.a: claims.b, claims.b: claims.a}.size() == 1",
    "[claims.a, claims.b, claims] == [claims]",
    "type(claims.a) == type(claims.b) ? claims.a : claims.b",
    "has(claims.a.b.c) && claims.a.b.c == claims.b['a']",
];

fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|truth| json!(truth)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        prop_oneof![Just(i64::MIN), Just(-1), Just(0), Just(1), Just(i64::MAX)]
            .prop_map(|n| json!(n)),
        prop_oneof![
            Just("".to_owned()),
            Just("9223372036854775808".to_owned()),
            Just("-1".to_owned()),
            Just("1e999".to_owned()),
            Just("9999-12-31T23:59:59.999999999Z".to_owned()),
            Just("0000-01-01T00:00:00+23:59".to_owned()),
            Just("9999-12-31T23:59:60-23:59".to_owned()),
            Just("2562047h47m16.854775807s".to_owned()),
            Just("-9223372036854775807ns".to_owned()),
            Just("9223372036.9s9223372036.9s".to_owned()),
            "[+-]?[0-9]{1,3}:[0-9é]{1,3}",
            "[+-]?([0-9]{0,20}(\\.[0-9]{0,20})?(h|m|s|ms|us|ns|é)){0,3}",
            "\\PC{0,12}",
        ]
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[abc]{0,2}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// For all claims, the result is that of the interpreter without charges.
    #[test]
    fn unusual_claims_do_not_panic(a in odd(), b in odd(), now in any::<i64>()) {
        let mut asking = Asking { claims: json!({"a": a, "b": b}), ..Asking::default() };
        for text in EXPRESSIONS {
            asking.now = NOW;
            let answer = asking.of(text);
            // The interpreter has no `matches`.
            if !text.contains("matches") {
                prop_assert_eq!(answer, asking.unmetered(text), "{}", text);
            }
            asking.now = now;
            let _ = asking.of(text);
        }
    }

    /// Every text is a valid expression or has a fault.
    #[test]
    fn unusual_expressions_do_not_panic(text in "(claims|\\.a|\\(|\\)|\\[|\\]|\\{|\\}|\\?|:|'|\"|\\\\|r'|b\"|1|0x|e9|\\.|,|=|!|-|\\+|in|has|all|x|é|`|//|\n| ){0,40}") {
        let _ = Condition::compile(&text);
        let _ = Condition::compile(&text.replace("é", "\u{0}"));
    }
}
