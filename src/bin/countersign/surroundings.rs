//! What stands around a document and undoes it, as far as a file shows it.
//!
//! 1. A filter that fails open is no gate: an error. All else depends on what else is deployed: warnings.
//! 2. What a file does not show is not spoken of: the connection manager of a WasmPlugin, for one.

use crate::found::{Filter, Host, Search};
use crate::routes;
use crate::tree::Node;

/// Something that a reader of the file should know.
pub struct Finding {
    /// Where it shows.
    pub path: String,
    /// Whether it opens the gate.
    pub is_error: bool,
    /// What it is.
    pub text: String,
}

/// Everything that is found around the documents.
pub fn findings(search: &Search<'_>) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    for filter in search
        .found
        .iter()
        .filter_map(|found| found.filter.as_ref())
    {
        findings.failures(filter);
        if filter.host == Host::Envoy {
            findings.virtual_machine(filter, &search.filters);
        }
    }
    for root in &search.roots {
        root.visit(&mut |node| {
            findings.connection_manager(node, search);
            for (path, text) in routes::warnings(node, search) {
                findings.warn(&path, text);
            }
            if node.is_message("DownstreamTlsContext") {
                findings.client_certificates(node);
            }
        });
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    /// What a failure of the filter does to requests.
    fn failures(&mut self, filter: &Filter<'_>) {
        let settings = &filter.settings;
        let (policy, opens) = match filter.host {
            Host::Envoy => ("failure_policy", "fail_open"),
            Host::Istio => ("failStrategy", "failOpen"),
            Host::Gateway => ("failurePolicy", "failOpen"),
        };
        let chosen = settings.text(policy);
        if chosen == Some("FAIL_OPEN") {
            self.error(
                settings,
                policy,
                "a filter that fails lets every request through",
            );
        } else if settings.is_true(opens) {
            self.error(
                settings,
                opens,
                "a filter that fails lets every request through",
            );
        } else if chosen != Some("FAIL_RELOAD") && filter.host != Host::Gateway {
            let text = format!(
                "without `{policy}: FAIL_RELOAD` a filter that fails once answers 503 for good"
            );
            self.warn(&settings.path, text);
        }
    }

    /// With whom the filter shares its memory.
    fn virtual_machine(&mut self, filter: &Filter<'_>, all: &[Filter<'_>]) {
        let own = vm_id(filter);
        let path = &filter.settings.path;
        if own.is_empty() {
            let text = "without a `vm_id` of its own the filter shares its data with every other that has none";
            self.warn(path, text);
        }
        let sharer = all.iter().find(|other| {
            other.host == Host::Envoy && other.path() != filter.path() && vm_id(other) == own
        });
        if let Some(other) = sharer {
            let text = format!(
                "the filter at {} has the same `vm_id`, and so the same data",
                other.path()
            );
            self.warn(path, text);
        }
    }

    /// Where the connection manager around one of the filters has a client's address from.
    fn connection_manager(&mut self, node: &Node<'_>, search: &Search<'_>) {
        let Some(http_filters) = node.member("http_filters") else {
            return;
        };
        let holds_a_filter = search
            .found
            .iter()
            .filter_map(|found| found.filter.as_ref())
            .any(|filter| {
                filter
                    .path()
                    .strip_prefix(&http_filters.path)
                    .is_some_and(|rest| rest.starts_with('['))
            });
        let detection = node.member("original_ip_detection_extensions");
        let detects = detection.is_some_and(|list| list.items().next().is_some());
        if holds_a_filter && !node.is_true("use_remote_address") && !detects {
            let text = "without `use_remote_address: true` or an original-IP detection, \
                        clients choose their address by `x-forwarded-for` and their scheme by `x-forwarded-proto`";
            self.warn(&node.path, text);
        }
    }

    /// What a client certificate proves.
    fn client_certificates(&mut self, tls: &Node<'_>) {
        let requires = tls.is_true("require_client_certificate");
        let common = tls.member("common_tls_context");
        let validation = common.and_then(|common| {
            common.member("validation_context").or_else(|| {
                common.at(&["combined_validation_context", "default_validation_context"])
            })
        });
        let Some(validation) = validation else {
            // Certificates that come over SDS do not show here.
            let by_sds = [
                "validation_context_sds_secret_config",
                "combined_validation_context",
            ];
            let common = tls.member("common_tls_context");
            let hidden = common
                .is_some_and(|common| by_sds.iter().any(|name| common.member(name).is_some()));
            if requires && !hidden {
                self.warn(
                    &tls.path,
                    "client certificates are required, but nothing verifies them",
                );
            }
            return;
        };
        if validation.text("trust_chain_verification") == Some("ACCEPT_UNTRUSTED") {
            let text = "under `ACCEPT_UNTRUSTED` a client certificate proves nothing: anybody can sign one";
            self.warn(&validation.path, text);
        } else if validation.member("trusted_ca").is_none() {
            self.warn(
                &validation.path,
                "without `trusted_ca` a client certificate proves nothing",
            );
        }
        if !requires {
            let text = "without `require_client_certificate: true` clients connect without a certificate too";
            self.warn(&tls.path, text);
        }
    }

    fn error(&mut self, around: &Node<'_>, member: &str, text: &str) {
        let path = around
            .member(member)
            .map_or_else(|| around.path.clone(), |node| node.path);
        self.0.push(Finding {
            path,
            is_error: true,
            text: text.to_owned(),
        });
    }

    fn warn(&mut self, path: &str, text: impl Into<String>) {
        self.0.push(Finding {
            path: path.to_owned(),
            is_error: false,
            text: text.into(),
        });
    }
}

fn vm_id<'v>(filter: &Filter<'v>) -> &'v str {
    let vm_config = filter.settings.member("vm_config");
    vm_config
        .and_then(|vm| vm.text("vm_id"))
        .unwrap_or_default()
}
