//! Reads a parsed expression: collects what it refers to, its patterns and its faults.

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, SelectExpr, operators};
use cel::parser::pratt_parser::{Token, TokenKind};

use super::fault::{Fault, FaultKind, MAX_DEPTH, Position};
use super::pattern::Pattern;
use super::references::References;
use super::rewrite::{compile_pattern, shorten_loop, text_of};
use super::{environment, moment};

/// Reads an expression, node by node.
pub struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    references: References,
    patterns: Vec<Pattern>,
    faults: Vec<Fault>,
    /// The variables of the loops around the node, the innermost last.
    locals: Vec<String>,
}

impl<'t> Reader<'t> {
    /// A reader of an expression, given its text and the tokens of the text.
    pub fn new(text: &'t str, tokens: Vec<Token>) -> Self {
        Self {
            text,
            tokens,
            references: References::default(),
            patterns: Vec::new(),
            faults: Vec::new(),
            locals: Vec::new(),
        }
    }

    /// What the expression refers to, and its patterns.
    ///
    /// # Errors
    /// All faults, by position.
    pub fn finish(self) -> Result<(References, Vec<Pattern>), Vec<Fault>> {
        if self.faults.is_empty() {
            return Ok((self.references, self.patterns));
        }
        Err(self.faults)
    }

    /// Adds a fault at the first occurrence of `name` in the text.
    fn fault(&mut self, name: &str, kind: FaultKind) {
        self.add(kind.at(self.position_of(name)));
    }

