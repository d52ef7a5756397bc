//! A rule of an `AuthorizationPolicy` → a formula.

use std::net::IpAddr;

use ipnet::IpNet;

use super::tokens::PAYLOAD;
use super::workload::Policy;
use crate::migrate::atom::{Atom, ClaimTest, How, PathTest, PathText, Text};
use crate::migrate::envoy::matcher::{path_of_text, unknown};
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::migrate::peer;
use crate::node::Node;

/// The requests that a rule matches.
pub fn of_rule(rule: &Node<'_>, policy: &Policy<'_>, notes: &mut Notes) -> Formula {
    let mut reader = Reader { policy, notes };
    let from = rule.member("from");
    let from: Vec<Node<'_>> = from.iter().flat_map(Node::items).collect();
    let to = rule.member("to");
    let to: Vec<Node<'_>> = to.iter().flat_map(Node::items).collect();
    let when = rule.member("when");
    let when = when
        .iter()
        .flat_map(Node::items)
        .map(|item| reader.when(&item));
    let when = Formula::all(when.collect::<Vec<_>>());
    let from = match from.is_empty() {
        true => Formula::True,
        false => Formula::any(
            from.iter()
                .map(|item| reader.source(item))
                .collect::<Vec<_>>(),
        ),
    };
    let to = match to.is_empty() {
        true => Formula::True,
        false => Formula::any(
            to.iter()
                .map(|item| reader.operation(item))
                .collect::<Vec<_>>(),
        ),
    };
    let others = rule
        .members()
        .filter(|(name, _)| !matches!(*name, "from" | "to" | "when"));
    let others = others.map(|(name, node)| {
        let place = policy.place(&node);
        unknown(reader.notes, name, &place, "this key")
    });
    let others = Formula::all(others.collect::<Vec<_>>());
    Formula::all([from, to, when, others])
}

struct Reader<'r, 'f> {
    policy: &'r Policy<'f>,
    notes: &'r mut Notes,
}

/// Reads one value of a key.
type Value<'r> = &'r mut dyn FnMut(&mut Notes, &str, &str) -> Formula;

impl Reader<'_, '_> {
    fn source(&mut self, item: &Node<'_>) -> Formula {
        let Some(source) = item.member("source") else {
            return Formula::True;
        };
        let parts =
            source.members().map(|(name, list)| {
                match name {
            "requestPrincipals" => self.any(&list, &mut |_, _, value| request_principal(value)),
            "notRequestPrincipals" => self
                .any(&list, &mut |_, _, value| request_principal(value))
                .negated(),
            "remoteIpBlocks" => self.any(&list, &mut network),
            "notRemoteIpBlocks" => self.any(&list, &mut network).negated(),
            "ipBlocks" | "notIpBlocks" => self.lost(
                name,
                &list,
                "the address of the connection: use `remoteIpBlocks` if it is that of the client",
            ),
            "principals" => self.any(&list, &mut principal),
            "notPrincipals" => self.any(&list, &mut principal).negated(),
            "namespaces" => self.any(&list, &mut namespace),
            "notNamespaces" => self.any(&list, &mut namespace).negated(),
            "serviceAccounts" | "notServiceAccounts" => {
                let default = self.policy.namespace().to_owned();
                let any = self.any(&list, &mut |notes, place, value| {
                    service_account(notes, place, &default, value)
                });
                if name == "serviceAccounts" { any } else { any.negated() }
            }
            "trustDomains" => self.any(&list, &mut trust_domain),
            "notTrustDomains" => self.any(&list, &mut trust_domain).negated(),
            _ => self.lost(name, &list, "this key"),
        }
            });
        Formula::all(parts.collect::<Vec<_>>())
    }

    fn operation(&mut self, item: &Node<'_>) -> Formula {
        let Some(operation) = item.member("operation") else {
            return Formula::True;
        };
        let parts = operation.members().map(|(name, list)| match name {
            "paths" => self.any(&list, &mut path),
            "notPaths" => self.any(&list, &mut path).negated(),
            "methods" => self.any(&list, &mut method),
            "notMethods" => self.any(&list, &mut method).negated(),
            "hosts" => self.any(&list, &mut |_, _, value| host(value)),
            "notHosts" => self.any(&list, &mut |_, _, value| host(value)).negated(),
            "ports" | "notPorts" => self.lost(
                name,
                &list,
                "the port of the workload: attach the output to this port only, and remove the key",
            ),
            _ => self.lost(name, &list, "this key"),
        });
        Formula::all(parts.collect::<Vec<_>>())
    }

