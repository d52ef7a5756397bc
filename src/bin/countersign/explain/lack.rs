//! What a caller lacks, as findings.

use countersign::authenticate::jose::claims::moment;
use countersign::authenticate::{Evidence, Principal};
use countersign::authorize::condition::{Operand as Failing, Why};
use countersign::authorize::lack::{ExpectedClaim, Lack, NamesKind};
use countersign::plan::Policy;
use countersign::time::Timestamp;
use serde_json::{Map, Value, json};

use super::finding::{Finding, Operand, expression, list, names, one_of, plain, quoted};
use super::steps::has_credentials;
use super::times::{between, lasting, time};

/// The findings of what a caller lacks.
pub fn findings(
    lacks: &[Lack<'_>],
    caller: &Principal,
    policy: Option<&Policy>,
    now: Timestamp,
) -> Vec<Finding> {
    let words = Words {
        caller,
        policy,
        now,
    };
    lacks.iter().map(|lack| words.finding(lack)).collect()
}

struct Words<'w> {
    caller: &'w Principal,
    policy: Option<&'w Policy>,
    now: Timestamp,
}

impl Words<'_> {
    /// The holder of what was found.
    fn holder(&self) -> &'static str {
        match self.caller.evidence() {
            Evidence::Jwt(_) | Evidence::Introspected(_) => "the token",
            Evidence::ApiKey => "the API key",
            Evidence::Login(_) | Evidence::Digest(_) => "the user",
            Evidence::Certificate => "the certificate",
        }
    }

    fn found(&self, found: Option<&Value>) -> String {
        let holder = self.holder();
        match found {
            Some(value) => format!("{holder} has {}", quoted(value)),
            None => format!("{holder} does not have it"),
        }
    }

    fn finding(&self, lack: &Lack<'_>) -> Finding {
        match lack {
            Lack::Class { accepted, found } => {
                let expected = one_of(accepted.len(), &names(accepted.iter().map(String::as_str)));
                let message = format!("requires `acr` to be {expected}: {}", self.found(*found));
                Finding::new("acr", json!(accepted), json!(found), message)
            }
            Lack::Age { max_age, found } => {
                let then = found.and_then(Value::as_number).and_then(moment);
                let has = match then {
                    Some(then) => format!(
                        "{} has `auth_time` {}, {} ago",
                        self.holder(),
                        time(then),
                        lasting(between(then, self.now))
                    ),
                    None => format!("{} has no `auth_time`", self.holder()),
                };
                let max_age = lasting(*max_age);
                let message = format!("requires `max_age` {max_age}: {has}");
                Finding::new("max_age", max_age, json!(found), message)
            }
            Lack::Names {
                kind,
                missing,
                one_of: alternatives,
                found,
            } => {
                let (kind, plural) = match kind {
                    NamesKind::Scopes => ("scope", "scopes"),
                    NamesKind::Roles => ("role", "roles"),
                    NamesKind::Groups => ("group", "groups"),
                };
                let all: Vec<&str> = missing.iter().map(|name| name.name.as_str()).collect();
                let any: Vec<&str> = alternatives.iter().map(|name| name.name.as_str()).collect();
                let found: Vec<&str> = found.iter().collect();
                let mut wanted = Vec::new();
                match all.len() {
                    0 => {}
                    1 => wanted.push(format!("{kind} {}", names(all.iter().copied()))),
                    _ => wanted.push(format!("{plural} {}", names(all.iter().copied()))),
                }
                match any.len() {
                    0 => {}
                    1 => wanted.push(format!("{kind} {}", names(any.iter().copied()))),
                    _ => wanted.push(format!("one of {plural} {}", names(any.iter().copied()))),
                }
                let holder = self.holder();
                let has = match found.is_empty() {
                    true => format!("{holder} has no {kind}"),
                    false => format!("{holder} has {}", names(found.iter().copied())),
                };
                let message = format!("requires {}: {has}", wanted.join(" and "));
                let expected = json!({"all": all, "any": any});
                Finding::new(kind, expected, json!(found), message)
            }
            Lack::Claim {
                claim,
                expected,
                found,
            } => {
                let name = claim.to_string();
                let (expected, wanted) = match expected {
                    ExpectedClaim::OneOf(values) => {
                        let wanted = one_of(values.len(), &list(values.iter()));
                        (json!(values), wanted)
                    }
                    ExpectedClaim::Parameter {
                        name,
                        value: Some(value),
                    } => {
                        let value = json!(value);
                        let wanted = format!("{}, the value of `{{{name}}}`", quoted(&value));
                        (json!([value]), wanted)
                    }
                    ExpectedClaim::Parameter { name, value: None } => {
                        (Value::Null, format!("the value of `{{{name}}}`"))
                    }
                };
                let message = format!(
                    "requires claim `{}` to be {wanted}: {}",
                    plain(&name),
                    self.found(*found)
                );
                Finding::new("claim", expected, json!(found), message).about(name)
            }
            Lack::Condition(why) => self.condition(why),
            Lack::AnyOf(alternatives) => {
                let count = alternatives.len();
                let message = format!("requires one of the {count} alternatives of `any_of`:");
                let alternatives = alternatives.iter();
                let alternatives = alternatives
                    .map(|lacks| lacks.iter().map(|lack| self.finding(lack)).collect())
                    .collect();
                Finding {
                    alternatives,
                    ..Finding::new("any_of", Value::Null, Value::Null, message)
                }
            }
        }
    }

    fn condition(&self, why: &Why) -> Finding {
        let operands: Vec<Operand> = why.operands.iter().map(|own| self.operand(own)).collect();
        let text = expression(why.text.trim());
        let result = match (&why.error, operands.as_slice()) {
            (_, [one]) if one.text.trim() == why.text.trim() => one.result(),
            (None, []) => "is false".to_owned(),
            (None, [one]) => format!("is false, because {}", one.sentence()),
            (Some(_), [one]) => format!("failed, because {}", one.sentence()),
            (None, _) => "is false:".to_owned(),
            (Some(error), []) => format!("failed: {}", plain(error)),
            (Some(_), _) => "failed:".to_owned(),
        };
        let message = format!("requires the condition `{text}`: it {result}");
        let found = json!(why.error.as_deref().unwrap_or("false"));
        Finding {
            operands,
            ..Finding::new("condition", json!(why.text), found, message)
        }
    }

    /// An operand, without the values of headers that contain credentials.
    fn operand(&self, own: &Failing) -> Operand {
        let is_shown = |names: &[String]| match names {
            [root, members, name, ..] if root == "request" && members == "headers" => {
                !has_credentials(name, self.policy)
            }
            [root, rest @ ..] if root == "request" => {
                !rest.is_empty() && rest.first().is_none_or(|member| member != "headers")
            }
            [root] => root != "callers" && root != "claims",
            _ => true,
        };
        let shown = own.values.iter().filter(|own| is_shown(&own.names));
        let values = shown.map(|own| (own.text.clone(), own.value.clone().unwrap_or_default()));
        Operand {
            text: own.text.clone(),
            error: own.error.clone(),
            values: values.collect::<Map<_, _>>(),
        }
    }
}
