//! Countersign: a proxy-wasm filter for Envoy that authenticates requests, and answers as the HTTP standards require.
//!
//! A request passes through one chain of parts, in one direction:
//!
//! ```text
//! host bytes → request → evaluate(credential → authenticate → authorize) → response → host bytes
//!                        ▲ plan, from config      ▲ store: tokens, failures, replays, hash budget; keys, lists, answers
//! ```
//!
//! Its rules:
//!
//! 1. The core is pure: it has no clock, no host and no log. They are passed as arguments.
//! 2. Input is bytes until it is proven to be text, and a header has every value that was sent, never "the first".
//!    Nothing on a request's path can panic: the lints in `Cargo.toml` deny it. `unsafe` is in `host/ffi.rs` alone.
//! 3. Parse, don't validate: a document is the configuration as typed, a plan is what runs. Nothing in a plan can be
//!    invalid.
//! 4. Proof, not booleans: an [`authenticate::Principal`], an [`authorize::Permit`] and an [`evaluate::Passage`] are
//!    each created in one place, after the check. The host forwards no request without a passage.
//! 5. Each kind of credential has one shape: see [`authenticate`]. One `match` in `evaluate/verify.rs` knows them all.
//! 6. One `match` without a catch-all, in `response/table.rs`, gives each [`reject::Reject`] its message and its
//!    [`reject::Code`]. A code has one name, one status and one title (`reject/code.rs`).
//! 7. Failing closed is a state of the plan: [`plan::Plan::refuse_all`].
//!
//! `tests/project/layers.rs` tests which part may name which.
pub mod authenticate;
pub mod authorize;
pub mod config;
pub mod credential;
pub mod evaluate;
pub mod grammar;
pub mod header_map;
#[cfg(target_arch = "wasm32")]
pub mod host;
pub mod identity;
pub mod introspector;
pub mod json;
pub mod keys;
pub mod kinds;
#[cfg(not(target_arch = "wasm32"))]
pub mod mint;
pub mod nonce;
pub mod plan;
pub mod ports;
pub mod presentation;
pub mod random;
pub mod reject;
pub mod request;
pub mod response;
pub mod scheme;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod url;
pub mod waiting;
