//! A chain of filters in their order, and what it permits where a route changes some of them.

use serde_yaml_ng::Mapping;

use super::credentials::{self, Credentials};
use super::jwt::{self, Authentication};
use super::matcher::{Scope, unknown};
use super::rbac;
use crate::migrate::formula::Formula;
use crate::migrate::gate::{Notes, Provider};
use crate::node::Node;

/// The filters that decide, in their order.
#[derive(Default)]
pub struct Chain {
    filters: Vec<Filter>,
    sources: Vec<String>,
    /// Headers that clients must not send, because a filter that is not translated sets them.
    stripped: Vec<String>,
}

/// A filter.
struct Filter {
    /// The name by which routes refer to it.
    name: String,
    /// Whether it runs where no route says otherwise.
    is_enabled: bool,
    kind: Kind,
}

enum Kind {
    Tokens(Box<Authentication>),
    Credentials(Credentials),
    Policies(Formula),
}

/// How a route changes a filter.
#[derive(Debug, Clone)]
pub enum Change {
    /// The filter does not run.
    Disabled,
    /// The filter runs as it is configured.
    Enabled,
    /// The requirement that `jwt_authn` has under this name.
    Requirement(String),
    /// Other policies of `rbac`, or a condition that the filter requires in place of its own.
    Policies(Formula),
    /// Only these clients of `api_key_auth`.
    Clients(Formula),
    /// What cannot be translated.
    Unknown(Formula),
}

impl Chain {
    /// Adds a filter, if it is one that is translated.
    pub fn push(
        &mut self,
        name: &str,
        config: &Node<'_>,
        is_enabled: bool,
        scope: Scope<'_>,
        notes: &mut Notes,
    ) {
        if config.path.contains("typed_per_filter_config") {
            return;
        }
        let (settings, kind) = if let Some(own) = config.message("jwt_authn.v3.JwtAuthentication") {
            let kind = match self.tokens() {
                None => Kind::Tokens(Box::new(jwt::read(&own, scope, notes))),
                Some(_) => {
                    let second = jwt::read(&own, scope, &mut Notes::default());
                    self.stripped.extend(second.headers());
                    let text = "a chain with two of these filters: the gate denies every request";
                    Kind::Policies(unknown(notes, "jwt_authn", &scope.place(&own), text))
                }
            };
            (own, kind)
        } else if let Some(own) = config.message("api_key_auth.v3.ApiKeyAuth") {
            let place = scope.place(&own);
            let kind = credentials::keys(&own, &place, &self.names(), notes);
            (own, Kind::Credentials(kind))
        } else if let Some(own) = config.message("basic_auth.v3.BasicAuth") {
            let place = scope.place(&own);
            let kind = credentials::passwords(&own, &place, &self.names(), notes);
            (own, Kind::Credentials(kind))
        } else if let Some(own) = config.message("rbac.v3.RBAC") {
            let scope = Scope {
                sees_tokens: self.tokens().is_some(),
                ..scope
            };
            (own.clone(), Kind::Policies(rbac::read(&own, scope, notes)))
        } else {
            return;
        };
        self.sources.push(scope.place(&settings));
        self.filters.push(Filter {
            name: name.to_owned(),
            is_enabled,
            kind,
        });
    }

    /// Whether there is no filter that decides.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// The places of the filters.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Whether a filter has this name.
    pub fn has(&self, name: &str) -> bool {
        self.filters.iter().any(|filter| filter.name == name)
    }

    /// Whether the filter with this name runs behind one that verifies tokens.
    pub fn sees_tokens(&self, name: &str) -> bool {
        let before = self.filters.iter().take_while(|filter| filter.name != name);
        let mut before = before;
        before.any(|filter| matches!(filter.kind, Kind::Tokens(_)))
    }

    /// The provider of the filter with this name.
    pub fn provider_of(&self, name: &str) -> Option<String> {
        let filter = self.filters.iter().find(|filter| filter.name == name)?;
        match &filter.kind {
            Kind::Credentials(own) => Some(own.name.clone()),
            _ => None,
        }
    }

    fn tokens(&self) -> Option<&Authentication> {
        self.filters.iter().find_map(|filter| match &filter.kind {
            Kind::Tokens(own) => Some(&**own),
            _ => None,
        })
    }

    fn names(&self) -> Vec<String> {
        let names = self.filters.iter().filter_map(|filter| match &filter.kind {
            Kind::Credentials(own) => Some(own.name.clone()),
            _ => None,
        });
        names.collect()
    }

    /// When requests pass the authentication, and when they are permitted, where no route changes a filter.
    pub fn base(&self) -> (Formula, Formula) {
        self.with(&|_| None)
    }

    /// As [`base`](Self::base), with the changes of a route, by the names of filters.
    pub fn with(&self, change: &dyn Fn(&str) -> Option<Change>) -> (Formula, Formula) {
        let mut before: Vec<&Credentials> = Vec::new();
        let mut tokens = None;
        let mut credentials = Vec::new();
        let mut policies = Vec::new();
        for filter in &self.filters {
            let changed = change(&filter.name);
            let runs = match &changed {
                None => filter.is_enabled,
                Some(Change::Disabled) => false,
                Some(_) => true,
            };
            if let Some(Change::Unknown(never)) = &changed {
                policies.push(never.clone());
            }
            match &filter.kind {
                Kind::Tokens(own) => {
                    let requirement = match changed {
                        Some(Change::Requirement(name)) => Some(name),
                        _ => None,
                    };
                    tokens = Some((own, runs, requirement));
                }
                Kind::Credentials(own) if runs => {
                    credentials.push(own.passes());
                    if let Some(Change::Clients(clients)) = changed {
                        policies.push(clients);
                    }
                    before.push(own);
                }
                Kind::Policies(own) if runs => {
                    let own = match changed {
                        Some(Change::Policies(other)) => other,
                        _ => own.clone(),
                    };
                    policies.push(credentials::behind(&before, &own));
                }
                Kind::Credentials(_) | Kind::Policies(_) => {}
            }
        }
        let credentials = Formula::all(credentials);
        let behind = Formula::all(policies.into_iter().chain([credentials.clone()]));
        let through = |formula: &Formula| match &tokens {
            None => formula.clone(),
            Some((own, false, _)) => own.access_without(formula),
            Some((own, true, None)) => own.access(formula),
            // Envoy responds with 500 if the requirement does not exist.
            Some((own, true, Some(name))) => {
                own.access_with(name, formula).unwrap_or(Formula::False)
            }
        };
        let authentication = Formula::all([through(&Formula::True), credentials]);
        (authentication, through(&behind))
    }

    /// The providers, and what the upstream receives about callers.
    pub fn providers(self, notes: &mut Notes) -> (Vec<Provider>, Mapping) {
        let mut providers = Vec::new();
        let mut identity = Mapping::new();
        let mut keys = Vec::new();
        for filter in self.filters {
            match filter.kind {
                Kind::Tokens(own) => {
                    providers.extend(own.providers);
                    identity.extend(own.identity);
                }
                Kind::Credentials(own) => {
                    providers.extend(own.provider());
                    keys.push(own);
                }
                Kind::Policies(_) => {}
            }
        }
        credentials::extend(&mut identity, &keys, providers.len(), notes);
        for header in &self.stripped {
            credentials::remove(&mut identity, header);
        }
        (providers, identity)
    }
}
