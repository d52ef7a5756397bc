//! The rule that matches a request: the same for every reading of its path.

use super::doubts::Doubts;
use super::{Considered, Matched, Policy, Rule};
use crate::reject::{PathFault, Reject};
use crate::request::RequestView;
use crate::request::path::{EncodedSlash, Reading, Readings, oddity_of_value, visit_by_slashes};
use crate::url::Host;

/// Receives the rule that matches by the first reading, and further readings.
type Visit<'p, 'v> = dyn FnMut(Option<&Matched<'p, '_>>, &Readings<'_>) -> Result<(), Reject> + 'v;

/// A search for the rule that matches a request.
struct Lookup<'p, 'l> {
    policy: &'p Policy,
    considered: Considered,
    doubts: Doubts<'p>,
    method: &'l [u8],
    request: &'l RequestView<'l>,
    host: &'l Host<'l>,
}

impl Policy {
    /// The first rule that matches the request with this method. It is the same rule for every reading of the path.
    ///
    /// # Errors
    /// [`Reject::Path`] if the readings match different rules, or bind different parameters. [`Reject::RepeatedField`]
    /// if a rule matches a header that the request repeats, or that it has as a list.
    pub fn rule_for<'p, 'r>(
        &'p self,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &'r Readings<'_>,
        host: &Host<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        self.rule_among(Considered::All, method, request, readings, host)
    }

    /// The same as [`Self::rule_for`], for the `considered` rules only.
    ///
    /// # Errors
    /// The same as for [`Self::rule_for`].
    pub fn rule_among<'p, 'r>(
        &'p self,
        considered: Considered,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &'r Readings<'_>,
        host: &Host<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let lookup = self.lookup(considered, method, request, host);
        match self.encoded_slash == EncodedSlash::Segment && !readings.is_plain() {
            true => lookup.find_by_slashes(readings),
            false => lookup.find(readings),
        }
    }

    /// The hidden rule that the request could match, given the reading of its path by some server.
    pub fn hidden_rule(
        &self,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &Readings<'_>,
        host: &Host<'_>,
    ) -> Option<&Rule> {
        // Most configurations have no hidden rule.
        if !self.rules.hide() {
            return None;
        }
        let lookup = self.lookup(Considered::All, method, request, host);
        let mut hidden = lookup.find_hidden(readings);
        if self.encoded_slash == EncodedSlash::Segment && !readings.is_plain() {
            // The readings up to the first fault.
            let _ = lookup.first_by_slashes(readings, &mut |_, readings| {
                hidden = hidden.or_else(|| lookup.find_hidden(readings));
                Ok(())
            });
        }
        hidden
    }

    fn lookup<'p, 'l>(
        &'p self,
        considered: Considered,
        method: &'l [u8],
        request: &'l RequestView<'l>,
        host: &'l Host<'l>,
    ) -> Lookup<'p, 'l> {
        Lookup {
            policy: self,
            considered,
            doubts: self.rules.in_doubt(request),
            method,
            request,
            host,
        }
    }
}

impl<'p> Lookup<'p, '_> {
    fn first_match<'r>(&self, reading: Reading<'r>) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let Self {
            considered,
            doubts,
            method,
            request,
            host,
            ..
        } = self;
        let rules = &self.policy.rules;
        rules.first_match(*considered, doubts, method, request, reading, host)
    }

    /// The rule that matches by one reading. A server that drops dots at the end of the path must find the same rule. It keeps
    /// them in parameters.
    #[inline(never)]
    fn match_of<'r>(&self, reading: Reading<'r>) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let matched = self.first_match(reading)?;
        match reading.without_last_dots() {
            None => Ok(matched),
            Some(other) => {
                let other = self.first_match(other)?;
                match Matched::are_of_one_rule(matched.as_ref(), other.as_ref()) {
                    true => Ok(matched),
                    false => Err(Reject::Path(PathFault::LastDot)),
                }
            }
        }
    }

    /// The rule that matches, if slashes are treated in the same way in all segments.
    fn find<'r>(&self, readings: &'r Readings<'_>) -> Result<Option<Matched<'p, 'r>>, Reject> {
        match readings.are_one() {
            true => self.match_of(readings.first()),
            false => self.find_by_all(readings),
        }
    }

    #[cold]
    fn find_by_all<'r>(
        &self,
        readings: &'r Readings<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let matched = readings.agree(|reading| self.match_of(reading))?;
        for reading in readings.as_sent() {
            let other = self.first_match(reading)?;
            let mut bound = other.iter().flat_map(|other| other.bound.as_slice());
            // An escaped letter is that letter, so that a server without a parameter for it serves nothing else.
            let is_served =
                reading.has_escaped_colon() || bound.any(|(_, value)| Reading::of_router(value).1);
            if is_served && !Matched::are_alike(matched.as_ref(), other.as_ref()) {
                return Err(Reject::Path(PathFault::EscapedLetter));
            }
        }
        Ok(matched)
    }

    /// The rule that matches, if a slash is no separator in a segment that a parameter of the rule binds.
    #[cold]
    fn find_by_slashes<'r>(
        &self,
        readings: &'r Readings<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let (matched, keeps_slashes) =
            self.first_by_slashes(readings, &mut |matched, readings| match self
                .find(readings)?
                .as_ref()
                == matched
            {
                true => Ok(()),
                false => Err(Reject::Path(PathFault::EncodedSeparator)),
            })?;
        match keeps_slashes {
            true => Ok(matched.map(|matched| Matched {
                keeps_slashes,
                ..matched
            })),
            false => self.find(readings),
        }
    }

    /// The rule that matches by the first reading, and whether a parameter of it binds an encoded slash. Visits the readings
    /// by which the rule must match too.
    #[cold]
    fn first_by_slashes<'r>(
        &self,
        readings: &'r Readings<'_>,
        visit: &mut Visit<'p, '_>,
    ) -> Result<(Option<Matched<'p, 'r>>, bool), Reject> {
        let matched = self.first_match(readings.first())?;
        let bound = matched.iter().flat_map(|matched| matched.bound.as_slice());
        let mut values = bound.map(|(_, value)| *value);
        if let Some(fault) = values.find_map(oddity_of_value) {
            return Err(Reject::Path(fault));
        }
        let pattern = matched.as_ref().and_then(|matched| matched.pattern);
        let keeps_slashes = visit_by_slashes(readings, pattern, &mut |readings| {
            visit(matched.as_ref(), readings)
        })?;
        Ok((matched, keeps_slashes))
    }

    #[cold]
    fn find_hidden(&self, readings: &Readings<'_>) -> Option<&'p Rule> {
        let rules = &self.policy.rules;
        let is_hidden = |reading| {
            rules.first_hidden(&self.doubts, self.method, self.request, reading, self.host)
        };
        readings.of_any_server().find_map(is_hidden)
    }
}
