//! The documentation is true: its configurations are accepted, its links resolve, and its tables are complete.
//!
//! `tests/envoy/docs.rs` runs its commands.

mod complete;
mod configurations;
mod links;
mod make;
mod names;
mod words;

use crate::pages::{Page, markdown, pages};
use crate::support::in_repository;

/// The most bytes of the README.
const README_BYTES: usize = 8192;

#[test]
fn the_readme_is_short() {
    let bytes = Page::read("README.md").text.len();
    assert!(
        bytes <= README_BYTES,
        "README.md has {bytes} bytes: expected at most {README_BYTES}"
    );
}

/// Every page of `docs/` is linked from the README, or from the list of pages in `docs/README.md`.
#[test]
fn every_page_is_listed() {
    let listing = ["README.md", "docs/README.md"].map(Page::read);
    let mut linked = Vec::new();
    for page in &listing {
        linked.extend(links::of(page).into_iter().map(|link| link.path));
    }
    let pages = pages();
    let unlisted = pages.iter().map(|page| &page.path);
    let unlisted = unlisted.filter(|path| path.starts_with("docs/") && *path != "docs/README.md");
    let unlisted: Vec<&String> = unlisted.filter(|path| !linked.contains(path)).collect();
    assert!(
        unlisted.is_empty(),
        "not linked from README.md or docs/README.md: {unlisted:?}"
    );
}

/// `tests/README.md` explains each file and folder beside it.
#[test]
fn every_folder_of_tests_is_explained() {
    let text = Page::read("tests/README.md").text;
    for entry in std::fs::read_dir(in_repository("tests")).unwrap() {
        let entry = entry.unwrap();
        let mut name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            name.push('/');
        }
        assert!(
            name == "README.md" || text.contains(&format!("`{name}`")),
            "tests/README.md does not explain `{name}`"
        );
    }
}

/// GitHub drops what is in a cell too many.
#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    let mut faults = Vec::new();
    for page in pages() {
        for (line, row) in markdown::uneven_rows(&page.text) {
            faults.push(format!("{}: {row}", page.at(line)));
        }
    }
    expect_none(&faults);
}

/// Fails with all faults, one a line.
fn expect_none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
