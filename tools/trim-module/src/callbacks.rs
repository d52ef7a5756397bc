//! Drops the callbacks that a module exports and does not implement.
//!
//! The SDK exports every callback of the ABI, and Envoy enters the module for each one that it finds. Each entry costs
//! every request.

use walrus::Module;
use walrus::passes::gc;

const CALLBACK: &str = "proxy_on_";

/// The module without the callbacks that are not in `kept`, and without the code that no export reaches any longer.
/// Exports that do not begin with `proxy_on_` stay.
pub fn drop_others(module: &[u8], kept: &[String]) -> Result<Vec<u8>, String> {
    let mut module = Module::from_buffer(module).map_err(|fault| format!("{fault:#}"))?;
    for name in kept {
        if !module.exports.iter().any(|export| export.name == *name) {
            return Err(format!("no export `{name}`"));
        }
    }
    let dropped: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.starts_with(CALLBACK) && !kept.contains(&export.name))
        .map(|export| export.id())
        .collect();
    for export in dropped {
        module.exports.delete(export);
    }
    gc::run(&mut module);
    Ok(module.emit_wasm())
}
