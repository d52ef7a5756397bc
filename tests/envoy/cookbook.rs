//! The recipes of `docs/cookbook.md` do what their transcripts say: in a real Envoy, and by `countersign explain`.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::authorization::{self, introspected};
use crate::support::cookbook::{self, Answer, Line, Recipe, recipes};
use crate::support::envoy::Envoy;
use crate::support::example::Mint;
use crate::support::upstream::Upstream;

#[test]
fn every_transcript_is_what_comes_back() {
    let (upstream, mut recipes, mint) = (Upstream::start(), recipes(), Mint::new());
    assert!(recipes.len() >= 6);
    let login = authorization::start();
    let bootstrap = cookbook::bootstrap(&recipes, upstream.port(), login.port());
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    for recipe in &mut recipes {
        recipe.transcript.retain(|line| line.at.is_none());
        assert!(
            !recipe.transcript.is_empty(),
            "{}: nothing for Envoy",
            recipe.title
        );
    }
    let faults = faults(&recipes, |recipe, line| {
        let answer = line.play(envoy.listener(&recipe.name), &mint);
        let reached = answer.headers.iter().any(|(name, _)| name == "x-upstream");
        assert_eq!(reached, answer.status == 200, "{}", line.text);
        answer
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn explain_says_the_same() {
    let (folder, recipes, mint) = (TempDir::new().unwrap(), recipes(), Mint::new());
    let faults = faults(&recipes, |recipe, line| {
        let file = folder.path().join("document.json");
        fs::write(&file, recipe.document.to_string()).unwrap();
        let mut explain = Command::new(env!("CARGO_BIN_EXE_countersign"));
        explain.args(["explain", "--json"]).arg(&file);
        explain.args(["--method", &line.method, "--path", &line.target]);
        explain.args(["--host", &line.host]);
        if let Some(moment) = &line.at {
            explain.args(["--now", moment]);
        }
        if let Some(address) = &line.from {
            explain.args(["--client", address]);
        }
        for (name, value) in line.fields() {
            explain.args(["--header", &format!("{name}: {value}")]);
        }
        if let Some(token) = line.token(&mint) {
            explain.args(["--bearer", &token]);
        }
        if let Some(token) = line.opaque_token() {
            let response = folder.path().join("introspection.json");
            fs::write(&response, introspected(token).to_string()).unwrap();
            explain.arg("--introspection").arg(response);
        }
        let ran = explain.output().unwrap();
        let said = serde_json::from_slice(&ran.stdout);
        answer(&said.unwrap_or_else(|_| panic!("{}: {ran:?}", line.text)))
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What `explain` says, as if it had come back; an upstream has nothing but 200.
fn answer(explained: &Value) -> Answer {
    if explained["verdict"] == "passes" {
        return Answer {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        };
    }
    let response = &explained["response"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = response["headers"].as_array().unwrap().iter();
    Answer {
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        headers: headers
            .map(|field| (text(&field[0]), text(&field[1])))
            .collect(),
        body: text(&response["body"]).into_bytes(),
    }
}

/// Each line whose answer is not what is written.
fn faults(recipes: &[Recipe], play: impl Fn(&Recipe, &Line) -> Answer) -> Vec<String> {
    let mut faults = Vec::new();
    for recipe in recipes {
        for line in &recipe.transcript {
            for difference in line.differences(&play(recipe, line)) {
                faults.push(format!("{}: {}\n    {difference}", recipe.title, line.text));
            }
        }
    }
    faults
}
