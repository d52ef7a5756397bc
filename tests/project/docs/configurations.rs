//! The blocks of the pages: each has a known language, and what it shows is accepted.
//!
//! A block of YAML is a whole configuration, an Envoy configuration or a Kubernetes manifest, or a part of a configuration,
//! which is completed by the provider of `envoy/envoy.yaml`. A word after `yaml` says what it is otherwise.

use std::fs;
use std::process::Command;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::expect_none;
use crate::pages::block::Block;
use crate::pages::{pages, transcript};
use crate::support::{document, example};

const LANGUAGES: [&str; 14] = [
    "console",
    "dockerfile",
    "go",
    "html",
    "http",
    "ini",
    "javascript",
    "json",
    "promql",
    "python",
    "rust",
    "text",
    "toml",
    "yaml",
];

/// The words after the language: a part of a table of cases, commands for the services of compose.yaml, a part of an Envoy
/// configuration or of a manifest, a configuration that `check` rejects.
const WORDS: [&str; 4] = ["case", "compose", "envoy", "invalid"];

/// The keys by which a file is one of Envoy or of Kubernetes.
const OF_A_PLATFORM: [&str; 5] = [
    "apiVersion",
    "static_resources",
    "http_filters",
    "typed_config",
    "@type",
];

#[test]
fn every_block_has_a_known_language() {
    let mut faults = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            if !LANGUAGES.contains(&&*block.language) {
                faults.push(format!(
                    "{}: a block with the language `{}`",
                    page.at(block.line),
                    block.language
                ));
            }
            for word in block.words.iter().filter(|word| !word.contains('.')) {
                if !WORDS.contains(&&**word) {
                    faults.push(format!("{}: an unknown word `{word}`", page.at(block.line)));
                }
            }
        }
    }
    expect_none(&faults);
}

#[test]
fn every_block_of_a_console_has_commands() {
    let mut faults = Vec::new();
    for page in pages() {
        for block in page
            .blocks()
            .iter()
            .filter(|block| block.language == "console")
        {
            if let Err(fault) = transcript::commands(&block.text) {
                faults.push(format!("{}: {fault}", page.at(block.line)));
            }
        }
    }
    expect_none(&faults);
}

/// Commands are in blocks that are run.
#[test]
fn no_other_block_has_commands() {
    let mut faults = Vec::new();
    for page in pages() {
        for block in page
            .blocks()
            .iter()
            .filter(|block| block.language != "console")
        {
            if block.text.lines().any(|line| line.starts_with("$ ")) {
                let (at, language) = (page.at(block.line), &block.language);
                faults.push(format!(
                    "{at}: a command in a block of `{language}`: expected `console`"
                ));
            }
        }
    }
    expect_none(&faults);
}

#[test]
fn every_configuration_is_accepted() {
    let (mut faults, mut checked) = (Vec::new(), 0);
    for page in pages() {
        // The policies to copy have their own test, which also plays their transcripts.
        for block in page
            .blocks()
            .iter()
            .filter(|block| block.language == "yaml")
        {
            checked += 1;
            if let Err(fault) = is_true(block) {
                faults.push(format!("{}: {fault}", page.at(block.line)));
            }
        }
    }
    assert!(checked >= 10, "found only {checked} blocks");
    expect_none(&faults);
}

#[test]
fn every_block_of_json_is_json() {
    let error = document::read("docs/schema/error.json");
    let error = jsonschema::validator_for(&error).unwrap();
    let mut faults = Vec::new();
    for page in pages() {
        for block in page
            .blocks()
            .iter()
            .filter(|block| block.language == "json")
        {
            for value in serde_json::Deserializer::from_str(&block.text).into_iter::<Value>() {
                let fault = match value {
                    Err(fault) => Some(fault.to_string()),
                    // The body of a response: an audit line has `event`.
                    Ok(value) if value.get("error").is_some() && value.get("message").is_some() => {
                        error
                            .iter_errors(&value)
                            .next()
                            .map(|fault| fault.to_string())
                    }
                    Ok(_) => None,
                };
                faults.extend(fault.map(|fault| format!("{}: {fault}", page.at(block.line))));
            }
        }
    }
    expect_none(&faults);
}

/// Whether a block of YAML is what it says.
fn is_true(block: &Block) -> Result<(), String> {
    let mut files = Vec::new();
    for file in serde_yaml_ng::Deserializer::from_str(&block.text) {
        files.push(Value::deserialize(file).map_err(|fault| fault.to_string())?);
    }
    if block.has("envoy") || block.has("case") {
        return Ok(());
    }
    let whole = || check(&block.text);
    let outcome = match &files[..] {
        // As users would have it in a file.
        _ if block.file().is_some() => whole(),
        [file] => {
            let of_a_platform = |key: &str| file.get(key).is_some();
            let is_whole = OF_A_PLATFORM.iter().any(|key| of_a_platform(key))
                || (file.get("providers").is_some() && whole().is_ok());
            match is_whole {
                true => whole(),
                false => check(&completed(file)?.to_string()),
            }
        }
        _ => whole(),
    };
    match (outcome, block.has("invalid")) {
        (Ok(()), false) | (Err(_), true) => Ok(()),
        (Err(fault), false) => Err(fault),
        (Ok(()), true) => Err("`check` accepts what is said to be invalid".to_owned()),
    }
}

