//! The one function: a plan, a request, a moment → a decision.
//!
//! The order of the questions decides which answer a request gets when several would do:
//!
//! 1. no valid document: 503;
//! 2. TRACE: 405;
//! 3. an ambiguous path, a bad authority: 400;
//!    then the rule is found, and a header field that it looks at twice is a 400 too;
//! 4. `allow: public`: it passes, nothing is judged;
//! 5. two credentials, or one that breaks its grammar: 400;
//! 6. no credential: 401, or on an optional rule it passes;
//! 7. a credential that is refused: 401, also where the rule would not accept its provider: nothing unverified
//!    reaches an upstream that might read it;
//!    whether it is good cannot be said now, since keys are not to be had: 503;
//! 8. a good one of a provider that the rule does not accept, or where nothing permits the request: 403;
//! 9. a missing scope, role or group: 403;
//! 10. it passes.
//!
//! Where the rule has no scheme to offer, 6 and 7 are 403: a 401 must have a challenge (RFC 9110 §15.5.2).

use std::fmt;
use std::rc::Rc;

use crate::authenticate::jwt::{Refusal, Unverified};
use crate::authenticate::keys::KeySet;
use crate::authenticate::signature::Backend;
use crate::authenticate::{Keys, Method, Principal, authenticate, judge_of};
use crate::authorize::{Permit, permit, permit_anyone};
use crate::credential::{Place, Presented, present, several, without_parameters};
use crate::plan::{Access, Gate, Plan, Policy};
use crate::reject::{Reject, TokenFault, Unavailable};
use crate::request::RequestView;
use crate::request::path::Reading;
use crate::scheme::Scheme;
use crate::store::{HeldKeys, Judged, Store, TokenId};
use crate::time::Timestamp;

/// What is decided, and by what.
#[derive(Debug)]
pub struct Decision<'p> {
    /// Leave to pass, or why not.
    pub verdict: Result<Permit, Reject>,
    /// The rule that decided; none before one is found, and where none fits.
    pub rule: Option<&'p str>,
    /// The provider that vouched for the caller.
    pub provider: Option<&'p str>,
    /// The caller, where one was verified.
    pub principal: Option<Rc<Principal>>,
    /// The schemes in play, in the order of their challenges.
    pub schemes: &'p [Scheme],
    /// How the request is changed on its way to the upstream, where it passes.
    pub forward: Forward,
}

/// How a request is changed on its way to the upstream.
#[derive(Debug, Default)]
pub struct Forward {
    /// A new target, without the tokens that were in its query.
    pub target: Option<Vec<u8>>,
}

