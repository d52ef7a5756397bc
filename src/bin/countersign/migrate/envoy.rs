//! Envoy's filters `jwt_authn` and `rbac` → gates. A gate is an HTTP connection manager, or a list of filters.

pub mod jwt;
pub mod matcher;
pub mod rbac;
mod regex;

use serde_yaml_ng::Mapping;

use self::jwt::Authentication;
use super::formula::Formula;
use super::gate::{Gate, Notes};
use crate::file::File;
use crate::node::Node;

/// The gates in a file.
pub fn gates(file: &File) -> Vec<Gate> {
    let mut gates = Vec::new();
    for root in file.roots() {
        let mut managers = Vec::new();
        root.visit(&mut |node| {
            let name = "http_connection_manager.v3.HttpConnectionManager";
            managers.extend(node.message(name));
        });
        let found = managers
            .iter()
            .filter_map(|manager| of_manager(file, &root, manager));
        gates.extend(found);
        if managers.is_empty() {
            gates.extend(of_filters(file, &root));
        }
    }
    gates
}

/// The gate of a connection manager.
fn of_manager(file: &File, root: &Node<'_>, manager: &Node<'_>) -> Option<Gate> {
    let mut reader = Reader::new(file, manager);
    let filters = manager.member("http_filters")?;
    for filter in filters.items() {
        if filter.is_true("disabled") {
            continue;
        }
        if let Some(config) = filter.member("typed_config") {
            reader.filter(&config);
        }
    }
    reader.overrides(manager);
    let name = listener_of(root, manager).or_else(|| manager.text("stat_prefix"));
    reader.gate(name.unwrap_or("gate"))
}

/// The gate of filters without a connection manager, such as those of an `EnvoyFilter`.
fn of_filters(file: &File, root: &Node<'_>) -> Option<Gate> {
    let mut reader = Reader::new(file, root);
    root.visit(&mut |node| reader.filter(node));
    reader.overrides(root);
    reader.gate("filters")
}

/// The name of the listener that has a connection manager.
fn listener_of<'v>(root: &Node<'v>, manager: &Node<'_>) -> Option<&'v str> {
    let mut name = None;
    root.visit(&mut |node| {
        if node.member("filter_chains").is_some() && manager.is_within(node) {
            name = node.text("name").or(name);
        }
    });
    name
}

/// Reads filters in their order.
pub struct Reader<'f> {
    file: &'f File,
    /// The settings of the connection manager.
    settings: Settings,
    /// The last filter that verifies tokens.
    authentication: Option<Authentication>,
    /// What the filters require besides tokens.
    access: Vec<Formula>,
    sources: Vec<String>,
    notes: Notes,
}

/// The settings of a connection manager that determine what filters see.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether paths are normalized.
    pub is_normalized: bool,
    /// Whether the address of the client is that of the connection.
    pub is_direct: bool,
}

impl<'f> Reader<'f> {
    fn new(file: &'f File, manager: &Node<'_>) -> Self {
        let hops = manager.member("xff_num_trusted_hops");
        Self {
            file,
            settings: Settings {
                is_normalized: manager.is_true("normalize_path"),
                is_direct: manager.is_true("use_remote_address")
                    && hops.is_none_or(|hops| hops.value == 0)
                    && manager.member("original_ip_detection_extensions").is_none(),
            },
            authentication: None,
            access: Vec::new(),
            sources: Vec::new(),
            notes: Notes::default(),
        }
    }

    fn place(&self, node: &Node<'_>) -> String {
        match node.path.is_empty() {
            true => self.file.name.clone(),
            false => format!("{}: {}", self.file.name, node.path),
        }
    }

    fn filter(&mut self, config: &Node<'_>) {
        if let Some(settings) = config.message("jwt_authn.v3.JwtAuthentication") {
            let place = self.place(&settings);
            self.sources.push(place.clone());
            let scope = matcher::Scope {
                file: &self.file.name,
                settings: self.settings,
                sees_tokens: false,
            };
            let own = jwt::read(&settings, scope, &mut self.notes);
            if self.authentication.replace(own).is_some() {
                let text = "a chain with two of these filters: the gate denies every request";
                self.access
                    .push(matcher::unknown(&mut self.notes, "jwt_authn", &place, text));
            }
        } else if let Some(settings) = config.message("rbac.v3.RBAC") {
            let place = self.place(&settings);
            if !settings.path.contains("typed_per_filter_config") {
                self.sources.push(place.clone());
                let sees_tokens = self.authentication.is_some();
                let scope = matcher::Scope {
                    file: &self.file.name,
                    settings: self.settings,
                    sees_tokens,
                };
                self.access
                    .push(rbac::read(&settings, scope, &mut self.notes));
            }
        }
    }

    /// Notes filters that routes configure.
    fn overrides(&mut self, scope: &Node<'_>) {
        let mut found = Vec::new();
        scope.visit(&mut |node| {
            for name in [
                "jwt_authn.v3.PerRouteConfig",
                "rbac.v3.RBACPerRoute",
                "route.v3.FilterConfig",
            ] {
                if node.is_message(name) && node.path.contains("ilter") {
                    found.push((name, node.path.clone()));
                }
            }
        });
        for (name, path) in found {
            if name == "route.v3.FilterConfig" && !path.contains("jwt") && !path.contains("rbac") {
                continue;
            }
            let place = format!("{}: {path}", self.file.name);
            let text = "settings of a route: the gate denies every request";
            self.access
                .push(matcher::unknown(&mut self.notes, name, &place, text));
        }
    }

    fn gate(mut self, name: &str) -> Option<Gate> {
        if self.sources.is_empty() {
            return None;
        }
        let authentication = self.authentication.take();
        let formula = authentication
            .as_ref()
            .map_or(Formula::True, Authentication::passes);
        let access = match &authentication {
            None => Formula::all(self.access),
            Some(own) => own.access(Formula::all(self.access)),
        };
        let (providers, identity) = match authentication {
            None => (Vec::new(), Mapping::new()),
            Some(own) => (own.providers, own.identity),
        };
        Some(Gate {
            name: name.to_owned(),
            sources: self.sources,
            providers,
            authentication: formula,
            access,
            is_normalized: self.settings.is_normalized,
            identity,
            notes: self.notes,
        })
    }
}
