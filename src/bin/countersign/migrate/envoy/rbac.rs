//! `rbac`: policies → the formula of the requests that they permit.

use ipnet::IpNet;
use serde_json::Value;

use super::matcher::{Scope, Strings, header, path, strings, texts_of_regex, unknown};
use crate::migrate::atom::{Atom, ClaimTest, Text};
use crate::migrate::formula::Formula;
use crate::migrate::gate::Notes;
use crate::migrate::peer;
use crate::node::Node;

/// The filter whose metadata has the claims of tokens.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// Reads the settings of a filter. A claim has the key of its metadata in place of a provider.
pub fn read(filter: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let place = scope.place(filter);
    if filter.member("shadow_rules").is_some() || filter.member("shadow_matcher").is_some() {
        notes.differs(
            "shadow_rules",
            &place,
            "shadow rules are not translated: they decide nothing",
        );
    }
    if filter.member("matcher").is_some() {
        return unknown(notes, "matcher", &place, "the gate denies every request");
    }
    let Some(rules) = filter.member("rules") else {
        return Formula::True;
    };
    let action = rules.member("action").map(|action| action.value.clone());
    let is = |name: &str, number: u64| {
        action
            .as_ref()
            .is_some_and(|own| own == name || *own == number)
    };
    if is("LOG", 2) {
        notes.differs(
            "action: LOG",
            &place,
            "nothing is written to the metadata for access logs",
        );
        return Formula::True;
    }
    let policies = rules.member("policies");
    let matched = policies.iter().flat_map(Node::members).map(|(_, policy)| {
        let of = |key: &str, read: &mut dyn FnMut(&Node<'_>) -> Formula| {
            let list = policy.member(key);
            Formula::any(list.iter().flat_map(Node::items).map(|item| read(&item)))
        };
        let permissions = of("permissions", &mut |node| permission(node, scope, notes));
        let principals = of("principals", &mut |node| principal(node, scope, notes));
        let mut parts = vec![permissions, principals];
        for key in ["condition", "checked_condition"] {
            if let Some(condition) = policy.member(key) {
                let place = scope.place(&condition);
                parts.push(unknown(notes, key, &place, "a compiled expression"));
            }
        }
        notes.equal(
            "policy",
            &scope.place(&policy),
            "its permissions and principals are in the rules",
        );
        Formula::all(parts)
    });
    let matched = Formula::any(matched.collect::<Vec<_>>());
    match is("DENY", 1) {
        true => matched.negated(),
        false => matched,
    }
}

