//! What is removed from requests on their way to the upstream.

use crate::request::FieldNames;
use crate::request::parameter::{is_cookie, is_parameter};

/// What is removed from every request that passes, however it passes.
#[derive(Debug, Clone, Default)]
pub struct Stripped {
    /// Header fields that claim something of the caller or of the request: they never decide.
    pub claims: FieldNames,
    /// Those, and others that are not for the upstream: what ends at this proxy, and other spellings of fields that
    /// decided.
    pub fields: FieldNames,
    /// Header fields that name a host, a port or a scheme: they are removed where a path stands in one.
    pub addresses: FieldNames,
    /// Header fields that hold credentials: in trailers none is judged.
    pub credentials: FieldNames,
    /// What is removed from preflights besides: credentials, and what names another method.
    pub preflight: FieldNames,
    /// Header fields in which a token follows a scheme, with that scheme: a token without one is not judged.
    pub schemes: Vec<(String, String)>,
    /// Parameters of the query that name another method or path.
    pub overrides: Vec<String>,
    /// Parameters of the query in which providers look.
    pub tokens: Vec<String>,
    /// Cookies in which providers look: other spellings are removed.
    pub cookies: Vec<String>,
}

impl Stripped {
    /// Whether a query has a parameter that is removed.
    pub fn has_parameter_in(&self, query: &[u8]) -> bool {
        let mut parameters = query.split(|byte| *byte == b'&');
        parameters.any(|parameter| self.has_parameter(parameter))
    }

    /// Whether a parameter of a query claims something of the request.
    pub fn claims_in_query(&self, query: &[u8]) -> bool {
        let mut parameters = query.split(|byte| *byte == b'&');
        parameters.any(|parameter| any(&self.overrides, parameter, is_parameter))
    }

    /// Whether a parameter of the query, as it was sent, is removed: that, or what an upstream could take for a token.
    pub fn has_parameter(&self, parameter: &[u8]) -> bool {
        let mut names = [&self.overrides, &self.tokens].into_iter();
        names.any(|names| any(names, parameter, is_parameter))
    }

    /// Whether a field of that name is removed from trailers, where nothing is judged: not even what may stand in a head.
    pub fn has_trailer(&self, name: &[u8]) -> bool {
        self.fields.have_a_spelling_of(name) || self.credentials.have(name)
    }

    /// Whether an upstream could take a cookie for one in which a provider looks.
    pub fn has_cookie(&self, cookie: &[u8]) -> bool {
        any(&self.cookies, cookie, is_cookie)
    }
}

fn any(names: &[String], sent: &[u8], is: impl Fn(&[u8], &str) -> bool) -> bool {
    names.iter().any(|name| is(sent, name))
}
