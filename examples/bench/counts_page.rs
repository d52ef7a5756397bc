//! The counts as a table, and as `docs/benchmark-counts.md`.

use std::fmt::Write as _;
use std::fs;

use crate::counts::Counts;
use crate::situations::Situation;
use crate::support::in_repository;

/// The counts of a filter chain in a situation.
#[derive(Clone)]
pub struct Row {
    pub situation: Situation,
    pub name: String,
    pub counts: Counts,
}

/// A table with the rows of each situation together, and the difference of each to the first.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = "| situation | filters | instructions | added | L1 code misses | added | L1 data misses | added | L2 misses | added |\n\
                    |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    let mut rows: Vec<&Row> = rows.iter().collect();
    // A stable sort: the chains stay in order.
    rows.sort_by_key(|row| row.situation);
    let mut first = None;
    for row in rows {
        if first.is_none_or(|first: &Row| first.situation != row.situation) {
            first = Some(row);
        }
        let without = first.expect("a first row").counts;
        let _ = write!(text, "| {} | {} |", row.situation.name(), row.name);
        for of in [
            |counts: &Counts| counts.instructions,
            |counts: &Counts| counts.first_code,
            |counts: &Counts| counts.first_data,
            |counts: &Counts| counts.last,
        ] {
            let _ = write!(
                text,
                " {:.0} | {:.0} |",
                of(&row.counts),
                of(&row.counts) - of(&without)
            );
        }
        text.push('\n');
    }
    text
}

/// Writes the page.
pub fn write(rows: &[Row]) {
    let page = format!(include_str!("counts.md"), table = markdown(rows));
    fs::write(in_repository("docs/benchmark-counts.md"), page).expect("the page is written");
}
