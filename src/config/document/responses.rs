//! `responses`: what the filter's responses look like.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::read::{choice, object};
use crate::presentation::{BodyForm, Form};

object! {
    /// What responses look like.
    pub struct Responses {
        /// The form of the body that explains why a request is denied. Default `negotiate`.
        optional body: BodyForm,
        /// The URL of a page that explains errors. The filter appends `#<error>`.
        optional documentation: String,
        /// The URL where callers request access.
        optional request_access: String,
        /// Whether a 403 for missing scopes has a challenge (RFC 6750 §3.1). Default `false`.
        optional forbidden_challenge: bool,
        /// Whether the challenges of a 401 name the scopes of the rule. Default `false`.
        optional challenge_scope: bool,
        /// Whether a 403 names what is missing in `x-permission-required`. Default `true`.
        optional hints: bool,
        /// Whether challenges describe the error, and bodies say what is wrong with a token. Default `true`.
        optional error_description: bool,
        /// Where browsers are redirected to sign in.
        optional login: Login,
        /// HTML pages, by status.
        optional pages: BTreeMap<String, String>,
        /// The response that hides that something exists.
        optional not_found: Respond,
    }
}

choice! {
    /// The form of the body that explains why a request is denied.
    impl BodyForm for crate::presentation::BodyForm {
        /// The form that the request's `Accept` prefers. Default JSON.
        Negotiate = "negotiate" => Self::Negotiate,
        /// JSON.
        Json = "json" => Self::Always(Form::Json),
        /// Problem details (RFC 9457).
        Problem = "problem" => Self::Always(Form::Problem),
        /// One sentence of plain text.
        Text = "text" => Self::Always(Form::Text),
        /// An HTML page.
        Html = "html" => Self::Always(Form::Html),
        /// No body.
        None = "none" => Self::Always(Form::None),
    }
}

object! {
    /// Where browsers are redirected to sign in.
    pub struct Login {
        /// The URL. `{url}` in its query is replaced by the URL that the browser requested.
        required uri: String,
    }
}

object! {
    /// A response that is sent as it is written.
    pub struct Respond {
        /// The status code, from 200 to 599.
        required status: u32,
        /// The headers.
        optional headers: BTreeMap<String, String>,
        /// The body: a string, or any other JSON value.
        optional body: Value,
    }
}
