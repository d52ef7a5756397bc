//! The house's direction: which part may name which, held against the text of the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each part, and what it may name: only parts that are listed before it. `plan::Audit` allows that one name of `plan`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("kinds", &[]),
    ("grammar", &[]),
    ("url", &["grammar"]),
    ("scheme", &[]),
    ("secret", &[]),
    ("json", &[]),
    ("header_map", &[]),
    ("reject", &["scheme"]),
    ("request", &["grammar", "header_map", "reject", "url"]),
    (
        "credential",
        &["grammar", "kinds", "reject", "request", "scheme", "url"],
    ),
    ("ports", &["url"]),
    ("random", &["ports"]),
    ("nonce", &["ports", "random", "time"]),
    (
        "authenticate",
        &[
            "credential",
            "grammar",
            "json",
            "kinds",
            "nonce",
            "reject",
            "request::PeerCertificate",
            "scheme",
            "time",
            "url",
        ],
    ),
    (
        "authorize",
        &["authenticate", "grammar", "reject", "request", "time"],
    ),
    (
        "keys",
        &[
            "authenticate",
            "json",
            "kinds",
            "ports",
            "secret",
            "time",
            "url",
        ],
    ),
    (
        "store",
        &[
            "authenticate",
            "credential",
            "keys",
            "nonce::NonceKey",
            "ports",
            "random",
            "reject",
            "time",
        ],
    ),
    (
        "introspector",
        &[
            "authenticate",
            "ports",
            "secret",
            "store::TokenId",
            "time",
            "url",
        ],
    ),
    (
        "identity",
        &["authenticate", "grammar", "request::FieldNames"],
    ),
    ("presentation", &["reject", "request", "url"]),
    (
        "plan",
        &[
            "authenticate",
            "authorize",
            "credential::Grammar",
            "credential::Location",
            "credential::LocationId",
            "identity",
            "introspector::Server",
            "keys::Source",
            "presentation",
            "reject",
            "request",
            "store",
            "url",
        ],
    ),
    (
        "evaluate",
        &[
            "authenticate",
            "authorize",
            "credential",
            "grammar",
            "keys::CurrentLists",
            "keys::HeldKeys",
            "keys::Withdrawn",
            "nonce::NonceKey",
            "plan",
            "presentation",
            "reject",
            "request",
            "scheme",
            "store",
            "time",
            "url",
        ],
    ),
    (
        "response",
        &[
            "authenticate",
            "authorize::Required",
            "evaluate",
            "grammar",
            "header_map",
            "json",
            "nonce",
            "plan",
            "presentation",
            "reject",
            "request",
            "scheme",
            "time",
        ],
    ),
    (
        "telemetry",
        &[
            "evaluate",
            "grammar",
            "json",
            "plan::Audit",
            "plan::StateName",
            "reject",
            "request",
            "response::Reply",
            "time",
        ],
    ),
    (
        "config",
        &[
            "authenticate",
            "authorize",
            "credential",
            "grammar",
            "identity",
            "introspector::Server",
            "json",
            "keys",
            "kinds",
            "nonce::NonceKey",
            "plan",
            "presentation",
            "request",
            "scheme",
            "secret",
            "time",
            "url",
        ],
    ),
    ("waiting", &["evaluate::Fetch", "time"]),
    ("mint", &["authenticate"]),
];

