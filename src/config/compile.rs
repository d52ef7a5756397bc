//! Document → Plan: what each value means, and whether they go together.

mod fixed;
mod identity;
mod networks;
mod presentation;
mod provider;
mod require;
mod route;
mod rule;
mod stripped;
mod throttle;

use std::collections::BTreeMap;

use self::rule::{of_strangers, tell_choices_apart};
use super::diagnostic::{Diagnostic, Fault, Faults, nearest};
use super::document::{
    AuditLog, Crypto as CryptoDocument, Document, Https as HttpsDocument, Mode as ModeDocument,
    PathsCase,
};
use crate::authorize::Access;
use crate::credential::Location;
use crate::grammar::can_be_quoted;
use crate::keys;
use crate::plan::{Audit, Crypto, Mode, Plan, Policy};
use crate::presentation::Protects;
use crate::presentation::fixed::FixedReply;
use crate::request::HttpsBy;
use crate::request::path::Case;
use crate::store::CacheSizes;

/// How many tokens are remembered where the document does not say.
const CACHE: CacheSizes = CacheSizes {
    verified: 10_000,
    refused: 1_000,
};

/// What a compilation yields; the plan is to be used only if no fault was reported.
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What the document's author should know.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles a document, reporting every fault.
pub fn compile(document: &Document, faults: &mut Faults) -> Compiled {
    let mut compiler = Compiler {
        faults,
        warnings: Vec::new(),
        protects: presentation::protects(document),
        implied_by: BTreeMap::new(),
        locations: Vec::new(),
        sources: Vec::new(),
        replies: Vec::new(),
        case: match document.paths_case {
            None | Some(PathsCase::Sensitive) => Case::Sensitive,
            Some(PathsCase::Insensitive) => Case::Insensitive,
        },
    };
    let plan = compiler.plan(document);
    Compiled {
        plan,
        warnings: compiler.warnings,
    }
}

struct Compiler<'f> {
    faults: &'f mut Faults,
    warnings: Vec<Diagnostic>,
    protects: Protects,
    /// Which other scopes stand for a scope.
    implied_by: BTreeMap<String, Vec<String>>,
    /// Where credentials stand, as providers name the places.
    locations: Vec<Location>,
    /// Where keys are fetched from.
    sources: Vec<keys::Source>,
    /// The responses of rules that ask nothing.
    replies: Vec<FixedReply>,
    /// Whether the upstream tells paths apart by case.
    case: Case,
}

impl Compiler<'_> {
    fn plan(&mut self, document: &Document) -> Plan {
        let documents = document.providers.as_deref().unwrap_or_default();
        let names: Vec<&str> = documents
            .iter()
            .map(|provider| provider.name.as_str())
            .collect();
        self.names("providers", &names);
        let providers: Vec<_> = documents
            .iter()
            .enumerate()
            .map(|(number, provider)| self.provider(number, provider))
            .collect();
        self.scopes_imply(document);
        let mut rules = self.rules(document, &names, &providers);
        let mut default = self.default(document, &providers);
        let mut strangers = of_strangers(&providers);
        // A provider at fault has left a hole in the list; such a plan is never used.
        let providers: Vec<_> = providers.into_iter().flatten().collect();
        let presentation = self.presentation(document, &providers);
        let not_found = &presentation.not_found;
        self.warn_of_rules_that_cannot_hide(&rules, &default, providers.len(), not_found);
        let identity = document.identity.as_ref();
        let identity = identity.map(|identity| self.identity(identity));
        let identity = identity.unwrap_or_default();
        let stripped = self.stripped(document.overrides.as_ref(), &rules, &identity);
        self.refuse_what_changes_the_route(document, &rules, &identity);
        let networks = document.networks.as_ref();
        let networks = networks.map(|networks| self.networks("networks", networks));
        self.refuse_networks_that_admit_nobody(networks.as_ref(), &rules);
        let accesses = rules.accesses_mut();
        let accesses = accesses.chain([&mut default]);
        let gates = accesses.filter_map(Access::gate_mut);
        let gates = gates.chain([&mut strangers]);
        tell_choices_apart(gates, &providers);
        Plan {
            presentation,
            audit: match document.audit.as_ref().and_then(|audit| audit.log) {
                None | Some(AuditLog::Denied) => Audit::Denied,
                Some(AuditLog::All) => Audit::All,
                Some(AuditLog::None) => Audit::None,
            },
            cache: document.cache.as_ref().map_or(CACHE, |cache| CacheSizes {
                verified: cache
                    .verified
                    .map_or(CACHE.verified, |number| number as usize),
                refused: cache
                    .refused
                    .map_or(CACHE.refused, |number| number as usize),
            }),
            crypto: match document.crypto {
                None | Some(CryptoDocument::Auto) => Crypto::Auto,
                Some(CryptoDocument::Host) => Crypto::Host,
                Some(CryptoDocument::Wasm) => Crypto::Wasm,
            },
            policy: Some(Policy {
                providers,
                locations: std::mem::take(&mut self.locations),
                sources: std::mem::take(&mut self.sources),
                rules,
                default,
                replies: std::mem::take(&mut self.replies),
                strangers,
                mode: match document.mode {
                    None | Some(ModeDocument::Enforce) => Mode::Enforce,
                    Some(ModeDocument::Shadow) => Mode::Shadow,
                },
                requires_https: match document.https {
                    None | Some(HttpsDocument::Optional) => false,
                    Some(HttpsDocument::Require | HttpsDocument::Redirect) => true,
                },
                https_by: match document.trust_forwarded_proto {
                    Some(true) => HttpsBy::ForwardedProto,
                    None | Some(false) => HttpsBy::Connection,
                },
                identity,
                stripped,
                networks,
                throttle: document
                    .throttle
                    .as_ref()
                    .map(|throttle| self.throttle(throttle)),
            }),
        }
    }

    /// Names are not empty and not given twice.
    fn names(&mut self, list: &str, names: &[&str]) {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            let path = || format!("{list}[{place}].name");
            if name.is_empty() || !can_be_quoted(name) {
                self.invalid(path(), "a name is visible ASCII, and not empty");
            } else if let Some(taken) = known.get(name) {
                let fault = Fault::DuplicateName((*name).to_owned(), format!("{list}[{taken}]"));
                self.faults.report(path(), fault);
            } else {
                known.insert(name, place);
            }
        }
    }

    fn unknown_name<'n>(
        &mut self,
        path: String,
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let fault = Fault::UnknownName {
            kind,
            name: name.to_owned(),
            nearest: nearest(name, known),
        };
        self.faults.report(path, fault);
    }

    fn invalid(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.faults.report(path, Fault::Invalid(what.into()));
    }

    fn warn(&mut self, path: impl Into<String>, what: &str) {
        self.warnings.push(Diagnostic {
            path: path.into(),
            fault: Fault::Invalid(what.to_owned()),
        });
    }
}
