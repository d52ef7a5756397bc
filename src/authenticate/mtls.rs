//! Client certificates: the names by which a client authenticated its TLS connection (RFC 8446 §4.4.2).
//!
//! The host verifies the certificate. A certificate with another name is not a credential of the provider, because clients
//! present one certificate for a whole connection, whatever the request.

pub mod subject;

use self::subject::SubjectPattern;
use super::granted::Granted;
use super::principal::Verified;
use super::{Evidence, Offer};
use crate::kinds;
use crate::request::PeerCertificate;

/// How a provider recognizes client certificates.
#[derive(Debug)]
pub struct Mtls {
    /// This build verifies this kind.
    pub kind: kinds::Mtls,
    /// The names that it accepts.
    pub subjects: Vec<SubjectPattern>,
}

impl Mtls {
    /// What a 401 offers: nothing, because no scheme asks for a certificate.
    pub fn offers(&self) -> &[Offer] {
        &[]
    }

    /// The accepted name of a certificate: its URI, else its DNS name.
    pub fn claim(&self, peer: &dyn PeerCertificate) -> Option<String> {
        let uri = peer
            .uri()
            .filter(|uri| self.has(|own| own.matches_uri(uri)));
        let dns = || {
            peer.dns()
                .filter(|dns| self.has(|own| own.matches_dns(dns)))
        };
        uri.or_else(dns)
    }

    fn has(&self, is_meant: impl Fn(&SubjectPattern) -> bool) -> bool {
        self.subjects.iter().any(is_meant)
    }

    /// The caller with an accepted name.
    pub(super) fn verify(&self, subject: &str) -> Verified {
        Verified {
            subject: Some(subject.to_owned()),
            scopes: Granted::default(),
            roles: Granted::default(),
            groups: Granted::default(),
            evidence: Evidence::Certificate,
            confirmation: None,
            payload: Vec::new(),
        }
    }
}
