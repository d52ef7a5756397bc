//! The environment variables that the settings of a Wasm filter declare. Envoy hides all others from the filter.

use super::filter::{Platform, WasmFilter};
use crate::node::Node;

/// Stands for the value of a variable that the file does not show. The command never reads its own environment.
const UNKNOWN: &str = "placeholder-0123456789-abcdefghijklmnopqrstuvwxyz";

/// Where a declared variable has its value.
pub enum Declared<'v> {
    /// In the file, at this node.
    InFile(Node<'v>),
    /// In the environment of Envoy.
    AtHost,
}

impl Declared<'_> {
    /// The value, or what stands for it.
    pub fn value(&self) -> &str {
        match self {
            Self::InFile(node) => node.value.as_str().unwrap_or(UNKNOWN),
            Self::AtHost => UNKNOWN,
        }
    }
}

impl<'v> WasmFilter<'v> {
    /// Where the settings declare a variable; none if they do not.
    pub fn declared(&self, name: &str) -> Option<Declared<'v>> {
        let at = |path: &[&str]| self.settings.at(path);
        match self.platform {
            Platform::Envoy => {
                let values = at(&["vm_config", "environment_variables", "key_values"]);
                let mut values = values.iter().flat_map(Node::members);
                let in_file = values.find(|(key, _)| *key == name);
                let names = at(&["vm_config", "environment_variables", "host_env_keys"]);
                in_file
                    .map(|(_, node)| Declared::InFile(node))
                    .or_else(|| listed(names.as_ref(), name))
            }
            Platform::Istio => {
                let variables = at(&["vm_config", "env"]);
                let mut variables = variables.iter().flat_map(Node::items);
                let variable = variables.find(|variable| variable.text("name") == Some(name))?;
                Some(if variable.is_value("value_from", "HOST", 1) {
                    Declared::AtHost
                } else {
                    Declared::InFile(variable.member("value").unwrap_or(variable))
                })
            }
            Platform::EnvoyGateway => listed(at(&["env", "host_keys"]).as_ref(), name),
        }
    }

    /// How to declare a variable of Envoy's environment.
    pub fn how_to_declare(&self) -> String {
        let settings = &self.settings.path;
        match self.platform {
            Platform::Envoy => {
                format!("add it to `{settings}.vm_config.environment_variables.host_env_keys`")
            }
            Platform::Istio => {
                format!("add it to `{settings}.vmConfig.env` with `valueFrom: HOST`")
            }
            Platform::EnvoyGateway => format!("add it to `{settings}.env.hostKeys`"),
        }
    }
}

fn listed<'v>(names: Option<&Node<'_>>, name: &str) -> Option<Declared<'v>> {
    let mut names = names.into_iter().flat_map(Node::items);
    let is_listed = names.any(|item| item.value == name);
    is_listed.then_some(Declared::AtHost)
}