/// Crates that belong to some parts alone.
const CRATES: &[(&str, &[&str])] = &[
    ("log", &["host"]),
    ("proxy_wasm", &["host"]),
    ("prost", &["config", "host"]),
    ("prost_types", &["config"]),
    ("jwt_compact", &["authenticate", "mint"]),
    ("rsa", &["authenticate", "mint"]),
    ("p256", &["authenticate", "mint"]),
    ("p384", &["authenticate", "mint"]),
    ("p521", &["authenticate", "mint"]),
    ("ed25519_dalek", &["authenticate", "mint"]),
    ("argon2", &["authenticate"]),
    ("bcrypt", &["authenticate"]),
    ("sha1", &["authenticate"]),
    ("md5", &["authenticate"]),
    ("getrandom", &["random"]),
    ("hmac", &["nonce"]),
    ("humantime", &["config", "time"]),
    ("strsim", &["config"]),
    (
        "zeroize",
        &["authenticate", "introspector", "nonce", "secret"],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// The sources of the library by part, without comments and without what only tests compile.
fn parts() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut parts: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for file in sources(&root) {
        let within = file.strip_prefix(&root).unwrap().to_owned();
        let first = within.iter().next().unwrap().to_str().unwrap();
        let part = first.trim_end_matches(".rs").to_owned();
        let is_test = within.file_stem().is_some_and(|stem| stem == "tests");
        if is_test || part == "bin" || part == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let code: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        parts
            .entry(part)
            .or_default()
            .push((within, code.join("\n")));
    }
    parts
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What follows each `crate::` in a text: `plan::Audit`.
fn names_of_crate(code: &str) -> BTreeSet<String> {
    let uses = code.match_indices("crate::").filter(|(start, _)| {
        // `$crate::` in a macro names the same; `countersign_crate::` would not.
        !code[..*start].ends_with(|before: char| is_name(before))
    });
    uses.map(|(start, prefix)| {
        let rest = &code[start + prefix.len()..];
        let end = rest
            .find(|c: char| !is_name(c) && c != ':')
            .unwrap_or(rest.len());
        rest[..end].trim_end_matches(':').to_owned()
    })
    .collect()
}

/// Whether a name is the one that is allowed, or something within it.
fn is_within(name: &str, may: &str) -> bool {
    let rest = name.strip_prefix(may);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn every_part_names_only_what_it_may() {
    let table: BTreeMap<_, _> = MAY_NAME.iter().copied().collect();
    let mut wrong = Vec::new();
    for (part, files) in parts() {
        if part == "host" {
            continue;
        }
        let Some(allowed) = table.get(part.as_str()) else {
            wrong.push(format!("{part}: not in the table"));
            continue;
        };
        for (file, code) in files {
            for name in names_of_crate(&code) {
                let own = name.split("::").next() == Some(&part);
                if !own && !allowed.iter().any(|may| is_within(&name, may)) {
                    wrong.push(format!("{}: names `{name}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_one_direction() {
    let mut before = BTreeSet::new();
    let mut wrong = Vec::new();
    for (part, allowed) in MAY_NAME {
        let parts = allowed.iter().filter_map(|may| may.split("::").next());
        let later = parts.filter(|may| !before.contains(may));
        wrong.extend(later.map(|may| format!("{part}: `{may}` is not listed before it")));
        before.insert(*part);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_allows_nothing_that_is_not_needed() {
    let parts = parts();
    let mut unused = Vec::new();
    for (part, allowed) in MAY_NAME {
        let files = parts.get(*part).into_iter().flatten();
        let named: BTreeSet<_> = files.flat_map(|(_, code)| names_of_crate(code)).collect();
        let is_needed = |may: &str| named.iter().any(|name| is_within(name, may));
        let spare = allowed.iter().filter(|may| !is_needed(may));
        unused.extend(spare.map(|may| format!("{part}: names no `{may}`")));
    }
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (part, files) in parts() {
        for (file, code) in files {
            for (name, rooms) in CRATES {
                let path = format!("{name}::");
                let named = code
                    .match_indices(&path)
                    .any(|(start, _)| !code[..start].ends_with(|c: char| is_name(c) || c == ':'));
                if named && !rooms.contains(&part.as_str()) {
                    wrong.push(format!("{}: names the crate `{name}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_where_the_host_is_called() {
    for (file, code) in parts().into_values().flatten() {
        let is_ffi = file == Path::new("host/ffi.rs");
        // A word of Content Security Policy, in a text.
        let code = code.replace("'unsafe-inline'", "");
        let has_unsafe = code
            .split(|c: char| !is_name(c))
            .any(|word| word == "unsafe");
        assert_eq!(has_unsafe, is_ffi, "{}", file.display());
        assert!(
            is_ffi || !code.contains("allow(unsafe_code)"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn the_test_itself_sees_names() {
    let code = "use crate::plan::Audit; crate::reject::Reject $crate::config::x mycrate::no";
    let names: Vec<_> = names_of_crate(code).into_iter().collect();
    assert_eq!(names, ["config::x", "plan::Audit", "reject::Reject"]);
}
