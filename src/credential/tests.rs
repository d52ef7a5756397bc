use super::*;
use crate::request::query::without_parameters;

type Pairs<'a> = &'a [(&'a str, &'a [u8])];

fn bearer() -> Vec<Location> {
    locations(&[Carrier::Scheme {
        field: "authorization".into(),
        scheme: "Bearer".into(),
    }])
}

fn locations(locations: &[Carrier]) -> Vec<Location> {
    let served = |carrier: &Carrier| Location {
        carrier: carrier.clone(),
        grammar: Grammar::Token,
        schemes: SchemeSet::default(),
    };
    locations.iter().map(served).collect()
}

/// The tokens that are found, or the fault.
fn tokens(pairs: Pairs<'_>, locations: &[Location]) -> Result<Vec<String>, CredentialFault> {
    let fields = pairs.iter().map(|(name, value)| (name.as_bytes(), *value));
    match present(&RequestView::new(fields.collect()), locations, |_, _| true) {
        Ok(presented) => Ok(presented
            .iter()
            .map(|one| String::from_utf8(one.shown.octets().to_vec()).unwrap())
            .collect()),
        Err(Reject::Malformed(malformed)) => Err(malformed.fault),
        Err(other) => panic!("{other:?}"),
    }
}

fn authorization(values: &[&[u8]]) -> Result<Vec<String>, CredentialFault> {
    let pairs: Vec<_> = values
        .iter()
        .map(|value| ("authorization", *value))
        .collect();
    tokens(&pairs, &bearer())
}

#[test]
fn the_scheme_is_compared_without_case_and_spaces_are_ignored() {
    for value in [
        &b"Bearer a.b.c"[..],
        b"bEaReR a.b.c",
        b"BEARER   a.b.c",
        b"  Bearer a.b.c ",
    ] {
        assert_eq!(authorization(&[value]), Ok(vec!["a.b.c".to_owned()]));
    }
}

#[test]
fn a_scheme_that_is_not_configured_is_ignored() {
    for value in [
        &b""[..],
        b"Negotiate abc",
        b"Hawk id=\"a, Bearer b\", mac=\"c\"",
        b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b;c, Signature=d",
        b"a.b.c",
    ] {
        assert_eq!(authorization(&[value]), Ok(vec![]));
    }
    assert_eq!(authorization(&[]), Ok(vec![]));
}

#[test]
fn b_07_a_value_that_is_not_a_b64token_is_malformed() {
    for value in [
        &b"Bearer abc def"[..],
        b"Bearer ab=c",
        b"Bearer \"abc\"",
        b"Bearer abc!",
        b"Bearer\tabc",
        b"Bearer token=\"abc\"",
        b"Bearer =",
        b"Bearer \xe2\x82\xac",
        b"Bearer=abc",
        b"Bearer abc,def",
    ] {
        assert_eq!(
            authorization(&[value]),
            Err(CredentialFault::Syntax),
            "{value:?}"
        );
    }
    for value in [&b"Bearer"[..], b"Bearer "] {
        assert_eq!(authorization(&[value]), Err(CredentialFault::Empty));
    }
}

#[test]
fn h_37_h_38_two_credentials_are_rejected() {
    for values in [
        &[&b"Bearer a"[..], &b"Bearer a"[..]][..],
        &[b"Basic a", b"Bearer b"],
        &[b"Bearer a, Bearer b"],
        &[b"Basic x,Bearer y"],
        &[b"Digest a=\"b\", c=d, Bearer e"],
        &[b"Bearer a,Bearer"],
        &[b"Foo a=\"b, Bearer c"],
        &[b"Foo a=\"b\\\", Bearer c"],
        &[b"Foo a=\"\", b=\"\\\", Bearer c"],
    ] {
        assert_eq!(
            authorization(values),
            Err(CredentialFault::Several),
            "{values:?}"
        );
    }
}

