//! Makes the built module smaller, at no cost to a request: `trim-module IN OUT CALLBACK…`.
//!
//! - `callbacks` drops the callbacks that the module exports and does not implement, and the code that only they reach.
//! - `duplicates` replaces functions that do the same by one of them.
//! - `order` gives the shortest numbers to the functions that are named most often.
//!
//! The same module in gives the same module out.

mod callbacks;
mod duplicates;
mod order;
mod renumber;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::{env, fs};

/// Why a module cannot be read or written.
type Fault = wasm_encoder::reencode::Error<String>;

fn main() -> ExitCode {
    match trim(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("trim-module: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn trim(arguments: Vec<String>) -> Result<(), String> {
    let [input, output, kept @ ..] = arguments.as_slice() else {
        return Err("expected IN OUT CALLBACK…".to_owned());
    };
    let in_input = |fault: Fault| format!("{input}: {fault}");
    let module = fs::read(input).map_err(|fault| format!("{input}: {fault}"))?;
    let module =
        callbacks::drop_others(&module, kept).map_err(|fault| format!("{input}: {fault}"))?;
    let module = duplicates::merge(&module).map_err(in_input)?;
    let module = order::by_references(&module).map_err(in_input)?;
    fs::write(output, module).map_err(|fault| format!("{output}: {fault}"))
}
