//! The rules in their order, and the first of them that fits.

use super::doubts::{AskedValues, Doubts};
use super::index::{Entry, Index};
use super::{Access, Match, Rule};
use crate::authorize::condition::Condition;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::path::{Case, Reading};
use crate::url::Host;

/// The rules in their order, indexed by what they fit: the first of a thousand is found about as fast as of ten.
#[derive(Debug)]
pub struct Rules {
    list: Vec<Rule>,
    index: Index,
    look_at_route_names: bool,
    look_at_route_policies: bool,
    look_at_scheme: bool,
    look_at_hosts: bool,
    hide: bool,
    asked_values: AskedValues,
}

/// Which rules are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Considered {
    /// Every one.
    All,
    /// Those that do not hide.
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

/// The rule that a request falls under, and what its path binds.
#[derive(Debug)]
pub struct Fit<'p, 'r> {
    /// The rule.
    pub rule: &'p Rule,
    /// What the path binds.
    pub bound: Bound<'p, 'r>,
}

/// The parameters of a path: names and decoded values, in order.
///
/// Where several patterns of a rule fit, the first of them binds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bound<'p, 'r>(Vec<(&'p str, &'r str)>);

impl<'p, 'r> Bound<'p, 'r> {
    /// Names and values, in order.
    pub fn as_slice(&self) -> &[(&'p str, &'r str)] {
        &self.0
    }
}

impl Fit<'_, '_> {
    /// Whether two requests fall under one rule, or both under none.
    pub(super) fn are_of_one_rule(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => std::ptr::eq(one.rule, other.rule),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// The same rule, not an equal one.
impl PartialEq for Fit<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.rule, other.rule) && self.bound == other.bound
    }
}

impl Rules {
    /// No rule yet; the patterns of those to come are of this case.
    pub fn new(case: Case) -> Self {
        Self {
            list: Vec::new(),
            index: Index::new(case),
            look_at_route_names: false,
            look_at_route_policies: false,
            look_at_scheme: false,
            look_at_hosts: false,
            hide: false,
            asked_values: AskedValues::default(),
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
        headers.for_each(|(name, value)| self.asked_values.insert(name, value));
        self.list.push(rule);
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.list.iter()
    }

    /// Whether a rule looks at the name of a route.
    pub fn look_at_route_names(&self) -> bool {
        self.look_at_route_names
    }

    /// Whether a rule looks at the policies of a route.
    pub fn look_at_route_policies(&self) -> bool {
        self.look_at_route_policies
    }

    /// Whether a condition of a rule looks at the scheme of the request.
    pub fn look_at_scheme(&self) -> bool {
        self.look_at_scheme
    }

    /// Whether a rule, or a condition of one, looks at the host of the request.
    pub fn look_at_hosts(&self) -> bool {
        self.look_at_hosts
    }

    /// What is in doubt in the header fields of a request.
    pub(super) fn in_doubt(&self, request: &RequestView<'_>) -> Doubts<'_> {
        self.asked_values.in_doubt(request)
    }

    /// Whether a rule hides.
    pub(super) fn hide(&self) -> bool {
        self.hide
    }

    /// What the rules ask, in order; for the compilation.
    pub fn accesses_mut(&mut self) -> impl Iterator<Item = &mut Access> {
        self.list.iter_mut().map(|rule| &mut rule.access)
    }

    /// The rules that fit every request that `narrow` fits, in order, each with its number.
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

    /// The first rule that fits a request by one reading of its path.
    ///
    /// Not inlined, so that all that it calls is inlined here.
    #[inline(never)]
    pub(super) fn first_fit<'p, 'r>(
        &'p self,
        considered: Considered,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        reading: Reading<'r>,
        host: &Host<'_>,
    ) -> Result<Option<Fit<'p, 'r>>, Reject> {
        let mut last = None;
        for entry in self.index.fitting(host, reading) {
            // Another pattern of a rule whose other keys do not fit.
            if last.replace(entry.rule) == Some(entry.rule) {
                continue;
            }
            let rule = self.list.get(entry.rule);
            let Some(rule) = rule.filter(|rule| considered.include(rule)) else {
                continue;
            };
            if rule
                .matches
                .fits_but_for_the_path(doubts, method, request, host)?
            {
                let pattern = entry.pattern.and_then(|own| rule.matches.paths.get(own));
                let binding = pattern.filter(|pattern| pattern.binds());
                let bound = binding.map(|pattern| pattern.bind(reading).collect());
                return Ok(Some(Fit {
                    rule,
                    bound: Bound(bound.unwrap_or_default()),
                }));
            }
        }
        Ok(None)
    }

    /// The first rule that fits a request by one reading of its path, where that rule hides.
    ///
    /// A rule that looks at a repeated header field could fit.
    pub(super) fn first_hidden(
        &self,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        reading: Reading<'_>,
        host: &Host<'_>,
    ) -> Option<&Rule> {
        let rules = self.index.fitting(host, reading);
        let mut rules = rules.filter_map(|entry| self.list.get(entry.rule));
        let could_fit = |rule: &&Rule| {
            let fits = rule
                .matches
                .fits_but_for_the_path(doubts, method, request, host);
            fits.unwrap_or(true)
        };
        rules.find(could_fit).filter(|rule| rule.hides)
    }
}
