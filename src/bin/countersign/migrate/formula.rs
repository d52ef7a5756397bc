//! A condition on a request as a formula over atoms, in negation normal form.
//!
//! Only literals are negated. So a formula becomes false for more requests, never for fewer, if one of its literals is
//! replaced by `false`. The translation uses this for everything that it cannot express.

use super::atom::Atom;

/// A formula over atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// Holds for every request.
    True,
    /// Holds for no request.
    False,
    /// An atom, or its negation if the flag is false.
    Literal(Atom, bool),
    /// All of these hold.
    All(Vec<Formula>),
    /// One of these holds.
    Any(Vec<Formula>),
    /// The second where the first holds, else the third. It is simplified when something is known about its atoms.
    Choice(Box<[Formula; 3]>),
}

/// What is known about an atom for a set of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It holds for each of them.
    True,
    /// It holds for none of them.
    False,
    /// It holds for some of them, and no rule can tell which.
    Mixed,
}

impl From<bool> for Known {
    fn from(holds: bool) -> Self {
        match holds {
            true => Self::True,
            false => Self::False,
        }
    }
}

impl From<bool> for Formula {
    fn from(holds: bool) -> Self {
        match holds {
            true => Self::True,
            false => Self::False,
        }
    }
}

impl Formula {
    /// The formula that is one atom.
    pub fn atom(atom: Atom) -> Self {
        Self::Literal(atom, true)
    }

    /// Holds if all of these hold.
    pub fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for item in items {
            match item {
                Self::True => {}
                Self::False => return Self::False,
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match propagated(&flat, true) {
            Some(parts) => Self::all(parts),
            None => Self::join(flat, (Self::True, Self::False), true),
        }
    }

    /// Holds if one of these holds.
    pub fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for item in items {
            match item {
                Self::False => {}
                Self::True => return Self::True,
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match propagated(&flat, false) {
            Some(parts) => Self::any(parts),
            None => Self::join(flat, (Self::False, Self::True), false),
        }
    }

    fn join(flat: Vec<Self>, (empty, contradiction): (Self, Self), is_all: bool) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for item in flat {
            if let Self::Literal(atom, holds) = &item
                && kept.contains(&Self::Literal(atom.clone(), !holds))
            {
                return contradiction;
            }
            if !kept.contains(&item) {
                kept.push(item);
            }
        }
        absorb(&mut kept, is_all);
        match (kept.len(), kept.pop()) {
            (_, None) => empty,
            (1, Some(only)) => only,
            (_, Some(last)) => {
                kept.push(last);
                match is_all {
                    true => Self::All(kept),
                    false => Self::Any(kept),
                }
            }
        }
    }

    /// Whether this certainly implies `other`. The comparison is of their form.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            _ if self == other => true,
            (Self::False, _) | (_, Self::True) => true,
            (Self::Any(items), _) => items.iter().all(|item| item.implies(other)),
            (_, Self::All(parts)) => parts.iter().all(|part| self.implies(part)),
            (_, Self::Any(items)) if items.iter().any(|item| self.implies(item)) => true,
            (Self::All(parts), _) => parts.iter().any(|part| part.implies(other)),
            _ => false,
        }
    }

    /// Holds where this does not.
    pub fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Literal(atom, holds) => Self::Literal(atom, !holds),
            Self::All(items) => Self::any(items.into_iter().map(Self::negated)),
            Self::Any(items) => Self::all(items.into_iter().map(Self::negated)),
            Self::Choice(parts) => {
                let [condition, then, otherwise] = *parts;
                Self::choice(condition, then.negated(), otherwise.negated())
            }
        }
    }

    /// `then` where `condition` holds, else `otherwise`.
    pub fn choice(condition: Self, then: Self, otherwise: Self) -> Self {
        match condition {
            Self::True => then,
            Self::False => otherwise,
            condition => Self::Choice(Box::new([condition, then, otherwise])),
        }
    }

    /// Replaces each atom about which something is known. A literal of an atom that is [`Known::Mixed`] becomes false.
    pub fn given(&self, known: &dyn Fn(&Atom) -> Option<Known>) -> Self {
        self.map(&|atom, holds| match known(atom) {
            None => Self::Literal(atom.clone(), holds),
            Some(Known::Mixed) => Self::False,
            Some(Known::True) if holds => Self::True,
            Some(Known::False) if !holds => Self::True,
            Some(Known::True | Known::False) => Self::False,
        })
    }

    /// Replaces each literal by a formula.
    pub fn map(&self, replace: &dyn Fn(&Atom, bool) -> Self) -> Self {
        match self {
            Self::True => Self::True,
            Self::False => Self::False,
            Self::Literal(atom, holds) => replace(atom, *holds),
            Self::All(items) => Self::all(items.iter().map(|item| item.map(replace))),
            Self::Any(items) => Self::any(items.iter().map(|item| item.map(replace))),
            Self::Choice(parts) => {
                let [condition, then, otherwise] = &**parts;
                match condition.map(replace) {
                    Self::True => then.map(replace),
                    Self::False => otherwise.map(replace),
                    known => Self::choice(known, then.map(replace), otherwise.map(replace)),
                }
            }
        }
    }

    /// The formula without choices.
    ///
    /// A choice between `a` and `b` also holds where both hold. This part changes nothing, but still holds if no rule can
    /// tell which of them applies.
    pub fn without_choices(&self) -> Self {
        match self {
            Self::All(items) => Self::all(items.iter().map(Self::without_choices)),
            Self::Any(items) => Self::any(items.iter().map(Self::without_choices)),
            Self::Choice(parts) => {
                let [condition, then, otherwise] = &**parts;
                // A negated condition is false where nothing is known about it, as the condition is.
                let not = condition.clone().negated().without_choices();
                let condition = condition.without_choices();
                let (then, otherwise) = (then.without_choices(), otherwise.without_choices());
                Self::any([
                    Self::all([condition, then.clone()]),
                    Self::all([not, otherwise.clone()]),
                    Self::all([then, otherwise]),
                ])
            }
            other => other.clone(),
        }
    }

    /// Calls `visitor` with each literal. A condition of a choice also holds in its negation.
    pub fn visit<'f>(&'f self, visitor: &mut dyn FnMut(&'f Atom, bool)) {
        match self {
            Self::True | Self::False => {}
            Self::Literal(atom, holds) => visitor(atom, *holds),
            Self::All(items) | Self::Any(items) => {
                items.iter().for_each(|item| item.visit(visitor));
            }
            Self::Choice(parts) => {
                let [condition, then, otherwise] = &**parts;
                condition.visit(&mut |atom, holds| {
                    visitor(atom, holds);
                    visitor(atom, !holds);
                });
                then.visit(visitor);
                otherwise.visit(visitor);
            }
        }
    }

    /// The different atoms, in order.
    pub fn atoms(&self) -> Vec<&Atom> {
        let mut atoms = Vec::new();
        self.visit(&mut |atom, _| {
            if !atoms.contains(&atom) {
                atoms.push(atom);
            }
        });
        atoms
    }

    /// Whether the formula holds for every request: it holds however its atoms are chosen. With many atoms, the answer
    /// is no.
    pub fn is_always_true(&self) -> bool {
        const ATOMS_MAX: usize = 12;
        let atoms = self.atoms();
        if atoms.len() > ATOMS_MAX {
            return *self == Self::True;
        }
        (0..1_u32 << atoms.len()).all(|choice| {
            let value = self.given(&|atom| {
                let number = atoms.iter().position(|own| *own == atom)?;
                Some(Known::from(choice >> number & 1 == 1))
            });
            value == Self::True
        })
    }
}

