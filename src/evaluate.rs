//! The one function: a plan, a request, a moment → a decision.
//!
//! The order of the questions decides which answer a request gets when several would do:
//!
//! 1. no valid document: 503;
//! 2. TRACE: 405;
//! 3. a method that is not in upper case, a bad authority, a path that has no reading: 400, and where rules look at
//!    routes, a field that would have to be taken out is one too;
//!    then the rule is found: where the readings of the path differ on it, that is a 400, and a header field that it
//!    looks at twice is a 400 too, and so is a path of several readings where a condition of the rule looks at it;
//! 4. plain HTTP where HTTPS is asked for: 403, or 308 to it;
//! 5. an address that may not ask here: 403;
//! 6. the metadata of the resource (RFC 9728): 200;
//! 7. a CORS preflight: it passes without credentials, or is answered;
//! 8. a rule with a fixed answer: that;
//! 9. `allow: public`: it passes, nothing is judged;
//! 10. too many failures from that address, or with credentials of that user: 429, whatever is shown;
//! 11. two credentials, or one that breaks its grammar: 400;
//! 12. no credential: 401, or on an optional rule it passes;
//! 13. a credential that is refused: 401, also where the rule would not accept its provider: nothing unverified
//!     reaches an upstream that might read it;
//!     whether it is good cannot be said now, since keys are not to be had: 503;
//! 14. a good one of a provider that the rule does not accept, or where nothing permits the request: 403;
//! 15. an authentication that is too weak, or too long ago: 401;
//! 16. a missing scope, role, group or claim, a condition that does not hold: 403, or what hides that there is something;
//! 17. it passes.
//!
//! Where a rule hides (`on_forbidden: not_found`), clients who may not pass cannot tell it from no rule (`hide`).
//! In shadow mode a refusal is decided like any other, and the request passes all the same; metadata and preflights are
//! answered as ever.
//! Whatever passes, and however: nothing arrives with it that names another caller, method, path or host, or that an
//! upstream could take for a credential that was judged (`forward`).
//! Where the rule has no scheme to offer, 12 and 13 are 403: a 401 must have a challenge (RFC 9110 §15.5.2).

mod effects;
mod forward;
mod hide;
mod identify;
mod preflight;
mod throttle;
mod trace;

use std::cell::RefCell;
use std::rc::Rc;

pub use self::effects::{Effects, TokenEffect};
pub use self::forward::Forward;
use self::forward::Passage;
use self::hide::{check, instead_of};
pub use self::trace::{Step, Throttling, Trace};
use crate::authenticate::Principal;
use crate::authenticate::signature::Backend;
use crate::authorize::condition::{Budget, Condition};
use crate::authorize::{Asked, Permit, Requirements, permit, permit_anyone, permit_where_hidden};
use crate::plan::{Access, Bound, Mode, Networks, Plan, Policy};
use crate::presentation::Presentation;
use crate::presentation::fixed::FixedReply;
use crate::presentation::metadata::Asked as AskedForMetadata;
use crate::reject::{Reject, TokenFault, Unavailable};
use crate::request::RequestView;
use crate::request::path::Readings;
use crate::scheme::Scheme;
use crate::store::Store;
use crate::time::Timestamp;

/// What is decided, and by what.
#[derive(Debug)]
pub struct Decision<'p> {
    /// What becomes of the request.
    pub verdict: Verdict,
    /// Whether a refusal is only noted, and the request passes.
    pub is_shadow: bool,
    /// The rule that decided; none before one is found, and where none fits.
    pub rule: Option<&'p str>,
    /// The provider that vouched for the caller.
    pub provider: Option<&'p str>,
    /// The caller, where one was verified.
    pub principal: Option<Rc<Principal>>,
    /// The schemes in play, in the order of their challenges.
    pub schemes: &'p [Scheme],
    /// What the rule asks of callers.
    pub requirements: Option<&'p Requirements>,
    /// Whether the refusal is answered as if there were nothing.
    pub hides: bool,
    /// The answer of the rule's own.
    pub fixed: Option<&'p FixedReply>,
    /// How the request is changed on its way to the upstream, where it passes.
    pub forward: Forward<'p>,
    /// As what it passes, where it does.
    passage: Passage,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It passes.
    Passes(Permit),
    /// The filter answers, and refuses nothing.
    Answers(Answer),
    /// It is refused.
    Refused(Reject),
}

/// An answer that is no refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The metadata of the resource.
    Metadata,
    /// That anybody may read the metadata.
    MetadataPreflight,
    /// What a preflight asks.
    Preflight,
}

