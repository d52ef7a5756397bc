//! What the configuration says about responses. Plain data, from which [`crate::response`] makes responses.

pub mod cors;
pub mod explanation;
pub mod fixed;
mod form;
pub mod login;
pub mod metadata;
pub mod page;

use std::collections::BTreeMap;

use self::cors::Cors;
use self::fixed::FixedReply;
pub use self::form::{BodyForm, Form};
use self::login::Login;
use self::metadata::Metadata;
use self::page::Page;

/// What the configuration says about responses.
#[derive(Debug, Clone)]
pub struct Presentation {
    /// The realm of every challenge: `%x20-7E`.
    pub realm: String,
    /// Whether the filter protects an origin server or a proxy.
    pub protects: Protects,
    /// The form of the content that explains a denied request.
    pub body: BodyForm,
    /// The URL of the documentation of errors. `<documentation>#<code>` is the URL of one error.
    pub documentation: Option<String>,
    /// The URL where a caller asks for access.
    pub request_access: Option<String>,
    /// Whether challenges carry `error_description`.
    pub error_description: bool,
    /// Whether the challenges of a 401 name the scopes of the rule (RFC 6750 §3).
    pub challenge_scope: bool,
    /// Whether a 403 for a missing scope carries a challenge (RFC 6750 §3.1).
    pub forbidden_challenge: bool,
    /// Whether a 403 names what the caller lacks in `x-permission-required`.
    pub hints: bool,
    /// The page where people sign in.
    pub login: Option<Login>,
    /// The query parameters that hold tokens. No response repeats them.
    pub query_tokens: Vec<String>,
    /// The page that explains a denied request to a person.
    pub page: Page,
    /// Configured pages, by status. Each replaces `page`.
    pub pages: BTreeMap<u16, Page>,
    /// The response for a resource that a rule hides.
    pub not_found: FixedReply,
    /// The metadata of the protected resource.
    pub metadata: Option<Metadata>,
    /// Which other origins may read responses.
    pub cors: Option<Cors>,
    /// The origin to which requests over plain HTTP are redirected. Without one they are denied.
    pub https_origin: Option<String>,
}

/// Whether the filter protects an origin server or a proxy (RFC 9110 §11.6, §11.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protects {
    /// An origin server: 401, `WWW-Authenticate`, `Authorization`.
    #[default]
    Origin,
    /// A proxy: 407, `Proxy-Authenticate`, `Proxy-Authorization`.
    Proxy,
}

impl Default for Presentation {
    fn default() -> Self {
        Self {
            realm: "api".to_owned(),
            protects: Protects::Origin,
            body: BodyForm::Negotiate,
            documentation: None,
            request_access: None,
            error_description: true,
            challenge_scope: false,
            forbidden_challenge: false,
            hints: true,
            login: None,
            query_tokens: Vec::new(),
            page: Page::default(),
            pages: BTreeMap::new(),
            not_found: FixedReply::not_found(),
            metadata: None,
            cors: None,
            https_origin: None,
        }
    }
}
