//! An answer that stands in the document as it is sent.

/// An answer that stands in the document as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedReply {
    /// The status code, from 200 to 599.
    pub status: u16,
    /// Header fields, names in lower case; a content type where there is content.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: String,
    /// What the content says, for callers who get no content: a text, or `message` of JSON.
    pub message: Option<String>,
}

impl FixedReply {
    /// What a path without anything behind it gets where the document does not say.
    pub fn not_found() -> Self {
        Self {
            status: 404,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: r#"{"error":"not_found","message":"Not Found"}"#.to_owned(),
            message: Some("Not Found".to_owned()),
        }
    }

    /// Whether a field of that name (lower case) is set.
    pub fn sets(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own == name)
    }
}
