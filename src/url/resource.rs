//! Whether a URL names the resource of a request, as RFC 9449 §4.3 compares them.

use super::{is_https, normalized, without_default_port};

/// Whether an absolute URL, apart from its query and its fragment, names `path` at `origin`.
///
/// `origin` is an origin as [`Url::parse_origin`](super::Url::parse_origin) returns it. `path` has no query. Both URLs are
/// normalized by syntax and by scheme (RFC 3986 §6.2.2, §6.2.3): the case of scheme and host is ignored, and so are the
/// scheme's default port and an empty path. A URL with user information, or with an octet that is not visible ASCII,
/// names no resource.
pub fn names_resource(url: &str, origin: &str, path: &[u8]) -> bool {
    let (Some((scheme, rest)), Some((own_scheme, own_authority))) =
        (url.split_once("://"), origin.split_once("://"))
    else {
        return false;
    };
    let Some(is_https) = is_https(scheme) else {
        return false;
    };
    let (authority, rest) = split_before(rest, b"/?#");
    let (own_path, _) = split_before(rest, b"?#");
    let own_path = if own_path.is_empty() { "/" } else { own_path };
    // An authority that is equal to that of an origin has no user information, and nothing else that no host has.
    scheme.eq_ignore_ascii_case(own_scheme)
        && without_default_port(authority, is_https)
            .eq_ignore_ascii_case(without_default_port(own_authority, is_https))
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && normalized(own_path.as_bytes()) == normalized(path)
}

