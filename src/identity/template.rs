//! The template of an identity header: text, and placeholders for what is known of the caller.

use serde_json::Value;

use crate::authenticate::Principal;
use crate::authenticate::granted::Granted;
use crate::authenticate::jose::claims::{ClaimPath, ClaimPathFault};
use crate::grammar::encoded;

/// A template: text and placeholders. The placeholders are `{subject}`, `{provider}`, `{scopes}`, `{roles}`, `{groups}`
/// and `{claims.<path>}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Subject,
    Provider,
    Scopes,
    Roles,
    Groups,
    Claim(ClaimPath),
}

/// The names of the placeholders, except for claims.
pub const PLACEHOLDERS: [&str; 5] = ["subject", "provider", "scopes", "roles", "groups"];

/// Why a text is not a valid template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFault {
    /// A brace has no counterpart.
    Brace,
    /// The text has characters that a header cannot carry.
    Text,
    /// The path of a claim has too many names.
    ClaimPath,
    /// There is no placeholder of this name.
    Unknown(String),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`TemplateFault`].
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or(TemplateFault::Brace)?;
            if name.contains('{') {
                return Err(TemplateFault::Brace);
            }
            push_text(&mut parts, before)?;
            parts.push(Part::of(name)?);
            rest = behind;
        }
        push_text(&mut parts, rest)?;
        Ok(Self(parts))
    }

    /// The header's value for a caller. None if a placeholder's value is absent.
    ///
    /// The elements of a list are joined by a space. A space within an element is percent-encoded. Empty elements are
    /// omitted, because the value of a header must not begin or end with a space (RFC 9113 §8.2.1).
    pub fn fill(&self, principal: &Principal, provider: &str) -> Option<String> {
        let mut value = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => value.push_str(text),
                Part::Subject => value.push_str(&encoded(principal.subject()?)),
                Part::Provider => value.push_str(&encoded(provider)),
                Part::Scopes => value.push_str(&joined(principal.scopes())?),
                Part::Roles => value.push_str(&joined(principal.roles())?),
                Part::Groups => value.push_str(&joined(principal.groups())?),
                Part::Claim(path) => {
                    value.push_str(&claim(path.find::<Value>(principal.claims())?)?)
                }
            }
        }
        Some(value)
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), TemplateFault> {
    if text.contains('}') {
        return Err(TemplateFault::Brace);
    }
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(TemplateFault::Text);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

impl Part {
    fn of(name: &str) -> Result<Self, TemplateFault> {
        Ok(match name {
            "subject" => Self::Subject,
            "provider" => Self::Provider,
            "scopes" => Self::Scopes,
            "roles" => Self::Roles,
            "groups" => Self::Groups,
            _ => match name.strip_prefix("claims.").map(ClaimPath::parse) {
                Some(Ok(path)) => Self::Claim(path),
                Some(Err(ClaimPathFault::Names)) => return Err(TemplateFault::ClaimPath),
                Some(Err(ClaimPathFault::EmptyName)) | None => {
                    return Err(TemplateFault::Unknown(name.to_owned()));
                }
            },
        })
    }
}

/// The names of a list, joined. None if all names are empty.
fn joined(names: &Granted) -> Option<String> {
    let names = names.iter().filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| encoded(name)).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// The value of a claim. A string is used as it is, another scalar or an object as JSON. The elements of a list are
/// joined.
fn claim(value: &Value) -> Option<String> {
    let scalar = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| encoded(text).into_owned()),
        other => Some(encoded(&other.to_string()).into_owned()),
    };
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(scalar).collect();
            (!items.is_empty()).then(|| items.join(" "))
        }
        other => scalar(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, TemplateFault};

    #[test]
    fn invalid_templates_are_rejected() {
        for (text, fault) in [
            ("{subject", TemplateFault::Brace),
            ("subject}", TemplateFault::Brace),
            ("{sub}", TemplateFault::Unknown("sub".to_owned())),
            ("{claims.}", TemplateFault::Unknown("claims.".to_owned())),
            ("{}", TemplateFault::Unknown(String::new())),
            (
                &format!("{{claims.{}}}", ".".repeat(32)),
                TemplateFault::ClaimPath,
            ),
            ("a\r\nb", TemplateFault::Text),
        ] {
            assert_eq!(Template::parse(text), Err(fault), "{text}");
        }
        assert!(Template::parse("user {subject} of {claims.org.unit.id}").is_ok());
        assert!(Template::parse("").is_ok());
    }
}
