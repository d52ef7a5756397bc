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
mod verify;

use std::cell::RefCell;

pub use self::effects::{Effects, TokenEffect};
pub use self::forward::Forward;
use self::forward::{Forwarding, Told};
use self::hide::{check, instead_of};
pub use self::trace::{Step, Throttling, Trace};
use crate::authenticate::signature::Backend;
use crate::authenticate::{KeySourceId, Offer, Principal, ProviderId};
use crate::authorize::condition::{Budget, Condition};
use crate::authorize::{
    Access, Input, Permit, Principals, Requirements, permit, permit_anyone, permit_where_hidden,
};
use crate::plan::{Bound, Mode, Networks, Plan, Policy};
use crate::presentation::Presentation;
use crate::presentation::fixed::FixedReply;
use crate::presentation::metadata::Asked as AskedForMetadata;
use crate::reject::{Reject, TokenFault, Unavailable};
use crate::request::RequestView;
use crate::request::path::Readings;
use crate::scheme::Scheme;
use crate::store::{Store, TokenId};
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
    /// The provider that verified the first caller.
    pub provider: Option<&'p str>,
    /// The callers, each verified; the first is the one that the upstream is told of.
    pub principals: Principals,
    /// The scheme of the credential that failed, or else of the first caller's.
    pub scheme: Option<Scheme>,
    /// What a 401 offers, in the order of its challenges.
    pub offers: &'p [Offer],
    /// What the rule asks of callers.
    pub requirements: Option<&'p Requirements>,
    /// Whether the refusal is answered as if there were nothing.
    pub hides: bool,
    /// The answer of the rule's own.
    pub fixed: Option<&'p FixedReply>,
    /// How the request is changed on its way to the upstream, where it passes.
    pub forward: Forward<'p>,
    /// What the upstream is told of the caller, where it passes.
    told: Told,
}

/// Proof that a request may go on to the upstream: a host forwards nothing without it.
#[derive(Debug, Clone, Copy)]
pub enum Passage<'d> {
    /// It is permitted.
    Permitted(&'d Permit),
    /// It is refused, and passes since the configuration is in shadow mode.
    Shadow(Reject),
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

impl<'p> Decision<'p> {
    /// What is decided before anything is known: nothing passes.
    fn undecided() -> Self {
        Self {
            verdict: Verdict::Refused(Reject::NoDocument),
            is_shadow: false,
            rule: None,
            provider: None,
            principals: Principals::new(),
            scheme: None,
            offers: &[],
            requirements: None,
            hides: false,
            fixed: None,
            forward: Forward::default(),
            told: Told::default(),
        }
    }

    /// The first caller.
    pub fn principal(&self) -> Option<&Principal> {
        self.principals.first().map(AsRef::as_ref)
    }

    /// Why the request is refused, or would be.
    pub fn refusal(&self) -> Option<Reject> {
        match self.verdict {
            Verdict::Refused(reject) => Some(reject),
            Verdict::Passes(_) | Verdict::Answers(_) => None,
        }
    }

    /// The proof that the request may go on to the upstream; none if the filter answers it.
    pub fn passage(&self) -> Option<Passage<'_>> {
        match &self.verdict {
            Verdict::Passes(permit) => Some(Passage::Permitted(permit)),
            Verdict::Answers(_) => None,
            Verdict::Refused(reject) => self.is_shadow.then_some(Passage::Shadow(*reject)),
        }
    }

    /// Commits the effects. Where they lose a race, the request is denied; in shadow mode it would be.
    #[must_use]
    pub fn commit(
        self,
        effects: Effects,
        store: &mut Store,
        (plan, request): (&'p Plan, &RequestView<'_>),
        now: Timestamp,
    ) -> Self {
        let Err(reject) = effects.commit(store, now) else {
            return self;
        };
        let mut denied = Self {
            verdict: Verdict::Refused(reject),
            forward: Forward::default(),
            ..self
        };
        if let Some(policy) = &plan.policy {
            Forwarding { policy, request }.pass_on(&mut denied);
        }
        denied
    }
}

/// What a request is evaluated under, beside its own head.
#[derive(Clone, Copy)]
pub struct Circumstances<'c> {
    /// The fetches that have ended, well or not, for this request.
    pub settled: &'c [Fetch],
    /// What verifies signatures.
    pub backend: &'c dyn Backend,
    /// The moment.
    pub now: Timestamp,
}

