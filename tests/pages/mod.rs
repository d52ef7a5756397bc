//! The pages of the documentation, as tests read them: their blocks, links, anchors and prose.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod block;
pub mod markdown;
pub mod output;
pub mod rewritten;
pub mod terminal;
pub mod transcript;

use std::fs;
use std::path::{Path, PathBuf};

use self::block::Block;

/// The pages at the top of the repository.
const AT_THE_TOP: [&str; 4] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];
/// The folders whose pages are read, with the folders within. Outside `docs`, only what is called `README.md` is a page.
const FOLDERS: [&str; 3] = ["docs", "examples", "tests"];
/// The folders that tests and tools create.
const NOT_OURS: [&str; 2] = ["node_modules", "corpus"];

/// A page: a file of Markdown.
pub struct Page {
    /// The path within the repository, such as `docs/check.md`.
    pub path: String,
    pub text: String,
}

impl Page {
    /// The page at a path within the repository.
    ///
    /// # Panics
    /// The file cannot be read.
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(in_repository(path));
        Self {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// The fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        block::blocks(&self.text)
    }

    /// Where a line is, as compilers write it: `docs/check.md:17`.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

/// Every page of the repository, by path.
///
/// # Panics
/// A folder or a file cannot be read.
pub fn pages() -> Vec<Page> {
    let mut paths: Vec<String> = AT_THE_TOP.map(str::to_owned).to_vec();
    paths.retain(|path| in_repository(path).exists());
    for folder in FOLDERS {
        collect(folder, &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

/// Adds the pages of a folder.
fn collect(folder: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(in_repository(folder)).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if !NOT_OURS.contains(&&*name) {
                collect(&path, paths);
            }
        } else if name == "README.md" || (path.starts_with("docs/") && name.ends_with(".md")) {
            paths.push(path);
        }
    }
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
