//! Verifies DPoP proofs (RFC 9449 §4.3).
//!
//! A proof is a JWT that a client signs for one request, with the private key that its token is bound to. The checks have
//! the numbers of RFC 9449 §4.3:
//!
//! 1. The proof is a JWS in compact serialisation (2) without extensions. Its `typ` is `dpop+jwt` (4). Its `alg` is
//!    asymmetric and accepted (5). Its `jwk` is a public key that fits the algorithm (7).
//! 2. That key verifies the signature (6).
//! 3. The required claims are present (3). `htm` and `htu` are the request's method and URL (8, 9). `ath` is the hash of
//!    the token (12). `iat` is within the window (11).
//!
//! The caller has found the one proof of the request (1), and compares the key with the token's `cnf` (12), the nonce with
//! its own (10) and the `jti` with those that were used before (RFC 9449 §11.1).

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::jose::base64url;
use super::jose::claims::{Claims, Times};
use super::jose::jwk::embedded_key;
use super::jose::jws::{Compact, algorithm_of, parse_members};
use super::jose::signature::{Algorithm, AlgorithmSet, Backend, Key, SignatureFault, Verify as _};
use super::jose::thumbprint::thumbprint;
use super::jwt::is_kind;
use crate::json::{self, Json, Object};
use crate::kinds;
use crate::reject::ProofFault;
use crate::time::Timestamp;
use crate::url::names_resource;

/// The maximum length of a proof, in bytes. A proof with an RSA key of 4096 bits has about 2 kB.
const MAX_PROOF: usize = 8 * 1024;

/// The maximum length of a `jti`, in bytes. RFC 9449 §4.2 recommends a UUID or 96 random bits.
const MAX_JTI: usize = 512;

/// The tolerated difference between the client's clock and this one. Clocks that are set over the network differ by less.
/// A longer time would let a thief of a device prepare proofs for later (RFC 9449 §11.2), and each use must be remembered
/// for twice as long in addition to the window.
const CLOCK_SKEW: Duration = Duration::from_secs(10);

/// How long a nonce of this server is valid. A client learns the next one from the refusal of the last.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// How proofs are verified.
#[derive(Debug)]
pub struct Dpop {
    /// This build verifies this kind.
    pub kind: kinds::Dpop,
    /// The algorithms that are accepted. Symmetric ones are never accepted.
    pub algorithms: AlgorithmSet,
    /// How old a proof may be.
    pub window: Duration,
    /// Whether a proof must have a nonce of this server.
    pub needs_nonce: bool,
    /// The public origin of the requests, as [`Url::parse_origin`](crate::url::Url::parse_origin) returns it.
    pub origin: String,
}

/// What a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'r> {
    /// The method of the request.
    pub method: &'r [u8],
    /// The path of the request as it arrived, with the query.
    pub path: &'r [u8],
}

/// A proof that is valid for a request, a token and this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key that signed it, to compare with the token's `cnf.jkt`.
    pub thumbprint: [u8; 32],
    /// Its identifier, of 1 to 512 bytes. With the thumbprint it identifies the proof. The signature does not, because two
    /// signatures can be valid for one proof.
    pub jti: String,
    /// When it is no longer accepted in any case, so that its use can be forgotten.
    pub until: Timestamp,
    /// Its nonce.
    pub nonce: Option<String>,
}

/// Why a proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofRefusal {
    /// The proof is not valid.
    Fault(ProofFault),
    /// The host's cryptography fails, so that it is not known whether the proof is valid.
    Unavailable,
}

impl From<ProofFault> for ProofRefusal {
    fn from(fault: ProofFault) -> Self {
        Self::Fault(fault)
    }
}

