//! The tables of the sweeps.

use std::fmt::Write as _;

use crate::statistics::median;
use crate::sweeps::Sweep;

/// A table for each sweep.
pub fn tables(sweeps: &[Sweep]) -> String {
    let mut text = String::new();
    for sweep in sweeps {
        let _ = write!(
            text,
            "\n### By {}\n\n\
             | {} | filters | added CPU, µs | requests per second | added memory, MiB | found in the cache |\n\
             |---:|---|---:|---:|---:|---:|\n",
            sweep.name, sweep.unit
        );
        for point in &sweep.points {
            for (arm, (chain, _)) in point.arms.iter().enumerate() {
                let measured = &point.measured[arm];
                let rate = median(measured.spent.iter().map(|spent| spent.rate()));
                let (added, memory) = match arm {
                    0 => (String::new(), String::new()),
                    _ => (
                        format!("{:.1}", point.added(arm)),
                        format!("{:.1}", point.added_memory(arm)),
                    ),
                };
                let cached = match measured.cached.as_slice() {
                    [] => String::new(),
                    values => format!("{:.0} %", median(values.iter().copied())),
                };
                let _ = writeln!(
                    text,
                    "| {} | {} | {added} | {rate:.0} | {memory} | {cached} |",
                    grouped(point.number),
                    chain.name()
                );
            }
        }
    }
    text
}

/// The memory that a second worker adds, more than without a filter.
pub fn memory(sweeps: &[Sweep]) -> String {
    let mut text = "| filters | memory of a worker, MiB |\n|---|---:|\n".to_owned();
    let workers = sweeps.iter().find(|sweep| sweep.name == "workers");
    let Some([one, two]) = workers.map(|sweep| sweep.points.as_slice()) else {
        return text;
    };
    for (arm, (chain, _)) in one.arms.iter().enumerate().skip(1) {
        let added = two.added_memory(arm) - one.added_memory(arm);
        let _ = writeln!(text, "| {} | {added:.1} |", chain.name());
    }
    text
}

/// With a comma between thousands.
pub fn grouped(number: usize) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), number % 1_000),
    }
}
