//! `jwt_authn`: providers, and the rules that require their tokens.

pub mod provider;
pub mod requirement;

use serde_yaml_ng::{Mapping, Value};

use self::provider::Source;
use self::requirement::Requirement;
use super::credentials;
use super::matcher::{Scope, route, unknown};
use crate::migrate::atom::{Atom, ClaimTest};
use crate::migrate::formula::Formula;
use crate::migrate::gate::{Notes, Provider};
use crate::migrate::write::{mapping, text};
use crate::node::Node;

/// The settings of a filter.
#[derive(Debug)]
pub struct Authentication {
    /// The providers that can be translated.
    pub providers: Vec<Provider>,
    /// What the upstream receives.
    pub identity: Mapping,
    /// What is known about all providers.
    sources: Vec<Source>,
    /// The rules: the first that matches decides.
    rules: Vec<(Formula, Requirement)>,
    /// The requirements that routes can name.
    named: Vec<(String, Requirement)>,
}

impl Authentication {
    /// Verifies tokens of all providers in the same way for all requests.
    pub fn of_all(mut sources: Vec<Source>, requirement: Requirement, notes: &mut Notes) -> Self {
        requirement::set_audiences(&mut sources, std::iter::once(&requirement));
        Self {
            providers: sources.iter().filter_map(Source::provider).collect(),
            identity: identity(&sources, "", notes),
            sources,
            rules: vec![(Formula::True, requirement)],
            named: Vec::new(),
        }
    }

    /// The headers that the filter sets.
    pub fn headers(&self) -> Vec<String> {
        let of_source = |own: &Source| {
            let claims = own.claim_headers.iter().map(|(header, _)| header.clone());
            claims.chain(own.payload_header.clone()).collect::<Vec<_>>()
        };
        self.sources.iter().flat_map(of_source).collect()
    }

    /// When a request passes the filter.
    pub fn passes(&self) -> Formula {
        self.access(&Formula::True)
    }

    /// When a request passes the filter, and a formula over the claims of the tokens that the filter has verified.
    pub fn access(&self, behind: &Formula) -> Formula {
        let nothing = self.behind(behind, &Requirement::Nothing);
        // Rules often have the same requirement.
        let mut known: Vec<(&Requirement, Formula)> = Vec::new();
        let rules = self.rules.iter().rev();
        rules.fold(nothing, |otherwise, (matches, requirement)| {
            let found = known.iter().find(|(own, _)| *own == requirement);
            let own = match found {
                Some((_, own)) => own.clone(),
                None => {
                    let own = Formula::all([
                        requirement.passes(&self.sources),
                        self.behind(behind, requirement),
                    ]);
                    known.push((requirement, own.clone()));
                    own
                }
            };
            Formula::choice(matches.clone(), own, otherwise)
        })
    }

    /// As [`access`](Self::access), if a route names a requirement; none if the filter does not have it.
    pub fn access_with(&self, name: &str, behind: &Formula) -> Option<Formula> {
        let (_, requirement) = self.named.iter().find(|(own, _)| own == name)?;
        Some(Formula::all([
            requirement.passes(&self.sources),
            self.behind(behind, requirement),
        ]))
    }

    /// As [`access`](Self::access), if a route disables the filter.
    pub fn access_without(&self, behind: &Formula) -> Formula {
        self.behind(behind, &Requirement::Nothing)
    }

    /// A formula whose claims have the key of their metadata in place of a provider, behind one requirement.
    fn behind(&self, formula: &Formula, requirement: &Requirement) -> Formula {
        formula.map(&|atom, holds| {
            if let Atom::Header(name, _) | Atom::HeaderPresent(name) = atom
                && self.sources.iter().any(|own| own.sets(name))
            {
                return self.header(name, atom, holds, requirement);
            }
            let Atom::Claim {
                provider: key,
                path,
                test,
            } = atom
            else {
                return Formula::Literal(atom.clone(), holds);
            };
            let writers = self.sources.iter();
            let writers = writers.filter(|own| own.payload_key.as_ref() == Some(key));
            let any = Formula::any(writers.map(|own| {
                let claim = claim(own, path, test);
                Formula::all([requirement.verifies(&own.name, &self.sources), claim])
            }));
            match holds {
                true => any,
                false => any.negated(),
            }
        })
    }
}

impl Authentication {
    /// A formula about a header that the filter sets. A claim that is not a string is a header too, which is not known.
    fn header(&self, name: &str, atom: &Atom, holds: bool, requirement: &Requirement) -> Formula {
        let text = format!("the value of `{name}`, which `jwt_authn` sets,");
        let mut parts = vec![Formula::atom(Atom::OnlyRequired(text))];
        if let Atom::Header(_, text) = atom {
            for own in &self.sources {
                let claims = own
                    .claim_headers
                    .iter()
                    .filter(|(header, _)| header == name);
                parts.extend(claims.map(|(_, path)| {
                    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
                    let verified = requirement.verifies(&own.name, &self.sources);
                    let claim = claim(own, &path, &ClaimTest::Text(text.clone()));
                    Formula::all([verified, claim])
                }));
            }
        }
        let any = Formula::any(parts);
        match holds {
            true => any,
            false => any.negated(),
        }
    }
}