impl Dpop {
    /// Verifies the proof for a request with a token, both as sent.
    ///
    /// # Errors
    /// [`ProofRefusal`] with the first fault, in the order of the module's documentation.
    pub fn verify(
        &self,
        proof: &[u8],
        target: &Target<'_>,
        token: &[u8],
        backend: &dyn Backend,
        now: Timestamp,
    ) -> Result<Proof, ProofRefusal> {
        if proof.len() > MAX_PROOF {
            return Err(ProofFault::Malformed.into());
        }
        let compact = Compact::parse(proof).map_err(|_| ProofFault::Malformed)?;
        let header = parse_members(compact.header()).map_err(|_| ProofFault::Malformed)?;
        let (algorithm, jwk, key) = self.check_header(&header)?;
        backend
            .verify(
                algorithm,
                &key,
                compact.signing_input(),
                compact.signature(),
            )
            .map_err(|fault| match fault {
                SignatureFault::Unavailable => ProofRefusal::Unavailable,
                SignatureFault::KeyMismatch | SignatureFault::Length | SignatureFault::Mismatch => {
                    ProofFault::Signature.into()
                }
            })?;
        let thumbprint = thumbprint(jwk).ok_or(ProofFault::Key)?;
        let Ok(Json::Object(claims)) = json::parse(compact.payload()) else {
            return Err(ProofFault::Claims.into());
        };
        let claims = ProofClaims::read(&claims)?;
        self.check_claims(&claims, target, token, now)?;
        Ok(Proof {
            thumbprint,
            jti: claims.jti.to_owned(),
            until: self.last_use(claims.issued).plus(Duration::from_millis(1)),
            nonce: claims.nonce.map(str::to_owned),
        })
    }

    /// The algorithm and the key of a proof.
    fn check_header<'h, 'a>(
        &self,
        header: &'h Object<'a>,
    ) -> Result<(Algorithm, &'h Object<'a>, Key), ProofFault> {
        let typ = header.get("typ").and_then(Json::as_str);
        if !typ.is_some_and(|typ| is_kind(typ, "dpop+jwt")) {
            return Err(ProofFault::Type);
        }
        let algorithm = algorithm_of(header).map_err(|_| ProofFault::Algorithm)?;
        if algorithm.is_symmetric() || !self.algorithms.contains(algorithm) {
            return Err(ProofFault::Algorithm);
        }
        let Some(Json::Object(jwk)) = header.get("jwk") else {
            return Err(ProofFault::Key);
        };
        let key = embedded_key(jwk, algorithm).ok_or(ProofFault::Key)?;
        Ok((algorithm, jwk, key))
    }

    fn check_claims(
        &self,
        claims: &ProofClaims<'_>,
        target: &Target<'_>,
        token: &[u8],
        now: Timestamp,
    ) -> Result<(), ProofFault> {
        if claims.htm.as_bytes() != target.method {
            return Err(ProofFault::Method);
        }
        let path = target.path.split(|byte| *byte == b'?').next();
        if !names_resource(claims.htu, &self.origin, path.unwrap_or_default()) {
            return Err(ProofFault::Url);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if base64url::decode_sha256(claims.ath) != Some(hash) {
            return Err(ProofFault::Token);
        }
        let is_current = claims.times.check(CLOCK_SKEW, now).is_ok();
        if !is_current || now > self.last_use(claims.issued) {
            return Err(ProofFault::Time);
        }
        Ok(())
    }

    /// The last moment at which a proof is accepted that was issued at this time.
    fn last_use(&self, issued: Timestamp) -> Timestamp {
        issued.plus(self.window).plus(CLOCK_SKEW)
    }
}

/// The claims of a proof (RFC 9449 §4.2).
struct ProofClaims<'c> {
    jti: &'c str,
    htm: &'c str,
    htu: &'c str,
    ath: &'c str,
    nonce: Option<&'c str>,
    issued: Timestamp,
    /// Also `exp` and `nbf`, which a proof does not need.
    times: Times,
}

impl<'c> ProofClaims<'c> {
    fn read(claims: &'c Claims<'_>) -> Result<Self, ProofFault> {
        let text = |name| {
            let text = claims.get(name).and_then(Json::as_str);
            text.ok_or(ProofFault::Claims)
        };
        let times = Times::of(claims).map_err(|_| ProofFault::Claims)?;
        let jti = text("jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI {
            return Err(ProofFault::Claims);
        }
        Ok(Self {
            jti,
            htm: text("htm")?,
            htu: text("htu")?,
            ath: text("ath")?,
            nonce: claims.get("nonce").map(|_| text("nonce")).transpose()?,
            issued: times.issued.ok_or(ProofFault::Claims)?,
            times,
        })
    }
}

#[cfg(test)]
mod tests;
