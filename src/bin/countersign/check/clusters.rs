//! The clusters that configurations name: whether they exist, and whether Envoy verifies who answers there.
//!
//! A server that answers in place of the issuer chooses the keys, and can sign any token. One that answers in place of the
//! source of a list chooses who has access.

use countersign::config::nearest;
use serde_json::Value;

use crate::finding::Finding;
use crate::locate::{Configuration, Located, Platform};
use crate::node::Node;

/// A cluster that a configuration names.
struct Named {
    /// The path of the name.
    path: String,
    name: String,
    /// For what the filter sends requests to it.
    content: Content,
    /// Whether its TLS is checked: the filter sends requests with an `https` URL to it, or fetches a list from it. For other
    /// keys, the warning is about the URL.
    needs_tls: bool,
    /// None for a configuration that is a whole document.
    platform: Option<Platform>,
}

/// For what the filter sends requests to a cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The keys of an issuer.
    Keys,
    /// A list of credentials.
    List,
    /// The state of tokens (RFC 7662).
    Introspection,
}

impl Content {
    /// Of the member at this path, which names a cluster.
    fn at(path: &str) -> Self {
        let lists = [".api_key.keys.remote", ".basic.users.remote"];
        match lists.iter().any(|list| path.ends_with(list)) {
            true => Self::List,
            false if path.ends_with(".introspection") => Self::Introspection,
            false => Self::Keys,
        }
    }

    /// What follows if the cluster does not exist.
    fn without_cluster(self) -> &'static str {
        match self {
            Self::Keys => "the filter cannot fetch keys, so it answers every token with 503",
            Self::List => {
                "the filter cannot fetch lists of credentials, so it answers every credential of the provider with 503"
            }
            Self::Introspection => {
                "the filter cannot introspect tokens, so it answers every opaque token with 503"
            }
        }
    }

    /// What can happen if Envoy accepts another server's certificate.
    fn on_the_path(self) -> &'static str {
        match self {
            Self::Keys => "anyone on the network path can replace the keys",
            Self::List => "anyone on the network path can replace the lists of credentials",
            Self::Introspection => "anyone on the network path can say that a token is active",
        }
    }

    /// What can happen without TLS.
    fn without_tls(self) -> &'static str {
        match self {
            Self::Keys => "keys fetched without TLS can be replaced by anyone on the network path",
            Self::List => {
                "lists of credentials fetched without TLS can be replaced by anyone on the network path"
            }
            Self::Introspection => {
                "without TLS, anyone on the network path can read the tokens and the client secret, and say that a token is \
                 active"
            }
        }
    }
}

/// The findings about the clusters of every configuration in a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let known = known(located);
    let mut findings = Vec::new();
    let mut reported: Vec<String> = Vec::new();
    for named in located.configurations.iter().flat_map(named_by) {
        let own = known.iter().filter(|(name, _)| *name == named.name);
        let own: Vec<_> = own.map(|(_, cluster)| cluster).collect();
        if own.is_empty() {
            findings.extend(unknown(&named, &known, located));
        }
        for cluster in own {
            if named.needs_tls && !reported.contains(&cluster.path) {
                findings.extend(unverified(cluster, named.content));
                reported.push(cluster.path.clone());
            }
        }
    }
    findings
}

/// The clusters that a configuration names.
fn named_by(configuration: &Configuration<'_>) -> Vec<Named> {
    let mut found = Vec::new();
    let Some(value) = configuration.value() else {
        return found;
    };
    let root = Node {
        path: configuration.path.clone(),
        value: &value,
    };
    let Some(providers) = root.member("providers") else {
        return found;
    };
    providers.visit(&mut |node| {
        for key in ["cluster", "jwks_cluster"] {
            let (Some(member), Some(uri)) = (node.member(key), node.text("uri")) else {
                continue;
            };
            let Value::String(name) = member.value else {
                continue;
            };
            let content = Content::at(&node.path);
            let needs_tls = content == Content::List
                || key == "jwks_cluster"
                || uri
                    .get(..6)
                    .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
            found.push(Named {
                path: member.path,
                name: name.clone(),
                content,
                needs_tls,
                platform: configuration.filter.as_ref().map(|filter| filter.platform),
            });
        }
    });
    found
}

/// The clusters in the file, by name.
fn known<'v>(located: &Located<'v>) -> Vec<(&'v str, Node<'v>)> {
    let mut known = Vec::new();
    located.visit(|node| {
        let is_cluster = node.is_message("config.cluster.v3.Cluster");
        let listed = node.at(&["static_resources", "clusters"]);
        let patched = node
            .member("patch")
            .filter(|_| node.text("applyTo") == Some("CLUSTER"));
        let patched = patched.and_then(|patch| patch.member("value"));
        let clusters = listed.iter().flat_map(Node::items).chain(patched);
        let clusters = clusters.chain(is_cluster.then(|| node.clone()));
        known.extend(clusters.filter_map(|cluster| Some((cluster.text("name")?, cluster))));
    });
    known
}

