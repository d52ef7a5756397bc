//! What a rule asks of requests.

use super::Requirements;
use super::condition::Condition;
use crate::authenticate::{Offer, ProviderId};

/// What a rule, or the default, asks of a request.
#[derive(Debug)]
pub enum Access {
    /// Nothing: credentials are ignored.
    Public,
    /// No credential, but one that is presented must be valid.
    Optional(Gate),
    /// A credential.
    Required(Gate),
    /// Nothing: every request receives this response of the configuration.
    Respond(ReplyId),
    /// Every request is denied. Without a valid credential it receives 401 all the same, so that what exists is not
    /// disclosed.
    Closed(Gate),
}

/// A response of the configuration, by its position among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyId(pub usize);

/// Which credentials are accepted, and what their callers must have.
#[derive(Debug)]
pub struct Gate {
    /// The accepted providers.
    pub providers: Vec<ProviderId>,
    /// Tells sets of accepted providers apart, where two could select different providers for one credential.
    pub choice: usize,
    /// What a 401 offers, in the order of the providers.
    pub offers: Vec<Offer>,
    /// What the caller must have.
    pub requirements: Requirements,
}

impl Access {
    /// Whether one of its conditions is as `wanted`.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.gate()
            .is_some_and(|gate| gate.requirements.has_condition(wanted))
    }

    /// What is asked of credentials; none where they are ignored.
    pub fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Public | Self::Respond(_) => None,
            Self::Optional(gate) | Self::Required(gate) | Self::Closed(gate) => Some(gate),
        }
    }

    /// The same, for the compilation of a configuration.
    pub fn gate_mut(&mut self) -> Option<&mut Gate> {
        match self {
            Self::Public | Self::Respond(_) => None,
            Self::Optional(gate) | Self::Required(gate) | Self::Closed(gate) => Some(gate),
        }
    }
}
