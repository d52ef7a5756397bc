//! The decision about a request: a plan, a request and a moment → [`Decision`].
//!
//! `docs/decisions.md` lists the checks in their order, numbered 1 to 18. The first that fails decides the response.
//! Comments with a number name a row of that page. Where they are:
//!
//! | rows | checks | module |
//! |---|---|---|
//! | 1 to 5 | the configuration, the method, the path, TLS, the client's address | this file; the rule is found in [`Policy`] |
//! | 6, 7 | metadata, CORS preflights | `metadata`, `preflight` |
//! | 8, 9 | fixed responses, public rules | this file |
//! | 10 | failures | `throttle` |
//! | 11 to 13 | the credentials | `identify`, `unread`, `verify`, `possession` |
//! | 14 | what every caller must have | `admit` |
//! | 15 | the rule's providers | this file |
//! | 16, 17 | what the rule requires | [`authorize`](crate::authorize) |
//! | 18 | how the request is forwarded | `forward` |
//!
//! `hide` changes the responses of hidden rules, and `effects` has the checks that are made last.

mod admit;
mod decision;
mod effects;
mod forward;
mod hide;
mod identify;
mod metadata;
mod nonces;
mod possession;
mod preflight;
mod throttle;
mod trace;
mod unread;
mod verify;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

pub use self::decision::{Answer, Decision, Denial, Passage, Verdict};
pub use self::effects::{Effects, Lost, TokenEffect, Use, Used};
pub use self::forward::Forward;
use self::forward::{Forwarding, Told};
use self::hide::{check, instead_of};
pub use self::nonces::Nonces;
pub use self::trace::{Invalid as InvalidCredential, Sought, Step, Throttling, Trace};
use crate::authenticate::basic::Hashing;
use crate::authenticate::jose::signature::Backend;
use crate::authenticate::{ProviderId, SourceId};
use crate::authorize::condition::{Budget, Condition};
use crate::authorize::{Access, Gate, Needs, Permit, permit, permit_anyone, permit_where_hidden};
use crate::keys::CurrentLists;
use crate::plan::{Bound, Mode, Networks, Plan, Policy};
use crate::presentation::Presentation;
use crate::reject::{Invalid, Reject};
use crate::request::RequestView;
use crate::request::path::Readings;
use crate::store::{Store, TokenId};
use crate::time::{Now, Timestamp};

/// What an evaluation depends on besides the plan, the request and the store.
#[derive(Clone, Copy)]
pub struct Circumstances<'c> {
    /// The fetches that this request has waited for, successful or not.
    pub settled: &'c [Fetch],
    /// Verifies signatures.
    pub backend: &'c dyn Backend,
    /// The time of the evaluation.
    pub now: Now<'c>,
}

impl<'c> Circumstances<'c> {
    /// Those of the first evaluation of a request: it has waited for no fetch.
    pub fn new(backend: &'c dyn Backend, now: impl Into<Now<'c>>) -> Self {
        Self {
            settled: &[],
            backend,
            now: now.into(),
        }
    }
}

/// Decides a request, or says what must be fetched first.
///
/// An evaluation keeps no state. When the fetch has ended, successful or not, the caller evaluates the same request again
/// with the fetch among the `settled`, for which no evaluation asks again.
pub fn evaluate<'p>(
    plan: &'p Plan,
    request: &RequestView<'_>,
    store: &Store,
    circumstances: Circumstances<'_>,
    trace: &mut impl Trace,
) -> Outcome<'p> {
    let (mut decision, mut effects) = (Decision::undecided(), Effects::default());
    let decided = (&mut decision, &mut effects);
    match evaluate_into(decided, plan, request, store, circumstances, trace) {
        None => Outcome::Decided(decision, effects),
        Some(fetch) => Outcome::Needs(fetch, effects),
    }
}

