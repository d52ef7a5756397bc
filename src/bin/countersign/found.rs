//! A file → the Countersign documents in it.
//!
//! A document stands alone, or as the configuration of a wasm filter: in Envoy's own configuration (bootstrap,
//! listener, an Istio EnvoyFilter), in an Istio WasmPlugin, or in an Envoy Gateway EnvoyExtensionPolicy. A filter is
//! ours if something about it is called `countersign`; if nothing is, the only one is taken.

use std::path::Path;

use countersign::config::{self, Diagnostic, InvalidSource, Loaded};
use countersign::json;
use serde_json::{Map, Value};

use crate::ending::Failure;
use crate::input;
use crate::tree::Node;
use crate::yaml;

/// The values of a file.
pub struct File {
    /// What it is called in what is printed.
    pub name: String,
    documents: Vec<Value>,
}

/// The documents of a file, and what stands around them.
pub struct Search<'v> {
    /// The documents, in the order of the file.
    pub found: Vec<Found<'v>>,
    /// Whether the one filter of the file was taken although nothing calls it ours.
    pub guessed: bool,
    /// Every wasm filter of the file.
    pub filters: Vec<Filter<'v>>,
    /// The roots of the file.
    pub roots: Vec<Node<'v>>,
}

/// A document in a file.
pub struct Found<'v> {
    /// Where it stands in the file.
    pub path: String,
    /// What stands there, or why it is no document.
    pub content: Result<Content, Diagnostic>,
    /// The filter whose configuration it is.
    pub filter: Option<Filter<'v>>,
}

/// What the filter is handed.
pub enum Content {
    /// A `google.protobuf.Struct`, or a document that stands alone.
    Value(Value),
    /// A `google.protobuf.StringValue`: JSON text.
    Text(String),
}

/// A wasm filter.
#[derive(Clone)]
pub struct Filter<'v> {
    /// Who configures it.
    pub host: Host,
    /// What is called by a name: the whole of it.
    pub whole: Node<'v>,
    /// Its settings: a `PluginConfig`, the `spec` of a WasmPlugin, an item of an EnvoyExtensionPolicy.
    pub settings: Node<'v>,
}

/// Who configures a wasm filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// `envoy.extensions.filters.http.wasm.v3.Wasm`.
    Envoy,
    /// `WasmPlugin` of `extensions.istio.io`.
    Istio,
    /// `EnvoyExtensionPolicy` of `gateway.envoyproxy.io`.
    Gateway,
}

impl File {
    /// Reads a file, or standard input.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let name = input::name(file);
        let text = input::read_text(file)?;
        let documents = match json::parse_strict(text.as_bytes()) {
            Ok(value) => vec![value],
            Err(_) => yaml::parse(&text)
                .map_err(|fault| Failure::new(format_args!("cannot read `{name}`: {fault}")))?,
        };
        Ok(Self { name, documents })
    }

    /// Finds its documents; there is at least one.
    pub fn search(&self) -> Result<Search<'_>, Failure> {
        let roots = self.roots();
        let mut filters = Vec::new();
        for root in &roots {
            root.visit(&mut |node| filters.extend(filters_at(node)));
        }
        let (found, guessed) = if filters.is_empty() {
            (stand_alone(&roots), false)
        } else {
            let mut ours: Vec<_> = filters.iter().filter(|filter| filter.is_ours()).collect();
            let guessed = ours.is_empty() && filters.len() == 1;
            if guessed {
                ours.extend(&filters);
            }
            let found = ours.into_iter().map(|filter| filter.document());
            (found.collect(), guessed)
        };
        if found.is_empty() {
            return Err(self.nothing_found(filters.len()));
        }
        Ok(Search {
            found,
            guessed,
            filters,
            roots,
        })
    }

    fn roots(&self) -> Vec<Node<'_>> {
        let several = self.documents.len() > 1;
        let documents = self.documents.iter().enumerate();
        documents
            .map(|(index, value)| Node {
                path: if several {
                    format!("documents[{index}]")
                } else {
                    String::new()
                },
                value,
            })
            .collect()
    }

    fn nothing_found(&self, filters: usize) -> Failure {
        let name = &self.name;
        if filters == 0 {
            Failure::new(format_args!(
                "`{name}` holds no document, and no wasm filter that could have one"
            ))
        } else {
            Failure::new(format_args!(
                "`{name}` holds {filters} wasm filters, and none is called `countersign`: \
                 no name, root_id, vm_id or place of its code says so"
            ))
        }
    }
}

impl Found<'_> {
    /// Loads the document as the filter does.
    pub fn load(&self) -> Result<Loaded, Vec<Diagnostic>> {
        match &self.content {
            Ok(Content::Value(value)) => config::load_value(value),
            Ok(Content::Text(text)) => config::load(text.as_bytes()),
            Err(fault) => Err(vec![fault.clone()]),
        }
    }

    /// The document as a value, to be changed before it is loaded; none where it has none.
    pub fn value(&self) -> Option<Value> {
        match self.content.as_ref().ok()? {
            Content::Value(value) => Some(value.clone()),
            Content::Text(text) => json::parse_strict(text.as_bytes()).ok(),
        }
    }
}

