//! The HTML page that explains to a person why a request was denied: a template with placeholders.
//!
//! A placeholder is `{name}`; the name has lower-case ASCII letters and `_` only. Every other brace is text, so that a
//! template can contain a style sheet unchanged. The value of a placeholder is escaped for element text and for quoted
//! attributes. Values are the only part of a page that can come from a request.

mod built_in;

use super::explanation::{Explanation, Occasion};
use crate::url::is_web_page;

/// The Content-Security-Policy of the built-in page: its own style and its empty icon, and nothing else (Content
/// Security Policy Level 3).
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// A parsed template. The default is the built-in page, which can show every error code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    parts: Vec<Part>,
}

/// Literal text, and the placeholder after it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    text: Box<str>,
    then: Option<Placeholder>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Title,
    Message,
    Error,
    Status,
    Realm,
    RequestId,
    Timestamp,
    Documentation,
    Action,
    SignIn,
    /// What to do next. Only the built-in page has it.
    Next,
    /// The facts that support needs. Only the built-in page has it.
    Particulars,
}

/// The placeholders of a configured template, with their names.
const NAMES: [(&str, Placeholder); 10] = [
    ("title", Placeholder::Title),
    ("message", Placeholder::Message),
    ("error", Placeholder::Error),
    ("status", Placeholder::Status),
    ("realm", Placeholder::Realm),
    ("request_id", Placeholder::RequestId),
    ("timestamp", Placeholder::Timestamp),
    ("documentation", Placeholder::Documentation),
    ("action", Placeholder::Action),
    ("sign_in", Placeholder::SignIn),
];

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// A placeholder has none of the names of [`placeholders`].
    #[error("unknown placeholder `{{{0}}}`")]
    UnknownPlaceholder(String),
}

/// The names of the placeholders, to suggest the one that was meant.
pub fn placeholders() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

impl Page {
    /// Parses a template.
    ///
    /// # Errors
    /// [`PageFault`], at the first unknown placeholder.
    pub fn parse(template: &str) -> Result<Self, PageFault> {
        Self::parse_with(template, |name| {
            let known = NAMES.iter().find(|(known, _)| *known == name);
            known.map(|(_, placeholder)| *placeholder)
        })
    }

    fn parse_with(
        template: &str,
        placeholder: impl Fn(&str) -> Option<Placeholder>,
    ) -> Result<Self, PageFault> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, name, after)) = split_placeholder(rest) {
            let Some(then) = placeholder(name) else {
                return Err(PageFault::UnknownPlaceholder(name.to_owned()));
            };
            parts.push(Part {
                text: text.into(),
                then: Some(then),
            });
            rest = after;
        }
        parts.push(Part {
            text: rest.into(),
            then: None,
        });
        Ok(Self { parts })
    }

    /// Writes the page for one denied request. `sign_in` is the URL where the person can sign in.
    ///
    /// A URL that is not a web page's is left out, whatever its source: a link must not run a script.
    pub fn fill(
        &self,
        explanation: &Explanation<'_>,
        occasion: Occasion<'_>,
        sign_in: Option<&str>,
        page: &mut String,
    ) {
        let link = explanation.link();
        let values = Values {
            explanation,
            request_id: occasion.request_id,
            time: occasion.time,
            documentation: web_page(link.as_deref()),
            action: web_page(explanation.action),
            sign_in: web_page(sign_in),
        };
        for part in &self.parts {
            page.push_str(&part.text);
            if let Some(placeholder) = part.then {
                values.write(placeholder, page);
            }
        }
    }
}

impl Default for Page {
    fn default() -> Self {
        built_in::page()
    }
}

/// The text before the first placeholder, its name, and the text after it.
fn split_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut before = 0;
    loop {
        let (literal, rest) = text.split_at_checked(before)?;
        let brace = rest.find('{')?;
        let (_, inside) = rest.split_at_checked(brace + 1)?;
        let end = inside
            .find(|character: char| !character.is_ascii_lowercase() && character != '_')
            .unwrap_or(inside.len());
        let (name, after) = inside.split_at_checked(end)?;
        if let Some(after) = after.strip_prefix('}').filter(|_| !name.is_empty()) {
            let (literal, _) = text.split_at_checked(literal.len() + brace)?;
            return Some((literal, name, after));
        }
        before += brace + 1 + end;
    }
}

fn web_page(url: Option<&str>) -> Option<&str> {
    url.filter(|url| is_web_page(url))
}

/// The values of the placeholders of one page.
struct Values<'a> {
    explanation: &'a Explanation<'a>,
    request_id: Option<&'a str>,
    time: &'a str,
    documentation: Option<&'a str>,
    action: Option<&'a str>,
    sign_in: Option<&'a str>,
}

impl Values<'_> {
    fn write(&self, placeholder: Placeholder, page: &mut String) {
        let explanation = self.explanation;
        match placeholder {
            Placeholder::Title => escape(explanation.code.title(), page),
            Placeholder::Message => escape(&explanation.sentence(), page),
            Placeholder::Error => escape(explanation.code.name(), page),
            Placeholder::Status => page.push_str(&explanation.status.to_string()),
            Placeholder::Realm => escape(explanation.realm, page),
            Placeholder::RequestId => escape(self.request_id.unwrap_or_default(), page),
            Placeholder::Timestamp => escape(self.time, page),
            Placeholder::Documentation => escape(self.documentation.unwrap_or_default(), page),
            Placeholder::Action => escape(self.action.unwrap_or_default(), page),
            Placeholder::SignIn => escape(self.sign_in.unwrap_or_default(), page),
            Placeholder::Next => built_in::next(self, page),
            Placeholder::Particulars => built_in::particulars(self, page),
        }
    }
}

/// Writes a text so that it can end neither an element's text nor a quoted attribute.
fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            control if control.is_control() => page.push(' '),
            character => page.push(character),
        }
    }
}

#[cfg(test)]
mod tests;
