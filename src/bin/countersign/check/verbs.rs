//! Paths with a verb that never match, because an earlier path of the rule matches the same requests.
//!
//! In `/orders/{id}`, the parameter can also be `7:cancel`. Of the paths of a rule, the first one that matches binds the
//! parameters.

use crate::finding::Finding;
use crate::locate::Located;
use crate::node::Node;

/// The findings in every configuration of a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for configuration in &located.configurations {
        let value = configuration.value().unwrap_or_default();
        let root = Node {
            path: configuration.path.clone(),
            value: &value,
        };
        for rule in root.member("rules").iter().flat_map(Node::items) {
            if let Some(paths) = rule.at(&["match", "paths"]) {
                findings.extend(after_parameter(&paths));
            }
        }
    }
    findings
}

fn after_parameter(paths: &Node<'_>) -> Vec<Finding> {
    let mut earlier: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for path in paths.items() {
        let Some(pattern) = path.value.as_str() else {
            continue;
        };
        let verb = pattern.rsplit_once("}:");
        let without = verb.map(|(before, _)| format!("{before}}}"));
        if let Some(first) = without.filter(|without| earlier.contains(&without.as_str())) {
            let text = format!(
                "this path never matches: `{first}` before it matches the same requests, with the verb in its parameter; \
                 move this path before `{first}`"
            );
            findings.push(Finding::warning("verb-after-parameter", path.path, text));
        }
        earlier.push(pattern);
    }
    findings
}
