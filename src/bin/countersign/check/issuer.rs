//! An issuer that no token has, because it has a user name and a password.
//!
//! It is valid, and it is compared exactly. So the filter rejects every token.

use crate::finding::Finding;
use crate::locate::Located;
use crate::node::Node;

/// The findings in every configuration of a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    located.visit_providers(|provider| {
        let issuer = provider.at(&["jwt", "issuer"]);
        findings.extend(issuer.and_then(|issuer| user_in_issuer(&issuer)));
    });
    findings
}

fn user_in_issuer(issuer: &Node<'_>) -> Option<Finding> {
    let (_, rest) = issuer.value.as_str()?.split_once("://")?;
    let has_user = rest.split(['/', '?', '#']).next()?.contains('@');
    let message = "expected an issuer without user name and password: values are compared exactly, so no token has \
                   this one";
    has_user.then(|| Finding::warning("issuer-with-user", &issuer.path, message))
}
