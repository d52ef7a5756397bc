//! What the filter writes as filter state.

/// A part of a decision that the filter can write as filter state, for access logs and for the filters behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateName {
    /// Why the request is denied.
    Reason,
    /// The rule that matches.
    Rule,
    /// The provider that verified the first caller.
    Provider,
    /// The subject of the first caller.
    Subject,
}

impl StateName {
    /// Every name.
    pub const ALL: [Self; 4] = [Self::Reason, Self::Rule, Self::Provider, Self::Subject];

    /// The name of the filter state, without the `wasm.` that Envoy adds.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Reason => "countersign.reason",
            Self::Rule => "countersign.rule",
            Self::Provider => "countersign.provider",
            Self::Subject => "countersign.subject",
        }
    }
}
