//! The metadata of the protected resource (RFC 9728).

use serde_json::{Value, json};

use crate::authenticate::Provider;
use crate::authenticate::jose::signature::{Algorithm, AlgorithmSet};
use crate::authenticate::sender::{Binding, Sender};
use crate::authorize::OFFLINE_ACCESS;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::compile::providers::BEARER;
use crate::config::document::resource_metadata::ResourceMetadata;
use crate::config::fault::{Fault, InvalidMetadata, Warning};
use crate::config::read::{Items, Optional, Typed};
use crate::credential::{Carrier, Grammar, Location};
use crate::grammar::is_oauth_text;
use crate::presentation::metadata::{Metadata, WELL_KNOWN};
use crate::request::path::{Case, Pattern, Readings};
use crate::url::{Url, is_web_page};

impl Compiler<'_> {
    /// The metadata (RFC 9728 §2), and its URL (§3.1).
    pub(super) fn metadata(
        &mut self,
        document: &ResourceMetadata,
        providers: &[Provider],
    ) -> Typed<Metadata> {
        let at = At::Root.member("resource_metadata");
        let servers = self.authorization_servers(&at.member("authorization_servers"), document);
        let scopes = self.scopes_supported(&at.member("scopes_supported"), document);
        for (key, page) in [
            ("resource_documentation", &document.resource_documentation),
            ("resource_policy_uri", &document.resource_policy_uri),
            ("resource_tos_uri", &document.resource_tos_uri),
        ] {
            self.link(&at.member(key), page);
        }
        let resource = document.resource.as_ref().map_err(|reported| *reported)?;
        let members = Members {
            resource,
            servers,
            scopes,
            bearer_methods: self.bearer_methods(providers),
            senders: Senders::of(providers),
            document,
        };
        metadata_at(resource, members.json().to_string()).ok_or_else(|| {
            self.url_fault(&at.member("resource"), resource, InvalidMetadata::Resource)
        })
    }

    fn authorization_servers(&mut self, at: &At<'_>, document: &ResourceMetadata) -> Vec<String> {
        let typed = &document.authorization_servers;
        if typed.as_ref().is_ok_and(Vec::is_empty) {
            self.report(at, Fault::Empty("authorization server"));
        }
        let servers = typed.each(at, |at, server| {
            if is_web_page(server) {
                Ok(server.clone())
            } else {
                Err(self.url_fault(at, server, InvalidMetadata::Issuer))
            }
        });
        servers.known
    }

    fn scopes_supported(&mut self, at: &At<'_>, document: &ResourceMetadata) -> Vec<String> {
        let scopes = document.scopes_supported.each(at, |at, scope| {
            if !is_oauth_text(scope) {
                return Err(self.report(at, Fault::OAuthText));
            }
            self.diagnostics.literal(at, scope)?;
            Ok(scope.clone())
        });
        let mut scopes = scopes.known;
        if scopes.iter().any(|scope| scope == OFFLINE_ACCESS) {
            self.warn(at, Warning::OfflineAccessInMetadata);
            scopes.retain(|scope| scope != OFFLINE_ACCESS);
        }
        scopes
    }

    /// The locations of tokens that RFC 6750 §2 defines (RFC 9728 §2, `bearer_methods_supported`). After `DPoP`, a token is in
    /// the same header.
    fn bearer_methods(&self, providers: &[Provider]) -> Vec<&'static str> {
        let own = self.own_header();
        let mut methods = Vec::new();
        let ids = providers.iter().flat_map(|provider| &provider.locations);
        let locations = ids.filter_map(|id| self.locations.get(id.0));
        let is_token =
            |location: &&Location| matches!(location.grammar, Grammar::Token | Grammar::DpopToken);
        for location in locations.filter(is_token) {
            let method = match &location.carrier {
                Carrier::Scheme { field, scheme }
                    if field == own
                        && (scheme == BEARER || location.grammar == Grammar::DpopToken) =>
                {
                    "header"
                }
                Carrier::Query(name) if name == "access_token" => "query",
                _ => continue,
            };
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        methods
    }
}