/// A text in two: before and from the first of these ASCII characters.
fn split_before<'t>(text: &'t str, ends: &[u8]) -> (&'t str, &'t str) {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    let parts = text.split_at_checked(end.unwrap_or(text.len()));
    parts.unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://api.example.com";

    fn names(url: &str, path: &str) -> bool {
        names_resource(url, ORIGIN, path.as_bytes())
    }

    #[test]
    fn d_12_the_same_resource_has_several_urls() {
        for url in [
            "https://api.example.com/v1/~x",
            "HTTPS://API.EXAMPLE.COM:443/v1/%7Ex",
            "https://api.example.com/v1/~x?q=2#f",
            "https://api.example.com/v1/~x#f?q",
            "https://api.example.com:/v1/%7ex",
            "https://api.example.com/%76%31/~x?",
        ] {
            assert!(names(url, "/v1/~x"), "{url}");
        }
        assert!(names("https://api.example.com/a%2fb", "/a%2Fb"));
        assert!(names("https://api.example.com/a", "/%61"));
        for url in [
            "https://api.example.com",
            "https://api.example.com?q",
            "https://api.example.com#f",
        ] {
            assert!(names(url, "/"), "{url}");
        }
    }

    #[test]
    fn d_12_another_scheme_host_port_or_path_is_another_resource() {
        for url in [
            "http://api.example.com/v1/~x",
            "https://api.example.com/v1/~X",
            "https://api.example.com/v1/~x/",
            "https://api.example.com//v1/~x",
            "https://api.example.com/v1/./~x",
            "https://api.example.com/v1/y/../~x",
            "https://api.example.com/v1%2F~x",
            "https://api.example.com/v1/%257Ex",
            "https://api.example.com/v1/~x;a",
            "https://api.example.com/v1/~x%3Fq=1",
            "https://api.example.com:80/v1/~x",
            "https://api.example.com:8443/v1/~x",
            "https://api.example.com:0443/v1/~x",
            "https://api.example.com./v1/~x",
            "https://www.api.example.com/v1/~x",
            "https://api.example.com.evil.example/v1/~x",
            "https://evil.example/v1/~x",
        ] {
            assert!(!names(url, "/v1/~x"), "{url}");
        }
    }

    #[test]
    fn a_url_that_parsers_read_differently_names_no_resource() {
        for url in [
            "",
            "/v1/x",
            "//api.example.com/v1/x",
            "api.example.com/v1/x",
            "https:/api.example.com/v1/x",
            "https:api.example.com/v1/x",
            r"https:/\api.example.com/v1/x",
            r"https:\\api.example.com\v1\x",
            r"https://api.example.com\v1\x",
            r"https://api.example.com\.evil.example/v1/x",
            r"https://evil.example\@api.example.com/v1/x",
            "https:///api.example.com/v1/x",
            "https://api.example.com:443@evil.example/v1/x",
            "https://evil.example@api.example.com/v1/x",
            "https://@api.example.com/v1/x",
            "https://a:b@api.example.com/v1/x",
            "https://evil.example#@api.example.com/v1/x",
            "https://evil.example?@api.example.com/v1/x",
            "https://api.example.com,evil.example/v1/x",
            "https://%61pi.example.com/v1/x",
            "https://api%2eexample.com/v1/x",
            "https://api..example.com/v1/x",
            "https://[api.example.com]/v1/x",
            "https://api.example.com/v1/x y",
            " https://api.example.com/v1/x",
            "https://api.example.com/v1/x ",
            "https://api.exa\tmple.com/v1/x",
            "https://api.example.com/v1/\nx",
            "https://api.example.com/v1/x\0",
            "https://api.example.com/v1/x#\u{7f}",
            "https://api。example.com/v1/x",
            "https://ａpi.example.com/v1/x",
            "https://api.example.com/v1/x?é",
            "https://api.example.com:443:443/v1/x",
            "https://api.example.com:+443/v1/x",
            "https://api.example.com:443 /v1/x",
            "ftp://api.example.com/v1/x",
            "wss://api.example.com/v1/x",
            "blob:https://api.example.com/v1/x",
            "view-source:https://api.example.com/v1/x",
        ] {
            assert!(!names(url, "/v1/x"), "{url:?}");
        }
    }

    #[test]
    fn the_default_port_is_that_of_the_scheme() {
        for (origin, urls) in [
            ("http://a", ["http://a/", "http://A:80"]),
            ("http://a:80", ["http://a/", "http://a:80/"]),
            ("https://a:443", ["https://a", "https://a:443/"]),
            ("http://a:443", ["http://a:443", "HTTP://a:443/"]),
            (
                "https://[::1]:8443",
                ["https://[::1]:8443", "https://[::1]:8443/"],
            ),
            (
                "https://xn--mnchen-3ya.example",
                [
                    "https://xn--mnchen-3ya.example",
                    "https://XN--MNCHEN-3YA.example/",
                ],
            ),
        ] {
            for url in urls {
                assert!(names_resource(url, origin, b"/"), "{url} at {origin}");
            }
        }
        assert!(!names_resource("https://a:80", "https://a", b"/"));
        assert!(!names_resource("http://a:443", "http://a", b"/"));
        assert!(!names_resource("http://a:443", "https://a", b"/"));
    }

    #[test]
    fn a_target_without_a_path_has_no_url() {
        for path in ["", "*", "api.example.com:443"] {
            assert!(!names(ORIGIN, path), "{path}");
        }
        // A broken escape is equal to itself alone.
        assert!(names("https://api.example.com/%zz", "/%zz"));
        assert!(!names("https://api.example.com/%zz%61", "/%zza"));
    }

    /// A browser's parser finds the same origin and path in each URL that names the resource.
    #[test]
    fn a_url_that_names_a_resource_is_read_so_by_a_browser() {
        let pieces = [
            "https://",
            "HTTPS://",
            "http://",
            "https:/",
            "api.example.com",
            "API.example.com",
            ":443",
            ":",
            "@",
            "/",
            "\\",
            "v1",
            "%76",
            "%2F",
            "..",
            ".",
            "?",
            "#",
            "x",
            "%",
            "evil",
            ";",
            "//",
            ":80",
            "%2e",
        ];
        let mut state = 7_u64;
        let mut draw = |end: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % end
        };
        let mut found = 0;
        for _ in 0..200_000 {
            let mut url = if draw(4) > 0 {
                "https://api.example.com/".to_owned()
            } else {
                String::new()
            };
            for _ in 0..draw(8) {
                url.push_str(pieces[draw(pieces.len())]);
            }
            if !names(&url, "/v1") {
                continue;
            }
            found += 1;
            let browser = url::Url::parse(&url).unwrap();
            assert_eq!(browser.origin().ascii_serialization(), ORIGIN, "{url}");
            assert_eq!(
                normalized(browser.path().as_bytes()).as_ref(),
                b"/v1",
                "{url}"
            );
        }
        assert!(found > 100, "{found}");
    }
}
