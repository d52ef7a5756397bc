//! What a rule of `jwt_authn` requires.

use super::provider::Source;
use crate::migrate::atom::{Atom, ClaimTest};
use crate::migrate::envoy::matcher::{Scope, exact};
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::node::Node;

/// A `JwtRequirement`.
#[derive(Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Nothing,
    /// A token of a provider.
    Provider {
        /// The provider.
        name: String,
        /// The audiences in place of the provider's.
        audiences: Option<Vec<String>>,
    },
    /// One of these.
    Any(Vec<Requirement>),
    /// All of these.
    All(Vec<Requirement>),
    /// No token, or a valid one, of these providers.
    AllowMissing(Vec<String>),
    /// Nothing, but tokens of these providers are verified.
    AllowMissingOrFailed(Vec<String>),
    /// What cannot be translated.
    Unknown(String),
}

/// Reads a requirement. `siblings` are the providers beside `allow_missing` in `requires_any`.
pub fn read(
    node: &Node<'_>,
    scope: Scope<'_>,
    notes: &mut Notes,
    sources: &[Source],
    siblings: Option<&[String]>,
) -> Requirement {
    let all = || sources.iter().map(|own| own.name.clone()).collect();
    let providers = || siblings.map_or_else(all, <[String]>::to_vec);
    if let Some(name) = node.text("provider_name") {
        return known(name, None, node, scope, notes, sources);
    }
    if let Some(inner) = node.member("provider_and_audiences") {
        let name = inner.text("provider_name").unwrap_or_default();
        let list = inner.member("audiences");
        let audiences = list.iter().flat_map(Node::items);
        let audiences: Vec<String> = audiences
            .filter_map(|item| item.value.as_str().map(str::to_owned))
            .collect();
        let own = Some(audiences).filter(|list| !list.is_empty());
        return known(name, own, node, scope, notes, sources);
    }
    if let Some(list) = node.at(&["requires_any", "requirements"]) {
        let siblings: Vec<String> = list
            .items()
            .filter_map(|item| {
                let name = item
                    .text("provider_name")
                    .or_else(|| item.member("provider_and_audiences")?.text("provider_name"));
                name.map(str::to_owned)
            })
            .collect();
        // With nested requirements, the tokens of all providers are considered.
        let only_names = list.items().all(|item| {
            item.member("requires_any").is_none() && item.member("requires_all").is_none()
        });
        let siblings = only_names
            .then_some(siblings.as_slice())
            .filter(|list| !list.is_empty());
        let mut items: Vec<Requirement> = list
            .items()
            .map(|item| read(&item, scope, notes, sources, siblings))
            .collect();
        // Envoy evaluates these last.
        items.sort_by_key(|item| {
            matches!(
                item,
                Requirement::AllowMissing(_) | Requirement::AllowMissingOrFailed(_)
            )
        });
        return Requirement::Any(items);
    }
    if let Some(list) = node.at(&["requires_all", "requirements"]) {
        let items = list
            .items()
            .map(|item| read(&item, scope, notes, sources, None));
        return Requirement::All(items.collect());
    }
    if node.member("allow_missing_or_failed").is_some() {
        return Requirement::AllowMissingOrFailed(providers());
    }
    if node.member("allow_missing").is_some() {
        return Requirement::AllowMissing(providers());
    }
    match node.members().next() {
        None => Requirement::Nothing,
        Some((name, _)) => {
            notes.lost(name, &scope.place(node), "this requirement");
            Requirement::Unknown(name.to_owned())
        }
    }
}

fn known(
    name: &str,
    audiences: Option<Vec<String>>,
    node: &Node<'_>,
    scope: Scope<'_>,
    notes: &mut Notes,
    sources: &[Source],
) -> Requirement {
    if sources.iter().any(|own| own.name == name) {
        return Requirement::Provider {
            name: name.to_owned(),
            audiences,
        };
    }
    notes.lost(
        "provider_name",
        &scope.place(node),
        "a provider that does not exist",
    );
    Requirement::Unknown("provider_name".to_owned())
}

impl Requirement {
    /// When a request passes.
    pub fn passes(&self, sources: &[Source]) -> Formula {
        match self {
            Self::Nothing | Self::AllowMissingOrFailed(_) => Formula::True,
            Self::Provider { name, audiences } => verified(name, audiences.as_deref(), sources),
            Self::Any(items) => Formula::any(items.iter().map(|item| item.passes(sources))),
            Self::All(items) => Formula::all(items.iter().map(|item| item.passes(sources))),
            Self::AllowMissing(names) => {
                let tokens = names.iter().map(|name| verified(name, None, sources));
                let none = Formula::atom(Atom::NoToken(names.clone()));
                // Whether there is a token for a provider that is not translated cannot be told.
                let is_known = |name: &String| {
                    sources
                        .iter()
                        .any(|own| own.name == *name && own.is_translated())
                };
                let none = match names.iter().all(is_known) {
                    true => none,
                    false => Formula::atom(Atom::Unknown("allow_missing".to_owned())),
                };
                Formula::any(std::iter::once(none).chain(tokens))
            }
            Self::Unknown(name) => Formula::atom(Atom::Unknown(name.clone())),
        }
    }