    /// Adds a fault, unless it is known. The faults stay ordered: a sort of them would be 7 kB of code.
    pub fn add(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            let before = |known: &Fault| known.position <= fault.position;
            let index = self.faults.partition_point(before);
            self.faults.insert(index, fault);
        }
    }

    /// The position of the first name or string literal `name`, because the parser does not keep positions.
    fn position_of(&self, name: &str) -> Position {
        let is_it = |token: &&Token| {
            let text = self.text.get(token.start..token.end).unwrap_or_default();
            match token.kind {
                TokenKind::TokString => text.trim_matches(['r', 'R', '\'', '"']) == name,
                _ => text == name,
            }
        };
        let found = self.tokens.iter().find(is_it);
        found.map_or(Position::START, |token| {
            Position::after(self.text, token.start)
        })
    }

    /// Reads an expression that is nested `depth` deep, and rewrites some of its calls.
    pub fn read(&mut self, expression: &mut IdedExpr, depth: usize) {
        if depth > MAX_DEPTH {
            self.fault("", FaultKind::Depth);
            return;
        }
        if let Some(names) = names_of(expression) {
            if depth + names.len() > MAX_DEPTH {
                self.fault("", FaultKind::Depth);
            }
            self.refer_to(&names, false);
            return;
        }
        let next = depth + 1;
        match &mut expression.expr {
            // `names_of` returns every name except that of a loop's accumulator, which no text can contain.
            Expr::Ident(_) | Expr::Literal(_) => {}
            Expr::Select(select) if select.test => self.read_test(expression, next),
            Expr::Select(select) => self.read(&mut select.operand, next),
            Expr::Call(_) => self.read_call(expression, next),
            Expr::List(list) => {
                for element in &mut list.elements {
                    self.read(element, next);
                }
            }
            Expr::Map(map) => {
                let mut has_fields = false;
                for entry in &mut map.entries {
                    match &mut entry.expr {
                        EntryExpr::MapEntry(entry) => {
                            self.read(&mut entry.key, next);
                            self.read(&mut entry.value, next);
                        }
                        EntryExpr::StructField(_) => has_fields = true,
                    }
                }
                if has_fields {
                    let fault = "expected entries of a map, found fields of a message";
                    self.fault("", FaultKind::Syntax(fault.to_owned()));
                }
            }
            Expr::Comprehension(comprehension) => {
                self.read_loop(comprehension, next);
                shorten_loop(expression, &self.locals);
            }
            Expr::Struct(message) => {
                let name = message.type_name.clone();
                self.unknown("message", &name, &[]);
            }
            Expr::Unspecified => {
                self.fault("", FaultKind::Syntax("expected an expression".to_owned()));
            }
        }
    }

    /// Reads `has(claims.tenant)`, which refers to `claims.tenant`.
    fn read_test(&mut self, expression: &mut IdedExpr, depth: usize) {
        let Expr::Select(select) = &mut expression.expr else {
            return;
        };
        match names_of(&select.operand) {
            Some(mut names) => {
                names.push(select.field.clone());
                self.refer_to(&names, true);
            }
            None => self.read(&mut select.operand, depth),
        }
    }

    fn read_call(&mut self, expression: &mut IdedExpr, depth: usize) {
        self.check_call(expression);
        let has_pattern = match compile_pattern(expression, &mut self.patterns) {
            Ok(has_pattern) => has_pattern,
            Err((name, fault)) => {
                self.fault(&name, fault);
                false
            }
        };
        let Expr::Call(call) = &mut expression.expr else {
            return;
        };
        // `'x' in request.headers` refers to one header.
        if let (operators::IN, [member, of]) = (call.func_name.as_str(), call.args.as_mut_slice())
            && let (Some(name), Some(mut names)) = (text_of(member), names_of(of))
        {
            names.push(name.to_owned());
            self.refer_to(&names, true);
            return;
        }
        if let Some(target) = &mut call.target {
            self.read(target, depth);
        }
        // The meter comes first in a call that was rewritten.
        let first = usize::from(has_pattern);
        for arg in call.args.iter_mut().skip(first) {
            self.read(arg, depth);
        }
    }

    /// Checks that the function exists, and that its literal argument is valid.
    fn check_call(&mut self, expression: &IdedExpr) {
        let Expr::Call(call) = &expression.expr else {
            return;
        };
        let name = call.func_name.as_str();
        let is_operator = name.contains('_') && !name.starts_with(|c: char| c.is_alphabetic())
            || name.starts_with('@');
        let is_getter = moment::GETTERS.iter().any(|(own, _)| *own == name);
        if environment::MACROS.contains(&name) {
            self.fault(name, FaultKind::Arguments(name.to_owned()));
        } else if !is_operator && !is_getter && !environment::FUNCTIONS.contains(&name) {
            self.unknown("function", name, &environment::FUNCTIONS);
        }
        let Some(text) = call.args.first().and_then(text_of) else {
            return;
        };
        let fault = if name == "timestamp" && moment::Moment::parse(text).is_none() {
            "expected a timestamp such as `2027-01-01T00:00:00Z`"
        } else if name == "duration" && moment::Span::parse(text).is_none() {
            "expected a duration such as `1h30m`"
        } else if is_getter && moment::offset(text).is_none() {
            "expected an offset such as `+02:00`: names of time zones are not supported"
        } else {
            return;
        };
        self.fault(text, FaultKind::Time(fault));
    }

    fn read_loop(&mut self, comprehension: &mut ComprehensionExpr, depth: usize) {
        self.read(&mut comprehension.iter_range, depth);
        self.read(&mut comprehension.accu_init, depth);
        let outer = self.locals.len();
        self.locals.push(comprehension.iter_var.clone());
        self.locals.extend(comprehension.iter_var2.clone());
        for part in [
            &mut comprehension.loop_cond,
            &mut comprehension.loop_step,
            &mut comprehension.result,
        ] {
            self.read(part, depth);
        }
        self.locals.truncate(outer);
    }

    /// Adds a variable and the members after it to the references, unless it is the variable of a loop. `is_tested` says
    /// that only the presence of the last member matters.
    fn refer_to(&mut self, names: &[String], is_tested: bool) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Some((root, members)) = names.split_first() else {
            return;
        };
        // A name with a leading dot is never the variable of a loop.
        let (root, is_absolute) = match root.strip_prefix('.') {
            Some(root) => (root, true),
            None => (*root, false),
        };
        if !is_absolute && self.locals.iter().any(|local| local == root) {
            return;
        }
        let position = self.position_of(members.first().copied().unwrap_or_default());
        if let Err((name, fault)) = self.references.add(root, members, position, is_tested) {
            self.fault(name, fault);
        }
    }

    fn unknown(&mut self, what: &'static str, name: &str, known: &'static [&'static str]) {
        let unknown = name.to_owned();
        self.fault(
            name,
            FaultKind::Unknown {
                what,
                name: unknown,
                known,
            },
        );
    }
}

/// The names in `claims.a['b'].c`. None for another expression.
fn names_of(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) if !name.starts_with('@') => Some(vec![name.clone()]),
        Expr::Select(SelectExpr {
            operand,
            field,
            test: false,
        }) => {
            let mut names = names_of(operand)?;
            names.push(field.clone());
            Some(names)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [of, member] => {
                let mut names = names_of(of)?;
                names.push(text_of(member)?.to_owned());
                Some(names)
            }
            _ => None,
        },
        _ => None,
    }
}
