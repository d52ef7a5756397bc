use serde_json::{Value, json};

use super::*;
use crate::presentation::page::Page;
use crate::reject::Code;
use crate::time::Timestamp;

const EXPLANATION: Explanation<'static> = Explanation {
    code: Code::InvalidToken,
    message: "The access token expired",
    status: 401,
    realm: "orders",
    documentation: Some("https://docs.example.com/errors"),
    action: None,
};

const OCCASION: Occasion<'static> = Occasion {
    time: "2023-11-14T22:13:20Z",
    request_id: Some("abc-1"),
};

fn text_of(form: Form, explanation: &Explanation<'_>) -> String {
    text_at(OCCASION, form, explanation)
}

fn text_at(occasion: Occasion<'_>, form: Form, explanation: &Explanation<'_>) -> String {
    let mut text = String::new();
    match form {
        Form::Html => Page::default().fill(explanation, occasion, None, &mut text),
        _ => Content::new(form, explanation).write(occasion, &mut text),
    }
    text
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
        documentation: None,
        action: Some("https://help.example.com/"),
        ..EXPLANATION
    };
    let anonymous = Occasion {
        request_id: None,
        ..OCCASION
    };
    let text = text_at(anonymous, Form::Json, &bare);
    let names: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<_> = names.as_object().unwrap().keys().collect();
    assert_eq!(names, ["action", "error", "message", "status", "timestamp"]);
}

/// The object is written in parts. Its schema describes it as a whole.
#[test]
fn json_is_what_its_schema_describes() {
    for action in [None, Some("https://help.example.com/?a=\"b\"")] {
        let explanation = Explanation {
            action,
            ..EXPLANATION
        };
        for documentation in [None, explanation.link()] {
            let whole = ErrorBody {
                error: "invalid_token",
                message: "The access token expired",
                status: 401,
                timestamp: Timestamp::from_seconds(1_700_000_000),
                request_id: OCCASION.request_id,
                documentation: documentation.as_deref(),
                action,
            };
            let explanation = Explanation {
                documentation: explanation
                    .documentation
                    .filter(|_| documentation.is_some()),
                ..explanation
            };
            let written = text_of(Form::Json, &explanation);
            assert_eq!(written, serde_json::to_string(&whole).unwrap());
        }
    }
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
    let of = content_type;
    assert_eq!(of(Form::Json), Some("application/json"));
    assert_eq!(of(Form::Problem), Some("application/problem+json"));
    assert_eq!(of(Form::Text), Some("text/plain; charset=utf-8"));
    assert_eq!(of(Form::Html), Some("text/html; charset=utf-8"));
    assert_eq!(of(Form::None), None);
    assert_eq!(text_of(Form::None, &EXPLANATION), "");
}

#[test]
fn a_time_that_cannot_be_formatted_is_left_out() {
    let late = Occasion {
        time: "",
        ..OCCASION
    };
    assert!(!text_at(late, Form::Html, &EXPLANATION).contains("<time"));
    let json = text_at(late, Form::Json, &EXPLANATION);
    assert!(json.contains(r#""timestamp":"","request_id""#), "{json}");
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
                realm: text,
                ..EXPLANATION
            };
            let occasion = Occasion {
                request_id: Some(text),
                ..OCCASION
            };
            let text_of = |form, explanation: &_| text_at(occasion, form, explanation);
            let json_of = |form, explanation: &_| -> Value {
                serde_json::from_str(&text_of(form, explanation)).unwrap()
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
