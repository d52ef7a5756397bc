//! What responses look like.

mod cors;
mod login;
mod metadata;
mod responses;

use super::Compiler;
use crate::authenticate::Provider;
use crate::config::at::At;
use crate::config::document::{Document, Https};
use crate::config::fault::{Fault, InvalidResponse};
use crate::config::read::{Optional, Typed};
use crate::credential::Part;
use crate::grammar::can_be_quoted;
use crate::presentation::Presentation;
use crate::url::{Url, is_web_page};

impl Compiler<'_> {
    pub(super) fn presentation(
        &mut self,
        document: &Document,
        providers: &[Provider],
    ) -> Presentation {
        let origin = self.origin.clone();
        let mut presentation = Presentation {
            protects: self.protects,
            query_tokens: self.query_tokens(),
            https_origin: self.https_origin(document, &origin),
            realm: self.realm.clone(),
            ..Presentation::default()
        };
        if let Some(responses) = document.responses.given() {
            self.responses(responses, &origin, &mut presentation);
        }
        if let Some(metadata) = document.resource_metadata.given() {
            presentation.metadata = self.metadata(metadata, providers).ok();
        }
        presentation.cors = document.cors.given().map(|cors| self.cors(cors));
        presentation
    }

    /// The names of the query parameters in which providers read tokens.
    fn query_tokens(&self) -> Vec<String> {
        let parts = self
            .locations
            .iter()
            .map(|location| location.carrier.part());
        let names = parts.filter_map(|part| match part {
            Part::Parameter(name) => Some(name.to_owned()),
            Part::Header(_) | Part::Cookie(_) => None,
        });
        names.collect()
    }

    /// The realm of challenges.
    pub(super) fn realm(&mut self, document: &Document) -> String {
        let Some(realm) = document.realm.given() else {
            return Presentation::default().realm;
        };
        if !can_be_quoted(realm) {
            self.report(&At::Root.member("realm"), InvalidResponse::Realm);
        }
        realm.clone()
    }

    /// The origin, as browsers serialise it.
    pub(super) fn origin(&mut self, document: &Document) -> Typed<Option<String>> {
        match document.origin.as_ref().map_err(|reported| *reported)? {
            None => Ok(None),
            Some(typed) => match Url::parse_origin(typed) {
                Some(origin) => Ok(Some(origin)),
                None => {
                    Err(self.url_fault(&At::Root.member("origin"), typed, InvalidResponse::Origin))
                }
            },
        }
    }

    /// The origin to which plain HTTP is redirected.
    fn https_origin(
        &mut self,
        document: &Document,
        origin: &Typed<Option<String>>,
    ) -> Option<String> {
        if document.https.given() != Some(&Https::Redirect) {
            return None;
        }
        match origin {
            Ok(Some(origin)) if origin.starts_with("https:") => return Some(origin.clone()),
            Ok(Some(_)) => {
                self.report(&At::Root.member("origin"), InvalidResponse::RedirectToHttp);
            }
            Ok(None) => {
                let at = At::Root.member("https");
                self.report(&at, InvalidResponse::RedirectWithoutOrigin);
            }
            Err(_) => {}
        }
        None
    }

    /// A URL that a page can link to.
    fn link(&mut self, at: &At<'_>, typed: &Typed<Option<String>>) -> Option<String> {
        let typed = typed.given()?;
        if !is_web_page(typed) {
            self.url_fault(at, typed, Fault::WebUrl);
        }
        Some(typed.clone())
    }
}
