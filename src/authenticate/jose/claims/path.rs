//! Where a claim is in the claims of a token.

use std::fmt;

use crate::json::{DEPTH_MAX, Tree, View};

/// The path of a claim: a name, or names of nested objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimPath(Form);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    /// A name.
    Name(String),
    /// A text with dots, each of which is a part of a name or separates two names.
    Dotted(String),
    /// The names.
    Exact(Vec<String>),
}

/// Why a path is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimPathFault {
    /// A name is empty.
    EmptyName,
    /// It does not have between one and [`ClaimPath::NAMES_MAX`] names.
    Names,
}

impl ClaimPath {
    /// The most names in a path. Claims are not nested deeper.
    pub const NAMES_MAX: usize = DEPTH_MAX;

    /// The path that a text means: in each object, the longest member name that is the whole text, or that is followed by
    /// a dot; then the rest of the text in the same way.
    ///
    /// So `https://example.com/claims.roles` is the claim of that name if there is one, and otherwise `roles` in
    /// `https://example.com/claims`. No other member is tried if this one does not have the rest.
    ///
    /// # Errors
    /// [`ClaimPathFault`].
    pub fn parse(text: &str) -> Result<Self, ClaimPathFault> {
        if text.is_empty() {
            Err(ClaimPathFault::EmptyName)
        } else if text.split('.').count() > Self::NAMES_MAX {
            Err(ClaimPathFault::Names)
        } else {
            Ok(Self::known(text))
        }
    }

    /// The path that a text means, if the text is part of the filter and valid.
    pub fn known(text: &str) -> Self {
        Self(match text.contains('.') {
            true => Form::Dotted(text.to_owned()),
            false => Form::Name(text.to_owned()),
        })
    }

    /// The path of exactly these names.
    ///
    /// # Errors
    /// [`ClaimPathFault`].
    pub fn exact(names: Vec<String>) -> Result<Self, ClaimPathFault> {
        if names.iter().any(String::is_empty) {
            Err(ClaimPathFault::EmptyName)
        } else if names.is_empty() || names.len() > Self::NAMES_MAX {
            Err(ClaimPathFault::Names)
        } else {
            Ok(Self(Form::Exact(names)))
        }
    }

    /// The value of the claim.
    pub fn find<'c, T: Tree>(&self, claims: &'c T::Object) -> Option<&'c T> {
        match &self.0 {
            Form::Name(name) => T::member(claims, name),
            Form::Dotted(text) => {
                let mut object = claims;
                let mut rest = text.as_str();
                loop {
                    let (length, value) = T::longest(object, rest)?;
                    // After the name is the end, or a dot.
                    let Some(next) = rest.get(length + 1..) else {
                        return Some(value);
                    };
                    (object, rest) = (as_object(value)?, next);
                }
            }
            Form::Exact(names) => {
                let (first, others) = names.split_first()?;
                let first = T::member(claims, first)?;
                let mut others = others.iter();
                others.try_fold(first, |value, name| T::member(as_object(value)?, name))
            }
        }
    }
}

/// Prints the path as it is written: a text, or a list of names.
impl fmt::Display for ClaimPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Name(text) | Form::Dotted(text) => formatter.write_str(text),
            Form::Exact(names) => write!(formatter, "[{}]", names.join(", ")),
        }
    }
}

fn as_object<T: Tree>(value: &T) -> Option<&T::Object> {
    match value.view() {
        View::Object(object) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::claims;
    use super::*;
    use crate::json::Json;
    use serde_json::{Value, json};

    /// The claim at a text, which must be the same in both kinds of values.
    fn at(claims_of: &Value, text: &str) -> Option<Value> {
        let path = ClaimPath::parse(text).unwrap();
        let kept = path.find::<Value>(claims_of.as_object().unwrap()).cloned();
        let borrowed = claims(claims_of.clone());
        let read = path.find::<Json<'_>>(&borrowed).cloned().map(Value::from);
        assert_eq!(kept, read, "{text}");
        kept
    }

    #[test]
    fn a_text_is_a_name_first_then_the_longest_name_and_the_rest() {
        let claims = json!({"a": {"b": 1, "b.c": 2}, "a.c": 3, "https://x.example/r": {"s.t": {"u": 4}}, "n": null, "": {"": 5}});
        assert_eq!(at(&claims, "a.b"), Some(json!(1)));
        assert_eq!(at(&claims, "a.b.c"), Some(json!(2)));
        assert_eq!(at(&claims, "a.c"), Some(json!(3)));
        assert_eq!(at(&claims, "https://x.example/r.s.t.u"), Some(json!(4)));
        assert_eq!(at(&claims, "n"), Some(Value::Null));
        assert_eq!(at(&claims, "."), Some(json!(5)));
        for absent in [
            "b",
            "a.",
            ".a",
            "a..b",
            "a.b.",
            "a.c.d",
            "n.x",
            "https://x",
            "..",
        ] {
            assert_eq!(at(&claims, absent), None, "{absent}");
        }
    }

    #[test]
    fn a_path_has_at_most_as_many_names_as_claims_have_levels() {
        let names = |number| vec!["a".to_owned(); number];
        for (number, expected) in [
            (0, Err(ClaimPathFault::Names)),
            (1, Ok(())),
            (ClaimPath::NAMES_MAX, Ok(())),
            (ClaimPath::NAMES_MAX + 1, Err(ClaimPathFault::Names)),
        ] {
            assert_eq!(ClaimPath::exact(names(number)).map(drop), expected);
            if number > 0 {
                let text = names(number).join(".");
                assert_eq!(ClaimPath::parse(&text).map(drop), expected);
            }
        }
        assert_eq!(ClaimPath::parse(""), Err(ClaimPathFault::EmptyName));
        let empty = ClaimPath::exact(vec!["a".to_owned(), String::new()]);
        assert_eq!(empty, Err(ClaimPathFault::EmptyName));
    }
}