/// The formula about a claim of a verified token of one provider.
fn claim(source: &Source, path: &[String], test: &ClaimTest) -> Formula {
    let (name, test) = match (path, test) {
        ([], ClaimTest::Present) => return Formula::True,
        ([], _) => return Formula::False,
        ([name], ClaimTest::Text(text)) if name == "iss" => match &source.issuer {
            Some(issuer) => return Formula::from(text.matches(issuer)),
            None => (name, test.clone()),
        },
        // The filter makes lists of such strings.
        ([name], ClaimTest::TextOrItem(text)) if source.word_claims.contains(name) => {
            (name, ClaimTest::Word(text.clone()))
        }
        ([name], ClaimTest::Item(_) | ClaimTest::Text(_)) if source.word_claims.contains(name) => {
            return Formula::atom(Atom::Unknown("normalize_payload_in_metadata".to_owned()));
        }
        ([name, ..], _) => (name, test.clone()),
    };
    let rest = path.iter().skip(1).cloned();
    Formula::atom(Atom::Claim {
        provider: source.name.clone(),
        path: std::iter::once(name.clone()).chain(rest).collect(),
        test,
    })
}

/// Reads the settings of a filter.
pub fn read(filter: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Authentication {
    let listed = filter.member("providers");
    let mut sources = Vec::new();
    for (name, node) in listed.iter().flat_map(Node::members) {
        sources.push(provider::read(name, &node, scope, notes));
    }
    let requirements = filter.member("requirement_map");
    let rules = filter.member("rules");
    let mut read = Vec::new();
    for rule in rules.iter().flat_map(Node::items) {
        let matches = rule
            .member("match")
            .map_or(Formula::True, |node| route(&node, scope, notes));
        let named = rule.text("requirement_name");
        let node = match named {
            Some(name) => requirements.as_ref().and_then(|map| map.member(name)),
            None => rule.member("requires"),
        };
        let requirement = match (&node, named) {
            (Some(node), _) => requirement::read(node, scope, notes, &sources, None),
            (None, Some(_)) => Requirement::Unknown("requirement_name".to_owned()),
            (None, None) => Requirement::Nothing,
        };
        notes.equal("rule", &scope.place(&rule), requirement.description());
        read.push((matches, requirement));
    }
    let named = requirements.iter().flat_map(Node::members);
    let named: Vec<(String, Requirement)> = named
        .map(|(name, node)| {
            let requirement = requirement::read(&node, scope, notes, &sources, None);
            (name.to_owned(), requirement)
        })
        .collect();
    let of_rules = read.iter().map(|(_, requirement)| requirement);
    let of_routes = named.iter().map(|(_, requirement)| requirement);
    requirement::set_audiences(&mut sources, of_rules.chain(of_routes));
    if filter.is_true("bypass_cors_preflight") {
        notes.skips_preflights("bypass_cors_preflight", &scope.place(filter));
    }
    if filter.member("filter_state_rules").is_some() {
        let place = scope.place(filter);
        let never = unknown(
            notes,
            "filter_state_rules",
            &place,
            "the gate denies every request",
        );
        let requirement = Requirement::Unknown("filter_state_rules".to_owned());
        read.insert(
            0,
            (Formula::any([never.clone(), never.negated()]), requirement),
        );
    }
    Authentication {
        providers: sources.iter().filter_map(Source::provider).collect(),
        identity: identity(&sources, &scope.place(filter), notes),
        sources,
        rules: read,
        named,
    }
}

fn identity(sources: &[Source], place: &str, notes: &mut Notes) -> Mapping {
    let mut identity = Mapping::new();
    let mut headers = Mapping::new();
    for source in sources {
        for (header, claim) in &source.claim_headers {
            headers.insert(text(header), text(format!("{{claims.{claim}}}")));
        }
        if let Some(header) = &source.payload_header {
            let known = identity
                .get("payload_header")
                .is_some_and(|own| own != header.as_str());
            if known {
                credentials::remove(&mut identity, header);
                notes.differs(
                    "forward_payload_header",
                    place,
                    "the header of one provider is set for all of them; other headers are not set",
                );
            } else {
                identity.insert(text("payload_header"), text(header));
            }
        }
    }
    if !headers.is_empty() {
        identity.insert(text("headers"), Value::Mapping(headers));
    }
    if sources.iter().any(|source| !source.forwards) {
        identity.extend(mapping([("strip_credential", Value::Bool(true))]));
        if sources.iter().any(|source| source.forwards) {
            notes.differs(
                "forward",
                place,
                "the upstream receives no token, because one provider does not forward its tokens",
            );
        }
    }
    identity
}