fn permission(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    if let Some(set) = node.at(&["and_rules", "rules"]) {
        return Formula::all(
            set.items()
                .map(|item| permission(&item, scope, notes))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(set) = node.at(&["or_rules", "rules"]) {
        return Formula::any(
            set.items()
                .map(|item| permission(&item, scope, notes))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(inner) = node.member("not_rule") {
        return permission(&inner, scope, notes).negated();
    }
    common(node, scope, notes)
}

fn principal(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    if let Some(set) = node.at(&["and_ids", "ids"]) {
        return Formula::all(
            set.items()
                .map(|item| principal(&item, scope, notes))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(set) = node.at(&["or_ids", "ids"]) {
        return Formula::any(
            set.items()
                .map(|item| principal(&item, scope, notes))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(inner) = node.member("not_id") {
        return principal(&inner, scope, notes).negated();
    }
    if let Some(range) = node.member("remote_ip") {
        return network(&range, scope, notes);
    }
    if let Some(range) = node.member("direct_remote_ip")
        && scope.settings.is_direct
    {
        return network(&range, scope, notes);
    }
    common(node, scope, notes)
}

/// What permissions and principals have in common.
fn common(node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    if node.is_true("any") {
        return Formula::True;
    }
    if let Some(matcher) = node.member("header") {
        return header(&matcher, scope, notes);
    }
    if let Some(matcher) = node.at(&["url_path", "path"]) {
        return path(&matcher, scope, notes);
    }
    if let Some(matcher) = node.member("metadata") {
        return metadata(&matcher, scope, notes);
    }
    if let Some(name) = node.at(&["authenticated", "principal_name"])
        && let Strings::OneOf(texts) = strings(&name)
        && texts.iter().all(|text| !text.ignores_case)
        && let each = texts
            .iter()
            .map(|text| peer::with_uri(&text.text, text.how))
        && let Some(each) = each.collect::<Option<Vec<_>>>()
    {
        return Formula::any(each);
    }
    let construct = node.members().next().map_or("empty", |(name, _)| name);
    let text = match construct {
        "direct_remote_ip" | "source_ip" => {
            "the address of the connection, which can differ from that of the client"
        }
        "authenticated" => "this name in a client certificate: use a provider `mtls`",
        _ => "this matcher",
    };
    unknown(notes, construct, &scope.place(node), text)
}

fn network(range: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let length = match range
        .member("prefix_len")
        .map(|length| length.value.clone())
    {
        None => Some(0),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::Object(wrapped)) => wrapped.get("value").and_then(Value::as_u64),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let address = range.text("address_prefix").unwrap_or_default();
    let network = length.and_then(|length| format!("{address}/{length}").parse::<IpNet>().ok());
    match network {
        Some(network) => Formula::atom(Atom::Network(network.trunc())),
        None => unknown(notes, "remote_ip", &scope.place(range), "this network"),
    }
}

fn metadata(matcher: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Formula {
    let place = scope.place(matcher);
    if matcher.text("filter") != Some(JWT_AUTHN) {
        return unknown(notes, "metadata", &place, "the metadata of another filter");
    }
    let path = matcher.member("path");
    let names = path
        .iter()
        .flat_map(Node::items)
        .map(|item| item.text("key").map(str::to_owned));
    let Some(mut names) = names.collect::<Option<Vec<_>>>() else {
        return unknown(notes, "metadata", &place, "this path");
    };
    if names.is_empty() {
        return unknown(notes, "metadata", &place, "this path");
    }
    if !scope.sees_tokens {
        notes.equal(
            "metadata",
            &place,
            "no filter before this one verifies tokens: it never matches",
        );
        return Formula::from(matcher.is_true("invert"));
    }
    let key = names.remove(0);
    let tests = matcher
        .member("value")
        .and_then(|value| claim_tests(&value));
    let Some(tests) = tests else {
        return unknown(notes, "metadata", &place, "this value of a claim");
    };
    let any = Formula::any(tests.into_iter().map(|test| {
        Formula::atom(Atom::Claim {
            provider: key.clone(),
            path: names.clone(),
            test,
        })
    }));
    match matcher.is_true("invert") {
        true => any.negated(),
        false => any,
    }
}

/// The tests of a `ValueMatcher`, of which one must hold.
fn claim_tests(value: &Node<'_>) -> Option<Vec<ClaimTest>> {
    if let Some(matcher) = value.member("string_match") {
        let texts = texts(&matcher)?;
        return Some(texts.into_iter().map(ClaimTest::Text).collect());
    }
    if let Some(matcher) = value.at(&["list_match", "one_of", "string_match"]) {
        let texts = texts(&matcher)?;
        return Some(texts.into_iter().map(ClaimTest::Item).collect());
    }
    if let Some(truth) = value.member("bool_match") {
        return Some(vec![ClaimTest::Bool(truth.value.as_bool()?)]);
    }
    if let Some(wanted) = value.member("present_match") {
        return (wanted.value == true).then(|| vec![ClaimTest::Present]);
    }
    if let Some(number) = value.at(&["double_match", "exact"]) {
        let number = number
            .value
            .as_f64()
            .filter(|number| number.fract() == 0.0)?;
        let is_exact = number.abs() < 9_007_199_254_740_992.0;
        return is_exact.then(|| vec![ClaimTest::Number(format!("{number:.0}"))]);
    }
    let alternatives = value.at(&["or_match", "value_matchers"])?;
    let each = alternatives.items().map(|item| claim_tests(&item));
    Some(each.collect::<Option<Vec<_>>>()?.concat())
}

fn texts(matcher: &Node<'_>) -> Option<Vec<Text>> {
    match strings(matcher) {
        Strings::OneOf(texts) => Some(texts),
        Strings::Regex(regex) => texts_of_regex(&regex),
        Strings::Other => None,
    }
}
