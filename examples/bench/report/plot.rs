//! The plots, as SVG.

use std::fmt::Write as _;

use super::Report;
use super::sweeps::grouped;
use crate::chains::Chain;
use crate::situations::Situation;
use crate::sweeps::Sweep;

/// The width of both plots.
const WIDTH: f64 = 760.0;
const STYLE: &str = include_str!("style.svg");

/// The chains of the plots. What is not among them is in the tables.
const SHOWN: [Chain; 4] = [
    Chain::Empty,
    Chain::JwtAuthnWithCache,
    Chain::JwtAuthn,
    Chain::Countersign,
];

fn class(chain: Chain) -> &'static str {
    match chain {
        Chain::Empty => "empty",
        Chain::JwtAuthnWithCache => "cached",
        Chain::JwtAuthn | Chain::ApiKeyAuth | Chain::BasicAuth => "theirs",
        _ => "ours",
    }
}

/// The name without the marks of Markdown.
fn name(chain: Chain) -> String {
    chain.name().replace('`', "")
}

fn begin(height: f64, label: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">\n{STYLE}"
    )
}

/// What each colour stands for, in one line.
fn legend(svg: &mut String, top: f64) {
    let mut left = 8.0;
    for chain in SHOWN {
        let name = name(chain);
        let _ = writeln!(
            svg,
            "<rect class=\"{}\" x=\"{left}\" y=\"{top}\" width=\"12\" height=\"12\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            class(chain),
            left + 18.0,
            top + 10.0
        );
        left += 50.0 + 6.6 * name.len() as f64;
    }
}

impl Report<'_> {
    /// The added cost of each situation: a bar for each chain.
    pub fn bars(&self) -> String {
        const LEFT: f64 = 150.0;
        const BAR: f64 = 13.0;
        const BETWEEN: f64 = 9.0;
        let is_shown = |chain: &&Chain| {
            !matches!(
                chain,
                Chain::NoFilter | Chain::WithLessState | Chain::WithoutAudit
            )
        };
        let groups: Vec<(Situation, Vec<(Chain, f64)>)> = Situation::ALL
            .into_iter()
            .map(|situation| {
                let chains = situation.chains().iter().filter(is_shown);
                let bars = chains.map(|chain| (*chain, self.added(situation, *chain)));
                (situation, bars.collect())
            })
            .collect();
        let all = groups.iter().flat_map(|(_, bars)| bars);
        let widest = all.clone().map(|(_, added)| *added).fold(1.0, f64::max);
        let scale = (WIDTH - LEFT - 60.0) / widest;
        let height = 60.0 + BETWEEN * groups.len() as f64 + BAR * all.count() as f64;
        let mut svg = begin(
            height,
            "CPU time that a filter adds to a request, by situation",
        );
        legend(&mut svg, 8.0);
        let mut top = 34.0;
        for (situation, bars) in &groups {
            let middle = top + BAR * bars.len() as f64 / 2.0 + 4.0;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                situation.name()
            );
            for (chain, added) in bars {
                let width = (added * scale).max(0.5);
                let _ = writeln!(
                    svg,
                    "<rect class=\"{}\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{}\"/>\
                     <text x=\"{:.1}\" y=\"{:.1}\">{added:.1}</text>",
                    class(*chain),
                    BAR - 2.0,
                    LEFT + width + 6.0,
                    top + BAR - 3.0
                );
                top += BAR;
            }
            top += BETWEEN;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{:.1}\">CPU µs of Envoy for a request, more than without a filter: median of the rounds</text>\n</svg>",
            top + 8.0
        );
        svg
    }
}

/// The added cost of each sweep: a panel with a line for each chain.
pub fn lines(sweeps: &[Sweep]) -> String {
    const PANEL: f64 = WIDTH / 3.0;
    const HIGH: f64 = 150.0;
    const ROW: f64 = HIGH + 70.0;
    let rows = sweeps.len().div_ceil(3) as f64;
    let mut svg = begin(
        34.0 + ROW * rows,
        "CPU time that a filter adds to a request, by sweep",
    );
    legend(&mut svg, 8.0);
    for (number, sweep) in sweeps.iter().enumerate() {
        let (left, top) = (
            PANEL * (number % 3) as f64 + 44.0,
            52.0 + ROW * (number / 3) as f64,
        );
        let (wide, bottom) = (PANEL - 70.0, top + HIGH);
        let arms: Vec<Chain> = sweep.points[0]
            .arms
            .iter()
            .map(|(chain, _)| *chain)
            .collect();
        let added = |point: usize, arm: usize| sweep.points[point].added(arm).max(0.0);
        let points = 0..sweep.points.len();
        let all = points
            .clone()
            .flat_map(|point| (1..arms.len()).map(move |arm| added(point, arm)));
        let highest = all.fold(1.0, f64::max);
        let x = |point: usize| left + wide * point as f64 / (sweep.points.len() - 1) as f64;
        let y = |value: f64| bottom - HIGH * value / highest;
        let _ = writeln!(
            svg,
            "<text x=\"{left}\" y=\"{}\">{}</text><path class=\"axis\" d=\"M{left} {top}V{bottom}H{}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{highest:.0}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">0</text>",
            top - 8.0,
            sweep.name,
            left + wide,
            left - 6.0,
            top + 10.0,
            left - 6.0,
            bottom
        );
        for point in points.clone() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                x(point),
                bottom + 16.0,
                grouped(sweep.points[point].number)
            );
        }
        for (arm, chain) in arms.iter().enumerate().skip(1) {
            let path: Vec<String> = points
                .clone()
                .map(|point| format!("{:.1} {:.1}", x(point), y(added(point, arm))))
                .collect();
            let _ = writeln!(
                svg,
                "<path class=\"line {}\" d=\"M{}\"/>",
                class(*chain),
                path.join("L")
            );
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"8\" y=\"{}\">CPU µs of Envoy for a request, more than without a filter: median of the rounds</text>\n</svg>",
        26.0 + ROW * rows
    );
    svg
}
