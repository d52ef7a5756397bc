//! The configurations of `examples/issuers/`: `check` reports nothing about any of them, and each has a table of cases.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::case::load_all;
use crate::support::in_repository;
use crate::support::{document, now};

const FOLDER: &str = "examples/issuers";

/// The issuers, by the names of their files.
fn issuers() -> BTreeSet<String> {
    let entries = fs::read_dir(in_repository(FOLDER)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect()
}

#[test]
fn check_reports_nothing_about_them() {
    assert_eq!(issuers().len(), 8);
    for issuer in issuers() {
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["check", &format!("{FOLDER}/{issuer}.yaml")])
            .current_dir(in_repository(""))
            .output()
            .unwrap();
        assert_eq!(
            (
                ran.status.code(),
                String::from_utf8_lossy(&ran.stdout).as_ref(),
                String::from_utf8_lossy(&ran.stderr).as_ref()
            ),
            (Some(0), "1 configuration, no errors, no warnings\n", ""),
            "{issuer}"
        );
    }
}

#[test]
fn each_has_tokens_that_pass_and_tokens_that_do_not_with_the_reason() {
    let readme = fs::read_to_string(in_repository(FOLDER).join("README.md")).unwrap();
    let tables = load_all(now());
    let tables = tables
        .iter()
        .filter_map(|table| table.name.strip_prefix("issuer-"));
    assert_eq!(issuers(), tables.map(str::to_owned).collect());
    for issuer in issuers() {
        assert!(readme.contains(&format!("[`{issuer}.yaml`]({issuer}.yaml)")));
        let table = document::read(&format!("tests/cases/issuer-{issuer}.yaml"));
        assert_eq!(
            table["document"]["file"],
            format!("{FOLDER}/{issuer}.yaml").as_str()
        );
        let expectations = table["cases"].as_array().unwrap();
        let expectations: Vec<&Value> = expectations.iter().map(|case| &case["expect"]).collect();
        let with_status = |status: u16| {
            expectations
                .iter()
                .filter(move |own| own["status"] == status)
        };
        assert!(with_status(200).count() > 0, "{issuer}");
        assert!(with_status(403).count() > 0, "{issuer}");
        let reasons: BTreeSet<&str> = with_status(401)
            .map(|own| {
                own["details"]
                    .as_str()
                    .expect("each refusal has its reason")
            })
            .collect();
        assert!(reasons.len() >= 3, "{issuer}: {reasons:?}");
        assert!(reasons.contains("countersign_token_expired"), "{issuer}");
    }
}
