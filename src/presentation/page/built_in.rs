//! The built-in page: the template `page.html`, and the two parts of it that depend on the error.

use super::{NAMES, Page, Placeholder, Values, escape};

const TEMPLATE: &str = include_str!("../page.html");

/// The built-in page. A test holds that its template has no fault.
pub fn page() -> Page {
    let additional = [
        ("next", Placeholder::Next),
        ("particulars", Placeholder::Particulars),
    ];
    Page::parse_with(TEMPLATE, |name| {
        let mut known = NAMES.iter().chain(&additional);
        let known = known.find(|(known, _)| *known == name);
        known.map(|(_, placeholder)| *placeholder)
    })
    .unwrap_or(Page { parts: Vec::new() })
}

/// Writes what to do next: a link that solves the problem, otherwise advice; then a link to the documentation.
pub fn next(values: &Values<'_>, page: &mut String) {
    let main = match values.explanation.status {
        401 => values.sign_in.map(|url| ("Sign in", url)),
        403 => values.action.map(|url| ("Ask for access", url)),
        _ => None,
    };
    if main.is_none() {
        page.push_str("<p>");
        page.push_str(values.explanation.code.advice());
        page.push_str("</p>\n");
    }
    if main.is_none() && values.documentation.is_none() {
        return;
    }
    page.push_str("<p class=\"next\">");
    if let Some((label, url)) = main {
        link(" class=\"main\"", label, url, page);
    }
    if let Some(url) = values.documentation {
        link("", "What this means", url, page);
    }
    page.push_str("</p>\n");
}

fn link(attributes: &str, label: &str, url: &str, page: &mut String) {
    page.push_str("<a");
    page.push_str(attributes);
    page.push_str(" href=\"");
    escape(url, page);
    page.push_str("\">");
    page.push_str(label);
    page.push_str("</a>\n");
}

/// Writes the facts that a person can give to support: the error code, the request's identifier, the time.
pub fn particulars(values: &Values<'_>, page: &mut String) {
    page.push_str("<dl>\n");
    page.push_str("<dt>Error</dt><dd>");
    escape(values.explanation.code.name(), page);
    page.push_str("</dd>\n");
    if let Some(id) = values.request_id {
        page.push_str("<dt>Request</dt><dd>");
        escape(id, page);
        page.push_str("</dd>\n");
    }
    if !values.time.is_empty() {
        page.push_str("<dt>Time</dt><dd><time datetime=\"");
        page.push_str(values.time);
        page.push_str("\">");
        page.push_str(&values.time.replace('T', " ").replace('Z', " UTC"));
        page.push_str("</time></dd>\n");
    }
    page.push_str("</dl>\n");
}
