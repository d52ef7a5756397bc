//! Two backends as one: who verifies is settled before the first signature.

use super::{AlgorithmSet, Backend, Pure, Signed, Unavailable};

/// A host for the algorithms that were chosen, [`Pure`] for all others.
///
/// A host that fails later is no reason to ask [`Pure`]: what was chosen stays, and the signature is not judged.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<H> {
    host: H,
    by_host: AlgorithmSet,
}

impl<H> Chosen<H> {
    /// The host for the algorithms of `by_host`.
    pub const fn new(host: H, by_host: AlgorithmSet) -> Self {
        Self { host, by_host }
    }

    /// The algorithms of the host.
    pub const fn by_host(&self) -> AlgorithmSet {
        self.by_host
    }
}

impl<H: Backend> Backend for Chosen<H> {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        if self.by_host.contains(signed.algorithm()) {
            self.host.verifies(signed)
        } else {
            Pure.verifies(signed)
        }
    }
}
