//! What answers look like: all that a document says about them. Plain data; [`crate::response`] makes answers of it.

pub mod cors;
pub mod fixed;
pub mod login;
pub mod metadata;

use std::collections::BTreeMap;

use self::cors::Cors;
use self::fixed::FixedReply;
use self::login::Login;
use self::metadata::Metadata;
use crate::response::body::Form;
use crate::response::page::Page;

/// What answers look like.
#[derive(Debug)]
pub struct Presentation {
    /// The realm of every challenge: `%x20-7E`.
    pub realm: String,
    /// For whom the filter speaks.
    pub protects: Protects,
    /// The form of what explains a refusal.
    pub body: BodyForm,
    /// Where errors are explained; `#<error>` leads to each.
    pub documentation: Option<String>,
    /// Where a caller asks for what they lack.
    pub request_access: Option<String>,
    /// Whether challenges carry `error_description`.
    pub error_description: bool,
    /// Whether the challenges of a 401 name the scopes of the rule (RFC 6750 §3).
    pub challenge_scope: bool,
    /// Whether a 403 for scope carries a challenge (RFC 6750 §3.1).
    pub forbidden_challenge: bool,
    /// Whether a 403 says in a header field what is missing.
    pub hints: bool,
    /// Where browsers are sent to sign in.
    pub login: Option<Login>,
    /// The parameters of the query that hold tokens, which no answer repeats.
    pub query_tokens: Vec<String>,
    /// The page that explains a refusal to a person.
    pub page: Page,
    /// Pages of the document's own, by status.
    pub pages: BTreeMap<u16, Page>,
    /// What hides that something is there.
    pub not_found: FixedReply,
    /// The metadata of the protected resource.
    pub metadata: Option<Metadata>,
    /// Which other origins may read answers.
    pub cors: Option<Cors>,
    /// Where plain HTTP is sent: the origin; none refuses it.
    pub https_origin: Option<String>,
}

/// For whom the filter speaks (RFC 9110 §11.6, §11.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protects {
    /// An origin server: 401, `WWW-Authenticate`, `Authorization`.
    #[default]
    Origin,
    /// A proxy: 407, `Proxy-Authenticate`, `Proxy-Authorization`.
    Proxy,
}

/// The form of what explains a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyForm {
    /// As the request's `Accept` has it.
    #[default]
    Negotiate,
    /// Always this one.
    Always(Form),
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
