//! `mtls`: a provider of client certificates.

use crate::config::read::object;

object! {
    /// A provider of client certificates, which the host has verified.
    pub struct Mtls {
        /// The accepted names. Each is compared with the first URI and the first DNS name of a certificate.
        #[schemars(extend(
            "minItems" = 1,
            "examples" = [["spiffe://cluster.local/ns/shop/sa/*", "*.partners.example.com"]]
        ))]
        required subjects: Vec<String>,
    }
}
