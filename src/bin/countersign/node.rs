//! A value in a file, with its path.

use serde_json::Value;

/// A value and its path in the file, such as `static_resources.listeners[0].name`.
#[derive(Clone, Debug)]
pub struct Node<'v> {
    /// The path; empty for the root of a file.
    pub path: String,
    /// The value.
    pub value: &'v Value,
}

impl<'v> Node<'v> {
    /// The member with this name, in snake case (`vm_config`) or in the lower camel case of protobuf's JSON
    /// (`vmConfig`).
    pub fn member(&self, name: &str) -> Option<Self> {
        let object = self.value.as_object()?;
        let (name, value) = object
            .get_key_value(name)
            .or_else(|| object.get_key_value(&lower_camel(name)))?;
        Some(self.child(name, value))
    }

    /// The descendant at a path of member names.
    pub fn at(&self, names: &[&str]) -> Option<Self> {
        names
            .iter()
            .try_fold(self.clone(), |node, name| node.member(name))
    }

    /// The items of a list; empty if the value is not a list.
    pub fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            value,
        })
    }

    /// The names and nodes of the members of an object; empty if the value is not an object.
    pub fn members(&self) -> impl Iterator<Item = (&'v str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), self.child(name, value)))
    }

    /// Whether this node is `other` or one of its descendants.
    pub fn is_within(&self, other: &Node<'_>) -> bool {
        let rest = self.path.strip_prefix(&other.path);
        other.path.is_empty()
            || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// The string in a member.
    pub fn text(&self, name: &str) -> Option<&'v str> {
        self.member(name)?.value.as_str()
    }

    /// Whether a member is `true`, also as a string.
    pub fn is_true(&self, name: &str) -> bool {
        self.member(name)
            .is_some_and(|member| member.value == true || member.value == "true")
    }

    /// Whether a member is this value of an enumeration: its name or its number, also as a string.
    pub fn is_value(&self, key: &str, name: &str, number: u64) -> bool {
        self.member(key).is_some_and(|member| match member.value {
            Value::String(text) => text == name || *text == number.to_string(),
            value => value == number,
        })
    }

    /// Whether the `@type` of this protobuf message ends with `name`, such as `wasm.v3.Wasm`.
    pub fn is_message(&self, name: &str) -> bool {
        let type_name = self.text("@type").and_then(|url| url.rsplit('/').next());
        type_name.is_some_and(|type_name| {
            type_name
                .strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// The fields of this message if its type ends with `name`, also if it is a `TypedStruct`, as in an Istio
    /// `EnvoyFilter`.
    pub fn message(&self, name: &str) -> Option<Self> {
        if self.is_message(name) {
            return Some(self.clone());
        }
        let type_url = self
            .text("type_url")
            .filter(|_| self.is_message("TypedStruct"));
        type_url.filter(|url| url.ends_with(name))?;
        self.member("value")
    }

    /// Calls `visitor` with this node and each descendant, in the order of the file.
    pub fn visit(&self, visitor: &mut impl FnMut(&Self)) {
        visitor(self);
        match self.value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.child(name, value).visit(visitor);
                }
            }
            _ => self.items().for_each(|item| item.visit(visitor)),
        }
    }

    fn child(&self, name: &str, value: &'v Value) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self { path, value }
    }
}

/// Whether `key` is this name, in snake case or in lower camel case.
pub fn is_named(key: &str, name: &str) -> bool {
    key == name || key == lower_camel(name)
}

fn lower_camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
