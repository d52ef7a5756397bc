//! Client certificates that the host has verified.

pub mod subject;
