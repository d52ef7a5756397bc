//! What a client certificate proves, as far as the file shows it.

use super::deployment::Finding;
use crate::node::Node;

/// The findings at a `DownstreamTlsContext`; none at other nodes.
pub fn findings(node: &Node<'_>) -> Vec<Finding> {
    if !node.is_message("DownstreamTlsContext") {
        return Vec::new();
    }
    let is_required = node.is_true("require_client_certificate");
    let common = node.member("common_tls_context");
    match common.as_ref().and_then(validation_context) {
        Some(validation) => {
            let mut findings = Vec::from_iter(untrusted(&validation));
            if !is_required {
                let text = "without `require_client_certificate: true`, clients can connect without a certificate";
                findings.push(Finding::warning(&node.path, text));
            }
            findings
        }
        None if is_required && !common.is_some_and(|common| has_sds_validation(&common)) => {
            let text =
                "client certificates are required but not verified; set `validation_context`";
            vec![Finding::warning(&node.path, text)]
        }
        None => Vec::new(),
    }
}

/// The validation context that is written in the file.
fn validation_context<'v>(common: &Node<'v>) -> Option<Node<'v>> {
    common
        .member("validation_context")
        .or_else(|| common.at(&["combined_validation_context", "default_validation_context"]))
}

/// Whether Envoy fetches the validation context over SDS, so that the file does not show it.
fn has_sds_validation(common: &Node<'_>) -> bool {
    [
        "validation_context_sds_secret_config",
        "combined_validation_context",
    ]
    .iter()
    .any(|name| common.member(name).is_some())
}

/// The finding about a validation context that accepts certificates of unknown issuers.
fn untrusted(validation: &Node<'_>) -> Option<Finding> {
    let text = if validation.is_value("trust_chain_verification", "ACCEPT_UNTRUSTED", 1) {
        "with `ACCEPT_UNTRUSTED`, a client certificate proves nothing: anyone can create an accepted certificate"
    } else if validation.member("trusted_ca").is_none() {
        "without `trusted_ca`, a client certificate proves nothing"
    } else {
        return None;
    };
    Some(Finding::warning(&validation.path, text))
}
