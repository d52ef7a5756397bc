//! Envoy's filters `jwt_authn`, `rbac`, `api_key_auth` and `basic_auth` → gates. A gate is an HTTP connection manager, or a
//! list of filters.

mod chain;
pub mod credentials;
pub mod jwt;
pub mod matcher;
pub mod rbac;
pub mod regex;
mod routes;

use self::chain::Chain;
use self::matcher::Scope;
use super::formula::Formula;
use super::gate::{Gate, Notes};
use super::peer;
use crate::file::File;
use crate::node::Node;

/// The settings of a connection manager that determine what filters see.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether paths are normalized.
    pub is_normalized: bool,
    /// Whether the address of the client is that of the connection.
    pub is_direct: bool,
}

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
    let hops = manager.member("xff_num_trusted_hops");
    let scope = Scope {
        file: file.name(),
        settings: Settings {
            is_normalized: manager.is_true("normalize_path"),
            is_direct: manager.is_true("use_remote_address")
                && hops.is_none_or(|hops| hops.value == 0)
                && manager.member("original_ip_detection_extensions").is_none(),
        },
        sees_tokens: false,
    };
    let mut notes = Notes::default();
    let mut chain = Chain::default();
    let filters = manager.member("http_filters")?;
    for filter in filters.items() {
        if let Some(config) = filter.member("typed_config") {
            let name = filter.text("name").unwrap_or_default();
            let is_enabled = !filter.is_true("disabled");
            chain.push(name, &config, is_enabled, scope, &mut notes);
        }
    }
    if chain.is_empty() {
        return None;
    }
    let name = listener_of(root, manager).or_else(|| manager.text("stat_prefix"));
    let (authentication, access) = match manager.member("route_config") {
        Some(routes) => routes::of_configuration(&routes, &chain, scope, &mut notes),
        None => {
            let text = "the routes are not in the file, and their settings for these filters are not known: every request is \
                        denied; add the routes as `route_config`";
            let never = matcher::unknown(&mut notes, "route_config", &scope.place(manager), text);
            let (authentication, access) = chain.base();
            (authentication, Formula::all([access, never]))
        }
    };
    Some(gate(
        name.unwrap_or("gate"),
        chain,
        authentication,
        access,
        scope,
        notes,
    ))
}

/// The gate of filters without a connection manager, such as those of an `EnvoyFilter`.
fn of_filters(file: &File, root: &Node<'_>) -> Option<Gate> {
    let scope = Scope {
        file: file.name(),
        settings: Settings {
            is_normalized: false,
            is_direct: false,
        },
        sees_tokens: false,
    };
    let mut notes = Notes::default();
    let mut chain = Chain::default();
    root.visit(&mut |node| chain.push("", node, true, scope, &mut notes));
    if chain.is_empty() {
        return None;
    }
    let (authentication, mut access) = chain.base();
    // Routes of another part of the file can have settings for these filters.
    root.visit(&mut |node| {
        if let Some(settings) = node.member("typed_per_filter_config")
            && settings.members().next().is_some()
        {
            let text = "settings of a route: the gate denies every request";
            let place = scope.place(&settings);
            let never = matcher::unknown(&mut notes, "typed_per_filter_config", &place, text);
            access = Formula::all([access.clone(), never]);
        }
    });
    Some(gate("filters", chain, authentication, access, scope, notes))
}

fn gate(
    name: &str,
    chain: Chain,
    authentication: Formula,
    access: Formula,
    scope: Scope<'_>,
    mut notes: Notes,
) -> Gate {
    let sources = chain.sources().to_vec();
    let (mut providers, identity) = chain.providers(&mut notes);
    providers.extend(peer::provider(&access, &mut notes));
    Gate {
        name: name.to_owned(),
        sources,
        providers,
        authentication,
        access,
        is_normalized: scope.settings.is_normalized,
        identity,
        notes,
    }
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
