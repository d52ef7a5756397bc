//! The path templates of real API descriptions, as npm packages ship them.

use std::fs;
use std::path::Path;

use countersign::request::path::{Case, Pattern};

use super::texts::{folder, lines};

/// An API: where its templates are from, and how its requests are told from others.
pub struct Api {
    pub name: &'static str,
    pub told_by: ToldBy,
    pub templates: Vec<String>,
}

/// What the rules of an API match on besides the path.
#[derive(Clone, Copy)]
pub enum ToldBy {
    Nothing,
    /// A pattern of hosts, and a host that it is for.
    Host(&'static str, &'static str),
    /// A header field.
    Field(&'static str, &'static str),
}

/// All APIs. Those that only the path tells come last, since they would cover the others.
pub fn read() -> Vec<Api> {
    let api = |name, told_by, files: &[&str]| {
        let found = files.iter().flat_map(|file| in_description(file));
        Api {
            name,
            told_by,
            templates: in_order(found.collect()),
        }
    };
    let examples = "@readme/oas-examples/3.0/json/";
    let well_known = Api {
        name: "well-known",
        told_by: ToldBy::Nothing,
        templates: lines("templates.txt"),
    };
    let github = api(
        "github",
        ToldBy::Nothing,
        &["@octokit/openapi-types/types.d.ts"],
    );
    let both = [well_known, github];
    vec![
        api(
            "figma",
            ToldBy::Host("api.figma.example", "API.figma.example:443"),
            &["@figma/rest-api-spec/openapi/openapi.yaml"],
        ),
        api(
            "discord",
            ToldBy::Host("*.discord.example", "canary.discord.example"),
            &["discord-api-spec/build/discord-api-spec.ts"],
        ),
        api(
            "star-trek",
            ToldBy::Field("x-api-version", "1"),
            &[&format!("{examples}star-trek.json")],
        ),
        api(
            "readme",
            ToldBy::Field("accept-version", "2.0"),
            &[
                &format!("{examples}readme-legacy.json"),
                "@readme/oas-examples/3.1/json/train-travel.json",
            ],
        ),
        Api {
            name: "paths",
            told_by: ToldBy::Nothing,
            templates: in_order(both.into_iter().flat_map(|api| api.templates).collect()),
        },
    ]
}

/// The templates of a description, whatever language it is written in: keys that begin with a slash.
fn in_description(file: &str) -> Vec<String> {
    let path = folder().join("node_modules").join(Path::new(file));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: `make test-upstreams` fetches it",
            path.display()
        )
    });
    text.lines().filter_map(key).map(str::to_owned).collect()
}

fn key(line: &str) -> Option<&str> {
    let line = line.trim();
    let quote = |c| c == '"' || c == '\'';
    let line = line.strip_prefix(quote).unwrap_or(line);
    let end = line.find(|c: char| quote(c) || c == ':')?;
    let is_key = line[end..].trim_start_matches(quote).starts_with(':');
    (line.starts_with('/') && !line.starts_with("//") && is_key).then(|| &line[..end])
}

/// Those that are patterns of the filter too, each shape once, literals before parameters.
fn in_order(templates: Vec<String>) -> Vec<String> {
    let is_parameter = |segment: &str| segment.starts_with('{');
    let shape = |template: &String| -> Vec<Option<String>> {
        let segments = template.trim_end_matches('/').split('/');
        let literal = |segment: &str| (!is_parameter(segment)).then(|| segment.to_owned());
        segments.map(literal).collect()
    };
    let is_pattern = |template: &String| {
        let segments = template.split('/');
        segments
            .filter(|segment| segment.contains(['{', '}']))
            .all(|segment| {
                let name = segment
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                name.is_some_and(|name| {
                    name.bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                })
            })
            && Pattern::parse(template, Case::Sensitive).is_ok()
    };
    let mut templates: Vec<String> = templates.into_iter().filter(is_pattern).collect();
    // None is less than any text: parameters are to come last.
    templates.sort_by_cached_key(|template| {
        let shape = shape(template);
        shape
            .into_iter()
            .map(|literal| (literal.is_none(), literal))
            .collect::<Vec<_>>()
    });
    templates.dedup_by_key(|template| shape(template));
    templates
}
