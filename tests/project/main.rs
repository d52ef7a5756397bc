//! The repository: its layers, the built module, its documentation, schemas and examples, and which conformance rows the
//! tests show.

#[path = "../support/mod.rs"]
mod support;

mod compose;
mod coverage;
mod layers;
mod module;
mod readme;
mod schema;
