//! The manifests for Istio, Envoy Gateway and Kubernetes in a real Envoy, and every Envoy configuration of `envoy/` in
//! `envoy --mode validate`.

mod files;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support;
use crate::support::authorization;
use crate::support::certificate::{Certificate, Names, SERVER, TRUSTED};
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{self, Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::example::{self, Mint};
use crate::support::issuer::{Issuer, Page};
use crate::support::manifest::Manifest;
use crate::support::tls;
use crate::support::upstream::Upstream;

use self::files::Files;

/// The manifests that fetch the keys of the issuer, and the variants of a folder that differ from the others in the code's
/// source only.
const MANIFESTS: [&str; 7] = [
    "envoy/istio/gateway/traffic-extension.yaml",
    "envoy/istio/sidecar/traffic-extension.yaml",
    "envoy/istio/sidecar/wasm-plugin.yaml",
    "envoy/istio/waypoint/traffic-extension.yaml",
    "envoy/istio/waypoint/wasm-plugin.yaml",
    "envoy/gateway/gateway.yaml",
    "envoy/gateway/http.yaml",
];

#[test]
fn every_configuration_is_one_that_envoy_accepts() {
    let files = Files::new();
    let mut validated = 0;
    for path in support::files_below("envoy") {
        let text = fs::read_to_string(support::in_repository(&path)).unwrap();
        if !text.contains("\nstatic_resources:") {
            continue;
        }
        let mut bootstrap: Value = serde_yaml_ng::from_str(&text).unwrap();
        files.place(&mut bootstrap);
        assert_eq!(refused(&files, &bootstrap), None, "{path}");
        validated += 1;
    }
    assert!(validated > 10, "{validated}");
    // The validation can fail.
    let wrong = json!({"static_resources": {"listener": []}});
    let log = refused(&files, &wrong).unwrap();
    assert!(log.contains("listener"), "{log}");
}

/// What `envoy --mode validate` prints about a bootstrap that it refuses.
fn refused(files: &Files, bootstrap: &Value) -> Option<String> {
    let file = files.folder().join("validated.json");
    fs::write(&file, bootstrap.to_string()).unwrap();
    let ran = Command::new(envoy::envoy_path())
        .args(["--mode", "validate", "--log-level", "error", "-c"])
        // Envoy loads the module also here, and the filter reads its configuration.
        .env("GATE_SECRET", authorization::GATE_SECRET)
        .env("KEYS_AUTHORIZATION", authorization::KEYS_AUTHORIZATION)
        .arg(&file)
        .output()
        .unwrap();
    (!ran.status.success()).then(|| String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// The issuer `login.example.com`: over HTTP, and over TLS with a certificate of this name.
struct Login {
    issuer: Issuer,
    tls: Envoy,
}

impl Login {
    fn start() -> Self {
        let issuer = Issuer::start();
        issuer.serve("/jwks", Page::json(&example::key_set()));
        let own = TRUSTED.certificate(&Names::dns("login.example.com"));
        let text = |text: String| json!({"inline_string": text});
        let mut context = tls::server();
        context["common_tls_context"]["tls_certificates"] =
            json!([{"certificate_chain": text(own.pem()), "private_key": text(own.key_pem())}]);
        let bootstrap = Bootstrap::new(issuer.port())
            .listener_with("tls", &[])
            .over_tls(&context);
        let tls = Envoy::start(bootstrap);
        Self { issuer, tls }
    }

    /// Leads a cluster to the issuer; its TLS stays as it is.
    fn lead(&self, cluster: &mut Value) {
        lead(cluster, self.tls.listener("tls").port());
    }
}

/// Leads a cluster to a port of 127.0.0.1.
fn lead(cluster: &mut Value, port: u16) {
    let address = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    let address = cluster.pointer_mut(address).unwrap();
    *address = json!({"address": "127.0.0.1", "port_value": port});
}

/// The filter as Istio or Envoy Gateway configures it for a manifest.
fn filter(manifest: &Manifest) -> Value {
    let settings = manifest.settings().unwrap();
    let text = manifest.configuration().unwrap().to_string();
    let mut filter = wasm_filter("", &module_path(), &json!({}));
    let config = &mut filter["typed_config"]["config"];
    config["configuration"] =
        json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
    if let Some(root_id) = settings.get("rootID") {
        config["name"] = settings["name"].clone();
        config["root_id"] = root_id.clone();
        config["vm_config"]["vm_id"] = json!(manifest.path);
        let config = config.as_object_mut().unwrap();
        config.remove("failure_policy");
        config.insert("fail_open".to_owned(), settings["failOpen"].clone());
    } else {
        let metadata = &manifest.resources[0]["metadata"];
        let name = |key: &str| metadata[key].as_str().unwrap();
        config["name"] = json!(format!("{}.{}", name("namespace"), name("name")));
        config["root_id"] = settings["pluginName"].clone();
        config["failure_policy"] = settings["failStrategy"].clone();
    }
    filter
}

#[test]
fn every_manifest_protects_with_keys_that_it_fetches() {
    let (upstream, login, mint, files) =
        (Upstream::start(), Login::start(), Mint::new(), Files::new());
    let port = login.issuer.port();
    let mut bootstrap = Bootstrap::new(upstream.port())
        .cluster("outbound|443||login.example.com", &[port])
        .cluster("outbound|80||login.example.com", &[port]);
    for path in MANIFESTS {
        bootstrap = bootstrap.listener_with(path, &[filter(&Manifest::read(path))]);
    }
    let mut bootstrap = bootstrap.into_json();
    // What Envoy Gateway adds to its bootstrap.
    let gateway = Manifest::read("envoy/gateway/gateway.yaml");
    let proxy = gateway.of_kind("EnvoyProxy").next().unwrap();
    let patch = &proxy["spec"]["bootstrap"]["jsonPatches"][0];
    assert_eq!(
        (&patch["op"], &patch["path"]),
        (&json!("add"), &json!("/static_resources/clusters/-"))
    );
    let mut cluster = patch["value"].clone();
    files.place(&mut cluster);
    login.lead(&mut cluster);
    bootstrap["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap()
        .push(cluster);

    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    for path in MANIFESTS {
        let send = |request: &Request<'_>| client::send(envoy.listener(path), request).unwrap();
        policy_holds(path, &mint, &send);
    }
    assert!(login.issuer.asked("/jwks") > 0);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// The policy of the manifests: `/healthz` is public, and orders need a token with a scope.
fn policy_holds(place: &str, mint: &Mint, send: &dyn Fn(&Request<'_>) -> Response) {
    let token = mint.token(&json!({"scope": "orders:read"}));
    let bearer = format!("Bearer {token}");
    for (method, path, credential, status) in [
        ("GET", "/healthz", None, 200),
        ("GET", "/orders/7", None, 401),
        ("GET", "/orders/7", Some("Bearer x.y.z"), 401),
        ("GET", "/orders/7", Some(&*bearer), 200),
        ("POST", "/orders/7", Some(&*bearer), 403),
        ("GET", "/else", None, 401),
    ] {
        let mut headers: Vec<(&[u8], &[u8])> = vec![
            (b"host", b"orders.example.com"),
            (b"x-auth-subject", b"mallory"),
        ];
        headers.extend(credential.map(|credential| (&b"authorization"[..], credential.as_bytes())));
        let request = Request {
            method: method.as_bytes(),
            target: path.as_bytes(),
            headers,
            body: b"",
        };
        let response = send(&request);
        assert_eq!(
            response.status, status,
            "{place}: {method} {path} {credential:?}"
        );
        let challenged = response.values("www-authenticate").next().is_some();
        assert_eq!(challenged, status == 401, "{place}: {method} {path}");
        let body = String::from_utf8_lossy(&response.body).into_owned();
        assert!(!body.contains("mallory"), "{place}: {body}");
        // The upstream answers with the request that reached it.
        assert_eq!(
            body.contains("alice"),
            status == 200 && credential.is_some(),
            "{place}: {body}"
        );
    }
}

/// An Envoy of `envoy/kubernetes/` on free ports, with its upstream and its issuer on this machine.
fn pod(path: &str, upstream: &Upstream, login: &Login, files: &Files) -> Envoy {
    let text = fs::read_to_string(support::in_repository(path)).unwrap();
    let mut bootstrap: Value = serde_yaml_ng::from_str(&text).unwrap();
    files.place(&mut bootstrap);
    let admin = free_port();
    bootstrap["admin"]["address"]["socket_address"]["port_value"] = json!(admin);
    for listener in bootstrap["static_resources"]["listeners"]
        .as_array_mut()
        .unwrap()
    {
        listener["address"] = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    }
    for cluster in bootstrap["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap()
    {
        match cluster["name"].as_str().unwrap() {
            "upstream" => lead(cluster, upstream.port()),
            "admin" => lead(cluster, admin),
            "login" => login.lead(cluster),
            other => panic!("{other}"),
        }
    }
    Envoy::start_with(&bootstrap, Stdio::null())
}

/// A port on which nothing listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn plain<'r>(method: &'r str, path: &'r str) -> Request<'r> {
    let headers: Vec<(&[u8], &[u8])> = vec![(b"host", b"orders.example.com")];
    Request {
        method: method.as_bytes(),
        target: path.as_bytes(),
        headers,
        body: b"",
    }
}

#[test]
fn the_pods_of_kustomize_protect_and_are_probed() {
    let (upstream, login, mint, files) =
        (Upstream::start(), Login::start(), Mint::new(), Files::new());
    let base = pod(
        "envoy/kubernetes/base/envoy.yaml",
        &upstream,
        &login,
        &files,
    );
    let over_tls = |request: &Request<'_>| {
        client::send_over_tls(base.listener("public"), request, None).unwrap()
    };
    policy_holds("base", &mint, &over_tls);
    let sidecar = pod(
        "envoy/kubernetes/overlays/sidecar/envoy.yaml",
        &upstream,
        &login,
        &files,
    );
    let over_tcp =
        |request: &Request<'_>| client::send(sidecar.listener("public"), request).unwrap();
    policy_holds("sidecar", &mint, &over_tcp);
    for envoy in [&base, &sidecar] {
        for (method, path, status) in [
            ("GET", "/ready", 200),
            ("GET", "/stats/prometheus", 200),
            ("POST", "/ready", 404),
            ("GET", "/config_dump", 404),
            ("POST", "/quitquitquit", 404),
            ("GET", "/ready/../config_dump", 404),
        ] {
            let response = client::send(envoy.listener("stats"), &plain(method, path)).unwrap();
            assert_eq!(response.status, status, "{method} {path}");
            if path == "/stats/prometheus" {
                assert!(String::from_utf8_lossy(&response.body).contains("countersign_allowed"));
            }
        }
        assert_eq!(envoy.alarms(), Vec::<String>::new());
    }
}

#[test]
fn envoy_reads_a_renewed_certificate_of_its_pod() {
    let (upstream, login, files) = (Upstream::start(), Login::start(), Files::new());
    let base = pod(
        "envoy/kubernetes/base/envoy.yaml",
        &upstream,
        &login,
        &files,
    );
    let client = tls::Client::new(None);
    let served = || {
        let mut stream = client::connect_over_tls(base.listener("public"), &client).unwrap();
        client::send_on(&mut stream, &plain("GET", "/healthz")).unwrap();
        stream.conn.peer_certificates().unwrap()[0]
            .clone()
            .into_owned()
    };
    assert_eq!(served(), SERVER.der());
    let renewed: Certificate = TRUSTED.certificate(&Names::dns("localhost"));
    files.mount("v2", &renewed);
    support::until("the renewed certificate is served", || {
        served() == renewed.der()
    });
}
