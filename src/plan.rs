//! The compiled configuration, which the evaluation uses. Nothing in a plan can be invalid.

mod doubts;
mod filter_state;
mod index;
mod lookup;
mod matches;
#[cfg(not(target_arch = "wasm32"))]
mod mismatch;
mod networks;
mod rules;
mod stripped;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

pub use self::filter_state::StateName;
pub use self::matches::{HeaderMatch, Match};
#[cfg(not(target_arch = "wasm32"))]
pub use self::mismatch::Mismatch;
pub use self::networks::{Networks, admit_none};
pub use self::rules::{Bound, Considered, Matched, Rules};
pub use self::stripped::{AfterScheme, Stripped};

use crate::authenticate::jose::signature::AlgorithmSet;
use crate::authenticate::jwt::Jwt;
use crate::authenticate::{Method, Provider};
use crate::authorize::condition::Condition;
use crate::authorize::{Access, Everywhere, Gate, ReplyId};
use crate::credential::Location;
use crate::identity::Identity;
use crate::introspector::Server;
use crate::keys::Source;
use crate::presentation::Presentation;
use crate::presentation::fixed::FixedReply;
use crate::request::HttpsBy;
use crate::request::path::EncodedSlash;
use crate::store::Store;
pub use crate::store::{CacheSizes, Limits};

/// A compiled configuration, or the state without a valid one.
#[derive(Debug)]
pub struct Plan {
    /// What responses look like.
    pub presentation: Presentation,
    /// Which decisions are logged.
    pub audit: Audit,
    /// What is written as filter state.
    pub filter_state: Vec<StateName>,
    /// Where signatures are verified.
    pub crypto: Crypto,
    /// How many tokens are cached.
    pub cache: CacheSizes,
    /// How much of each second a worker spends on slow password hashes.
    pub hash_budget: Duration,
    /// What decides about requests. Without a policy, every request is denied.
    pub policy: Option<Policy>,
}

/// Which requests are permitted.
#[derive(Debug)]
pub struct Policy {
    /// The providers that verify credentials, in the order of the configuration.
    pub providers: Vec<Provider>,
    /// The token locations of the providers.
    pub locations: Vec<Location>,
    /// The sources of their keys and lists.
    pub sources: Vec<Source>,
    /// The authorization servers that they ask.
    pub servers: Vec<Server>,
    /// The rules, in order. The first rule that matches a request decides.
    pub rules: Rules,
    /// What an encoded slash in a path is to the upstream.
    pub encoded_slash: EncodedSlash,
    /// What a request requires if no rule matches.
    pub default: Access,
    /// What is required of every caller.
    pub require: Everywhere,
    /// The responses of rules that answer every request with a fixed response.
    pub replies: Vec<FixedReply>,
    /// The gate for a request that a hidden rule denies and that would pass without the rule. It accepts every provider.
    pub strangers: Gate,
    /// What happens to a denied request.
    pub mode: Mode,
    /// Whether requests over plain HTTP are denied.
    pub requires_https: bool,
    /// What says whether a request came over HTTPS.
    pub https_by: HttpsBy,
    /// The networks from which requests may come.
    pub networks: Option<Networks>,
    /// What the upstream receives about callers.
    pub identity: Identity,
    /// Which failures block a caller. `None` if no failures are counted.
    pub throttle: Option<Throttle>,
    /// What is removed from requests.
    pub stripped: Stripped,
    /// Whether a provider accepts client certificates.
    pub accepts_certificates: bool,
    /// Whether a provider accepts tokens, or users, only with a proof that is different for each request.
    pub asks_for_proofs: bool,
}

/// Blocks callers after too many failed authentications.
#[derive(Debug)]
pub struct Throttle {
    /// How many failures block a caller, and for how long.
    pub limits: Limits,
    /// Whether the failures of each client address are counted.
    pub by_address: bool,
    /// Whether the failures with credentials of each user are counted.
    pub by_user: bool,
    /// Requests from these networks are neither counted nor blocked.
    pub exempt: Vec<IpNet>,
}

impl Throttle {
    /// Whether requests from this address are neither counted nor blocked. An unknown address is not exempt.
    pub fn exempts(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|client| self.exempt.iter().any(|network| network.contains(&client)))
    }

    fn asks_for_address(&self) -> bool {
        self.by_address || !self.exempt.is_empty()
    }
}

/// What happens to a denied request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The filter answers it.
    #[default]
    Enforce,
    /// The denial is counted and logged, and the request goes to the upstream.
    Shadow,
}

/// Which decisions are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Denied requests.
    Denied,
    /// All requests.
    All,
    /// No requests.
    None,
}

/// Where signatures are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crypto {
    /// In the host, for the algorithms that it verifies correctly. In the filter, for all others.
    #[default]
    Auto,
    /// In the host, for all algorithms that a host can verify. If it does not verify one of them, the configuration is
    /// rejected.
    Host,
    /// In the filter.
    Wasm,
}

impl Crypto {
    /// The algorithms that the host verifies from now on. `able` determines those that it verifies correctly.
    ///
    /// # Errors
    /// The algorithms that the host must verify and does not verify correctly.
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
    /// Its position in the configuration. No two rules have the same.
    pub position: usize,
    /// Its name in the configuration.
    pub name: String,
    /// Which requests it matches.
    pub matches: Match,
    /// What it requires of them.
    pub access: Access,
    /// Whether the rule is hidden: a caller that is not permitted receives the same response as without the rule.
    pub hides: bool,
    /// The networks from which requests may come, in addition to [`Policy::networks`].
    pub networks: Option<Networks>,
}

