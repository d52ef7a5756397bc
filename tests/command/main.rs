//! The native command, run as a process.
#![allow(clippy::restriction, reason = "a test may panic")]

mod cli;
mod mistakes;
