//! The facts that explain to a client why its request was denied. Each form of content is made from them.

use crate::reject::Code;

/// Why a request was denied, and where the client finds help.
#[derive(Debug, Clone, Copy)]
pub struct Explanation<'a> {
    /// The error code, which has a title and advice.
    pub code: Code,
    /// What is wrong with this request. Some messages end without a full stop: challenges carry them too.
    pub message: &'a str,
    /// The status of the response.
    pub status: u16,
    /// The realm. Only pages show it.
    pub realm: &'a str,
    /// The URL of the documentation of errors, without a fragment.
    pub documentation: Option<&'a str>,
    /// The URL where a caller can ask for access.
    pub action: Option<&'a str>,
}

/// What differs between denied requests of the same kind.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The time of the decision in RFC 3339's form. It is empty after the year 9999, for which RFC 3339 has no form.
    pub time: &'a str,
    /// The request's identifier, which the logs have too.
    pub request_id: Option<&'a str>,
}

impl Explanation<'_> {
    /// The URL of the documentation of this error: `<documentation>#<code>`.
    pub fn link(&self) -> Option<String> {
        let base = self.documentation?;
        Some(format!("{base}#{}", self.code))
    }

    /// The message as one line that ends with a full stop.
    pub fn sentence(&self) -> String {
        let mut sentence = match self.message.contains(char::is_control) {
            true => self.message.replace(char::is_control, " "),
            false => self.message.to_owned(),
        };
        if sentence.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            sentence.push('.');
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLANATION: Explanation<'static> = Explanation {
        code: Code::InvalidToken,
        message: "The access token expired",
        status: 401,
        realm: "orders",
        documentation: Some("https://docs.example.com/errors"),
        action: None,
    };

    fn sentence(message: &str) -> String {
        let explanation = Explanation {
            message,
            ..EXPLANATION
        };
        explanation.sentence()
    }

    #[test]
    fn a_sentence_is_one_line_with_a_full_stop() {
        assert_eq!(EXPLANATION.sentence(), "The access token expired.");
        assert_eq!(sentence("It is late."), "It is late.");
        assert_eq!(sentence("a\r\nb\u{9b}"), "a  b ");
    }

    #[test]
    fn the_link_names_the_code() {
        let link = EXPLANATION.link();
        assert_eq!(
            link.as_deref(),
            Some("https://docs.example.com/errors#invalid_token")
        );
    }
}
