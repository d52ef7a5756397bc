//! The host's crypto: Envoy's foreign function `verify_signature`, which uses BoringSSL.
//!
//! ```protobuf
//! message VerifySignatureArguments { string hash_function = 1; bytes public_key = 2; bytes signature = 3; bytes text = 4; }
//! message VerifySignatureResult { bool result = 1; string error = 2; }
//! ```
//!
//! `public_key` is a SubjectPublicKeyInfo in DER. The function does not support PSS, EdDSA and HMAC.

use prost::Message as _;

use super::ffi;
use crate::authenticate::jose::signature::{Backend, Signed, Unavailable};

const FUNCTION: &str = "verify_signature";

/// Protobuf's wire type of a value with its length before it.
const LENGTH_DELIMITED: u8 = 2;

/// The answer to a valid signature, which needs no decoder: `result` is true, and there is no other field.
const RIGHT: [u8; 2] = [1 << 3, 1];

/// Verifies signatures with the host, for the algorithms that
/// [`self_test`](crate::authenticate::jose::signature::self_test) has found to work.
#[derive(Clone, Copy, Debug)]
pub struct HostCrypto;

/// The host's answer. Its `error` is not read: if there is an answer, the host has verified the signature.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(bool, tag = "1")]
    result: bool,
}

impl Backend for HostCrypto {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        let hash = signed.algorithm().hash_name().ok_or(Unavailable)?;
        let key = signed.key().spki_der().ok_or(Unavailable)?;
        let signature = signed.x509_signature();
        let fields = [hash.as_bytes(), key, &signature, signed.message()];
        let arguments = message(&fields).ok_or(Unavailable)?;
        let answer = ffi::foreign_function(FUNCTION, &arguments).ok_or(Unavailable)?;
        if *answer == RIGHT {
            return Ok(true);
        }
        let answer = Answer::decode(answer.as_slice()).map_err(|_| Unavailable)?;
        Ok(answer.result)
    }
}

/// A protobuf message with these fields, numbered from 1, in one allocation.
fn message(fields: &[&[u8]]) -> Option<Vec<u8>> {
    let size = |field: &&[u8]| 1 + prost::length_delimiter_len(field.len()) + field.len();
    let mut message = Vec::with_capacity(fields.iter().map(size).sum());
    for (number, field) in (1_u8..).zip(fields) {
        message.push(number << 3 | LENGTH_DELIMITED);
        prost::encode_length_delimiter(field.len(), &mut message).ok()?;
        message.extend_from_slice(field);
    }
    Some(message)
}
