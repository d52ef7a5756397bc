//! The measurements as tables and as a plot.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const COMMAND: &str = "make bench";

/// Whether a ratio below its bound fails the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    Held,
    Shown,
}

/// The cost of one arm divided by the cost of another. Above 1, the other arm is cheaper.
pub struct Comparison {
    cost_of: &'static str,
    over_that_of: &'static str,
    least: Option<f64>,
}

impl Comparison {
    pub const fn new(cost_of: &'static str, over_that_of: &'static str) -> Self {
        Self {
            cost_of,
            over_that_of,
            least: None,
        }
    }

    pub const fn at_least(self, least: f64) -> Self {
        Self {
            least: Some(least),
            ..self
        }
    }
}

/// The measurements.
pub struct Report {
    /// The names of the arms; the first has no filter.
    pub names: Vec<&'static str>,
    /// The cost of each arm in each round, in microseconds.
    pub rounds: Vec<Vec<f64>>,
    pub comparisons: &'static [Comparison],
    pub setting: String,
}

/// The minimum, median and maximum of several rounds.
#[derive(Clone, Copy)]
struct Summary {
    least: f64,
    median: f64,
    most: f64,
}

impl Summary {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self {
            least: values[0],
            median: values[values.len() / 2],
            most: values[values.len() - 1],
        }
    }

    fn range(self, digits: usize) -> String {
        format!("{:.digits$} to {:.digits$}", self.least, self.most)
    }
}

impl Report {
    fn arm(&self, number: usize) -> Summary {
        Summary::of(self.rounds.iter().map(|round| round[number]))
    }

    fn added(&self, number: usize) -> Summary {
        Summary::of(self.rounds.iter().map(|round| round[number] - round[0]))
    }

    fn ratio(&self, comparison: &Comparison) -> Summary {
        let number = |name| {
            self.names
                .iter()
                .position(|own| *own == name)
                .expect("an arm of that name")
        };
        let (above, below) = (number(comparison.cost_of), number(comparison.over_that_of));
        Summary::of(self.rounds.iter().map(|round| round[above] / round[below]))
    }

    /// A message for each median that is below its bound.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.comparisons.iter().filter_map(|comparison| {
            let (ratio, least) = (self.ratio(comparison).median, comparison.least?);
            let Comparison {
                cost_of,
                over_that_of,
                ..
            } = comparison;
            (ratio < least).then(|| {
                format!("{cost_of} : {over_that_of}: expected at least {least}, found {ratio:.2}")
            })
        });
        missed.collect()
    }

    /// The tables, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "| arm | CPU µs per request | min to max | more than no filter |\n|---|---:|---:|---:|\n".to_owned();
        for (number, name) in self.names.iter().enumerate() {
            let (own, added) = (self.arm(number), self.added(number).median);
            let _ = writeln!(
                text,
                "| {name} | {:.1} | {} | {added:.1} |",
                own.median,
                own.range(1)
            );
        }
        text.push_str("\n| ratio of costs | median | min to max | bound |\n|---|---:|---:|---:|\n");
        for comparison in self.comparisons {
            let ratio = self.ratio(comparison);
            let bound = comparison
                .least
                .map_or_else(String::new, |least| format!("≥ {least}"));
            let Comparison {
                cost_of,
                over_that_of,
                ..
            } = comparison;
            let _ = writeln!(
                text,
                "| {cost_of} : {over_that_of} | {:.2} | {} | {bound} |",
                ratio.median,
                ratio.range(2)
            );
        }
        text
    }

    /// Writes `benchmarks.md` and `benchmarks.svg` into a folder.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for the documentation");
        let page = format!(
            include_str!("page.md"),
            command = COMMAND,
            setting = self.setting,
            rounds = self.rounds.len(),
            tables = self.markdown()
        );
        fs::write(folder.join("benchmarks.md"), page).expect("benchmarks.md is written");
        fs::write(folder.join("benchmarks.svg"), self.svg()).expect("benchmarks.svg is written");
    }

    /// The plot: a bar up to the median of each arm, and a line from the minimum to the maximum.
    fn svg(&self) -> String {
        const LEFT: f64 = 330.0;
        const WIDTH: f64 = 380.0;
        const ROW: usize = 24;
        let arms: Vec<Summary> = (0..self.names.len())
            .map(|number| self.arm(number))
            .collect();
        let widest = Summary::of(arms.iter().map(|arm| arm.most)).most;
        let x = |microseconds: f64| LEFT + WIDTH * microseconds / widest;
        let height = ROW * (arms.len() + 2);
        let mut svg = format!(
            include_str!("head.svg"),
            height = height,
            below = height - 12
        );
        for (row, (name, arm)) in self.names.iter().zip(&arms).enumerate() {
            let top = ROW * row + 12;
            let kind = if name.starts_with("Countersign") {
                "ours"
            } else {
                "other"
            };
            let (bar, line, text) = (top + 4, top + 12, top + 16);
            let (width, least, most) = (x(arm.median) - LEFT, x(arm.least), x(arm.most));
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{name}</text>\
                 <rect class=\"{kind}\" x=\"{LEFT}\" y=\"{bar}\" width=\"{width:.1}\" height=\"16\"/>\
                 <path d=\"M{least:.1} {line}H{most:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{text}\">{:.1}</text>",
                LEFT - 8.0,
                most + 6.0,
                arm.median
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}
