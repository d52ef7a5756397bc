//! The manifests of `envoy/`: files with resources of Kubernetes, which users copy.

use std::fs;

use serde_json::Value;

use super::crd::documents;
use super::in_repository;

/// The folders with manifests, with the folders within.
const FOLDERS: [&str; 3] = ["envoy/gateway", "envoy/istio", "envoy/kubernetes"];

/// A file with resources.
pub struct Manifest {
    /// The path within the repository.
    pub path: String,
    pub resources: Vec<Value>,
}

/// Every manifest, by path; files of kustomize are among them.
///
/// # Panics
/// A file cannot be read.
pub fn all() -> Vec<Manifest> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for path in super::files_below(folder) {
            let text = fs::read_to_string(in_repository(&path)).expect("a file");
            let resources = documents(&text);
            if resources
                .iter()
                .any(|resource| resource["kind"].is_string())
            {
                found.push(Manifest { path, resources });
            }
        }
    }
    found
}

impl Manifest {
    /// The manifest at a path within the repository.
    ///
    /// # Panics
    /// The file cannot be read.
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(in_repository(path));
        let text = text.unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            resources: documents(&text),
        }
    }

    /// The resources of a kind.
    pub fn of_kind<'m>(&'m self, kind: &'m str) -> impl Iterator<Item = &'m Value> {
        let resources = self.resources.iter();
        resources.filter(move |resource| resource["kind"] == *kind)
    }

    /// The settings of the filter: the `spec` of a `WasmPlugin`, the `wasm` of a `TrafficExtension` or the first item of the
    /// `wasm` of an `EnvoyExtensionPolicy`.
    pub fn settings(&self) -> Option<&Value> {
        self.resources.iter().find_map(|resource| {
            let spec = &resource["spec"];
            match resource["kind"].as_str()? {
                "WasmPlugin" => Some(spec),
                "TrafficExtension" => Some(&spec["wasm"]),
                "EnvoyExtensionPolicy" => Some(&spec["wasm"][0]),
                _ => None,
            }
        })
    }

    /// The configuration of the filter.
    pub fn configuration(&self) -> Option<&Value> {
        let settings = self.settings()?;
        settings
            .get("pluginConfig")
            .or_else(|| settings.get("config"))
    }
}
