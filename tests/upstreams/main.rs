//! A fleet of real servers behind the filter in a real Envoy: odd requests, and ordinary ones. `make test-upstreams`
//! installs the servers and runs this.
#![allow(clippy::restriction, reason = "a test may panic")]

// The driver takes the pieces of paths, the seeds, and the models.
#[allow(dead_code)]
#[path = "../support/fuzz.rs"]
mod fuzz;
#[path = "../support/mod.rs"]
mod support;

mod driver;
mod odd;
mod ordinary;
