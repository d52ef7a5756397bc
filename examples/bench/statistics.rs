//! Medians, their ratios, and how certain these are.

use crate::support::random::Random;

/// The number of samples of a bootstrap.
const SAMPLES: usize = 2_000;

/// The middle of some values.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50)
}

/// The value below which so many percent of some values are.
pub fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}

/// A ratio, and the interval that has 95 % of the ratios of a bootstrap.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    pub value: f64,
    pub least: f64,
    pub most: f64,
}

impl Ratio {
    /// The median of some values over the median of others. Both have one value for each round.
    ///
    /// Added costs are small differences of noisy costs. Their ratio within one round has no useful limit, since the divisor can
    /// be close to zero. The medians are not.
    ///
    /// The interval comes from drawing rounds with replacement (Efron's bootstrap), both values of a round together.
    pub fn of_medians(above: &[f64], below: &[f64]) -> Self {
        let ratio = |rounds: &[usize]| {
            let of = |values: &[f64]| median(rounds.iter().map(|round| values[*round]));
            of(above) / of(below)
        };
        let all: Vec<usize> = (0..above.len()).collect();
        let mut random = Random::new(1);
        let draw = |random: &mut Random| -> Vec<usize> {
            all.iter().map(|_| random.below(all.len())).collect()
        };
        let mut sorted: Vec<f64> = (0..SAMPLES).map(|_| ratio(&draw(&mut random))).collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            value: ratio(&all),
            least: sorted[SAMPLES / 40],
            most: sorted[SAMPLES - 1 - SAMPLES / 40],
        }
    }
}
