//! Document → plan: what each value means, and whether the values can be combined.
//!
//! Every fault is reported. An invalid value is omitted, and compilation continues with the rest.

mod everywhere;
mod filter_state;
mod fixed;
mod identity;
mod issuers;
mod networks;
mod presentation;
mod providers;
mod require;
mod routes;
mod rules;
mod secrets;
mod stripped;
mod throttle;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use self::providers::BEARER;
use self::rules::{number_choices, of_strangers};
use super::Environment;
use super::at::At;
use super::diagnostic::{Diagnostics, Partly, Reported, nearest};
use super::document::{Cache, Document, Https};
use super::fault::{Fault, Warning};
use super::read::{Items, List, Optional, Typed};
use crate::authenticate::jose::signature::AlgorithmSet;
use crate::authenticate::{Method, Provider};
use crate::authorize::Access;
use crate::credential::Location;
use crate::grammar::can_be_quoted;
use crate::introspector::Server;
use crate::keys;
use crate::plan::{Audit, CacheSizes, Crypto, Plan, Policy};
use crate::presentation::Protects;
use crate::presentation::fixed::FixedReply;
use crate::request::HttpsBy;
use crate::request::path::Case;
use crate::url::has_user_information;

/// How many tokens are remembered by default.
const CACHE: CacheSizes = CacheSizes {
    verified: 10_000,
    refused: 1_000,
};

/// How much of each second a worker spends on slow password hashes by default, and at least and at most.
const HASH_BUDGET: Duration = Duration::from_millis(50);
const HASH_BUDGETS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_millis(900);

/// Compiles a configuration and reports every fault. The plan is whole only if no fault was reported.
pub fn compile(
    document: &Document,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Plan {
    let compiler = Compiler {
        diagnostics,
        environment,
        protects: document.protect_as.given().copied().unwrap_or_default(),
        origin: Ok(None),
        realm: String::new(),
        implied_by: BTreeMap::new(),
        locations: Vec::new(),
        schemes: vec![BEARER.to_owned()],
        sources: Vec::new(),
        servers: Vec::new(),
        by_host: by_host(document),
        replies: Vec::new(),
        provider_names: None,
        case: document.paths_case.given().copied().unwrap_or_default(),
        caches_nothing: document
            .cache
            .given()
            .map(cache_sizes)
            .unwrap_or(CACHE)
            .verified
            == 0,
    };
    compiler.plan(document)
}

struct Compiler<'d> {
    diagnostics: &'d mut Diagnostics,
    /// Where secrets may be.
    environment: Environment<'d>,
    protects: Protects,
    /// The public origin, as browsers serialise it.
    origin: Typed<Option<String>>,
    /// The realm of challenges.
    realm: String,
    /// For each scope, the other scopes that imply it.
    implied_by: BTreeMap<String, Vec<String>>,
    /// Where credentials may be.
    locations: Vec<Location>,
    /// The names of the schemes of credentials, each as it was first written. Their positions identify them.
    schemes: Vec<String>,
    /// Where keys are fetched from.
    sources: Vec<keys::Source>,
    /// The authorization servers that are asked about tokens.
    servers: Vec<Server>,
    /// The algorithms that a host verifies, as far as the configuration permits.
    by_host: AlgorithmSet,
    /// The names of all providers. None if not every name could be read.
    provider_names: Option<Vec<String>>,
    /// The responses of rules with `respond`.
    replies: Vec<FixedReply>,
    /// Whether the upstream distinguishes upper and lower case in paths.
    case: Case,
    /// Whether verified credentials are not cached.
    caches_nothing: bool,
}

/// Headers in which a proxy that terminates TLS names the client's certificate (RFC 9440 §2). They say nothing about the
/// certificate that the filter reads.
const OF_CERTIFICATES: [&str; 2] = ["client-cert", "client-cert-chain"];

