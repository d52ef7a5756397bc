//! The filter in a real Envoy. Each test starts its own.
#![allow(clippy::restriction, reason = "a test may panic")]

#[path = "../pages/mod.rs"]
mod pages;
#[path = "../published/mod.rs"]
mod published;
#[path = "../support/mod.rs"]
mod support;

mod access_logs;
mod audit;
mod certificates;
mod comparison;
mod conditions;
mod cookbook;
mod credentials;
mod delivery;
mod denied_calls;
mod docs;
mod example_issuers;
mod fetching;
mod handoff;
mod host;
mod host_calls;
mod host_crypto;
mod https;
mod introspection;
mod keys;
mod leaks;
mod lists;
mod manifests;
mod metrics;
mod migrate;
mod mistakes;
mod mtls;
mod preflights;
mod proofs;
mod replays;
mod routes;
mod several_proxies;
mod shadow;
mod surroundings;
mod tables;
mod throttle;
mod trailers;
mod upstream_answers;
mod users;
