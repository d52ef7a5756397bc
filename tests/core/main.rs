//! The library: what it decides and answers, without an Envoy and at times that the tests choose.
#![allow(clippy::restriction, reason = "a test may panic")]

#[path = "../support/fuzz.rs"]
mod fuzz;
#[path = "../published/mod.rs"]
mod published;
#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod allocations;
mod answers;
mod api_keys;
mod callers;
mod claims;
mod clock;
mod cookies;
mod denied_counters;
mod document;
mod document_answers;
mod document_possession;
mod filter_state;
mod harness;
mod hidden;
mod introspection;
mod keys;
mod leaks;
mod lists;
mod memory;
mod mistakes;
mod outage;
mod passwords;
mod paths;
mod possession;
mod providers;
mod rfc_9068;
mod secrets;
mod sending;
mod tables;
mod throttle;
mod vectors;
mod wildcards;
mod work;
