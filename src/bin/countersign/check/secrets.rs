//! Secrets that the configuration reads from environment variables, and whose values the file shows nevertheless.

use super::gate::Gate;
use crate::finding::Finding;
use crate::locate::Declared;

/// The findings about every filter in a file.
pub fn findings(gates: &[Gate<'_, '_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for gate in gates {
        for name in gate.configuration.variables() {
            if let Some(Declared::InFile(node)) = gate.filter.declared(&name) {
                let how = gate.filter.how_to_declare();
                let text = format!("a secret here is visible in Envoy's `/config_dump`: {how}");
                findings.push(Finding::warning("visible-secret", node.path, text));
            }
        }
    }
    findings
}
