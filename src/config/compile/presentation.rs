//! What answers look like: realm, forms, links, other origins, metadata.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Compiler;
use crate::authenticate::Provider;
use crate::authorize::OFFLINE_ACCESS;
use crate::config::document::{
    BodyForm as BodyFormDocument, Cors as CorsDocument, Document, Https,
    Preflight as PreflightDocument, ProtectAs, ResourceMetadata, Responses,
};
use crate::credential::Carrier;
use crate::grammar::{can_be_quoted, is_oauth_text, is_token};
use crate::presentation::cors::{Cors, Origins, Preflight};
use crate::presentation::login::Login;
use crate::presentation::metadata::{Metadata, WELL_KNOWN};
use crate::presentation::page::{Page, PageFault, placeholders};
use crate::presentation::{BodyForm, Form, Presentation, Protects};
use crate::request::path::{Case, Pattern, Readings};
use crate::url::{Url, is_browser_origin, is_web_page};

const MAX_AGE: Duration = Duration::from_secs(600);

impl Compiler<'_> {
    pub(super) fn presentation(
        &mut self,
        document: &Document,
        providers: &[Provider],
    ) -> Presentation {
        let mut presentation = Presentation::default();
        if let Some(realm) = &document.realm {
            if !can_be_quoted(realm) {
                self.invalid(
                    "realm",
                    "a challenge can carry visible ASCII and spaces only",
                );
            }
            presentation.realm.clone_from(realm);
        }
        presentation.protects = self.protects;
        let locations = self.locations.iter();
        let query_tokens = locations.filter_map(|served| match &served.carrier {
            Carrier::Query(name) => Some(name.clone()),
            Carrier::Scheme { .. } | Carrier::Field(_) | Carrier::Cookie(_) => None,
        });
        presentation.query_tokens = query_tokens.collect();
        let origin = self.origin(document);
        if let Some(responses) = &document.responses {
            self.responses(responses, origin.as_deref(), &mut presentation);
        }
        if let Some(metadata) = &document.resource_metadata {
            presentation.metadata = self.metadata(metadata, providers);
        }
        presentation.cors = document.cors.as_ref().map(|cors| self.cors(cors));
        if document.https == Some(Https::Redirect) {
            match &origin {
                Some(origin) if origin.starts_with("https:") => {
                    presentation.https_origin = Some(origin.clone());
                }
                Some(_) => self.invalid("origin", "`https: redirect` leads to an https origin"),
                None if !self.faults.any_within("origin") => self.invalid(
                    "https",
                    "`redirect` needs `origin`: it is never taken from Host",
                ),
                None => {}
            }
        }
        if document.trust_forwarded_proto == Some(true) {
            self.warn(
                "trust_forwarded_proto",
                "whoever reaches this proxy directly can say that they came over HTTPS",
            );
        }
        presentation
    }

    /// The origin, as browsers write it.
    fn origin(&mut self, document: &Document) -> Option<String> {
        let typed = document.origin.as_ref()?;
        let origin = Url::parse_origin(typed);
        if origin.is_none() {
            self.invalid(
                "origin",
                "an origin is a scheme and a host, as `https://orders.example.com`, without a path",
            );
        }
        origin
    }

    fn responses(
        &mut self,
        responses: &Responses,
        origin: Option<&str>,
        presentation: &mut Presentation,
    ) {
        presentation.body = match responses.body.unwrap_or_default() {
            BodyFormDocument::Negotiate => BodyForm::Negotiate,
            BodyFormDocument::Json => BodyForm::Always(Form::Json),
            BodyFormDocument::Problem => BodyForm::Always(Form::Problem),
            BodyFormDocument::Text => BodyForm::Always(Form::Text),
            BodyFormDocument::Html => BodyForm::Always(Form::Html),
            BodyFormDocument::None => BodyForm::Always(Form::None),
        };
        for (typed, setting) in [
            (
                responses.error_description,
                &mut presentation.error_description,
            ),
            (
                responses.forbidden_challenge,
                &mut presentation.forbidden_challenge,
            ),
            (responses.challenge_scope, &mut presentation.challenge_scope),
            (responses.hints, &mut presentation.hints),
        ] {
            *setting = typed.unwrap_or(*setting);
        }
        let documentation = responses.documentation.as_deref();
        presentation.documentation = self.link("responses.documentation", documentation);
        if documentation.is_some_and(|link| link.contains('#')) {
            self.invalid(
                "responses.documentation",
                "each error is linked as `<documentation>#<error>`, so there is no `#` in it",
            );
        }
        let request_access = responses.request_access.as_deref();
        presentation.request_access = self.link("responses.request_access", request_access);
        presentation.login = responses
            .login
            .as_ref()
            .and_then(|login| self.login(&login.uri, origin));
        presentation.pages = self.pages(responses);
        if let Some(not_found) = &responses.not_found {
            presentation.not_found = self.fixed_reply("responses.not_found", not_found);
        }
    }

    /// A link that a page can show.
    fn link(&mut self, path: &str, typed: Option<&str>) -> Option<String> {
        let typed = typed?;
        if !is_web_page(typed) {
            self.invalid(path, "a link is an absolute http or https URL");
        }
        Some(typed.to_owned())
    }

    fn login(&mut self, uri: &str, origin: Option<&str>) -> Option<Login> {
        let path = "responses.login.uri";
        if uri.contains("{url}") && origin.is_none() {
            if !self.faults.any_within("origin") {
                self.invalid(
                    path,
                    "`{url}` leads back to `origin`, which is needed: it is never taken from Host",
                );
            }
            return None;
        }
        // A link in every respect, were it not for its braces.
        let login = Login::parse(uri, origin).filter(|_| is_web_page(&uri.replace("{url}", "")));
        if login.is_none() {
            self.invalid(
                path,
                "this is an absolute http or https URL, with `{url}` at most once and in its query",
            );
        }
        login
    }

    fn pages(&mut self, responses: &Responses) -> BTreeMap<u16, Page> {
        let mut pages = BTreeMap::new();
        for (status, text) in responses.pages.iter().flatten() {
            let path = format!("responses.pages.{status}");
            match status.parse::<u16>() {
                Ok(number) if (400..=599).contains(&number) && status.len() == 3 => {
                    match Page::parse(text) {
                        Ok(page) => drop(pages.insert(number, page)),
                        Err(PageFault::UnknownPlaceholder(name)) => {
                            self.unknown_name(path, "placeholder", &name, placeholders());
                        }
                    }
                }
                _ => self.invalid(path, "pages are given by status, from 400 to 599"),
            }
        }
        pages
    }

    fn cors(&mut self, document: &CorsDocument) -> Cors {
        let typed = &document.allow_origins;
        let any = typed.iter().any(|origin| origin == "*");
        let credentials = document.allow_credentials.unwrap_or(true);
        if typed.is_empty() && !self.faults.any_within("cors.allow_origins") {
            self.invalid("cors.allow_origins", "there is at least one origin");
        }
        if any && typed.len() > 1 {
            self.invalid("cors.allow_origins", "`*` stands alone");
        }
        if any && credentials {
            self.invalid(
                "cors.allow_credentials",
                "any origin, `*`, may read nothing that cookies open: this must be `false`",
            );
        }
        for (place, origin) in typed.iter().enumerate() {
            if origin != "*" && origin != "null" && !is_browser_origin(origin) {
                self.invalid(
                    format!("cors.allow_origins[{place}]"),
                    "an origin is written as browsers do: `https://app.example.com`, in lower case, without path \
                     and default port",
                );
            }
        }
        if credentials && typed.iter().any(|origin| origin == "null") {
            self.warn(
                "cors.allow_origins",
                "`null` is the origin of every sandboxed frame, whoever wrote it: with `allow_credentials` any page may \
                 read what cookies open",
            );
        }
        let mut headers = self.tokens("cors.allow_headers", document.allow_headers.as_deref());
        let has = |name: &str| headers.iter().any(|own| own.eq_ignore_ascii_case(name));
        if has("*") && !has("authorization") {
            self.warn(
                "cors.allow_headers",
                "`*` does not stand for `authorization` (WHATWG Fetch), which is added",
            );
            headers.push("authorization".to_owned());
        }
        Cors {
            origins: if any {
                Origins::Any
            } else {
                Origins::Only(typed.clone())
            },
            preflight: match document.preflight.unwrap_or_default() {
                PreflightDocument::Pass => Preflight::Pass,
                PreflightDocument::Answer => Preflight::Answer,
                PreflightDocument::Authenticate => Preflight::Authenticate,
            },
            methods: self.tokens("cors.allow_methods", document.allow_methods.as_deref()),
            headers,
            credentials,
            max_age: document.max_age.map_or(MAX_AGE, |span| span.0),
        }
    }

    fn tokens(&mut self, path: &str, typed: Option<&[String]>) -> Vec<String> {
        let typed = typed.unwrap_or_default();
        for (place, text) in typed.iter().enumerate() {
            if !is_token(text) {
                self.invalid(format!("{path}[{place}]"), "this is no name of HTTP");
            }
        }
        typed.to_vec()
    }

    /// The metadata (RFC 9728 §2), and where it stands (§3.1).
    fn metadata(
        &mut self,
        document: &ResourceMetadata,
        providers: &[Provider],
    ) -> Option<Metadata> {
        let path = "resource_metadata";
        if document.authorization_servers.is_empty() && !self.faults.any_within(path) {
            self.invalid(
                format!("{path}.authorization_servers"),
                "there is at least one authorization server",
            );
        }
        for (place, server) in document.authorization_servers.iter().enumerate() {
            if !is_web_page(server) {
                let path = format!("{path}.authorization_servers[{place}]");
                self.invalid(path, "an issuer is an absolute URL (RFC 8414 §2)");
            }
        }
        for (key, page) in [
            ("resource_documentation", &document.resource_documentation),
            ("resource_policy_uri", &document.resource_policy_uri),
            ("resource_tos_uri", &document.resource_tos_uri),
        ] {
            self.link(&format!("{path}.{key}"), page.as_deref());
        }
        let mut scopes = document.scopes_supported.clone().unwrap_or_default();
        for (place, scope) in scopes.iter().enumerate() {
            if !is_oauth_text(scope) {
                self.invalid(
                    format!("{path}.scopes_supported[{place}]"),
                    "a scope is visible ASCII without space, `\"` and `\\`",
                );
            }
        }
        if scopes.iter().any(|scope| scope == OFFLINE_ACCESS) {
            self.warn(
                format!("{path}.scopes_supported"),
                "`offline_access` is no scope of a resource; it is left out",
            );
            scopes.retain(|scope| scope != OFFLINE_ACCESS);
        }
        let json = members(document, &scopes, &self.bearer_methods(providers)).to_string();
        let metadata = metadata_at(&document.resource, json);
        if metadata.is_none() {
            self.invalid(
                format!("{path}.resource"),
                "a resource is an `https` URL without a fragment (RFC 9728 §1.2), whose path a request can have",
            );
        }
        metadata
    }

    /// How bearer tokens may be shown (RFC 9728 §2, `bearer_methods_supported`).
    fn bearer_methods(&self, providers: &[Provider]) -> Vec<&'static str> {
        let mut methods = Vec::new();
        let ids = providers.iter().flat_map(|provider| &provider.locations);
        for location in ids.filter_map(|id| self.locations.get(id.0)) {
            let method = match &location.carrier {
                Carrier::Scheme { .. } | Carrier::Field(_) => "header",
                Carrier::Query(_) => "query",
                Carrier::Cookie(_) => continue,
            };
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        methods
    }
}

