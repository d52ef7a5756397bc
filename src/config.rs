//! Configuration → plan: bytes are parsed, read as the user wrote them, and compiled once.
//!
//! ```text
//! bytes ─ source ─▶ JSON value ─ document ─▶ Document ─ compile ─▶ Plan
//! ```
//!
//! No stage stops at the first fault: the user sees all of them at once.
//!
//! To add a key:
//!
//! 1. Read it in `document/<section>.rs`. Its description, default, bounds and example are there: they are the schema and the
//!    reference page.
//! 2. Check it in `compile/<section>.rs`. Give each fault a variant in `fault.rs` or `fault/warning.rs`.
//! 3. Add it to `home.rs`, if no other object has a key of this name.
//! 4. Put the result into `plan.rs`, and test it in `tests/core/document.rs`.
//! 5. Run `countersign schema > docs/schema/document.json` and
//!    `countersign schema document --format markdown > docs/configuration.md`.

mod at;
mod compile;
mod diagnostic;
pub mod document;
pub mod fault;
mod foreign;
mod home;
mod literal;
mod read;
mod source;

use serde_json::Value;
use sha2::{Digest, Sha256};

use self::at::At;
use self::diagnostic::Diagnostics;
pub use self::diagnostic::{Diagnostic, nearest};
use self::document::Document;
pub use self::fault::{Fault, Warning};
use self::read::Read;
#[cfg(not(target_arch = "wasm32"))]
pub use self::source::through_struct;
use crate::plan::Plan;

/// A configuration that was accepted.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled configuration.
    pub plan: Plan,
    /// What the user should know although it is not a fault.
    pub warnings: Vec<Diagnostic<Warning>>,
    /// Identifies the configuration: 48 bits of its SHA-256. A metric can show them, since its readers have doubles.
    pub hash: u64,
}

/// The environment of the filter: the value of a variable, if it is set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Loads a plugin configuration as the host delivers it: JSON text, or a `google.protobuf.Struct` in wire format.
///
/// # Errors
/// Every fault of the configuration, sorted by location.
pub fn load_in(environment: Environment<'_>, bytes: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    let value = source::parse(bytes).map_err(|fault| vec![fault])?;
    load_value_in(environment, &value)
}

/// Loads a configuration that was parsed already.
///
/// # Errors
/// Every fault of the configuration, sorted by location.
pub fn load_value_in(
    environment: Environment<'_>,
    value: &Value,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let document = match foreign::recognise(value) {
        Some(fault) => Err(diagnostics.report(&At::Root, fault)),
        None => Document::read(value, &At::Root, &mut diagnostics),
    };
    let plan = document.map(|document| compile::compile(&document, environment, &mut diagnostics));
    diagnostics.into_result(plan, || hash(value))
}

/// The first 48 bits of the SHA-256 of a configuration as JSON, without spaces and with sorted names. So it does not depend
/// on the form in which the host delivers the configuration.
fn hash(value: &Value) -> u64 {
    // `Display` of a value prints this, and the module has it already: `serde_json::to_string` adds kilobytes.
    let digest = Sha256::digest(value.to_string());
    let bytes = digest.iter().take(6);
    bytes.fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// As [`load_in`] an environment without variables. The module does not have this function: it has an environment.
///
/// # Errors
/// Every fault of the configuration, sorted by location.
#[cfg(not(target_arch = "wasm32"))]
pub fn load(bytes: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    load_in(&|_| None, bytes)
}

/// As [`load_value_in`] an environment without variables. The module does not have this function either.
///
/// # Errors
/// Every fault of the configuration, sorted by location.
#[cfg(not(target_arch = "wasm32"))]
pub fn load_value(value: &Value) -> Result<Loaded, Vec<Diagnostic>> {
    load_value_in(&|_| None, value)
}
