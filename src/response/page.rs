//! A page that explains a refusal to a person: a template, and what stands for its placeholders.
//!
//! A placeholder is `{name}`, a name being lower-case letters of ASCII and `_`. Every other brace stands for itself, so
//! that a style sheet can be in a template as it is. What a placeholder stands for is escaped for a text and for a
//! quoted attribute; nothing else of a page comes from a request.

mod built_in;

use super::body::{Explanation, sentence};
use crate::url::is_web_page;

/// What the built-in page needs of a browser (Content Security Policy Level 3): its own style, its empty icon, no more.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// A template that can be filled in; without one of one's own, a page that fits every refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    parts: Vec<Part>,
}

/// A text that stands as it is, and what follows it.
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
    /// In the page that is built in: what to do next.
    Next,
    /// In the page that is built in: what helps whoever looks into it.
    Particulars,
}

/// What the placeholders of a template are called.
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

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// A placeholder that there is not; [`placeholders`] has those that there are.
    #[error("there is no placeholder `{{{0}}}`")]
    UnknownPlaceholder(String),
}

/// The names of every placeholder, to find the one that was meant.
pub fn placeholders() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

impl Page {
    /// Reads a template.
    ///
    /// # Errors
    /// [`PageFault`]: at its first placeholder that there is not.
    pub fn parse(text: &str) -> Result<Self, PageFault> {
        Self::read(text, |name| {
            let known = NAMES.iter().find(|(known, _)| *known == name);
            known.map(|(_, placeholder)| *placeholder)
        })
    }

    fn read(
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

    /// The page for a refusal.
    ///
    /// An address that is no web page's is left out, whoever let it through: a link must not run a script.
    pub fn fill(&self, explanation: &Explanation<'_>, sign_in: Option<&str>) -> String {
        let link = explanation.link();
        let filling = Filling {
            explanation,
            moment: explanation.moment(),
            documentation: web_url(link.as_deref()),
            action: web_url(explanation.action),
            sign_in: web_url(sign_in),
        };
        let mut page = String::new();
        for part in &self.parts {
            page.push_str(&part.text);
            if let Some(placeholder) = part.then {
                filling.write(placeholder, &mut page);
            }
        }
        page
    }
}

/// The page that is built in.
impl Default for Page {
    fn default() -> Self {
        built_in::page()
    }
}

/// What stands before the first placeholder, its name, and what stands behind it.
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

/// What the placeholders of one page stand for.
struct Filling<'a> {
    explanation: &'a Explanation<'a>,
    moment: String,
    documentation: Option<&'a str>,
    action: Option<&'a str>,
    sign_in: Option<&'a str>,
}

impl Filling<'_> {
    fn write(&self, placeholder: Placeholder, page: &mut String) {
        let said = self.explanation;
        match placeholder {
            Placeholder::Title => escape(said.title, page),
            Placeholder::Message => escape(&sentence(said.message), page),
            Placeholder::Error => escape(said.error, page),
            Placeholder::Status => page.push_str(&said.status.to_string()),
            Placeholder::Realm => escape(said.realm, page),
            Placeholder::RequestId => escape(said.request_id.unwrap_or_default(), page),
            Placeholder::Timestamp => escape(&self.moment, page),
            Placeholder::Documentation => escape(self.documentation.unwrap_or_default(), page),
            Placeholder::Action => escape(self.action.unwrap_or_default(), page),
            Placeholder::SignIn => escape(self.sign_in.unwrap_or_default(), page),
            Placeholder::Next => built_in::next(self, page),
            Placeholder::Particulars => built_in::particulars(self, page),
        }
    }
}

/// Writes a text so that it ends neither an element's text nor a quoted attribute.
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

fn web_url(address: Option<&str>) -> Option<&str> {
    address.filter(|address| is_web_page(address))
}

#[cfg(test)]
mod tests;
