//! A formula → a condition in CEL.

use super::access::can_be_negated;
use super::assume::Assumed;
use super::atom::{Atom, ClaimTest, How, PathTest, PathText, Text};
use super::formula::Formula;
use super::gate::Gate;

/// Whether a condition asks exactly what the atom asks.
pub fn can_express(gate: &Gate, assumed: Assumed, atom: &Atom, holds: bool) -> bool {
    match atom {
        Atom::Verified(_) | Atom::HeaderPresent(_) => true,
        Atom::Header(_, text) | Atom::Subject(_, text) => !text.ignores_case,
        // `request.path` has no slash at the end and is decoded.
        Atom::Path(PathTest::Prefix(text)) => {
            gate.is_normalized && is_plain(text) && !text.text.ends_with('/')
        }
        Atom::Path(PathTest::Exact(text)) => {
            gate.is_normalized && assumed.trailing_slash && is_plain(text)
        }
        Atom::Path(_) => false,
        // `request.host` is in lower case and has no port.
        Atom::Host(text) => assumed.hosts && is_lower_name(&text.text),
        Atom::Claim { test, .. } => (holds || can_be_negated(test)) && is_case_sensitive(test),
        Atom::OrdinaryPath
        | Atom::Method(_)
        | Atom::Network(_)
        | Atom::NoToken(_)
        | Atom::OnlyRequired(_)
        | Atom::Unknown(_) => false,
    }
}

fn is_plain(text: &PathText) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    !text.ignores_case && text.text.starts_with('/') && text.text.bytes().all(is_unreserved)
}

fn is_lower_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}

fn is_case_sensitive(test: &ClaimTest) -> bool {
    match test {
        ClaimTest::Text(text) | ClaimTest::Item(text) | ClaimTest::TextOrItem(text) => {
            !text.ignores_case
        }
        ClaimTest::Word(text) => !text.ignores_case && !text.text.contains(' '),
        ClaimTest::Present | ClaimTest::Bool(_) | ClaimTest::Number(_) => true,
    }
}

/// The condition. `only` is the provider whose claims are those of the caller.
pub fn expression(formula: &Formula, only: Option<&String>) -> String {
    match formula {
        Formula::True => "true".to_owned(),
        // The parts that become rules have no choices.
        Formula::False | Formula::Choice(_) => "false".to_owned(),
        Formula::Literal(atom, holds) => literal(atom, *holds, only),
        Formula::All(items) => {
            // The condition about a claim has this too.
            let is_implied = |item: &&Formula| {
                let Formula::Literal(Atom::Verified(name), true) = item else {
                    return false;
                };
                items.iter().any(|other| match other {
                    Formula::Literal(
                        Atom::Claim { provider, .. } | Atom::Subject(provider, _),
                        true,
                    ) => provider == name,
                    _ => false,
                })
            };
            let rest: Vec<&Formula> = items.iter().filter(|item| !is_implied(item)).collect();
            match rest.as_slice() {
                [one] => expression(one, only),
                rest => joined(rest, " && ", only),
            }
        }
        Formula::Any(items) => joined(&items.iter().collect::<Vec<_>>(), " || ", only),
    }
}

fn joined(items: &[&Formula], operator: &str, only: Option<&String>) -> String {
    let texts = items.iter().map(|item| {
        let text = expression(item, only);
        match item {
            Formula::All(_) | Formula::Any(_) => format!("({text})"),
            _ if operator == " || " && text.contains(" && ") => format!("({text})"),
            _ => text,
        }
    });
    texts.collect::<Vec<_>>().join(operator)
}

fn literal(atom: &Atom, holds: bool, only: Option<&String>) -> String {
    // An empty `sub` is no subject, and fails the condition.
    if let Atom::Claim {
        provider,
        path,
        test: ClaimTest::Text(text),
    } = atom
        && (holds, path.as_slice(), text.how) == (true, &["sub".to_owned()], How::NotEmpty)
        && only == Some(provider)
    {
        return "subject != \"\"".to_owned();
    }
    let text = positive(atom, only);
    match (
        holds,
        text.contains(" && ")
            || text.contains(" || ")
            || text.contains(" == ")
            || text.contains(" in "),
    ) {
        (true, _) => text,
        (false, true) => format!("!({text})"),
        (false, false) => format!("!{text}"),
    }
}

