//! The native command, run as a process.
#![allow(clippy::restriction, reason = "a test may panic")]

mod check;
mod cli;
mod explain;
mod files;
mod findings;
mod help;
mod migrate;
mod mint;
mod mistakes;
mod possession;
mod reports;
mod require_all;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
mod tables;