impl Compiler<'_> {
    fn plan(mut self, document: &Document) -> Plan {
        self.origin = self.origin(document);
        self.realm = self.realm(document);
        let providers = self.providers(document);
        let has_all = providers.has_every_name();
        self.provider_names = has_all.then(|| providers.names().map(str::to_owned).collect());
        self.implied_by = self.implied_by(&document.scopes_imply);
        let require = self.everywhere(document);
        let rules = self.rules(document, &providers);
        let mut default = self.default(document, &providers);
        let mut strangers = of_strangers(&providers);
        self.check_everywhere(document, &require, &rules, &default, &providers);
        let providers: Vec<_> = providers.compiled();
        self.warn_of_open_issuers(&providers, &require, &rules);
        let presentation = self.presentation(document, &providers);
        self.warn_of_rules_that_cannot_hide(
            &rules,
            &default,
            providers.len(),
            &presentation.not_found,
        );
        let identity = document.identity.given();
        let identity = identity.map(|identity| self.identity(identity));
        let mut identity = identity.unwrap_or_default();
        if providers.iter().any(Provider::needs_certificate) {
            let names = OF_CERTIFICATES.iter();
            names.for_each(|name| identity.remove.insert(name));
        }
        let stripped = self.stripped(&document.overrides, &rules, &require, &identity);
        self.reject_what_changes_the_route(document, &rules, &identity);
        let networks = document.networks.given();
        let networks_at = At::Root.member("networks");
        let networks = networks.and_then(|networks| self.networks(&networks_at, networks).ok());
        self.reject_networks_without_addresses(networks.as_ref(), &rules);
        let mut rules = rules.rules;
        let accesses = rules.accesses_mut().chain([&mut default]);
        let gates = accesses.filter_map(Access::gate_mut);
        number_choices(gates.chain([&mut strangers]), &providers);
        let is_mtls = |provider: &Provider| matches!(provider.method, Method::Mtls(_));
        let mut policy = Policy {
            accepts_certificates: providers.iter().any(is_mtls),
            asks_for_proofs: providers
                .iter()
                .any(|provider| provider.method.asks_for_proofs()),
            providers,
            locations: std::mem::take(&mut self.locations),
            sources: std::mem::take(&mut self.sources),
            servers: std::mem::take(&mut self.servers),
            rules,
            encoded_slash: document.encoded_slash.given().copied().unwrap_or_default(),
            default,
            require,
            replies: std::mem::take(&mut self.replies),
            strangers,
            mode: document.mode.given().copied().unwrap_or_default(),
            requires_https: match document.https.given() {
                None | Some(Https::Optional) => false,
                Some(Https::Require | Https::Redirect) => true,
            },
            https_by: self.https_by(document),
            identity,
            stripped,
            networks,
            throttle: document
                .throttle
                .given()
                .and_then(|throttle| self.throttle(throttle)),
        };
        policy.number_gates();
        let hash_budget = self.hash_budget(document);
        let filter_state = self.filter_state(document);
        let log = document.audit.given().and_then(|audit| audit.log.given());
        Plan {
            presentation,
            audit: log.copied().unwrap_or(Audit::Denied),
            filter_state,
            cache: document.cache.given().map_or(CACHE, cache_sizes),
            hash_budget,
            crypto: document.crypto.given().copied().unwrap_or_default(),
            policy: Some(policy),
        }
    }

    fn hash_budget(&mut self, document: &Document) -> Duration {
        let budget = document.hash_budget.given().copied();
        let budget = budget.unwrap_or(HASH_BUDGET);
        if !HASH_BUDGETS.contains(&budget) {
            self.report(&At::Root.member("hash_budget"), Fault::HashBudget);
        }
        budget
    }

    fn https_by(&mut self, document: &Document) -> HttpsBy {
        if document.trust_forwarded_proto.given() == Some(&true) {
            let at = At::Root.member("trust_forwarded_proto");
            self.warn(&at, Warning::ForwardedProto);
            HttpsBy::ForwardedProto
        } else {
            HttpsBy::Connection
        }
    }

    /// Checks that each name of a list of objects is valid and unique.
    fn names(&mut self, list: &'static str, names: &[Typed<&str>]) {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let at = At::Root.member(list);
        for (index, name) in names.iter().enumerate() {
            let Ok(name) = *name else { continue };
            let first = known.get(name).copied();
            let fault = match first {
                _ if name.is_empty() || !can_be_quoted(name) => Fault::Name,
                Some(first) => Fault::DuplicateName {
                    name: name.to_owned(),
                    first: at.item(first).to_string(),
                },
                None => {
                    known.insert(name, index);
                    continue;
                }
            };
            self.report(&at.item(index).member("name"), fault);
        }
    }

    /// Compiles every item of a list that may be absent, but not empty.
    fn at_least_one<T, U>(
        &mut self,
        at: &At<'_>,
        what: &'static str,
        typed: &Typed<Option<List<T>>>,
        mut compile: impl FnMut(&mut Self, &At<'_>, &T) -> Typed<U>,
    ) -> Partly<Vec<U>> {
        let mut each = typed.each(at, |at, item| compile(self, at, item));
        if typed.given().is_some_and(Vec::is_empty) {
            each.whole = Err(self.report(at, Fault::Empty(what)));
        }
        each
    }

    fn unknown_name<'n>(
        &mut self,
        at: &At<'_>,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Reported {
        let fault = Fault::UnknownName {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, known),
        };
        self.report(at, fault)
    }

    /// Reports a text that is not the URL that it should be. The text can hold a password and is not shown.
    fn url_fault(&mut self, at: &At<'_>, text: &str, fault: impl Into<Fault>) -> Reported {
        let fault = if has_user_information(text) {
            Fault::UserInformation
        } else {
            fault.into()
        };
        self.report(at, fault)
    }

    fn report(&mut self, at: &At<'_>, fault: impl Into<Fault>) -> Reported {
        self.diagnostics.report(at, fault)
    }

    fn warn(&mut self, at: &At<'_>, warning: Warning) {
        self.diagnostics.warn(at, warning);
    }
}

fn by_host(document: &Document) -> AlgorithmSet {
    match document.crypto.given() {
        Some(Crypto::Wasm) => AlgorithmSet::EMPTY,
        Some(Crypto::Auto | Crypto::Host) | None => AlgorithmSet::TESTED,
    }
}

fn cache_sizes(cache: &Cache) -> CacheSizes {
    let size =
        |typed: &Typed<Option<u32>>, default| typed.given().map_or(default, |size| *size as usize);
    CacheSizes {
        verified: size(&cache.verified, CACHE.verified),
        refused: size(&cache.refused, CACHE.refused),
    }
}
