//! What the filter changes in a forwarded request, and the filter state. No credential is printed.

use countersign::authenticate::jose::base64url;
use countersign::evaluate::Decision;
use countersign::json;
use countersign::plan::{Policy, StateName};
use countersign::telemetry::{CHANGED, filter_state};
use serde_json::Value;

/// What the upstream receives differently from what the client sent.
pub struct Changes {
    /// The new target; none if it stays.
    pub target: Option<String>,
    /// The names of the headers that are removed.
    pub removed: Vec<String>,
    /// The headers that are set.
    pub set: Vec<Set>,
}

/// A header that is set.
pub struct Set {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Shown,
}

/// A value as it is printed.
pub enum Shown {
    /// The value. In `cookie`, which may contain credentials, the values of the cookies are replaced.
    Text(String),
    /// The claims in the `payload_header`, which are a part of the token in base64url.
    Claims(Value),
}

/// The text in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// What changes in a request that passes.
pub fn changes(decision: &Decision<'_>, policy: Option<&Policy>) -> Changes {
    let forward = &decision.forward;
    let payload = policy.and_then(|policy| policy.identity.payload_header.as_deref());
    let set = forward.set.iter().map(|(name, value)| {
        let claims = base64url::decode(value.as_bytes())
            .filter(|_| payload == Some(*name))
            .and_then(|octets| json::parse_strict(&octets).ok());
        Set {
            name: (*name).to_owned(),
            value: match (claims, *name) {
                (Some(claims), _) => Shown::Claims(claims),
                (None, "cookie") => Shown::Text(without_values(value)),
                (None, _) => Shown::Text(value.clone()),
            },
        }
    });
    Changes {
        target: forward
            .target
            .as_ref()
            .map(|target| String::from_utf8_lossy(target).into_owned()),
        removed: forward.remove.clone(),
        set: set.collect(),
    }
}

/// The filter state that access logs can show, with its names.
pub fn state(decision: &Decision<'_>, names: &[StateName]) -> Vec<(&'static str, String)> {
    let state = filter_state(decision, names);
    let state = state.map(|(name, value)| (name, value.into_owned()));
    let removes = decision.passage().is_some() && decision.forward.removes_anything();
    let changed = removes.then(|| (CHANGED, "1".to_owned()));
    state.chain(changed).collect()
}

/// The names of cookies.
fn without_values(cookies: &str) -> String {
    let names = cookies
        .split(';')
        .map(|cookie| match cookie.split_once('=') {
            Some((name, _)) => format!("{}={REDACTED}", name.trim()),
            None => REDACTED.to_owned(),
        });
    names.collect::<Vec<_>>().join("; ")
}
