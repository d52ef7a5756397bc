//! Locates the Countersign configurations in a file.
//!
//! A configuration is one of:
//! 1. a whole YAML or JSON document;
//! 2. the configuration of a Wasm filter, in Envoy's configuration, in an Istio resource or in an Envoy Gateway
//!    resource.
//!
//! A Wasm filter is Countersign if one of its names contains `countersign`. If no filter has such a name and the file
//! has exactly one Wasm filter, that one is assumed to be Countersign.

mod content;
mod filter;

use countersign::config::{Diagnostic, Loaded};
use serde_json::{Map, Value};

use self::content::Content;
pub use self::filter::{Platform, WasmFilter, is_resource};
use crate::exit::Failure;
use crate::file::File;
use crate::node::Node;

/// The configurations in a file, and the rest of the file.
pub struct Located<'v> {
    /// The configurations, in the order of the file.
    pub configurations: Vec<Configuration<'v>>,
    /// Whether the only Wasm filter of the file is assumed to be Countersign.
    pub is_assumed: bool,
    /// Every Wasm filter of the file.
    pub filters: Vec<WasmFilter<'v>>,
    /// The root node of each document in the file.
    pub roots: Vec<Node<'v>>,
}

/// A Countersign configuration in a file.
pub struct Configuration<'v> {
    /// Its path in the file.
    pub path: String,
    /// What Envoy passes to the filter.
    content: Result<Content, InvalidContent>,
    /// The Wasm filter that has this configuration; none for a configuration that is a whole document.
    pub filter: Option<WasmFilter<'v>>,
}

/// Why the `configuration` of an Envoy filter is not a Countersign configuration.
#[derive(Debug, thiserror::Error)]
enum InvalidContent {
    #[error("expected a string in `value` of a `google.protobuf.StringValue`")]
    ValueIsNotString,
    #[error(
        "`@type` of `configuration`: expected `type.googleapis.com/google.protobuf.Struct` \
         or `type.googleapis.com/google.protobuf.StringValue`, found {found}"
    )]
    UnexpectedType { found: String },
}

/// Locates the configurations in a file. There is at least one.
pub fn locate(file: &File) -> Result<Located<'_>, Failure> {
    let roots = file.roots();
    let mut filters = Vec::new();
    for root in &roots {
        // Kubernetes hands its resources over as JSON.
        let is_yaml = file.is_yaml && root.member("apiVersion").is_none();
        root.visit(&mut |node| {
            let first = filters.len();
            filters.extend(WasmFilter::at(node));
            let found = filters.iter_mut().skip(first);
            found.for_each(|filter| filter.is_yaml = is_yaml);
        });
    }
    let mut is_assumed = false;
    let configurations: Vec<_> = if filters.is_empty() {
        whole_documents(file, &roots).collect()
    } else {
        let mut chosen: Vec<_> = filters
            .iter()
            .filter(|filter| filter.is_countersign())
            .collect();
        is_assumed = chosen.is_empty() && filters.len() == 1;
        if is_assumed {
            chosen.extend(&filters);
        }
        chosen.into_iter().map(Configuration::of_filter).collect()
    };
    if configurations.is_empty() {
        return Err(nothing_located(&file.name, filters.len()));
    }
    Ok(Located {
        configurations,
        is_assumed,
        filters,
        roots,
    })
}

/// The documents that are Countersign configurations as a whole: those without a key that identifies another format.
///
/// A text that must be JSON is passed to the filter as it is.
fn whole_documents<'v>(
    file: &'v File,
    roots: &[Node<'v>],
) -> impl Iterator<Item = Configuration<'v>> {
    let text = file.not_json.as_ref().filter(|not_json| not_json.is_error);
    let keys_of_other_formats = [
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
        .filter(move |root| {
            keys_of_other_formats
                .iter()
                .all(|name| root.member(name).is_none())
        })
        .map(move |root| Configuration {
            path: root.path.clone(),
            content: Ok(text.map_or_else(
                || Content::Value(root.value.clone()),
                |not_json| Content::Text(not_json.text.clone()),
            )),
            filter: None,
        })
}

fn nothing_located(name: &str, filters: usize) -> Failure {
    if filters == 0 {
        let text = format!("`{name}` contains no configuration and no Wasm filter");
        Failure::of_file(name, text)
    } else {
        let text = format!(
            "`{name}` contains {filters} Wasm filters, and none is called `countersign`: \
             expected `countersign` in the filter's name, `root_id`, `vm_id` or the location of its code"
        );
        Failure::of_file(name, text)
    }
}

impl<'v> Configuration<'v> {
    /// The configuration of a Wasm filter.
    fn of_filter(filter: &WasmFilter<'v>) -> Self {
        let node = filter.configuration();
        let (path, content) = match (node, filter.platform) {
            // Envoy passes an empty configuration to a filter that has none.
            (None, _) => (filter.path().to_owned(), Ok(Content::Value(empty()))),
            (Some(node), Platform::Istio) => {
                let content = Content::PrintedStruct(node.value.clone());
                (node.path, Ok(content))
            }
            (Some(node), Platform::EnvoyGateway) => {
                let content = Content::Value(node.value.clone());
                (node.path, Ok(content))
            }
            (Some(any), Platform::Envoy) => {
                let content = content_of_any(&any, filter.is_yaml);
                let value = any.member("value");
                (value.map_or(any.path, |value| value.path), content)
            }
        };
        Self {
            path,
            content,
            filter: Some(filter.clone()),
        }
    }

    /// Loads the configuration as the filter does; the errors are messages for the user.
    pub fn load(&self) -> Result<Loaded, Vec<String>> {
        self.loaded(Content::load)
    }

    /// As [`Self::load`], after a change of the configuration.
    pub fn load_changed(&self, change: &dyn Fn(&mut Value)) -> Result<Loaded, Vec<String>> {
        self.loaded(|content| content.load_changed(change))
    }

    /// The configuration as a value; none if it is not JSON.
    pub fn value(&self) -> Option<Value> {
        self.content.as_ref().ok()?.value()
    }

    fn loaded(
        &self,
        load: impl FnOnce(&Content) -> Result<Loaded, Vec<Diagnostic>>,
    ) -> Result<Loaded, Vec<String>> {
        match &self.content {
            Ok(content) => {
                load(content).map_err(|faults| faults.iter().map(ToString::to_string).collect())
            }
            Err(invalid) => Err(vec![invalid.to_string()]),
        }
    }
}

/// The content of the `google.protobuf.Any` in an Envoy filter's `configuration`.
fn content_of_any(any: &Node<'_>, is_yaml: bool) -> Result<Content, InvalidContent> {
    let value = any.member("value").map(|value| value.value);
    if any.is_message("google.protobuf.Struct") {
        let value = value.cloned().unwrap_or_else(empty);
        Ok(match is_yaml {
            true => Content::YamlStruct(value),
            false => Content::Struct(value),
        })
    } else if any.is_message("google.protobuf.StringValue") {
        match value {
            Some(Value::String(text)) => Ok(Content::Text(text.clone())),
            _ => Err(InvalidContent::ValueIsNotString),
        }
    } else {
        let found = any.text("@type");
        Err(InvalidContent::UnexpectedType {
            found: found.map_or_else(|| "nothing".to_owned(), |found| format!("`{found}`")),
        })
    }
}

fn empty() -> Value {
    Value::Object(Map::new())
}
