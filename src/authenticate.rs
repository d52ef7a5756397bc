//! Presented → Principal.
pub mod base64url;
pub mod jwk;
pub mod jws;
pub mod signature;
