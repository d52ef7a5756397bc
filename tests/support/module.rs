//! What the built filter imports and exports, and the module that verifies signatures alone.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use wasmparser::{Parser, Payload};

use super::envoy::{module_path, path_from, wasm_filter};

/// The filter with a document. Envoy denies it one call to the host.
pub fn wasm_filter_without(call: &str, vm_id: &str, document: &Value) -> Value {
    let mut filter = wasm_filter(vm_id, &module_path(), document);
    let (mut names, exports) = (module_imports(), module_exports());
    names.extend(exports);
    let denied = names.iter().position(|name| name == call);
    names.remove(denied.expect("the module makes the call"));
    let allowed: serde_json::Map<_, _> = names.into_iter().map(|name| (name, json!({}))).collect();
    filter["typed_config"]["config"]["capability_restriction_config"] =
        json!({"allowed_capabilities": allowed});
    filter
}

/// The names of the functions that the built filter calls.
pub fn module_imports() -> Vec<String> {
    let module = fs::read(module_path()).expect("the module can be read");
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ImportSection(section) = payload.expect("a valid module") {
            let imports = section.into_imports();
            names.extend(imports.map(|import| import.expect("an import").name.to_owned()));
        }
    }
    names
}

/// The names of what the built filter exports, in alphabetical order.
pub fn module_exports() -> Vec<String> {
    let module = fs::read(module_path()).expect("the module can be read");
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ExportSection(section) = payload.expect("a valid module") {
            let exports = section.into_iter();
            names.extend(exports.map(|export| export.expect("an export").name.to_owned()));
        }
    }
    names.sort_unstable();
    names
}

/// Builds the module that answers questions about signatures, unless it is there.
///
/// # Panics
/// It does not build.
pub fn signature_module() -> PathBuf {
    path_from("scripts/build-signature")
}
