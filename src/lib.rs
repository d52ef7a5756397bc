//! Countersign: a proxy-wasm filter that judges credentials and answers as the standards say.
//!
//! A request walks through one way, and never back:
//!
//! ```text
//! host bytes → request → credential → authenticate → authorize → decision → response → host bytes
//!                          ▲ config: document → plan, once ▲       ▲ store: keys, tokens ▲
//! ```
//!
//! The rules of the house:
//!
//! 1. The core is pure: no clock, no randomness, no host, no logging. They come in as arguments.
//! 2. Bytes until proven text; every occurrence of a header field, never "the first". Nothing on a request's path
//!    can panic: the lints below deny it. `unsafe` is in `host/ffi.rs` alone.
//! 3. Parse, don't validate: a document as typed, a plan as run; nothing in a plan can be invalid.
//! 4. Proof, not booleans: a [`authorize::Permit`], a [`authenticate::Principal`] and a
//!    [`authenticate::jwt::Verified`] are each made in one place, after the check.
//! 5. One `match` from [`reject::Reject`] to an answer, without a catch-all.
//! 6. Failing closed is a state of the plan, [`plan::Plan::refuse_all`].
//!
//! `tests/project/layers.rs` holds which part may name which.
#![deny(
    unsafe_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::indexing_slicing,
    clippy::string_slice
)]

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
pub mod json;
pub mod keys;
#[cfg(not(target_arch = "wasm32"))]
pub mod mint;
pub mod plan;
pub mod ports;
pub mod presentation;
pub mod reject;
pub mod request;
pub mod response;
pub mod scheme;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod url;
pub mod waiting;
