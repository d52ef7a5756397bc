//! The certificate with which a client authenticated its TLS connection.

use std::fmt;

/// The client's certificate, as the host verified it. Without TLS, or without a certificate, there is nothing of it.
///
/// Each part is read from the host when it is first needed, because most requests need none.
pub trait PeerCertificate: fmt::Debug {
    /// The SHA-256 of the certificate in DER (RFC 8705 §3.1).
    fn digest(&self) -> Option<[u8; 32]>;

    /// The first URI among its subject alternative names (RFC 5280 §4.2.1.6).
    fn uri(&self) -> Option<String>;

    /// The first DNS name among its subject alternative names.
    fn dns(&self) -> Option<String>;
}

/// A certificate whose parts are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownPeer {
    /// The SHA-256 of the certificate.
    pub digest: Option<[u8; 32]>,
    /// The first URI.
    pub uri: Option<String>,
    /// The first DNS name.
    pub dns: Option<String>,
}

impl PeerCertificate for KnownPeer {
    fn digest(&self) -> Option<[u8; 32]> {
        self.digest
    }

    fn uri(&self) -> Option<String> {
        self.uri.clone()
    }

    fn dns(&self) -> Option<String> {
        self.dns.clone()
    }
}
