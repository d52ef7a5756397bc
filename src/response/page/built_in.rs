//! The page for who writes none: `page.html`, and the parts of it that not every refusal has.

use super::{Filling, NAMES, Page, Placeholder, escape};

/// The template, which has two placeholders more than others.
const TEMPLATE: &str = include_str!("../page.html");

/// The page. That its template has no fault is held by a test.
pub fn page() -> Page {
    let own = [
        ("next", Placeholder::Next),
        ("particulars", Placeholder::Particulars),
    ];
    Page::read(TEMPLATE, |name| {
        let mut known = NAMES.iter().chain(&own);
        let known = known.find(|(known, _)| *known == name);
        known.map(|(_, placeholder)| *placeholder)
    })
    .unwrap_or(Page { parts: Vec::new() })
}

/// What to do next: a link where there is one to the point, else a piece of advice, and where to read more.
pub fn next(filling: &Filling<'_>, page: &mut String) {
    let main = match filling.explanation.status {
        401 => filling.sign_in.map(|address| ("Sign in", address)),
        403 => filling.action.map(|address| ("Ask for access", address)),
        _ => None,
    };
    if main.is_none() {
        page.push_str("<p>");
        page.push_str(filling.explanation.code.advice());
        page.push_str("</p>\n");
    }
    if main.is_none() && filling.documentation.is_none() {
        return;
    }
    page.push_str("<p class=\"next\">");
    if let Some((label, address)) = main {
        link(" class=\"main\"", label, address, page);
    }
    if let Some(address) = filling.documentation {
        link("", "What this means", address, page);
    }
    page.push_str("</p>\n");
}

fn link(attributes: &str, label: &str, address: &str, page: &mut String) {
    page.push_str("<a");
    page.push_str(attributes);
    page.push_str(" href=\"");
    escape(address, page);
    page.push_str("\">");
    page.push_str(label);
    page.push_str("</a>\n");
}

/// The small print, for whoever is asked for help.
pub fn particulars(filling: &Filling<'_>, page: &mut String) {
    page.push_str("<dl>\n");
    page.push_str("<dt>Error</dt><dd>");
    escape(filling.explanation.code.name(), page);
    page.push_str("</dd>\n");
    if let Some(id) = filling.explanation.request_id {
        page.push_str("<dt>Request</dt><dd>");
        escape(id, page);
        page.push_str("</dd>\n");
    }
    if !filling.moment.is_empty() {
        page.push_str("<dt>Time</dt><dd><time datetime=\"");
        page.push_str(&filling.moment);
        page.push_str("\">");
        page.push_str(&filling.moment.replace('T', " ").replace('Z', " UTC"));
        page.push_str("</time></dd>\n");
    }
    page.push_str("</dl>\n");
}
