//! Multiplies points of a curve that are used again and again.
//!
//! A verification with ECDSA or EdDSA computes `a·A + b·B` for the generator and for the point of the key. The crates of
//! the curves do that with as many doublings as a number has bits, because they know nothing of the points before. With
//! a [`Comb`] of each point, it takes a sixth of the doublings, and two additions for each.
//!
//! Numbers and points are public, so the time may depend on them. Addition and doubling are those of the crates, whose
//! formulas have no exception: any point can be added to any other.

use p256::elliptic_curve::group::Group;

/// The bits of a number that one addition takes. The sums need 2⁶ points, 6 KiB on P-256. Eight bits would be a fifth
/// faster, with four times the memory.
const TEETH: usize = 6;

/// The sums of some multiples of a point: the comb of Lim and Lee (*More flexible exponentiation with precomputation*,
/// 1994).
#[derive(Clone)]
pub struct Comb<P> {
    /// At the index whose bits are `b₀ … b₅`, the sum of `bₜ·2^(t·spacing)·P`.
    sums: Box<[P]>,
    spacing: usize,
}

impl<P: Group> Comb<P> {
    /// The comb of a point, for numbers of up to `bits` bits.
    pub fn new(point: P, bits: usize) -> Self {
        let spacing = bits.div_ceil(TEETH);
        let mut sums = vec![P::identity()];
        let mut power = point;
        for tooth in 0..TEETH {
            if tooth > 0 {
                power = (0..spacing).fold(power, |power, _| power.double());
            }
            let with_power: Vec<P> = sums.iter().map(|sum| *sum + power).collect();
            sums.extend(with_power);
        }
        Self {
            sums: sums.into(),
            spacing,
        }
    }

    /// `a·A + b·B`: the points have combs for the same number of bits, the numbers are little-endian.
    pub fn sum(a: (&Self, &[u8]), b: (&Self, &[u8])) -> P {
        let rows = (0..a.0.spacing).rev();
        rows.fold(P::identity(), |sum, row| {
            sum.double() + a.0.at(a.1, row) + b.0.at(b.1, row)
        })
    }

    /// The sum for the bits of a number that are `spacing` apart, from the bit `row` on.
    fn at(&self, number: &[u8], row: usize) -> P {
        let bits = (0..TEETH).map(|tooth| bit(number, row + tooth * self.spacing) << tooth);
        let sum = self.sums.get(bits.sum::<usize>()).copied();
        sum.unwrap_or_else(P::identity)
    }
}

/// The bit of this value in a little-endian number.
fn bit(number: &[u8], bit: usize) -> usize {
    let octet = number.get(bit / 8).copied().unwrap_or_default();
    usize::from(octet >> (bit % 8) & 1)
}

#[cfg(test)]
mod tests;
