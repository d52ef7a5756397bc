//! What too many failures lead to.

use std::time::Duration;

use super::Compiler;
use crate::config::document::{Throttle as ThrottleDocument, ThrottleBy};
use crate::config::read::Span;
use crate::plan::Throttle;
use crate::store::Limits;

impl Compiler<'_> {
    pub(super) fn throttle(&mut self, document: &ThrottleDocument) -> Throttle {
        let by = document.by.as_deref().unwrap_or(&[ThrottleBy::Address]);
        if by.is_empty() {
            self.invalid("throttle.by", "there is at least one of `address`, `user`");
        }
        for (place, kind) in by.iter().enumerate() {
            if by.iter().take(place).any(|earlier| earlier == kind) {
                self.invalid(format!("throttle.by[{place}]"), "it is listed already");
            }
        }
        let exempt = document.exempt.iter().flatten().enumerate();
        let exempt = exempt
            .filter_map(|(place, text)| self.network(format!("throttle.exempt[{place}]"), text))
            .collect();
        let failures = u8::try_from(document.failures).unwrap_or(u8::MAX);
        let most = Limits::MOST_FAILURES;
        if !(1..=most).contains(&failures) {
            let what = format!("a number of failures is from 1 to {most}");
            self.invalid_unless_told("throttle.failures", what);
        }
        Throttle {
            limits: Limits {
                failures,
                window: self.span_of_throttle("throttle.window", document.window),
                block: self.span_of_throttle("throttle.block", document.block),
            },
            by_address: by.contains(&ThrottleBy::Address),
            by_user: by.contains(&ThrottleBy::User),
            exempt,
        }
    }

    fn span_of_throttle(&mut self, path: &str, Span(span): Span) -> Duration {
        if !(Limits::SHORTEST..=Limits::LONGEST).contains(&span) {
            self.invalid_unless_told(path, "it is from `1s` to `30d`".to_owned());
        }
        span
    }

    /// Reports a value, but not where it is the default of one that could not be read.
    fn invalid_unless_told(&mut self, path: &str, what: String) {
        if !self.faults.any_within(path) {
            self.invalid(path, what);
        }
    }
}
