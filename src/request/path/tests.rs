use super::*;
use crate::reject::PathFault;

fn readings(target: &str) -> Result<Vec<Vec<String>>, PathFault> {
    let readings = Readings::of_target(Some(target.as_bytes()))?;
    let segments = |reading: Reading<'_>| reading.segments().map(str::to_owned).collect();
    Ok(readings.iter().map(segments).collect())
}

fn plain(target: &str) -> Result<Vec<String>, PathFault> {
    let readings = Readings::of_target(Some(target.as_bytes()))?;
    assert_eq!(
        readings.is_plain(),
        readings.iter().count() == 1,
        "{target}"
    );
    let plain = readings.plain()?;
    Ok(plain.segments().map(str::to_owned).collect())
}

#[test]
fn a_plain_path_is_split_and_decoded_once() {
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
        ("/a%20b/", &["a b"]),
        ("/...", &["..."]),
        ("/.a/a./..a", &[".a", "a.", "..a"]),
    ] {
        assert_eq!(plain(target).unwrap(), segments, "{target}");
    }
}

#[test]
fn a_path_that_some_upstreams_read_differently_has_several_readings() {
    use PathFault::*;
    for (target, oddity, all) in [
        ("/a/../b", DotSegment, &["a|..|b", "b"][..]),
        ("/a/%2e%2E/b", DotSegment, &["a|..|b", "b"]),
        ("/./a", DotSegment, &[".|a", "a"]),
        ("/a/.", DotSegment, &["a|.", "a"]),
        ("/../..", DotSegment, &["..|..", "", ".."]),
        ("/a%2fb", EncodedSeparator, &["a/b", "a|b"]),
        ("/a\\b", EncodedSeparator, &["a\\b", "a|b"]),
        ("/a%5cb", EncodedSeparator, &["a\\b", "a|b"]),
        ("/%2561", DoubleEncoded, &["%61", "a"]),
        ("/%252561", DoubleEncoded, &["%2561", "%61", "a"]),
        ("//a", EmptySegment, &["|a", "a", ""]),
        ("/a//", EmptySegment, &["a|", "a"]),
        ("/a;x=1/y", Parameters, &["a;x=1|y", "a|y", "a"]),
        ("/a%3bx", Parameters, &["a;x", "a"]),
        // Some servers treat only the first backslash as a separator, and some only the first semicolon.
        (
            "/a\\b%5cc",
            EncodedSeparator,
            &["a\\b\\c", "a|b\\c", "a|b|c"],
        ),
        ("/a;b/c%3bd", Parameters, &["a;b|c;d", "a|c;d", "a|c", "a"]),
        // The query begins at the first `;`, or at an encoded `?`.
        ("/a;b/../c", Parameters, &["a;b|..|c", "c", "a|..|c", "a"]),
        ("/a%3fb/c", EncodedQuery, &["a?b|c", "a"]),
        ("/a%253fb", DoubleEncoded, &["a%3fb", "a?b", "a"]),
        // The text after `//` is an authority.
        ("//x/a/b", EmptySegment, &["|x|a|b", "x|a|b", "a|b"]),
        ("///x/a", EmptySegment, &["||x|a", "x|a", "a"]),
        (
            "/\\x:80/a",
            EncodedSeparator,
            &["\\x:80|a", "|x:80|a", "x:80|a", "a"],
        ),
        ("/%2fx/a", EncodedSeparator, &["/x|a", "|x|a", "x|a", "a"]),
        ("/a/%2e%2e/..", DotSegment, &["a|..|..", "a", "", "a|.."]),
    ] {
        assert_eq!(plain(target), Err(oddity), "{target}");
        let found: Vec<String> = readings(target)
            .unwrap()
            .iter()
            .map(|segments| segments.join("|"))
            .collect();
        for one in all {
            assert!(found.iter().any(|own| own == one), "{target}: {found:?}");
        }
        assert_eq!(found[0], all[0], "{target}");
        assert_eq!(found.len(), all.len(), "{target}: {found:?}");
    }
}