/// What applies to a request: the terms of its rule, or the default.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'p> {
    /// What the request requires.
    pub access: &'p Access,
    /// The networks from which it may come, in addition to [`Policy::networks`].
    pub networks: Option<&'p Networks>,
    /// Whether the rule matches addresses. If so, it decides only about requests with a known address.
    pub needs_address: bool,
}

impl Plan {
    /// The plan of a filter without a valid configuration. Every request is denied.
    pub fn refuse_all() -> Self {
        Self {
            presentation: Presentation::default(),
            audit: Audit::Denied,
            filter_state: StateName::ALL.to_vec(),
            crypto: Crypto::default(),
            cache: CacheSizes {
                verified: 0,
                refused: 0,
            },
            hash_budget: Duration::ZERO,
            policy: None,
        }
    }
}

impl Plan {
    /// An empty store for this plan.
    pub fn empty_store(&self) -> Store {
        let policy = self.policy.as_ref();
        let sources = policy.map_or(&[][..], |policy| &policy.sources);
        let throttle = policy.and_then(|policy| policy.throttle.as_ref());
        Store::new(
            self.cache,
            sources,
            throttle.map(|throttle| throttle.limits),
            self.hash_budget,
        )
    }
}

impl Rule {
    /// Whether the rule matches hosts, or a condition of it refers to the host.
    pub fn looks_at_host(&self) -> bool {
        !self.matches.hosts.is_empty() || self.has_condition(Condition::looks_at_host)
    }

    /// Whether `wanted` returns true for one of its conditions.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.access.has_condition(wanted)
    }
}

impl Policy {
    /// The gates of all rules, of the default and of strangers, in the order of [`Gate::number`].
    pub fn gates(&self) -> impl Iterator<Item = &Gate> {
        let accesses = self.rules.iter().map(|rule| &rule.access);
        let accesses = accesses.chain([&self.default]);
        accesses.filter_map(Access::gate).chain([&self.strangers])
    }

    /// Numbers the gates, each by its position among all.
    pub fn number_gates(&mut self) {
        let accesses = self.rules.accesses_mut().chain([&mut self.default]);
        let gates = accesses.filter_map(Access::gate_mut);
        for (number, gate) in gates.chain([&mut self.strangers]).enumerate() {
            gate.number = number;
        }
    }

    /// A fixed response.
    pub fn reply(&self, id: ReplyId) -> Option<&FixedReply> {
        self.replies.get(id.0)
    }

    /// The providers of JSON Web Tokens, each with its name.
    pub fn jwt_providers(&self) -> impl Iterator<Item = (&str, &Jwt)> {
        let providers = self.providers.iter();
        providers.filter_map(|provider| match &provider.method {
            Method::Jwt(jwt) => Some((provider.name.as_str(), jwt)),
            _ => None,
        })
    }

    /// Whether the workers share what they know: failures, nonces, or what was used once.
    pub fn shares_data(&self) -> bool {
        self.throttle.is_some() || self.asks_for_proofs
    }

    /// Whether decisions depend on the client's address.
    pub fn asks_for_address(&self) -> bool {
        self.networks.is_some()
            || self.require.has_condition(Condition::looks_at_address)
            || self.rules.iter().any(|rule| {
                rule.networks.is_some()
                    || rule.matches.networks.is_some()
                    || rule.has_condition(Condition::looks_at_address)
            })
            || self
                .throttle
                .as_ref()
                .is_some_and(Throttle::asks_for_address)
    }

    /// Whether decisions depend on whether the connection uses TLS.
    pub fn asks_for_tls(&self) -> bool {
        let looks_at_scheme =
            self.rules.look_at_scheme() || self.require.has_condition(Condition::looks_at_scheme);
        self.https_by == HttpsBy::Connection && (self.requires_https || looks_at_scheme)
    }

    /// Whether decisions depend on the host of a request.
    pub fn looks_at_hosts(&self) -> bool {
        self.rules.look_at_hosts() || self.require.has_condition(Condition::looks_at_host)
    }

    /// Whether decisions depend on the route of a request. If so, the filter must not change a request so that the host
    /// selects another route.
    pub fn asks_for_route(&self) -> bool {
        self.asks_for_route_name() || self.asks_for_route_policy()
    }

    /// Whether decisions depend on the name of the route.
    pub fn asks_for_route_name(&self) -> bool {
        self.rules.look_at_route_names()
    }

    /// Whether decisions depend on the policies in the metadata of the route.
    pub fn asks_for_route_policy(&self) -> bool {
        self.rules.look_at_route_policies()
    }

    /// What applies to requests that match this rule, or no rule.
    pub fn terms<'p>(&'p self, rule: Option<&'p Rule>) -> Terms<'p> {
        Terms {
            access: rule.map_or(&self.default, |rule| &rule.access),
            networks: rule.and_then(|rule| rule.networks.as_ref()),
            needs_address: rule.is_some_and(|rule| rule.matches.networks.is_some()),
        }
    }
}
