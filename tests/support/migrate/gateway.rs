//! The filters and routes that Envoy Gateway generates from SecurityPolicies and HTTPRoutes.
//!
//! Written from Envoy Gateway's source (August 2026) and independent of `countersign migrate`, so that the two can be
//! compared:
//!
//! | here | `internal/…` |
//! |---|---|
//! | [`manager`] | `xds/translator/listener.go`, `xds/translator/httpfilters.go` (`newOrderedHTTPFilter`) |
//! | `routes` | `xds/translator/route.go` (`buildPathMatch`), `gatewayapi/sort.go` (`XdsIRRoutes`) |
//! | `jwt` | `xds/translator/jwt.go` (`buildJWTProvider`, `buildJWTRequirements`, `patchRoute`) |
//! | `authorization` | `xds/translator/authorization.go` (`buildRBACPerRoute`) |
//! | `others` | `xds/translator/cors.go`, `xds/translator/api_key_auth.go`, `xds/translator/basicauth.go` |
//! | `policy_of` | `gatewayapi/securitypolicy.go`: the policy of a route replaces that of its gateway |

mod authorization;
mod jwt;
mod others;
mod routes;

use serde_json::{Map, Value, json};

/// The manifests of one gateway.
#[derive(Clone, Copy)]
struct Manifests<'m>(&'m [Value]);

impl<'m> Manifests<'m> {
    fn of_kind(self, kind: &str) -> impl Iterator<Item = &'m Value> {
        let kind = kind.to_owned();
        self.0.iter().filter(move |one| one["kind"] == kind)
    }

    /// The policy that holds for an HTTPRoute, and its target: the route itself, else the gateway.
    fn policy_of(self, route: &Value) -> Option<(&'m Value, String)> {
        let targets = |policy: &&Value, kind: &str, name: &Value| {
            let spec = &policy["spec"];
            let listed = spec["targetRefs"].as_array().into_iter().flatten();
            let mut targets = listed.chain(spec.get("targetRef"));
            targets.any(|target| target["kind"] == kind && target["name"] == *name)
        };
        let found = |kind: &str, name: &Value| {
            let mut policies = self.of_kind("SecurityPolicy");
            let policy = policies.find(|policy| targets(policy, kind, name))?;
            Some((policy, format!("{kind}/{}", name.as_str()?)))
        };
        found("HTTPRoute", &route["metadata"]["name"])
            .or_else(|| found("Gateway", &route["spec"]["parentRefs"][0]["name"]))
    }

    /// The members of a Secret.
    fn secret(self, name: &Value) -> Vec<(String, String)> {
        let secret = self
            .of_kind("Secret")
            .find(|secret| secret["metadata"]["name"] == *name);
        let secret = secret.unwrap_or_else(|| panic!("there is no Secret {name}"));
        let members = secret["stringData"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        members
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    }
}

/// The connection manager of the gateway: filters, routes, and what Envoy Gateway sets for paths and addresses.
pub fn manager(manifests: &[Value]) -> Value {
    let manifests = Manifests(manifests);
    let policies: Vec<&Value> = manifests
        .of_kind("HTTPRoute")
        .filter_map(|route| Some(manifests.policy_of(route)?.0))
        .collect();
    // The order of `newOrderedHTTPFilter`.
    let mut filters = Vec::new();
    filters.extend(others::cors_filter(&policies));
    filters.extend(others::api_key_filter(manifests, &policies));
    filters.extend(others::basic_filters(manifests, &policies));
    filters.extend(jwt::filter(&policies));
    filters.extend(authorization::filter(&policies));
    json!({
        "use_remote_address": true,
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "http_filters": filters,
        "route_config": routes::configuration(manifests),
    })
}

/// The configuration of the filters on a route of a policy.
fn on_route(manifests: Manifests<'_>, policy: &Value) -> Value {
    let mut all = Map::new();
    all.extend(others::cors_on_route(policy));
    all.extend(others::api_key_on_route(manifests, policy));
    all.extend(others::basic_on_route(manifests, policy));
    all.extend(jwt::on_route(policy));
    all.extend(authorization::on_route(policy));
    Value::Object(all)
}