/// The roots that are documents themselves: all that do not say that they are something else.
fn stand_alone<'v>(roots: &[Node<'v>]) -> Vec<Found<'v>> {
    let says_otherwise = [
        "apiVersion",
        "kind",
        "@type",
        "static_resources",
        "dynamic_resources",
        "admin",
        "resources",
        "filter_chains",
        "load_assignment",
    ];
    roots
        .iter()
        .filter(|root| {
            says_otherwise
                .iter()
                .all(|name| root.member(name).is_none())
        })
        .map(|root| Found {
            path: root.path.clone(),
            content: Ok(Content::Value(root.value.clone())),
            filter: None,
        })
        .collect()
}

/// The wasm filters that stand at a node, not within it.
fn filters_at<'v>(node: &Node<'v>) -> Vec<Filter<'v>> {
    let filter = |host, settings| Filter {
        host,
        whole: node.clone(),
        settings,
    };
    let is_kind = |kind, group| {
        node.text("kind") == Some(kind)
            && node
                .text("apiVersion")
                .is_some_and(|version| version.starts_with(group))
    };
    if is_kind("WasmPlugin", "extensions.istio.io/") {
        let spec = node.member("spec");
        return spec
            .into_iter()
            .map(|spec| filter(Host::Istio, spec))
            .collect();
    }
    if is_kind("EnvoyExtensionPolicy", "gateway.envoyproxy.io/") {
        let list = node.at(&["spec", "wasm"]);
        let items = list.iter().flat_map(Node::items);
        return items.map(|item| filter(Host::Gateway, item)).collect();
    }
    let Some(typed) = node.member("typed_config") else {
        return Vec::new();
    };
    let settings = if typed.is_message("filters.http.wasm.v3.Wasm") {
        typed.member("config")
    } else if typed.is_message("TypedStruct")
        && typed
            .text("type_url")
            .is_some_and(|url| url.ends_with("filters.http.wasm.v3.Wasm"))
    {
        typed.at(&["value", "config"])
    } else {
        None
    };
    settings
        .into_iter()
        .map(|settings| filter(Host::Envoy, settings))
        .collect()
}

impl<'v> Filter<'v> {
    /// Where it stands.
    pub fn path(&self) -> &str {
        match self.host {
            Host::Envoy => &self.whole.path,
            Host::Istio | Host::Gateway => &self.settings.path,
        }
    }

    /// Whether something about it, its document aside, is called `countersign`.
    fn is_ours(&self) -> bool {
        let metadata = self
            .whole
            .member("metadata")
            .and_then(|metadata| metadata.text("name"));
        let mut names: Vec<_> = [self.whole.text("name"), metadata]
            .into_iter()
            .flatten()
            .collect();
        for (name, value) in self.settings.value.as_object().into_iter().flatten() {
            if name == self.document_key() {
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

    fn document_key(&self) -> &'static str {
        match self.host {
            Host::Envoy => "configuration",
            Host::Istio => "pluginConfig",
            Host::Gateway => "config",
        }
    }

    fn document(&self) -> Found<'v> {
        let node = self.settings.member(self.document_key());
        let found = |path: &str, content| Found {
            path: path.to_owned(),
            content,
            filter: Some(self.clone()),
        };
        match (node, self.host) {
            // Without a configuration the filter is handed nothing, which is an empty document.
            (None, _) => found(self.path(), Ok(Content::Value(Value::Object(Map::new())))),
            (Some(node), Host::Istio | Host::Gateway) => {
                found(&node.path, Ok(Content::Value(node.value.clone())))
            }
            (Some(node), Host::Envoy) => {
                let value = node.member("value");
                let path = value.as_ref().map_or(&node.path, |value| &value.path);
                found(path, content_of(&node, value.as_ref()))
            }
        }
    }
}

/// The content of a `google.protobuf.Any` that an Envoy filter has for a configuration.
fn content_of(any: &Node<'_>, value: Option<&Node<'_>>) -> Result<Content, Diagnostic> {
    let invalid = |what: InvalidSource| Diagnostic {
        path: String::new(),
        what: what.into(),
    };
    let value = value.map(|value| value.value);
    if any.is_message("google.protobuf.Struct") {
        let empty = || Value::Object(Map::new());
        Ok(Content::Value(value.cloned().unwrap_or_else(empty)))
    } else if any.is_message("google.protobuf.StringValue") {
        match value {
            Some(Value::String(text)) => Ok(Content::Text(text.clone())),
            _ => Err(invalid(InvalidSource::StringValue)),
        }
    } else {
        Err(invalid(InvalidSource::Type))
    }
}
