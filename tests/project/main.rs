//! The repository: its layers, the built module, its documentation, schemas and examples, and which conformance rows the
//! tests show.
#![allow(clippy::restriction, reason = "a test may panic")]

#[path = "../pages/mod.rs"]
mod pages;
#[path = "../support/mod.rs"]
mod support;

mod compose;
mod coverage;
mod decisions;
mod docs;
mod issuers;
mod layers;
mod manifests;
mod module;
mod monitoring;
mod reference;
mod schema;
mod telemetry;
