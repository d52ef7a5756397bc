//! A page whose outputs are replaced.

use std::fs;

use super::transcript::Command;
use super::{Page, output};
use crate::support::in_repository;

/// The text of a page, in which outputs are replaced.
pub struct Rewritten {
    path: String,
    /// A line can become several, or none.
    lines: Vec<Vec<String>>,
    is_changed: bool,
}

impl Rewritten {
    pub fn of(page: &Page) -> Self {
        Self {
            path: page.path.clone(),
            lines: page
                .text
                .lines()
                .map(|line| vec![line.to_owned()])
                .collect(),
            is_changed: false,
        }
    }

    /// Replaces the output of a command that begins on a line of the page.
    pub fn replace(&mut self, line: usize, command: &Command, printed: &[String]) {
        let begin = line - 1 + command.output_line - command.line;
        let first = &self.lines[line - 1][0];
        let indent = " ".repeat(first.len() - first.trim_start().len());
        let new = output::rewritten(&command.output, printed);
        let new = new
            .into_iter()
            .map(|line| format!("{indent}{line}").trim_end().to_owned());
        let new: Vec<String> = new.collect();
        match command.output.len() {
            // After the command.
            0 => self.lines[begin - 1].extend(new),
            count => {
                for old in &mut self.lines[begin..begin + count] {
                    old.clear();
                }
                self.lines[begin] = new;
            }
        }
        self.is_changed = true;
    }

    pub fn save(self) {
        if self.is_changed {
            let text = self.lines.concat().join("\n") + "\n";
            fs::write(in_repository(&self.path), text).unwrap();
        }
    }
}

#[test]
fn a_page_is_rewritten_in_place() {
    let page = Page {
        path: "a.md".to_owned(),
        text: "a\n\n- b:\n\n  ```console\n  $ c\n  1\n  2\n\n  $ d\n  $ e\n  3\n  ```\nf\n"
            .to_owned(),
    };
    let mut rewritten = Rewritten::of(&page);
    let block = &page.blocks()[0];
    let commands = super::transcript::commands(&block.text).unwrap();
    for (command, output) in commands.iter().zip(["4", "5", "6\n7"]) {
        let output: Vec<String> = output.lines().map(str::to_owned).collect();
        rewritten.replace(block.line + 1 + command.line, command, &output);
    }
    let expected = "a\n\n- b:\n\n  ```console\n  $ c\n  4\n\n  $ d\n  5\n  $ e\n  6\n  7\n  ```\nf";
    assert_eq!(rewritten.lines.concat().join("\n"), expected);
}
