//! The page of `make run`, in a browser.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::clients::node;
use crate::support::envoy::module_path;
use crate::support::example;

/// A running `countersign-page run`; it ends with this value.
struct Page {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Page {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let errors = File::create(folder.path().join("errors")).unwrap();
        let mut process = Command::new(program())
            .args(["run", "--any-ports"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let page = Self {
            process,
            address: line.trim().to_owned(),
            folder,
        };
        assert!(page.address.starts_with("http://"), "{}", page.errors());
        page
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("errors")).unwrap()
    }

    /// Ends the page and its Envoy. Returns whether both ended well.
    fn stop(&mut self) -> bool {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            let process = self.process.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &process]).status();
        }
        self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The program `countersign-page`.
fn program() -> OsString {
    let program = env::var_os("COUNTERSIGN_PAGE");
    program.expect("COUNTERSIGN_PAGE names the program: `make test-all` builds it")
}

#[test]
fn the_page_plays_explains_and_counts() {
    let mut page = Page::start();
    let client = node("page.mjs", &[("PAGE", &page.address)])
        .output()
        .unwrap();
    let saw = [client.stdout, client.stderr].concat();
    println!("{}", String::from_utf8_lossy(&saw));
    assert!(client.status.success(), "{}", page.errors());
    // Envoy's log has no secret: the page ends with a failure if it has one.
    assert!(page.stop(), "{}", page.errors());
    assert_eq!(page.errors(), "");
}

/// The configuration for an Envoy that runs elsewhere.
#[test]
fn envoy_accepts_the_written_configuration() {
    let folder = TempDir::new().unwrap();
    let gate = folder.path().join("gate.yaml");
    let configuration = json!({
        "providers": example::providers(),
        "rules": [{"name": "all", "match": {"paths": ["/**"]}}],
    });
    std::fs::write(&gate, configuration.to_string()).unwrap();
    let module = module_path();
    let run = |program: &OsStr, arguments: &[&OsStr]| {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let arguments: [&OsStr; 11] = [
        "bootstrap".as_ref(),
        "--folder".as_ref(),
        folder.path().as_ref(),
        "--gate".as_ref(),
        gate.as_ref(),
        "--module".as_ref(),
        module.as_ref(),
        "--upstream=upstream:8080".as_ref(),
        "--stand-ins=page:10090".as_ref(),
        "--cluster=issuer=issuer:9000".as_ref(),
        "--cluster=other=[::1]:9000".as_ref(),
    ];
    run(&program(), &arguments);
    let written = folder.path().join("envoy.json");
    let envoy = env::var_os("ENVOY").expect("ENVOY names the program: `make test-all` finds one");
    run(
        &envoy,
        &[
            "--mode".as_ref(),
            "validate".as_ref(),
            "-c".as_ref(),
            written.as_ref(),
        ],
    );
}
