//! The harness itself can fail: a table with a typo, an answer that differs, a leak.

use std::panic::catch_unwind;

use crate::support;
use crate::support::case::{Case, Observed, Upstream, load_all, parse};

const TABLE: &str = r#"
about: a table
keys: {ec: es256.json}
tokens: {T_a: {key: ec, claims: {sub: alice, exp: now+300}}}
document: {realm: api}
cases:
- name: refused
  request: {path: /x, headers: [[authorization, "Bearer {T_a}"]]}
  expect: {status: 401, challenges: ['Bearer realm="api"'], error: unauthorized, details: countersign_unauthorized, absent: [vary]}
- name: passed
  request: {path: "/x?{T_a}"}
  expect: {status: 200, upstream: {headers: {a: [b, c]}, absent: [d]}}
"#;

fn case(name: &str) -> Case {
    let cases = parse("harness", TABLE, 1_700_000_000).cases;
    cases
        .into_iter()
        .find(|case| case.name == format!("harness: {name}"))
        .unwrap()
}

fn fields(fields: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn refusal() -> Observed {
    Observed {
        status: 401,
        headers: fields(&[
            ("www-authenticate", "Bearer realm=\"api\""),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-type", "application/json"),
        ]),
        body: br#"{"error":"unauthorized","status":401}"#.to_vec(),
        details: Some("countersign_unauthorized".to_owned()),
        upstream: None,
    }
}

#[test]
fn what_is_expected_has_no_differences() {
    assert_eq!(case("refused").check(&refusal()), [""; 0]);
}

#[test]
fn every_difference_is_found() {
    let case = case("refused");
    let token = String::from_utf8(case.request.headers[0].1.clone()).unwrap();
    let signature = token.rsplit('.').next().unwrap().to_owned();
    let with_field = |name: &str, value: &str| {
        let mut observed = refusal();
        observed.headers.retain(|(own, _)| own != name);
        if !value.is_empty() {
            observed.headers.extend(fields(&[(name, value)]));
        }
        observed
    };
    let reached = Upstream {
        path: b"/x".to_vec(),
        headers: Vec::new(),
    };
    let different = [
        Observed {
            status: 403,
            ..refusal()
        },
        Observed {
            upstream: Some(reached),
            ..refusal()
        },
        Observed {
            body: b"".to_vec(),
            ..refusal()
        },
        Observed {
            body: br#"{"error":"forbidden","status":401}"#.to_vec(),
            ..refusal()
        },
        Observed {
            body: br#"{"error":"unauthorized","status":403}"#.to_vec(),
            ..refusal()
        },
        Observed {
            details: Some("countersign_forbidden".to_owned()),
            ..refusal()
        },
        with_field("www-authenticate", ""),
        with_field("www-authenticate", "Bearer"),
        with_field("www-authenticate", "Bearer realm=api"),
        with_field(
            "www-authenticate",
            "Bearer realm=\"api\", error=\"invalid_token\"",
        ),
        with_field("cache-control", ""),
        with_field("cache-control", "no-cache"),
        with_field("x-content-type-options", ""),
        with_field("content-type", "text/plain"),
        with_field("vary", "authorization"),
        with_field("x-other", &token),
        with_field("x-other", &signature),
    ];
    for observed in different {
        assert!(!case.check(&observed).is_empty(), "{observed:?}");
    }
}

#[test]
fn what_the_upstream_gets_is_compared() {
    let case = case("passed");
    let got = |headers: &[(&str, &str)]| Observed {
        status: 200,
        upstream: Some(Upstream {
            path: b"/x".to_vec(),
            headers: fields(headers),
        }),
        ..Observed::default()
    };
    assert_eq!(case.check(&got(&[("a", "b"), ("a", "c")])), [""; 0]);
    for headers in [
        &[("a", "b")][..],
        &[("a", "c"), ("a", "b")],
        &[("a", "b"), ("a", "c"), ("d", "")],
    ] {
        assert!(!case.check(&got(headers)).is_empty(), "{headers:?}");
    }
    let unreached = Observed {
        status: 200,
        ..Observed::default()
    };
    assert!(!case.check(&unreached).is_empty());
}

#[test]
fn a_table_with_a_typo_is_refused() {
    for (right, wrong) in [
        ("status: 401", "statuss: 401"),
        ("name: refused", "nam: refused"),
        ("request: {path: /x,", "request: {pth: /x,"),
        ("{key: ec,", "{kee: ec,"),
        ("Bearer {T_a}", "Bearer {T_b}"),
        ("es256.json", "es255.json"),
        ("name: passed", "name: passed\n  only: core-only"),
    ] {
        let text = TABLE.replacen(right, wrong, 1);
        assert_ne!(text, TABLE);
        assert!(
            catch_unwind(|| parse("harness", &text, 0)).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_case_is_selected_by_a_part_of_its_name_or_by_a_row() {
    let table = TABLE.replacen(
        "- name: refused",
        "- row: [H-02, 0.3.1]\n  name: refused",
        1,
    );
    let case = &parse("harness", &table, 0).cases[0];
    for selection in ["harness: refused", "fuse", "H-02", "0.3.1"] {
        assert!(case.is_of(selection), "{selection}");
    }
    for selection in ["passed", "H-0", "H-021"] {
        assert!(!case.is_of(selection), "{selection}");
    }
}

/// A name twice hides which case failed.
#[test]
fn no_two_cases_have_one_name() {
    let mut names: Vec<String> = load_all(support::now())
        .into_iter()
        .flat_map(|table| table.cases)
        .map(|case| case.name)
        .collect();
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