#[test]
fn a_path_without_reliable_readings_is_rejected() {
    use PathFault::*;
    for (target, fault) in [
        ("/admin#x", Fragment),
        ("/x?a#b", Fragment),
        ("/a%23b", Fragment),
        ("//user@x/a", UserInformation),
        ("/\\user@x:80/a", UserInformation),
        ("/a/..//%75@x;b/c", UserInformation),
        ("/a%2523b", Fragment),
        ("/admin%00", ControlCharacter),
        ("/a;%00/b", ControlCharacter),
        ("/a%2500", ControlCharacter),
        ("/a%0d%0a", ControlCharacter),
        ("/a%7f", ControlCharacter),
        ("/%e2%80%ae", ControlCharacter),
        ("/%", BrokenEscape),
        ("/%2", BrokenEscape),
        ("/%zz", BrokenEscape),
        ("/%u002e", BrokenEscape),
        ("/%/../a", BrokenEscape),
        ("/%c0%ae%c0%ae/admin", NotUtf8),
        ("/%ff", NotUtf8),
        ("/%25ff", NotUtf8),
        ("/a b", RawByte),
        ("/caf\u{e9}", RawByte),
        ("/a\t", RawByte),
        ("admin", NotAbsolute),
        ("\\admin", NotAbsolute),
        ("", NotAbsolute),
    ] {
        assert_eq!(readings(target), Err(fault), "{target}");
    }
}

#[test]
fn there_are_never_many_readings() {
    for target in [
        format!("/a%{}61", "25".repeat(100)),
        format!("/{}", "a;b/..//%2f%255c%3b/./".repeat(3_000)),
    ] {
        let count = readings(&target).map(|all| all.len());
        assert_eq!(count, Err(PathFault::TooManyReadings));
    }
    // Work and memory are linear in the length.
    let dots = format!("/{}", "../".repeat(20_000));
    assert_eq!(readings(&dots).map(|all| all.len()), Ok(2));
    // Three or four unusual features at once.
    for (target, count) in [
        ("/a//b/c;d/../e", 8),
        ("/a%252fb/%2e%2e/c;d", 10),
        ("/a%2fb/c;d//%2e%2e/e", 16),
    ] {
        let all = readings(target).unwrap();
        assert_eq!(all.len(), count, "{target}: {all:?}");
    }
    let long = format!("/{}", "a/".repeat(30_000));
    assert_eq!(plain(&long).unwrap().len(), 30_000);
}

#[test]
fn x_24_no_pattern_matches_connect_and_options_star() {
    for target in [None, Some(&b"*"[..])] {
        let readings = Readings::of_target(target).unwrap();
        let reading = readings.plain().unwrap();
        for text in ["/**", "/", "/{x}"] {
            assert!(!pattern(text).matches(reading));
        }
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, Case::Sensitive).unwrap()
}

#[test]
fn a_parameter_binds_the_decoded_segment() {
    let readings = Readings::of_target(Some(b"/users/%7Bid%7D/orders/a%20b/x")).unwrap();
    let pattern = pattern("/users/{id}/orders/{order}/**");
    let bound: Vec<_> = pattern.bind(readings.plain().unwrap()).collect();
    assert_eq!(bound, [("id", "{id}"), ("order", "a b")]);
}

#[test]
fn a_parameter_with_a_verb_binds_the_text_before_the_last_colon() {
    let bound = |target: &str| {
        let readings = Readings::of_target(Some(target.as_bytes())).unwrap();
        let pattern = Pattern::parse("/a/{id}:Drop", Case::Insensitive).unwrap();
        let reading = readings.plain().unwrap();
        let value = pattern
            .bind(reading)
            .next()
            .map(|(_, value)| value.to_owned());
        value.filter(|_| pattern.matches(reading))
    };
    for (target, value) in [
        ("/a/7:drop", "7"),
        ("/a/7:DROP/", "7"),
        ("/a/7:x:drop", "7:x"),
        ("/a/::drop", ":"),
        ("/a/%3A7:dro%50", ":7"),
        ("/a/7%3Adrop", "7"),
        // Folding changes the length of this letter.
        ("/A/%C4%B0:drop", "\u{130}"),
    ] {
        assert_eq!(bound(target).as_deref(), Some(value), "{target}");
    }
    for target in [
        "/a/:drop",
        "/a/drop",
        "/a/7:drops",
        "/a/7:drop:",
        "/a/7:drop/x",
        "/a",
    ] {
        assert_eq!(bound(target), None, "{target}");
    }
}

