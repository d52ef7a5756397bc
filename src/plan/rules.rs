//! The rules in their order, and the first one that matches a request.

use super::doubts::{Doubts, RequiredValues};
use super::index::{Entry, Index};
use super::{Access, Match, Rule};
use crate::authorize::condition::Condition;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::{Case, Pattern, Reading};
use crate::url::Host;

/// The rules in their order, with an index. A lookup in a thousand rules takes about as long as in ten.
#[derive(Debug)]
pub struct Rules {
    list: Vec<Rule>,
    index: Index,
    look_at_route_names: bool,
    look_at_route_policies: bool,
    look_at_scheme: bool,
    look_at_hosts: bool,
    hide: bool,
    required_values: RequiredValues,
}

/// The rules that a lookup considers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Considered {
    /// All rules.
    All,
    /// The rules that are not hidden.
    Visible,
}

impl Considered {
    fn include(self, rule: &Rule) -> bool {
        match self {
            Self::All => true,
            Self::Visible => !rule.hides,
        }
    }
}

/// A rule that matches a request, and the path parameters that it binds.
#[derive(Debug)]
pub struct Matched<'p, 'r> {
    /// The rule.
    pub rule: &'p Rule,
    /// The path parameters.
    pub bound: Bound<'p, 'r>,
    /// The pattern that binds them.
    pub(super) pattern: Option<&'p Pattern>,
    /// Whether a parameter has bound an encoded slash, which is then no separator.
    pub keeps_slashes: bool,
}

/// Path parameters: names and decoded values, in order.
///
/// If several patterns of a rule match, the first of them binds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bound<'p, 'r>(Vec<(&'p str, &'r str)>);

impl<'p, 'r> Bound<'p, 'r> {
    /// Names and values, in order.
    pub fn as_slice(&self) -> &[(&'p str, &'r str)] {
        &self.0
    }

    fn without_marks(&self) -> Self {
        let pairs = self.0.iter();
        Self(
            pairs
                .map(|(name, value)| (*name, Reading::of_router(value).0))
                .collect(),
        )
    }
}

impl Matched<'_, '_> {
    /// Whether both are the same rule with the same parameters, or both are none. A router can have bound the others.
    pub(super) fn are_alike(one: Option<&Self>, other: Option<&Self>) -> bool {
        let bound = |matched: &Self| matched.bound.without_marks();
        Self::are_of_one_rule(one, other) && one.map(bound) == other.map(bound)
    }

    /// Whether both are the same rule, or both are none.
    pub(super) fn are_of_one_rule(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => std::ptr::eq(one.rule, other.rule),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// Rules are compared by identity, not by content.
impl PartialEq for Matched<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.rule, other.rule) && self.bound == other.bound
    }
}

impl Rules {
    /// An empty list. The patterns of the rules must have this case.
    pub fn new(case: Case) -> Self {
        Self {
            list: Vec::new(),
            index: Index::new(case),
            look_at_route_names: false,
            look_at_route_policies: false,
            look_at_scheme: false,
            look_at_hosts: false,
            hide: false,
            required_values: RequiredValues::default(),
        }
    }

    /// Adds a rule after all others.
    pub fn push(&mut self, rule: Rule) {
        self.index.insert(self.list.len(), &rule.matches);
        self.look_at_route_names |= !rule.matches.routes.is_empty();
        self.look_at_route_policies |= !rule.matches.policies.is_empty();
        self.look_at_scheme |= rule.has_condition(Condition::looks_at_scheme);
        self.look_at_hosts |= rule.looks_at_host();
        self.hide |= rule.hides;
        let headers = rule.matches.headers.iter();
        for (name, own) in headers {
            let values = own.values().iter();
            values.for_each(|value| self.required_values.insert(name, value));
        }
        self.list.push(rule);
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.list.iter()
    }

    /// Whether a rule matches names of routes.
    pub fn look_at_route_names(&self) -> bool {
        self.look_at_route_names
    }

