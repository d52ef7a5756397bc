//! A provider of `jwt_authn`.

use serde_json::{Map, Value as Json};
use serde_yaml_ng::{Mapping, Value};

use crate::migrate::atom::Text;
use crate::migrate::envoy::Settings;
use crate::migrate::envoy::matcher::{Scope, Strings, strings, texts_of_regex};
use crate::migrate::gate::{Location, Notes, Provider};
use crate::migrate::write::{list, mapping, text};
use crate::node::Node;

/// A provider as the filter has it.
#[derive(Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// The issuer that its tokens have.
    pub issuer: Option<String>,
    /// Claims whose strings are lists of words.
    pub word_claims: Vec<String>,
    /// Its audiences. None means any.
    pub audiences: Vec<String>,
    /// The audiences that the translated provider accepts. None means any.
    pub accepted: Option<Vec<String>>,
    /// The subjects that it accepts.
    pub subjects: Option<Vec<Text>>,
    /// The key under which the filter writes claims to its metadata.
    pub payload_key: Option<String>,
    /// Headers, each with the claim whose value it has.
    pub claim_headers: Vec<(String, String)>,
    /// The header that has all claims.
    pub payload_header: Option<String>,
    /// Whether the upstream receives the token.
    pub forwards: bool,
    /// The translation, except its audiences.
    translated: Option<(Mapping, Vec<Location>)>,
}

impl Source {
    /// Whether the provider can be translated.
    pub fn is_translated(&self) -> bool {
        self.translated.is_some()
    }

    /// Whether the filter sets a header from a token of this provider.
    pub fn sets(&self, header: &str) -> bool {
        self.payload_header.as_deref() == Some(header)
            || self.claim_headers.iter().any(|(own, _)| own == header)
    }

    /// The translated provider.
    pub fn provider(&self) -> Option<Provider> {
        let (settings, locations) = self.translated.as_ref()?;
        let mut written = Mapping::new();
        for (key, value) in settings {
            written.insert(key.clone(), value.clone());
            if key == "issuer" {
                let audiences = self.accepted.as_ref().map_or_else(|| text("any"), list);
                written.insert(text("audiences"), audiences);
            }
        }
        Some(Provider {
            name: self.name.clone(),
            settings: ("jwt", written),
            locations: locations.clone(),
        })
    }
}

/// Reads a provider that the control plane of a policy makes. Envoy then has the claims in the metadata at `payload_key`.
pub fn of_policy(
    name: &str,
    provider: Map<String, Json>,
    payload_key: &str,
    place: &str,
    notes: &mut Notes,
) -> Source {
    let provider = Json::Object(provider);
    let node = Node {
        path: String::new(),
        value: &provider,
    };
    let scope = Scope {
        file: place,
        settings: Settings {
            is_normalized: true,
            is_direct: false,
        },
        sees_tokens: true,
    };
    Source {
        payload_key: Some(payload_key.to_owned()),
        ..read(name, &node, scope, notes)
    }
}

/// Reads a provider. Besides the keys of Envoy, it can have `discovery`, with a URL and a cluster.
pub fn read(name: &str, node: &Node<'_>, scope: Scope<'_>, notes: &mut Notes) -> Source {
    let place = scope.place(node);
    let subjects = node
        .member("subjects")
        .map(|matcher| match strings(&matcher) {
            Strings::OneOf(texts) => Some(texts),
            Strings::Regex(regex) => texts_of_regex(&regex),
            Strings::Other => None,
        });
    let translated = match subjects {
        Some(None) => Err("`subjects`: this matcher"),
        Some(Some(_)) | None => settings(node),
    };
    let translated = match translated {
        Ok(translated) => {
            notes.equal("provider", &place, format!("is the provider `{name}`"));
            Some(translated)
        }
        Err(why) => {
            notes.lost(
                "provider",
                &place,
                format!("no token of `{name}` is accepted: {why}"),
            );
            None
        }
    };
    let headers = node.member("claim_to_headers");
    let claim_headers = headers.iter().flat_map(Node::items).filter_map(|item| {
        let header = item.text("header_name")?.to_lowercase();
        Some((header, item.text("claim_name")?.to_owned()))
    });
    for (key, what) in [
        (
            "header_in_metadata",
            "the header of the token is not in the metadata",
        ),
        (
            "failed_status_in_metadata",
            "the failure is in filter state, not in the metadata",
        ),
        (
            "payload_in_metadata",
            "the claims are not in the metadata for filters behind this one",
        ),
        (
            "clear_route_cache",
            "Envoy selects the route again whenever the filter changes headers",
        ),
        ("pad_forward_payload_header", "the claims are not padded"),
    ] {
        if node.member(key).is_some() {
            notes.differs(key, &place, what);
        }
    }
    Source {
        name: name.to_owned(),
        issuer: node
            .text("issuer")
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        word_claims: node
            .member("normalize_payload_in_metadata")
            .map(|own| texts(&own, "space_delimited_claims"))
            .unwrap_or_default(),
        audiences: texts(node, "audiences"),
        accepted: None,
        subjects: subjects.flatten(),
        payload_key: node.text("payload_in_metadata").map(str::to_owned),
        claim_headers: claim_headers.collect(),
        payload_header: node.text("forward_payload_header").map(str::to_lowercase),
        forwards: node.is_true("forward"),
        translated,
    }
}

