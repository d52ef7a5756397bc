use super::*;
use crate::reject::Code;

const EXPLANATION: Explanation<'static> = Explanation {
    code: Code::Unauthorized,
    message: "Authentication is required.",
    status: 401,
    realm: "a & b",
    documentation: Some("https://docs.example.com/?a&b"),
    action: Some("https://help.example.com/"),
};

const OCCASION: Occasion<'static> = Occasion {
    time: "2023-11-14T22:13:20Z",
    request_id: Some("abc-1"),
};

const SIGN_IN: &str = "https://login.example.com/?return_to=https%3A%2F%2Fx";

fn fill(template: &str, sign_in: Option<&str>) -> String {
    filled(
        &Page::parse(template).unwrap(),
        &EXPLANATION,
        OCCASION,
        sign_in,
    )
}

fn filled(
    page: &Page,
    explanation: &Explanation<'_>,
    occasion: Occasion<'_>,
    sign_in: Option<&str>,
) -> String {
    let mut text = String::new();
    page.fill(explanation, occasion, sign_in, &mut text);
    text
}

#[test]
fn placeholders_are_filled_in_and_escaped() {
    assert_eq!(
        fill(
            "<p title=\"{realm}\">{status} {title}: {message}</p> {error} {request_id} {timestamp}",
            None
        ),
        "<p title=\"a &amp; b\">401 Authentication required: Authentication is required.</p> \
         unauthorized abc-1 2023-11-14T22:13:20Z"
    );
    assert_eq!(
        fill("{documentation}|{action}|{sign_in}", None),
        "https://docs.example.com/?a&amp;b#unauthorized|https://help.example.com/|"
    );
    assert_eq!(fill("{sign_in}", Some(SIGN_IN)), SIGN_IN);
    for (name, _) in NAMES {
        assert!(Page::parse(&format!("{{{name}}}")).is_ok());
    }
}

#[test]
fn other_braces_are_kept() {
    for text in [
        "",
        "{",
        "}",
        "{}",
        "{{",
        "{ title }",
        "{title",
        "{Title}",
        "{title1}",
        "a{color: red}",
        "{\n--é: 1}",
        "{é}",
        "{a-b}",
    ] {
        assert_eq!(fill(text, None), text);
    }
    assert_eq!(fill("{{status}}", None), "{401}");
    assert_eq!(fill("{é{status}{", None), "{é401{");
}

#[test]
fn an_unknown_placeholder_is_a_fault() {
    let fault = Page::parse("{title} {mesage} {x}").unwrap_err();
    assert_eq!(fault, PageFault::UnknownPlaceholder("mesage".to_owned()));
    assert_eq!(fault.to_string(), "unknown placeholder `{mesage}`");
    assert!(Page::parse("{next}").is_err());
    assert!(placeholders().any(|name| name == "message"));
}

#[test]
fn the_built_in_page_says_what_to_do_next() {
    let page = |code: Code, sign_in, explanation: Explanation<'_>, occasion| {
        let explanation = Explanation {
            code,
            status: code.status(),
            ..explanation
        };
        filled(&Page::default(), &explanation, occasion, sign_in)
    };
    let bare = Explanation {
        documentation: None,
        action: None,
        ..EXPLANATION
    };
    let anonymous = Occasion {
        request_id: None,
        ..OCCASION
    };
    let to_sign_in = page(Code::Unauthorized, Some(SIGN_IN), EXPLANATION, OCCASION);
    assert!(to_sign_in.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(to_sign_in.contains(&format!("<a class=\"main\" href=\"{SIGN_IN}\">Sign in</a>")));
    assert!(
        to_sign_in.contains(
            "href=\"https://docs.example.com/?a&amp;b#unauthorized\">What this means</a>"
        )
    );
    assert!(
        to_sign_in
            .contains("<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13:20 UTC</time>")
    );
    assert!(!to_sign_in.contains("Ask for access") && !to_sign_in.contains("try again"));
    let to_ask = page(Code::Forbidden, Some(SIGN_IN), EXPLANATION, OCCASION);
    assert!(to_ask.contains(">Ask for access</a>") && !to_ask.contains(">Sign in</a>"));
    for (code, advice) in [
        (Code::Unauthorized, "Sign in, then"),
        (Code::Forbidden, "ask the operator"),
        (Code::NotFound, "Check the address"),
        (Code::TooManyFailures, "few minutes"),
        (Code::TemporarilyUnavailable, "in a moment"),
        (Code::InvalidRequest, "Go back"),
    ] {
        let page = page(code, None, bare, anonymous);
        assert!(
            page.contains(advice) && !page.contains("<a ") && !page.contains("Request</dt>"),
            "{page}"
        );
    }
}

#[test]
fn the_built_in_page_loads_no_other_resource() {
    let page = filled(&Page::default(), &EXPLANATION, OCCASION, None);
    for foreign in [
        "<script",
        " src=",
        "url(",
        "@import",
        "{title}",
        "{next}",
        "{particulars}",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_url_that_is_not_a_web_page_is_not_a_link() {
    for address in [
        "javascript:alert(1)",
        "https://x/\" onclick=\"",
        "data:text/html,x",
    ] {
        let page = filled(&Page::default(), &EXPLANATION, OCCASION, Some(address));
        assert!(!page.contains("Sign in</a>"));
        assert_eq!(fill("{sign_in}", Some(address)), "");
    }
}
