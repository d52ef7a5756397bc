//! The two listeners of an example: with the old filters, and with the new one.

use serde_json::{Value, json};

use super::super::envoy::{module_path, wasm_filter};
use super::translated::Translated;
use super::{Example, gateway, istio};

/// The filters that `migrate` replaces, by the ends of their types. `cors` stays before the filter.
const REPLACED: [&str; 4] = [
    ".jwt_authn.v3.JwtAuthentication",
    ".rbac.v3.RBAC",
    ".basic_auth.v3.BasicAuth",
    ".api_key_auth.v3.ApiKeyAuth",
];

impl Example {
    /// The listener with the old filters.
    pub fn listener_before(&self) -> Value {
        listener(&self.old_name(), self.old_manager())
    }

    /// The listener with the filter and the configurations that `migrate` wrote.
    pub fn listener_after(&self, translated: &Translated) -> Value {
        let mut manager = self.old_manager();
        let is_of_envoy = self.workload.is_none() && !self.is_of_gateway();
        let filters = manager["http_filters"].take();
        let filters = filters.as_array().expect("a list of filters").iter();
        let (mut kept, mut names, mut place) = (Vec::new(), Vec::new(), None);
        for (position, filter) in filters.enumerate() {
            let kind = kind(&filter["typed_config"]);
            let is_replaced = REPLACED.iter().any(|end| kind.ends_with(end))
                && (!is_of_envoy || translated.replaces(position));
            if is_replaced {
                place.get_or_insert(kept.len());
                names.push(filter["name"].clone());
            } else {
                kept.push(filter.clone());
            }
        }
        let gates = translated.gates.iter().enumerate();
        let gates = gates.map(|(at, gate)| {
            let vm_id = format!("{}-{at}", self.new_name());
            let mut filter = wasm_filter(&vm_id, &module_path(), &gate.configuration);
            filter["name"] = json!(gate.name);
            filter["disabled"] = json!(translated.is_for_routes());
            filter
        });
        let place = place.unwrap_or_default();
        kept.splice(place..place, gates);
        manager["http_filters"] = json!(kept);
        for_each_route(&mut manager["route_config"], &mut |holder| {
            let Some(settings) = holder["typed_per_filter_config"].as_object_mut() else {
                return;
            };
            settings.retain(|name, _| !names.iter().any(|replaced| replaced == name));
        });
        if translated.is_for_routes() {
            for_each_route(&mut manager["route_config"], &mut |holder| {
                if let Some(gate) = translated.gate_of(holder) {
                    let enabled = json!({
                        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
                        "config": {},
                    });
                    holder["typed_per_filter_config"][&gate.name] = enabled;
                }
            });
        }
        listener(&self.new_name(), manager)
    }

    /// The name of the listener with the old filters.
    pub fn old_name(&self) -> String {
        format!("{}-old", self.name)
    }

    /// The name of the listener with the filter.
    pub fn new_name(&self) -> String {
        format!("{}-new", self.name)
    }

    /// The connection manager with the old filters, whose routes lead to the upstream of the test.
    fn old_manager(&self) -> Value {
        let mut manager = self.written_manager();
        if manager["route_config"].is_null() {
            manager["route_config"] = json!({"virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
            }]});
        }
        // Envoy Gateway answers 404 where no HTTPRoute is for a request, in both listeners.
        if !self.is_of_gateway() {
            to_upstream(&mut manager["route_config"]);
        }
        manager
    }

    fn is_of_gateway(&self) -> bool {
        let documents = self.documents();
        documents.iter().any(|one| one["kind"] == "SecurityPolicy")
    }

    fn written_manager(&self) -> Value {
        let documents = self.documents();
        if let Some(workload) = &self.workload {
            return istio::manager(&documents, workload);
        }
        if self.is_of_gateway() {
            return gateway::manager(&documents);
        }
        let [bootstrap] = documents.as_slice() else {
            panic!("{}: expected one bootstrap", self.name);
        };
        let bootstrap = in_snake_case(bootstrap);
        let listeners = bootstrap["static_resources"]["listeners"].as_array();
        let [listener] = listeners.expect("listeners").as_slice() else {
            panic!("{}: expected one listener", self.name);
        };
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        let mut manager = manager.clone();
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        filters.retain(|filter| !kind(&filter["typed_config"]).ends_with(".router.v3.Router"));
        manager
    }
}

/// A listener on a free port of 127.0.0.1.
fn listener(name: &str, mut manager: Value) -> Value {
    let kind = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    manager["@type"] = json!(kind);
    manager["stat_prefix"] = json!(name);
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let filters = manager["http_filters"].as_array_mut().expect("filters");
    filters.push(json!({"name": "envoy.filters.http.router", "typed_config": {"@type": router}}));
    json!({
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }]}],
    })
}

/// The same with the names of protobuf's fields where it has those of JSON, such as `httpFilters`.
fn in_snake_case(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(in_snake_case).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                // Names of filters, and types, are no fields.
                let is_field = !name.contains(['.', '@', '-']);
                let name = if is_field {
                    snake_case(name)
                } else {
                    name.clone()
                };
                (name, in_snake_case(value))
            });
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn snake_case(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        'A'..='Z' => format!("_{}", letter.to_ascii_lowercase()),
        _ => letter.to_string(),
    });
    letters.collect()
}

/// The type of a filter's configuration.
fn kind(configuration: &Value) -> &str {
    configuration["@type"].as_str().unwrap_or_default()
}

/// What can have settings of filters: a route configuration, its virtual hosts, their routes.
fn for_each_route(configuration: &mut Value, change: &mut impl FnMut(&mut Value)) {
    change(configuration);
    let hosts = configuration["virtual_hosts"].as_array_mut();
    for host in hosts.into_iter().flatten() {
        change(host);
        for route in host["routes"].as_array_mut().into_iter().flatten() {
            change(route);
        }
    }
}

/// Every request that passes reaches the upstream of the test, also where no route is for it.
fn to_upstream(configuration: &mut Value) {
    let action = json!({"cluster": "upstream"});
    let all = json!({"match": {"prefix": "/"}, "route": action});
    for_each_route(configuration, &mut |holder| {
        if holder.get("match").is_some() {
            let route = holder.as_object_mut().expect("a route");
            route.remove("direct_response");
            route.remove("redirect");
            route.insert("route".to_owned(), action.clone());
        } else if let Some(routes) = holder.get_mut("routes").and_then(Value::as_array_mut) {
            routes.push(all.clone());
        }
    });
    let hosts = configuration["virtual_hosts"].as_array_mut();
    let hosts = hosts.expect("virtual hosts");
    let is_for_all = |host: &Value| {
        host["domains"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("*")))
    };
    if !hosts.iter().any(is_for_all) {
        hosts.push(json!({"name": "no-other-host", "domains": ["*"], "routes": [all]}));
    }
}
