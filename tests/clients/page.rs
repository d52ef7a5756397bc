//! The page of `make run`, in a browser.

use std::env;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::clients::node;

/// A running `countersign-page run`; it ends with this value.
struct Page {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Page {
    fn start() -> Self {
        let program = env::var_os("COUNTERSIGN_PAGE");
        let program =
            program.expect("COUNTERSIGN_PAGE names the program: `make test-all` builds it");
        let folder = TempDir::new().unwrap();
        let errors = File::create(folder.path().join("errors")).unwrap();
        let mut process = Command::new(program)
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
        let process = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &process]).status();
        self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.stop();
    }
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
