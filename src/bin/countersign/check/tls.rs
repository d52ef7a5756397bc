//! What a client certificate proves, as far as the file shows it.
//!
//! Envoy asks for a client certificate only if it can verify it, or if it accepts every certificate (measured with Envoy 1.40).

use super::gate::{CertificateUse, Gate};
use crate::finding::Finding;
use crate::locate::Located;
use crate::node::Node;

/// A filter chain of a listener that has a Countersign filter.
pub struct Chain<'v> {
    node: Node<'v>,
    /// What its filters use of client certificates.
    uses: CertificateUse,
    /// The paths of the settings by which a filter, or its connection manager, trusts a proxy before Envoy.
    trusted_proxies: Vec<String>,
}

/// The filter chains with Countersign filters in a file.
pub fn chains<'v>(gates: &[Gate<'_, 'v>], located: &Located<'v>) -> Vec<Chain<'v>> {
    let mut found = Vec::new();
    located.visit(|listener| {
        let chains = listener.member("filter_chains");
        let chains = chains.iter().flat_map(Node::items);
        let default = listener.member("default_filter_chain");
        found.extend(chains.chain(default).filter_map(|node| chain(node, gates)));
    });
    found
}

fn chain<'v>(node: Node<'v>, gates: &[Gate<'_, 'v>]) -> Option<Chain<'v>> {
    let mut uses = None;
    let mut trusted_proxies = Vec::new();
    node.visit(&mut |manager| {
        let Some(http_filters) = manager.member("http_filters") else {
            return;
        };
        for gate in gates.iter().filter(|gate| gate.filter.is_in(&http_filters)) {
            uses = uses.max(Some(gate.certificate_use()));
            trusted_proxies.extend(trusted_proxy(manager));
            trusted_proxies.extend(trusted_scheme(gate));
        }
    });
    Some(Chain {
        node,
        uses: uses?,
        trusted_proxies,
    })
}

/// The setting by which a connection manager trusts a proxy before Envoy: to add addresses to `x-forwarded-for`, or to send
/// `x-forwarded-client-cert`.
fn trusted_proxy(manager: &Node<'_>) -> Option<String> {
    let hops = manager.member("xff_num_trusted_hops");
    let hops = hops.filter(|hops| hops.value != 0 && hops.value != "0");
    let forwards = [
        ("FORWARD_ONLY", 1),
        ("APPEND_FORWARD", 2),
        ("ALWAYS_FORWARD_ONLY", 4),
    ];
    let key = "forward_client_cert_details";
    let mut forwards = forwards.into_iter();
    let forwards = forwards.any(|(name, number)| manager.is_value(key, name, number));
    let forwarded = manager.member(key).filter(|_| forwards);
    hops.or(forwarded).map(|node| node.path)
}

/// The setting by which a filter trusts `x-forwarded-proto`.
fn trusted_scheme(gate: &Gate<'_, '_>) -> Option<String> {
    let key = "trust_forwarded_proto";
    let value = gate.configuration.value()?;
    let trusts = value.get(key).is_some_and(|trusts| *trusts == true);
    trusts.then(|| format!("{}.{key}", gate.configuration.path))
}

/// The findings at a filter chain, or at a `DownstreamTlsContext`; none at other nodes.
pub fn findings(node: &Node<'_>, chains: &[Chain<'_>]) -> Vec<Finding> {
    let around = chains.iter().filter(|chain| node.is_within(&chain.node));
    let uses = around.map(|chain| chain.uses).max();
    let uses = uses.unwrap_or(CertificateUse::Nothing);
    let mut findings = Vec::new();
    if uses > CertificateUse::Nothing
        && let Some(chain) = chains.iter().find(|chain| chain.node.path == node.path)
    {
        findings.extend(without_tls(node));
        findings.extend(chain.trusted_proxies.iter().map(behind_proxy));
    }
    if node.is_message("QuicDownstreamTransport") {
        findings.extend(quic(node, uses));
    }
    if node.is_message("DownstreamTlsContext") {
        findings.extend(context(node, uses));
    }
    findings
}

/// The finding about a filter chain without TLS.
fn without_tls(chain: &Node<'_>) -> Option<Finding> {
    let mut has_tls = false;
    if let Some(socket) = chain.member("transport_socket") {
        let typed = socket.member("typed_config");
        has_tls = !typed.is_some_and(|typed| typed.is_message("RawBuffer"));
    }
    let text = "without TLS (`transport_socket`), no request has a client certificate: every credential that needs one is \
                denied";
    (!has_tls).then(|| Finding::warning("no-client-certificate", &chain.path, text))
}