/// As [`evaluate`], in place: a decision and its effects are large, and moving them costs every request.
///
/// `decision` is [undecided](Decision::undecided), and there are no effects. Returns what must be fetched first: then the
/// decision does not count, and of the effects only a password hash ([`Effects::commit_hash`]).
pub(crate) fn evaluate_into<'p>(
    (decision, effects): (&mut Decision<'p>, &mut Effects),
    plan: &'p Plan,
    request: &RequestView<'_>,
    store: &Store,
    circumstances: Circumstances<'_>,
    trace: &mut impl Trace,
) -> Option<Fetch> {
    debug_assert!(effects.are_none());
    let policy = plan.policy.as_ref()?;
    let now = circumstances.now;
    let may_hash = || store.hashing.allows(now.get());
    let evaluation = Evaluation {
        policy,
        presentation: &plan.presentation,
        request,
        store,
        circumstances,
        lists: CurrentLists {
            held: &store.lists,
            now,
        },
        budget: Budget::default(),
        hashing: Hashing::new(&may_hash),
    };
    decision.is_shadow = policy.mode == Mode::Shadow;
    let decided = evaluation.decide(decision, effects, trace);
    effects.hashed = evaluation.hashing.is_done().then(|| now.get());
    decision.verdict = match decided {
        Ok(verdict) => verdict,
        Err(Stop::Reject(reject)) => Verdict::Refused(reject),
        // In shadow mode no request waits. It is decided as if the fetch had failed, and the fetch is made.
        Err(Stop::Needs(fetch, otherwise)) if decision.is_shadow => {
            effects.wanted = Some(fetch);
            Verdict::Refused(otherwise)
        }
        // A fetch for a time that is not known would be in vain.
        Err(Stop::Needs(..)) if now.is_unknown() => {
            undecide(decision, effects);
            return None;
        }
        Err(Stop::Needs(fetch, _)) => return Some(fetch),
    };
    // The filter serves metadata and preflights in shadow mode too.
    decision.is_shadow &= !matches!(
        decision.refusal(),
        Some(Reject::ForeignOrigin | Reject::NoSuchMetadata | Reject::MetadataMethod)
    );
    evaluation.forwarding().pass_on(decision);
    decision.issue_nonces(plan, store, now);
    // Whatever depends on the time could be wrong.
    if now.is_unknown() {
        undecide(decision, effects);
    }
    None
}

/// Denies the request, as without a valid configuration.
#[cold]
fn undecide(decision: &mut Decision<'_>, effects: &mut Effects) {
    *decision = Decision::undecided();
    *effects = Effects::default();
}

/// The result of an evaluation.
// There is one per request, and it is nearly always the large variant: a box would cost every request an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Outcome<'p> {
    /// A decision, and its effects on the store.
    Decided(Decision<'p>, Effects),
    /// The request cannot be decided before this is fetched. Of the effects, only a password hash is committed
    /// ([`Effects::commit_hash`]): the request is evaluated again.
    Needs(Fetch, Effects),
}

/// Something that must be fetched before a request can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// The keys of a source.
    Keys(SourceId),
    /// The same, because a signature fails under a key of the source: the issuer may have replaced the key.
    KeysInDoubt(SourceId),
    /// The entries of a list.
    Entries(SourceId),
    /// The state of a token, from its authorization server (RFC 7662).
    Introspection(Asked),
}

/// A token about which an authorization server is asked.
#[derive(Clone)]
pub struct Asked {
    /// The provider that asks.
    pub provider: ProviderId,
    /// The identity of the token.
    pub id: TokenId,
    /// The token.
    pub token: Rc<[u8]>,
    /// When the request asked. An earlier answer is not for it.
    pub since: Timestamp,
}

/// The identity is of the token at the provider.
impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Asked {}

/// Prints only the provider, because the token is a secret.
impl fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Asked({:?})", self.provider)
    }
}

impl Fetch {
    /// The source, if keys or a list are fetched.
    pub fn source(&self) -> Option<SourceId> {
        match self {
            Self::Keys(source) | Self::KeysInDoubt(source) | Self::Entries(source) => Some(*source),
            Self::Introspection(_) => None,
        }
    }
}

/// Why an evaluation ends early.
enum Stop {
    Reject(Reject),
    /// The fetch, and the result if it fails.
    Needs(Fetch, Reject),
}

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

impl From<Invalid> for Stop {
    fn from(fault: Invalid) -> Self {
        Self::Reject(Reject::Invalid(fault))
    }
}

