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
mod environment;
mod filter;
mod foreign;

use std::cell::RefCell;

use countersign::config::fault::{InvalidRule, InvalidSecret};
use countersign::config::{Diagnostic, Environment, Fault, Loaded};
use serde_json::{Map, Value};

use self::content::Content;
pub use self::environment::Declared;
pub use self::filter::{Platform, WasmFilter, is_resource};
use crate::exit::Failure;
use crate::file::{File, json_hint};
use crate::finding::{Finding, code};
use crate::node::Node;
use crate::yaml::mistake;

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

impl<'v> Located<'v> {
    /// Calls `visitor` with each node of the file, in its order.
    pub fn visit(&self, mut visitor: impl FnMut(&Node<'v>)) {
        for root in &self.roots {
            root.visit(&mut visitor);
        }
    }

    /// Passes each provider of each configuration to `visitor`.
    pub fn visit_providers(&self, mut visitor: impl FnMut(&Node<'_>)) {
        for configuration in &self.configurations {
            let value = configuration.value().unwrap_or_default();
            let root = Node {
                path: configuration.path.clone(),
                value: &value,
            };
            if let Some(providers) = root.member("providers") {
                providers.items().for_each(|provider| visitor(&provider));
            }
        }
    }
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
    #[error(
        "expected a string in `value` of a `google.protobuf.StringValue`: use `google.protobuf.Struct` for an object"
    )]
    ValueIsNotString,
    #[error("expected the configuration in `value`, found `{found}` beside it")]
    BesideValue { found: String },
    #[error("unknown key `{found}`: expected the configuration in `{expected}`")]
    OtherKey {
        found: String,
        expected: &'static str,
    },
    #[error("found `{found}`: expected the configuration in `{expected}`")]
    Elsewhere { found: String, expected: String },
    #[error("expected an object, found a text: write `key: value`, with a space after `:`")]
    TextOnly,
    #[error(
        "`@type` of `configuration`: expected `type.googleapis.com/google.protobuf.Struct` \
         or `type.googleapis.com/google.protobuf.StringValue`, found {found}"
    )]
    UnexpectedType { found: String },
}

impl InvalidContent {
    /// The configuration of a filter is at another node than the expected one.
    fn misplaced(found: &Node<'_>, filter: &WasmFilter<'_>) -> Self {
        let expected = filter.platform.configuration();
        let settings = &filter.settings.path;
        let own_key = found.path.strip_prefix(settings.as_str());
        let own_key = own_key.and_then(|rest| rest.strip_prefix('.'));
        match own_key.filter(|key| !key.contains('.')) {
            Some(key) => Self::OtherKey {
                found: key.to_owned(),
                expected,
            },
            None => Self::Elsewhere {
                found: found.path.clone(),
                expected: format!("{settings}.{expected}"),
            },
        }
    }
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
        return Err(nothing_located(file, filters.len(), &roots));
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
        "services",
    ];
    roots
        .iter()
        .filter(move |root| {
            keys_of_other_formats
                .iter()
                .all(|name| root.member(name).is_none())
                && foreign::may_be_configuration(root)
        })
        .map(move |root| Configuration {
            path: root.path.clone(),
            content: match (text, root.value) {
                (Some(not_json), _) => Ok(Content::Text(not_json.text.clone())),
                (None, Value::String(_)) => Err(InvalidContent::TextOnly),
                (None, value) => Ok(Content::Value(value.clone())),
            },
            filter: None,
        })
}

