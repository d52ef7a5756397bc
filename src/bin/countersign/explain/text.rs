//! An explanation as text: a line per step, the verdict, and the response.

use std::fmt::Write;
use std::rc::Rc;

use countersign::authenticate::Principal;
use countersign::evaluate::Decision;
use countersign::grammar::unprintable::escaped;
use countersign::response::Reply;
use countersign::response::body::phrase_of;

use super::Explanation;

/// Writes the explanation as text; a response to HEAD has no body.
pub fn render(explanation: &Explanation<'_>, is_head: bool) -> String {
    let Explanation {
        steps,
        decision,
        callers,
        reply,
    } = explanation;
    let mut text = String::new();
    for step in steps {
        text += step;
        text.push('\n');
    }
    match reply {
        None => {
            text += &format!("passes: {}\n", shown(callers));
            text += &changes(decision);
        }
        Some(reply) => {
            text += &verdict(decision);
            text += &response(reply, is_head);
        }
    }
    text
}

/// The verified subjects and their providers, or `anonymous`.
fn shown(callers: &[(&str, Rc<Principal>)]) -> String {
    let shown: Vec<String> = callers
        .iter()
        .map(|(provider, caller)| {
            let subject = caller.subject().map_or_else(
                || "no subject".to_owned(),
                |subject| format!("subject `{}`", escaped(subject)),
            );
            format!("{subject}, verified by provider `{provider}`")
        })
        .collect();
    match shown.is_empty() {
        true => "anonymous".to_owned(),
        false => shown.join("; "),
    }
}

/// Why the filter responds, or would respond in shadow mode.
fn verdict(decision: &Decision<'_>) -> String {
    match (decision.refusal(), decision.is_shadow) {
        (None, _) => "answered by the filter\n\n".to_owned(),
        (Some(reject), false) => format!("denied: {}\n\n", reject.reason()),
        (Some(reject), true) => format!(
            "passes because `mode` is `shadow`; would be denied: {}\n{}\n",
            reject.reason(),
            changes(decision)
        ),
    }
}

/// What the filter changes in the forwarded request. Only names are shown, because values may be credentials.
fn changes(decision: &Decision<'_>) -> String {
    let forward = &decision.forward;
    let set: Vec<_> = forward.set.iter().map(|(name, _)| *name).collect();
    let mut text = String::new();
    for (change, names) in [
        ("removed", forward.remove.join(", ")),
        ("set", set.join(", ")),
    ] {
        if !names.is_empty() {
            text += &format!("{change}: {names}\n");
        }
    }
    if forward.target.is_some() {
        text += "removed from the query: parameters that the upstream must not receive\n";
    }
    text
}

/// The response, as HTTP/1.1.
fn response(reply: &Reply, is_head: bool) -> String {
    let phrase = phrase_of(reply.status).unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {phrase}\n", reply.status);
    for (name, value) in &reply.headers {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    text += &format!("content-length: {}\n\n", reply.body.len());
    if !is_head {
        text += &reply.body;
        text.push('\n');
    }
    text
}
