//! The native command, run as a process.

mod cli;
