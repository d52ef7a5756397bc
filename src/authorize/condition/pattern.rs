//! A pattern of `matches`, what a search for it costs, and what each text that it matches begins with or holds.
//!
//! ```text
//! ^CN=admins,(OU=[A-Z]+,)+DC=com$      begins with `CN=admins,`
//! (?i)^cn=(admins|owners),ou=          begins with `cn=admins` or `cn=owners`, in any case
//! role:[a-z]+                          holds `role:`
//! ```
//!
//! The search for a pattern is dear, so a text is first looked at for these. One without them pays for that look alone.

use regex_lite::{Error, Regex, RegexBuilder};

use super::cost::{COPIED, READ};
use super::limits;

/// How large a compiled pattern may be, in bytes: the time to look for one grows with it.
const HEAVIEST: usize = 16 * 1024;

/// As many bytes of a compiled pattern cost an operation for each byte of text. The parts of a pattern are mostly
/// pointers, which have twice the size outside wasm.
const BYTES_OF_PATTERN: usize = size_of::<[usize; 5]>();

/// A pattern of `matches`.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// What a byte of text costs.
    price: u32,
    literals: Literals,
}

/// What each text that a pattern matches has.
#[derive(Debug, PartialEq, Eq)]
enum Literals {
    /// Not known.
    Unknown,
    /// It begins with one of these.
    Beginnings {
        texts: Vec<String>,
        ignores_case: bool,
    },
    /// It holds this.
    Part(String),
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is none, or too large.
    pub fn compile(text: &str) -> Result<Self, Error> {
        let within = |bytes| RegexBuilder::new(text).size_limit(bytes).build();
        let regex = within(HEAVIEST)?;
        // How large a pattern is can only be asked by its limit.
        let (mut too_small, mut enough) = (0, HEAVIEST / BYTES_OF_PATTERN);
        while enough - too_small > 1 {
            let middle = usize::midpoint(too_small, enough);
            match within(middle * BYTES_OF_PATTERN) {
                Ok(_) => enough = middle,
                Err(_) => too_small = middle,
            }
        }
        Ok(Self {
            regex,
            price: limits::small(enough),
            literals: Literals::of(text),
        })
    }

    /// Whether it is found in a text; none if one of the payments fails.
    pub fn is_in(&self, text: &str, mut pay: impl FnMut(u32) -> Option<()>) -> Option<bool> {
        pay(self.literals.price(text))?;
        if !self.literals.are_in(text) {
            return Some(false);
        }
        let length = limits::small(text.len()).saturating_add(1);
        pay(length.saturating_mul(self.price))?;
        Some(self.regex.is_match(text))
    }
}

impl Literals {
    /// What is sure of a pattern that compiles. [`Self::Unknown`] is right for any pattern.
    fn of(pattern: &str) -> Self {
        let (ignores_case, rest) = match pattern.strip_prefix("(?i)") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if has_choice(rest) {
            return Self::Unknown;
        }
        let (is_anchored, rest) = match rest.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (literal, rest) = literal(rest);
        if is_anchored {
            let choices = choices(rest).unwrap_or_else(|| vec![String::new()]);
            let texts: Vec<String> = choices
                .into_iter()
                .map(|choice| format!("{literal}{choice}"))
                .collect();
            if texts.iter().all(|text| !text.is_empty()) {
                return Self::Beginnings {
                    texts,
                    ignores_case,
                };
            }
        } else if !ignores_case && !literal.is_empty() {
            return Self::Part(literal);
        }
        Self::Unknown
    }

    /// What it costs to look for them in a text.
    fn price(&self, text: &str) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Beginnings { texts, .. } => {
                let prices = texts.iter().map(|own| limits::of_text(own));
                prices.fold(0, u32::saturating_add).saturating_mul(COPIED)
            }
            Self::Part(own) => limits::of_text(text)
                .saturating_add(limits::of_text(own))
                .saturating_mul(READ),
        }
    }

    fn are_in(&self, text: &str) -> bool {
        match self {
            Self::Unknown => true,
            Self::Beginnings {
                texts,
                ignores_case,
            } => texts.iter().any(|own| {
                let beginning = text.as_bytes().get(..own.len());
                beginning.is_some_and(|beginning| {
                    if *ignores_case {
                        // Patterns fold no other letters than those of ASCII.
                        beginning.eq_ignore_ascii_case(own.as_bytes())
                    } else {
                        beginning == own.as_bytes()
                    }
                })
            }),
            Self::Part(own) => text.contains(own.as_str()),
        }
    }
}

