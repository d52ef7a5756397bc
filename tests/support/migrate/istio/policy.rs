//! `rbac` of AuthorizationPolicy.

use serde_json::{Map, Value, json};

use super::super::filter;
use super::matchers::{self, Unusable};

/// The filter of all policies with one action. A CUSTOM policy whose provider is missing denies what it matches.
pub fn filter(action: &str, policies: &[&Value]) -> Value {
    let (mut enforced, mut dry_run) = (Map::new(), Map::new());
    let (mut is_enforced, mut is_dry_run) = (false, false);
    for policy in policies {
        let metadata = &policy["metadata"];
        let (rules, is_there) = match metadata["annotations"]["istio.io/dry-run"].as_str() {
            Some("true") => (&mut dry_run, &mut is_dry_run),
            _ => (&mut enforced, &mut is_enforced),
        };
        *is_there = true;
        let name = |at: usize| {
            let namespace = metadata["namespace"].as_str().unwrap_or("default");
            let name = metadata["name"].as_str().unwrap_or_default();
            format!("ns[{namespace}]-policy[{name}]-rule[{at}]")
        };
        let listed = policy["spec"]["rules"].as_array();
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        for (at, rule) in listed.iter().enumerate() {
            if let Ok(generated) = generate(rule, action == "ALLOW") {
                rules.insert(name(at), generated);
            }
        }
        if listed.is_empty() {
            rules.insert(name(0), never());
        }
    }
    let action = match action {
        "AUDIT" => "LOG",
        "CUSTOM" => "DENY",
        action => action,
    };
    let mut configuration = json!({});
    for (key, is_there, policies) in [
        ("rules", is_enforced, enforced),
        ("shadow_rules", is_dry_run, dry_run),
    ] {
        if is_there {
            configuration[key] = json!({"action": action, "policies": policies});
        }
    }
    filter::named(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        configuration,
    )
}

/// A policy that matches no request.
fn never() -> Value {
    json!({"permissions": [{"not_rule": {"any": true}}], "principals": [{"not_id": {"any": true}}]})
}

/// One condition: any of `values`, and none of `not_values`.
struct Condition {
    key: String,
    values: Vec<String>,
    not_values: Vec<String>,
}

/// One rule. `is_allow`: a condition that cannot be generated removes the rule; otherwise it is ignored, so that the rule
/// matches more.
fn generate(rule: &Value, is_allow: bool) -> Result<Value, Unusable> {
    let when: Vec<Condition> = items(&rule["when"])
        .map(|one| Condition {
            key: one["key"].as_str().unwrap_or_default().to_owned(),
            values: texts(&one["values"]),
            not_values: texts(&one["notValues"]),
        })
        .collect();
    for condition in &when {
        if !matchers::is_known(&condition.key) {
            return Err(Unusable);
        }
    }
    let operations = alternatives(&rule["to"], "operation", &OPERATION);
    let sources = alternatives(&rule["from"], "source", &SOURCE);
    let set = |alternatives: &[Vec<Condition>], is_permission: bool| {
        let sets = alternatives.iter().map(|own| {
            let when = when.iter();
            let when = when.filter(|one| matchers::is_permission(&one.key) == is_permission);
            let mut all = Vec::new();
            for condition in own.iter().chain(when) {
                all.extend(condition.generate(is_permission, is_allow)?);
            }
            if all.is_empty() {
                all.push(json!({"any": true}));
            }
            Ok(match is_permission {
                true => json!({"and_rules": {"rules": all}}),
                false => json!({"and_ids": {"ids": all}}),
            })
        });
        sets.collect::<Result<Vec<Value>, Unusable>>()
    };
    Ok(json!({"permissions": set(&operations, true)?, "principals": set(&sources, false)?}))
}

/// The fields of an operation: the key of the condition, its values, its negated values.
const OPERATION: [(&str, &str, &str); 4] = [
    (":authority", "hosts", "notHosts"),
    (":method", "methods", "notMethods"),
    ("path-matcher", "paths", "notPaths"),
    ("destination.port", "ports", "notPorts"),
];

/// The fields of a source.
const SOURCE: [(&str, &str, &str); 6] = [
    ("source.principal", "principals", "notPrincipals"),
    (
        "request.auth.principal",
        "requestPrincipals",
        "notRequestPrincipals",
    ),
    (
        "source.serviceAccount",
        "serviceAccounts",
        "notServiceAccounts",
    ),
    ("source.namespace", "namespaces", "notNamespaces"),
    ("remote.ip", "remoteIpBlocks", "notRemoteIpBlocks"),
    ("source.ip", "ipBlocks", "notIpBlocks"),
];

/// The conditions of each item of `from` or `to`. Without items there is one alternative without conditions.
fn alternatives(list: &Value, member: &str, fields: &[(&str, &str, &str)]) -> Vec<Vec<Condition>> {
    let mut alternatives: Vec<Vec<Condition>> = items(list)
        .map(|item| {
            let fields = fields.iter().map(|(key, values, not_values)| Condition {
                key: (*key).to_owned(),
                values: texts(&item[member][values]),
                not_values: texts(&item[member][not_values]),
            });
            fields.collect()
        })
        .collect();
    if alternatives.is_empty() {
        alternatives.push(Vec::new());
    }
    alternatives
}

impl Condition {
    fn generate(&self, is_permission: bool, is_allow: bool) -> Result<Vec<Value>, Unusable> {
        let (or, not) = match is_permission {
            true => ("or_rules", "not_rule"),
            false => ("or_ids", "not_id"),
        };
        let items = if is_permission { "rules" } else { "ids" };
        let any_of = |values: &[String]| -> Result<Option<Value>, Unusable> {
            if values.is_empty() {
                return Ok(None);
            }
            let found = if matchers::is_extended(&self.key) {
                matchers::extended(&self.key, values).map(|one| vec![one])
            } else {
                let mut found = Vec::new();
                for value in values {
                    match matchers::single(&self.key, value) {
                        Ok(one) => found.push(one),
                        Err(unusable) if is_allow => return Err(unusable),
                        Err(Unusable) => {}
                    }
                }
                Ok(found)
            };
            match found {
                Ok(found) if found.is_empty() => Ok(None),
                Ok(found) => Ok(Some(json!({or: {items: found}}))),
                Err(unusable) if is_allow => Err(unusable),
                Err(Unusable) => Ok(None),
            }
        };
        let mut conditions = Vec::new();
        conditions.extend(any_of(&self.values)?);
        conditions.extend(any_of(&self.not_values)?.map(|some| json!({not: some})));
        Ok(conditions)
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> Vec<String> {
    let texts = items(list).filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