fn behind_proxy(path: &String) -> Finding {
    let text = "if a proxy before Envoy terminates the client's TLS, the certificate is the proxy's: the filter does not read \
                `x-forwarded-client-cert`";
    Finding::warning("certificate-of-proxy", path, text)
}

/// The findings about HTTP/3. Its context has no `@type`.
fn quic(transport: &Node<'_>, uses: CertificateUse) -> Vec<Finding> {
    let nested = transport.member("downstream_tls_context");
    let mut findings = nested.map_or_else(Vec::new, |nested| context(&nested, uses));
    if uses > CertificateUse::Nothing {
        let text = "before version 1.40, Envoy reads no client certificate over HTTP/3";
        findings.push(Finding::warning(
            "no-client-certificate",
            &transport.path,
            text,
        ));
    }
    findings
}

/// The findings about a `DownstreamTlsContext`.
fn context(node: &Node<'_>, uses: CertificateUse) -> Vec<Finding> {
    let common = node.member("common_tls_context");
    let validation = common.as_ref().and_then(validation_context);
    let is_fetched = common.as_ref().is_some_and(is_fetched);
    let is_required = node.is_true("require_client_certificate");
    let is_used = uses > CertificateUse::Nothing;
    let of_validation = validation.as_ref().unwrap_or(node);
    let accepts_any = of_validation.is_value("trust_chain_verification", "ACCEPT_UNTRUSTED", 1);
    let mut findings = Vec::new();
    if accepts_any {
        findings.extend(untrusted(of_validation, uses));
    } else if is_fetched {
        let text = "Envoy fetches the `validation_context` over SDS: it must have `trusted_ca`, and must not have \
                    `ACCEPT_UNTRUSTED`";
        findings.extend(is_used.then(|| Finding::note("client-certificate", &node.path, text)));
    } else if !validation.as_ref().is_some_and(has_anchor) {
        let text = "without `trusted_ca`, Envoy asks for no client certificate, even with \
                    `require_client_certificate: true`";
        let is_meant = is_used || is_required || validation.is_some();
        findings.extend(
            is_meant.then(|| Finding::warning("no-client-certificate", &of_validation.path, text)),
        );
    }
    if let Some(expired) = of_validation.member("allow_expired_certificate")
        && of_validation.is_true("allow_expired_certificate")
    {
        let text = "Envoy accepts client certificates that have expired";
        findings.push(Finding::warning("expired-certificates", expired.path, text));
    }
    if !is_required && (validation.is_some() || is_fetched) {
        let text =
            "without `require_client_certificate: true`, clients can connect without a certificate";
        findings.push(match is_used {
            // The filter denies a request without a credential.
            true => Finding::note(
                "certificate-optional",
                &node.path,
                format!("{text}: they are denied where the rule accepts no other credential"),
            ),
            false => Finding::warning("certificate-optional", &node.path, text),
        });
    }
    findings
}

/// The validation context that is written in the file.
fn validation_context<'v>(common: &Node<'v>) -> Option<Node<'v>> {
    common
        .member("validation_context")
        .or_else(|| common.at(&["combined_validation_context", "default_validation_context"]))
}

/// Whether Envoy fetches the validation context over SDS, or a part of it, so that the file does not show it.
fn is_fetched(common: &Node<'_>) -> bool {
    [
        "validation_context_sds_secret_config",
        "combined_validation_context",
    ]
    .iter()
    .any(|name| common.member(name).is_some())
}

/// Whether a validation context says whose certificates are accepted.
fn has_anchor(validation: &Node<'_>) -> bool {
    [
        "trusted_ca",
        "ca_certificate_provider_instance",
        "verify_certificate_spki",
        "verify_certificate_hash",
        "custom_validator_config",
    ]
    .iter()
    .any(|name| validation.member(name).is_some())
}

/// The finding about a validation context that accepts every certificate.
///
/// A token that is bound to a certificate can be sent with a certificate that no authority signed (RFC 8705 §6.3): the client
/// has its key.
fn untrusted(validation: &Node<'_>, uses: CertificateUse) -> Option<Finding> {
    let text = "with `ACCEPT_UNTRUSTED`, a client certificate proves nothing: anyone can create an accepted certificate";
    match uses {
        CertificateUse::Nothing => Some(Finding::warning(
            "untrusted-certificate",
            &validation.path,
            text,
        )),
        CertificateUse::Binding => None,
        CertificateUse::Names => Some(Finding::error(
            "untrusted-certificate",
            &validation.path,
            text,
        )),
    }
}
