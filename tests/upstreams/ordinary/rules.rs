//! The rules that ordinary requests are for, and a plain search for the one that a request is under.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::templates::{Api, ToldBy};

/// The host whose every path is under one rule.
pub const SITE: &str = "www.example.com";

/// A rule: a template, and what its requests have besides.
pub struct Rule {
    pub name: String,
    pub template: String,
    pub told_by: ToldBy,
}

/// One rule for each template of each API; before them, one for the website and one for everything below `/by/{owner}`.
pub fn all(apis: &[Api]) -> Vec<Rule> {
    let mut rules = vec![
        Rule {
            name: "site".to_owned(),
            template: "/**".to_owned(),
            told_by: ToldBy::Host(SITE, SITE),
        },
        Rule {
            name: "below".to_owned(),
            template: "/by/{owner}/**".to_owned(),
            told_by: ToldBy::Nothing,
        },
    ];
    for api in apis {
        rules.extend(api.templates.iter().map(|template| Rule {
            name: format!("{} {template}", api.name),
            template: template.clone(),
            told_by: api.told_by,
        }));
    }
    rules
}

impl Rule {
    /// As the document has it: every parameter must be what the token says of it.
    pub fn to_json(&self) -> Value {
        let mut matches = json!({"paths": [self.template]});
        match self.told_by {
            ToldBy::Nothing => {}
            ToldBy::Host(pattern, _) => matches["hosts"] = json!([pattern]),
            ToldBy::Field(name, value) => matches["headers"] = json!({name: value}),
        }
        let parameters = self.parameters();
        let claims: Map<String, Value> = parameters
            .map(|name| (format!("p.{name}"), json!(format!("{{{name}}}"))))
            .collect();
        let mut rule = json!({"name": self.name, "match": matches});
        if !claims.is_empty() {
            rule["require"] = json!({"claims": claims});
        }
        rule
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        let segments = self.template.split('/');
        segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// What it binds of a path, where it is for it: each segment decoded once.
    fn binds(&self, path: &str) -> Option<Map<String, Value>> {
        let mut bound = Map::new();
        let path = path.strip_suffix('/').unwrap_or(path);
        let template = self.template.strip_suffix('/').unwrap_or(&self.template);
        let mut segments = path.split('/').skip(1);
        for own in template.split('/').skip(1) {
            if own == "**" {
                return Some(bound);
            }
            let segment = segments.next()?;
            let segment = percent_decode_str(segment).decode_utf8().ok()?;
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(name) => drop(bound.insert(name.to_owned(), json!(segment))),
                None if own == segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(bound)
    }
}

/// The first rule that a request is for, and what it binds.
pub fn find<'r>(
    rules: &'r [Rule],
    path: &str,
    host: &str,
    fields: &[(String, String)],
) -> Option<(&'r Rule, Map<String, Value>)> {
    let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let is_told = |rule: &Rule| match rule.told_by {
        ToldBy::Nothing => true,
        ToldBy::Host(pattern, _) => match pattern.strip_prefix('*') {
            Some(end) => host.ends_with(end),
            None => host == pattern,
        },
        ToldBy::Field(name, value) => fields
            .iter()
            .any(|(own, sent)| own == name && sent == value),
    };
    let mut told = rules.iter().filter(|rule| is_told(rule));
    told.find_map(|rule| Some((rule, rule.binds(path)?)))
}
