//! Drops the proxy-wasm callbacks that a module exports and does not implement:
//! `trim-exports IN OUT CALLBACK…`.
//!
//! The SDK exports every callback of the ABI, and Envoy enters the module for each one that it finds. Each entry costs
//! every request. Exports that do not begin with `proxy_on_` stay. Code that no export reaches any longer is removed.

use std::env;
use std::process::ExitCode;

use walrus::Module;
use walrus::passes::gc;

const CALLBACK: &str = "proxy_on_";

fn main() -> ExitCode {
    match trim(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("trim-exports: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn trim(arguments: Vec<String>) -> Result<(), String> {
    let [input, output, kept @ ..] = arguments.as_slice() else {
        return Err("expected IN OUT CALLBACK…".to_owned());
    };
    let mut module = Module::from_file(input).map_err(|fault| format!("{input}: {fault:#}"))?;
    for name in kept {
        if !module.exports.iter().any(|export| export.name == *name) {
            return Err(format!("{input} does not export `{name}`"));
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
    module
        .emit_wasm_file(output)
        .map_err(|fault| format!("{output}: {fault:#}"))
}
