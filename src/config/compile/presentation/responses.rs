//! Bodies, links and pages.

use std::collections::BTreeMap;

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::responses::Responses;
use crate::config::fault::{Fault, InvalidResponse};
use crate::config::read::{Entries, Optional, Typed};
use crate::presentation::Presentation;
use crate::presentation::page::{Page, PageFault, placeholders};

impl Compiler<'_> {
    pub(super) fn responses(
        &mut self,
        document: &Responses,
        origin: &Typed<Option<String>>,
        presentation: &mut Presentation,
    ) {
        let at = At::Root.member("responses");
        presentation.body = document.body.given().copied().unwrap_or_default();
        for (typed, setting) in [
            (
                &document.error_description,
                &mut presentation.error_description,
            ),
            (
                &document.forbidden_challenge,
                &mut presentation.forbidden_challenge,
            ),
            (&document.challenge_scope, &mut presentation.challenge_scope),
            (&document.hints, &mut presentation.hints),
        ] {
            *setting = typed.given().copied().unwrap_or(*setting);
        }
        let documentation_at = at.member("documentation");
        presentation.documentation = self.link(&documentation_at, &document.documentation);
        let documentation = presentation.documentation.as_deref();
        if documentation.is_some_and(|link| link.contains('#')) {
            self.report(&documentation_at, InvalidResponse::Fragment);
        }
        let request_access = at.member("request_access");
        presentation.request_access = self.link(&request_access, &document.request_access);
        if let Some(login) = document.login.given() {
            let login = self.login(&at.member("login"), login, origin);
            presentation.login = login.ok();
        }
        presentation.pages = self.pages(&at.member("pages"), document);
        if let Some(not_found) = document.not_found.given() {
            presentation.not_found = self.fixed_reply(&at.member("not_found"), not_found);
        }
    }

    fn pages(&mut self, at: &At<'_>, document: &Responses) -> BTreeMap<u16, Page> {
        let mut pages = BTreeMap::new();
        for (status, text) in document.pages.entries() {
            let at = at.member(status);
            match status.parse::<u16>() {
                Ok(number @ 400..=599) if status.len() == 3 => match Page::parse(text) {
                    Ok(page) => drop(pages.insert(number, page)),
                    Err(PageFault::UnknownPlaceholder(name)) => {
                        self.unknown_name(&at, "placeholder", &name, placeholders());
                    }
                },
                Ok(_) | Err(_) => {
                    let fault = Fault::Status {
                        least: 400,
                        found: None,
                    };
                    self.report(&at, fault);
                }
            }
        }
        pages
    }
}
