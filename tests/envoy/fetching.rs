//! Fetching keys from issuers, in a real Envoy: what issuers require of the request, how they spell keys, and what the log
//! says if a fetch fails.

use countersign::authenticate::jose::base64url;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::keys::{
    ISSUER, ask, bootstrap, failed_fetch, key, passes, provider, refused, token, token_of,
    unavailable,
};
use crate::support::envoy::Envoy;
use crate::support::issuer::{Issuer, Page};
use crate::support::token::read_key;
use crate::support::until;
use crate::support::upstream::Upstream;

/// A configuration of one provider whose keys are at `/<name>`.
fn document(issuer: &Issuer, name: &str) -> Value {
    document_with(issuer, name, "")
}

/// The same with a query in the URL of the keys.
fn document_with(issuer: &Issuer, name: &str, query: &str) -> Value {
    let remote = json!({"uri": issuer.url(&format!("/{name}{query}")), "cluster": "issuer"});
    json!({"providers": [provider(name, &json!({ "remote": remote }))]})
}

/// A page that a firewall guards, that comes as a JWK Set only, and that is compressed if the client accepts that.
fn demanding(page: Page) -> Page {
    let compressed = Page::bytes(b"\x1f\x8b\x08".to_vec()).with("content-encoding", "gzip");
    page.requiring("user-agent", "countersign/", Page::status(403))
        .requiring("accept", "application/jwk-set+json", Page::status(406))
        .requiring("accept-encoding", "identity", compressed)
}

