//! The text of a file, and where the parts of its documents are.

mod embedded;
mod excerpt;
mod json;
mod tree;

use std::ops::Range;

pub use self::excerpt::without_secrets;
pub use self::json::tree as json_tree;
pub use self::tree::{Children, Member, Part, Tree};
use crate::finding::{Finding, Mark};

/// The text of a file, and where the parts of its documents are.
pub struct Source {
    /// The name of the file in messages.
    pub name: String,
    text: String,
    /// The trees of the documents, with the paths of their roots; empty if the text cannot be parsed.
    roots: Vec<(String, Tree)>,
    /// The offset of each line.
    lines: Vec<usize>,
}

/// A position in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// The column, in UTF-16 code units.
    pub utf16: usize,
}

impl Source {
    /// A text and the trees of its documents.
    pub fn new(name: String, text: String, trees: Vec<Tree>) -> Self {
        let several = trees.len() > 1;
        let trees = trees.into_iter().enumerate();
        let roots = trees
            .map(|(index, tree)| (root(index, several), tree))
            .collect();
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self {
            lines: std::iter::once(0).chain(breaks).collect(),
            name,
            roots,
            text,
        }
    }

    /// The bytes that a finding is about; none if the file does not show them.
    ///
    /// A value of several lines is shown by its key, or by its first line.
    pub fn range(&self, finding: &Finding) -> Option<Range<usize>> {
        let (part, is_root) = self.part(&finding.path)?;
        let key = part.key.clone().filter(|key| !key.is_empty());
        let value = part.value.range.clone();
        let text = self.text.get(value.clone()).unwrap_or_default();
        // The range of a block scalar begins in the line after its `|` or `>`.
        let is_block = |key: &Range<usize>| {
            let between = self.text.get(key.end..value.start).unwrap_or_default();
            between.contains('\n') && between.contains(['|', '>'])
        };
        let is_block = key.as_ref().is_some_and(is_block);
        let is_short = !text.contains('\n') && !text.is_empty() && !is_block;
        if (part.is_around || finding.mark == Mark::Key || !is_short || is_root)
            && let Some(key) = key
        {
            return Some(key);
        }
        (!value.is_empty()).then(|| self.first_line(value))
    }

    /// The bytes of an expression at a path, from a column in characters, counted from 1, to its end.
    pub fn range_in_expression(&self, path: &str, column: usize) -> Option<Range<usize>> {
        let (part, _) = self.part(path)?;
        let Children::Text(text) = part.value.children.as_ref() else {
            return None;
        };
        let range = part.value.range;
        let before = text.chars().take(column.checked_sub(1)?);
        let offset = before.map(char::len_utf8).sum();
        let start = embedded::offset(text, offset, &range, &self.text);
        let written = self.text.get(start..range.end)?;
        let line = written.lines().next()?.trim_end_matches(['"', '\'']);
        (!line.is_empty()).then(|| start..start + line.len())
    }

    /// The bytes of a line, counted from 1, from a column in characters to its end.
    pub fn rest_of_line(&self, line: usize, column: usize) -> Option<Range<usize>> {
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let text = self.line(line);
        let end = start + text.trim_end().len();
        let skipped = text.chars().take(column.saturating_sub(1));
        let from = start + skipped.map(char::len_utf8).sum::<usize>();
        let indented = start + (text.len() - text.trim_start().len());
        let from = from.max(indented).min(end);
        let next = self.text.get(from..).and_then(|rest| rest.chars().next());
        Some(from..end.max(from + next.map_or(0, char::len_utf8)))
    }

    /// The position of an offset.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        let before = before.trim_start_matches('\u{feff}');
        Position {
            line,
            column: before.chars().count() + 1,
            utf16: before.encode_utf16().count() + 1,
        }
    }

    /// The bytes of the JSON in a string at a path, from a line and a column of this JSON to the end of the line.
    pub fn range_in_string(&self, path: &str, line: usize, column: usize) -> Option<Range<usize>> {
        let (part, _) = self.part(path)?;
        let Children::Text(text) = part.value.children.as_ref() else {
            return None;
        };
        let start = text.split_inclusive('\n').take(line.checked_sub(1)?);
        let start: usize = start.map(str::len).sum();
        let within = text.get(start..)?.chars().take(column.saturating_sub(1));
        let offset = start + within.map(char::len_utf8).sum::<usize>();
        let offset = embedded::offset(text, offset, &part.value.range, &self.text);
        let position = self.position(offset);
        self.rest_of_line(position.line, position.column)
    }

    /// A line, counted from 1, without its end.
    fn line(&self, line: usize) -> &str {
        let index = line.saturating_sub(1);
        let start = self.lines.get(index).copied().unwrap_or(self.text.len());
        let end = self
            .lines
            .get(index + 1)
            .copied()
            .unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        line.trim_end_matches(['\n', '\r'])
    }

    /// The part at a path, and whether the path is that of a document.
    fn part(&self, path: &str) -> Option<(Part, bool)> {
        self.roots.iter().find_map(|(root, tree)| {
            let rest = path.strip_prefix(root.as_str())?;
            let is_whole = root.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']);
            is_whole.then(|| {
                (
                    tree.part(rest.trim_start_matches('.'), &self.text),
                    rest.is_empty(),
                )
            })
        })
    }

    fn first_line(&self, range: Range<usize>) -> Range<usize> {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        range.start..range.start + line.trim_end().len()
    }
}

/// The path of the root of a document: empty if the file has one document, else `documents[0]`, `documents[1]`, ….
pub fn root(index: usize, several: bool) -> String {
    match several {
        true => format!("documents[{index}]"),
        false => String::new(),
    }
}