/// Listens to how a decision is reached.
pub trait Trace {
    /// Hears of one step.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody listens.
impl Trace for () {
    fn step(&mut self, _: Step<'_>) {}
}

/// A step on the way to a decision.
#[derive(Debug)]
pub enum Step<'a> {
    /// The path was read as these segments, or as none.
    Read(&'a Reading<'a>),
    /// A rule fits; none leaves it to the default.
    Rule(Option<&'a str>),
    /// What the rule asks.
    Asks(&'static str),
    /// What the caller shows; none shows nothing.
    Shows(Option<Scheme>),
    /// A provider vouches for the caller.
    Vouched {
        /// The provider.
        provider: &'a str,
        /// The caller.
        principal: &'a Principal,
    },
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(Reading::NoPath) => write!(formatter, "the request has no path"),
            Self::Read(Reading::Path(segments)) => {
                write!(formatter, "the path is read as `/{}`", segments.join("/"))
            }
            Self::Rule(Some(name)) => write!(formatter, "the rule `{name}` fits first"),
            Self::Rule(None) => write!(formatter, "no rule fits: the default decides"),
            Self::Asks(what) => write!(formatter, "it asks for {what}"),
            Self::Shows(Some(scheme)) => write!(formatter, "a {scheme} credential is shown"),
            Self::Shows(None) => write!(formatter, "no credential is shown"),
            Self::Vouched {
                provider,
                principal,
            } => {
                let subject = principal.subject().unwrap_or("a caller without a subject");
                write!(formatter, "the provider `{provider}` vouches for {subject}")?;
                for (what, names) in [
                    ("scopes", principal.scopes()),
                    ("roles", principal.roles()),
                    ("groups", principal.groups()),
                ] {
                    if !names.is_empty() {
                        write!(formatter, ", {what} {}", names.join(" "))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Decides a request, or says what must be fetched first.
///
/// Nothing is saved between the two: once the fetch has ended, well or not, the same request is evaluated from the
/// top, with the source among the `settled`. What is settled is not asked for again.
pub fn evaluate<'p>(
    plan: &'p Plan,
    request: &RequestView<'_>,
    store: &Store,
    settled: &[Fetch],
    backend: &dyn Backend,
    now: Timestamp,
    trace: &mut impl Trace,
) -> Outcome<'p> {
    let mut decision = Decision {
        verdict: Err(Reject::NoDocument),
        rule: None,
        provider: None,
        principal: None,
        schemes: &[],
        forward: Forward::default(),
    };
    let mut effects = Effects::default();
    if let Some(policy) = &plan.policy {
        let judging = Judging {
            policy,
            request,
            store,
            settled,
            backend,
            now,
        };
        decision.verdict = match judging.judge(&mut decision, &mut effects, trace) {
            Ok(permit) => Ok(permit),
            Err(Stop::Reject(reject)) => Err(reject),
            Err(Stop::Needs(fetch)) => return Outcome::Needs(fetch),
        };
    }
    Outcome::Decided(decision, effects)
}

/// What comes of an evaluation.
#[derive(Debug)]
pub enum Outcome<'p> {
    /// A decision, and what it leaves behind.
    Decided(Decision<'p>, Effects),
    /// Nothing yet: this must be fetched.
    Needs(Fetch),
}

/// Something to fetch: the keys of the source of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// The number of the source.
    pub source: usize,
}

/// What a decision leaves behind in the store.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was learnt of each token.
    pub tokens: Vec<TokenEffect>,
}

/// What was learnt of a token.
#[derive(Debug)]
pub enum TokenEffect {
    /// It was known.
    Found(TokenId),
    /// It was judged.
    Judged {
        /// The token.
        id: TokenId,
        /// What is known of it now.
        judged: Judged,
        /// Its length.
        bytes: usize,
    },
}

impl Effects {
    /// Applies them.
    pub fn apply(self, store: &mut Store, now: Timestamp) {
        for effect in self.tokens {
            match effect {
                TokenEffect::Found(id) => store.tokens.found(id),
                TokenEffect::Judged { id, judged, bytes } => {
                    store.tokens.remember(id, judged, bytes, now);
                }
            }
        }
    }
}

/// What keeps an evaluation from going on.
enum Stop {
    Reject(Reject),
    Needs(Fetch),
}

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

impl From<TokenFault> for Stop {
    fn from(fault: TokenFault) -> Self {
        Self::Reject(Reject::Token(fault))
    }
}

struct Judging<'p, 'r> {
    policy: &'p Policy,
    request: &'r RequestView<'r>,
    store: &'r Store,
    settled: &'r [Fetch],
    backend: &'r dyn Backend,
    now: Timestamp,
}

impl<'p> Judging<'p, '_> {
    fn judge(
        &self,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Permit, Stop> {
        if self.request.method() == b"TRACE" {
            return Err(Reject::Trace.into());
        }
        let host = self.request.host()?;
        let reading = Reading::of_target(self.request.target()).map_err(Reject::Path)?;
        trace.step(Step::Read(&reading));

        let rule = self.policy.rule_for(self.request, &reading, &host)?;
        decision.rule = rule.map(|rule| rule.name.as_str());
        trace.step(Step::Rule(decision.rule));

        let access = rule.map_or(&self.policy.default, |rule| &rule.access);
        let (gate, asks) = match access {
            Access::Public => (None, "nothing"),
            Access::Optional(gate) => (
                Some(gate),
                "nothing, but a credential that is shown must be good",
            ),
            Access::Required(gate) => (Some(gate), "a credential"),
            Access::Closed(gate) => (Some(gate), "what nobody has"),
        };
        trace.step(Step::Asks(asks));
        let Some(gate) = gate else {
            return Ok(permit_anyone());
        };
        decision.schemes = &gate.schemes;
        let principal = match self.identify(gate, decision, effects, trace)? {
            None if matches!(access, Access::Optional(_)) => return Ok(permit_anyone()),
            None => return Err(Reject::NoCredential.into()),
            Some(principal) => principal,
        };
        let permit = Self::admit(principal, access, gate)?;
        decision.forward.target = self.target_without_tokens();
        Ok(permit)
    }

    /// The caller, proven; none where nothing was shown.
    ///
    /// Everything that is shown must be good. The caller is who the first provider says, those that are accepted
    /// before others.
    fn identify(
        &self,
        gate: &'p Gate,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Option<Rc<Principal>>, Stop> {
        let presented = present(self.request, &self.policy.places)?;
        self.refuse_two_of_one_provider(&presented)?;
        trace.step(Step::Shows(presented.first().map(|shown| shown.scheme)));
        let mut principals = Vec::with_capacity(presented.len());
        for shown in &presented {
            principals.push(self.verify(gate, shown, effects)?);
        }
        let order = |principal: &Rc<Principal>| {
            let number = principal.provider();
            (!gate.providers.contains(&number), number)
        };
        let Some(principal) = principals.into_iter().min_by_key(order) else {
            return Ok(None);
        };
        decision.principal = Some(Rc::clone(&principal));
        if let Some(provider) = self.policy.providers.get(principal.provider()) {
            decision.provider = Some(&provider.name);
            trace.step(Step::Vouched {
                provider: &provider.name,
                principal: &principal,
            });
        }
        Ok(Some(principal))
    }

    /// Two tokens in the places of one provider (RFC 6750 §2).
    fn refuse_two_of_one_provider(&self, presented: &[Presented<'_>]) -> Result<(), Reject> {
        if presented.len() < 2 {
            return Ok(());
        }
        for provider in &self.policy.providers {
            let own = presented
                .iter()
                .filter(|shown| provider.places.contains(&shown.place));
            if own.clone().count() > 1 {
                return Err(several(own.map(|shown| shown.scheme).collect()));
            }
        }
        Ok(())
    }

    /// Judges one credential, by memory or anew.
    fn verify(
        &self,
        gate: &Gate,
        shown: &Presented<'_>,
        effects: &mut Effects,
    ) -> Result<Rc<Principal>, Stop> {
        let tokens = &self.store.tokens;
        let id = tokens.id(shown.place, gate.choice, &shown.token);
        match tokens.find(id, self.now) {
            Some(Judged::Verified(principal)) if self.is_still_vouched_for(&principal)? => {
                effects.tokens.push(TokenEffect::Found(id));
                return Ok(principal);
            }
            Some(Judged::Refused(fault)) => {
                effects.tokens.push(TokenEffect::Found(id));
                return Err(fault.into());
            }
            Some(Judged::Verified(_)) | None => {}
        }
        let judged = match self.verify_anew(gate, shown) {
            Ok(principal) => Judged::Verified(Rc::new(principal)),
            Err(Stop::Reject(Reject::Token(fault))) => Judged::Refused(fault),
            Err(other) => return Err(other),
        };
        effects.tokens.push(TokenEffect::Judged {
            id,
            judged: judged.clone(),
            bytes: shown.token.len(),
        });
        match judged {
            Judged::Verified(principal) => Ok(principal),
            Judged::Refused(fault) => Err(fault.into()),
        }
    }

    /// Whether what vouched for a caller before still does: the key is still its issuer's. Where it is, the time and
    /// revocation are checked again.
    fn is_still_vouched_for(&self, principal: &Principal) -> Result<bool, TokenFault> {
        let Some(provider) = self.policy.providers.get(principal.provider()) else {
            return Ok(false);
        };
        let Method::Jwt(verifier, keys) = &provider.method;
        let holds = match keys {
            Keys::Inline(set) => set.holds(principal.key()),
            Keys::Remote(source) => self
                .store
                .source(*source)
                .and_then(|held| held.set.as_ref())
                .is_some_and(|set| set.holds(principal.key())),
        };
        if holds {
            verifier.check_now(principal.claims(), self.now)?;
        }
        Ok(holds)
    }

    fn verify_anew(&self, gate: &Gate, shown: &Presented<'_>) -> Result<Principal, Stop> {
        let token = Unverified::parse(&shown.token)?;
        let providers = &self.policy.providers;
        let (number, provider) = judge_of(providers, &gate.providers, shown.place, &token)?;
        let Method::Jwt(verifier, keys) = &provider.method;
        let by = |set: &KeySet| authenticate(number, verifier, token, set, self.backend, self.now);
        match keys {
            Keys::Inline(set) => by(set).map_err(|refusal| match refusal {
                Refusal::Token(fault) | Refusal::NoKey(fault) => fault.into(),
                Refusal::Unavailable => Reject::Unavailable(Unavailable::Crypto).into(),
            }),
            Keys::Remote(source) => self.verify_remote(*source, by),
        }
    }

    /// Judges by keys that are fetched: waits for the first, and once in a while for newer ones.
    fn verify_remote(
        &self,
        source: usize,
        by: impl FnOnce(&KeySet) -> Result<Principal, Refusal>,
    ) -> Result<Principal, Stop> {
        let fetch = Fetch { source };
        let settled = self.settled.contains(&fetch);
        let nothing = HeldKeys::default();
        let held = self.store.source(source).unwrap_or(&nothing);
        let Some(set) = &held.set else {
            return Err(if settled || held.failed {
                Reject::Unavailable(Unavailable::Keys).into()
            } else {
                Stop::Needs(fetch)
            });
        };
        by(set).map_err(|refusal| match refusal {
            Refusal::Token(fault) => fault.into(),
            Refusal::NoKey(_) if !settled && held.may_have_newer(self.now) => Stop::Needs(fetch),
            // The keys of now are not known, so it is not known either that this token's is none of them.
            Refusal::NoKey(_) if held.failed => Reject::Unavailable(Unavailable::Keys).into(),
            Refusal::NoKey(fault) => fault.into(),
            Refusal::Unavailable => Reject::Unavailable(Unavailable::Crypto).into(),
        })
    }

    fn admit(principal: Rc<Principal>, access: &Access, gate: &Gate) -> Result<Permit, Reject> {
        if !gate.providers.contains(&principal.provider()) {
            Err(Reject::ProviderNotAccepted)
        } else if matches!(access, Access::Closed(_)) {
            Err(Reject::NoRule)
        } else {
            permit(principal, &gate.requirements)
        }
    }

    /// The target as the upstream gets it, where it held a token: a query stands in logs (RFC 6750 §5.3).
    fn target_without_tokens(&self) -> Option<Vec<u8>> {
        let names = self
            .policy
            .places
            .iter()
            .filter_map(|served| match &served.place {
                Place::Query(name) => Some(name.as_str()),
                _ => None,
            });
        without_parameters(self.request.target()?, names)
    }
}
