//! What the filter may cost, compared with Envoy's own filters.

use crate::chains::Chain;
use crate::rounds::Results;
use crate::server::Spent;
use crate::situations::Situation;
use crate::statistics::{Ratio, median};

/// A bound of a ratio of figures of two chains in the same situation.
pub struct Bound {
    pub situation: Situation,
    pub over: Chain,
    pub figure: Figure,
    pub limit: Limit,
}

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The CPU time of Envoy for a request, more than without a filter.
    AddedCost,
    /// The requests for each second of the worker's CPU time.
    Throughput,
}

#[derive(Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// The chain whose ratios have to be within the bounds.
pub const BOUND_CHAIN: Chain = Chain::WithLessState;

pub const BOUNDS: [Bound; 5] = [
    Bound {
        situation: Situation::Repeated,
        over: Chain::JwtAuthnWithCache,
        figure: Figure::AddedCost,
        limit: Limit::AtMost(1.0),
    },
    Bound {
        situation: Situation::NeverSeen,
        over: Chain::JwtAuthn,
        figure: Figure::AddedCost,
        limit: Limit::AtMost(1.0),
    },
    Bound {
        situation: Situation::NoToken,
        over: Chain::JwtAuthn,
        figure: Figure::Throughput,
        limit: Limit::AtLeast(0.75),
    },
    Bound {
        situation: Situation::ForgedRepeated,
        over: Chain::JwtAuthn,
        figure: Figure::AddedCost,
        limit: Limit::AtMost(0.3),
    },
    Bound {
        situation: Situation::Public,
        over: Chain::Empty,
        figure: Figure::AddedCost,
        limit: Limit::AtMost(2.0),
    },
];

impl Figure {
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddedCost => "added CPU time",
            Self::Throughput => "throughput",
        }
    }

    /// The figure of a chain in each round.
    pub fn of(self, results: &Results, situation: Situation, chain: Chain) -> Vec<f64> {
        let spent = &results[&(situation, chain)].spent;
        match self {
            Self::AddedCost => {
                let without = &results[&(situation, Chain::NoFilter)].spent;
                let pairs = spent.iter().zip(without);
                pairs
                    .map(|(with, without)| with.cost() - without.cost())
                    .collect()
            }
            Self::Throughput => spent
                .iter()
                .map(|spent: &Spent| spent.throughput())
                .collect(),
        }
    }
}

impl Bound {
    /// The ratio of a chain's figure over that of [`over`](Self::over).
    pub fn ratio(&self, results: &Results, chain: Chain) -> Ratio {
        let of = |chain| self.figure.of(results, self.situation, chain);
        Ratio::of_medians(&of(chain), &of(self.over))
    }

    /// What the bound is about.
    pub fn name(&self) -> String {
        let Self {
            situation,
            over,
            figure,
            ..
        } = self;
        format!(
            "{}: {} over that of {}",
            situation.name(),
            figure.name(),
            over.name()
        )
    }

    /// A message if the ratio is outside the bound, or if the medians are not above zero: then the run was too noisy to tell.
    pub fn missed(&self, results: &Results) -> Option<String> {
        let ratio = self.ratio(results, BOUND_CHAIN);
        let is_positive = |chain| median(self.figure.of(results, self.situation, chain)) > 0.0;
        let is_measured = is_positive(BOUND_CHAIN) && is_positive(self.over);
        let is_held = is_measured && self.limit.holds(ratio.value);
        (!is_held).then(|| {
            format!(
                "{}: expected {}, found {:.2} ({:.2} to {:.2})",
                self.name(),
                self.limit.words(),
                ratio.value,
                ratio.least,
                ratio.most
            )
        })
    }
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most:.2}"),
            Self::AtLeast(least) => format!("at least {least:.2}"),
        }
    }

    /// As in a table.
    pub fn symbol(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most:.2}"),
            Self::AtLeast(least) => format!("≥ {least:.2}"),
        }
    }
}
