//! A pattern of `matches`, its price, and the literals that a text must have to match it.
//!
//! ```text
//! ^CN=admins,(OU=[A-Z]+,)+DC=com$      the text begins with `CN=admins,`
//! (?i)^cn=(admins|owners),ou=          the text begins with `cn=admins` or `cn=owners`, in any case
//! role:[a-z]+                          the text contains `role:`
//! ```
//!
//! A search for a pattern is expensive, so that a text is first searched for the literals. If the text does not have
//! them, only that search is charged.

use regex_lite::{Error, Regex, RegexBuilder};

use super::cost::{COPIED, READ};
use super::limits;

/// The maximum size of a compiled pattern, in bytes. The time of a search grows with it.
const MAX_SIZE: usize = 16 * 1024;

/// How many bytes of a compiled pattern cost one operation for each byte of text. A compiled pattern consists mostly of
/// pointers, which have twice the size outside wasm.
const BYTES_PER_OPERATION: usize = size_of::<[usize; 5]>();

/// A pattern of `matches`.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// The price of a search, for each byte of text.
    price: u32,
    literals: Literals,
}

/// Literals that every text that matches a pattern has.
#[derive(Debug, PartialEq, Eq)]
enum Literals {
    /// They are not known.
    Unknown,
    /// The text begins with one of these.
    Beginnings {
        texts: Vec<String>,
        ignores_case: bool,
    },
    /// The text contains this.
    Part(String),
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The pattern is not valid, or it is too large.
    pub fn compile(text: &str) -> Result<Self, Error> {
        let within = |bytes| RegexBuilder::new(text).size_limit(bytes).build();
        let regex = within(MAX_SIZE)?;
        // The compiler does not return the size of a pattern. It is found by trying limits.
        let (mut too_small, mut enough) = (0, MAX_SIZE / BYTES_PER_OPERATION);
        while enough - too_small > 1 {
            let middle = usize::midpoint(too_small, enough);
            match within(middle * BYTES_PER_OPERATION) {
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

    /// Whether a text contains a match. None if a charge fails.
    pub fn is_in(&self, text: &str, mut charge: impl FnMut(u32) -> Option<()>) -> Option<bool> {
        charge(self.literals.price(text))?;
        if !self.literals.are_in(text) {
            return Some(false);
        }
        let length = limits::small(text.len()).saturating_add(1);
        charge(length.saturating_mul(self.price))?;
        Some(self.regex.is_match(text))
    }
}

impl Literals {
    /// The literals of a valid pattern. [`Self::Unknown`] is correct for every pattern.
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

    /// The price of a search for the literals in a text.
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
                        // The pattern compiler ignores the case of ASCII letters only.
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

/// Whether a pattern may have a `|` outside groups, or flags. False only if it certainly has neither.
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
                // The first characters of a class, and classes within classes, have special rules, so that such
                // patterns are not analysed.
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

/// The literal characters at the beginning of a pattern, each of which occurs exactly once, and the rest of the
/// pattern.
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

/// The first character of a pattern, if it is literal, and the rest of the pattern.
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

/// The alternatives of a group of literals at the beginning of a pattern: `(a|b)`.
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
    fn the_literals_of_a_pattern_are_found() {
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
        /// The search with literals has the same result as that of the pattern compiler alone.
        #[test]
        fn a_search_for_the_literals_does_not_change_the_result(
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