fn settings(node: &Node<'_>) -> Result<(Mapping, Vec<Location>), &'static str> {
    let issuer = node.text("issuer").filter(|issuer| !issuer.is_empty());
    let issuer = issuer.ok_or("it has no `issuer`, so that it accepts tokens of every issuer")?;
    if issuer.contains(['{', '}']) {
        return Err("its `issuer` has a brace");
    }
    let mut written = mapping([("issuer", text(issuer))]);
    let (jwks, algorithms) = jwks(node)?;
    written.extend(mapping([("jwks", jwks)]));
    if let Some(algorithms) = algorithms {
        written.extend(mapping([("algorithms", list(algorithms))]));
    }
    let requires_expiration =
        node.is_true("require_expiration") || node.member("max_lifetime").is_some();
    if !requires_expiration {
        written.extend(mapping([("require", Value::Sequence(Vec::new()))]));
    }
    if let Some(seconds) = number(node, "clock_skew_seconds").filter(|seconds| *seconds > 0) {
        written.extend(mapping([("clock_skew", text(format!("{seconds}s")))]));
    }
    if let Some(lifetime) = node.member("max_lifetime") {
        let lifetime = duration(&lifetime).ok_or("its `max_lifetime` cannot be read")?;
        written.extend(mapping([("max_lifetime", text(lifetime))]));
    }
    let (from, locations) = from(node)?;
    written.extend(mapping([("from", from)]));
    Ok((written, locations))
}

type Algorithms = Option<Vec<&'static str>>;

fn jwks(node: &Node<'_>) -> Result<(Value, Algorithms), &'static str> {
    if let Some(remote) = node.member("remote_jwks") {
        let uri = remote.member("http_uri").ok_or("`http_uri` is missing")?;
        let mut written = mapping([
            ("uri", text(uri.text("uri").ok_or("`uri` is missing")?)),
            (
                "cluster",
                text(uri.text("cluster").ok_or("`cluster` is missing")?),
            ),
        ]);
        if let Some(timeout) = uri.member("timeout").as_ref().and_then(duration) {
            written.extend(mapping([("timeout", text(timeout))]));
        }
        if let Some(refresh) = remote.member("cache_duration").as_ref().and_then(duration) {
            written.extend(mapping([("refresh", text(refresh))]));
        }
        return Ok((
            Value::Mapping(mapping([("remote", Value::Mapping(written))])),
            None,
        ));
    }
    if let Some(discovery) = node.member("discovery") {
        let own = |key| {
            discovery
                .text(key)
                .map(text)
                .ok_or("its issuer is not a URL")
        };
        let written = mapping([("uri", own("uri")?), ("cluster", own("cluster")?)]);
        return Ok((
            Value::Mapping(mapping([("discovery", Value::Mapping(written))])),
            None,
        ));
    }
    let local = node.member("local_jwks").ok_or("it has no keys")?;
    let inline = local
        .text("inline_string")
        .ok_or("its keys are not in the configuration: use `remote_jwks` or `inline_string`")?;
    let keys: serde_json::Value =
        serde_json::from_str(inline).map_err(|_| "its keys are not a JSON Web Key Set")?;
    let written = serde_yaml_ng::to_value(&keys).map_err(|_| "its keys cannot be written")?;
    let inline = mapping([("inline", written)]);
    Ok((Value::Mapping(inline), algorithms(&keys)))
}

/// The algorithms, if they must be written: those with a shared secret.
fn algorithms(keys: &serde_json::Value) -> Algorithms {
    let keys = keys.get("keys")?.as_array()?;
    let kind = |key: &serde_json::Value| {
        key.get("kty")
            .and_then(|kind| kind.as_str())
            .map(str::to_owned)
    };
    if !keys.iter().any(|key| kind(key).as_deref() == Some("oct")) {
        return None;
    }
    let mut algorithms = Vec::new();
    for key in keys {
        let own: &[&'static str] = match kind(key).as_deref() {
            Some("oct") => &["HS256", "HS384", "HS512"],
            Some("RSA") => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            Some("EC") => &["ES256", "ES384", "ES512"],
            Some("OKP") => &["EdDSA"],
            _ => &[],
        };
        let named = key.get("alg").and_then(|name| name.as_str());
        for name in own {
            if named.is_none_or(|named| named == *name) && !algorithms.contains(name) {
                algorithms.push(name);
            }
        }
    }
    Some(algorithms)
}

fn from(node: &Node<'_>) -> Result<(Value, Vec<Location>), &'static str> {
    let mut written = Vec::new();
    let mut locations = Vec::new();
    let headers = node.member("from_headers");
    for header in headers.iter().flat_map(Node::items) {
        let name = header.text("name").unwrap_or_default().to_lowercase();
        let prefix = header.text("value_prefix").unwrap_or_default();
        let mut entry = mapping([("header", text(&name))]);
        if !prefix.is_empty() {
            let scheme = prefix.strip_suffix(' ').unwrap_or(prefix);
            if !scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            {
                return Err("a `value_prefix` is not an authentication scheme");
            }
            entry.extend(mapping([("scheme", text(scheme))]));
        }
        written.push(Value::Mapping(entry));
        locations.push(Location::Header(name));
    }
    for name in texts(node, "from_params") {
        written.push(Value::Mapping(mapping([("query", text(&name))])));
        locations.push(Location::Query(name));
    }
    for name in texts(node, "from_cookies") {
        written.push(Value::Mapping(mapping([("cookie", text(&name))])));
        locations.push(Location::Cookie(name));
    }
    if written.is_empty() {
        written = vec![
            Value::Mapping(mapping([
                ("header", text("authorization")),
                ("scheme", text("Bearer")),
            ])),
            Value::Mapping(mapping([("query", text("access_token"))])),
        ];
        locations = vec![
            Location::Header("authorization".to_owned()),
            Location::Query("access_token".to_owned()),
        ];
    }
    Ok((Value::Sequence(written), locations))
}

fn texts(node: &Node<'_>, key: &str) -> Vec<String> {
    let list = node.member(key);
    let items = list.iter().flat_map(Node::items);
    items
        .filter_map(|item| item.value.as_str().map(str::to_owned))
        .collect()
}

fn number(node: &Node<'_>, key: &str) -> Option<u64> {
    let member = node.member(key)?;
    member
        .value
        .as_u64()
        .or_else(|| member.value.as_str()?.parse().ok())
}

/// A duration of protobuf's JSON, such as `1.5s`, or `{seconds: 1}`, as one of Countersign.
fn duration(node: &Node<'_>) -> Option<String> {
    let seconds = match node.value {
        serde_json::Value::String(text) => text.strip_suffix('s')?.parse::<f64>().ok()?,
        _ => {
            let part = |key| number(node, key).unwrap_or_default() as f64;
            part("seconds") + part("nanos") / 1e9
        }
    };
    let milliseconds = (seconds * 1000.0).round();
    let is_valid = (1.0..1e15).contains(&milliseconds);
    let milliseconds = is_valid.then_some(milliseconds as u64)?;
    Some(match milliseconds % 1000 {
        0 => format!("{}s", milliseconds / 1000),
        _ => format!("{milliseconds}ms"),
    })
}