impl Decision<'_> {
    /// Why the request is refused, or would be.
    pub fn refusal(&self) -> Option<Reject> {
        match self.verdict {
            Verdict::Refused(reject) => Some(reject),
            Verdict::Passes(_) | Verdict::Answers(_) => None,
        }
    }

    /// Whether the request goes on to the upstream.
    pub fn passes(&self) -> bool {
        match self.verdict {
            Verdict::Passes(_) => true,
            Verdict::Answers(_) => false,
            Verdict::Refused(_) => self.is_shadow,
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
        verdict: Verdict::Refused(Reject::NoDocument),
        is_shadow: false,
        rule: None,
        provider: None,
        principal: None,
        schemes: &[],
        requirements: None,
        hides: false,
        fixed: None,
        forward: Forward::default(),
        passage: Passage::default(),
    };
    let mut effects = Effects::default();
    let Some(policy) = &plan.policy else {
        return Outcome::Decided(decision, effects);
    };
    let judging = Judging {
        policy,
        presentation: &plan.presentation,
        request,
        store,
        settled,
        backend,
        now,
    };
    decision.is_shadow = policy.mode == Mode::Shadow;
    decision.verdict = match judging.judge(&mut decision, &mut effects, trace) {
        Ok(verdict) => verdict,
        Err(Stop::Reject(reject)) => Verdict::Refused(reject),
        // Nobody waits in the shadow: what is wanted is fetched, and judged as if it could not be had.
        Err(Stop::Needs(fetch)) if decision.is_shadow => {
            effects.wanted = Some(fetch);
            Verdict::Refused(Reject::Unavailable(Unavailable::Keys))
        }
        Err(Stop::Needs(fetch)) => return Outcome::Needs(fetch),
    };
    // What is the filter's own is answered as ever, in the shadow too.
    let is_own = matches!(
        decision.refusal(),
        Some(Reject::ForeignOrigin | Reject::NoSuchMetadata | Reject::MetadataMethod)
    );
    decision.is_shadow &= !is_own;
    judging.pass_on(&mut decision);
    Outcome::Decided(decision, effects)
}

/// What comes of an evaluation.
// Made once for each request, and nearly always the large one: a box would cost every request an allocation.
#[allow(clippy::large_enum_variant)]
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

/// What is asked, and of which path.
#[derive(Clone, Copy)]
struct Asking<'p, 'r> {
    access: &'p Access,
    readings: &'r Readings<'r>,
    bound: &'r Bound<'p, 'r>,
}

