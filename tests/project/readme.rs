//! What the README shows is true: every configuration in it is accepted, every command in it exists.

use std::io::Write as _;
use std::process::Command;

use crate::support;
use crate::support::in_repository;

fn readme() -> String {
    std::fs::read_to_string(in_repository("README.md")).unwrap()
}

/// The blocks of a language, in order.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_configuration_is_accepted() {
    let text = readme();
    let policies_to_copy = text
        .split("\n## ")
        .find(|section| section.starts_with("Policies to copy"));
    let policies_to_copy = policies_to_copy.expect("the section is there");
    let blocks = blocks(&text, "yaml");
    // Those of the policies to copy are held by tests/envoy/cookbook.rs, each as a part of its document.
    let (policies, blocks): (Vec<&str>, Vec<&str>) = blocks
        .into_iter()
        .partition(|block| policies_to_copy.contains(block));
    assert_eq!(policies.len(), support::cookbook::recipes().len());
    assert_eq!(blocks.len(), 5);
    // Routes are no configuration of the filter's.
    for block in blocks
        .into_iter()
        .filter(|block| !block.starts_with("routes:"))
    {
        let mut file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        // A part of a document, to copy; without providers nobody can be asked.
        if block.starts_with("identity:") {
            file.write_all(b"default: public\n").unwrap();
        }
        file.write_all(block.as_bytes()).unwrap();
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("check")
            .arg(file.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned()
            + &String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(0), "{said}\n{block}");
    }
}

#[test]
fn every_make_target_exists() {
    let makefile = std::fs::read_to_string(in_repository("Makefile")).unwrap();
    let text = readme();
    let named = text.split("make ").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
        &rest[..end.unwrap_or(rest.len())]
    });
    let targets: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
    for target in ["demo", "test", "run", "build", "check", "test-all"] {
        assert!(
            targets.contains(&target),
            "the README does not name make {target}"
        );
        assert!(
            makefile.contains(&format!("\n{target}:")),
            "there is no make {target}"
        );
    }
}

#[test]
fn every_file_that_is_linked_exists() {
    let text = readme();
    let links = text
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap());
    let files: Vec<&str> = links.filter(|link| !link.contains("://")).collect();
    assert!(!files.is_empty());
    for file in files {
        assert!(in_repository(file).exists(), "{file}");
    }
}

/// `tests/README.md` explains each file and folder beside it, and links to none that is missing.
#[test]
fn every_folder_of_tests_is_explained() {
    let folder = in_repository("tests");
    let text = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
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
    for rest in text.split("](").skip(1) {
        let link = rest.split(')').next().unwrap();
        assert!(folder.join(link).exists(), "{link}");
    }
}
