//! An explanation as text: a line per step, the verdict, what the upstream receives, and the response.

use std::rc::Rc;

use anstyle::{AnsiColor, Style};
use countersign::authenticate::Principal;
use countersign::evaluate::Decision;
use countersign::grammar::unprintable::escaped;
use countersign::response::body::phrase_of;

use super::Explanation;
use super::response::Response;
use super::upstream::{Changes, Shown};

const PASSES: Style = AnsiColor::Green.on_default().bold();
const DENIED: Style = AnsiColor::Red.on_default().bold();
const FINDING: Style = AnsiColor::Yellow.on_default();

/// Writes the explanation as text, with colours if `is_coloured`.
pub fn render(explanation: &Explanation<'_>, is_coloured: bool) -> String {
    let paint = |style: Style, text: &str| match is_coloured {
        true => format!("{style}{text}{style:#}"),
        false => text.to_owned(),
    };
    let Explanation {
        lines,
        findings,
        decision,
        callers,
        changes,
        response,
        ..
    } = explanation;
    let found: Vec<String> = findings.iter().flat_map(super::Finding::lines).collect();
    let mut text = String::new();
    for line in lines {
        text += &match found.contains(line) {
            true => paint(FINDING, line),
            false => line.clone(),
        };
        text.push('\n');
    }
    let verdict = verdict(decision, callers);
    let style = match decision.passage() {
        Some(_) => PASSES,
        None => DENIED,
    };
    text += &paint(style, &verdict);
    text.push('\n');
    if let Some(changes) = changes {
        text += &changed(changes);
    }
    text += &state(explanation);
    if let Some(response) = response {
        text += "\n";
        text += &on_the_wire(response);
    }
    text
}

/// Whether the request passes, and who the callers are, or why it does not.
fn verdict(decision: &Decision<'_>, callers: &[(&str, Rc<Principal>)]) -> String {
    match (decision.refusal(), decision.is_shadow) {
        (None, _) if decision.passage().is_some() => format!("passes: {}", shown(callers)),
        (None, _) => "answered by the filter".to_owned(),
        (Some(reject), false) => format!("denied: {}", reject.reason()),
        (Some(reject), true) => format!(
            "passes because `mode` is `shadow`; would be denied: {}",
            reject.reason()
        ),
    }
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

/// What the filter changes in the forwarded request.
fn changed(changes: &Changes) -> String {
    let mut text = String::new();
    if !changes.removed.is_empty() {
        text += &format!("removed: {}\n", changes.removed.join(", "));
    }
    for set in &changes.set {
        text += &match &set.value {
            Shown::Text(value) => format!("set: {}: {}\n", set.name, escaped(value)),
            Shown::Claims(claims) => format!(
                "set: {}: the base64url of {}\n",
                set.name,
                escaped(&claims.to_string())
            ),
        };
    }
    if let Some(target) = &changes.target {
        text += &format!("target: {}\n", escaped(target));
    }
    text
}

fn state(explanation: &Explanation<'_>) -> String {
    let state = explanation.state.iter();
    let state: Vec<String> = state
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    match state.is_empty() {
        true => String::new(),
        false => format!("filter state: {}\n", state.join(", ")),
    }
}

/// The response, as HTTP/1.1.
fn on_the_wire(response: &Response) -> String {
    let phrase = phrase_of(response.status).unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {phrase}\n", response.status);
    for (name, value) in &response.headers {
        text += &format!("{name}: {}\n", escaped(value));
    }
    text.push('\n');
    for line in response.body.lines() {
        text += &format!("{}\n", escaped(line));
    }
    text
}