struct Judging<'p, 'r> {
    policy: &'p Policy,
    presentation: &'p Presentation,
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
    ) -> Result<Verdict, Stop> {
        // Methods have case (RFC 9110 §9.1), but not every upstream knows it.
        if self.request.method().eq_ignore_ascii_case(b"TRACE") {
            return Err(Reject::Trace.into());
        }
        // `delete` would slip past a rule for DELETE, and reach an upstream to which it is the same.
        if self.request.method().iter().any(u8::is_ascii_lowercase) {
            return Err(Reject::MethodCase.into());
        }
        let host = self.request.host()?;
        let readings = Readings::of_target(self.request.target()).map_err(Reject::Path)?;
        trace.step(Step::Read(&readings));
        self.refuse_what_is_no_path(&readings)?;
        if self.policy.asks_for_route() {
            self.refuse_claims()?;
            trace.step(Step::Route(self.request));
        }

        let mut hidden = None;
        let method = self.request.method();
        let fit = self.find_rule(method, &readings, &host, &mut hidden)?;
        let asked = self.asked_for_metadata(&readings);
        let asked = asked.map_err(|reject| instead_of(reject, hidden.as_ref()))?;
        let rule = fit.as_ref().map(|fit| fit.rule);
        decision.rule = rule.map(|rule| rule.name.as_str());
        if hidden.as_ref().is_none_or(|hidden| hidden.is_matched) {
            trace.step(Step::Rule(decision.rule));
        }
        let terms = self.policy.terms(rule);
        check(&terms, &mut hidden, |terms| {
            refuse_path_in_doubt(terms.access, &readings)
        })?;

        let on_the_whole = self.refuse_plain_http();
        on_the_whole
            .and_then(|()| self.refuse_foreign_address(self.policy.networks.as_ref()))
            .map_err(|reject| instead_of(reject, hidden.as_ref()))?;
        check(&terms, &mut hidden, |terms| {
            self.refuse_foreign_address(terms.networks)
        })?;
        let refusal = hidden.as_ref().and_then(|hidden| hidden.refusal);
        if let (Some(_), Some(reject)) = (&asked, refusal) {
            return Err(reject.into());
        }
        if let Some(answer) = self.metadata(terms.access, asked)? {
            return Ok(Verdict::Answers(answer));
        }
        if let Some(verdict) = self.preflight(decision, &readings, &host, refusal)? {
            return Ok(verdict);
        }
        let bound = fit.map(|fit| fit.bound).unwrap_or_default();
        let asking = Asking {
            access: terms.access,
            readings: &readings,
            bound: &bound,
        };
        match hidden {
            None => self.ask(&asking, decision, effects, trace),
            Some(hidden) => self.ask_where_hidden(&asking, &hidden, decision, effects, trace),
        }
    }

    /// Refuses a path that holds a query to some upstream, and in it what would be removed from a query; and where rules
    /// look at hosts, one that holds another host.
    fn refuse_what_is_no_path(&self, readings: &Readings<'_>) -> Result<(), Reject> {
        let Err(fault) = readings.plain() else {
            return Ok(());
        };
        let stripped = &self.policy.stripped;
        let mut queries = readings.queries();
        let names_host = self.policy.rules.look_at_hosts() && readings.name_host();
        match names_host || queries.any(|query| stripped.has_parameter_in(&query)) {
            true => Err(Reject::Path(fault)),
            false => Ok(()),
        }
    }

    fn refuse_plain_http(&self) -> Result<(), Reject> {
        let policy = self.policy;
        let is_welcome = !policy.requires_https || self.request.is_https(policy.https_by);
        is_welcome.then_some(()).ok_or(Reject::PlainHttp)
    }

    fn refuse_foreign_address(&self, networks: Option<&Networks>) -> Result<(), Reject> {
        let client = self.request.client();
        let is_admitted = networks.is_none_or(|networks| networks.admit(client));
        is_admitted.then_some(()).ok_or(Reject::Address)
    }

    /// Whether the request is for metadata, by every reading of its path.
    fn asked_for_metadata(
        &self,
        readings: &Readings<'_>,
    ) -> Result<Option<AskedForMetadata>, Reject> {
        let Some(metadata) = &self.presentation.metadata else {
            return Ok(None);
        };
        readings.agree(|reading| Ok(metadata.asked(reading, self.request.query())))
    }

    /// The metadata of the resource, which everybody may read (RFC 9728 §3); a public rule may leave it to the upstream.
    fn metadata(
        &self,
        access: &Access,
        asked: Option<AskedForMetadata>,
    ) -> Result<Option<Answer>, Reject> {
        match (asked, self.request.method()) {
            (None, _) => Ok(None),
            (Some(AskedForMetadata::Another), _) if matches!(access, Access::Public) => Ok(None),
            (Some(AskedForMetadata::Another), _) => Err(Reject::NoSuchMetadata),
            (Some(AskedForMetadata::This), b"GET" | b"HEAD") => Ok(Some(Answer::Metadata)),
            (Some(AskedForMetadata::This), b"OPTIONS") if preflight::is_one(self.request) => {
                Ok(Some(Answer::MetadataPreflight))
            }
            (Some(AskedForMetadata::This), _) => Err(Reject::MetadataMethod),
        }
    }

    fn ask(
        &self,
        asking: &Asking<'p, '_>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let Asking {
            access,
            readings,
            bound,
        } = *asking;
        let (gate, asks) = match access {
            Access::Public => (None, "public"),
            Access::Respond(reply) => {
                trace.step(Step::Asks("fixed response"));
                decision.fixed = Some(reply);
                return Err(Reject::Fixed.into());
            }
            Access::Optional(gate) => (
                Some(gate),
                "a credential is optional, but an invalid one is denied",
            ),
            Access::Required(gate) => (Some(gate), "a credential is required"),
            Access::Closed(gate) => (Some(gate), "denied for every caller"),
        };
        trace.step(Step::Asks(asks));
        let Some(gate) = gate else {
            return Ok(Verdict::Passes(permit_anyone()));
        };
        decision.schemes = &gate.schemes;
        decision.requirements = Some(&gate.requirements);
        let principal = match self.identify(gate, decision, effects, trace)? {
            None if matches!(access, Access::Optional(_)) => {
                decision.passage = Passage::Anonymous;
                return Ok(Verdict::Passes(permit_anyone()));
            }
            None => return Err(Reject::NoCredential.into()),
            Some(principal) => principal,
        };
        if !gate.providers.contains(&principal.provider()) {
            return Err(Reject::ProviderNotAccepted.into());
        } else if matches!(access, Access::Closed(_)) {
            return Err(Reject::NoRule.into());
        }
        let budget = Budget::default();
        let heard = RefCell::new((&mut *trace, &mut *effects));
        let asked = Asked {
            principal: &principal,
            provider: decision.provider.unwrap_or_default(),
            request: self.request,
            https_by: self.policy.https_by,
            path: readings,
            parameters: bound.as_slice(),
            now: self.now,
            budget: &budget,
            heard: &|holds| {
                let (trace, effects) = &mut *heard.borrow_mut();
                trace.step(Step::Condition {
                    holds: holds.ok(),
                    spent: budget.spent(),
                });
                effects.failed_conditions += u32::from(holds.is_err());
            },
        };
        let permit = match decision.hides {
            false => permit(&principal, &gate.requirements, asked),
            true => permit_where_hidden(&principal, &gate.requirements, asked),
        }?;
        decision.passage = Passage::Caller;
        Ok(Verdict::Passes(permit))
    }
}

/// Refuses a path of several readings where a condition looks at it: each could be what the upstream takes it for.
fn refuse_path_in_doubt(access: &Access, readings: &Readings<'_>) -> Result<(), Reject> {
    let Err(fault) = readings.plain() else {
        return Ok(());
    };
    match access.has_condition(Condition::looks_at_path) {
        true => Err(Reject::Path(fault)),
        false => Ok(()),
    }
}
