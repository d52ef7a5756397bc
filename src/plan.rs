//! The compiled document: what the machine runs. Nothing in a plan can be invalid.

mod doubts;
mod index;
mod networks;
mod rules;
mod stripped;

use std::net::IpAddr;

use ipnet::IpNet;

use self::doubts::Doubts;
pub use self::networks::{Networks, admit_none};
pub use self::rules::{Bound, Considered, Matched, Rules};
pub use self::stripped::Stripped;

use crate::authenticate::Provider;
use crate::authenticate::jose::signature::AlgorithmSet;
use crate::authorize::condition::Condition;
use crate::authorize::{Access, Gate, ReplyId};
use crate::credential::Location;
use crate::identity::Identity;
use crate::keys::Source;
use crate::presentation::Presentation;
use crate::presentation::fixed::FixedReply;
use crate::reject::{PathFault, Reject};
use crate::request::host::HostPattern;
use crate::request::path::{Pattern, Reading, Readings};
use crate::request::{Field, HttpsBy, RequestView};
use crate::store::{CacheSizes, Limits, Store};
use crate::url::Host;

/// A document, compiled, or the state of having none.
#[derive(Debug)]
pub struct Plan {
    /// What answers look like.
    pub presentation: Presentation,
    /// Which decisions are logged.
    pub audit: Audit,
    /// Where signatures are verified.
    pub crypto: Crypto,
    /// How many tokens are remembered.
    pub cache: CacheSizes,
    /// By what to judge; none refuses every request.
    pub policy: Option<Policy>,
}

/// Who may do what.
#[derive(Debug)]
pub struct Policy {
    /// Who may vouch for a caller, in the order of the document.
    pub providers: Vec<Provider>,
    /// Where their credentials may be.
    pub locations: Vec<Location>,
    /// Where their keys are fetched from.
    pub sources: Vec<Source>,
    /// The rules, in order; the first that fits decides.
    pub rules: Rules,
    /// What is asked where no rule fits.
    pub default: Access,
    /// The responses of rules that ask nothing.
    pub replies: Vec<FixedReply>,
    /// What asks for a credential at a rule that hides, where a request without one would pass if the rule were not there:
    /// any provider may vouch.
    pub strangers: Gate,
    /// What a refusal does.
    pub mode: Mode,
    /// Whether requests over plain HTTP are refused.
    pub requires_https: bool,
    /// What tells which requests those are.
    pub https_by: HttpsBy,
    /// From which addresses requests may come.
    pub networks: Option<Networks>,
    /// What the upstream is told of callers.
    pub identity: Identity,
    /// What too many failures lead to.
    pub throttle: Option<Throttle>,
    /// What is removed from requests.
    pub stripped: Stripped,
}

/// What too many failures lead to.
#[derive(Debug)]
pub struct Throttle {
    /// How many lead to what.
    pub limits: Limits,
    /// Whether those of one address are counted together.
    pub by_address: bool,
    /// Whether those with credentials of one user are.
    pub by_user: bool,
    /// Whoever asks from there is neither counted nor blocked.
    pub exempt: Vec<IpNet>,
}

impl Throttle {
    /// Whether a request from there is neither counted nor blocked; an address that is not known is no such one.
    pub fn exempts(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|client| self.exempt.iter().any(|network| network.contains(&client)))
    }

    fn asks_for_address(&self) -> bool {
        self.by_address || !self.exempt.is_empty()
    }
}

/// What a refusal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is the answer.
    #[default]
    Enforce,
    /// It is counted and logged, and the request passes.
    Shadow,
}

/// Which decisions are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Every refusal.
    Denied,
    /// Every decision.
    All,
    /// None.
    None,
}

/// Where signatures are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crypto {
    /// By the host, where it does that right.
    #[default]
    Auto,
    /// By the host, whatever it could verify.
    Host,
    /// In the filter.
    Wasm,
}

