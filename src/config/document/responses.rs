//! `responses`: what the filter's responses look like.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::read::{choice, object};
use crate::presentation::{BodyForm, Form};

object! {
    /// What responses look like.
    pub struct Responses {
        /// The form of the body that explains why a request is denied.
        #[schemars(extend("default" = "negotiate", "examples" = ["problem"]))]
        optional body: BodyForm,
        /// The URL of a page that explains errors. The filter appends `#<error>`.
        #[schemars(extend("x-default" = "none", "examples" = ["https://docs.example.com/errors"]))]
        optional documentation: String,
        /// The URL where callers request access.
        #[schemars(extend("x-default" = "none", "examples" = ["https://help.example.com/access"]))]
        optional request_access: String,
        /// Whether a 403 for missing scopes has a challenge (RFC 6750 §3.1).
        #[schemars(extend("default" = false, "examples" = [true]))]
        optional forbidden_challenge: bool,
        /// Whether the challenges of a 401 name the scopes of the rule and of the top-level `require`.
        #[schemars(extend("default" = false, "examples" = [true]))]
        optional challenge_scope: bool,
        /// Whether a 403 names what is missing in `x-permission-required`.
        #[schemars(extend("default" = true, "examples" = [false]))]
        optional hints: bool,
        /// Whether challenges describe the error, and bodies say what is wrong with a token.
        #[schemars(extend("default" = true, "examples" = [false]))]
        optional error_description: bool,
        /// Where the filter redirects browsers to sign in.
        #[schemars(extend(
            "x-default" = "browsers receive 401",
            "examples" = [{"uri": "https://login.example.com/?return_to={url}"}]
        ))]
        optional login: Login,
        /// HTML pages, by status. Placeholders such as `{message}` are replaced.
        #[schemars(extend(
            "x-default" = "the built-in pages",
            "examples" = [{"503": "<!DOCTYPE html><title>Back soon</title><p>{message}</p>"}]
        ))]
        optional pages: BTreeMap<String, String>,
        /// The response of a hidden rule (`on_forbidden: not_found`).
        #[schemars(extend(
            "x-default" = "404 with a JSON body",
            "examples" = [{"status": 404, "body": {"error": "not_found"}}]
        ))]
        optional not_found: Respond,
    }
}

choice! {
    /// The form of the body that explains why a request is denied.
    impl BodyForm for crate::presentation::BodyForm {
        /// The form that `Accept` of the request prefers. Without `Accept`, JSON.
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
    /// Where the filter redirects browsers to sign in.
    pub struct Login {
        /// The URL. `{url}` in its query is replaced by the URL that the browser requested, and requires `origin`.
        #[schemars(extend("examples" = ["https://login.example.com/?return_to={url}"]))]
        required uri: String,
    }
}

object! {
    /// A response that is sent as it is written.
    pub struct Respond {
        /// The status code.
        #[schemars(extend("x-range" = [200, 599], "examples" = [403]))]
        required status: u32,
        /// The headers.
        #[schemars(extend("x-default" = "none", "examples" = [{"retry-after": "60"}]))]
        optional headers: BTreeMap<String, String>,
        /// The body: a string, or any other JSON value.
        #[schemars(extend("x-default" = "none", "examples" = [{"error": "maintenance"}]))]
        optional body: Value,
    }
}