/// The parts of a conjunction, or of a disjunction if `is_all` is false, in which the literals among them are replaced in
/// the other parts: in `a && (a || b)` and in `!a || (a && b)`, `a` holds where it matters. None if that changes nothing.
fn propagated(parts: &[Formula], is_all: bool) -> Option<Vec<Formula>> {
    let mut literals = Vec::new();
    for part in parts {
        if let Formula::Literal(atom, holds) = part {
            literals.push((atom, *holds == is_all));
        }
    }
    let known = |atom: &Atom| {
        let mut own = literals.iter().filter(|(other, _)| *other == atom);
        own.next().map(|(_, holds)| Known::from(*holds))
    };
    let replaced = parts.iter().map(|part| match part {
        Formula::All(_) | Formula::Any(_) => part.given(&known),
        other => other.clone(),
    });
    let replaced: Vec<Formula> = replaced.collect();
    (replaced != parts).then_some(replaced)
}

/// Removes the items that another one makes superfluous: in `a || (a && b)` the second, and in `a && (a || b)` too.
fn absorb(items: &mut Vec<Formula>, is_all: bool) {
    let mut number = 0;
    while let Some(own) = items.get(number) {
        let is_absorbed = items.iter().enumerate().any(|(place, other)| {
            let makes_superfluous = |other: &Formula, own: &Formula| match is_all {
                true => other.implies(own),
                false => own.implies(other),
            };
            // Of two that are the same, the first remains.
            place != number
                && makes_superfluous(other, own)
                && (place < number || !makes_superfluous(own, other))
        });
        match is_absorbed {
            true => drop(items.remove(number)),
            false => number += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Formula, Known};
    use crate::migrate::atom::Atom;

    fn method(name: &str) -> Formula {
        Formula::atom(Atom::Method(name.to_owned()))
    }

    #[test]
    fn constants_and_contradictions_are_simplified() {
        let get = method("GET");
        assert_eq!(Formula::all([get.clone(), Formula::True]), get);
        assert_eq!(Formula::any([get.clone(), Formula::True]), Formula::True);
        assert_eq!(
            Formula::all([get.clone(), get.clone().negated()]),
            Formula::False
        );
        assert_eq!(
            Formula::any([get.clone(), get.clone().negated()]),
            Formula::True
        );
    }

    #[test]
    fn what_another_part_implies_is_removed() {
        let (get, put) = (method("GET"), method("PUT"));
        let both = Formula::all([get.clone(), put.clone()]);
        assert_eq!(Formula::any([both, get.clone()]), get);
        let either = Formula::any([get.clone(), put.clone()]);
        assert_eq!(Formula::all([get.clone(), either]), get);
        let both = Formula::all([get.clone(), put.clone()]);
        let not_get = get.negated();
        assert_eq!(
            Formula::any([not_get.clone(), both]),
            Formula::any([not_get, put])
        );
    }

    #[test]
    fn what_is_mixed_never_makes_a_formula_true() {
        let mixed = |_: &Atom| Some(Known::Mixed);
        assert_eq!(method("GET").given(&mixed), Formula::False);
        assert_eq!(method("GET").negated().given(&mixed), Formula::False);
    }

    #[test]
    fn a_tautology_is_recognised() {
        let (get, put) = (method("GET"), method("PUT"));
        let not_get = get.clone().negated();
        let formula = Formula::any([
            Formula::all([get.clone(), put.clone()]),
            Formula::all([get, put.negated()]),
            not_get,
        ]);
        assert!(formula.is_always_true());
        assert!(!method("GET").is_always_true());
    }
}
