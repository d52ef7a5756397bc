use super::*;

fn form(accept: &str) -> Form {
    form_for(std::iter::once(accept.as_bytes()))
}

#[track_caller]
fn all(expected: Form, fields: &[&str]) {
    for field in fields {
        assert_eq!(form(field), expected, "{field:?}");
    }
}

/// PJ-06: what clients really send.
#[test]
fn common_clients_get_a_form_that_they_accept() {
    all(
        Form::Html,
        &[
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,\
             application/signed-exchange;v=b3;q=0.7",
            "text/html, */*; q=0.01",
            "TEXT/HTML;charset=UTF-8",
        ],
    );
    all(
        Form::Json,
        &[
            "*/*",
            "application/json, text/plain, */*",
            "application/*",
            "application/json;charset=utf-8",
            "image/avif,image/webp,*/*;q=0.8",
            "application/grpc",
            "text/event-stream",
        ],
    );
    all(
        Form::Problem,
        &[
            "application/problem+json",
            "application/problem+json, */*",
            "application/json, application/problem+json",
            "application/json;q=0.5, Application/Problem+JSON;q=0.5",
        ],
    );
    all(
        Form::Text,
        &["text/plain", "text/plain; charset=utf-8", "text/*"],
    );
}

#[test]
fn the_greatest_weight_wins() {
    all(Form::Text, &["text/html;q=0.8, text/plain;q=0.801"]);
    all(
        Form::Json,
        &["text/html;q=0.5,application/json;q=.9,text/html"],
    );
    all(
        Form::Json,
        &["application/problem+json;q=0.9,application/json"],
    );
    all(Form::Html, &["*/*;q=0.1,text/html;q=0.2"]);
    all(Form::Json, &["*/*;q=0.2,text/html;q=0.1"]);
    all(Form::Html, &["text/html;q=0, text/html;q=1"]);
}

#[test]
fn the_most_specific_range_decides_about_a_type() {
    all(
        Form::Text,
        &["text/*, text/html;q=0.1", "text/html;q=0.1 ,text/*"],
    );
    all(Form::Html, &["text/*, text/plain;q=0"]);
    all(Form::Text, &["text/*;q=0.5, */*;q=0.4"]);
    all(Form::Problem, &["application/*, application/json;q=0"]);
    all(Form::Html, &["*/*;q=0, text/html;q=0.001"]);
}

#[test]
fn a_client_that_accepts_no_form_gets_json() {
    all(
        Form::Json,
        &["text/html;q=0", "*/*;q=0", "image/png", "text/html;level=1"],
    );
    assert_eq!(form_for(std::iter::empty()), Form::Json);
}

#[test]
fn an_invalid_header_leads_to_json() {
    all(
        Form::Json,
        &[
            "",
            ",",
            "text/html;q=2",
            "text/html;q=0.1234",
            "text/html;q=1.001",
            "text/html;q=-0",
            "text/html;q=",
            "text/html;q",
            "text/html;q=\"1\"",
            "text/html;q=0,5",
            "text",
            "text/",
            "/html",
            "text /html",
            "*",
            "*/html",
            "text/html q=1",
            "text/html;x=\"",
            "text/html;x=\"\\",
            "text/html,\u{0}",
            "text/html;q =1",
            "text/html text/plain",
            "\u{fc}/html, text/html",
            "*; q=.2, text/html",
        ],
    );
    assert_eq!(
        form_for(std::iter::once(&b"text/html,\xff\xfe"[..])),
        Form::Json
    );
}

#[test]
fn spaces_empty_elements_and_quoted_commas_are_accepted() {
    all(
        Form::Html,
        &[
            " ,, text/html\t; q=1.000 ,",
            "text/html;",
            "text/html;;q=1;extension=\"a\\\",b\"",
            "image/png;title=\"text/plain, a;b\", text/html",
            "text/html;Q=0.5",
        ],
    );
}

#[test]
fn several_fields_are_one_list() {
    let of = |fields: &[&'static [u8]]| form_for(fields.iter().copied());
    assert_eq!(of(&[b"text/html;q=0.5", b"text/plain"]), Form::Text);
    assert_eq!(of(&[b"*/*", b"", b"text/html"]), Form::Html);
    assert_eq!(of(&[b"text/html", b";"]), Form::Json);
}

#[test]
fn the_length_that_is_read_is_bounded() {
    let long = ",".repeat(LONGEST) + "text/html";
    assert_eq!(form(&long), Form::Json);
    assert_eq!(form(long.split_at(20).1), Form::Html);
}

#[test]
fn navigations_prefer_html() {
    let prefers = |accept: &'static str| prefers_html(std::iter::once(accept.as_bytes()));
    assert!(prefers("text/html,application/xml;q=0.9,*/*;q=0.8"));
    assert!(!prefers("*/*") && !prefers("application/json, text/html;q=0.9"));
}

/// Every sequence of up to four of these bytes has a form; the loops end.
#[test]
fn any_bytes_have_a_form() {
    let alphabet = b"*/q=;,\"\\ 1.a\x00\xff";
    let mut fields: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..4 {
        fields = fields
            .iter()
            .flat_map(|field| alphabet.iter().map(|byte| [&field[..], &[*byte]].concat()))
            .collect();
        for field in &fields {
            form_for(std::iter::once(&field[..]));
            let after = [b"text/html;", &field[..]].concat();
            form_for(std::iter::once(&after[..]));
        }
    }
}
