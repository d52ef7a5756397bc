//! Where in the configuration a value is.

use std::fmt;

/// The location of a value in the configuration, such as `providers[0].jwt.issuer`.
///
/// It becomes text only when a diagnostic is reported.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// The configuration as a whole.
    Root,
    /// A member of an object.
    Member(&'a At<'a>, &'a str),
    /// An item of a list.
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    /// The member of this object with that name.
    pub fn member<'a>(&'a self, name: &'a str) -> At<'a> {
        At::Member(self, name)
    }

    /// The item of this list with that index.
    pub fn item(&self, index: usize) -> At<'_> {
        At::Item(self, index)
    }

    /// The name of the outermost member: of `rules[0].match.methods[1]`, `rules`.
    pub fn first(&self) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Member(Self::Root, name) => Some(name),
            Self::Member(around, _) | Self::Item(around, _) => around.first(),
        }
    }

    /// The name of the innermost member: of `rules[0].match.methods[1]`, `methods`.
    pub fn key(&self) -> &str {
        match self {
            Self::Root => "",
            Self::Member(_, name) => name,
            Self::Item(around, _) => around.key(),
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(At::Root, name) => formatter.write_str(name),
            Self::Member(around, name) => write!(formatter, "{around}.{name}"),
            Self::Item(around, index) => write!(formatter, "{around}[{index}]"),
        }
    }
}
