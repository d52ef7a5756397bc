use super::*;

#[test]
fn a_url_is_parsed() {
    let url = Url::parse("https://Login.example.com:8443/a/b?c=d").unwrap();
    assert_eq!(url.authority, "login.example.com:8443");
    assert_eq!(url.path, "/a/b?c=d");
    assert_eq!(Url::parse("http://a").unwrap().path, "/");
    assert_eq!(Url::parse("http://a?x").unwrap().path, "/?x");
    for text in [
        "/a",
        "ftp://a/",
        "https://",
        "https://u@a/",
        "https://a/#f",
        "https://a/ b",
        "https://a\\b/",
        "https://a,b/",
    ] {
        assert_eq!(Url::parse(text), None, "{text}");
    }
}

#[test]
fn origins_are_compared_with_their_default_ports() {
    let same = |one: &str, two: &str| {
        Url::parse(one)
            .unwrap()
            .has_origin_of(&Url::parse(two).unwrap())
    };
    assert!(same("https://a/x", "https://A:443/y"));
    assert!(same("http://a:80/", "http://a"));
    assert!(!same("https://a", "http://a"));
    assert!(!same("https://a", "https://a:8443"));
    assert!(!same("https://a", "https://a.b"));
}

#[test]
fn an_origin_has_no_path() {
    for (text, origin) in [
        ("https://Orders.example.com", "https://orders.example.com"),
        ("HTTP://a:80", "http://a:80"),
    ] {
        assert_eq!(Url::parse_origin(text).as_deref(), Some(origin), "{text}");
    }
    for text in [
        "https://a/",
        "https://a/b",
        "https://a?b",
        "https://a#b",
        "a",
        "null",
        "ftp://a",
    ] {
        assert_eq!(Url::parse_origin(text), None, "{text}");
    }
}

#[test]
fn an_origin_of_a_browser_is_compared_byte_by_byte() {
    for text in [
        "https://app.example.com",
        "http://localhost:3000",
        "http://a:443",
        "https://[::1]:8080",
        "moz-extension://0a1b",
    ] {
        assert!(is_browser_origin(text), "{text}");
    }
    for text in [
        "",
        "null",
        "*",
        "app.example.com",
        "://a",
        "https://",
        "https://a/",
        "https://a?b",
        "https://a#b",
        "https://A",
        "HTTPS://a",
        "https://a:",
        "https://a:443",
        "http://a:80",
        "https://u@a",
        "https://a;b",
    ] {
        assert!(!is_browser_origin(text), "{text}");
    }
}

#[test]
fn a_link_leads_to_a_web_page() {
    for text in [
        "https://x",
        "HTTP://x.example:80/a?b=c#d",
        "https://[::1]/",
        "https://login.example.com/?return_to=https%3A%2F%2Fx",
        "https://x?y",
    ] {
        assert!(is_web_page(text), "{text}");
    }
    for text in [
        "",
        "x",
        "//x",
        "/x",
        "https:",
        "https://",
        "https:///x",
        "https://?x",
        "ftp://x",
        "javascript://x",
        " https://x",
        "https://x y",
        "https://x/'",
        "https://x/\"",
        "https://x/<",
        "https://x/\\",
        "https://x/{url}",
        "https://x/é",
        "https://x/\n",
        "https://u@x",
        "https://u:p@x/",
        "https://x:y/",
    ] {
        assert!(!is_web_page(text), "{text}");
    }
}

fn host(authority: &str) -> Option<String> {
    Host::parse(authority.as_bytes()).map(|host| host.as_str().to_owned())
}

#[test]
fn x_23_case_port_and_trailing_dot_do_not_matter() {
    for authority in [
        "API.example.com",
        "api.example.com:443",
        "api.example.com.",
        "api.example.com.:80",
    ] {
        assert_eq!(
            host(authority).as_deref(),
            Some("api.example.com"),
            "{authority}"
        );
    }
    for authority in ["[::1]:8080", "[0:0::0:1]", "[::0001]"] {
        assert_eq!(host(authority).as_deref(), Some("[::1]"), "{authority}");
    }
}

#[test]
fn x_22_an_authority_without_exactly_one_host_is_rejected() {
    for authority in [
        "",
        ".",
        ":80",
        "user@api.example.com",
        "a,b",
        "a.example, b.example",
        "a b",
        "a:80:80",
        "a:x",
        "[::1",
        "[zz]",
        "[::1]x",
        "a/b",
        "a\\b",
        "a..b",
        "a..",
        "..",
        "a..:80",
        "a[b",
        "a%2eb",
    ] {
        assert_eq!(host(authority), None, "{authority}");
    }
    assert_eq!(Host::parse(b"\xff.example"), None);
}

#[test]
fn a_loopback_url_has_a_host_of_the_same_machine() {
    let is_loopback = |text: &str| Url::parse(text).unwrap().is_loopback();
    for text in [
        "http://localhost",
        "http://LOCALHOST:8080/a",
        "http://localhost.",
        "http://127.0.0.1",
        "http://127.255.0.9:1",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]",
    ] {
        assert!(is_loopback(text), "{text}");
    }
    for text in [
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://128.0.0.1",
        "http://127.1",
        "http://[::2]",
        "http://[::ffff:10.0.0.1]",
        "http://example.com/localhost",
    ] {
        assert!(!is_loopback(text), "{text}");
    }
}
