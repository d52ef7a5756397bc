//! Text → expression: what is wrong with it, what it looks at, and what it costs.

use std::fmt;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators,
};
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use cel::parser::{Expression, ParseErrors, PrattParser};

use super::pattern::Pattern;
use super::{cost, environment, limits, moment};

/// How long an expression may be, in bytes.
const MAX_LENGTH: usize = 2048;

/// How deep it may be nested; evaluation recurses.
const MAX_DEPTH: usize = 40;

/// What an expression can see.
const VARIABLES: [&str; 10] = [
    "claims", "groups", "now", "params", "provider", "request", "roles", "scopes", "source",
    "subject",
];

const OF_REQUEST: [&str; 5] = ["headers", "host", "method", "path", "scheme"];

const OF_SOURCE: [&str; 1] = ["address"];

/// What became of a text.
pub struct Text {
    pub expression: Expression,
    pub sights: Sights,
    pub patterns: Vec<Pattern>,
    /// What it costs, but for what depends on the request.
    pub price: u32,
}

/// What an expression looks at.
#[derive(Debug, Default)]
pub struct Sights {
    pub claims: Seen,
    pub subject: bool,
    pub scopes: bool,
    pub roles: bool,
    pub groups: bool,
    pub provider: bool,
    pub params: Seen,
    pub request: bool,
    pub method: bool,
    pub path: bool,
    pub host: bool,
    pub scheme: bool,
    pub headers: Seen,
    pub source: bool,
    pub address: bool,
    pub now: bool,
    /// The parameters of the path that are named.
    pub parameters: Vec<(String, Place)>,
}

/// Which members of something are looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Seen {
    #[default]
    Nothing,
    These(Vec<String>),
    All,
}

impl Seen {
    fn add(&mut self, member: Option<&str>) {
        match (member, &mut *self) {
            (None, _) => *self = Self::All,
            (Some(_), Self::All) => {}
            (Some(member), Self::Nothing) => *self = Self::These(vec![member.to_owned()]),
            (Some(member), Self::These(members)) => {
                if !members.iter().any(|own| own == member) {
                    members.push(member.to_owned());
                }
            }
        }
    }

    /// The members that are looked at by name.
    pub fn these(&self) -> impl Iterator<Item = &str> {
        let members = match self {
            Self::These(members) => members.as_slice(),
            Self::Nothing | Self::All => &[],
        };
        members.iter().map(String::as_str)
    }

    /// Whether a member of that name is looked at.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::These(members) => members.iter().any(|own| own == name),
            Self::All => true,
        }
    }
}

impl Sights {
    /// Whether it looks at nothing that differs from request to request.
    pub fn is_nothing(&self) -> bool {
        let flags = [
            self.subject,
            self.scopes,
            self.roles,
            self.groups,
            self.provider,
            self.request,
            self.source,
            self.now,
        ];
        self.claims == Seen::Nothing && self.params == Seen::Nothing && !flags.contains(&true)
    }
}

/// A place in a text, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// Where a text begins.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place after so many bytes.
    fn after(text: &str, bytes: usize) -> Self {
        text.get(..bytes)
            .unwrap_or(text)
            .chars()
            .fold(Self::START, |place, character| match character {
                '\n' => Self {
                    line: place.line + 1,
                    column: 1,
                },
                _ => Self {
                    column: place.column + 1,
                    ..place
                },
            })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(formatter, "line {}, ", self.line)?;
        }
        write!(formatter, "column {}", self.column)
    }
}

