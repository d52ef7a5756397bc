//! JOSE: signatures, keys and claims as JSON (RFC 7515, 7517, 7518, 7519).

pub mod base64url;
pub mod claims;
pub mod jwk;
pub mod jws;
pub mod keys;
pub mod signature;
pub mod thumbprint;
