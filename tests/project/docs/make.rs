//! The `make` targets that the pages name.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::expect_none;
use crate::pages::pages;
use crate::support::{cookbook, in_repository};

#[test]
fn every_target_exists() {
    let targets = targets();
    // In a code span, or as a command.
    let command = Regex::new(r"(?:`|\$ )make((?: [A-Z_]+=\S+)*) ([a-z][a-z-]*)").unwrap();
    let (mut faults, mut named) = (Vec::new(), BTreeSet::new());
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            for captures in command.captures_iter(line) {
                let target = captures[2].to_owned();
                if !targets.contains(&target) {
                    faults.push(format!("{}: no target `{target}`", page.at(number + 1)));
                }
                named.insert(target);
            }
        }
    }
    expect_none(&faults);
    for target in ["demo", "run", "build", "test", "test-all", "check"] {
        assert!(named.contains(target), "no page names `make {target}`");
    }
}

#[test]
fn every_recipe_exists() {
    let names: BTreeSet<String> = cookbook::recipes()
        .into_iter()
        .map(|recipe| recipe.name)
        .collect();
    let recipe = Regex::new(r"\bRECIPE=([a-z-]+)").unwrap();
    let mut faults = Vec::new();
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            for captures in recipe.captures_iter(line) {
                if !names.contains(&captures[1]) {
                    faults.push(format!(
                        "{}: no recipe `{}`",
                        page.at(number + 1),
                        &captures[1]
                    ));
                }
            }
        }
    }
    expect_none(&faults);
}

/// The targets of the Makefile.
fn targets() -> BTreeSet<String> {
    let makefile = std::fs::read_to_string(in_repository("Makefile")).unwrap();
    let rule = Regex::new(r"(?m)^([a-z][a-z-]*):(?:[^=]|$)").unwrap();
    let rules = rule.captures_iter(&makefile);
    rules.map(|captures| captures[1].to_owned()).collect()
}
