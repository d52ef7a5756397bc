//! Real clients and a real issuer of tokens, with the filter in a real Envoy. `make test-all` fetches what they need and
//! runs this.
#![allow(clippy::restriction, reason = "a test may panic")]

#[path = "../pages/mod.rs"]
mod pages;
#[path = "../support/mod.rs"]
mod support;

mod clients;
mod compose;
mod digest;
mod documented;
mod handoff;
mod image;
mod introspection;
mod issuer;
mod kinds;
mod kubernetes;
mod monitoring;
mod page;
mod passwords;
mod possession;
mod several_proxies;
