//! An explanation as one JSON object. `docs/explain.md` describes it.

use countersign::evaluate::Verdict;
use countersign::grammar::unprintable::escaped;
use serde_json::{Map, Value, json};

use super::Explanation;
use super::response::Response;
use super::upstream::{Changes, Shown};

/// Writes the explanation as JSON; a value that is unknown is `null`.
pub fn render(explanation: &Explanation<'_>) -> String {
    let Explanation {
        lines,
        rules,
        findings,
        decision,
        callers,
        changes,
        state,
        response,
    } = explanation;
    let subject = decision
        .principal()
        .and_then(|principal| principal.subject());
    let state = state.iter();
    let state: Map<String, Value> = state
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let object = json!({
        "verdict": match (&decision.verdict, decision.is_shadow) {
            (Verdict::Passes(_), _) => "passes",
            (Verdict::Answers(_), _) => "answered",
            (Verdict::Refused(_), false) => "denied",
            (Verdict::Refused(_), true) => "would be denied",
        },
        "reason": decision.refusal().map(|reject| reject.reason().name()),
        "findings": findings,
        "rule": decision.rule_name(),
        "other_rules": rules.iter().map(|(name, finding)| json!({
            "rule": name,
            "finding": finding,
        })).collect::<Vec<_>>(),
        "provider": decision.provider,
        "subject": subject,
        "callers": callers.iter().map(|(provider, caller)| json!({
            "provider": provider,
            "subject": caller.subject(),
        })).collect::<Vec<_>>(),
        "steps": lines,
        "upstream": changes.as_ref().map(upstream),
        "filter_state": state,
        "response": response.as_ref().map(on_the_wire),
    });
    // JSON escapes line breaks inside strings, so each line break here is between members.
    let text = format!("{object:#}");
    let lines = text.lines().map(|line| format!("{}\n", escaped(line)));
    lines.collect()
}

fn upstream(changes: &Changes) -> Value {
    let set = changes.set.iter().map(|set| match &set.value {
        Shown::Text(value) => json!({"name": set.name, "value": value}),
        Shown::Claims(claims) => json!({"name": set.name, "claims": claims}),
    });
    json!({
        "target": changes.target,
        "removed": changes.removed,
        "set": set.collect::<Vec<_>>(),
    })
}

fn on_the_wire(response: &Response) -> Value {
    let headers = response.headers.iter();
    let headers: Vec<_> = headers.map(|(name, value)| json!([name, value])).collect();
    json!({
        "status": response.status,
        "details": response.details,
        "headers": headers,
        "body": response.body,
    })
}
