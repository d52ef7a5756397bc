//! A backend that uses the host for some algorithms. The algorithms are fixed before the first signature.

use super::{Algorithm, AlgorithmSet, Backend, Pure, Signed, Unavailable};

/// The host for the chosen algorithms, [`Pure`] for all others.
///
/// If the host fails later, [`Pure`] does not replace it: the signature cannot be verified.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<H> {
    host: H,
    by_host: AlgorithmSet,
}

impl<H> Chosen<H> {
    /// A backend that uses `host` for the algorithms of `by_host`.
    pub const fn new(host: H, by_host: AlgorithmSet) -> Self {
        Self { host, by_host }
    }

    /// The algorithms that the host verifies.
    pub const fn by_host(&self) -> AlgorithmSet {
        self.by_host
    }
}

impl<H: Backend> Backend for Chosen<H> {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        if self.uses_host(signed.algorithm()) {
            self.host.verifies(signed)
        } else {
            Pure.verifies(signed)
        }
    }

    fn uses_host(&self, algorithm: Algorithm) -> bool {
        self.by_host.contains(algorithm)
    }
}
