//! Bytes → Plan: the document, read as typed, compiled once.
//!
//! ```text
//! bytes ─ source ─▶ JSON value ─ document ─▶ Document ─ compile ─▶ Plan
//! ```
//!
//! No stage stops at the first fault: whoever writes a document sees all of them at once.

pub mod compile;
pub mod diagnostic;
pub mod document;
mod read;
mod source;

use serde_json::Value;

pub use self::diagnostic::{Diagnostic, Fault};
use self::document::Document;
use crate::plan::Plan;

/// A document that was accepted.
#[derive(Debug)]
pub struct Loaded {
    /// The document, compiled.
    pub plan: Plan,
    /// What its author should know although it is no fault.
    pub warnings: Vec<Diagnostic>,
}

/// Loads a document as plugin configuration delivers it: JSON text, or a `google.protobuf.Struct` in wire format.
///
/// # Errors
/// Every fault of the document, those of one place together.
pub fn load(bytes: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    let value = source::parse(bytes).map_err(|fault| vec![fault])?;
    load_value(&value)
}

/// Loads a document that was parsed already.
///
/// # Errors
/// Every fault of the document, those of one place together.
pub fn load_value(value: &Value) -> Result<Loaded, Vec<Diagnostic>> {
    let mut faults = diagnostic::Faults::default();
    let document: Document = read::read_root(value, &mut faults);
    let compiled = compile::compile(&document, &mut faults);
    faults.into_result(compiled.plan, compiled.warnings)
}
