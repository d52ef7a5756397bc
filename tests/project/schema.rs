//! The published schemas are those of the code: of the document, and of the body of a refusal.

use std::path::Path;
use std::process::Command;

#[test]
fn what_is_published_is_what_the_command_prints() {
    for (of, file) in [("document", "document.json"), ("error", "error.json")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs/schema")
            .join(file);
        let printed = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["schema", of])
            .output()
            .expect("the command runs");
        assert!(printed.status.success());
        let published = std::fs::read(&path).unwrap_or_default();
        assert!(
            printed.stdout == published,
            "docs/schema/{file} is out of date: `dist/countersign schema {of} > docs/schema/{file}`"
        );
    }
}