fn positive(atom: &Atom, only: Option<&String>) -> String {
    match atom {
        Atom::Verified(name) => format!("{} in callers", quoted(name)),
        Atom::HeaderPresent(name) => format!("{} in request.headers", quoted(name)),
        Atom::Subject(provider, text) if only == Some(provider) => test("subject", text),
        Atom::Subject(provider, text) => {
            let name = quoted(provider);
            let subject = format!("callers[{name}].subject");
            format!("{name} in callers && {}", test(&subject, text))
        }
        Atom::Header(name, text) => {
            let name = quoted(name);
            let value = format!("request.headers[{name}]");
            format!("{name} in request.headers && {}", test(&value, text))
        }
        Atom::Path(PathTest::Prefix(text)) => {
            format!("request.path.startsWith({})", quoted(&text.text))
        }
        Atom::Path(PathTest::Exact(text)) => {
            let path = text.text.strip_suffix('/').filter(|path| !path.is_empty());
            format!("request.path == {}", quoted(path.unwrap_or(&text.text)))
        }
        Atom::Host(text) => test("request.host", text),
        Atom::Claim {
            provider,
            path,
            test,
        } => match only == Some(provider) {
            true => claim("claims", path, test),
            false => {
                let name = quoted(provider);
                let claims = format!("callers[{name}].claims");
                format!("{name} in callers && {}", claim(&claims, path, test))
            }
        },
        Atom::Path(_)
        | Atom::OrdinaryPath
        | Atom::Method(_)
        | Atom::Network(_)
        | Atom::NoToken(_)
        | Atom::OnlyRequired(_)
        | Atom::Unknown(_) => "false".to_owned(),
    }
}

fn claim(claims: &str, path: &[String], wanted: &ClaimTest) -> String {
    let mut guards = Vec::new();
    let mut value = claims.to_owned();
    for name in path {
        // A list can have the name as an item.
        if !guards.is_empty() && *wanted == ClaimTest::Present {
            guards.push(format!("type({value}) == map"));
        }
        guards.push(format!("{} in {value}", quoted(name)));
        value = match is_identifier(name) {
            true => format!("{value}.{name}"),
            false => format!("{value}[{}]", quoted(name)),
        };
    }
    let is_list = format!("type({value}) == list");
    let own = match wanted {
        ClaimTest::Present => None,
        ClaimTest::Text(text) => Some(typed(&value, text)),
        ClaimTest::Item(text) => Some(format!("{is_list} && {}", item(&value, text))),
        ClaimTest::TextOrItem(text) => Some(format!(
            "({is_list} ? {} : {})",
            item(&value, text),
            match text.how {
                How::Exact => test(&value, text),
                _ => format!("type({value}) == string && {}", test(&value, text)),
            }
        )),
        ClaimTest::Word(text) => Some(format!(
            "({is_list} ? {} : type({value}) == string && {})",
            item(&value, text),
            word(&value, text)
        )),
        ClaimTest::Bool(truth) => Some(format!("{value} == {truth}")),
        ClaimTest::Number(number) => Some(format!("{value} == {number}")),
    };
    guards.extend(own);
    guards.join(" && ")
}

/// Whether a text has such a word.
fn word(value: &str, text: &Text) -> String {
    let own = &text.text;
    match text.how {
        How::Exact => format!(
            "(\" \" + {value} + \" \").contains({})",
            quoted(&format!(" {own} "))
        ),
        How::Prefix => format!("(\" \" + {value}).contains({})", quoted(&format!(" {own}"))),
        How::Suffix => format!("({value} + \" \").contains({})", quoted(&format!("{own} "))),
        How::Contains => test(value, text),
        How::NotEmpty => format!("{value}.matches(\"[^ ]\")"),
    }
}

fn typed(value: &str, text: &Text) -> String {
    match text.how {
        How::Exact => test(value, text),
        _ => format!("type({value}) == string && {}", test(value, text)),
    }
}

fn item(list: &str, text: &Text) -> String {
    match text.how {
        How::Exact => format!("{} in {list}", quoted(&text.text)),
        _ => format!(
            "{list}.exists(item, type(item) == string && {})",
            test("item", text)
        ),
    }
}

fn test(value: &str, text: &Text) -> String {
    let own = quoted(&text.text);
    match text.how {
        How::Exact => format!("{value} == {own}"),
        How::Prefix => format!("{value}.startsWith({own})"),
        How::Suffix => format!("{value}.endsWith({own})"),
        How::Contains => format!("{value}.contains({own})"),
        How::NotEmpty => format!("{value} != \"\""),
    }
}

fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 22] = [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "type",
        "var",
        "void",
        "while",
    ];
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&name)
}

/// A string literal of CEL.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
