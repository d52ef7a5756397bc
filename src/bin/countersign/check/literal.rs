//! Values of a configuration that no request and no token has.
//!
//! They are valid, and they are compared exactly. So a rule that requires one denies every request.

use super::deployment::Finding;
use crate::locate::Located;
use crate::node::Node;

/// The keys whose values, and the values below them, are compared with claims or with the host.
const COMPARED: [&str; 10] = [
    "roles",
    "any_roles",
    "groups",
    "any_groups",
    "claims",
    "require_claims",
    "acr",
    "subjects",
    "jti",
    "hosts",
];

/// The findings in every configuration of a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for configuration in &located.configurations {
        let value = configuration.value().unwrap_or_default();
        let root = Node {
            path: configuration.path.clone(),
            value: &value,
        };
        root.visit(&mut |node| {
            findings.extend(stray_whitespace(node).or_else(|| user_in_issuer(node)));
        });
    }
    findings
}

fn stray_whitespace(node: &Node<'_>) -> Option<Finding> {
    node.value.as_str().filter(|text| text.trim() != *text)?;
    let path = &node.path;
    let mut names = path.split(['.', '[']);
    let is_compared = names.any(|name| COMPARED.contains(&name)) || path.contains(".match.headers");
    let is_free = path.contains(".body");
    let message = "begins or ends with whitespace: values are compared exactly";
    (is_compared && !is_free).then(|| Finding::warning(path, message))
}

fn user_in_issuer(node: &Node<'_>) -> Option<Finding> {
    let (_, rest) = node.value.as_str()?.split_once("://")?;
    let has_user = rest.split(['/', '?', '#']).next()?.contains('@');
    let message = "expected an issuer without user name and password: values are compared exactly, so no token has \
                   this one";
    (has_user && node.path.ends_with(".jwt.issuer")).then(|| Finding::warning(&node.path, message))
}
