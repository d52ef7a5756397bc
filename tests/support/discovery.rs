//! A management server: it tells Envoy the configuration of a filter over REST, as xDS defines it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::issuer::{Issuer, Page};

/// Where Envoy asks for configurations of filters (ECDS).
const PATH: &str = "/v3/discovery:extension_configs";
const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC: &str = "envoy.extensions.filters.http.rbac.v3.RBAC";

/// A running management server for one filter; it ends with this value.
pub struct Discovery {
    server: Issuer,
    versions: AtomicU64,
}

impl Discovery {
    /// Starts one that has no configuration yet: it answers 503.
    pub fn start() -> Self {
        let server = Issuer::start();
        server.serve(PATH, Page::status(503));
        Self {
            server,
            versions: AtomicU64::new(0),
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// How often Envoy has asked.
    pub fn asked(&self) -> usize {
        self.server.asked(PATH)
    }

    /// From now on this is the configuration: the filter as Envoy configures it.
    pub fn publish(&self, filter: &Value) {
        let version = self.versions.fetch_add(1, Ordering::SeqCst).to_string();
        let mut resource = filter.clone();
        resource["@type"] = json!("type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
        let answer = json!({"version_info": version, "resources": [resource]});
        self.server.serve(PATH, Page::json(&answer));
    }

    /// A filter whose configuration comes from the cluster of the same name, as Istio writes it: the listener waits for the
    /// first configuration without a limit, and the configuration is one of the filter or of RBAC.
    ///
    /// Istio sends it over gRPC (`ads`), and Envoy hands it to the same code.
    pub fn filter(name: &str) -> Value {
        let types = [WASM, RBAC].map(|name| format!("type.googleapis.com/{name}"));
        json!({"name": name, "config_discovery": {
            "config_source": {
                "resource_api_version": "V3",
                "initial_fetch_timeout": "0s",
                "api_config_source": {
                    "api_type": "REST",
                    "transport_api_version": "V3",
                    "cluster_names": [name],
                    "refresh_delay": "0.02s",
                    "request_timeout": "5s",
                },
            },
            "type_urls": types,
        }})
    }
}
