//! Redirects: from plain HTTP to HTTPS, and of browsers to the page where people sign in.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::headers::put_common;
use super::negotiate::prefers_html;
use super::{Exchange, Reply};
use crate::presentation::Protects;
use crate::reject::{Code, Reject};
use crate::request::Field;
use crate::request::path::Readings;
use crate::request::query::without_parameters;

/// A redirect in place of an error.
pub(super) struct Redirect {
    status: u16,
    location: String,
}

impl Exchange<'_> {
    /// Where the client is sent in place of an error; none if it receives the error. gRPC clients follow no redirect.
    pub(super) fn redirect(&self, reject: Reject, code: Code) -> Option<Redirect> {
        if self.request.is_grpc() {
            return None;
        }
        if reject == Reject::PlainHttp {
            return self.to_https();
        }
        // A person who has signed in already would be sent to and fro.
        let has_signed_in = reject == Reject::MissingCredential { is_first: false };
        if has_signed_in || !self.is_navigation() {
            return None;
        }
        Some(Redirect {
            status: 302,
            location: self.sign_in(code)?,
        })
    }

    pub(super) fn redirected(&self, redirect: Redirect, reply: &mut Reply) {
        reply.status = redirect.status;
        reply.headers.put("location", &redirect.location);
        put_common(self.presentation, &mut reply.headers);
        self.put_cors(&mut reply.headers);
    }

    fn to_https(&self) -> Option<Redirect> {
        let origin = self.presentation.https_origin.as_ref()?;
        let target = self.target()?;
        let target = percent_encode(target.strip_prefix(b"/")?, NOT_IN_A_TARGET);
        Some(Redirect {
            status: 308,
            location: format!("{origin}/{target}"),
        })
    }

    /// Whether a person in a browser asked for a page (Fetch Metadata, `Sec-Fetch-Mode`).
    fn is_navigation(&self) -> bool {
        self.request.method() == b"GET"
            && match self.request.field(b"sec-fetch-mode") {
                Field::One(mode) => mode == b"navigate",
                Field::None => {
                    self.request.field(b"x-requested-with") == Field::None
                        && prefers_html(self.request.values(b"accept"))
                }
                Field::Many => false,
            }
    }

    /// The URL where a person can sign in; none if that does not help. A proxy's credentials come from the browser.
    pub(super) fn sign_in(&self, code: Code) -> Option<String> {
        let login = self.presentation.login.as_ref()?;
        if self.presentation.protects == Protects::Proxy || !is_solved_by_signing_in(code) {
            return None;
        }
        Some(login.location(&self.target()?))
    }

    /// The request's target as a URL may repeat it; none if upstreams read it in different ways.
    ///
    /// Parameters with tokens are removed: they would reach the logs of another site, and the browser's history (RFC 6750
    /// §5.3).
    fn target(&self) -> Option<Cow<'_, [u8]>> {
        let target = self.request.target()?;
        let readings = Readings::of_target(Some(target)).ok()?;
        if !readings.is_plain() {
            return None;
        }
        let tokens = self.presentation.query_tokens.iter().map(String::as_str);
        Some(without_parameters(target, tokens).map_or(Cow::Borrowed(target), Cow::Owned))
    }
}

/// Whether a new sign-in solves the error: the credential is missing, or it is not valid.
fn is_solved_by_signing_in(code: Code) -> bool {
    match code {
        Code::Unauthorized | Code::InvalidToken | Code::InvalidCredentials => true,
        Code::InvalidRequest
        | Code::AmbiguousPath
        | Code::InvalidDpopProof
        | Code::UseDpopNonce
        | Code::InsufficientUserAuthentication
        | Code::InsufficientScope
        | Code::Forbidden
        | Code::AddressNotAllowed
        | Code::InvalidOrigin
        | Code::HttpsRequired
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::TooManyFailures
        | Code::TemporarilyUnavailable
        | Code::Respond => false,
    }
}

/// The bytes that no request target contains (RFC 3986 §2). They are percent-encoded in `Location`.
const NOT_IN_A_TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