    fn when(&mut self, item: &Node<'_>) -> Formula {
        let key = item.text("key").unwrap_or_default();
        let own = |prefix: &str| key.strip_prefix(prefix).and_then(names_in_brackets);
        match key {
            "request.auth.principal" => {
                self.values(item, &mut |_, _, value| request_principal(value))
            }
            "request.auth.audiences" => self.values(item, &mut |_, _, value| {
                claim(vec!["aud".to_owned()], value)
            }),
            "request.auth.presenter" => self.values(item, &mut |_, _, value| {
                claim(vec!["azp".to_owned()], value)
            }),
            "remote.ip" => self.values(item, &mut network),
            "source.principal" => self.values(item, &mut principal),
            "source.namespace" => self.values(item, &mut namespace),
            "source.trustDomain" => self.values(item, &mut trust_domain),
            _ => {
                if let Some(names) = own("request.auth.claims") {
                    self.values(item, &mut |_, _, value| claim(names.clone(), value))
                } else if let Some([name]) = own("request.headers").as_deref() {
                    let name = name.to_lowercase();
                    self.values(item, &mut |notes, place, value| {
                        header(notes, place, &name, value)
                    })
                } else {
                    let text = format!("the attribute `{key}`");
                    self.lost("when", item, &text)
                }
            }
        }
    }

    /// `values` and `notValues` of a condition.
    fn values(&mut self, item: &Node<'_>, read: Value<'_>) -> Formula {
        let mut parts = Vec::new();
        for (key, holds) in [("values", true), ("notValues", false)] {
            let Some(list) = item.member(key) else {
                continue;
            };
            if list.items().next().is_none() {
                continue;
            }
            let any = self.any(&list, read);
            parts.push(if holds { any } else { any.negated() });
        }
        Formula::all(parts)
    }

    fn any(&mut self, list: &Node<'_>, read: Value<'_>) -> Formula {
        let place = self.policy.place(list);
        let each = list.items().map(|item| match item.value.as_str() {
            Some(value) => read(self.notes, &place, value),
            None => unknown(self.notes, "value", &place, "expected a string"),
        });
        let each: Vec<Formula> = each.collect();
        match each.is_empty() {
            // An empty list is no condition, which the caller must not negate.
            true => unknown(self.notes, "value", &place, "an empty list"),
            false => Formula::any(each),
        }
    }

    fn lost(&mut self, construct: &str, node: &Node<'_>, text: &str) -> Formula {
        unknown(self.notes, construct, &self.policy.place(node), text)
    }
}

/// A value with `*` at one end, or alone, where it stands for any text.
fn pattern(value: &str) -> Text {
    let (how, text) = match (value, value.strip_prefix('*'), value.strip_suffix('*')) {
        ("*", ..) => (How::NotEmpty, ""),
        (_, Some(rest), _) => (How::Suffix, rest),
        (_, _, Some(rest)) => (How::Prefix, rest),
        (value, None, None) => (How::Exact, value),
    };
    Text {
        how,
        text: text.to_owned(),
        ignores_case: false,
    }
}

fn claim(path: Vec<String>, value: &str) -> Formula {
    token(path, ClaimTest::TextOrItem(pattern(value)))
}

fn token(path: Vec<String>, test: ClaimTest) -> Formula {
    Formula::atom(Atom::Claim {
        provider: PAYLOAD.to_owned(),
        path,
        test,
    })
}

/// `<iss>/<sub>`, as istiod reads it.
fn request_principal(value: &str) -> Formula {
    let any = || pattern("*");
    let text = |how, text: &str| Text {
        how,
        text: text.to_owned(),
        ignores_case: false,
    };
    let parts = value.rsplit_once('/');
    let (issuer, subject) = match (parts, value) {
        (_, "*") => (any(), any()),
        (Some(("*", subject)), _) => (any(), text(How::Exact, subject)),
        (Some((issuer, subject)), _) if issuer.starts_with('*') => (
            text(How::Suffix, issuer.trim_start_matches('*')),
            text(How::Exact, subject),
        ),
        (Some((issuer, "*")), _) => (text(How::Exact, issuer), any()),
        (Some((issuer, subject)), _) => match subject.strip_suffix('*') {
            Some(subject) => (text(How::Exact, issuer), text(How::Prefix, subject)),
            None => (text(How::Exact, issuer), text(How::Exact, subject)),
        },
        (None, value) => match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(subject), _) => (any(), text(How::Suffix, subject)),
            (_, Some(issuer)) => (text(How::Prefix, issuer), any()),
            (None, None) => (text(How::Exact, value), text(How::Exact, "")),
        },
    };
    Formula::all([
        token(vec!["iss".to_owned()], ClaimTest::Text(issuer)),
        token(vec!["sub".to_owned()], ClaimTest::Text(subject)),
    ])
}

/// The trust domain where a policy does not name one.
const TRUST_DOMAIN: &str = "cluster.local";

