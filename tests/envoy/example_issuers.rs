//! The configurations of `examples/issuers/`, unchanged: each fetches its issuer's keys from the URL that it names, and every
//! case of its table passes.

use serde_json::{Value, json};

use crate::support;
use crate::support::case::{Table, load_all};
use crate::support::document::{providers, read};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::issuer::{Issuer, Page};
use crate::support::upstream::Upstream;
use crate::tables::{observe, send};

/// `jwks_uri` in the metadata of the issuers that are found by discovery.
const PUBLISHED: [(&str, &str); 6] = [
    (
        "auth0",
        "https://example.eu.auth0.com/.well-known/jwks.json",
    ),
    (
        "entra",
        "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
    ),
    (
        "github-actions",
        "https://token.actions.githubusercontent.com/.well-known/jwks",
    ),
    ("google", "https://www.googleapis.com/oauth2/v3/certs"),
    (
        "keycloak",
        "https://keycloak.example.com/realms/shop/protocol/openid-connect/certs",
    ),
    ("okta", "https://example.okta.com/oauth2/default/v1/keys"),
];

/// The media type of a JWK Set (RFC 7517 §8.5.2).
const JWK_SET: &str = "application/jwk-set+json";

#[test]
fn every_case_of_an_issuer_holds_with_keys_that_its_configuration_fetches() {
    let published: Vec<Published> = issuers(&load_all(support::now()))
        .map(|(name, table)| Published::new(name, &table.cases[0].document))
        .collect();
    assert_eq!(published.len(), 8);
    let upstream = Upstream::start();
    let bootstrap = Bootstrap::new(upstream.port());
    let envoy = Envoy::start(published.iter().fold(bootstrap, |bootstrap, own| {
        let clusters = own.clusters.iter();
        clusters
            .fold(bootstrap, |bootstrap, cluster| {
                bootstrap.cluster(cluster, &[own.issuer.port()])
            })
            .listener(&own.name, &own.document)
    }));
    // Anew, since the start takes longer than some tokens have left.
    let tables = load_all(support::now());
    let mut differences: Vec<String> = Vec::new();
    for (name, table) in issuers(&tables) {
        for case in &table.cases {
            let answer = send(&envoy, name, case, 0).expect("an answer");
            let mut observed = observe(answer, 0);
            // The access log is read for the same cases with the keys in place.
            observed.details = None;
            let found = case.check(&observed);
            differences.extend(found.iter().map(|what| format!("{}: {what}", case.name)));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(envoy.counted("jwks.failed"), 0);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// The tables of issuers, by the names of their files in `examples/issuers/`.
fn issuers(tables: &[Table]) -> impl Iterator<Item = (&str, &Table)> {
    tables.iter().filter_map(|table| {
        let name = table.name.strip_prefix("issuer-")?;
        Some((name, table))
    })
}

/// An issuer that runs, and the configuration for it.
struct Published {
    name: String,
    document: Value,
    issuer: Issuer,
    clusters: Vec<String>,
}

impl Published {
    /// Serves the keys of a case's document where the configuration that users copy looks for them.
    fn new(name: &str, tested: &Value) -> Self {
        let mut document = read(&format!("examples/issuers/{name}.yaml"));
        let [provider] = providers(&mut document).as_slice() else {
            panic!("{name}: one provider");
        };
        let issuer = Issuer::start();
        let keys = &tested["providers"][0]["jwt"]["jwks"]["inline"];
        let jwks = &provider["jwt"]["jwks"];
        let (found, jwks_uri) = match jwks.get("discovery") {
            None => (&jwks["remote"], text(&jwks["remote"]["uri"])),
            Some(discovery) => {
                let jwks_uri = PUBLISHED.iter().find(|(own, _)| *own == name);
                let jwks_uri = jwks_uri.expect("an issuer that is known").1;
                // Entra has one document for all tenants.
                let named = text(&provider["jwt"]["issuer"]).replace("{tid}", "{tenantid}");
                let metadata = json!({"issuer": named, "jwks_uri": jwks_uri});
                issuer.serve(path(text(&discovery["uri"])), Page::json(&metadata));
                (discovery, jwks_uri)
            }
        };
        issuer.serve(path(jwks_uri), as_served(name, Page::json(keys)));
        let clusters = [&found["cluster"], &found["jwks_cluster"]];
        let clusters = clusters.into_iter().filter_map(Value::as_str);
        Self {
            name: name.to_owned(),
            clusters: clusters.map(str::to_owned).collect(),
            issuer,
            document,
        }
    }
}

/// The API server of Kubernetes answers 406 to those who do not accept its media type.
fn as_served(name: &str, keys: Page) -> Page {
    if name == "kubernetes" {
        keys.requiring("accept", JWK_SET, Page::status(406))
    } else {
        keys
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// What follows the host.
fn path(uri: &str) -> &str {
    let rest = uri.strip_prefix("https://").expect("an address with TLS");
    &rest[rest.find('/').expect("a path")..]
}
