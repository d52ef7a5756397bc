//! API keys in a configuration that have expired. The filter denies them as it denies unknown ones.

use countersign::time::Timestamp;

use crate::clock::time;
use crate::finding::Finding;
use crate::locate::Located;
use crate::node::Node;

/// The findings in every configuration of a file.
pub fn findings(located: &Located<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Ok(now) = time(None) else {
        return findings;
    };
    located.visit_providers(|provider| {
        if let Some(keys) = provider.at(&["api_key", "keys"]) {
            findings.extend(keys.items().filter_map(|key| expired(&key, now)));
        }
    });
    findings
}

fn expired(key: &Node<'_>, now: Timestamp) -> Option<Finding> {
    let expires = key.member("expires")?;
    let is_past = Timestamp::parse(expires.value.as_str()?)? <= now;
    is_past.then(|| {
        Finding::warning(
            "expired-key",
            &expires.path,
            "this key has expired: it is denied",
        )
    })
}
