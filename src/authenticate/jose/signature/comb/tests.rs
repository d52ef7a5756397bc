use super::Comb;
use curve25519_dalek::EdwardsPoint;
use p256::ProjectivePoint;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::group::ff::{Field as _, PrimeField};
use rsa::rand_core::OsRng;

/// `a·A + b·B` as the crate of the curve computes it.
fn agree<P: Group>(little_endian: impl Fn(&P::Scalar) -> Vec<u8>) {
    let number = |small: u64| P::Scalar::from(small);
    let one = number(1);
    let edges = [
        number(0),
        one,
        number(2),
        number(63),
        number(64),
        -one,
        -number(2),
    ];
    let random = |_| P::Scalar::random(OsRng);
    let numbers: Vec<P::Scalar> = edges.into_iter().chain((0..3).map(random)).collect();
    let a = P::generator();
    let combs = [a, -a, a.double(), P::identity(), P::random(OsRng)];
    let first = Comb::new(a, 256);
    for b in combs {
        let second = Comb::new(b, 256);
        for x in &numbers {
            for y in &numbers {
                let sum = Comb::sum((&first, &little_endian(x)), (&second, &little_endian(y)));
                assert!(sum == a * x + b * y);
            }
        }
    }
}

#[test]
fn the_crate_of_each_curve_agrees() {
    agree::<EdwardsPoint>(|number| number.to_repr().to_vec());
    agree::<ProjectivePoint>(|number| number.to_repr().iter().rev().copied().collect());
}
