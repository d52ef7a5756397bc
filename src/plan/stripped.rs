//! What the filter removes from requests on their way to the upstream.

use crate::credential::Grammar;
use crate::credential::LocationId;
use crate::request::FieldNames;
use crate::request::parameter::{is_cookie, is_parameter};

/// What the filter removes from every request that it forwards.
#[derive(Debug, Clone, Default)]
pub struct Stripped {
    /// Headers that claim something about the caller or the request. They never influence a decision.
    pub claims: FieldNames,
    /// All headers to remove: the claims, the headers that end at this proxy, and other spellings of headers that
    /// decided.
    pub fields: FieldNames,
    /// Headers that name a host, a port or a scheme. They are removed if they contain a path.
    pub addresses: FieldNames,
    /// The last two together, for one question about most names.
    pub either: FieldNames,
    /// Headers that contain credentials. They are removed from trailers, in which the filter verifies no credentials.
    pub credentials: FieldNames,
    /// Headers that are also removed from preflights: credentials, and headers that name another method.
    pub preflight: FieldNames,
    /// Headers in which a credential follows a scheme. A credential without the scheme is removed, unless it is read
    /// there as well.
    pub schemes: Vec<AfterScheme>,
    /// Query parameters that name another method or path.
    pub overrides: Vec<String>,
    /// Query parameters in which providers look for tokens.
    pub tokens: Vec<String>,
    /// Cookies in which providers look for tokens. Other spellings of them are removed.
    pub cookies: Vec<String>,
}

/// A header that contains a credential after a scheme.
#[derive(Debug, Clone)]
pub struct AfterScheme {
    /// The header's name, in lower case.
    pub field: String,
    /// The scheme's name, in any case.
    pub scheme: String,
    /// The grammar of the credential.
    pub grammar: Grammar,
    /// The location of the credential after the scheme.
    pub location: LocationId,
    /// The location of a credential without the scheme, if one is read.
    pub alone: Option<LocationId>,
}

impl Stripped {
    /// Whether a query has a parameter to remove.
    pub fn has_parameter_in(&self, query: &[u8]) -> bool {
        let mut parameters = query.split(|byte| *byte == b'&');
        parameters.any(|parameter| self.has_parameter(parameter))
    }

    /// Whether a query has a parameter that names another method or path.
    pub fn claims_in_query(&self, query: &[u8]) -> bool {
        let mut parameters = query.split(|byte| *byte == b'&');
        parameters.any(|parameter| any(&self.overrides, parameter, is_parameter))
    }

    /// Whether a query parameter, as sent, is one to remove: it names another method or path, or an upstream could read
    /// it as a token.
    pub fn has_parameter(&self, parameter: &[u8]) -> bool {
        let mut names = [&self.overrides, &self.tokens].into_iter();
        names.any(|names| any(names, parameter, is_parameter))
    }

    /// Whether a trailer with this name is removed. The filter verifies nothing in trailers, so that it removes
    /// credentials from them that it would forward in a header.
    pub fn has_trailer(&self, name: &[u8]) -> bool {
        self.fields.have_a_spelling_of(name) || self.credentials.have(name)
    }

    /// Whether an upstream could read a cookie, as sent, as one in which a provider looks for tokens.
    pub fn has_cookie(&self, cookie: &[u8]) -> bool {
        any(&self.cookies, cookie, is_cookie)
    }
}

fn any(names: &[String], sent: &[u8], is: impl Fn(&[u8], &str) -> bool) -> bool {
    names.iter().any(|name| is(sent, name))
}
