//! Whether a mesh or a gateway gives the filter the certificates of clients, as far as the file shows it.
//!
//! The TLS of Istio's and Envoy Gateway's listeners is not in the resource of the filter.

use super::gate::{CertificateUse, Gate};
use super::istio::{Placed, placed, resources};
use crate::finding::Finding;
use crate::locate::{Located, Platform};
use crate::node::Node;

/// The findings about every filter in a file whose configuration uses client certificates.
pub fn findings(gates: &[Gate<'_, '_>], located: &Located<'_>) -> Vec<Finding> {
    let envoy_filters = resources(located, "EnvoyFilter", "networking.istio.io/");
    let users = gates
        .iter()
        .filter(|gate| gate.certificate_use() > CertificateUse::Nothing);
    let found = users.filter_map(|gate| {
        if gate.filter.platform == Platform::EnvoyGateway {
            return in_envoy_gateway(gate, located);
        }
        in_istio(gate, &placed(gate, &envoy_filters)?, located)
    });
    found.collect()
}

/// The finding about a filter that Istio runs.
fn in_istio(gate: &Gate<'_, '_>, placed: &Placed<'_>, located: &Located<'_>) -> Option<Finding> {
    let policies = resources(located, "PeerAuthentication", "security.istio.io/");
    let mut modes = policies
        .iter()
        .filter(|policy| placed.shares_workload(policy))
        .filter_map(|policy| policy.at(&["spec", "mtls", "mode"]));
    if let Some(mode) = modes.clone().find(|mode| mode.value == "DISABLE") {
        let text = "with `DISABLE`, no request has a client certificate: every credential that needs one is denied; set \
                    `STRICT`";
        return Some(Finding::warning("no-client-certificate", mode.path, text));
    }
    let gateways = resources(located, "Gateway", "networking.istio.io/");
    let servers = gateways
        .iter()
        .filter_map(|gateway| gateway.at(&["spec", "servers"]));
    let asks = |server: Node<'_>| {
        let mode = server.at(&["tls", "mode"]);
        mode.is_some_and(|mode| mode.value == "MUTUAL" || mode.value == "OPTIONAL_MUTUAL")
    };
    if modes.any(|mode| mode.value == "STRICT")
        || servers.into_iter().any(|servers| servers.items().any(asks))
    {
        return None;
    }
    let text = "a request has a client certificate only over mutual TLS: a sidecar needs a `PeerAuthentication` with \
                `mode: STRICT`, and a gateway a `Gateway` with `tls.mode: MUTUAL`, and a waypoint sees no certificate";
    Some(Finding::note(
        "client-certificate",
        &gate.filter.settings.path,
        text,
    ))
}

/// The finding about a filter that Envoy Gateway runs.
fn in_envoy_gateway(gate: &Gate<'_, '_>, located: &Located<'_>) -> Option<Finding> {
    let policies = resources(located, "ClientTrafficPolicy", "gateway.envoyproxy.io/");
    let asks = |policy: &Node<'_>| policy.at(&["spec", "tls", "clientValidation"]).is_some();
    let text = "a request has a client certificate only with `tls.clientValidation` in a `ClientTrafficPolicy`";
    (!policies.iter().any(asks))
        .then(|| Finding::note("client-certificate", &gate.filter.settings.path, text))
}