/// Whether a pattern may have a `|` that is in no group, or flags. It has none if that is not sure.
fn has_choice(pattern: &str) -> bool {
    let mut characters = pattern.chars().peekable();
    let mut depth = 0_usize;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '(' => {
                depth += 1;
                if characters.next_if_eq(&'?').is_some() && characters.next() != Some(':') {
                    return true;
                }
            }
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            '[' => {
                characters.next_if_eq(&'^');
                // What may stand first in a class, or in one within it, is left to the compiler.
                if matches!(characters.peek(), Some(']' | '-')) {
                    return true;
                }
                loop {
                    match characters.next() {
                        None | Some('[') => return true,
                        Some('\\') => {
                            characters.next();
                        }
                        Some(']') => break,
                        Some(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
    false
}

/// The characters that a pattern begins with, each of which stands for itself once, and the rest.
fn literal(pattern: &str) -> (String, &str) {
    let (mut literal, mut rest) = (String::new(), pattern);
    while let Some((character, after)) = itself(rest) {
        if after.starts_with(['?', '*', '+', '{']) {
            break;
        }
        literal.push(character);
        rest = after;
    }
    (literal, rest)
}

/// The first character of a pattern, if it stands for itself, and the rest.
fn itself(pattern: &str) -> Option<(char, &str)> {
    const META: &str = r"\.+*?()|[]{}^$";
    let mut characters = pattern.chars();
    let character = match characters.next()? {
        '\\' => characters
            .next()
            .filter(|next| META.contains(*next) || *next == '-')?,
        next if META.contains(next) => return None,
        next => next,
    };
    Some((character, characters.as_str()))
}

/// The texts of a group of them that a pattern begins with: `(a|b)`.
fn choices(pattern: &str) -> Option<Vec<String>> {
    let group = pattern.strip_prefix('(')?;
    let mut rest = group.strip_prefix("?:").unwrap_or(group);
    let mut choices = Vec::new();
    loop {
        let (choice, after) = literal(rest);
        choices.push(choice);
        if let Some(next) = after.strip_prefix('|') {
            rest = next;
        } else {
            let after = after.strip_prefix(')')?;
            return (!after.starts_with(['?', '*', '+', '{'])).then_some(choices);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_text_must_have_is_read_from_the_pattern() {
        let beginnings = |texts: &[&str], ignores_case| Literals::Beginnings {
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            ignores_case,
        };
        for (pattern, expected) in [
            (
                "^CN=admins,(OU=[A-Z]+,)+DC=com$",
                beginnings(&["CN=admins,"], false),
            ),
            (
                "(?i)^cn=(admins|owners),ou=",
                beginnings(&["cn=admins", "cn=owners"], true),
            ),
            (r"^a\.b(?:c|d)?", beginnings(&["a.b"], false)),
            ("^ab*", beginnings(&["a"], false)),
            ("^ab{0}", beginnings(&["a"], false)),
            ("^a(b|[c|])", beginnings(&["a"], false)),
            ("role:[a-z]+", Literals::Part("role:".to_owned())),
            ("(?i)role", Literals::Unknown),
            ("^a|b", Literals::Unknown),
            ("^(a|b)|c", Literals::Unknown),
            ("^a[(]|b", Literals::Unknown),
            (r"^a\(|b", Literals::Unknown),
            ("^a[]|b(]|b", Literals::Unknown),
            ("^a[[:alpha:](]|b", Literals::Unknown),
            ("^a(?i)b", Literals::Unknown),
            ("(?m)^a", Literals::Unknown),
            ("(?x)^a b", Literals::Unknown),
            (r"^\<a", Literals::Unknown),
            ("^(|a)", Literals::Unknown),
            ("^[a-z]", Literals::Unknown),
            ("", Literals::Unknown),
        ] {
            assert_eq!(Literals::of(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        /// A text is found to match if and only if the compiler of patterns finds so.
        #[test]
        fn a_look_at_the_literals_changes_no_answer(
            pattern in r"(\(\?i\))?\^?(a|b|A|k|\||\(|\(\?:|\)|\)|\[|\[\^|\]|-|\\.|\\\||\\\[|\?|\*|\+|\{0\}|\{1,\}|\.|\$|\^|\(a\|b\)|\[a\|\]|é){0,9}",
            texts in prop::collection::vec(r"[abABkK|\(\)\[\]é\u{212A}.-]{0,6}", 20),
        ) {
            if let Ok(own) = Pattern::compile(&pattern) {
                for text in texts {
                    prop_assert_eq!(
                        own.is_in(&text, |_| Some(())), Some(own.regex.is_match(&text)), "{} in {}", pattern, text
                    );
                }
            }
        }
    }
}
