//! Merges functions that do the same.
//!
//! LLVM merges functions before it makes instructions of them. Functions that it keeps apart, for a detail of their types
//! or for what it knows about their arguments, are often the same instructions in the end.
//!
//! Two functions do the same if they have one type and the same instructions, apart from the functions that they name, and
//! if the functions that they name do the same. So functions that call themselves or each other are merged too. The merged
//! functions have one address: Rust does not promise that two functions have two.

use std::collections::HashMap;
use std::hash::Hash;

use wasm_encoder::reencode::Reencode;
use wasmparser::{FunctionBody, Parser, Payload};

use crate::Fault;
use crate::renumber::{Numbers, renumber};

/// The module with one function in place of all that do the same.
pub fn merge(module: &[u8]) -> Result<Vec<u8>, Fault> {
    let numbers = Numbers::of(module)?;
    let representatives = representatives(&functions(module)?, &numbers);
    let is_kept = |number: &u32| representatives.get(*number as usize) == Some(number);
    let kept: Vec<u32> = numbers.own().filter(is_kept).collect();
    renumber(module, &kept, &representatives)
}

/// A function, as the instructions without the functions that they name, and those functions.
struct Function {
    type_index: u32,
    instructions: Vec<u8>,
    named: Vec<u32>,
}

fn functions(module: &[u8]) -> Result<Vec<Function>, Fault> {
    let mut types = Vec::new();
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::FunctionSection(section) => {
                types = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::CodeSectionEntry(body) => functions.push(Named::read(&body)?),
            _ => {}
        }
    }
    let of_type = |(type_index, (instructions, named))| Function {
        type_index,
        instructions,
        named,
    };
    Ok(types.into_iter().zip(functions).map(of_type).collect())
}

/// The functions that a function names, in the order of its instructions.
#[derive(Default)]
struct Named(Vec<u32>);

impl Named {
    /// The instructions of a function, each of which names function 0 in place of its own, and the functions named.
    fn read(body: &FunctionBody<'_>) -> Result<(Vec<u8>, Vec<u32>), Fault> {
        let mut named = Self::default();
        let mut function = named.new_function_with_parsed_locals(body)?;
        let mut instructions = body.get_operators_reader()?;
        while !instructions.eof() {
            function.instruction(&named.parse_instruction(&mut instructions)?);
        }
        Ok((function.into_raw_body(), named.0))
    }
}

impl Reencode for Named {
    type Error = String;

    fn function_index(&mut self, function: u32) -> Result<u32, Fault> {
        self.0.push(function);
        Ok(0)
    }
}

/// For each function, by its number, the first that does the same.
///
/// Functions with the same instructions are taken to be the same, until the functions that they name turn out to differ.
fn representatives(functions: &[Function], numbers: &Numbers) -> Vec<u32> {
    let alike = functions
        .iter()
        .map(|function| (function.type_index, &function.instructions));
    let mut representatives = firsts(alike, numbers);
    loop {
        let representative = |number: &u32| representatives.get(*number as usize).copied();
        let own = functions.iter().zip(numbers.own());
        let alike = own.map(|(function, number)| {
            let named: Vec<_> = function.named.iter().map(representative).collect();
            (representative(&number), named)
        });
        let refined = firsts(alike, numbers);
        if refined == representatives {
            return refined;
        }
        representatives = refined;
    }
}

/// For each function, by its number, the first with the same key. An imported function has none, and is itself.
fn firsts<K: Eq + Hash>(keys: impl Iterator<Item = K>, numbers: &Numbers) -> Vec<u32> {
    let mut firsts = HashMap::new();
    let own = keys
        .zip(numbers.own())
        .map(|(key, number)| *firsts.entry(key).or_insert(number));
    numbers.imported().chain(own).collect()
}
