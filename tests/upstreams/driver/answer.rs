//! What came back: what a server says that it read, and under which rule the filter let the request pass.

use std::fmt;

use serde_json::Value;

use super::input::{FORGED, GOOD, Tokens, replaced};
use super::shown;
use crate::support::client::Response;
use crate::support::envoy::{DETAILS, RULE};

/// What a server says that it read; what it does not know is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    pub route: String,
    pub id: Option<String>,
    pub path: Option<String>,
    pub prefix: Option<String>,
    pub method: Option<String>,
    pub host: Option<String>,
    pub subject: Option<String>,
    pub version: Option<String>,
    pub authorization: Option<String>,
    pub token: Option<String>,
    pub session: Option<String>,
}

impl Read {
    /// The same with the names of the tokens in place of the tokens.
    pub fn with_names_of(mut self, tokens: &Tokens) -> Self {
        let values = [
            &mut self.authorization,
            &mut self.token,
            &mut self.session,
            &mut self.path,
        ];
        for value in values.into_iter().flatten() {
            let named = replaced(value.as_bytes(), &tokens.good, GOOD);
            let named = replaced(&named, &tokens.forged, FORGED);
            *value = String::from_utf8_lossy(&named).into_owned();
        }
        self
    }

    /// What a response says, if its server has served a route: a JSON object, or fields that begin with `x-read-`.
    pub fn of(response: &Response) -> Option<Self> {
        if response.status != 200 {
            return None;
        }
        let body = String::from_utf8_lossy(&response.body);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let say = |key: &str| match &body[key] {
            Value::String(text) => Some(text.clone()),
            Value::Null => {
                let value = response.values(&format!("x-read-{key}")).next()?;
                Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty())
            }
            other => Some(other.to_string()),
        };
        Some(Self {
            route: say("route")?,
            id: say("id"),
            path: say("path"),
            prefix: say("prefix"),
            method: say("method"),
            host: say("host"),
            subject: say("subject"),
            version: say("version"),
            authorization: say("authorization"),
            token: say("token"),
            session: say("session"),
        })
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "route {:?}", self.route)?;
        let values = [
            ("id", &self.id),
            ("path", &self.path),
            ("prefix", &self.prefix),
            ("method", &self.method),
            ("host", &self.host),
            ("subject", &self.subject),
            ("version", &self.version),
            ("authorization", &self.authorization),
            ("token", &self.token),
            ("session", &self.session),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                write!(f, ", {name} {:?}", shown(value.as_bytes()))?;
            }
        }
        Ok(())
    }
}

/// What became of a request at Envoy.
#[derive(Debug)]
pub struct Answer {
    /// The rule under which the filter let it pass.
    pub rule: Option<String>,
    details: String,
    /// What the server says that it read, where it has served a route.
    pub read: Option<Read>,
}

impl Answer {
    pub fn of(response: &Response) -> Self {
        let value = |name| {
            let value = response.values(name).next().unwrap_or_default();
            String::from_utf8_lossy(value).into_owned()
        };
        let details = value(DETAILS);
        let is_of_the_server = details == "via_upstream";
        let rule = Some(value(RULE)).filter(|rule| !matches!(&**rule, "" | "-"));
        Self {
            rule,
            read: is_of_the_server.then(|| Read::of(response)).flatten(),
            details,
        }
    }

    /// What a server has served under a rule.
    #[cfg(test)]
    pub fn served(rule: &str, read: Read) -> Self {
        Self {
            rule: Some(rule.to_owned()),
            details: "via_upstream".to_owned(),
            read: Some(read),
        }
    }

    /// Whether the filter let the request pass.
    pub fn passed(&self) -> bool {
        self.details == "via_upstream" || self.is_cut_off()
    }

    /// Whether the server got the request and gave no answer that Envoy could read.
    pub fn is_cut_off(&self) -> bool {
        self.is_reset() || self.details.starts_with("response_timeout")
    }

    /// Whether the connection to the server broke.
    pub fn is_reset(&self) -> bool {
        self.details.starts_with("upstream_")
    }

    /// Envoy's word on what became of it.
    pub fn details(&self) -> &str {
        &self.details
    }
}
