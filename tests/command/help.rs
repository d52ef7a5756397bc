//! `--help`, completions and manual pages.

use std::process::Command;

use serde_json::json;

use crate::cli::{Desk, FAILURE, GOOD};

/// The verbs of a command, by its help.
fn verbs(desk: &Desk, command: &[&str]) -> Vec<String> {
    let help = desk.run(&[command, &["--help"]].concat()).out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The examples in a help.
fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect()
}

/// Files with the names that the examples use.
fn desk() -> Desk {
    let desk = Desk::new();
    let token = desk.mint();
    let document = desk.document();
    desk.write("token", &token);
    desk.write("gate.yaml", document.to_string());
    desk.write(
        "envoy.yaml",
        crate::cli::bootstrap(&crate::cli::as_struct(&document)),
    );
    desk.write(
        "request.http",
        format!("GET /orders/7 HTTP/1.1\nHost: localhost\nAuthorization: Bearer {token}\n\n"),
    );
    desk.write("api-key", "right-key-4711");
    desk.write("password", "xyzzy-plugh");
    for folder in [
        ".local/share/bash-completion/completions",
        ".zfunc",
        ".config/fish/completions",
    ] {
        std::fs::create_dir_all(desk.path(folder)).unwrap();
    }
    desk
}

/// What `migrate` translates.
const OLD_FILTER: &str = "
static_resources:
  listeners:
  - name: ingress
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_filters:
          - name: envoy.filters.http.jwt_authn
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
              providers: {corp: {issuer: https://login.example.com, audiences: [orders], remote_jwks: {http_uri: {uri: https://login.example.com/jwks, cluster: login, timeout: 5s}}}}
              rules: [{match: {prefix: /}, requires: {provider_name: corp}}]
          - name: envoy.filters.http.router
            typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
";

#[test]
fn the_examples_of_every_help_run() {
    let verbs = verbs(&Desk::new(), &[]);
    assert!(verbs.len() >= 8, "{verbs:?}");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    // Without a verb: the help of the command.
    for verb in verbs.iter().map(String::as_str).chain([""]) {
        let desk = desk();
        if verb == "migrate" {
            desk.write("envoy.yaml", OLD_FILTER);
            std::fs::create_dir(desk.path("policies")).unwrap();
            desk.write("policies/orders.yaml", OLD_FILTER);
        }
        let arguments = [verb, "--help"];
        let help = desk.run(&arguments[usize::from(verb.is_empty())..]).out;
        let examples = examples(&help);
        assert!((2..=4).contains(&examples.len()), "{verb}: {examples:?}");
        for example in examples {
            let output = Command::new("sh")
                .args(["-c", example])
                .current_dir(desk.path("."))
                .env("PATH", &path)
                .env("HOME", desk.path("."))
                .output()
                .unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_ne!(output.status.code(), Some(FAILURE), "{example}: {error}");
            assert_eq!(error, "", "{example}");
        }
    }
}

#[test]
fn a_shell_accepts_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = desk.run(&["completions", shell]);
        assert_eq!(ran.code, GOOD, "{}", ran.err);
        for word in ["explain", "bearer-file"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    desk.write("script", desk.run(&["completions", "bash"]).out);
    // The words that bash offers after `countersign explain gate.yaml --bea`.
    let line = ". ./script && COMP_WORDS=(countersign explain gate.yaml --bea) COMP_CWORD=3 && \
                _countersign countersign --bea gate.yaml && echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["-c", line])
        .current_dir(desk.path("."))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "--bearer --bearer-file\n"
    );
}

#[test]
fn every_verb_has_a_manual_page() {
    let desk = Desk::new();
    let ran = desk.run(&["man", "--out", "pages"]);
    assert_eq!(ran.code, GOOD, "{}", ran.err);
    let mut names = vec!["countersign".to_owned()];
    for verb in verbs(&desk, &[]) {
        names.push(format!("countersign-{verb}"));
        let nested = verbs(&desk, &[&verb]).into_iter();
        names.extend(nested.map(|own| format!("countersign-{verb}-{own}")));
    }
    let files = ran.lines();
    let expected: Vec<String> = names.iter().map(|name| format!("pages/{name}.1")).collect();
    assert_eq!(files, expected);
    for (name, file) in names.iter().zip(&files) {
        let page = std::fs::read_to_string(desk.path(file)).unwrap();
        let words: Vec<&str> = name.split('-').skip(1).collect();
        let help = desk.run(&[&words[..], &["--help"]].concat()).out;
        for (heading, section) in [
            ("Examples:", "EXAMPLES"),
            ("Exit codes:", "\"EXIT STATUS\""),
        ] {
            let section = format!("\n.SH {section}\n.nf\n  ");
            let has_heading = help.lines().any(|line| line == heading);
            assert_eq!(page.contains(&section), has_heading, "{name}: {page}");
        }
        assert_eq!(desk.run(&[&["man"], &words[..]].concat()).out, page);
        let title = format!(".TH {} 1  \"countersign ", name.to_uppercase());
        assert!(page.contains(&title), "{page}");
        // The requests of groff's man(7) that the pages use, and its conditions.
        let known = [
            ".TH", ".SH", ".TP", ".RS", ".RE", ".br", ".ie", ".el", ".PP", ".SS", ".IP", ".nf",
            ".fi",
        ];
        for line in page.lines().filter(|line| line.starts_with('.')) {
            let request = line.split(' ').next().unwrap();
            assert!(known.contains(&request), "{name}: {line}");
        }
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION"] {
            assert!(
                page.contains(&format!("\n.SH {section}\n")),
                "{name}: {section}"
            );
        }
    }
    for (arguments, message) in [
        (&["man", "chek"][..], "expected a verb, one of check, "),
        (
            &["man", "mint", "x"],
            "`countersign-mint` has no verbs, found `x`",
        ),
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, FAILURE);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
}

#[test]
fn colours_are_for_a_terminal_only() {
    let desk = desk();
    desk.write("public.json", json!({"default": "public"}).to_string());
    let explain = |arguments: &[&str]| {
        let fixed = ["explain", "public.json", "--path", "/"];
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(fixed)
            .args(arguments)
            .current_dir(desk.path("."))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for arguments in [
        &[][..],
        &["--color", "never"],
        &["--color", "always", "--format", "json"],
    ] {
        assert!(!explain(arguments).contains('\u{1b}'), "{arguments:?}");
    }
    assert!(
        explain(&["--color", "always"]).contains("\u{1b}[1m\u{1b}[32mpasses: anonymous\u{1b}[0m")
    );
}
