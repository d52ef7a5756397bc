//! The repository: its layers, the built module, its documentation, schemas and examples, and which conformance rows the
//! tests show.
#![allow(clippy::restriction, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod compose;
mod coverage;
mod decisions;
mod issuers;
mod layers;
mod module;
mod readme;
mod schema;
mod telemetry;
