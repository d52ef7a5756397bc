//! The tables.

use std::fmt::Write as _;

use crate::bounds::{BOUND_CHAIN, BOUNDS, Figure};
use crate::chains::Chain;
use crate::rounds::Results;
use crate::situations::Situation;
use crate::statistics::{median, percentile};

/// The measurements of the rounds.
pub struct Report<'a> {
    pub results: &'a Results,
}

impl Report<'_> {
    /// The ratios that have bounds.
    pub fn bounds(&self) -> String {
        let mut text = "| situation, and what is compared | bound | with less filter state | interval | by default |\n\
                        |---|---:|---:|---:|---:|\n"
            .to_owned();
        for bound in &BOUNDS {
            let ratio = bound.ratio(self.results, BOUND_CHAIN);
            let mark = if bound.missed(self.results).is_some() {
                ", **missed**"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "| {} | {} | {:.2}{mark} | {:.2} to {:.2} | {:.2} |",
                bound.name(),
                bound.limit.symbol(),
                ratio.value,
                ratio.least,
                ratio.most,
                bound.ratio(self.results, Chain::Countersign).value
            );
        }
        text
    }

    /// The figures of each chain in each situation.
    pub fn figures(&self) -> String {
        let mut text = "| situation | filters | added CPU, µs | CPU, µs | requests per CPU second | p50, µs | p99, µs |\n\
                        |---|---|---:|---:|---:|---:|---:|\n"
            .to_owned();
        for situation in Situation::ALL {
            for chain in situation.chains() {
                let added = median(Figure::AddedCost.of(self.results, situation, *chain));
                let throughput = median(Figure::Throughput.of(self.results, situation, *chain));
                let measured = &self.results[&(situation, *chain)];
                let cost = median(measured.spent.iter().map(|spent| spent.cost()));
                let times = || measured.times.iter().map(|time| time.as_secs_f64() * 1e6);
                let _ = writeln!(
                    text,
                    "| {} | {} | {added:.1} | {cost:.1} | {throughput:.0} | {:.0} | {:.0} |",
                    situation.name(),
                    chain.name(),
                    percentile(times(), 50),
                    percentile(times(), 99)
                );
            }
        }
        text
    }

    /// The tables, in Markdown.
    pub fn markdown(&self) -> String {
        format!("{}\n{}", self.bounds(), self.figures())
    }
}
