//! `authorization` of a `SecurityPolicy` → the formula of the requests that it permits. The first rule that matches decides.

use ipnet::IpNet;

use super::Policy;
use crate::migrate::atom::{Atom, ClaimTest, PathTest, PathText};
use crate::migrate::envoy::matcher::{exact, unknown};
use crate::migrate::envoy::regex;
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::node::Node;

/// The requests that the rules permit. A claim has the name of its provider.
pub fn permits(node: &Node<'_>, policy: &Policy<'_>, notes: &mut Notes) -> Formula {
    let default = Formula::from(node.text("defaultAction") == Some("Allow"));
    let rules = node.member("rules");
    let mut reader = Reader { policy, notes };
    let rules = rules.iter().flat_map(Node::items);
    let rules: Vec<_> = rules.map(|rule| (reader.rule(&rule), rule)).collect();
    rules
        .into_iter()
        .rev()
        .fold(default, |otherwise, (matches, rule)| {
            let action = match rule.text("action") {
                Some("Allow") => Formula::True,
                _ => Formula::False,
            };
            Formula::choice(matches, action, otherwise)
        })
}

struct Reader<'r, 'f> {
    policy: &'r Policy<'f>,
    notes: &'r mut Notes,
}

impl Reader<'_, '_> {
    fn rule(&mut self, rule: &Node<'_>) -> Formula {
        let mut parts = Vec::new();
        for (name, node) in rule.members() {
            match name {
                "name" | "action" => {}
                "operation" => parts.push(self.operation(&node)),
                "principal" => parts.push(self.principal(&node)),
                "cel" => {
                    parts.push(self.lost(name, &node, "an expression over attributes of Envoy"))
                }
                _ => parts.push(self.lost(name, &node, "this key")),
            }
        }
        self.notes
            .equal("rule", &self.policy.place(rule), "is in the rules");
        Formula::all(parts)
    }

    fn operation(&mut self, node: &Node<'_>) -> Formula {
        let mut parts = Vec::new();
        for (name, node) in node.members() {
            match name {
                "methods" => parts.push(any(&node, |method| {
                    Formula::atom(Atom::Method(method.to_uppercase()))
                })),
                "path" => parts.push(self.path(&node)),
                _ => parts.push(self.lost(name, &node, "this key")),
            }
        }
        Formula::all(parts)
    }

    /// Envoy Gateway compares the path with its query. A text after `;` is no part of it.
    fn path(&mut self, node: &Node<'_>) -> Formula {
        let value = node.text("value").unwrap_or("/");
        let matches = match node.text("type").unwrap_or("PathPrefix") {
            "PathPrefix" if value == "/" => Formula::True,
            "PathPrefix" => {
                let path = value.strip_suffix('/').unwrap_or(value);
                Formula::atom(Atom::Path(PathTest::Segments(path.to_owned())))
            }
            "Exact" => Formula::atom(Atom::Path(PathTest::Exact(PathText {
                text: value.to_owned(),
                ignores_case: false,
            }))),
            // The expression must match the query too.
            "RegularExpression" if value.ends_with(".*") && !value.contains('|') => {
                regex::of_path(value)
                    .unwrap_or_else(|| self.lost("path", node, "this regular expression"))
            }
            "RegularExpression" => {
                let unknown = self.lost("path", node, "this regular expression");
                Formula::all([regex::bound(value), unknown])
            }
            _ => self.lost("path", node, "this kind of path"),
        };
        match node.is_true("invert") {
            true => matches.negated(),
            false => matches,
        }
    }

    fn principal(&mut self, node: &Node<'_>) -> Formula {
        let mut parts = Vec::new();
        for (name, node) in node.members() {
            parts.push(match name {
                "clientCIDRs" => {
                    let networks = node.items().map(|item| {
                        let text = item.value.as_str().unwrap_or_default();
                        let network = text.parse::<IpNet>();
                        match network {
                            Ok(network) => Formula::atom(Atom::Network(network.trunc())),
                            Err(_) => self.lost(name, &item, "this network"),
                        }
                    });
                    Formula::any(networks.collect::<Vec<_>>())
                }
                "jwt" => self.jwt(&node),
                "headers" => {
                    let headers = node.items().map(|item| self.header(&item));
                    Formula::all(headers.collect::<Vec<_>>())
                }
                "clientIPGeoLocations" => self.lost(name, &node, "the place of an address"),
                _ => self.lost(name, &node, "this key"),
            });
        }
        Formula::all(parts)
    }

    fn header(&mut self, item: &Node<'_>) -> Formula {
        let name = item.text("name").unwrap_or_default().to_lowercase();
        let Some(values) = item.member("values") else {
            return self.lost("headers", item, "no values");
        };
        if name.starts_with(':') || name == "host" {
            return self.lost("headers", item, "a pseudo-header");
        }
        any(&values, |value| {
            Formula::atom(Atom::Header(name.clone(), exact(value)))
        })
    }

    fn jwt(&mut self, node: &Node<'_>) -> Formula {
        let provider = node.text("provider").unwrap_or_default().to_owned();
        let claim = |path: &[&str], test| {
            Formula::atom(Atom::Claim {
                provider: provider.clone(),
                path: path.iter().map(|name| (*name).to_owned()).collect(),
                test,
            })
        };
        let mut parts = Vec::new();
        let scopes = node.member("scopes");
        for scope in scopes.iter().flat_map(Node::items) {
            let text = exact(scope.value.as_str().unwrap_or_default());
            // The filter makes a list of a string, which Envoy Gateway expects.
            let of = |name| claim(&[name], ClaimTest::Word(text.clone()));
            parts.push(Formula::any([of("scope"), of("scp")]));
        }
        let claims = node.member("claims");
        for item in claims.iter().flat_map(Node::items) {
            let name = item.text("name").unwrap_or_default();
            let path: Vec<&str> = name.split('.').collect();
            let is_list = item.text("valueType") == Some("StringArray");
            let Some(values) = item.member("values") else {
                parts.push(self.lost("claims", &item, "no values"));
                continue;
            };
            parts.push(any(&values, |value| {
                let test = match (is_list, path.as_slice()) {
                    (true, ["scope" | "scp"]) => ClaimTest::Word(exact(value)),
                    (true, _) => ClaimTest::Item(exact(value)),
                    (false, _) => ClaimTest::Text(exact(value)),
                };
                claim(&path, test)
            }));
        }
        match parts.is_empty() {
            true => self.lost("jwt", node, "no claims and no scopes"),
            false => Formula::all(parts),
        }
    }

    fn lost(&mut self, construct: &str, node: &Node<'_>, text: &str) -> Formula {
        unknown(self.notes, construct, &self.policy.place(node), text)
    }
}

fn any(list: &Node<'_>, read: impl Fn(&str) -> Formula) -> Formula {
    let texts = list.items().map(|item| match item.value.as_str() {
        Some(text) => read(text),
        None => Formula::atom(Atom::Unknown("value".to_owned())),
    });
    Formula::any(texts.collect::<Vec<_>>())
}
