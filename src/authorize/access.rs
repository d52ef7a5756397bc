//! What a rule requires of requests.

use super::condition::Condition;
use super::{Principals, Requirements};
use crate::authenticate::{Offer, ProviderId};

/// What a rule, or the default, requires of a request.
#[derive(Debug)]
pub enum Access {
    /// Nothing. Credentials are ignored.
    Public,
    /// No credential. If there is one, it must be valid.
    Optional(Gate),
    /// A credential.
    Required(Gate),
    /// Nothing. The answer is this response of the configuration.
    Respond(ReplyId),
    /// Every request is denied. A request without a valid credential receives 401, so that the answer does not disclose
    /// which paths exist.
    Closed(Gate),
}

/// A response of the configuration, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyId(pub usize);

/// Which credentials are accepted, and what their callers must have.
#[derive(Debug)]
pub struct Gate {
    /// The accepted providers, in the order in which their callers rank.
    pub providers: Vec<ProviderId>,
    /// Of how many of them a request needs a credential.
    pub needs: Needs,
    /// The number of this set of accepted providers. Two sets have different numbers if they could select different
    /// providers for the same credential.
    pub choice: usize,
    /// The position of this gate among all of the configuration.
    pub number: usize,
    /// Whether locations that only other providers read are not looked at (`other_credentials: ignore`).
    pub ignores_others: bool,
    /// What a 401 offers, in the order of the providers.
    pub offers: Vec<Offer>,
    /// What the caller must have.
    pub requirements: Requirements,
}

/// Of how many accepted providers a request needs a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// One.
    One,
    /// Each (`require_all`).
    Each,
}

impl Gate {
    /// The providers of which a credential is missing, although there is a caller.
    pub fn missing<'a>(&'a self, callers: &'a Principals) -> impl Iterator<Item = ProviderId> + 'a {
        let needed: &[ProviderId] = match self.needs {
            Needs::One => &[],
            Needs::Each => &self.providers,
        };
        let is_missing = |id: &ProviderId| callers.iter().all(|caller| caller.provider() != *id);
        needed.iter().copied().filter(is_missing)
    }

    /// Whether the requirements are checked for callers of this provider. If several credentials are needed, they are
    /// checked for the caller of the first.
    pub fn checks(&self, provider: ProviderId) -> bool {
        match self.needs {
            Needs::One => self.providers.contains(&provider),
            Needs::Each => self.providers.first() == Some(&provider),
        }
    }

    /// Whether both gates read the same credentials of every request, and select the same providers for them.
    pub fn reads_like(&self, other: &Self) -> bool {
        self.choice == other.choice
            && self.ignores_others == other.ignores_others
            && (!self.ignores_others || self.providers == other.providers)
    }
}

impl Access {
    /// Whether `wanted` returns true for one of its conditions.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.gate()
            .is_some_and(|gate| gate.requirements.has_condition(wanted))
    }

    /// What is required of credentials. None if they are ignored.
    pub fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Public | Self::Respond(_) => None,
            Self::Optional(gate) | Self::Required(gate) | Self::Closed(gate) => Some(gate),
        }
    }

    /// As [`Self::gate`], for the compilation of the configuration.
    pub fn gate_mut(&mut self) -> Option<&mut Gate> {
        match self {
            Self::Public | Self::Respond(_) => None,
            Self::Optional(gate) | Self::Required(gate) | Self::Closed(gate) => Some(gate),
        }
    }
}
