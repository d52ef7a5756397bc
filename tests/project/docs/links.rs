//! Links, anchors and names of files in the pages.

use std::fs;

use regex_lite::Regex;

use super::expect_none;
use crate::pages::{Page, markdown, pages};
use crate::support::in_repository;

/// A link to a file of the repository.
pub struct Link {
    pub line: usize,
    /// The path within the repository.
    pub path: String,
    /// The part after `#`; empty if there is none.
    pub anchor: String,
}

/// The links of a page to files of the repository.
pub fn of(page: &Page) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, target) in markdown::links(&page.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let path = match path {
            "" => page.path.clone(),
            _ => resolved(&page.path, path),
        };
        let anchor = anchor.to_owned();
        links.push(Link { line, path, anchor });
    }
    links
}

/// The path within the repository of a path relative to a page.
fn resolved(page: &str, path: &str) -> String {
    let mut segments: Vec<&str> = page.split('/').collect();
    segments.pop();
    for segment in path.split('/') {
        match segment {
            "." | "" => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

#[test]
fn every_link_resolves() {
    let mut faults = Vec::new();
    for page in pages() {
        for link in of(&page) {
            let Link { line, path, anchor } = link;
            let file = in_repository(&path);
            // What `make build` writes is not in a clone, nor on GitHub.
            if path.starts_with("dist/") || !file.exists() {
                faults.push(format!("{}: no file `{path}`", page.at(line)));
            } else if !anchor.is_empty() && path.ends_with(".md") {
                let anchors = markdown::anchors(&Page::read(&path).text);
                if !anchors.contains(&anchor) {
                    faults.push(format!(
                        "{}: no anchor `#{anchor}` in `{path}`",
                        page.at(line)
                    ));
                }
            }
        }
    }
    expect_none(&faults);
}

/// A path in a code span, such as `envoy/routes.yaml`, is a file of the repository.
#[test]
fn every_file_that_is_named_exists() {
    let folders = "src|tests|envoy|examples|docs|scripts|tools|fuzz";
    let path = format!(r"`((?:{folders})/[\w./-]+\.[a-z]+)`");
    let path = Regex::new(&path).unwrap();
    let mut faults = Vec::new();
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            for captures in path.captures_iter(line) {
                let path = &captures[1];
                if !in_repository(path).exists() && !page_folder(&page).join(path).exists() {
                    faults.push(format!("{}: no file `{path}`", page.at(number + 1)));
                }
            }
        }
    }
    expect_none(&faults);
}

/// Code, examples and scripts name pages that exist, with anchors that exist.
#[test]
fn every_page_that_code_names_exists() {
    let page = Regex::new(r"\bdocs/[a-z/-]+\.md(?:#[a-z0-9_-]+)?").unwrap();
    let (mut faults, mut named) = (Vec::new(), 0);
    for path in files_with_text() {
        let text = fs::read_to_string(in_repository(&path)).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            for found in page.find_iter(line) {
                named += 1;
                let (target, anchor) = found
                    .as_str()
                    .split_once('#')
                    .unwrap_or((found.as_str(), ""));
                let at = format!("{path}:{}", number + 1);
                if !in_repository(target).exists() {
                    faults.push(format!("{at}: no file `{target}`"));
                } else if !anchor.is_empty()
                    && !markdown::anchors(&Page::read(target).text).contains(anchor)
                {
                    faults.push(format!("{at}: no anchor `#{anchor}` in `{target}`"));
                }
            }
        }
    }
    assert!(named > 10, "found only {named}");
    expect_none(&faults);
}

/// The files in which comments and messages can name a page.
fn files_with_text() -> Vec<String> {
    let mut files: Vec<String> = ["Makefile", "Cargo.toml"].map(str::to_owned).to_vec();
    let mut folders: Vec<String> = ["src", "envoy", "examples", "scripts"]
        .map(str::to_owned)
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(in_repository(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            match entry.path().is_dir() {
                // npm's packages.
                true if path.ends_with("/node_modules") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files
}

fn page_folder(page: &Page) -> std::path::PathBuf {
    let mut folder = in_repository(&page.path);
    folder.pop();
    folder
}

#[test]
fn paths_are_relative_to_the_page() {
    for (page, path, expected) in [
        ("README.md", "docs/a.md", "docs/a.md"),
        ("docs/a.md", "b.md", "docs/b.md"),
        ("docs/credentials/a.md", "../../envoy/", "envoy"),
    ] {
        assert_eq!(resolved(page, path), expected);
    }
}