/// One thing that is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: FaultKind,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// It is longer than anybody needs.
    #[error("an expression has at most {MAX_LENGTH} bytes, this has {0}")]
    Length(usize),
    /// It is nested deeper than anybody needs.
    #[error("an expression is nested at most {MAX_DEPTH} deep")]
    Depth,
    /// It is no CEL.
    #[error("{0}")]
    Syntax(String),
    /// It names what there is not.
    #[error("there is no {what} `{name}`")]
    Unknown {
        /// What it should be the name of.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static [&'static str],
    },
    /// A macro is given what it cannot take.
    #[error("`{0}` is not written like this")]
    Macro(String),
    /// It looks at a header field by a name that no field has here.
    #[error("{0}")]
    Header(&'static str),
    /// A pattern that is not written out.
    #[error("the pattern of `matches` is written out as a string")]
    NoPattern,
    /// A pattern that is none.
    #[error("this is no pattern: {0}")]
    Pattern(String),
    /// A text that is no moment, no duration or no offset.
    #[error("{0}")]
    Time(&'static str),
    /// It is of a type that is neither true nor false.
    #[error("an expression is true or false, this is of the type {0}")]
    NoBool(String),
    /// It looks at nothing and fails.
    #[error("this fails whatever the request")]
    AlwaysFails,
    /// It looks at nothing and costs too much.
    #[error(
        "this needs more than {} operations whatever the request",
        limits::OPERATIONS
    )]
    AlwaysTooMuch,
}

impl FaultKind {
    /// The same at a place.
    pub fn at(self, place: Place) -> Fault {
        Fault { place, kind: self }
    }
}

/// Reads a text.
pub fn read(text: &str) -> Result<Text, Vec<Fault>> {
    if text.len() > MAX_LENGTH {
        return Err(vec![FaultKind::Length(text.len()).at(Place::START)]);
    }
    let tokens = tokens(text);
    if let Some(token) = too_deep(&tokens) {
        return Err(vec![FaultKind::Depth.at(Place::after(text, token.start))]);
    }
    let mut expression = PrattParser::new()
        .parse(text)
        .map_err(|errors| syntax_faults(text, &errors))?;
    let mut reader = Reader {
        text,
        tokens,
        sights: Sights::default(),
        patterns: Vec::new(),
        faults: Vec::new(),
        locals: Vec::new(),
    };
    if let Some(kind) = type_of(&expression) {
        let fault = FaultKind::NoBool(kind.to_owned());
        reader.faults.push(fault.at(Place::START));
    }
    reader.read(&mut expression, 0);
    if !reader.faults.is_empty() {
        reader.faults.sort_by_key(|fault| fault.place);
        return Err(reader.faults);
    }
    Ok(Text {
        price: cost::meter(&mut expression),
        expression,
        sights: reader.sights,
        patterns: reader.patterns,
    })
}

fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(text);
    let is_one = |token: &Token| token.kind != TokenKind::TokEnd;
    let all = std::iter::from_fn(|| Some(lexer.lex()).filter(is_one));
    // Each is at least a byte.
    let is_said =
        |token: &Token| !matches!(token.kind, TokenKind::TokWhitespace | TokenKind::TokComment);
    all.take(MAX_LENGTH).filter(is_said).collect()
}

