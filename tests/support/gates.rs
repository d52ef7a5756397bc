//! Two Envoys with the filter, and a third that balances between them: `envoy/several/balancer.yaml`.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Connection;
use super::envoy::{Bootstrap, Envoy};
use super::example;
use super::possession::{ORIGIN, REALM};

pub const BALANCER: &str = "envoy/several/balancer.yaml";
const ROUTE: &str =
    "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0/route";
const SECOND_PORT: &str =
    "/load_assignment/endpoints/0/lb_endpoints/1/endpoint/address/socket_address/port_value";

/// The header of a response that names the Envoy from which it is.
pub const GATE: &str = "x-gate";
pub const GATES: [&str; 2] = ["one", "two"];

/// Two Envoys with the same configuration of the filter.
pub struct Gates {
    envoys: [Envoy; 2],
}

impl Gates {
    pub fn start(providers: &[Value]) -> Self {
        Self::start_with(&json!({ "providers": providers }))
    }

    pub fn start_with(document: &Value) -> Self {
        let mut document = document.clone();
        document["realm"] = json!(REALM);
        document["origin"] = json!(ORIGIN);
        let start = |name| {
            let passed = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
            let bootstrap = Bootstrap::new(1).routed_listener("gate", &document, &[passed]);
            let mut bootstrap = bootstrap.into_json();
            let listener = &mut bootstrap["static_resources"]["listeners"][0];
            let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            let told = json!([{"header": {"key": GATE, "value": name}}]);
            manager["xff_num_trusted_hops"] = json!(1);
            // Also what passes is a response of Envoy itself.
            let any = json!({"op": "GE", "value": {"default_value": 200, "runtime_key": "any"}});
            manager["local_reply_config"] = json!({"mappers": [{
                "filter": {"status_code_filter": {"comparison": any}}, "headers_to_add": told,
            }]});
            Envoy::start_with(&bootstrap, Stdio::null())
        };
        Self {
            envoys: GATES.map(start),
        }
    }

    /// A connection to each, past any balancer.
    pub fn each(&self) -> [Connection; 2] {
        let envoys = self.envoys.each_ref();
        envoys.map(|envoy| connect(envoy.listener("gate")))
    }

    pub fn end_well(&self) {
        for envoy in &self.envoys {
            assert_eq!(envoy.alarms(), Vec::<String>::new());
        }
    }

    /// A balancer that sends each request to the next of them.
    pub fn in_turn(&self) -> Balancer {
        self.behind(|route, cluster| {
            route.as_object_mut().unwrap().remove("hash_policy");
            cluster["lb_policy"] = json!("ROUND_ROBIN");
        })
    }

    /// The balancer of the example.
    pub fn by_hash(&self) -> Balancer {
        self.behind(|_, _| {})
    }

    /// The balancer of the example, with a change of its route and its cluster.
    pub fn behind(&self, change: impl FnOnce(&mut Value, &mut Value)) -> Balancer {
        let mut bootstrap = self.balancer();
        let resources = &mut bootstrap["static_resources"];
        let mut cluster = resources["clusters"][0].take();
        let route = resources["listeners"][0].pointer_mut(ROUTE).unwrap();
        change(route, &mut cluster);
        resources["clusters"][0] = cluster;
        Balancer::start(&bootstrap)
    }

    /// A balancer that sends each connection to the next of them, and does not read what is sent.
    pub fn by_connection(&self) -> Balancer {
        let mut bootstrap = self.balancer();
        let resources = &mut bootstrap["static_resources"];
        resources["clusters"][0]["lb_policy"] = json!("ROUND_ROBIN");
        resources["listeners"][0]["filter_chains"][0]["filters"][0] = json!({
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "public",
                "cluster": "gates",
            }
        });
        Balancer::start(&bootstrap)
    }

    /// The example, with these two as its endpoints.
    fn balancer(&self) -> Value {
        let [one, two] = [0, 1].map(|index| self.envoys[index].listener("gate").port());
        let mut bootstrap = example::bootstrap(BALANCER, &[("gates", one)]);
        let cluster = &mut bootstrap["static_resources"]["clusters"][0];
        example::set(cluster, SECOND_PORT, json!(two));
        bootstrap
    }
}

/// An Envoy before the two.
pub struct Balancer {
    envoy: Envoy,
}

impl Balancer {
    fn start(bootstrap: &Value) -> Self {
        Self {
            envoy: Envoy::start_with(bootstrap, Stdio::null()),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.envoy.listener("public")
    }

    pub fn connect(&self) -> Connection {
        connect(self.address())
    }
}

pub fn connect(address: SocketAddr) -> Connection {
    Connection::new(address, Duration::from_secs(120))
}
