use super::*;
use CredentialFault::{Syntax, Unsupported};

/// The credential of RFC 7616 §3.9.1, for SHA-256.
const EXAMPLE: &str = r#"username="Mufasa",
    realm="http-auth@example.org",
    uri="/dir/index.html",
    algorithm=SHA-256,
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    nc=00000001,
    cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    qop=auth,
    response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;

/// What most tests vary.
const PLAIN: &str = r#"username="lab", realm="orders", nonce="n", uri="/v1", cnonce="c", nc=0000000a, response="r", qop=auth"#;

fn example() -> String {
    EXAMPLE.replace('\n', "")
}

fn read(text: &str) -> Result<DigestCredential<'_>, CredentialFault> {
    DigestCredential::read(text.as_bytes())
}

/// `PLAIN` with one parameter in place of another.
fn with(old: &str, new: &str) -> String {
    assert!(PLAIN.contains(old), "{old}");
    PLAIN.replacen(old, new, 1)
}

/// The user name that is read in place of `username="lab"`.
fn user(parameter: &[u8]) -> Result<String, CredentialFault> {
    let rest = PLAIN.strip_prefix("username=\"lab\"").unwrap();
    let text = [parameter, rest.as_bytes()].concat();
    DigestCredential::read(&text).map(|read| read.user().to_owned())
}

