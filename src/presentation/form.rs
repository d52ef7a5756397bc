//! The form of the content that explains why a request was denied.

/// A form of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object.
    Json,
    /// A problem (RFC 9457).
    Problem,
    /// A sentence in plain text.
    Text,
    /// An HTML page.
    Html,
    /// No content.
    None,
}

/// How a response chooses the form of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyForm {
    /// The request's `Accept` decides.
    #[default]
    Negotiate,
    /// Every response has this form.
    Always(Form),
}