/// What `countersign check` reports of a file, if it rejects it.
fn check(text: &str) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("block.yaml");
    fs::write(&file, text).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["check", "block.yaml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    if ran.status.success() {
        return Ok(());
    }
    let printed = [ran.stdout, ran.stderr].concat();
    Err(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// A configuration with a part of one: some of its keys, or one or several providers or rules.
fn completed(part: &Value) -> Result<Value, String> {
    let schema = document::read("docs/schema/document.json");
    let mut base = json!({"realm": "orders", "providers": example::providers()});
    match part {
        Value::Array(items) => {
            for item in items {
                complete(&mut base, item, &schema)?;
            }
        }
        _ => complete(&mut base, part, &schema)?,
    }
    // A part of a rule, such as its `match`, shows no name.
    if let (Value::Object(_), Some(rule)) = (part, base.pointer_mut("/rules/0"))
        && part.get("rules").is_none()
        && rule.get("name").is_none()
    {
        rule["name"] = json!("example");
    }
    Ok(base)
}

fn complete(base: &mut Value, part: &Value, schema: &Value) -> Result<(), String> {
    let keys = part.as_object().ok_or("expected keys of a configuration")?;
    let all_are_of = |definition: &str| {
        let known = &schema.pointer(definition).expect("a part of the schema")["properties"];
        keys.keys().all(|key| known.get(key).is_some())
    };
    if all_are_of("") {
        for (key, value) in keys {
            match key.as_str() {
                "providers" => {
                    add_providers(base, value.as_array().ok_or("`providers` is no list")?)
                }
                _ => base[key] = value.clone(),
            }
        }
    } else if all_are_of("/$defs/Rule") {
        match &mut base["rules"] {
            Value::Array(rules) => rules.push(part.clone()),
            none => *none = json!([part]),
        }
    } else if all_are_of("/$defs/Provider") {
        add_providers(base, &[named(keys)]);
    } else {
        return Err(format!(
            "not the keys of a configuration, a provider or a rule: {keys:?}"
        ));
    }
    Ok(())
}

/// A provider, completed by the one of the example if it has no name.
fn named(keys: &Map<String, Value>) -> Value {
    if keys.contains_key("name") {
        return Value::Object(keys.clone());
    }
    let mut provider = example::providers()[0].take();
    match (
        keys.get("jwt").and_then(Value::as_object),
        provider["jwt"].as_object_mut(),
    ) {
        (Some(jwt), Some(base)) => base.extend(jwt.clone()),
        _ => {
            provider = Value::Object(keys.clone());
            provider["name"] = json!("example");
        }
    }
    provider
}

/// Adds providers. One with a known name replaces the one with this name.
fn add_providers(base: &mut Value, providers: &[Value]) {
    let all = base["providers"]
        .as_array_mut()
        .expect("a list of providers");
    for provider in providers {
        all.retain(|own| own["name"] != provider["name"]);
        all.push(provider.clone());
    }
}

#[test]
fn blocks_that_are_not_true_are_found() {
    let block = |words: &str, text: &str| {
        let page = format!("```yaml {words}\n{text}\n```\n");
        is_true(&crate::pages::block::blocks(&page)[0])
    };
    for (words, text) in [
        ("", "rules: [{match: {paths: [/a]}}]"),
        ("", "match: {paths: [/a*]}"),
        ("", "name: a\njwt: {issuer: https://a.example}"),
        ("", "jwt: {clock_skew: a}"),
        ("", "identty: {}"),
        ("", "a: ["),
        ("", "- {name: a, require: {role: [b]}}"),
        ("", "typed_config: {}"),
        ("gate.yaml", "identity: {headers: {x-a: '{subject}'}}"),
        ("invalid", "match: {paths: [/a]}"),
        ("invalid envoy", "a: ["),
    ] {
        assert!(block(words, text).is_err(), "{words} {text}");
    }
    for (words, text) in [
        ("", "rules: [{name: a, match: {paths: [/a]}}]"),
        ("", "match: {paths: [/a]}\nrequire: {roles: [a]}"),
        ("", "jwt: {clock_skew: 30s}"),
        (
            "",
            "- {name: a, match: {paths: [/a]}, allow: public}\n- {name: b}",
        ),
        ("invalid", "match: {path: [/a]}"),
        ("envoy", "routes: []"),
    ] {
        assert_eq!(block(words, text), Ok(()), "{text}");
    }
}
