//! Presented → Principal.
pub mod jwk;
pub mod signature;
