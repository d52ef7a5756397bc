//! The tables of the page, and the page.

mod plot;
mod sweeps;

use std::fmt::Write as _;
use std::fs;

use crate::bounds::{BOUND_CHAIN, BOUNDS, Figure};
use crate::chains::Chain;
use crate::rounds::Results;
use crate::situations::Situation;
use crate::statistics::{median, percentile};
use crate::support::in_repository;
use crate::sweeps::Sweep;

/// The measurements.
pub struct Report<'a> {
    pub results: &'a Results,
    pub rounds: usize,
    pub sweeps: &'a [Sweep],
    pub sweep_rounds: usize,
    /// The machine and the version of Envoy.
    pub setting: String,
}

impl Report<'_> {
    /// A message for each bound that is missed.
    pub fn missed(&self) -> Vec<String> {
        BOUNDS
            .iter()
            .filter_map(|bound| bound.missed(self.results))
            .collect()
    }

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
                let throughput = median(Figure::Throughput.of(self.results, situation, *chain));
                let measured = &self.results[&(situation, *chain)];
                let cost = median(measured.spent.iter().map(|spent| spent.cost()));
                let times = || measured.times.iter().map(|time| time.as_secs_f64() * 1e6);
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {cost:.1} | {throughput:.0} | {:.0} | {:.0} |",
                    situation.name(),
                    chain.name(),
                    self.added_words(situation, *chain),
                    percentile(times(), 50),
                    percentile(times(), 99)
                );
            }
        }
        text
    }

    /// The median over the rounds.
    fn added(&self, situation: Situation, chain: Chain) -> f64 {
        median(Figure::AddedCost.of(self.results, situation, chain))
    }

    fn added_words(&self, situation: Situation, chain: Chain) -> String {
        match chain {
            Chain::NoFilter => String::new(),
            _ => format!("{:.1}", self.added(situation, chain)),
        }
    }

    fn verdict(&self) -> String {
        let missed = self.missed();
        if missed.is_empty() {
            return "This run held every bound.".to_owned();
        }
        let lines: String = missed
            .iter()
            .map(|missed| format!("\n- {missed}"))
            .collect();
        format!("This run missed:\n{lines}")
    }

    /// Writes `docs/benchmarks.md` and its plots.
    pub fn write(&self) {
        let page = format!(
            include_str!("page.md"),
            setting = self.setting,
            rounds = self.rounds,
            sweep_rounds = self.sweep_rounds,
            verdict = self.verdict(),
            bounds = self.bounds(),
            figures = self.figures(),
            memory = sweeps::memory(self.sweeps),
            sweeps = sweeps::tables(self.sweeps),
        );
        for (name, text) in [
            ("benchmarks.md", page),
            ("benchmarks.svg", self.bars()),
            ("benchmarks-sweeps.svg", plot::lines(self.sweeps)),
        ] {
            fs::write(in_repository("docs").join(name), text).expect("the page is written");
        }
    }
}
