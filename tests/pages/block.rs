//! Fenced blocks of a page.

use pulldown_cmark::{CodeBlockKind, Event, Tag};

use super::markdown;

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// The first word after the fence; empty if there is none.
    pub language: String,
    /// The words after the language.
    pub words: Vec<String>,
    /// The lines between the fences, without the indentation of the list that the block is in.
    pub text: String,
    /// The headings that the block is below, the nearest last.
    pub headings: Vec<String>,
}

impl Block {
    /// The file that the block is written to before commands run: ```` ```yaml gate.yaml ````.
    pub fn file(&self) -> Option<&str> {
        let mut words = self.words.iter();
        words.find(|word| word.contains('.')).map(String::as_str)
    }

    /// Whether a word follows the language.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// The fenced blocks of a text, in order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let (mut in_block, mut in_heading) = (false, false);
    for (event, range) in markdown::parser(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                headings.retain(|(own, _)| *own < level as usize);
                headings.push((level as usize, String::new()));
                in_heading = true;
            }
            Event::End(pulldown_cmark::TagEnd::Heading(_)) => in_heading = false,
            Event::Text(part) | Event::Code(part) if in_heading => {
                if let Some((_, heading)) = headings.last_mut() {
                    heading.push_str(&part);
                }
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let mut words = info.split_whitespace().map(str::to_owned);
                blocks.push(Block {
                    line: markdown::line_of(text, range.start),
                    language: words.next().unwrap_or_default(),
                    words: words.collect(),
                    text: String::new(),
                    headings: headings.iter().map(|(_, own)| own.clone()).collect(),
                });
                in_block = true;
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_block = false,
            Event::Text(part) if in_block => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(&part);
                }
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn a_block_has_its_language_its_words_and_its_line() {
    let text =
        "# A\n\n## B\n\n- an item:\n\n  ```yaml gate.yaml\n  a: 1\n    b\n  ```\n\n    indented\n";
    let blocks = blocks(text);
    let [block] = &blocks[..] else {
        panic!("{blocks:?}")
    };
    assert_eq!((block.line, &*block.language), (7, "yaml"));
    assert_eq!(block.file(), Some("gate.yaml"));
    assert_eq!(block.text, "a: 1\n  b\n");
    assert_eq!(block.headings, ["A", "B"]);
}
