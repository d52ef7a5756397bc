//! How many failures block a caller.

use std::time::Duration;

use super::Compiler;
use crate::config::at::At;
use crate::config::document::throttle::{Throttle as ThrottleDocument, ThrottleBy};
use crate::config::fault::{Fault, InvalidThrottle};
use crate::config::read::{Items, Optional, Typed};
use crate::plan::Limits;
use crate::plan::Throttle;

impl Compiler<'_> {
    pub(super) fn throttle(&mut self, document: &ThrottleDocument) -> Option<Throttle> {
        let at = At::Root.member("throttle");
        let by = self.throttle_by(&at.member("by"), document);
        let exempt_at = at.member("exempt");
        let exempt = document
            .exempt
            .each(&exempt_at, |at, text| self.network(at, text));
        let failures = document
            .failures
            .and_then(|failures| self.failures(&at, failures));
        let window = self.throttle_span(&at.member("window"), document.window);
        let block = self.throttle_span(&at.member("block"), document.block);
        Some(Throttle {
            limits: Limits {
                failures: failures.ok()?,
                window: window.ok()?,
                block: block.ok()?,
            },
            by_address: by.contains(&ThrottleBy::Address),
            by_user: by.contains(&ThrottleBy::User),
            exempt: exempt.known,
        })
    }

    fn throttle_by(&mut self, at: &At<'_>, document: &ThrottleDocument) -> Vec<ThrottleBy> {
        if document.by.is_absent() {
            return vec![ThrottleBy::Address];
        }
        if document.by.given().is_some_and(Vec::is_empty) {
            self.report(at, InvalidThrottle::NoKind);
        }
        let mut by = Vec::new();
        for (index, kind) in document.by.items() {
            if by.contains(kind) {
                self.report(&at.item(index), Fault::DuplicateEntry);
            }
            by.push(*kind);
        }
        by
    }

    fn failures(&mut self, at: &At<'_>, typed: u32) -> Typed<u8> {
        match u8::try_from(typed) {
            Ok(failures @ 1..=Limits::MOST_FAILURES) => Ok(failures),
            Ok(_) | Err(_) => Err(self.report(
                &at.member("failures"),
                InvalidThrottle::Failures { found: typed },
            )),
        }
    }

    fn throttle_span(&mut self, at: &At<'_>, typed: Typed<Duration>) -> Typed<Duration> {
        if (Limits::SHORTEST..=Limits::LONGEST).contains(&typed?) {
            typed
        } else {
            Err(self.report(at, InvalidThrottle::Duration))
        }
    }
}