pub(super) fn protects(document: &Document) -> Protects {
    match document.protect_as {
        None | Some(ProtectAs::Origin) => Protects::Origin,
        Some(ProtectAs::Proxy) => Protects::Proxy,
    }
}

/// The metadata, at the address that the resource's own makes (RFC 9728 §3.1).
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

/// The pattern of the well-known path with a resource's own path after it.
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

fn members(document: &ResourceMetadata, scopes: &[String], bearer_methods: &[&str]) -> Value {
    let mut members = json!({
        "resource": document.resource,
        "authorization_servers": document.authorization_servers,
    });
    // A member without a value is left out (RFC 9728 §3.2).
    let mut add = |name: &str, value: Option<Value>| {
        if let (Some(members), Some(value)) = (members.as_object_mut(), value) {
            members.insert(name.to_owned(), value);
        }
    };
    add(
        "scopes_supported",
        (!scopes.is_empty()).then(|| json!(scopes)),
    );
    add(
        "bearer_methods_supported",
        (!bearer_methods.is_empty()).then(|| json!(bearer_methods)),
    );
    for (name, text) in [
        ("resource_name", &document.resource_name),
        ("resource_documentation", &document.resource_documentation),
        ("resource_policy_uri", &document.resource_policy_uri),
        ("resource_tos_uri", &document.resource_tos_uri),
        ("signed_metadata", &document.signed_metadata),
    ] {
        add(name, text.as_ref().map(|text| json!(text)));
    }
    members
}