/// Where brackets and conditionals are nested deeper than a parser should be asked to go.
fn too_deep(tokens: &[Token]) -> Option<&Token> {
    let mut depth = 0_usize;
    tokens.iter().find(|token| {
        match token.kind {
            TokenKind::TokLeftParen
            | TokenKind::TokLeftBracket
            | TokenKind::TokLeftBrace
            | TokenKind::TokQuestion => depth += 1,
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// What is compared with each value, in `values.exists(x, x == value)`.
fn sought(comprehension: &ComprehensionExpr) -> Option<&IdedExpr> {
    let is = |expression: &IdedExpr, name: &str| matches!(&expression.expr, Expr::Ident(own) if own == name);
    let Expr::Call(step) = &comprehension.loop_step.expr else {
        return None;
    };
    let (operators::LOGICAL_OR, [found, equal]) = (step.func_name.as_str(), step.args.as_slice())
    else {
        return None;
    };
    let Expr::Call(equal) = &equal.expr else {
        return None;
    };
    let (operators::EQUALS, [a, b]) = (equal.func_name.as_str(), equal.args.as_slice()) else {
        return None;
    };
    let item = comprehension.iter_var.as_str();
    let value = match (is(a, item), is(b, item)) {
        (true, false) => b,
        (false, true) => a,
        (true, true) | (false, false) => return None,
    };
    is(found, &comprehension.accu_var).then_some(value)
}

/// The first; others are mostly consequences of it.
fn syntax_faults(text: &str, errors: &ParseErrors) -> Vec<Fault> {
    let fault = |error: &cel::ParseError| {
        let number = |number: isize| {
            usize::try_from(number)
                .unwrap_or_default()
                .saturating_sub(1)
        };
        let lines = text.split_inclusive('\n').take(number(error.pos.0));
        let place = Place::after(
            text,
            lines.map(str::len).sum::<usize>() + number(error.pos.1),
        );
        FaultKind::Syntax(error.msg.clone()).at(place)
    };
    errors.errors.iter().take(1).map(fault).collect()
}

/// The type of an expression, where it can be told that it is not bool.
fn type_of(expression: &IdedExpr) -> Option<&'static str> {
    match &expression.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => None,
            LiteralValue::Bytes(_) => Some("bytes"),
            LiteralValue::Double(_) => Some("double"),
            LiteralValue::Int(_) => Some("int"),
            LiteralValue::Null => Some("null_type"),
            LiteralValue::String(_) => Some("string"),
            LiteralValue::UInt(_) => Some("uint"),
        },
        Expr::List(_) => Some("list"),
        Expr::Map(_) => Some("map"),
        Expr::Ident(name) => match name.as_str() {
            "scopes" | "roles" | "groups" => Some("list"),
            "claims" | "params" | "request" | "source" => Some("map"),
            "subject" | "provider" => Some("string"),
            "now" => Some("google.protobuf.Timestamp"),
            _ => None,
        },
        Expr::Call(call) => match call.func_name.as_str() {
            "size" | "int" => Some("int"),
            "string" => Some("string"),
            "double" => Some("double"),
            "uint" => Some("uint"),
            "bytes" => Some("bytes"),
            "timestamp" => Some("google.protobuf.Timestamp"),
            "duration" => Some("google.protobuf.Duration"),
            name if moment::GETTERS.iter().any(|(getter, _)| *getter == name) => Some("int"),
            _ => None,
        },
        _ => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    sights: Sights,
    patterns: Vec<Pattern>,
    faults: Vec<Fault>,
    /// The variables of loops, the innermost last.
    locals: Vec<String>,
}

impl Reader<'_> {
    /// Where a name, or a string, stands first: the parser does not keep places.
    fn place(&self, name: &str) -> Place {
        let is_it = |token: &&Token| {
            let text = self.text.get(token.start..token.end).unwrap_or_default();
            match token.kind {
                TokenKind::TokString => text.trim_matches(['r', 'R', '\'', '"']) == name,
                _ => text == name,
            }
        };
        let found = self.tokens.iter().find(is_it);
        found.map_or(Place::START, |token| Place::after(self.text, token.start))
    }

    fn fault(&mut self, at: &str, kind: FaultKind) {
        let fault = kind.at(self.place(at));
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn read(&mut self, expression: &mut IdedExpr, depth: usize) {
        if depth > MAX_DEPTH {
            self.fault("", FaultKind::Depth);
            return;
        }
        if let Some(names) = chain(expression) {
            if depth + names.len() > MAX_DEPTH {
                self.fault("", FaultKind::Depth);
            }
            self.look(&names);
            return;
        }
        let next = depth + 1;
        match &mut expression.expr {
            // The accumulator of a loop, which no text can name.
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
                    self.fault("", FaultKind::Syntax("no map has fields".to_owned()));
                }
            }
            Expr::Comprehension(comprehension) => {
                self.read_loop(comprehension, next);
                self.shorten_loop(expression);
            }
            Expr::Struct(message) => {
                let name = message.type_name.clone();
                self.unknown("message", &name, &[]);
            }
            Expr::Unspecified => {
                self.fault("", FaultKind::Syntax("something is missing".to_owned()));
            }
        }
    }

    /// `has(claims.tenant)` looks whether it is there.
    fn read_test(&mut self, expression: &mut IdedExpr, depth: usize) {
        let Expr::Select(select) = &mut expression.expr else {
            return;
        };
        match chain(&select.operand) {
            Some(mut names) => {
                names.push(select.field.clone());
                self.look(&names);
            }
            None => self.read(&mut select.operand, depth),
        }
    }

    fn read_call(&mut self, expression: &mut IdedExpr, depth: usize) {
        self.check_call(expression);
        let is_pattern = self.read_pattern(expression);
        let Expr::Call(call) = &mut expression.expr else {
            return;
        };
        // `'x' in request.headers` looks at one of them.
        if let (operators::IN, [member, of]) = (call.func_name.as_str(), call.args.as_mut_slice())
            && let (Some(name), Some(mut names)) = (text_of(member), chain(of))
        {
            names.push(name.to_owned());
            self.look(&names);
            return;
        }
        if let Some(target) = &mut call.target {
            self.read(target, depth);
        }
        let first = if is_pattern { 1 } else { 0 };
        for arg in call.args.iter_mut().skip(first) {
            self.read(arg, depth);
        }
    }

    fn check_call(&mut self, expression: &IdedExpr) {
        let Expr::Call(call) = &expression.expr else {
            return;
        };
        let name = call.func_name.as_str();
        let is_operator = name.contains('_') && !name.starts_with(|c: char| c.is_alphabetic())
            || name.starts_with('@');
        let is_getter = moment::GETTERS.iter().any(|(own, _)| *own == name);
        if environment::MACROS.contains(&name) {
            self.fault(name, FaultKind::Macro(name.to_owned()));
        } else if !is_operator && !is_getter && !environment::FUNCTIONS.contains(&name) {
            self.unknown("function", name, &environment::FUNCTIONS);
        }
        let Some(arg) = call.args.first() else {
            return;
        };
        let Some(text) = text_of(arg) else {
            return;
        };
        if name == "timestamp" && moment::Moment::parse(text).is_none() {
            self.fault(
                text,
                FaultKind::Time("a moment is written as `2027-01-01T00:00:00Z`"),
            );
        } else if name == "duration" && moment::Span::parse(text).is_none() {
            self.fault(text, FaultKind::Time("a duration is written as `1h30m`"));
        } else if is_getter && moment::offset(text).is_none() {
            self.fault(
                text,
                FaultKind::Time("an offset is written as `+02:00`; there are no time zones"),
            );
        }
    }

    /// Compiles the pattern of `matches`: `text.matches('…')` becomes `@matches(purse, text, number)`.
    fn read_pattern(&mut self, expression: &mut IdedExpr) -> bool {
        let id = expression.id;
        let Expr::Call(call) = &expression.expr else {
            return false;
        };
        if call.func_name != "matches" {
            return false;
        }
        let (text, pattern) = match (&call.target, call.args.as_slice()) {
            (Some(text), [pattern]) => (text.as_ref().clone(), pattern.clone()),
            (None, [text, pattern]) => (text.clone(), pattern.clone()),
            _ => {
                self.fault("matches", FaultKind::Macro("matches".to_owned()));
                return false;
            }
        };
        let Some(source) = text_of(&pattern) else {
            self.fault("matches", FaultKind::NoPattern);
            return false;
        };
        match Pattern::compile(source) {
            Ok(pattern) => self.patterns.push(pattern),
            Err(error) => {
                self.fault(source, FaultKind::Pattern(error.to_string()));
                return false;
            }
        }
        let number = i64::try_from(self.patterns.len() - 1).unwrap_or_default();
        let number = Expr::Literal(LiteralValue::Int(number.into()));
        let number = IdedExpr { id, expr: number };
        let purse = Expr::Ident(limits::NAME.to_owned());
        let purse = IdedExpr { id, expr: purse };
        expression.expr = Expr::Call(CallExpr {
            func_name: environment::MATCHES.to_owned(),
            target: None,
            args: vec![purse, text, number],
        });
        true
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

    /// `values.exists(x, x == value)` becomes `@any(purse, value, values)`, which needs no turn of the interpreter. It
    /// must be a value that cannot fail, since `exists` does not look at it if there are no values.
    fn shorten_loop(&self, expression: &mut IdedExpr) {
        let Expr::Comprehension(comprehension) = &mut expression.expr else {
            return;
        };
        let Some(value) = sought(comprehension) else {
            return;
        };
        let cannot_fail = match &value.expr {
            Expr::Literal(_) => true,
            Expr::Ident(name) => self.locals.contains(name),
            _ => false,
        };
        if cannot_fail {
            let purse = Expr::Ident(limits::NAME.to_owned());
            let purse = IdedExpr {
                id: expression.id,
                expr: purse,
            };
            let args = vec![
                purse,
                value.clone(),
                std::mem::take(&mut comprehension.iter_range),
            ];
            expression.expr = Expr::Call(CallExpr {
                func_name: environment::ANY.to_owned(),
                target: None,
                args,
            });
        }
    }

    /// Notes what a chain of names looks at.
    fn look(&mut self, names: &[String]) {
        let mut names = names.iter().map(String::as_str);
        let Some(root) = names.next() else {
            return;
        };
        // A leading dot passes the variables of loops by.
        let (root, is_absolute) = match root.strip_prefix('.') {
            Some(root) => (root, true),
            None => (root, false),
        };
        if !is_absolute && self.locals.iter().any(|local| local == root) {
            return;
        }
        let member = names.next();
        let place = self.place(member.unwrap_or_default());
        let sights = &mut self.sights;
        match root {
            "claims" => sights.claims.add(member),
            "params" => {
                sights.params.add(member);
                if let Some(member) = member {
                    sights.parameters.push((member.to_owned(), place));
                }
            }
            "subject" => sights.subject = true,
            "scopes" => sights.scopes = true,
            "roles" => sights.roles = true,
            "groups" => sights.groups = true,
            "provider" => sights.provider = true,
            "now" => sights.now = true,
            "source" => {
                sights.source = true;
                match member {
                    None | Some("address") => sights.address = true,
                    Some(name) => self.unknown("member of `source`", name, &OF_SOURCE),
                }
            }
            "request" => {
                sights.request = true;
                match member {
                    Some("method") => sights.method = true,
                    Some("path") => sights.path = true,
                    Some("host") => sights.host = true,
                    Some("scheme") => sights.scheme = true,
                    Some("headers") => {
                        let name = names.next();
                        sights.headers.add(name);
                        if let Some((name, fault)) = name.zip(name.and_then(header_fault)) {
                            self.fault(name, FaultKind::Header(fault));
                        }
                    }
                    None => {
                        sights.headers.add(None);
                        (sights.method, sights.path) = (true, true);
                        (sights.host, sights.scheme) = (true, true);
                    }
                    Some(name) => self.unknown("member of `request`", name, &OF_REQUEST),
                }
            }
            name if member.is_none() && environment::TYPES.contains(&name) => {}
            name => self.unknown("variable", name, &VARIABLES),
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

fn header_fault(name: &str) -> Option<&'static str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("the names of header fields are in lower case")
    } else if name == "host" {
        Some("the host is `request.host`")
    } else if !crate::grammar::is_token(name) {
        Some("no header field has this name")
    } else {
        None
    }
}

/// The names in `claims.a['b'].c`: none where it is anything else.
fn chain(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) if !name.starts_with('@') => Some(vec![name.clone()]),
        Expr::Select(SelectExpr {
            operand,
            field,
            test: false,
        }) => {
            let mut names = chain(operand)?;
            names.push(field.clone());
            Some(names)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [of, member] => {
                let mut names = chain(of)?;
                names.push(text_of(member)?.to_owned());
                Some(names)
            }
            _ => None,
        },
        _ => None,
    }
}

fn text_of(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
