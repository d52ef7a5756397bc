use super::*;

fn read(target: &str) -> Result<Vec<String>, PathFault> {
    match Reading::of_target(Some(target.as_bytes()))? {
        Reading::Path(segments) => Ok(segments.iter().map(|s| s.to_string()).collect()),
        Reading::NoPath => panic!("`{target}` is a path"),
    }
}

#[test]
fn a_plain_path_is_its_segments_decoded_once() {
    for (target, segments) in [
        ("/", &[][..]),
        ("/?a=/../b", &[]),
        ("/a", &["a"]),
        ("/a/", &["a"]),
        ("/a/b?c", &["a", "b"]),
        ("/%61dmin/x", &["admin", "x"]),
        ("/v1/%7Euser", &["v1", "~user"]),
        ("/caf%C3%A9", &["café"]),
        ("/100%25", &["100%"]),
        ("/a%20b", &["a b"]),
    ] {
        assert_eq!(read(target).unwrap(), segments, "{target}");
    }
}

#[test]
fn what_an_upstream_could_read_otherwise_is_refused() {
    use PathFault::*;
    for (target, fault) in [
        ("/public/../admin", DotSegment),
        ("/public/%2e%2E/admin", DotSegment),
        ("/./a", DotSegment),
        ("/a/.", DotSegment),
        ("/public/..%2fadmin", EncodedSeparator),
        ("/public/..\\admin", EncodedSeparator),
        ("/public%5cadmin", EncodedSeparator),
        ("/%2561dmin", DoubleEncoded),
        ("//admin", EmptySegment),
        ("/admin//x", EmptySegment),
        ("/a//", EmptySegment),
        ("/admin;x=1/y", Parameters),
        ("/admin%3bx", Parameters),
        ("/admin#x", Fragment),
        ("/x?a#b", Fragment),
        ("/a%23b", Fragment),
        ("/admin%00", ControlCharacter),
        ("/a%0d%0a", ControlCharacter),
        ("/a%7f", ControlCharacter),
        ("/%e2%80%ae", ControlCharacter),
        ("/%", BrokenEscape),
        ("/%2", BrokenEscape),
        ("/%zz", BrokenEscape),
        ("/%u002e", BrokenEscape),
        ("/%c0%ae%c0%ae/admin", NotUtf8),
        ("/%ff", NotUtf8),
        ("/a b", RawByte),
        ("/caf\u{e9}", RawByte),
        ("/a\t", RawByte),
        ("admin", NotAbsolute),
        ("", NotAbsolute),
    ] {
        assert_eq!(read(target), Err(fault), "{target}");
    }
}

#[test]
fn x_24_no_pattern_fits_connect_and_options_star() {
    for target in [None, Some(&b"*"[..])] {
        let reading = Reading::of_target(target).unwrap();
        for pattern in ["/**", "/", "/{x}"] {
            assert!(!Pattern::parse(pattern).unwrap().fits(&reading));
        }
    }
}

#[test]
fn patterns_fit_whole_segments() {
    let fits = |pattern: &str, target: &str| {
        Pattern::parse(pattern)
            .unwrap()
            .fits(&Reading::of_target(Some(target.as_bytes())).unwrap())
    };
    for (pattern, target) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a", "/a/"),
        ("/a/", "/a"),
        ("/a/**", "/a"),
        ("/a/**", "/a/b/c"),
        ("/**", "/"),
        ("/users/{id}", "/users/%7Bid%7D"),
        ("/users/{id}/orders/**", "/users/7/orders"),
        ("/v1.0/a", "/v1.0/a"),
        ("/café", "/caf%C3%A9"),
    ] {
        assert!(fits(pattern, target), "{pattern} {target}");
    }
    for (pattern, target) in [
        ("/", "/a"),
        ("/a", "/A"),
        ("/a", "/ab"),
        ("/admin/**", "/administrator"),
        ("/users/{id}", "/users"),
        ("/users/{id}", "/users/1/2"),
        ("/v1.0/a", "/v1x0/a"),
    ] {
        assert!(!fits(pattern, target), "{pattern} {target}");
    }
}

#[test]
fn what_is_no_pattern_says_why() {
    use PatternFault::*;
    for (text, fault) in [
        ("a", NotAbsolute),
        ("", NotAbsolute),
        ("/v1/*", Wildcard),
        ("/a**", Wildcard),
        ("/**/b", Wildcard),
        ("/a{b}", Brace),
        ("/{}", Brace),
        ("/{a-b}", Brace),
        ("/{a}/{a}", BoundTwice("a".into())),
        ("/a//b", Unreachable(PathFault::EmptySegment)),
        ("//**", Unreachable(PathFault::EmptySegment)),
        ("/a/../b", Unreachable(PathFault::DotSegment)),
        ("/a;b", Unreachable(PathFault::Parameters)),
        ("/a\\b", Unreachable(PathFault::EncodedSeparator)),
        ("/a?b", Query),
        ("/a%20b", Escape),
    ] {
        assert_eq!(Pattern::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn covering_is_about_every_path() {
    let covers = |wide: &str, narrow: &str| {
        Pattern::parse(wide)
            .unwrap()
            .covers(&Pattern::parse(narrow).unwrap())
    };
    assert!(covers("/**", "/a/{b}"));
    assert!(covers("/a/**", "/a"));
    assert!(covers("/a/**", "/a/b/**"));
    assert!(covers("/{x}", "/a"));
    assert!(!covers("/a", "/{x}"));
    assert!(!covers("/{x}", "/{x}/**"));
    assert!(!covers("/a/b/**", "/a/**"));
}
