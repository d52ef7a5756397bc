//! Ordinary requests: where their parts come from, and the rules that they are for.

pub mod requests;
pub mod rules;
pub mod templates;
pub mod texts;
