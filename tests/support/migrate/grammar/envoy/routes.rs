//! Routes, some with their own configuration of the filters.

use serde_json::{Value, json};

use super::super::super::filter::typed;
use super::super::words::HOSTS;
use super::{Draw, route_match, rules};

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";
const RBAC: &str = "envoy.filters.http.rbac";

/// One virtual host for everything, and sometimes one for a host and routes for some paths.
pub fn configuration(draw: &mut Draw, requirements: &[String]) -> Value {
    let mut hosts = Vec::new();
    let has_settings = draw.chance(35);
    if has_settings && draw.chance(40) {
        hosts.push(host(draw, "named", draw_domain, requirements));
    }
    hosts.push(match has_settings {
        true => host(draw, "all", |_| json!("*"), requirements),
        false => json!({
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "orders"}}],
        }),
    });
    json!({"name": "local", "virtual_hosts": hosts})
}

fn draw_domain(draw: &mut Draw) -> Value {
    json!(draw.one(&[HOSTS[0], HOSTS[1], "*.example.com"]))
}

fn host(
    draw: &mut Draw,
    name: &str,
    domain: impl FnOnce(&mut Draw) -> Value,
    requirements: &[String],
) -> Value {
    let mut routes = draw.times(0, 2, |draw| {
        let settings = settings(draw, requirements);
        json!({
            "match": route_match(draw),
            "route": {"cluster": "orders"},
            "typed_per_filter_config": settings,
        })
    });
    let all = match draw.below(5) {
        0 => json!({"match": {"prefix": "/"}, "direct_response": {"status": 404}}),
        _ => json!({"match": {"prefix": "/"}, "route": {"cluster": "orders"}}),
    };
    routes.push(all);
    let mut host = json!({"name": name, "domains": [domain(draw)], "routes": routes});
    if draw.chance(25) {
        host["typed_per_filter_config"] = settings(draw, requirements);
    }
    host
}

fn settings(draw: &mut Draw, requirements: &[String]) -> Value {
    let mut settings = json!({});
    if draw.chance(60) {
        let own = match draw.below(3) {
            0 => typed(
                "envoy.config.route.v3.FilterConfig",
                json!({"disabled": true}),
            ),
            1 if !requirements.is_empty() => {
                let name = &requirements[draw.below(requirements.len())];
                let kind = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
                typed(kind, json!({"requirement_name": name}))
            }
            _ => {
                let kind = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
                typed(kind, json!({"disabled": true}))
            }
        };
        settings[JWT_AUTHN] = own;
    }
    if draw.chance(50) {
        let kind = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute";
        settings[RBAC] = match draw.below(4) {
            0 => typed(
                "envoy.config.route.v3.FilterConfig",
                json!({"disabled": true}),
            ),
            1 => typed(kind, json!({})),
            _ => typed(kind, json!({"rbac": {"rules": rules(draw)}})),
        };
    }
    settings
}