#[test]
fn keys_are_fetched_from_issuers_that_look_at_the_headers() {
    let (upstream, one) = (Upstream::start(), key("one"));
    let issuer = Issuer::start();
    let keys = json!({"keys": [one.public_jwk()]});
    issuer.serve("/remote", demanding(Page::json(&keys)));
    // A byte order mark before the JSON, as ADFS and files that were written on Windows have it.
    issuer.serve("/marked", Page::bytes(format!("\u{feff}{keys}")));
    let own = "http://adfs.example.com/adfs/services/trust";
    let metadata = json!({
        "issuer": "https://adfs.example.com/adfs", "access_token_issuer": own, "jwks_uri": issuer.url("/remote"),
    });
    issuer.serve(
        "/adfs",
        demanding(Page::bytes(format!("\u{feff}{metadata}"))),
    );
    let uri = issuer.url("/adfs");
    let jwks = json!({"discovery": {"uri": uri, "cluster": "issuer"}});
    let mut adfs = json!({"providers": [provider("adfs", &jwks)]});
    adfs["providers"][0]["jwt"]["issuer"] = json!(own);
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .listener("remote", &document(&issuer, "remote"))
            .listener("marked", &document(&issuer, "marked"))
            .listener("adfs", &adfs),
    );
    assert_eq!(
        ask(&envoy, "remote", &token(&one)),
        passes(),
        "{}",
        envoy.log()
    );
    assert_eq!(
        ask(&envoy, "marked", &token(&one)),
        passes(),
        "{}",
        envoy.log()
    );
    assert_eq!(
        ask(&envoy, "adfs", &token_of(own, &one)),
        passes(),
        "{}",
        envoy.log()
    );
    // The tokens carry the issuer that is configured.
    let other = token_of("https://adfs.example.com/adfs", &one);
    assert_eq!(ask(&envoy, "adfs", &other), refused());
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn fetched_keys_are_read_leniently_and_the_log_says_so_once() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let [rsa, zeros] =
        ["rs256", "es256-zeros"].map(|name| read_key(&format!("tests/keys/{name}.json")));
    let octets = |text: &Value| base64url::decode(text.as_str().unwrap().as_bytes()).unwrap();
    let mut one = rsa.public_jwk();
    one["n"] = json!(base64url::encode(&[&[0], &octets(&one["n"])[..]].concat()) + "=");
    one["key_ops"] = json!([]);
    let mut two = zeros.public_jwk();
    for name in ["x", "y"] {
        two[name] = json!(base64url::encode(&octets(&two[name])[1..]));
    }
    issuer.serve("/remote", Page::json(&json!({"keys": [one, two]})));
    let mut often = document(&issuer, "remote");
    often["providers"][0]["jwt"]["jwks"]["remote"]["refresh"] = json!("200ms");
    let envoy = Envoy::start(
        bootstrap(&upstream, &issuer)
            .concurrency(2)
            .listener("remote", &often),
    );
    assert_eq!(
        ask(&envoy, "remote", &token(&rsa)),
        passes(),
        "{}",
        envoy.log()
    );
    assert_eq!(ask(&envoy, "remote", &token(&zeros)), passes());
    until("keys are fetched again", || {
        envoy.counted("jwks.fetched") >= 4
    });
    let log = envoy.log();
    let said = "/remote`: 2 usable, 5 read leniently: key 0: `key_ops` is an empty list; key 0: `n` is not unpadded base64url; key 0: `n` has leading zero octets; key 1: `x` lacks leading zero octets; key 1: `y` lacks leading zero octets";
    assert!(log.contains(said), "{log}");
    assert_eq!(log.matches("read leniently").count(), 1, "{log}");
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn a_fetched_key_serves_its_own_tenant() {
    let (upstream, issuer, one) = (Upstream::start(), Issuer::start(), key("one"));
    let of = |key: &SigningKey, issuer: Value| {
        let mut jwk = key.public_jwk();
        jwk["issuer"] = issuer;
        jwk
    };
    let (shared, faulty) = (key("shared"), key("faulty"));
    let keys = json!({"keys": [
        of(&one, json!("https://login.example.com/1/v2.0")),
        of(&shared, json!("https://login.example.com/{tenantid}/v2.0")),
        of(&faulty, json!("https://{tenantid}.example.com/v2.0")),
    ]});
    issuer.serve("/tenants", Page::json(&keys));
    let mut tenants = document(&issuer, "tenants");
    tenants["providers"][0]["jwt"]["issuer"] = json!("https://login.example.com/{sub}/v2.0");
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("tenants", &tenants));
    let of_tenant = |tenant: &str, key: &SigningKey| {
        let claims = json!({
            "iss": format!("https://login.example.com/{tenant}/v2.0"), "sub": tenant, "aud": "orders",
            "exp": crate::support::now() + 600,
        });
        let algorithm = key.algorithm().unwrap();
        let header = json!({"alg": algorithm.name(), "kid": key.kid()});
        key.sign(algorithm, &header, claims.to_string().as_bytes())
            .unwrap()
    };
    for (tenant, key, expected) in [
        ("1", &one, passes()),
        ("2", &one, refused()),
        ("1", &shared, passes()),
        ("2", &shared, passes()),
        ("1", &faulty, refused()),
    ] {
        // Once more, when the result may be cached.
        for _ in 0..3 {
            assert_eq!(
                ask(&envoy, "tenants", &of_tenant(tenant, key)),
                expected,
                "{tenant}"
            );
        }
    }
    let log = envoy.log();
    let said = "2 usable, 1 ignored: key 2: `issuer`: expected text in which each `{…}` is a whole path segment";
    assert!(log.contains(said), "{log}");
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn a_failed_fetch_says_what_to_do() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    let redirect = Page::status(302).with("location", "https://new.example.com/jwks?key=hunter2");
    let gzip = Page::bytes(b"\x1f\x8b\x08".to_vec()).with("content-encoding", "gzip");
    let metadata = Page::json(&json!({"issuer": ISSUER, "jwks_uri": "https://a.example/"}));
    let cases = [
        (
            "redirect",
            redirect,
            "found 302: redirects are not followed: configure the URL that this one redirects to (`https://new.example.com/jwks`);",
        ),
        (
            "unauthorized",
            Page::status(401),
            "found 401: the filter sends no credential: make the URL public;",
        ),
        (
            "forbidden",
            Page::status(403),
            "found 403: allow the address and the `user-agent` of this proxy at the issuer;",
        ),
        ("missing", Page::status(404), "found 404: check the URL;"),
        (
            "unacceptable",
            Page::status(406),
            "found 406: the issuer serves neither `application/jwk-set+json` nor `application/json` here;",
        ),
        (
            "broken",
            Page::status(500),
            "found 500: the server is not available;",
        ),
        (
            "compressed",
            gzip,
            "the response is compressed (`gzip`), although",
        ),
        (
            "metadata",
            metadata,
            "this is metadata, not a key set: use `discovery` in place of `remote`;",
        ),
    ];
    let mut bootstrap = bootstrap(&upstream, &issuer);
    for (name, page, _) in &cases {
        issuer.serve(&format!("/{name}?key=hunter2"), page.clone());
        bootstrap = bootstrap.listener(name, &document_with(&issuer, name, "?key=hunter2"));
    }
    let envoy = Envoy::start(bootstrap);
    for (name, _, said) in &cases {
        assert_eq!(
            ask(&envoy, name, &token(&key("one"))),
            unavailable(),
            "{name}"
        );
        let log = envoy.log();
        let line = failed_fetch(&log, name).unwrap_or_default();
        assert!(
            line.contains(said) && line.contains(&format!("/{name}` failed: ")),
            "{name}: {log}"
        );
        assert!(!line.contains("hunter2"), "{line}");
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn inline_keys_are_counted() {
    let (upstream, issuer, one) = (Upstream::start(), Issuer::start(), key("one"));
    issuer.serve("/remote", Page::keys(&[&key("two"), &key("three")]));
    let inline = json!({"inline": {"keys": [one.public_jwk(), key("four").public_jwk()]}});
    let mut partners = provider("partners", &inline);
    partners["jwt"]["issuer"] = json!("https://partners.example.com");
    let inline = json!({"providers": [partners]});
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("inline", &inline));
    until("the keys are counted", || envoy.counted("jwks.keys") == 2);
    let both = {
        let mut both = document(&issuer, "remote");
        let providers = both["providers"].as_array_mut().unwrap();
        providers.push(inline["providers"][0].clone());
        both
    };
    let envoy = Envoy::start(bootstrap(&upstream, &issuer).listener("both", &both));
    until("the keys are counted", || envoy.counted("jwks.keys") == 4);
    assert_eq!(envoy.counted("jwks.fetched"), 1);
}