/// The user of the `Digest` credential that is found in `Authorization`, or the fault.
fn digest(values: &[&str]) -> Result<Option<String>, CredentialFault> {
    let location = Location {
        grammar: Grammar::Digest(crate::kinds::Digest::BUILT.unwrap()),
        carrier: Carrier::Scheme {
            field: "authorization".into(),
            scheme: "Digest".into(),
        },
        schemes: SchemeSet::default(),
    };
    let mut fields: Vec<_> = values
        .iter()
        .map(|value| (&b"authorization"[..], value.as_bytes()))
        .collect();
    fields.push((b":path", b"/a, Bearer b"));
    match present(&RequestView::new(fields), &[location], |_, _| true) {
        Ok(presented) => Ok(presented.first().map(|one| match &one.shown {
            Shown::Digest(credential) => credential.user().to_owned(),
            other => panic!("{other:?}"),
        })),
        Err(Reject::Malformed(malformed)) => Err(malformed.fault),
        Err(other) => panic!("{other:?}"),
    }
}

const DIGEST: &str = r#"Digest username="lab", realm="r", nonce="n", uri="/a, Bearer b", cnonce="c", nc=00000001, response="r", qop=auth"#;

#[test]
fn the_commas_of_a_digest_credential_begin_no_second_one() {
    let lab = Ok(Some("lab".to_owned()));
    assert_eq!(digest(&[DIGEST]), lab);
    assert_eq!(digest(&[&DIGEST.replace("Digest ", "dIGEST   ")]), lab);
    assert_eq!(digest(&[&DIGEST.replace(", n", " ,,\tn")]), lab);
    for extension in [
        "Bearer=x",
        "Digest = \"x, Digest y\"",
        "x=\"\\\", Bearer y\"",
    ] {
        assert_eq!(
            digest(&[&format!("{DIGEST}, {extension}")]),
            lab,
            "{extension}"
        );
    }
    for value in ["", "Bearer a", "Basic a", "Digested a=b", "Digest"] {
        let empty = (value == "Digest").then_some(CredentialFault::Empty);
        assert_eq!(digest(&[value]), empty.map_or(Ok(None), Err), "{value}");
    }
}

#[test]
fn two_credentials_are_rejected_if_one_of_them_is_digest() {
    for values in [
        &[DIGEST, DIGEST][..],
        &[DIGEST, "Bearer a"],
        &["Bearer a", DIGEST],
        &[&format!("{DIGEST}, Bearer c")],
        &[&format!("{DIGEST},Basic YTpi")],
        &[&format!("{DIGEST}, {DIGEST}")],
        &[&format!("Bearer a, {DIGEST}")],
        &["Digest a=b, Bearer c"],
        &["Digest a=b, Digest c=d"],
        &["Digest a=b, Digest"],
        // A server that ignores quotes, or reads no escapes, finds a second credential.
        &["Digest username=\"a, Bearer b"],
        &["Digest username=\"a\\\", Bearer b"],
    ] {
        assert_eq!(digest(values), Err(CredentialFault::Several), "{values:?}");
    }
}

#[test]
fn a_malformed_digest_credential_has_its_own_fault() {
    for (old, new, fault) in [
        ("nc=00000001", "nc=1", CredentialFault::Syntax),
        ("Digest ", "Digest\t", CredentialFault::Syntax),
        ("Digest ", "Digest=", CredentialFault::Syntax),
        ("qop=auth", "qop=auth-int", CredentialFault::Unsupported),
        ("/a, Bearer b", "/b", CredentialFault::Target),
    ] {
        assert_eq!(digest(&[&DIGEST.replace(old, new)]), Err(fault), "{new}");
    }
}

#[test]
fn a_header_without_a_scheme_contains_only_the_token() {
    let locations = locations(&[Carrier::Field("x-token".into())]);
    assert_eq!(
        tokens(&[("x-token", b" a.b.c ")], &locations),
        Ok(vec!["a.b.c".into()])
    );
    assert_eq!(tokens(&[("x-token", b"")], &locations), Ok(vec![]));
    assert_eq!(
        tokens(&[("x-token", b"Bearer a")], &locations),
        Err(CredentialFault::Syntax)
    );
    assert_eq!(
        tokens(&[("x-token", b"a"), ("x-token", b"a")], &locations),
        Err(CredentialFault::Several)
    );
}