fn nothing_located(file: &File, filters: usize, roots: &[Node<'_>]) -> Failure {
    let name = file.name();
    if let Some(not_json) = file.not_json.as_ref().filter(|not_json| not_json.is_error) {
        let text = format!("cannot read `{name}`: not JSON: {}", not_json.fault);
        Failure::of_file(name, text)
    } else if filters == 0
        && let Some(found) = foreign::recognise(roots)
    {
        let text = format!("`{name}` contains no configuration: {found}");
        Failure::of_file(name, text)
    } else if filters == 0 {
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
            (None, _) => match filter.misplaced_configuration() {
                Some(found) => {
                    let content = Err(InvalidContent::misplaced(&found, filter));
                    (found.path, content)
                }
                None => (filter.path().to_owned(), Ok(Content::Value(empty()))),
            },
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
                let part = match &content {
                    Err(InvalidContent::UnexpectedType { .. }) => any.member("@type"),
                    Err(InvalidContent::BesideValue { found }) => any.member(found),
                    _ => any.member("value"),
                };
                (part.map_or(any.path, |part| part.path), content)
            }
        };
        Self {
            path,
            content,
            filter: Some(filter.clone()),
        }
    }

    /// Loads the configuration as the filter does; the paths of the errors are within the configuration.
    pub fn load(&self) -> Result<Loaded, Vec<Finding>> {
        self.loaded(&|content| content.load(&|name| self.variable(name)))
    }

    /// As [`Self::load`], after a change of the configuration.
    pub fn load_changed(&self, change: &dyn Fn(&mut Value)) -> Result<Loaded, Vec<Finding>> {
        self.loaded(&|content| content.load_changed(&|name| self.variable(name), change))
    }

    /// The configuration as a value; none if it is not JSON.
    pub fn value(&self) -> Option<Value> {
        self.content.as_ref().ok()?.value()
    }

    /// The names of the environment variables that the configuration reads, each once.
    pub fn variables(&self) -> Vec<String> {
        let names = RefCell::new(Vec::new());
        let environment: Environment<'_> = &|name| {
            let mut names = names.borrow_mut();
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
            self.variable(name)
        };
        // What is wrong with the configuration is reported elsewhere.
        let _ = self
            .content
            .as_ref()
            .map(|content| content.load(environment));
        names.into_inner()
    }

    /// The value of an environment variable, or what stands for it; none if the filter's settings do not declare it.
    ///
    /// The settings of a filter are unknown if the configuration is a whole document.
    fn variable(&self, name: &str) -> Option<String> {
        let declared = match &self.filter {
            Some(filter) => filter.declared(name)?,
            None => Declared::AtHost,
        };
        Some(declared.value().to_owned())
    }

    fn loaded(
        &self,
        load: &dyn Fn(&Content) -> Result<Loaded, Vec<Diagnostic>>,
    ) -> Result<Loaded, Vec<Finding>> {
        let content = match &self.content {
            Ok(content) => content,
            Err(invalid) => {
                let finding = Finding::error(code(invalid), "", invalid);
                return Err(vec![match invalid {
                    InvalidContent::UnexpectedType { .. } => finding,
                    _ => finding.at_key(),
                }]);
            }
        };
        let unrendered = unrendered(content);
        if !unrendered.is_empty() {
            return Err(unrendered);
        }
        let hint = match content {
            Content::Text(text) => json_hint(text),
            _ => None,
        };
        load(content).map_err(|faults| {
            let finding = |fault: &Diagnostic| {
                let finding = Finding::of_fault(fault);
                match (&fault.what, hint, &self.filter) {
                    (Fault::Syntax(_), Some(hint), _) => {
                        finding.with_text(format_args!("{}: {hint}", fault.what))
                    }
                    (Fault::Secret(InvalidSecret::Unset { name }), _, Some(filter)) => finding
                        .with_text(format_args!(
                            "environment variable `{name}` is not declared: {}",
                            filter.how_to_declare()
                        )),
                    _ => finding,
                }
            };
            let is_cause = |fault: &Diagnostic| faults.iter().any(|other| is_renamed(other, fault));
            let faults = faults.iter().filter(|fault| !is_cause(fault));
            faults.map(finding).collect()
        })
    }
}

/// Whether a fault is about a key that is absent because another fault is about its misspelt name.
fn is_renamed(unknown: &Diagnostic, absent: &Diagnostic) -> bool {
    let Fault::UnknownKey {
        nearest: Some(nearest),
    } = &unknown.what
    else {
        return false;
    };
    let is_absent = matches!(
        absent.what,
        Fault::Missing(_) | Fault::Rule(InvalidRule::NoProvider)
    );
    let (around, own) = absent.path.rsplit_once('.').unwrap_or(("", &absent.path));
    let key = unknown.path.strip_prefix(around);
    is_absent
        && own == nearest
        && key.is_some_and(|key| !key.trim_start_matches('.').contains(['.', '[']))
}

/// An error for each text with an expression of a template that was not rendered. Pages and bodies may have any text.
fn unrendered(content: &Content) -> Vec<Finding> {
    let mut errors = Vec::new();
    match (content.value(), content) {
        (Some(value), _) => {
            let root = Node {
                path: String::new(),
                value: &value,
            };
            root.visit(&mut |node| {
                let path = &node.path;
                let is_free = path.starts_with("responses.pages.") || path.contains(".body");
                let is_filled = ["identity.headers.", "responses.login."]
                    .iter()
                    .any(|part| path.starts_with(part));
                let Some(text) = node.value.as_str().filter(|_| !is_free) else {
                    return;
                };
                if is_filled && text.contains("${") {
                    errors.push(Finding::error("placeholder", path, mistake::DOLLAR));
                } else if mistake::is_template(text)
                    && (!path.ends_with(".cel") || text.contains("{{"))
                {
                    errors.push(Finding::error("template", path, mistake::TEMPLATE));
                }
            });
        }
        (None, Content::Text(text)) if text.lines().any(mistake::is_template) => {
            errors.push(Finding::error("template", "", mistake::TEMPLATE));
        }
        (None, _) => {}
    }
    errors
}

/// The content of the `google.protobuf.Any` in an Envoy filter's `configuration`.
fn content_of_any(any: &Node<'_>, is_yaml: bool) -> Result<Content, InvalidContent> {
    let value = any.member("value").map(|value| value.value);
    if any.is_message("google.protobuf.Struct") {
        let beside = any.value.as_object().into_iter().flatten();
        let mut beside = beside.filter(|(name, _)| !matches!(name.as_str(), "@type" | "value"));
        if let Some((found, _)) = beside.next() {
            let found = found.clone();
            return Err(InvalidContent::BesideValue { found });
        }
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