#[test]
fn a_pattern_without_case_matches_any_case() {
    let pattern = Pattern::parse("/Admin/{Id}", Case::Insensitive).unwrap();
    let readings = Readings::of_target(Some(b"/aDMIN/X")).unwrap();
    let reading = readings.plain().unwrap();
    assert!(pattern.matches(reading));
    assert_eq!(pattern.bind(reading).collect::<Vec<_>>(), [("Id", "X")]);
    assert!(pattern.covers(&Pattern::parse("/ADMIN/x", Case::Insensitive).unwrap()));
}

#[test]
fn patterns_match_whole_segments() {
    let matches = |text: &str, target: &str| {
        let readings = Readings::of_target(Some(target.as_bytes())).unwrap();
        pattern(text).matches(readings.iter().next().unwrap())
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
        assert!(matches(pattern, target), "{pattern} {target}");
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
        assert!(!matches(pattern, target), "{pattern} {target}");
    }
}

#[test]
fn an_invalid_pattern_has_a_fault() {
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
        ("/{a}x", Brace),
        ("/{a}.json", Brace),
        ("/x{a}", Brace),
        ("/x{a}:b", Brace),
        ("/{a}:", Brace),
        ("/{}:b", Brace),
        ("/{a-b}:c", Brace),
        ("/{a}:{b}", Brace),
        ("/{a}:b{c}", Brace),
        ("/{a}:b:c", Brace),
        ("/{a}::b", Brace),
        ("/{a}{b}", Brace),
        ("/{a}:b*", Wildcard),
        ("/{a}:**", Wildcard),
        ("/{a}:b?", Query),
        ("/{a}:b;c", Unreachable(PathFault::Parameters)),
        ("/{a}:b%63", Escape),
        ("/{a}:b/c", Verb),
        ("/{a}:b/**", Verb),
        ("/{a}:b/{c}:d", Verb),
        ("/{a}/{a}", BoundTwice("a".into())),
        ("/{a}/{a}:b", BoundTwice("a".into())),
        ("/a//b", Unreachable(PathFault::EmptySegment)),
        ("//**", Unreachable(PathFault::EmptySegment)),
        ("/a/../b", Unreachable(PathFault::DotSegment)),
        ("/a;b", Unreachable(PathFault::Parameters)),
        ("/a\\b", Unreachable(PathFault::EncodedSeparator)),
        ("/a\0b", Unreachable(PathFault::ControlCharacter)),
        ("/a#b", Unreachable(PathFault::Fragment)),
        ("/a?b", Query),
        ("/a%20b", Escape),
    ] {
        assert_eq!(Pattern::parse(text, Case::Sensitive), Err(fault), "{text}");
    }
}

#[test]
fn a_pattern_covers_another_if_it_matches_all_its_paths() {
    let covers = |wide: &str, narrow: &str| pattern(wide).covers(&pattern(narrow));
    assert!(covers("/**", "/a/{b}"));
    assert!(covers("/a/**", "/a"));
    assert!(covers("/a/**", "/a/b/**"));
    assert!(covers("/{x}", "/a"));
    assert!(covers("/{x}", "/{x}:v"));
    assert!(covers("/{y}:v", "/{x}:v"));
    assert!(covers("/{y}:v", "/a:v"));
    assert!(covers("/a/**", "/a/{x}:v"));
    assert!(!covers("/{x}:v", "/{x}:w"));
    assert!(!covers("/{x}:v", "/{x}"));
    assert!(!covers("/{x}:v-w", "/:v-w"));
    assert!(!covers("/a:v", "/{x}:v"));
    assert!(!covers("/a", "/{x}"));
    assert!(!covers("/{x}", "/{x}/**"));
    assert!(!covers("/a/b/**", "/a/**"));
}
