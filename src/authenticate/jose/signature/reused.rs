//! What is computed once for many uses.

use std::sync::OnceLock;

/// A value that is computed at the second use.
///
/// The keys of an issuer verify many signatures. The key in a proof of possession verifies one, for which a value that
/// takes longer than the verification does not pay.
#[derive(Clone)]
pub struct Reused<T> {
    first: OnceLock<()>,
    value: OnceLock<T>,
}

impl<T> Default for Reused<T> {
    fn default() -> Self {
        Self {
            first: OnceLock::new(),
            value: OnceLock::new(),
        }
    }
}

impl<T> Reused<T> {
    /// None at the first call, and then the value of the first `compute`.
    pub fn get(&self, compute: impl FnOnce() -> T) -> Option<&T> {
        let is_first = self.first.set(()).is_ok();
        (!is_first).then(|| self.value.get_or_init(compute))
    }
}
