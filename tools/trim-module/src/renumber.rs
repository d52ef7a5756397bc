//! Gives the functions of a module other numbers, and removes functions.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module, NameMap, NameSection};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Name, Parser, Payload, TypeRef};

use crate::Fault;

/// The numbers of a module's functions: first those that it imports, then its own.
pub struct Numbers {
    imported: u32,
    all: u32,
}

impl Numbers {
    /// The numbers of the functions of a module.
    pub fn of(module: &[u8]) -> Result<Self, Fault> {
        let mut imported = 0;
        let mut own = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => own = section.count(),
                _ => {}
            }
        }
        Ok(Self {
            imported,
            all: imported + own,
        })
    }

    pub fn imported(&self) -> Range<u32> {
        0..self.imported
    }

    pub fn own(&self) -> Range<u32> {
        self.imported..self.all
    }
}

/// The module with only the functions `kept` of its own, in this order. What named another function names its
/// representative, by number: an imported or kept function.
pub fn renumber(module: &[u8], kept: &[u32], representatives: &[u32]) -> Result<Vec<u8>, Fault> {
    let Numbers { imported, .. } = Numbers::of(module)?;
    let new: HashMap<u32, u32> = (0..imported).chain(kept.iter().copied()).zip(0..).collect();
    let new_of = |representative| new.get(representative).copied();
    let mut renumbering = Renumbering {
        imported,
        kept,
        numbers: representatives.iter().map(new_of).collect(),
    };
    let mut renumbered = Module::new();
    renumbering.parse_core_module(&mut renumbered, Parser::new(0), module)?;
    Ok(renumbered.finish())
}

struct Renumbering<'a> {
    imported: u32,
    kept: &'a [u32],
    /// The new number of each function, by its number before.
    numbers: Vec<Option<u32>>,
}

impl Renumbering<'_> {
    /// The items of the kept functions, from one item for each function of the module's own.
    fn kept<T: Clone>(&self, items: &[T]) -> Result<Vec<T>, Fault> {
        let item = |number: &u32| {
            items
                .get(number.checked_sub(self.imported)? as usize)
                .cloned()
        };
        let kept: Option<_> = self.kept.iter().map(item).collect();
        kept.ok_or_else(|| Fault::UserError("expected an item for each kept function".to_owned()))
    }
}

impl Reencode for Renumbering<'_> {
    type Error = String;

    fn function_index(&mut self, number: u32) -> Result<u32, Fault> {
        let new = self.numbers.get(number as usize).copied().flatten();
        new.ok_or_else(|| Fault::UserError(format!("function {number} is named and not kept")))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Fault> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for kept in self.kept(&types)? {
            functions.function(self.type_index(kept)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Fault> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for kept in self.kept(&bodies)? {
            self.parse_function_body(code, kept)?;
        }
        Ok(())
    }

    /// Names are sorted by number, one for each.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        subsection: Name<'_>,
    ) -> Result<(), Fault> {
        match subsection {
            Name::Function(functions) => {
                let mut sorted = BTreeMap::new();
                for function in functions {
                    let function = function?;
                    sorted
                        .entry(self.function_index(function.index)?)
                        .or_insert(function.name);
                }
                let mut functions = NameMap::new();
                for (number, name) in sorted {
                    functions.append(number, name);
                }
                names.functions(&functions);
                Ok(())
            }
            // Rust writes none.
            Name::Local(_) | Name::Label(_) => Ok(()),
            other => reencode::utils::parse_custom_name_subsection(self, names, other),
        }
    }
}
