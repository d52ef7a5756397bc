//! `mtls`: a provider of client certificates.

use crate::config::read::object;

object! {
    /// A provider of client certificates, which the host has verified.
    pub struct Mtls {
        /// The names that it accepts: `spiffe://cluster.local/ns/shop/sa/*`, `*.example.com`. Each is compared with the first URI
        /// and the first DNS name of a certificate.
        #[schemars(extend("minItems" = 1))]
        required subjects: Vec<String>,
    }
}
