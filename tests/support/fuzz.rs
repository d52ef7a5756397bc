//! The parts of `fuzz/` that tests use as well: random claims, cookies, paths and rules, and the models of the servers that
//! read paths.

pub use crate::support::random;

#[path = "../../fuzz/src/claims.rs"]
pub mod claims;
#[path = "../../fuzz/src/cookies.rs"]
pub mod cookies;
#[path = "../../fuzz/src/paths.rs"]
pub mod paths;
#[path = "../../fuzz/src/rules.rs"]
pub mod rules;
#[path = "../../fuzz/src/upstreams/mod.rs"]
pub mod upstreams;