#[test]
fn dg_06_the_example_of_rfc_7616_is_read() {
    let text = example();
    let read = read(&text).unwrap();
    assert_eq!(read.user(), "Mufasa");
    assert_eq!(read.realm(), b"http-auth@example.org");
    assert_eq!(
        read.nonce(),
        b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    );
    assert_eq!(read.uri(), b"/dir/index.html");
    assert_eq!(
        read.cnonce(),
        b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    );
    assert_eq!((read.nc(), read.count()), (b"00000001", 1));
    assert_eq!(
        read.response(),
        b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
    assert_eq!(read.algorithm(), Some(&b"SHA-256"[..]));
    assert_eq!(
        read.opaque(),
        Some(&b"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"[..])
    );
}

#[test]
fn nothing_that_has_no_escapes_is_copied() {
    let text = example();
    let own = read(&text).unwrap();
    for octets in [&own.realm, &own.nonce, &own.uri, &own.cnonce, &own.response] {
        assert!(matches!(octets, Cow::Borrowed(_)));
    }
    assert!(matches!(own.user, Cow::Borrowed(_)));
}

#[test]
fn dg_09_every_parameter_that_is_required_is_required() {
    let parameters: Vec<_> = PLAIN.split(", ").collect();
    assert!(read(PLAIN).is_ok());
    for missing in &parameters {
        let others = parameters.iter().filter(|own| *own != missing);
        let text = others.copied().collect::<Vec<_>>().join(", ");
        assert_eq!(read(&text).unwrap_err(), Syntax, "{missing}");
    }
    for text in ["", " ", ",", ", ,", "YWxpY2U6c2VjcmV0", "=", "=x", "\"\""] {
        assert_eq!(read(text).unwrap_err(), Syntax, "{text}");
    }
    let read = read(PLAIN).unwrap();
    assert_eq!((read.algorithm(), read.opaque()), (None, None));
}

#[test]
fn dg_10_nc_is_eight_hexadecimal_digits() {
    let text = with("nc=0000000a", r#"nc="0000000a""#);
    assert_eq!(read(&text).unwrap().count(), 10);
    let text = with("nc=0000000a", "nc=ffffffff");
    assert_eq!(read(&text).unwrap().count(), u32::MAX);
    // `LHEX` has no upper case. With it, one number would have several spellings.
    for nc in [
        "1",
        "0000000G",
        "0000000A",
        "000000001",
        "0000001",
        "+0000001",
        "\"\"",
        "\" 0000001\"",
    ] {
        let text = with("nc=0000000a", &format!("nc={nc}"));
        assert_eq!(read(&text).unwrap_err(), Syntax, "{nc}");
    }
}

#[test]
fn dg_11_dg_16_what_is_not_supported_is_refused_as_such() {
    for (text, fault) in [
        (with("qop=auth", "qop=auth-int"), Unsupported),
        (with("qop=auth", "qop=AUTH"), Unsupported),
        (with("qop=auth", "qop=\"auth,auth-int\""), Unsupported),
        (with("qop=auth", "qop=\"\""), Unsupported),
        (format!("{PLAIN}, userhash=true"), Unsupported),
        (format!("{PLAIN}, UserHash=\"TRUE\""), Unsupported),
        (format!("{PLAIN}, userhash=yes"), Syntax),
        (format!("{PLAIN}, userhash=\"\""), Syntax),
    ] {
        assert_eq!(read(&text).unwrap_err(), fault, "{text}");
    }
    assert!(read(&format!("{PLAIN}, userhash=false")).is_ok());
    assert!(read(&with("qop=auth", "qop=\"auth\"")).is_ok());
}

#[test]
fn dg_14_a_user_name_occurs_in_one_form() {
    let both = format!("{PLAIN}, username*=UTF-8''lab");
    assert_eq!(read(&both).unwrap_err(), Syntax);
}

#[test]
fn dg_15_a_user_name_in_the_extended_notation_is_decoded() {
    for (sent, name) in [
        ("UTF-8''J%C3%A4s%C3%B8n%20Doe", "Jäsøn Doe"),
        ("utf-8'de-DE'J%c3%a4s", "Jäs"),
        ("\"UTF-8''%22%2C\"", "\","),
        ("ISO-8859-1''J%E4s%F8n", "Jäsøn"),
        ("iso-8859-1'en'lab", "lab"),
        ("UTF-8''", ""),
        ("UTF-8''!#$&+-.^_`|~", "!#$&+-.^_`|~"),
    ] {
        let parameter = format!("username*={sent}");
        assert_eq!(user(parameter.as_bytes()), Ok(name.to_owned()), "{sent}");
    }
    for sent in [
        "lab",
        "UTF-8'lab",
        "''lab",
        "UTF-16''l%00a%00b%00",
        "US-ASCII''lab",
        "UTF-8''%",
        "UTF-8''%4",
        "UTF-8''%4g",
        "UTF-8''%E4",
        "UTF-8''%C0%80",
        "UTF-8''a'b",
        "UTF-8''a*b",
        "\"UTF-8''a b\"",
        "\"UTF-8''a(b\"",
        "\"UTF-8''\u{e4}\"",
        "\"UTF-8'\u{e4}'a\"",
        "\"UTF-8'e n'a\"",
        "UTF-8''a%00",
        "UTF-8''a%0A",
        "UTF-8''a%7F",
        "UTF-8''%C2%85",
        "ISO-8859-1''%85",
    ] {
        let parameter = format!("username*={sent}");
        assert_eq!(user(parameter.as_bytes()), Err(Syntax), "{sent}");
    }
}

#[test]
fn a_user_name_is_utf_8_without_control_characters() {
    for (sent, name) in [
        (&b"username=\"J\xc3\xa4s\xc3\xb8n Doe\""[..], "Jäsøn Doe"),
        (b"username=lab", "lab"),
        (b"username=\"a\\\\b\\\"c\\d\"", "a\\b\"cd"),
        (b"username=\"a, Bearer b\"", "a, Bearer b"),
        (b"username=\"\\\xc3\\\xa4\"", "ä"),
        (b"username=\"\"", ""),
    ] {
        assert_eq!(user(sent), Ok(name.to_owned()), "{name}");
    }
    for sent in [
        &b"username=\"J\xe4s\""[..],
        b"username=\"a\tb\"",
        b"username=\"a\\\tb\"",
        b"username=\"\xc2\x85\"",
        b"username=\"a\0\"",
        b"username=\"a\\\0\"",
        b"username=\"a\x7f\"",
        b"username=\"a\nb\"",
        b"username=J\xc3\xa4s",
    ] {
        assert_eq!(user(sent), Err(Syntax), "{sent:?}");
    }
}

#[test]
fn dg_23_no_parameter_occurs_twice() {
    for again in [
        "nonce=\"n\"",
        "NONCE=\"n\"",
        "username=\"lab\"",
        "qop=auth",
        "x=1, X=1",
        "userhash=false, userhash=false",
    ] {
        for text in [format!("{PLAIN}, {again}"), format!("{again}, {PLAIN}")] {
            let is_twice = again.contains(',') || PLAIN.contains(&again.to_lowercase());
            assert!(is_twice, "{again}");
            assert_eq!(read(&text).unwrap_err(), Syntax, "{text}");
        }
    }
}

#[test]
fn every_spelling_of_a_list_of_parameters_is_read_the_same() {
    let expected = read(PLAIN).unwrap();
    for text in [
        PLAIN.replace(", ", ","),
        PLAIN.replace(", ", " \t,\t "),
        PLAIN.replace(", ", ", ,,"),
        PLAIN.replace('=', " \t= "),
        format!(",, {PLAIN} , , "),
        PLAIN.replace("nonce=\"n\"", "nonce=n"),
        PLAIN.replace("nonce=\"n\"", "nonce=\"\\n\""),
        PLAIN.replace("uri=\"/v1\"", "uri=\"\\/\\v\\1\""),
        PLAIN
            .replace("username", "UserName")
            .replace("cnonce", "CNONCE"),
        format!("{PLAIN}, auth-param=\"a=b, c\", x=y"),
        format!("a=\"\\\"\", {PLAIN}"),
    ] {
        assert!(read(&text).as_ref() == Ok(&expected), "{text}");
    }
}

#[test]
fn what_breaks_the_grammar_of_a_list_is_refused() {
    let broken = [
        format!("{PLAIN}, x"),
        format!("{PLAIN}, x="),
        format!("{PLAIN}, =x"),
        format!("{PLAIN}, x=a b"),
        format!("{PLAIN}, x=\"a\"b"),
        format!("{PLAIN}, x=\"a\" \"b\""),
        format!("{PLAIN}, x=\"a"),
        format!("{PLAIN}, x=\"a\\"),
        format!("{PLAIN}, x=\"a\\\""),
        format!("{PLAIN}, x=a\"b"),
        format!("{PLAIN}, x==y"),
        format!("{PLAIN}, x y=z"),
        format!("{PLAIN}, x=\u{e4}"),
        format!("{PLAIN}, \u{e4}=x"),
        format!("{PLAIN}, x=/"),
        format!("{PLAIN}; x=y"),
        format!("{PLAIN}\n"),
        PLAIN.replace(", ", " "),
        PLAIN.replace(", ", ";"),
        PLAIN.replace("uri=\"/v1\"", "uri=/v1"),
        PLAIN.replace('"', "'"),
    ];
    for text in broken {
        assert_eq!(read(&text).unwrap_err(), Syntax, "{text}");
    }
}

#[test]
fn a_credential_is_bounded() {
    let of_length = |length: usize| {
        let rest = length - PLAIN.len() - ", x=".len();
        format!("{PLAIN}, x={}", "y".repeat(rest))
    };
    assert!(read(&of_length(8192)).is_ok());
    assert_eq!(read(&of_length(8193)).unwrap_err(), Syntax);
    let of_elements = |more: usize| format!("{PLAIN}{}", ",".repeat(more));
    assert!(read(&of_elements(24)).is_ok());
    assert_eq!(read(&of_elements(25)).unwrap_err(), Syntax);
    let others: String = (0..25).map(|number| format!(",x{number}=y")).collect();
    assert_eq!(read(&format!("{PLAIN}{others}")).unwrap_err(), Syntax);
}

#[test]
fn debug_prints_nothing_of_it() {
    assert_eq!(format!("{:?}", read(PLAIN)), "Ok(DigestCredential)");
}

fn is_for(uri: &str, authority: &str, target: &str) -> bool {
    let text = with("uri=\"/v1\"", &format!("uri=\"{uri}\""));
    let read = read(&text).unwrap();
    read.is_for(&RequestView::new(vec![
        (b":method", b"GET"),
        (b":authority", authority.as_bytes()),
        (b":path", target.as_bytes()),
    ]))
}

#[test]
fn dg_13_a_credential_is_for_one_target() {
    for (uri, target) in [
        ("/v1/x", "/v1/x"),
        ("/v1/x?a=1&b", "/v1/x?a=1&b"),
        ("*", "*"),
        ("/v1/%7Ex", "/v1/~x"),
        ("/v1/~x", "/v1/%7ex"),
        ("/v1/%c3%a4?%2f", "/v1/%C3%A4?%2F"),
        ("/a, b", "/a, b"),
        ("http://api.example/v1/x?a=1", "/v1/x?a=1"),
        ("HTTPS://API.Example/v1/%7ex", "/v1/~x"),
        ("http://api.example/", "/"),
    ] {
        assert!(is_for(uri, "api.example", target), "{uri} {target}");
    }
    for (uri, target) in [
        ("/other", "/v1/x"),
        ("/v1/x", "/v1/x?a=1"),
        ("/v1/x?a=1", "/v1/x"),
        ("/v1/x?", "/v1/x"),
        ("/v1/x?a=1&b=2", "/v1/x?b=2&a=1"),
        ("/V1/x", "/v1/x"),
        ("/v1/x/", "/v1/x"),
        ("/v1//x", "/v1/x"),
        ("/v1/./x", "/v1/x"),
        ("/v1/y/../x", "/v1/x"),
        ("/v1%2Fx", "/v1/x"),
        ("/v1/x#a", "/v1/x"),
        ("/v1/%78%", "/v1/x%"),
        ("", "/v1/x"),
        ("v1/x", "/v1/x"),
        ("*", "/v1/x"),
        ("/v1/x", "*"),
        ("%2A", "*"),
        ("http://other.example/v1/x", "/v1/x"),
        ("http://api.example:80/v1/x", "/v1/x"),
        ("http://api.example.evil/v1/x", "/v1/x"),
        ("http://a@api.example/v1/x", "/v1/x"),
        ("ftp://api.example/v1/x", "/v1/x"),
        ("//api.example/v1/x", "/v1/x"),
        ("http://api.example", ""),
        ("http://api.example*", "*"),
        ("api.example/v1/x", "/v1/x"),
    ] {
        assert!(!is_for(uri, "api.example", target), "{uri} {target}");
    }
    assert!(is_for(
        "http://api.example:8080/a",
        "API.example:8080",
        "/a"
    ));
}

#[test]
fn the_target_of_connect_is_its_authority() {
    let request = |method| {
        RequestView::new(vec![
            (b":method", method),
            (b":authority", b"api.example:443"),
        ])
    };
    for (uri, is_target) in [
        ("api.example:443", true),
        ("api.example:44", false),
        ("api.example:4433", false),
        ("api.example", false),
        ("api%2Eexample:443", false),
        ("http://api.example:443", false),
        ("http://api.example:443/", false),
        ("", false),
        ("*", false),
        ("/", false),
    ] {
        let text = with("uri=\"/v1\"", &format!("uri=\"{uri}\""));
        let credential = read(&text).unwrap();
        assert_eq!(credential.is_for(&request(b"CONNECT")), is_target, "{uri}");
        // Another request without a path is for no target.
        assert!(!credential.is_for(&request(b"GET")), "{uri}");
    }
}
