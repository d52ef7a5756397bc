//! A formula → what a rule requires.

use super::assume::Assumed;
use super::atom::{Atom, ClaimTest, How};
use super::cel;
use super::formula::{Formula, Known};
use super::gate::Gate;

/// What a rule requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing; credentials are not read.
    Public,
    /// Nothing; a credential that is there must be valid.
    Optional,
    /// A valid credential.
    Required {
        /// The providers.
        providers: Vec<String>,
        /// Whether a credential of each provider is required.
        all: bool,
        /// Claims, each with the values of which it must have one.
        claims: Vec<(String, Vec<String>)>,
        /// A condition in CEL.
        cel: Option<String>,
    },
    /// No request passes. Requests without a credential receive 401.
    Denied,
    /// No request passes. All receive 403.
    Forbidden,
}

impl Access {
    /// What denies every request, with the status that most requests receive from the old filters.
    pub fn denied(gate: &Gate, authentication: &Formula) -> Self {
        let needs_credential = without_credential(authentication) == Formula::False;
        match needs_credential && !gate.providers.is_empty() {
            true => Self::Denied,
            false => Self::Forbidden,
        }
    }
}

/// The formula for requests without a credential.
pub fn without_credential(formula: &Formula) -> Formula {
    formula.given(&|atom| match atom {
        Atom::Verified(_) | Atom::Subject(..) | Atom::Claim { .. } => Some(Known::False),
        Atom::NoToken(_) => Some(Known::True),
        _ => None,
    })
}

/// What permits the requests for which a formula holds, and no other.
pub fn access(
    gate: &Gate,
    assumed: Assumed,
    authentication: &Formula,
    formula: &Formula,
) -> Access {
    // Whatever the request presents.
    let always = formula.given(&|_| Some(Known::Mixed));
    if always == Formula::True {
        return Access::Public;
    }
    // From here on, every credential of the request is valid: the filter denies others.
    let formula = formula.map(&|atom, holds| match atom {
        Atom::NoToken(names) => {
            let sharing = gate.sharing(names).into_iter();
            let none = sharing.map(|name| Formula::Literal(Atom::Verified(name.to_owned()), false));
            match holds {
                true => Formula::all(none),
                false => Formula::all(none).negated(),
            }
        }
        _ => Formula::Literal(atom.clone(), holds),
    });
    let expressible = formula.map(
        &|atom, holds| match cel::can_express(gate, assumed, atom, holds) {
            true => Formula::Literal(atom.clone(), holds),
            false => Formula::False,
        },
    );
    let of_credentials = expressible.given(&|atom| match atom.is_of_credential() {
        true => None,
        false => Some(Known::Mixed),
    });
    if of_credentials.is_always_true() {
        return Access::Optional;
    }
    if expressible == Formula::False || gate.providers.is_empty() {
        return Access::denied(gate, authentication);
    }
    required(gate, expressible)
}

fn required(gate: &Gate, formula: Formula) -> Access {
    let names = gate.providers.iter().map(|own| own.name.clone());
    let needed: Vec<String> = names.filter(|name| needs(&formula, name)).collect();
    let parts = match formula {
        Formula::All(parts) => parts,
        other => vec![other],
    };
    let alternatives = parts.iter().find_map(names_of_alternatives);
    let (providers, all) = match (needed.len(), alternatives) {
        (0, Some(names)) => (names, false),
        (0, None) => (
            gate.providers.iter().map(|own| own.name.clone()).collect(),
            false,
        ),
        (1, _) => (needed, false),
        (_, _) => (needed, true),
    };
    let is_certain = all || providers.len() == 1;
    let is_only = providers.len() == 1;
    let rest = parts
        .into_iter()
        .filter(|part| names_of_alternatives(part).is_none_or(|names| names != providers));
    let rest = Formula::all(rest).given(&|atom| match atom {
        Atom::Verified(name) if is_certain && providers.contains(name) => Some(Known::True),
        _ => None,
    });
    let (claims, rest) = match is_only {
        true => without_claims(rest),
        false => (Vec::new(), rest),
    };
    let cel = match &rest {
        Formula::True => None,
        Formula::False => return Access::Denied,
        rest => Some(cel::expression(
            rest,
            is_only.then(|| providers.first()).flatten(),
        )),
    };
    Access::Required {
        providers,
        all,
        claims,
        cel,
    }
}

/// Takes the claims that a rule can require without a condition.
fn without_claims(formula: Formula) -> (Vec<(String, Vec<String>)>, Formula) {
    let parts = match formula {
        Formula::All(parts) => parts,
        other => vec![other],
    };
    let mut claims: Vec<(String, Vec<String>)> = Vec::new();
    let mut rest = Vec::new();
    for part in parts {
        match values_of_claim(&part) {
            Some((name, values)) if claims.iter().all(|(other, _)| *other != name) => {
                claims.push((name, values));
            }
            _ => rest.push(part),
        }
    }
    (claims, Formula::all(rest))
}

/// The claim and its values, if the formula is that the claim is one of them or a list with one of them.
fn values_of_claim(formula: &Formula) -> Option<(String, Vec<String>)> {
    let alternatives = match formula {
        Formula::Any(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut found: Option<(String, Vec<String>)> = None;
    for alternative in alternatives {
        let Formula::Literal(Atom::Claim { path, test, .. }, true) = alternative else {
            return None;
        };
        let ([name], ClaimTest::TextOrItem(text)) = (path.as_slice(), test) else {
            return None;
        };
        // A dot in a name looks inside, and `{id}` is a parameter of the path.
        let is_literal = !text.text.contains(['{', '*']) && text.text.trim() == text.text;
        let is_plain = text.how == How::Exact && !text.ignores_case && !text.text.is_empty();
        if name.contains('.') || !is_literal || !is_plain {
            return None;
        }
        let (known, values) = found.get_or_insert_with(|| (name.clone(), Vec::new()));
        if known != name {
            return None;
        }
        values.push(text.text.clone());
    }
    found
}

/// Whether the formula holds for no request without a credential of this provider.
fn needs(formula: &Formula, name: &str) -> bool {
    let without = formula.given(&|atom| match atom {
        Atom::Verified(own) | Atom::Subject(own, _) | Atom::Claim { provider: own, .. } => {
            (own == name).then_some(Known::False)
        }
        _ => None,
    });
    without == Formula::False
}

/// The providers, if the formula is that one of them verified a token.
fn names_of_alternatives(formula: &Formula) -> Option<Vec<String>> {
    let Formula::Any(items) = formula else {
        return None;
    };
    let names = items.iter().map(|item| match item {
        Formula::Literal(Atom::Verified(name), true) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// Whether the test of a claim can be negated: a claim of another type would otherwise pass.
pub fn can_be_negated(test: &ClaimTest) -> bool {
    !matches!(test, ClaimTest::Number(_))
}
