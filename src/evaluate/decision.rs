//! A decision: what the filter does with a request, and what the decision rests on.

use std::borrow::Cow;

use super::effects::{Effects, Lost};
use super::forward::{Forward, Forwarding, Told};
use super::hide::Visible;
use super::nonces::Nonces;
use super::unread::Unread;
use crate::authenticate::{Offer, Principal};
use crate::authorize::{Permit, Principals, Required};
use crate::plan::{Plan, Rule};
use crate::presentation::fixed::FixedReply;
use crate::reject::Reject;
use crate::request::RequestView;
use crate::scheme::SchemeSet;
use crate::store::Store;
use crate::time::Now;

/// What the filter does with a request, and why.
#[derive(Debug)]
pub struct Decision<'p> {
    /// What the filter does with the request.
    pub verdict: Verdict,
    /// Whether a denial is only counted and logged, and the request passes (`mode: shadow`).
    pub is_shadow: bool,
    /// The rule that matches; none if no rule matches, or if the request is denied before the rules are searched.
    pub rule: Option<&'p Rule>,
    /// The provider that verified the first caller.
    pub provider: Option<&'p str>,
    /// The callers, each verified; the identity headers describe the first.
    pub principals: Principals,
    /// The schemes of the credential that failed, or else of the first caller's.
    pub schemes: SchemeSet,
    /// What a 401 offers, in the order of its challenges.
    pub offers: Cow<'p, [Offer]>,
    /// The nonces of the challenges.
    pub nonces: Nonces,
    /// What is required of callers.
    pub requirements: Option<Required<'p>>,
    /// Whether the response must hide that the rule exists (`on_forbidden: not_found`).
    pub hides: bool,
    /// The response of a rule with `respond`.
    pub fixed: Option<&'p FixedReply>,
    /// How the request is changed before it is forwarded, if it passes.
    pub forward: Forward<'p>,
    /// What the upstream learns of the caller, if the request passes.
    pub(super) told: Told,
    /// Whether the first caller has what is required everywhere; none if that was not checked.
    pub(super) admission: Option<Result<(), Reject>>,
    /// Which credentials were not read. They were not verified.
    pub(super) unread: Unread<'p>,
    /// The response if the effects lose a race, at a rule that hides.
    pub(super) visible: Option<Box<Visible<'p>>>,
}

/// Proof that a request may be forwarded. The host forwards no request without one.
#[derive(Debug, Clone, Copy)]
pub enum Passage<'d> {
    /// The request is permitted.
    Permitted(&'d Permit),
    /// The request would be denied, but the configuration is in shadow mode.
    Shadow(Denial),
}

/// The denial of a request that passes in shadow mode. Only [`Decision::passage`] creates one.
#[derive(Debug, Clone, Copy)]
pub struct Denial {
    reject: Reject,
}

impl Denial {
    /// Why the request would be denied.
    pub fn reject(self) -> Reject {
        self.reject
    }
}

/// What the filter does with a request.
#[derive(Debug)]
pub enum Verdict {
    /// The request is permitted.
    Passes(Permit),
    /// The filter responds in place of the upstream, and denies nothing.
    Answers(Answer),
    /// The request is denied.
    Refused(Reject),
}

/// A response that is not a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The metadata of the protected resource (RFC 9728).
    Metadata,
    /// A preflight for the metadata, which every origin may read.
    MetadataPreflight,
    /// A CORS preflight.
    Preflight,
}

impl<'p> Decision<'p> {
    /// The decision before anything is known: the request is denied.
    pub(crate) fn undecided() -> Self {
        Self {
            verdict: Verdict::Refused(Reject::NoDocument),
            is_shadow: false,
            rule: None,
            provider: None,
            principals: Principals::new(),
            schemes: SchemeSet::default(),
            offers: Cow::Borrowed(&[]),
            nonces: Nonces::default(),
            requirements: None,
            hides: false,
            fixed: None,
            forward: Forward::default(),
            told: Told::default(),
            admission: None,
            unread: Unread::default(),
            visible: None,
        }
    }

    /// The first caller.
    pub fn principal(&self) -> Option<&Principal> {
        self.principals.first().map(AsRef::as_ref)
    }

    /// The name of the rule.
    pub fn rule_name(&self) -> Option<&'p str> {
        self.rule.map(|rule| rule.name.as_str())
    }

    /// Why the request is denied, or in shadow mode would be.
    pub fn refusal(&self) -> Option<Reject> {
        match self.verdict {
            Verdict::Refused(reject) => Some(reject),
            Verdict::Passes(_) | Verdict::Answers(_) => None,
        }
    }

    /// The proof that the request may be forwarded; none if the filter responds.
    pub fn passage(&self) -> Option<Passage<'_>> {
        match &self.verdict {
            Verdict::Passes(permit) => Some(Passage::Permitted(permit)),
            Verdict::Answers(_) => None,
            Verdict::Refused(reject) => {
                let denial = Denial { reject: *reject };
                self.is_shadow.then_some(Passage::Shadow(denial))
            }
        }
    }

    /// Commits the effects. If they lose a race, the request is denied; in shadow mode it would be.
    pub fn commit<'c>(
        &mut self,
        effects: Effects,
        store: &mut Store,
        (plan, request): (&'p Plan, &RequestView<'_>),
        now: impl Into<Now<'c>>,
    ) {
        let now = now.into();
        if let Err(lost) = effects.commit(store, now) {
            self.deny(lost, plan, request);
            self.issue_nonces(plan, store, now);
        }
        // Whatever depends on the time could be wrong.
        if now.is_unknown() {
            *self = Self::undecided();
        }
    }

    #[cold]
    fn deny(&mut self, lost: Lost, plan: &'p Plan, request: &RequestView<'_>) {
        let Lost {
            mut reject,
            schemes,
        } = lost;
        self.schemes = schemes.unwrap_or(self.schemes);
        if let Some(visible) = self.visible.take() {
            reject = visible.refusal.unwrap_or(reject);
            self.hides = false;
            self.offers = Cow::Borrowed(visible.offers);
            self.requirements = Some(visible.requirements);
            self.fixed = visible.fixed;
        }
        self.verdict = Verdict::Refused(reject);
        self.forward = Forward::default();
        if let Some(policy) = &plan.policy {
            Forwarding { policy, request }.pass_on(self);
        }
    }
}