/// What applies to the request, by the rule that matches.
#[derive(Clone, Copy)]
struct Applicable<'p, 'r> {
    access: &'p Access,
    readings: &'r Readings<'r>,
    bound: &'r Bound<'p, 'r>,
}

/// One evaluation of one request.
struct Evaluation<'p, 'r> {
    policy: &'p Policy,
    presentation: &'p Presentation,
    request: &'r RequestView<'r>,
    store: &'r Store,
    circumstances: Circumstances<'r>,
    /// The fetched lists that are recent enough.
    lists: CurrentLists<'r>,
    /// What all conditions of the request may cost together.
    budget: Budget,
    /// Whether slow password hashes are computed, and whether one was.
    hashing: Hashing<'r>,
}

impl<'p, 'r> Evaluation<'p, 'r> {
    fn forwarding(&self) -> Forwarding<'p, 'r> {
        Forwarding {
            policy: self.policy,
            request: self.request,
        }
    }

    /// Runs the checks of this module's list.
    fn decide(
        &self,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        // 2. Methods are case-sensitive (RFC 9110 §9.1), but some upstreams ignore case.
        if self.request.method().eq_ignore_ascii_case(b"TRACE") {
            return Err(Reject::Trace.into());
        }
        // 3. `delete` would not match a rule for DELETE, but some upstreams treat it as DELETE.
        if self.request.method().iter().any(u8::is_ascii_lowercase) {
            return Err(Reject::MethodCase.into());
        }
        let host = self.request.host()?;
        let readings = Readings::of_target(self.request.target()).map_err(Reject::Path)?;
        trace.step(Step::Read(&readings));
        self.refuse_hidden_parts(&readings)?;
        if self.policy.asks_for_route() {
            self.forwarding().refuse_claims()?;
            trace.step(Step::Route(self.request));
        }

        let mut hidden = None;
        let method = self.request.method();
        let found = self.find_rule(method, &readings, &host, &mut hidden)?;
        let asked = self.asked_for_metadata(&readings);
        let asked = asked.map_err(|reject| instead_of(reject, hidden.as_ref()))?;
        let rule = found.as_ref().map(|found| found.rule);
        decision.rule = rule;
        if hidden.as_ref().is_none_or(|hidden| hidden.is_matched) {
            trace.step(Step::Rule {
                name: decision.rule_name(),
                rules: &self.policy.rules,
                sought: Sought {
                    method,
                    request: self.request,
                    readings: &readings,
                    host: &host,
                },
            });
            if found.as_ref().is_some_and(|found| found.keeps_slashes) {
                trace.step(Step::KeepsSlashes);
            }
        }
        let terms = self.policy.terms(rule);
        check(&terms, &mut hidden, |terms| {
            self.refuse_path_in_doubt(terms.access, &readings)
        })?;

        // 4 and 5
        let for_all_rules = self.refuse_plain_http();
        for_all_rules
            .and_then(|()| self.refuse_foreign_address(self.policy.networks.as_ref()))
            .map_err(|reject| instead_of(reject, hidden.as_ref()))?;
        check(&terms, &mut hidden, |terms| {
            self.refuse_unknown_address(terms.needs_address)?;
            self.refuse_foreign_address(terms.networks)
        })?;
        // 6 and 7
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
        // 8 to 18
        let bound = found.map(|found| found.bound).unwrap_or_default();
        let applicable = Applicable {
            access: terms.access,
            readings: &readings,
            bound: &bound,
        };
        match hidden {
            None => self.authorize(&applicable, decision, effects, trace),
            Some(hidden) => {
                let decided =
                    self.authorize_where_hidden(&applicable, &hidden, decision, effects, trace);
                self.note_visible(&hidden, decision, effects);
                decided
            }
        }
    }

    /// Denies a path in which some upstream finds a query with a parameter that the filter would strip, or, if rules look at
    /// hosts, another host.
    fn refuse_hidden_parts(&self, readings: &Readings<'_>) -> Result<(), Reject> {
        let Err(fault) = readings.plain() else {
            return Ok(());
        };
        let stripped = &self.policy.stripped;
        let mut queries = readings.queries();
        let names_host = self.policy.looks_at_hosts() && readings.name_host();
        match names_host || queries.any(|query| stripped.has_parameter_in(&query)) {
            true => Err(Reject::Path(fault)),
            false => Ok(()),
        }
    }

