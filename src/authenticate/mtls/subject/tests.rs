//! Patterns of subjects by example, and against a model that uses regular expressions.

use proptest::prelude::*;
use regex_lite::Regex;
use url::Url;

use super::{InvalidSubject, SubjectPattern};

fn pattern(text: &str) -> SubjectPattern {
    SubjectPattern::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn a_star_is_one_segment() {
    let pattern = pattern("spiffe://cluster.local/ns/*/sa/cart");
    assert!(pattern.matches_uri("spiffe://cluster.local/ns/shop/sa/cart"));
    for other in [
        "spiffe://cluster.local/ns/sa/cart",
        "spiffe://cluster.local/ns//sa/cart",
        "spiffe://cluster.local/ns/a/b/sa/cart",
        "spiffe://cluster.local/ns/shop/sa/cart/",
        "spiffe://cluster.local/ns/shop/sa/cart/x",
        "spiffe://cluster.local/ns/shop/sa/Cart",
        "spiffe://cluster.local/ns/*/sa/cart",
        "spiffe://cluster.local/ns/../sa/cart",
    ] {
        assert!(!pattern.matches_uri(other), "{other}");
    }
}

#[test]
fn two_stars_at_the_end_are_one_or_more_segments() {
    let all = pattern("spiffe://cluster.local/**");
    assert!(all.matches_uri("spiffe://cluster.local/a"));
    assert!(all.matches_uri("spiffe://cluster.local/a/b/c"));
    for other in [
        "spiffe://cluster.local",
        "spiffe://cluster.local/",
        "spiffe://cluster.local/a/",
        "spiffe://cluster.local/a//b",
        "spiffe://cluster.local/a/../b",
        "spiffe://cluster.local/**",
        "spiffe://cluster.local.evil.example/a",
        "spiffe://cluster.locale/a",
        "https://cluster.local/a",
    ] {
        assert!(!all.matches_uri(other), "{other}");
    }
    let both = pattern("spiffe://cluster.local/ns/*/**");
    assert!(both.matches_uri("spiffe://cluster.local/ns/a/b"));
    assert!(!both.matches_uri("spiffe://cluster.local/ns/a"));
}

/// RFC 3986 §6.2.2 calls some of them equivalent. SPIFFE-ID §2 does not allow them.
#[test]
fn a_uri_in_another_spelling_never_matches() {
    let all = pattern("spiffe://td/**");
    for other in [
        "SPIFFE://td/a",
        "spiffe://TD/a",
        "spiffe://td:443/a",
        "spiffe://user@td/a",
        "spiffe://td/a?b",
        "spiffe://td/a#b",
        "spiffe://td/a?",
        "spiffe://td/%61",
        "spiffe://td/a%2Fb",
        "spiffe://td/a\\b",
        "spiffe://td/a;b",
        "spiffe://td/ä",
        "spiffe://td/a\0",
        "spiffe://td/a\n",
        " spiffe://td/a",
        "spiffe:/td/a",
        "",
    ] {
        assert!(!all.matches_uri(other), "{other:?}");
    }
}

#[test]
fn a_uri_without_path_and_one_with_another_scheme_are_subjects() {
    assert!(pattern("spiffe://td").matches_uri("spiffe://td"));
    assert!(!pattern("spiffe://td").matches_uri("spiffe://td/a"));
    assert!(pattern("https://a.example/cart").matches_uri("https://a.example/cart"));
}

#[test]
fn a_dns_pattern_ignores_case_and_its_star_is_whole_labels() {
    let one = pattern("Cart.Shop.example");
    assert!(one.matches_dns("cart.shop.example") && one.matches_dns("CART.SHOP.EXAMPLE"));
    let below = pattern("*.Shop.example");
    assert!(below.matches_dns("cart.shop.example") && below.matches_dns("a.b.SHOP.example"));
    for other in [
        "shop.example",
        ".shop.example",
        "badshop.example",
        "*.shop.example",
        "a.*.shop.example",
        "a..shop.example",
        "cart.shop.example.",
        "cart.shop.example.evil.example",
        "cärt.shop.example",
        "€.shop.example",
        "a b.shop.example",
        "a\0.shop.example",
        "",
    ] {
        assert!(!below.matches_dns(other), "{other:?}");
        assert!(!one.matches_dns(other), "{other:?}");
    }
}

/// A certificate with the DNS name `td` has not the URI `spiffe://td`.
#[test]
fn a_pattern_is_compared_with_names_of_its_own_kind() {
    assert!(!pattern("spiffe://td/a").matches_dns("spiffe://td/a"));
    assert!(!pattern("td").matches_uri("td"));
    assert!(!pattern("td").matches_uri("spiffe://td"));
}

#[test]
fn a_pattern_that_is_a_mistake_is_rejected() {
    use InvalidSubject::*;
    for (text, fault) in [
        ("", Name),
        (" ", Name),
        ("*", Any),
        ("**", Any),
        ("*.", Any),
        ("CN=cart", DistinguishedName),
        ("CN=cart,O=Shop", DistinguishedName),
        ("/O=Shop/CN=cart", DistinguishedName),
        ("cart@shop.example", Email),
        ("*@shop.example", Email),
        ("10.0.0.1", Address),
        ("2001:db8::1", Address),
        ("cart.*", DnsWildcard),
        ("*cart.example", DnsWildcard),
        ("*.*.example", DnsWildcard),
        ("a*.example", DnsWildcard),
        ("***", DnsWildcard),
        ("cart.example.", Name),
        ("cart.example:443", Name),
        ("cart..example", Name),
        ("urn:uuid:1", Name),
        ("spiffe:/td/a", Name),
        ("bücher.example", Name),
        ("://td/a", Scheme),
        ("SPIFFE://td/a", Scheme),
        ("*://td/a", Scheme),
        ("1s://td/a", Scheme),
        ("spiffe://", Host),
        ("spiffe:///a", Host),
        ("spiffe://TD/a", Host),
        ("spiffe://td:443/a", Host),
        ("spiffe://user@td/a", Host),
        ("spiffe://*/a", Host),
        ("spiffe://*.td/a", Host),
        ("spiffe://*", Host),
        ("spiffe://**", Host),
        ("spiffe://td?a", Host),
        ("spiffe://td/a*", Wildcard),
        ("spiffe://td/**/a", Wildcard),
        ("spiffe://td/***", Wildcard),
        ("spiffe://td/**/**", Wildcard),
        ("spiffe://td/", Segment),
        ("spiffe://td/a/", Segment),
        ("spiffe://td//a", Segment),
        ("spiffe://td//**", Segment),
        ("spiffe://td/./a", Segment),
        ("spiffe://td/a/..", Segment),
        ("spiffe://td/%61", Segment),
        ("spiffe://td/a?b", Segment),
        ("spiffe://td/a#b", Segment),
        ("spiffe://td/{name}", Segment),
    ] {
        assert_eq!(SubjectPattern::parse(text), Err(fault), "{text:?}");
    }
}

/// The URIs that a pattern matches, as a regular expression: written for the tests, and only for patterns that are accepted.
fn uri_model(pattern: &str) -> Regex {
    let (pattern, rest) = match pattern.strip_suffix("/**") {
        Some(pattern) => (pattern, "(/[A-Za-z0-9._-]+)+"),
        None => (pattern, ""),
    };
    let escaped = pattern.replace('.', "\\.").replace('*', "[A-Za-z0-9._-]+");
    Regex::new(&format!("^{escaped}{rest}$")).unwrap()
}

fn has_dot_segment(uri: &str) -> bool {
    uri.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// The DNS names that a pattern matches, likewise.
fn dns_model(pattern: &str) -> Regex {
    let label = "[A-Za-z0-9_-]+";
    let escaped = pattern.replace('.', "\\.");
    let escaped = match escaped.strip_prefix("*\\.") {
        Some(domain) => format!("({label}\\.)+{domain}"),
        None => escaped,
    };
    Regex::new(&format!("(?i)^{escaped}$")).unwrap()
}

fn uris() -> impl Strategy<Value = String> {
    let (scheme, host) = (
        prop_oneof![9 => Just("spiffe"), 1 => prop::sample::select(vec!["https", "SPIFFE", "s", ""])],
        prop_oneof![9 => Just("td"), 1 => prop::sample::select(vec!["td.a", "TD", "td:1", "u@td", "*", ""])],
    );
    let odd = vec![
        "..", ".", "", "A", "a.b", "%61", "a?", "#a", "a*", "...", "**",
    ];
    let segment = prop_oneof![
        3 => Just("a"), 1 => Just("b"), 2 => Just("*"), 1 => prop::sample::select(odd)
    ];
    let path = (prop::collection::vec(segment, 0..4), 0..4);
    let path = path.prop_map(|(mut path, end)| {
        path.extend((end == 0).then_some("**"));
        path
    });
    (scheme, host, path).prop_map(|(scheme, host, path)| {
        let path: String = path.iter().map(|segment| format!("/{segment}")).collect();
        format!("{scheme}://{host}{path}")
    })
}

fn names() -> impl Strategy<Value = String> {
    let odd = vec!["b", "", "a-b", "a*", "1", "@", "*"];
    let label = prop_oneof![3 => Just("a"), 2 => Just("A"), 1 => prop::sample::select(odd)];
    let star = (prop::collection::vec(label, 1..4), 0..3);
    star.prop_map(|(mut labels, star)| {
        if star == 0 {
            labels.insert(0, "*");
        }
        labels.join(".")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn uris_match_as_in_the_model(text in uris(), sent in uris()) {
        if let Ok(pattern) = SubjectPattern::parse(&text) {
            let expected = uri_model(&text).is_match(&sent) && !has_dot_segment(&sent);
            prop_assert_eq!(pattern.matches_uri(&sent), expected);
            prop_assert!(!pattern.matches_dns(&sent));
        }
    }

    #[test]
    fn dns_names_match_as_in_the_model(text in names(), sent in names()) {
        if let Ok(pattern) = SubjectPattern::parse(&text) {
            prop_assert_eq!(pattern.matches_dns(&sent), dns_model(&text).is_match(&sent));
            prop_assert!(!pattern.matches_uri(&sent));
        }
    }

    /// A pattern without wildcard matches itself, and is in the only spelling that another parser of URLs has for it.
    #[test]
    fn a_pattern_without_wildcard_matches_itself_alone(text in uris(), sent in uris()) {
        if let Ok(pattern) = SubjectPattern::parse(&text) && !text.contains('*') {
            prop_assert!(pattern.matches_uri(&text));
            prop_assert_eq!(pattern.matches_uri(&sent), sent == text);
            let parsed = Url::parse(&text).unwrap();
            prop_assert_eq!(parsed.as_str().trim_end_matches('/'), &text);
            prop_assert_eq!(parsed.query().or(parsed.fragment()), None);
        }
    }

    #[test]
    fn no_text_makes_a_pattern_panic(text in "\\PC{0,12}", sent in "\\PC{0,12}") {
        for text in [text.clone(), format!("*.{text}"), format!("spiffe://td/{text}")] {
            if let Ok(pattern) = SubjectPattern::parse(&text) {
                pattern.matches_uri(&sent);
                pattern.matches_dns(&sent);
            }
        }
    }
}
