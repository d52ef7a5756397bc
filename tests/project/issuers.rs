//! The configurations of `examples/issuers/`: `check` reports nothing about any of them, each has a table of cases, and
//! `docs/issuers.md` has a section about each, which the table and the configuration prove.

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
    let tables = load_all(now());
    let tables = tables
        .iter()
        .filter_map(|table| table.name.strip_prefix("issuer-"));
    assert_eq!(issuers(), tables.map(str::to_owned).collect());
    for issuer in issuers() {
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

/// A section of `docs/issuers.md`.
struct Section {
    title: String,
    /// The name of the configuration's file, without its ending.
    issuer: String,
    text: String,
}

impl Section {
    /// The claims of its token, valid now.
    fn claims(&self, now: i64) -> Value {
        let (_, rest) = self.text.split_once("```json\n").expect("a token");
        let (block, _) = rest.split_once("```").unwrap();
        let mut claims: Value = serde_json::from_str(block).unwrap();
        let age = now - claims["iat"].as_i64().unwrap();
        for name in ["iat", "nbf", "exp"] {
            if let Some(time) = claims[name].as_i64() {
                claims[name] = (time + age).into();
            }
        }
        claims
    }

    /// The reasons in its table.
    fn reasons(&self) -> BTreeSet<&str> {
        let rows = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| row.split('`').next()).collect()
    }
}

fn sections() -> Vec<Section> {
    let page = fs::read_to_string(in_repository("docs/issuers.md")).unwrap();
    let index = page.split("\n## ").next().unwrap();
    let files: Vec<(String, String)> = index
        .lines()
        .filter_map(|line| line.strip_prefix("| ["))
        .map(|row| {
            let (title, rest) = row.split_once(']').unwrap();
            let (_, rest) = rest.split_once("[`").unwrap();
            let (file, rest) = rest.split_once(".yaml`]").unwrap();
            assert!(rest.starts_with(&format!("(../{FOLDER}/{file}.yaml)")));
            (title.to_owned(), file.to_owned())
        })
        .collect();
    let sections: Vec<Section> = page
        .split("\n## ")
        .skip(1)
        .zip(files)
        .map(|(text, (title, issuer))| {
            assert_eq!(text.lines().next(), Some(title.as_str()));
            Section {
                title,
                issuer,
                text: text.to_owned(),
            }
        })
        .collect();
    let named: BTreeSet<String> = sections.iter().map(|own| own.issuer.clone()).collect();
    assert_eq!(named, issuers());
    sections
}

/// The first case of an issuer's table is a token that passes. The token of its section passes in that case's place.
#[test]
fn the_token_in_the_documentation_of_each_is_accepted_by_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for section in sections() {
        let mut mint = Command::new(env!("CARGO_BIN_EXE_countersign"));
        mint.args(["mint", "--jwks-out", "jwks.json", "--key"])
            .arg(in_repository("tests/keys/rs256.json"));
        for (name, value) in section.claims(now()).as_object().unwrap() {
            mint.args(["--claim", &format!("{name}={value}")]);
        }
        let minted = mint.current_dir(folder.path()).output().unwrap();
        assert!(minted.status.success(), "{}: {minted:?}", section.title);
        fs::write(folder.path().join("token"), minted.stdout).unwrap();
        let table = document::read(&format!("tests/cases/issuer-{}.yaml", section.issuer));
        let request = &table["cases"][0]["request"];
        let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("explain")
            .arg(in_repository(FOLDER).join(format!("{}.yaml", section.issuer)))
            .args(["--path", request["path"].as_str().unwrap()])
            .args(["--method", request["method"].as_str().unwrap_or("GET")])
            .args(["--bearer-file", "token", "--jwks", "jwks.json"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(0), "{}: {ran:?}", section.title);
    }
}

/// Each reason in a section is that of a case, except those that no case of one issuer can have.
#[test]
fn each_reason_in_the_documentation_of_an_issuer_is_that_of_a_case() {
    for section in sections() {
        let table = document::read(&format!("tests/cases/issuer-{}.yaml", section.issuer));
        let cases = table["cases"].as_array().unwrap().iter();
        let known: BTreeSet<&str> = cases
            .filter_map(|case| {
                case["expect"]["details"]
                    .as_str()?
                    .strip_prefix("countersign_")
            })
            .collect();
        let reasons = section.reasons();
        assert!(reasons.len() >= 4, "{}: {reasons:?}", section.title);
        for reason in reasons {
            // Keys are fetched: tests/envoy/fetching.rs.
            let is_known = known.contains(reason) || reason == "keys_unavailable";
            assert!(is_known, "{}: no case has {reason}", section.title);
        }
    }
}