    /// Denies a path with several readings if a condition looks at the path: the upstream could use any of the readings.
    fn refuse_path_in_doubt(&self, access: &Access, readings: &Readings<'_>) -> Result<(), Reject> {
        let Err(fault) = readings.plain() else {
            return Ok(());
        };
        let looks_at_path = Condition::looks_at_path;
        let everywhere = &self.policy.require;
        match access.has_condition(looks_at_path)
            || access.gate().is_some() && everywhere.has_condition(looks_at_path)
        {
            true => Err(Reject::Path(fault)),
            false => Ok(()),
        }
    }

    fn refuse_plain_http(&self) -> Result<(), Reject> {
        let policy = self.policy;
        let is_allowed = !policy.requires_https || self.request.is_https(policy.https_by);
        is_allowed.then_some(()).ok_or(Reject::PlainHttp)
    }

    fn refuse_foreign_address(&self, networks: Option<&Networks>) -> Result<(), Reject> {
        let client = self.request.client();
        let is_allowed = networks.is_none_or(|networks| networks.admit(client));
        is_allowed.then_some(()).ok_or(Reject::Address)
    }

    /// Denies a request whose address is unknown, if the rule matches addresses: it is unknown whether the rule matches.
    fn refuse_unknown_address(&self, needs_address: bool) -> Result<(), Reject> {
        match needs_address && self.request.client().is_none() {
            true => Err(Reject::Address),
            false => Ok(()),
        }
    }

    /// Checks the credentials of the request, and what the rule requires of the callers.
    fn authorize(
        &self,
        applicable: &Applicable<'p, '_>,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Verdict, Stop> {
        let access = applicable.access;
        trace.step(Step::Requires(access));
        let gate = match access {
            Access::Public => return pass_anyone(access),
            Access::Respond(reply) => {
                decision.fixed = self.policy.reply(*reply);
                return Err(Reject::Fixed.into());
            }
            Access::Optional(gate) | Access::Required(gate) | Access::Closed(gate) => gate,
        };
        decision.offers = Cow::Borrowed(&gate.offers);
        decision.requirements = Some(self.required(gate));
        self.identify(gate, decision, effects, trace)?;
        let Some(principal) = decision.principals.first() else {
            decision.told = Told::Anonymous;
            return pass_anyone(access);
        };
        let provider = principal.provider();
        self.refuse_missing(gate, decision, trace)?;
        let permit = self.permit(applicable, gate, provider, decision, effects, trace);
        let permit = permit.inspect_err(|reject| {
            // The others of `require_all` are there, and only the first can be authenticated in another way.
            if gate.needs == Needs::Each && matches!(reject, Reject::Authentication(_)) {
                let others = decision.principals.get(1..).unwrap_or_default();
                decision.offers = self.offers_besides_callers(gate, others);
            }
        })?;
        decision.told = Told::Caller;
        Ok(Verdict::Passes(permit))
    }

    /// Permits the callers, if the first of them has what is required, and the rule accepts the provider of that one.
    fn permit(
        &self,
        applicable: &Applicable<'p, '_>,
        gate: &'p Gate,
        provider: ProviderId,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<Permit, Reject> {
        let admitted = self.admit(applicable, decision, effects, trace)?;
        if !gate.providers.contains(&provider) {
            return Err(Reject::ProviderNotAccepted);
        } else if matches!(applicable.access, Access::Closed(_)) {
            return Err(Reject::NoRule);
        }
        self.check_caller(
            (false, &gate.requirements),
            applicable,
            decision,
            effects,
            trace,
            |input| match decision.hides {
                false => permit(admitted, gate, input),
                true => permit_where_hidden(admitted, gate, input),
            },
        )
    }
}

/// Lets a request without a credential pass, if the rule permits that.
fn pass_anyone(access: &Access) -> Result<Verdict, Stop> {
    match permit_anyone(access) {
        Some(permit) => Ok(Verdict::Passes(permit)),
        None => Err(Reject::NoCredential.into()),
    }
}
