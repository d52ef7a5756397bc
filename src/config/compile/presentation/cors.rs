//! Which other origins may read responses.

use std::time::Duration;

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::cors::Cors as CorsDocument;
use crate::config::fault::{Fault, InvalidCors, InvalidMatch, Warning};
use crate::config::read::{Items, List, Optional, Typed};
use crate::grammar::is_header_name;
use crate::presentation::cors::{Cors, Origins, is_origin_or_pattern};

const MAX_AGE: Duration = Duration::from_secs(600);

impl Compiler<'_> {
    pub(super) fn cors(&mut self, document: &CorsDocument) -> Cors {
        let at = At::Root.member("cors");
        // Whether cookies are allowed is not known where it could not be read.
        let credentials = document
            .allow_credentials
            .map(|typed| typed.unwrap_or(true));
        let origins = self.origins(&at, document, credentials == Ok(true));
        let allow_headers = at.member("allow_headers");
        let mut headers = self.tokens(&allow_headers, &document.allow_headers, credentials);
        let methods_at = at.member("allow_methods");
        let methods = self.tokens(&methods_at, &document.allow_methods, credentials);
        for (index, method) in methods.iter().enumerate() {
            if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
                let meant = Some(method.to_ascii_uppercase());
                self.report(&methods_at.item(index), InvalidMatch::Method { meant });
            }
        }
        let has = |name: &str| headers.iter().any(|own| own.eq_ignore_ascii_case(name));
        if has("*") && !has("authorization") {
            self.warn(&allow_headers, Warning::AnyHeader);
            headers.push("authorization".to_owned());
        }
        Cors {
            origins,
            preflight: document.preflight.given().copied().unwrap_or_default(),
            methods,
            headers,
            credentials: credentials.unwrap_or(true),
            max_age: document.max_age.given().copied().unwrap_or(MAX_AGE),
        }
    }

    fn origins(&mut self, at: &At<'_>, document: &CorsDocument, with_cookies: bool) -> Origins {
        let allow_origins = at.member("allow_origins");
        if document.allow_origins.as_ref().is_ok_and(Vec::is_empty) {
            self.report(&allow_origins, Fault::Empty("origin"));
        }
        let origins = document.allow_origins.each(&allow_origins, |at, origin| {
            let has_star = origin.contains('*');
            if origin != "*" && !is_origin_or_pattern(origin) {
                let fault = match has_star {
                    true => InvalidCors::Wildcard,
                    false => InvalidCors::Origin,
                };
                return Err(self.report(at, fault));
            }
            // The dot is the one after the star.
            if has_star && origin.bytes().filter(|byte| *byte == b'.').count() == 1 {
                self.warn(at, Warning::TopLevelOrigin);
            }
            Ok(origin.clone())
        });
        let has = |name: &str| origins.known.iter().any(|origin| origin == name);
        if with_cookies && has("null") {
            self.warn(&allow_origins, Warning::NullOrigin);
        }
        if !has("*") {
            return Origins::Only(origins.known);
        }
        if document.allow_origins.list().len() > 1 {
            self.report(&allow_origins, InvalidCors::AnyAndOthers);
        }
        if with_cookies {
            let allow_credentials = at.member("allow_credentials");
            self.report(&allow_credentials, InvalidCors::AnyWithCredentials);
        }
        Origins::Any
    }

    /// Methods or headers. Browsers that send cookies read a `*` among them as a name (Fetch §3.2.5).
    fn tokens(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
        with_cookies: Typed<bool>,
    ) -> Vec<String> {
        let tokens = typed.each(at, |at, text| {
            if text == "*" {
                if with_cookies == Ok(true) {
                    self.warn(at, Warning::AnyWithCookies);
                }
            } else if !is_header_name(text) {
                return Err(self.report(at, InvalidCors::Token));
            }
            Ok(text.clone())
        });
        tokens.known
    }
}
