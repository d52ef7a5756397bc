//! A Wasm filter in Envoy's configuration, in an Istio `WasmPlugin` or in an Envoy Gateway `EnvoyExtensionPolicy`.

use countersign::config;

use crate::node::Node;

/// A Wasm filter.
#[derive(Clone)]
pub struct WasmFilter<'v> {
    /// The platform whose format the filter is configured in.
    pub platform: Platform,
    /// The node that has the filter's name: Envoy's HTTP filter, or the Kubernetes resource.
    pub named: Node<'v>,
    /// The settings: Envoy's `PluginConfig`, the `spec` of a `WasmPlugin`, the `wasm` of a `TrafficExtension`, or an item
    /// of an `EnvoyExtensionPolicy`.
    pub settings: Node<'v>,
    /// Whether Envoy itself reads the settings from YAML.
    pub is_yaml: bool,
}

/// The platform whose format a Wasm filter is configured in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// `envoy.extensions.filters.http.wasm.v3.Wasm`: in a bootstrap, a listener or an Istio `EnvoyFilter`.
    Envoy,
    /// `WasmPlugin` or `TrafficExtension` of `extensions.istio.io`.
    Istio,
    /// `EnvoyExtensionPolicy` of `gateway.envoyproxy.io`.
    EnvoyGateway,
}

impl Platform {
    /// The key of the filter's configuration.
    pub fn configuration(self) -> &'static str {
        match self {
            Self::Envoy => "configuration",
            Self::Istio => "pluginConfig",
            Self::EnvoyGateway => "config",
        }
    }

    /// The key of what Envoy does with requests after the filter has failed.
    pub fn failure_policy(self) -> &'static str {
        match self {
            Self::Envoy => "failure_policy",
            Self::Istio => "failStrategy",
            Self::EnvoyGateway => "failurePolicy",
        }
    }

    /// The key that, if `true`, forwards requests after the filter has failed.
    pub fn fail_open(self) -> &'static str {
        match self {
            Self::Envoy => "fail_open",
            Self::Istio | Self::EnvoyGateway => "failOpen",
        }
    }
}

impl<'v> WasmFilter<'v> {
    /// The Wasm filters that are configured at a node itself, not at its descendants.
    pub fn at(node: &Node<'v>) -> Vec<Self> {
        if is_resource(node, "WasmPlugin", "extensions.istio.io/") {
            let spec = node.member("spec").into_iter();
            spec.map(|spec| Self::new(Platform::Istio, node, spec))
                .collect()
        } else if is_resource(node, "TrafficExtension", "extensions.istio.io/") {
            let wasm = node.at(&["spec", "wasm"]).into_iter();
            wasm.map(|wasm| Self::new(Platform::Istio, node, wasm))
                .collect()
        } else if is_resource(node, "EnvoyExtensionPolicy", "gateway.envoyproxy.io/") {
            let list = node.at(&["spec", "wasm"]);
            let items = list.iter().flat_map(Node::items);
            items
                .map(|item| Self::new(Platform::EnvoyGateway, node, item))
                .collect()
        } else {
            let settings = plugin_config(node).into_iter();
            settings
                .map(|settings| Self::new(Platform::Envoy, node, settings))
                .collect()
        }
    }

    fn new(platform: Platform, named: &Node<'v>, settings: Node<'v>) -> Self {
        Self {
            platform,
            named: named.clone(),
            settings,
            is_yaml: false,
        }
    }

    /// The path of the filter in the file.
    pub fn path(&self) -> &str {
        match self.platform {
            Platform::Envoy => &self.named.path,
            Platform::Istio | Platform::EnvoyGateway => &self.settings.path,
        }
    }

    /// Whether an HTTP filter of a connection manager is this filter, contains it in a matcher, or fetches it by its name
    /// (ECDS).
    pub fn is_run_by(&self, http_filter: &Node<'_>) -> bool {
        let is_fetched = http_filter.member("config_discovery").is_some()
            && http_filter
                .text("name")
                .is_some_and(|name| self.named.text("name") == Some(name));
        self.platform == Platform::Envoy && (self.named.is_within(http_filter) || is_fetched)
    }

    /// Whether the filter is in a list of HTTP filters.
    pub fn is_in(&self, http_filters: &Node<'_>) -> bool {
        http_filters.items().any(|item| self.is_run_by(&item))
    }

    /// The node of the filter's configuration.
    pub fn configuration(&self) -> Option<Node<'v>> {
        self.settings.member(self.platform.configuration())
    }

    /// The node that was probably meant for the configuration, where the filter has none: a key of the settings with another
    /// name, or the right key of another object.
    pub fn misplaced_configuration(&self) -> Option<Node<'v>> {
        let expected = self.platform.configuration();
        let names = ["configuration", "config", "plugin_config", "pluginConfig"];
        let is_meant =
            |name: &str| names.contains(&name) || config::nearest(name, [expected]).is_some();
        let mut members = self.settings.members();
        let renamed = members.find_map(|(name, node)| is_meant(name).then_some(node));
        let elsewhere = || {
            let mut others = vec![self.named.clone()];
            others.extend(self.named.member("typed_config"));
            others.extend(self.named.member("spec"));
            others.extend(self.settings.member("vm_config"));
            others.iter().find_map(|other| other.member(expected))
        };
        renamed
            .or_else(elsewhere)
            .filter(|found| !self.settings.is_within(found))
    }

    /// Whether the filter's name, or a string in its settings outside its configuration, contains `countersign`.
    pub fn is_countersign(&self) -> bool {
        let metadata_name = self
            .named
            .member("metadata")
            .and_then(|metadata| metadata.text("name"));
        let mut names: Vec<_> = [self.named.text("name"), metadata_name]
            .into_iter()
            .flatten()
            .collect();
        for (key, value) in self.settings.value.as_object().into_iter().flatten() {
            if key == self.platform.configuration() {
                continue;
            }
            let node = Node {
                path: String::new(),
                value,
            };
            node.visit(&mut |node| names.extend(node.value.as_str()));
        }
        names
            .iter()
            .any(|name| name.to_ascii_lowercase().contains("countersign"))
    }
}

/// Whether a node is a Kubernetes resource of a kind and an API group.
pub fn is_resource(node: &Node<'_>, kind: &str, group: &str) -> bool {
    let version = node.text("apiVersion");
    node.text("kind") == Some(kind) && version.is_some_and(|version| version.starts_with(group))
}

/// The `PluginConfig` of an Envoy Wasm filter.
fn plugin_config<'v>(node: &Node<'v>) -> Option<Node<'v>> {
    let wasm = node
        .member("typed_config")?
        .message("filters.http.wasm.v3.Wasm")?;
    wasm.member("config")
}
