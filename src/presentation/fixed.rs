//! A response that the configuration gives in full.

/// A response that the configuration gives in full: a rule's `respond`, or `responses.not_found`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedReply {
    /// The status code, from 200 to 599.
    pub status: u16,
    /// The headers, names in lower case. `content-type` is set if there is content.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: String,
    /// The message for gRPC calls, which receive no content: the content if it is text, or `message` of a JSON object.
    pub message: Option<String>,
}

impl FixedReply {
    /// The default of `responses.not_found`.
    pub fn not_found() -> Self {
        Self {
            status: 404,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: r#"{"error":"not_found","message":"Not Found"}"#.to_owned(),
            message: Some("Not Found".to_owned()),
        }
    }

    /// Whether a header of that name is set. `name` is in lower case.
    pub fn sets(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own == name)
    }
}
