//! The content that explains why a request was denied: its form, its facts, its page.

use std::borrow::Cow;

use super::body::{Content, content_type};
use super::head::Head;
use super::negotiate::form_for;
use super::{Exchange, Reply};
use crate::header_map::HeaderMap;
use crate::presentation::explanation::{Explanation, Occasion};
use crate::presentation::{BodyForm, Form, Presentation, page};

impl Exchange<'_> {
    /// Writes the content, and appends the headers that describe it.
    pub(super) fn explain(&self, head: &Head, reply: &mut Reply) {
        let form = match self.presentation.body {
            BodyForm::Negotiate => form_for(self.request.values(b"accept")),
            BodyForm::Always(form) => form,
        };
        if let Some(content_type) = content_type(form) {
            reply.headers.put("content-type", content_type);
        }
        let Reply {
            headers,
            body,
            time,
            ..
        } = reply;
        let occasion = Occasion {
            time: time.of(self.now.get()),
            request_id: self.request.id(),
        };
        if form == Form::Html {
            return self.show_page(head, occasion, headers, body);
        }
        let content = match &head.contents {
            Some(contents) => Cow::Borrowed(contents.of(form)),
            None => Cow::Owned(Content::new(form, &explanation(head, self.presentation))),
        };
        content.write(occasion, body);
    }

    #[cold]
    fn show_page(
        &self,
        head: &Head,
        occasion: Occasion<'_>,
        headers: &mut HeaderMap,
        body: &mut String,
    ) {
        let configured = self.presentation.pages.get(&head.status);
        if configured.is_none() {
            headers.put("content-security-policy", page::POLICY);
        }
        let explanation = explanation(head, self.presentation);
        let sign_in = self.sign_in(head.code);
        let page = configured.unwrap_or(&self.presentation.page);
        page.fill(&explanation, occasion, sign_in.as_deref(), body);
    }
}

/// The facts of a denial that every request shares.
pub(super) fn explanation<'a>(head: &Head, presentation: &'a Presentation) -> Explanation<'a> {
    Explanation {
        code: head.code,
        message: head.message,
        status: head.status,
        realm: &presentation.realm,
        documentation: presentation.documentation.as_deref(),
        action: presentation
            .request_access
            .as_deref()
            .filter(|_| head.status == 403),
    }
}