    /// Whether a rule matches policies of routes.
    pub fn look_at_route_policies(&self) -> bool {
        self.look_at_route_policies
    }

    /// Whether a condition of a rule refers to the scheme of the request.
    pub fn look_at_scheme(&self) -> bool {
        self.look_at_scheme
    }

    /// Whether a rule matches hosts, or a condition of a rule refers to the host.
    pub fn look_at_hosts(&self) -> bool {
        self.look_at_hosts
    }

    /// The headers of a request that are ambiguous to the rules.
    pub(super) fn in_doubt(&self, request: &RequestView<'_>) -> Doubts<'_> {
        self.required_values.in_doubt(request)
    }

    /// Whether a rule is hidden.
    pub(super) fn hide(&self) -> bool {
        self.hide
    }

    /// What the rules require, in order, for the compiler of the configuration to complete.
    pub fn accesses_mut(&mut self) -> impl Iterator<Item = &mut Access> {
        self.list.iter_mut().map(|rule| &mut rule.access)
    }

    /// The rules that match every request that `narrow` matches, in order, each with its number.
    pub fn covering(&self, narrow: &Match) -> impl Iterator<Item = (usize, &Rule)> {
        let mut last = None;
        self.index
            .could_cover(narrow)
            .filter_map(move |Entry { rule: number, .. }| {
                let is_next = last.replace(number) != Some(number);
                let rule = self.list.get(number).filter(|_| is_next)?;
                rule.matches.covers(narrow).then_some((number, rule))
            })
    }

    /// The first rule that matches a request, given one reading of its path.
    ///
    /// The function is not inlined, so that everything that it calls is inlined into it.
    #[inline(never)]
    pub(super) fn first_match<'p, 'r>(
        &'p self,
        considered: Considered,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        reading: Reading<'r>,
        host: &Host<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let mut last = None;
        let mut in_doubt = None;
        for entry in self.index.matching(host, reading) {
            // This is another pattern of a rule whose other keys do not match.
            if last.replace(entry.rule) == Some(entry.rule) {
                continue;
            }
            let rule = self.list.get(entry.rule);
            let Some(rule) = rule.filter(|rule| considered.include(rule)) else {
                continue;
            };
            match rule
                .matches
                .matches_apart_from_path(doubts, method, request, host)
            {
                Ok(true) => {}
                Ok(false) => continue,
                // A later rule decides only if it requires this header exactly as sent.
                Err(name) if in_doubt.is_none_or(|known| known == name) => {
                    in_doubt = Some(name);
                    continue;
                }
                Err(_) => break,
            }
            if in_doubt.is_some_and(|name| !rule.matches.looks_at_header(name)) {
                break;
            }
            let pattern = entry.pattern.and_then(|own| rule.matches.paths.get(own));
            let binding = pattern.filter(|pattern| pattern.binds());
            let bound = binding.map(|pattern| pattern.bind(reading).collect());
            return Ok(Some(Matched {
                rule,
                bound: Bound(bound.unwrap_or_default()),
                pattern: binding,
                keeps_slashes: false,
            }));
        }
        match in_doubt {
            Some(_) => Err(Reject::RepeatedField),
            None => Ok(None),
        }
    }

    /// The first rule that could match a request, given one reading of its path, if that rule is hidden.
    ///
    /// A rule could match a header that is repeated or ambiguous.
    pub(super) fn first_hidden(
        &self,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        reading: Reading<'_>,
        host: &Host<'_>,
    ) -> Option<&Rule> {
        let rules = self.index.matching(host, reading);
        let mut rules = rules.filter_map(|entry| self.list.get(entry.rule));
        let could_match = |rule: &&Rule| {
            let matches = rule
                .matches
                .matches_apart_from_path(doubts, method, request, host);
            matches.unwrap_or(true)
        };
        rules.find(could_match).filter(|rule| rule.hides)
    }
}