/// The finding about a cluster that is not in the file.
fn unknown(named: &Named, known: &[(&str, Node<'_>)], located: &Located<'_>) -> Option<Finding> {
    let Named { path, name, .. } = named;
    match named.platform {
        Some(Platform::Envoy) if located.roots.iter().all(is_static_bootstrap) => {
            let near = nearest(name, known.iter().map(|(name, _)| *name));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let what = named.content.without_cluster();
            let text = format!("unknown cluster `{name}`: {what}{near}");
            Some(Finding::error("unknown-cluster", path, text))
        }
        Some(Platform::Istio) if !is_istio_name(name) => {
            let text = format!(
                "Istio has no cluster `{name}`: expected a name such as `outbound|443||login.example.com`, with the \
                 host of a `Service` or a `ServiceEntry`"
            );
            Some(Finding::warning("cluster-name", path, text))
        }
        _ if name.trim() != name => {
            let text = "the name of a cluster begins or ends with whitespace, so Envoy probably has no such cluster";
            Some(Finding::warning("cluster-name", path, text))
        }
        _ => None,
    }
}

/// Whether a document is a bootstrap with all clusters of its Envoy.
fn is_static_bootstrap(root: &Node<'_>) -> bool {
    let dynamic = root.member("dynamic_resources");
    root.member("static_resources").is_some()
        && !dynamic.is_some_and(|dynamic| {
            ["cds_config", "ads_config", "cds_resources_locator"]
                .iter()
                .any(|key| dynamic.member(key).is_some())
        })
}

/// Whether Istio could call a cluster so: `outbound|<port>|<subset>|<host>`.
fn is_istio_name(name: &str) -> bool {
    let parts: Vec<_> = name.split('|').collect();
    match parts[..] {
        ["outbound", port, _, host] => {
            let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-._*".contains(c);
            port.parse::<u16>().is_ok() && !host.is_empty() && host.chars().all(is_of_host)
        }
        [other] => other == "PassthroughCluster",
        _ => false,
    }
}

/// The finding about a cluster that does not verify who answers.
fn unverified(cluster: &Node<'_>, content: Content) -> Option<Finding> {
    if is_local(cluster) {
        return None;
    }
    let mut sockets: Vec<_> = cluster.member("transport_socket").into_iter().collect();
    let matches = cluster.member("transport_socket_matches");
    sockets.extend(
        matches
            .iter()
            .flat_map(Node::items)
            .filter_map(|item| item.member("transport_socket")),
    );
    if sockets.is_empty() {
        let text = format!(
            "{}: this cluster has no `transport_socket`",
            content.without_tls()
        );
        return Some(Finding::warning("cluster-without-tls", &cluster.path, text));
    }
    sockets.iter().find_map(|socket| {
        let mut context = None;
        socket.visit(&mut |node| {
            if node.is_message("tls.v3.UpstreamTlsContext") {
                context.get_or_insert_with(|| node.clone());
            }
        });
        let context = context?;
        let text = fault_of_tls(&context, cluster)?;
        Some(Finding::warning(
            "cluster-unverified",
            context.path,
            format!("{text}: {}", content.on_the_path()),
        ))
    })
}

/// Whether every endpoint of a cluster is on the same machine.
fn is_local(cluster: &Node<'_>) -> bool {
    let (mut local, mut remote) = (false, false);
    cluster.visit(&mut |node| {
        local |= node.member("pipe").is_some();
        if let Some(address) = node.at(&["socket_address", "address"]) {
            let address = address.value.as_str().unwrap_or_default();
            let is_loopback = address == "localhost"
                || address
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
            local |= is_loopback;
            remote |= !is_loopback;
        }
    });
    local && !remote
}

/// Why an `UpstreamTlsContext` does not verify the server.
fn fault_of_tls(context: &Node<'_>, cluster: &Node<'_>) -> Option<&'static str> {
    let common = context.member("common_tls_context");
    let has = |node: &Node<'_>, keys: &[&str]| keys.iter().any(|key| node.member(key).is_some());
    let validation = common.as_ref().and_then(|common| {
        let combined = common.at(&["combined_validation_context", "default_validation_context"]);
        common.member("validation_context").or(combined)
    });
    let is_fetched = common.as_ref().is_some_and(|common| {
        has(
            common,
            &[
                "validation_context_sds_secret_config",
                "combined_validation_context",
            ],
        )
    });
    let Some(validation) = validation else {
        return (!is_fetched).then_some(
            "Envoy does not verify the server's certificate without `validation_context`",
        );
    };
    if validation.is_value("trust_chain_verification", "ACCEPT_UNTRUSTED", 1) {
        return Some("Envoy does not verify the server's certificate with `ACCEPT_UNTRUSTED`");
    }
    if has(
        &validation,
        &[
            "verify_certificate_spki",
            "verify_certificate_hash",
            "custom_validator_config",
        ],
    ) {
        return None;
    }
    let authorities = [
        "trusted_ca",
        "system_root_certs",
        "ca_certificate_provider_instance",
    ];
    if !is_fetched && !has(&validation, &authorities) {
        return Some("Envoy does not verify the server's certificate without `trusted_ca`");
    }
    let mut is_automatic = context.is_true("auto_sni_san_validation");
    cluster.visit(&mut |node| is_automatic |= node.is_true("auto_san_validation"));
    let names = ["match_typed_subject_alt_names", "match_subject_alt_names"];
    (!is_automatic && !has(&validation, &names)).then_some(
        "Envoy accepts the certificate of any host without `match_typed_subject_alt_names`",
    )
}
