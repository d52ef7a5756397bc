//! Providers of client certificates.

use crate::authenticate::mtls::{self, subject::SubjectPattern};
use crate::authenticate::{Method, Provider};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::mtls::Mtls;
use crate::config::fault::Fault;
use crate::config::read::{Items, Typed};
use crate::kinds;

impl Compiler<'_> {
    pub(super) fn mtls(
        &mut self,
        at: &At<'_>,
        name: Typed<&str>,
        document: &Mtls,
    ) -> Option<Provider> {
        let kind = self.built(at, kinds::Mtls::BUILT, "mtls", "mtls").ok()?;
        let at = at.member("subjects");
        if document.subjects.as_ref().is_ok_and(Vec::is_empty) {
            self.report(&at, Fault::Empty("subject"));
        }
        let subjects = document.subjects.each(&at, |at, subject| {
            SubjectPattern::parse(subject).map_err(|fault| self.report(at, fault))
        });
        let (Ok(name), Ok(subjects)) = (name, subjects.whole()) else {
            return None;
        };
        Some(Provider {
            name: name.to_owned(),
            locations: Vec::new(),
            method: Method::Mtls(mtls::Mtls { kind, subjects }),
        })
    }
}
