//! The parts of a text, and where they are in it.

use std::ops::Range;
use std::rc::Rc;

/// A value in a text.
///
/// A value that YAML names with an alias is where its anchor is.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The bytes of the value.
    pub range: Range<usize>,
    /// What it contains.
    pub children: Rc<Children>,
}

/// What a value contains.
#[derive(Debug)]
pub enum Children {
    /// A scalar: its text, without quotes and escapes.
    Text(String),
    /// A list.
    Items(Vec<Tree>),
    /// An object.
    Members(Vec<Member>),
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The bytes of the name, with its quotes.
    pub key: Range<usize>,
    /// Its value.
    pub value: Tree,
}

/// The part of a text that a path leads to.
#[derive(Clone, Debug)]
pub struct Part {
    /// The name of the member; none for an item of a list and for a document.
    pub key: Option<Range<usize>>,
    /// The value.
    pub value: Tree,
    /// Whether the path leads to a value that the text does not have. Then this is the nearest one around it.
    pub is_around: bool,
}

impl Tree {
    /// A value.
    pub fn new(range: Range<usize>, children: Children) -> Self {
        Self {
            range,
            children: Rc::new(children),
        }
    }

    /// The part at a path such as `rules[0].match`, or the nearest one around it.
    ///
    /// A name can contain any character. Where several readings of a path lead to a part, it is the one with the longest
    /// names.
    pub fn part(&self, path: &str, source: &str) -> Part {
        let root = Part {
            key: None,
            value: self.clone(),
            is_around: false,
        };
        root.descend(path, source).0
    }
}

impl Part {
    /// The part at the rest of a path, and how many bytes of the path do not lead to a part.
    fn descend(self, path: &str, source: &str) -> (Self, usize) {
        if path.is_empty() {
            return (self, 0);
        }
        let mut nearest = (
            Self {
                is_around: true,
                ..self.clone()
            },
            path.len(),
        );
        for (part, rest) in self.steps(path, source) {
            let found = part.descend(rest, source);
            if found.1 < nearest.1 {
                nearest = found;
            }
            if nearest.1 == 0 {
                break;
            }
        }
        nearest
    }

    /// The parts that the first step of a path can mean, each with the rest of the path; the longest names first.
    fn steps<'p>(&self, path: &'p str, source: &str) -> Vec<(Self, &'p str)> {
        match self.value.children.as_ref() {
            Children::Text(text) => {
                let embedded = super::embedded::tree(text, self.value.range.clone(), source);
                let value = embedded.filter(|tree| !matches!(*tree.children, Children::Text(_)));
                value.map_or_else(Vec::new, |value| {
                    let part = Self {
                        key: self.key.clone(),
                        value,
                        is_around: false,
                    };
                    part.steps(path, source)
                })
            }
            Children::Items(items) => {
                let index = path.strip_prefix('[').and_then(|path| path.split_once(']'));
                let item = index.and_then(|(index, rest)| {
                    let value = items.get(index.parse::<usize>().ok()?)?.clone();
                    Some((
                        Self {
                            key: None,
                            value,
                            is_around: false,
                        },
                        rest,
                    ))
                });
                item.into_iter().collect()
            }
            Children::Members(members) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                let mut found: Vec<_> = members
                    .iter()
                    .filter_map(|member| {
                        let rest = path.strip_prefix(member.name.as_str())?;
                        let is_whole = rest.is_empty() || rest.starts_with(['.', '[']);
                        let part = Self {
                            key: Some(member.key.clone()),
                            value: member.value.clone(),
                            is_around: false,
                        };
                        is_whole.then_some((part, rest))
                    })
                    .collect();
                found.sort_by_key(|(_, rest)| rest.len());
                found
            }
        }
    }
}