/// The metadata at its URL, which is built from that of the resource (RFC 9728 §3.1).
fn metadata_at(resource: &str, json: String) -> Option<Metadata> {
    let url = Url::parse(resource).filter(|url| url.is_https)?;
    let (own_path, query) = match url.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url.path.as_str(), None),
    };
    let inserted = if own_path == "/" { "" } else { own_path };
    let query_of_url = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(Metadata {
        path: pattern_of(own_path)?,
        query: query.map(str::to_owned),
        others: Pattern::parse(&format!("{WELL_KNOWN}/**"), Case::Sensitive).ok()?,
        url: format!(
            "https://{}{WELL_KNOWN}{inserted}{query_of_url}",
            url.authority
        ),
        json,
    })
}

/// The pattern of the well-known path followed by the path of the resource.
fn pattern_of(own_path: &str) -> Option<Pattern> {
    let readings = Readings::of_target(Some(own_path.as_bytes())).ok()?;
    let mut text = WELL_KNOWN.to_owned();
    for segment in readings.plain().ok()?.segments() {
        text.push('/');
        text.push_str(segment);
    }
    Pattern::parse(&text, Case::Sensitive)
        .ok()
        .filter(|pattern| pattern.parameters().next().is_none())
}

/// Who may send tokens, as RFC 9728 §2 describes it. The same holds in the challenges.
struct Senders {
    /// `dpop_signing_alg_values_supported`.
    proof_algorithms: Vec<&'static str>,
    /// `dpop_bound_access_tokens_required`.
    require_dpop: bool,
    /// `tls_client_certificate_bound_access_tokens`.
    accept_certificates: bool,
}

impl Senders {
    fn of(providers: &[Provider]) -> Self {
        let senders = || providers.iter().filter_map(|own| own.method.sender());
        let is_of = |sender: &Sender, bindings: &[Binding]| bindings.contains(&sender.required);
        let proofs = senders().filter_map(|sender| sender.dpop.as_ref());
        let algorithms: AlgorithmSet = proofs.flat_map(|dpop| dpop.algorithms.iter()).collect();
        let proof_algorithms: Vec<_> = algorithms.iter().map(Algorithm::name).collect();
        Self {
            require_dpop: !proof_algorithms.is_empty()
                && senders().all(|sender| is_of(sender, &[Binding::Dpop])),
            accept_certificates: senders()
                .any(|sender| is_of(sender, &[Binding::Mtls, Binding::Any])),
            proof_algorithms,
        }
    }
}

/// The members of the metadata.
struct Members<'d> {
    resource: &'d str,
    servers: Vec<String>,
    scopes: Vec<String>,
    bearer_methods: Vec<&'static str>,
    senders: Senders,
    document: &'d ResourceMetadata,
}

impl Members<'_> {
    fn json(&self) -> Value {
        let mut members = json!({
            "resource": self.resource,
            "authorization_servers": self.servers,
        });
        // A member without a value is omitted (RFC 9728 §3.2).
        let mut add = |name: &str, value: Option<Value>| {
            if let (Some(members), Some(value)) = (members.as_object_mut(), value) {
                members.insert(name.to_owned(), value);
            }
        };
        let scopes = &self.scopes;
        add(
            "scopes_supported",
            (!scopes.is_empty()).then(|| json!(scopes)),
        );
        let methods = &self.bearer_methods;
        add(
            "bearer_methods_supported",
            (!methods.is_empty()).then(|| json!(methods)),
        );
        let Senders {
            proof_algorithms,
            require_dpop,
            accept_certificates,
        } = &self.senders;
        add(
            "dpop_signing_alg_values_supported",
            (!proof_algorithms.is_empty()).then(|| json!(proof_algorithms)),
        );
        for (name, holds) in [
            ("dpop_bound_access_tokens_required", *require_dpop),
            (
                "tls_client_certificate_bound_access_tokens",
                *accept_certificates,
            ),
        ] {
            add(name, holds.then_some(Value::Bool(true)));
        }
        let document = self.document;
        for (name, text) in [
            ("resource_name", &document.resource_name),
            ("resource_documentation", &document.resource_documentation),
            ("resource_policy_uri", &document.resource_policy_uri),
            ("resource_tos_uri", &document.resource_tos_uri),
            ("signed_metadata", &document.signed_metadata),
        ] {
            add(name, text.given().map(|text| json!(text)));
        }
        members
    }
}