impl Crypto {
    /// The algorithms that the host verifies from now on, of those that it is `able` to.
    ///
    /// # Errors
    /// The algorithms that it was to verify and cannot.
    pub fn choose(self, able: impl FnOnce() -> AlgorithmSet) -> Result<AlgorithmSet, AlgorithmSet> {
        match self {
            Self::Wasm => Ok(AlgorithmSet::EMPTY),
            Self::Auto => Ok(able()),
            Self::Host => {
                let able = able();
                let missing = AlgorithmSet::TESTED.without(able);
                if missing.is_empty() {
                    Ok(able)
                } else {
                    Err(missing)
                }
            }
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in the document.
    pub name: String,
    /// Which requests it is for.
    pub matches: Match,
    /// What it asks of them.
    pub access: Access,
    /// Whether nobody who may not pass can tell it from no rule at all.
    pub hides: bool,
    /// From which addresses requests may come, besides those of the document.
    pub networks: Option<Networks>,
}

/// What applies to a request: of a rule, or of the default.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'p> {
    /// What is asked.
    pub access: &'p Access,
    /// From which addresses it may come, besides those of the document.
    pub networks: Option<&'p Networks>,
}

/// Which requests a rule is for: the keys are ANDed, the entries of one ORed, an empty key fits all.
#[derive(Debug, Default)]
pub struct Match {
    /// Path patterns.
    pub paths: Vec<Pattern>,
    /// Methods, GET covering HEAD.
    pub methods: Vec<String>,
    /// Hosts.
    pub hosts: Vec<HostPattern>,
    /// Header fields, names in lower case: each must be there once, with this value.
    pub headers: Vec<(String, String)>,
    /// Names of routes, as the host has them.
    pub routes: Vec<String>,
    /// Policies that the metadata of routes names.
    pub policies: Vec<String>,
}

impl Plan {
    /// The plan of a filter that has no valid document: every request is refused.
    pub fn refuse_all() -> Self {
        Self {
            presentation: Presentation::default(),
            audit: Audit::Denied,
            crypto: Crypto::default(),
            cache: CacheSizes {
                verified: 0,
                refused: 0,
            },
            policy: None,
        }
    }
}

impl Plan {
    /// An empty memory for what this plan's evaluations learn.
    pub fn empty_store(&self) -> Store {
        let policy = self.policy.as_ref();
        let sources = policy.map_or(0, |policy| policy.sources.len());
        let throttle = policy.and_then(|policy| policy.throttle.as_ref());
        Store::new(
            self.cache,
            sources,
            throttle.map(|throttle| throttle.limits),
        )
    }
}

impl Rule {
    /// Whether it, or a condition of it, looks at the host of the request.
    pub fn looks_at_host(&self) -> bool {
        !self.matches.hosts.is_empty() || self.has_condition(Condition::looks_at_host)
    }

    /// Whether one of its conditions is as `wanted`.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.access.has_condition(wanted)
    }
}

impl Policy {
    /// The response of a rule that asks nothing.
    pub fn reply(&self, id: ReplyId) -> Option<&FixedReply> {
        self.replies.get(id.0)
    }

    /// Whether it matters from which address a request comes.
    pub fn asks_for_address(&self) -> bool {
        self.networks.is_some()
            || self.rules.iter().any(|rule| {
                rule.networks.is_some() || rule.has_condition(Condition::looks_at_address)
            })
            || self
                .throttle
                .as_ref()
                .is_some_and(Throttle::asks_for_address)
    }

    /// Whether it matters if the connection is secured by TLS.
    pub fn asks_for_tls(&self) -> bool {
        self.https_by == HttpsBy::Connection && (self.requires_https || self.rules.look_at_scheme())
    }

    /// Whether it matters on which route a request is: it must not be changed so that the host takes another.
    pub fn asks_for_route(&self) -> bool {
        self.asks_for_route_name() || self.asks_for_route_policy()
    }

    /// Whether it matters what the route of a request is called.
    pub fn asks_for_route_name(&self) -> bool {
        self.rules.look_at_route_names()
    }

    /// Whether it matters which policies the metadata of its route names.
    pub fn asks_for_route_policy(&self) -> bool {
        self.rules.look_at_route_policies()
    }

    /// The first rule that fits the request, were its method that one: the same by every reading of the path.
    ///
    /// # Errors
    /// [`Reject::Path`] where the readings fall under different rules, or bind different parameters;
    /// [`Reject::RepeatedField`] where a rule looks at a header field that the request repeats, also within a list.
    pub fn rule_for<'p, 'r>(
        &'p self,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &'r Readings<'_>,
        host: &Host<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        self.rule_among(Considered::All, method, request, readings, host)
    }

