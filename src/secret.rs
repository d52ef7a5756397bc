//! A secret that the filter sends or signs with: the configuration has it, and no output shows it.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text. Its memory is overwritten when it is dropped. The configuration from which it was read is not overwritten,
/// and Envoy keeps it.
///
/// It has no `Display`, and its `Debug` shows no part of it:
///
/// ```
/// let secret = countersign::secret::Secret::new("xyzzy".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret");
/// assert_eq!(secret.expose(), "xyzzy");
/// ```
///
/// It has no `==` either, because that would not take constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Makes a text secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. It must not reach a log line, a metric or a response.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
