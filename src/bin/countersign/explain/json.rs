//! An explanation as one JSON object.

use countersign::evaluate::Verdict;
use countersign::grammar::unprintable::escaped;
use countersign::response::Reply;
use serde_json::{Value, json};

use super::Explanation;

/// Writes the explanation as JSON; a value that is unknown is `null`.
pub fn render(explanation: &Explanation<'_>) -> String {
    let Explanation {
        steps,
        decision,
        callers,
        reply,
    } = explanation;
    let subject = decision
        .principal()
        .and_then(|principal| principal.subject());
    let object = json!({
        "verdict": match (&decision.verdict, decision.is_shadow) {
            (Verdict::Passes(_), _) => "passes",
            (Verdict::Answers(_), _) => "answered",
            (Verdict::Refused(_), false) => "denied",
            (Verdict::Refused(_), true) => "would be denied",
        },
        "reason": decision.refusal().map(|reject| reject.reason()),
        "rule": decision.rule,
        "provider": decision.provider,
        "subject": subject,
        "callers": callers.iter().map(|(provider, caller)| json!({
            "provider": provider,
            "subject": caller.subject(),
        })).collect::<Vec<_>>(),
        "steps": steps,
        // Only names are shown, because values may be credentials.
        "upstream": decision.passage().map(|_| json!({
            "removed": decision.forward.remove,
            "set": decision.forward.set.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "query_changed": decision.forward.target.is_some(),
        })),
        "response": reply.as_ref().map(response),
    });
    // JSON escapes line breaks inside strings, so each line break here is between members.
    let text = format!("{object:#}");
    let lines = text.lines().map(|line| format!("{}\n", escaped(line)));
    lines.collect()
}

fn response(reply: &Reply) -> Value {
    let headers: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    json!({ "status": reply.status, "headers": headers, "body": reply.body })
}