    /// The first rule of those that are `considered`, as by [`Self::rule_for`].
    ///
    /// # Errors
    /// As for [`Self::rule_for`].
    pub fn rule_among<'p, 'r>(
        &'p self,
        considered: Considered,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &'r Readings<'_>,
        host: &Host<'_>,
    ) -> Result<Option<Matched<'p, 'r>>, Reject> {
        let doubts = self.rules.in_doubt(request);
        let first_match = |reading| {
            self.rules
                .first_match(considered, &doubts, method, request, reading, host)
        };
        let fit = readings.agree(|reading| {
            let fit = first_match(reading)?;
            // Where dots at the end are dropped, they are dropped to find what is served, and parameters keep them.
            if let Some(other) = reading.without_last_dots()
                && !Matched::are_of_one_rule(fit.as_ref(), first_match(other)?.as_ref())
            {
                return Err(Reject::Path(PathFault::LastDot));
            }
            Ok(fit)
        })?;
        for reading in readings.as_sent() {
            let other = first_match(reading)?;
            let is_served = other.as_ref().is_some_and(|other| {
                let mut bound = other.bound.as_slice().iter();
                bound.any(|(_, value)| Reading::is_as_sent(value))
            });
            if is_served && !Matched::are_of_one_rule(fit.as_ref(), other.as_ref()) {
                return Err(Reject::Path(PathFault::EscapedLetter));
            }
        }
        Ok(fit)
    }

    /// The rule that hides under which the request could fall, by some reading of its path.
    pub fn hidden_rule(
        &self,
        method: &[u8],
        request: &RequestView<'_>,
        readings: &Readings<'_>,
        host: &Host<'_>,
    ) -> Option<&Rule> {
        let doubts = self.rules.in_doubt(request);
        // Most documents have none.
        let readings = self.rules.hide().then_some(readings).into_iter();
        let mut readings = readings.flat_map(Readings::of_any_server);
        readings.find_map(|reading| {
            self.rules
                .first_hidden(&doubts, method, request, reading, host)
        })
    }

    /// What applies under a rule, or where none matches.
    pub fn terms<'p>(&'p self, rule: Option<&'p Rule>) -> Terms<'p> {
        Terms {
            access: rule.map_or(&self.default, |rule| &rule.access),
            networks: rule.and_then(|rule| rule.networks.as_ref()),
        }
    }
}

impl Match {
    /// Whether the request is one of these, as far as its path does not tell.
    fn matches_apart_from_path(
        &self,
        doubts: &Doubts<'_>,
        method: &[u8],
        request: &RequestView<'_>,
        host: &Host<'_>,
    ) -> Result<bool, Reject> {
        let fits = (self.methods.is_empty() || self.has_method(method))
            && (self.hosts.is_empty() || self.hosts.iter().any(|own| own.matches(host)))
            && has_one_of(&self.routes, request.route().as_slice())
            && has_one_of(&self.policies, request.policies());
        if !fits {
            return Ok(false);
        }
        for (name, value) in &self.headers {
            match request.field(name.as_bytes()) {
                Field::One(sent) if sent == value.as_bytes() => {}
                Field::One(_) if doubts.have(name, value) => return Err(Reject::RepeatedField),
                Field::None | Field::One(_) => return Ok(false),
                Field::Many => return Err(Reject::RepeatedField),
            }
        }
        Ok(true)
    }

    fn has_method(&self, method: &[u8]) -> bool {
        self.methods
            .iter()
            .any(|own| own.as_bytes() == method || own == "GET" && method == b"HEAD")
    }

    /// Whether every request that `other` fits is fitted by this.
    pub fn covers(&self, other: &Self) -> bool {
        every_has_one(&other.paths, &self.paths, |own, path| own.covers(path))
            && every_has_one(&other.hosts, &self.hosts, |own, host| own.covers(host))
            && (self.methods.is_empty()
                || !other.methods.is_empty()
                    && other
                        .methods
                        .iter()
                        .all(|method| self.has_method(method.as_bytes())))
            && self
                .headers
                .iter()
                .all(|header| other.headers.contains(header))
            && every_has_one(&other.routes, &self.routes, String::eq)
            && every_has_one(&other.policies, &self.policies, String::eq)
    }
}

/// Whether one of these names is there; no name at all fits everything.
fn has_one_of(names: &[String], there: &[&[u8]]) -> bool {
    names.is_empty() || names.iter().any(|name| there.contains(&name.as_bytes()))
}

/// Whether each of the `narrow` entries lies within one of the `wide`; no entry at all stands for everything.
fn every_has_one<T>(narrow: &[T], wide: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty()
        || !narrow.is_empty()
            && narrow
                .iter()
                .all(|entry| wide.iter().any(|own| covers(own, entry)))
}