/// Decides a request, or says what must be fetched first.
///
/// Nothing is saved between the two: once the fetch has ended, well or not, the same request is evaluated from the
/// top, with the fetch among the `settled`. What is settled is not asked for again.
pub fn evaluate<'p>(
    plan: &'p Plan,
    request: &RequestView<'_>,
    store: &Store,
    circumstances: Circumstances<'_>,
    trace: &mut impl Trace,
) -> Outcome<'p> {
    let mut decision = Decision::undecided();
    let mut effects = Effects::default();
    let Some(policy) = &plan.policy else {
        return Outcome::Decided(decision, effects);
    };
    let judging = Judging {
        policy,
        presentation: &plan.presentation,
        request,
        store,
        circumstances,
    };
    decision.is_shadow = policy.mode == Mode::Shadow;
    decision.verdict = match judging.judge(&mut decision, &mut effects, trace) {
        Ok(verdict) => verdict,
        Err(Stop::Reject(reject)) => Verdict::Refused(reject),
        // In shadow mode no request waits: the fetch is made, and the request judged as if it had failed.
        Err(Stop::Needs(fetch)) if decision.is_shadow => {
            effects.wanted = Some(fetch);
            Verdict::Refused(Reject::Unavailable(Unavailable::Keys))
        }
        Err(Stop::Needs(fetch)) => return Outcome::Needs(fetch),
    };
    // What the filter itself serves is answered in shadow mode too.
    let is_own = matches!(
        decision.refusal(),
        Some(Reject::ForeignOrigin | Reject::NoSuchMetadata | Reject::MetadataMethod)
    );
    decision.is_shadow &= !is_own;
    judging.forwarding().pass_on(&mut decision);
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

/// What must be fetched before a request can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// The keys of a source.
    Keys(KeySourceId),
    /// The list of credentials that a provider accepts.
    Entries(ProviderId),
    /// What the authorization server says of a token (RFC 7662).
    Introspection(ProviderId, TokenId),
}

impl Fetch {
    /// The source of keys, if that is what is fetched.
    pub fn key_source(self) -> Option<KeySourceId> {
        match self {
            Self::Keys(source) => Some(source),
            Self::Entries(_) | Self::Introspection(..) => None,
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
    circumstances: Circumstances<'r>,
}

impl<'p, 'r> Judging<'p, 'r> {
    fn forwarding(&self) -> Forwarding<'p, 'r> {
        Forwarding {
            policy: self.policy,
            request: self.request,
        }
    }

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
            self.forwarding().refuse_claims()?;
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
            (Some(AskedForMetadata::This), b"OPTIONS") if self.request.as_preflight().is_some() => {
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
        trace.step(Step::Asks(what_is_asked(access)));
        let gate = match access {
            Access::Public => return pass_anyone(access),
            Access::Respond(reply) => {
                decision.fixed = self.policy.reply(*reply);
                return Err(Reject::Fixed.into());
            }
            Access::Optional(gate) | Access::Required(gate) | Access::Closed(gate) => gate,
        };
        decision.offers = &gate.offers;
        decision.requirements = Some(&gate.requirements);
        let principals = self.identify(gate, decision, effects, trace)?;
        let Some(principal) = principals.first() else {
            decision.told = Told::Anonymous;
            return pass_anyone(access);
        };
        if !gate.providers.contains(&principal.provider()) {
            return Err(Reject::ProviderNotAccepted.into());
        } else if matches!(access, Access::Closed(_)) {
            return Err(Reject::NoRule.into());
        }
        let budget = Budget::default();
        let observers = RefCell::new((&mut *trace, &mut *effects));
        let input = Input {
            principal,
            provider: decision.provider.unwrap_or_default(),
            request: self.request,
            https_by: self.policy.https_by,
            path: readings,
            parameters: bound.as_slice(),
            now: self.circumstances.now,
            budget: &budget,
            on_condition: &|holds| {
                let (trace, effects) = &mut *observers.borrow_mut();
                trace.step(Step::Condition {
                    holds: holds.ok(),
                    spent: budget.spent(),
                });
                effects.failed_conditions += u32::from(holds.is_err());
            },
        };
        let permit = match decision.hides {
            false => permit(&principals, &gate.requirements, input),
            true => permit_where_hidden(&principals, &gate.requirements, input),
        }?;
        decision.told = Told::Caller;
        Ok(Verdict::Passes(permit))
    }
}

/// Lets a request without a credential pass, where the rule does.
fn pass_anyone(access: &Access) -> Result<Verdict, Stop> {
    match permit_anyone(access) {
        Some(permit) => Ok(Verdict::Passes(permit)),
        None => Err(Reject::NoCredential.into()),
    }
}

fn what_is_asked(access: &Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Respond(_) => "fixed response",
        Access::Optional(_) => "a credential is optional, but an invalid one is denied",
        Access::Required(_) => "a credential is required",
        Access::Closed(_) => "denied for every caller",
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
