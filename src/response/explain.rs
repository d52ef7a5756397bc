//! The content that explains why a request was denied: its form, its facts, its page.

use super::Exchange;
use super::body::render;
use super::headers::{Headers, put};
use super::negotiate::form_for;
use super::table::Meaning;
use crate::presentation::explanation::Explanation;
use crate::presentation::{BodyForm, Form, page};

impl Exchange<'_> {
    /// The content. Appends the headers that describe it.
    pub(super) fn explain(&self, meaning: &Meaning, status: u16, headers: &mut Headers) -> String {
        let presentation = self.presentation;
        let form = match presentation.body {
            BodyForm::Negotiate => form_for(self.request.values(b"accept")),
            BodyForm::Always(form) => form,
        };
        let explanation = Explanation {
            code: meaning.code,
            message: meaning.message,
            status,
            realm: &presentation.realm,
            timestamp: self.now,
            request_id: self.request.id(),
            documentation: presentation.documentation.as_deref(),
            action: presentation
                .request_access
                .as_deref()
                .filter(|_| status == 403),
        };
        let configured = presentation.pages.get(&status);
        let page = configured.unwrap_or(&presentation.page);
        let sign_in = self.sign_in(meaning.code);
        let content = render(form, &explanation, page, sign_in.as_deref());
        if let Some(content_type) = content.content_type {
            put(headers, "content-type", content_type);
        }
        if form == Form::Html && configured.is_none() {
            put(headers, "content-security-policy", page::POLICY);
        }
        content.text
    }
}
