//! Digest: proofs that the client knows a user's password (RFC 7616).
//!
//! The list of users has `H(A1)` in place of a password. It is as good as the password within its realm: who has it can
//! compute every response (RFC 7616 §5.13).

pub mod algorithm;
pub mod response;
pub mod users;

pub use self::algorithm::DigestAlgorithm;
pub use self::response::is_right;
pub use self::users::{DigestUser, DigestUsers, Ha1};