/// An identity without `spiffe://`, with `*` at its end or alone.
fn principal(notes: &mut Notes, place: &str, value: &str) -> Formula {
    let peer = match (value, value.strip_suffix('*')) {
        ("*", _) => peer::with_uri(&format!("spiffe://{TRUST_DOMAIN}/"), How::Prefix),
        (_, Some(prefix)) => peer::with_uri(&format!("spiffe://{prefix}"), How::Prefix),
        (value, None) => peer::with_uri(&format!("spiffe://{value}"), How::Exact),
    };
    peer.unwrap_or_else(|| unknown(notes, "principals", place, "this pattern"))
}

fn namespace(notes: &mut Notes, place: &str, value: &str) -> Formula {
    let uri = format!("spiffe://{TRUST_DOMAIN}/ns/{value}/");
    peer::with_uri(&uri, How::Prefix)
        .unwrap_or_else(|| unknown(notes, "namespaces", place, "this pattern"))
}

fn service_account(notes: &mut Notes, place: &str, default: &str, value: &str) -> Formula {
    let (namespace, name) = value.split_once('/').unwrap_or((default, value));
    let uri = format!("spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{name}");
    peer::with_uri(&uri, How::Exact)
        .unwrap_or_else(|| unknown(notes, "serviceAccounts", place, "this pattern"))
}

fn trust_domain(notes: &mut Notes, place: &str, value: &str) -> Formula {
    peer::with_uri(&format!("spiffe://{value}/"), How::Prefix)
        .unwrap_or_else(|| unknown(notes, "trustDomains", place, "this pattern"))
}

fn network(notes: &mut Notes, place: &str, value: &str) -> Formula {
    let network = value.parse::<IpNet>().ok();
    let network = network.or_else(|| value.parse::<IpAddr>().ok().map(IpNet::from));
    match network {
        Some(network) => Formula::atom(Atom::Network(network.trunc())),
        None => unknown(notes, "remoteIpBlocks", place, "this network"),
    }
}

fn path(notes: &mut Notes, place: &str, value: &str) -> Formula {
    if value.contains(['{', '}']) {
        return template(value)
            .unwrap_or_else(|| unknown(notes, "paths", place, "this path template"));
    }
    let text = "a part of the path that is not at its beginning";
    path_of_text(pattern(value)).unwrap_or_else(|| unknown(notes, "paths", place, text))
}

/// The paths that a template matches. `{*}` and `{**}` do not match all characters that a path can have.
fn template(template: &str) -> Option<Formula> {
    let segments: Vec<&str> = template.strip_prefix('/')?.split('/').collect();
    let test = match segments.split_last()? {
        (&"{**}", before) if before.iter().all(|text| !text.contains(['{', '}'])) => {
            let before: String = before.iter().map(|text| format!("/{text}")).collect();
            PathTest::Prefix(PathText {
                text: before + "/",
                ignores_case: false,
            })
        }
        _ => {
            let segments = segments.iter().map(|text| match *text {
                "{*}" => Some(None),
                text if text.contains(['{', '}']) => None,
                text => Some(Some(text.to_owned())),
            });
            PathTest::Template(segments.collect::<Option<_>>()?)
        }
    };
    Some(Formula::all([
        Formula::atom(Atom::Path(test)),
        Formula::atom(Atom::OrdinaryPath),
    ]))
}

fn method(notes: &mut Notes, place: &str, value: &str) -> Formula {
    let own = pattern(value);
    match own.how {
        How::NotEmpty => Formula::True,
        How::Exact => Formula::atom(Atom::Method(own.text)),
        How::Prefix | How::Suffix | How::Contains => {
            unknown(notes, "methods", place, "a part of a method")
        }
    }
}

fn host(value: &str) -> Formula {
    let own = pattern(value);
    match own.how {
        How::NotEmpty => Formula::True,
        _ => Formula::atom(Atom::Host(Text {
            ignores_case: true,
            ..own
        })),
    }
}

fn header(notes: &mut Notes, place: &str, name: &str, value: &str) -> Formula {
    let own = pattern(value);
    match (name, own.how) {
        (":method", _) => method(notes, place, value),
        (":authority" | "host", _) => unknown(notes, "request.headers", place, "use `hosts`"),
        (name, _) if name.starts_with(':') => {
            unknown(notes, "request.headers", place, "a pseudo-header")
        }
        (name, How::NotEmpty) => Formula::atom(Atom::HeaderPresent(name.to_owned())),
        (name, _) => Formula::atom(Atom::Header(name.to_owned(), own)),
    }
}

/// The names in `[a][b]`.
fn names_in_brackets(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let names = inner.split("][").map(str::to_owned);
    Some(names.collect())
}
