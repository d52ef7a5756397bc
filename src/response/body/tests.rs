use serde_json::{Value, json};

use super::*;
use crate::reject::Code;

const EXPLANATION: Explanation<'static> = Explanation {
    code: Code::InvalidToken,
    message: "The access token expired",
    status: 401,
    realm: "orders",
    timestamp: Timestamp::from_seconds(1_700_000_000),
    request_id: Some("abc-1"),
    documentation: Some("https://docs.example.com/errors"),
    action: None,
};

fn text_of(form: Form, explanation: &Explanation<'_>) -> String {
    render(form, explanation, &Page::default(), None).text
}

fn json_of(form: Form, explanation: &Explanation<'_>) -> Value {
    serde_json::from_str(&text_of(form, explanation)).unwrap()
}

#[test]
fn json_has_the_known_members() {
    let members = json!({
        "error": "invalid_token",
        "message": "The access token expired",
        "status": 401,
        "timestamp": "2023-11-14T22:13:20Z",
        "request_id": "abc-1",
        "documentation": "https://docs.example.com/errors#invalid_token",
    });
    assert_eq!(json_of(Form::Json, &EXPLANATION), members);
    let bare = Explanation {
        request_id: None,
        documentation: None,
        action: Some("https://help.example.com/"),
        ..EXPLANATION
    };
    let names = json_of(Form::Json, &bare);
    let names: Vec<_> = names.as_object().unwrap().keys().collect();
    assert_eq!(names, ["action", "error", "message", "status", "timestamp"]);
}

/// PJ-01, PJ-04, PJ-05: one `status`, the detail of the challenge, and the members of JSON as extensions.
#[test]
fn a_problem_has_the_members_of_json_and_its_own() {
    let mut expected = json_of(Form::Json, &EXPLANATION);
    expected["type"] = json!("https://docs.example.com/errors#invalid_token");
    expected["title"] = json!("Invalid token");
    expected["detail"] = json!("The access token expired");
    assert_eq!(json_of(Form::Problem, &EXPLANATION), expected);
    let text = text_of(Form::Problem, &EXPLANATION);
    assert_eq!(text.matches("\"status\":").count(), 1);
}

/// PJ-02: without a type the title is the status's.
#[test]
fn a_problem_without_documentation_has_no_type() {
    let problem = json_of(
        Form::Problem,
        &Explanation {
            documentation: None,
            ..EXPLANATION
        },
    );
    assert_eq!(problem.get("type"), None);
    assert_eq!(problem["title"], "Unauthorized");
    assert_eq!(problem["error"], "invalid_token");
}

#[test]
fn text_is_a_sentence_and_urls() {
    assert_eq!(
        text_of(
            Form::Text,
            &Explanation {
                action: Some("https://help.example.com/"),
                ..EXPLANATION
            }
        ),
        "The access token expired.\n\
         What this means: https://docs.example.com/errors#invalid_token\n\
         Ask for access: https://help.example.com/\n"
    );
}

/// PJ-08: nothing has no type.
#[test]
fn each_form_has_its_media_type() {
    let of = |form| render(form, &EXPLANATION, &Page::default(), None).content_type;
    assert_eq!(of(Form::Json), Some("application/json"));
    assert_eq!(of(Form::Problem), Some("application/problem+json"));
    assert_eq!(of(Form::Text), Some("text/plain; charset=utf-8"));
    assert_eq!(of(Form::Html), Some("text/html; charset=utf-8"));
    assert_eq!(of(Form::None), None);
    assert_eq!(text_of(Form::None, &EXPLANATION), "");
}

#[test]
fn a_time_that_cannot_be_formatted_is_left_out() {
    let late = Explanation {
        timestamp: Timestamp::from_millis(i64::MAX),
        ..EXPLANATION
    };
    assert!(!text_of(Form::Html, &late).contains("<time"));
}

/// PJ-10: whatever a message, an identifier and an address hold, it stays content.
#[test]
fn any_text_is_escaped() {
    const PIECES: [&str; 20] = [
        "<script>",
        "</p>",
        "<!--",
        "]]>",
        "&lt;",
        "&",
        "\"",
        "'",
        "`",
        "\\",
        "{message}",
        "}",
        "\0",
        "\r\n",
        "\t",
        "\u{1b}[2J",
        "\u{7f}",
        "\u{9b}",
        "\u{2028}\u{feff}",
        "é🦀",
    ];
    let plain = text_of(Form::Html, &EXPLANATION);
    let marks = |page: &str| {
        (
            page.matches('<').count(),
            page.matches('>').count(),
            page.matches('"').count(),
        )
    };
    let mut texts = vec![String::new()];
    for _ in 0..2 {
        let longer = texts
            .iter()
            .flat_map(|text| PIECES.map(|piece| format!("{text}{piece}")));
        texts = longer.collect();
        for text in &texts {
            let explanation = Explanation {
                message: text,
                request_id: Some(text),
                realm: text,
                ..EXPLANATION
            };
            for form in [Form::Json, Form::Problem] {
                let body = json_of(form, &explanation);
                assert_eq!(
                    (&body["message"], &body["request_id"]),
                    (&json!(text), &json!(text))
                );
            }
            let sentence = text_of(Form::Text, &explanation);
            assert!(
                sentence.lines().count() == 2
                    && !sentence.replace('\n', "").contains(char::is_control)
            );
            let page = text_of(Form::Html, &explanation);
            assert_eq!(marks(&page), marks(&plain), "{text:?}");
            assert!(!page.replace('\n', "").contains(char::is_control));
        }
    }
}