    /// When the filter has verified a token of this provider, if the request passes.
    pub fn verifies(&self, wanted: &str, sources: &[Source]) -> Formula {
        match self {
            Self::Nothing => Formula::False,
            Self::Provider { name, audiences } if name == wanted => {
                verified(name, audiences.as_deref(), sources)
            }
            Self::Provider { .. } => Formula::False,
            // The first that passes ends the evaluation.
            Self::Any(items) => Formula::any(items.iter().enumerate().map(|(number, item)| {
                let before = items.iter().take(number);
                let failed = before.map(|item| item.passes(sources).negated());
                Formula::all(failed.chain([item.verifies(wanted, sources)]))
            })),
            Self::All(items) => {
                Formula::any(items.iter().map(|item| item.verifies(wanted, sources)))
            }
            Self::AllowMissing(names) | Self::AllowMissingOrFailed(names) => {
                match names.iter().any(|name| name == wanted) {
                    true => verified(wanted, None, sources),
                    false => Formula::False,
                }
            }
            Self::Unknown(name) => Formula::atom(Atom::Unknown(name.clone())),
        }
    }

    /// For the report.
    pub fn description(&self) -> String {
        match self {
            Self::Nothing => "requires no token".to_owned(),
            Self::Provider { name, .. } => format!("requires a token of `{name}`"),
            Self::Any(_) => "requires one of several".to_owned(),
            Self::All(_) => "requires several".to_owned(),
            Self::AllowMissing(_) => "requires no token, and rejects an invalid one".to_owned(),
            Self::AllowMissingOrFailed(_) => "requires no token".to_owned(),
            Self::Unknown(name) => format!("is not translated: {name}"),
        }
    }

    fn visit<'r>(&'r self, visitor: &mut dyn FnMut(&'r str, Option<&'r [String]>)) {
        match self {
            Self::Provider { name, audiences } => visitor(name, audiences.as_deref()),
            Self::Any(items) | Self::All(items) => {
                items.iter().for_each(|item| item.visit(visitor));
            }
            Self::AllowMissing(names) | Self::AllowMissingOrFailed(names) => {
                names.iter().for_each(|name| visitor(name, None));
            }
            Self::Nothing | Self::Unknown(_) => {}
        }
    }
}

/// When there is a valid token of a provider for these audiences.
fn verified(name: &str, audiences: Option<&[String]>, sources: &[Source]) -> Formula {
    let Some(source) = sources
        .iter()
        .find(|own| own.name == name && own.is_translated())
    else {
        return Formula::atom(Atom::Unknown(format!("provider {name}")));
    };
    let wanted = audiences.unwrap_or(&source.audiences);
    let claim = |path: &str, test| {
        Formula::atom(Atom::Claim {
            provider: name.to_owned(),
            path: vec![path.to_owned()],
            test,
        })
    };
    let is_checked = wanted.is_empty() || source.accepted.as_deref() == Some(wanted);
    let audience = match is_checked {
        true => Formula::True,
        false => Formula::any(
            wanted
                .iter()
                .map(|wanted| claim("aud", ClaimTest::TextOrItem(exact(wanted)))),
        ),
    };
    let subjects = match &source.subjects {
        None => Formula::True,
        Some(texts) => Formula::any(
            texts
                .iter()
                .map(|text| claim("sub", ClaimTest::Text(text.clone()))),
        ),
    };
    Formula::all([
        Formula::atom(Atom::Verified(name.to_owned())),
        audience,
        subjects,
    ])
}

/// Sets the audiences that the configuration of each provider accepts: all that a rule accepts.
pub fn set_audiences<'r>(
    sources: &mut [Source],
    requirements: impl Iterator<Item = &'r Requirement>,
) {
    let mut uses: Vec<(&str, Option<&[String]>)> = Vec::new();
    for requirement in requirements {
        requirement.visit(&mut |name, audiences| uses.push((name, audiences)));
    }
    for source in sources {
        let own = uses.iter().filter(|(name, _)| *name == source.name);
        let lists = own.map(|(_, audiences)| audiences.unwrap_or(&source.audiences).to_vec());
        let lists: Vec<Vec<String>> = lists.collect();
        let mut accepted: Vec<String> = Vec::new();
        let is_any =
            lists.iter().any(Vec::is_empty) || lists.is_empty() && source.audiences.is_empty();
        let all = lists.into_iter().flatten().chain(source.audiences.clone());
        for audience in all {
            if !accepted.contains(&audience) {
                accepted.push(audience);
            }
        }
        source.accepted = (!is_any).then_some(accepted);
    }
}