#[test]
fn y_14_a_cookie_is_found_in_every_header_and_among_invalid_cookies() {
    let locations = locations(&[Carrier::Cookie("session".into())]);
    let cookies = |values: &[&[u8]]| {
        let pairs: Vec<_> = values.iter().map(|value| ("cookie", *value)).collect();
        tokens(&pairs, &locations)
    };
    for values in [
        &[&b"session=a.b.c"[..]][..],
        &[b"x=y; session=a.b.c; z"],
        &[b"x=y", b"session=\"a.b.c\""],
        &[b";;=; =x;session = a.b.c;\xff\xfe;"],
        &[b"Session=x; mysession=y; session=a.b.c"],
    ] {
        assert_eq!(cookies(values), Ok(vec!["a.b.c".into()]), "{values:?}");
    }
    for values in [
        &[&b"session"[..]][..],
        &[b"session="],
        &[b""],
        &[b"=session"],
    ] {
        assert_eq!(cookies(values), Ok(vec![]), "{values:?}");
    }
    assert_eq!(
        cookies(&[b"session=a; session=a"]),
        Err(CredentialFault::Several)
    );
    assert_eq!(
        cookies(&[b"session=a", b"session=b"]),
        Err(CredentialFault::Several)
    );
    // It is presented, so that it is an invalid token.
    assert_eq!(cookies(&[b"session=a b"]), Ok(vec![String::new()]));
}

#[test]
fn b_20_b_21_b_25_query_parameters() {
    let locations = locations(&[Carrier::Query("access_token".into())]);
    let query = |target: &[u8]| tokens(&[(":path", target)], &locations);
    for target in [
        &b"/a?access_token=a.b.c"[..],
        b"/a?x&access%5Ftoken=a.b.c&y=1",
        b"/?access_token=a%2Eb.c",
    ] {
        assert_eq!(query(target), Ok(vec!["a.b.c".into()]));
    }
    for target in [
        &b"/a"[..],
        b"/a?",
        b"/a?ACCESS_TOKEN=x",
        b"/a?a;access_token=x",
        b"/access_token=x",
    ] {
        assert_eq!(query(target), Ok(vec![]));
    }
    assert_eq!(
        query(b"/?access_token=a&access_token=a"),
        Err(CredentialFault::Several)
    );
    assert_eq!(query(b"/?access_token="), Err(CredentialFault::Empty));
    assert_eq!(query(b"/?access_token"), Err(CredentialFault::Empty));
    assert_eq!(query(b"/?access_token=a%zz"), Err(CredentialFault::Syntax));
}

#[test]
fn b_24_only_the_tokens_are_removed_from_the_query() {
    let without = |target: &[u8]| {
        let names = ["access_token", "t"];
        without_parameters(target, names.into_iter()).map(|text| String::from_utf8(text).unwrap())
    };
    assert_eq!(
        without(b"/a?x=1&access_token=z&y=%2F&"),
        Some("/a?x=1&y=%2F&".into())
    );
    assert_eq!(without(b"/a?access%5ftoken=z"), Some("/a".into()));
    assert_eq!(without(b"/a?t&t=2&u"), Some("/a?u".into()));
    assert_eq!(without(b"/a?access.token[]=z&u"), Some("/a?u".into()));
    assert_eq!(without(b"/a?x=access_token"), None);
    assert_eq!(without(b"/a"), None);
}

#[test]
fn a_foreign_byte_is_found_at_every_position() {
    for length in 1..=9 {
        assert!(is_b64token(&vec![b'a'; length]));
        for place in 0..length {
            for foreign in [b',', b'"', 0, 0x80, 0xff] {
                let mut token = vec![b'a'; length];
                token[place] = foreign;
                assert!(!is_b64token(&token), "{token:?}");
            }
        }
    }
    assert!(!is_b64token(b"=") && !is_b64token(b"a=a") && is_b64token(b"aaaaa=="));
}
