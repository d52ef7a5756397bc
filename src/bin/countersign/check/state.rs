//! Filter state that is read although `filter_state` omits it.

use countersign::plan::StateName;

use super::gate::Gate;
use super::order::{is_filter, settings};
use crate::finding::Finding;
use crate::node::Node;

const KIND: &str = "omitted-state";

/// The findings about the filters and the access logs of one connection manager; none at other nodes.
///
/// A policy of an RBAC filter that denies by a value never denies if there is no value, so that this is an error.
pub fn findings(manager: &Node<'_>, gates: &[Gate<'_, '_>]) -> Vec<Finding> {
    let http_filters = manager.member("http_filters");
    let http_filters: Vec<_> = http_filters.iter().flat_map(Node::items).collect();
    let gate_of = |item: &Node<'_>| gates.iter().find(|gate| gate.filter.is_run_by(item));
    let in_chain: Vec<_> = http_filters.iter().filter_map(gate_of).collect();
    let omitted = omitted(&in_chain);
    if omitted.is_empty() {
        return Vec::new();
    }
    let first = http_filters.iter().position(|item| gate_of(item).is_some());
    let behind = first.and_then(|first| http_filters.get(first..));
    let behind = behind.unwrap_or_default().iter();
    let mut findings = Vec::new();
    for other in behind.filter(|other| gate_of(other).is_none()) {
        let read = settings(other, manager);
        let read = read.iter().find_map(|settings| read_in(settings, &omitted));
        findings.extend(read.map(|read| match is_filter(other, "rbac") {
            true => Finding::error(KIND, &read.path, read.text("this filter")),
            false => Finding::warning(KIND, &read.path, read.text("this filter")),
        }));
    }
    let logs = manager.member("access_log");
    let read = logs.and_then(|logs| read_in(&logs, &omitted));
    findings
        .extend(read.map(|read| Finding::warning(KIND, &read.path, read.text("this access log"))));
    findings
}

/// Where omitted filter state is read, and its name.
struct Read {
    path: String,
    name: StateName,
}

impl Read {
    fn text(&self, reader: &str) -> String {
        let key = self.name.key();
        let short = key.rsplit('.').next().unwrap_or(key);
        format!(
            "{reader} reads `wasm.{key}`, which Countersign does not write; add `{short}` to `filter_state`"
        )
    }
}

/// What no Countersign filter of a chain writes. Nothing, if a configuration is invalid.
fn omitted(gates: &[&Gate<'_, '_>]) -> Vec<StateName> {
    let mut omitted = StateName::ALL.to_vec();
    for gate in gates {
        match gate.filter_state() {
            Some(written) => omitted.retain(|name| !written.contains(name)),
            None => omitted.clear(),
        }
    }
    match gates.is_empty() {
        true => Vec::new(),
        false => omitted,
    }
}

/// The first string in a node that names omitted filter state.
fn read_in(node: &Node<'_>, omitted: &[StateName]) -> Option<Read> {
    let is_in_name =
        |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let mut found = None;
    node.visit(&mut |node| {
        let Some(text) = node.value.as_str().filter(|_| found.is_none()) else {
            return;
        };
        let words = text.split(|character| !is_in_name(character));
        let keys = words.filter_map(|word| word.strip_prefix("wasm."));
        let mut names = keys.filter_map(|key| omitted.iter().find(|name| name.key() == key));
        found = names.next().map(|name| Read {
            path: node.path.clone(),
            name: *name,
        });
    });
    found
}
