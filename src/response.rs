//! Decision → Reply: what a client gets back.
//!
//! `table` says what each refusal means, one `match` without a catch-all; the rest is how it is said: the challenges,
//! the content in the form that was asked for, and what browsers and gRPC clients need besides.

pub mod body;
pub mod challenge;
mod cors;
mod grpc;
pub mod negotiate;
pub mod page;
mod table;

use std::borrow::Cow;

use self::body::{Explanation, Form, render};
use self::challenge::{Challenge, ErrorCode, OAuth};
use self::negotiate::{form_for, prefers_html};
use self::table::{Challenges, Meaning};
use crate::authenticate::Offer;
use crate::credential::without_parameters;
use crate::evaluate::{Answer, Decision, Verdict};
use crate::grammar::encoded;
use crate::presentation::fixed::FixedReply;
use crate::presentation::{BodyForm, Presentation, Protects};
use crate::reject::Reject;
use crate::request::path::Readings;
use crate::request::{Field, RequestView};
use crate::scheme::Scheme;
use crate::time::Timestamp;

/// A response of the filter's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code. A gRPC call is answered with 200 and a `grpc-status` of its own, which the host sees to.
    pub status: u16,
    /// The error, as counters name it.
    pub error: &'static str,
    /// Response code details for access logs: `countersign_` and the reason.
    pub details: String,
    /// Header fields in order, names in lower case.
    pub headers: Headers,
    /// The content; for HEAD the host leaves it out and keeps its length (RFC 9110 §9.3.2).
    pub body: String,
}

/// Header fields in order, names in lower case.
pub type Headers = Vec<(Cow<'static, str>, String)>;

/// The answer to a request; nothing where the decision is to let it pass.
///
/// In the shadow a refusal has its answer too: nobody is sent it, and it says what would have been.
pub fn reply(
    decision: &Decision<'_>,
    presentation: &Presentation,
    request: &RequestView<'_>,
    now: Timestamp,
) -> Option<Reply> {
    let replying = Replying {
        decision,
        presentation,
        request,
        now,
    };
    match decision.verdict {
        Verdict::Passes(_) => None,
        Verdict::Answers(answer) => Some(replying.answer(answer)),
        Verdict::Refused(reject) => Some(replying.refusal(reject)),
    }
}

struct Replying<'r> {
    decision: &'r Decision<'r>,
    presentation: &'r Presentation,
    request: &'r RequestView<'r>,
    now: Timestamp,
}

impl Replying<'_> {
    #[inline(never)]
    fn answer(&self, answer: Answer) -> Reply {
        let mut headers = Headers::new();
        let (status, details, body) = match answer {
            Answer::Metadata => {
                // Public data that nobody needs a credential for; it changes with the document (RFC 9728 §7.10).
                put(&mut headers, "cache-control", "public, max-age=3600");
                put(&mut headers, "access-control-allow-origin", "*");
                put(&mut headers, "x-content-type-options", "nosniff");
                put(&mut headers, "content-type", "application/json");
                let metadata = self.presentation.metadata.as_ref();
                let json = metadata.map(|metadata| metadata.json.clone());
                (200, "countersign_metadata", json.unwrap_or_default())
            }
            Answer::MetadataPreflight => {
                cors::allow_reading_metadata(self.request, &mut headers);
                (204, "countersign_metadata", String::new())
            }
            Answer::Preflight => {
                if let Some(cors) = &self.presentation.cors {
                    cors::answer_preflight(cors, self.request, &mut headers);
                }
                (204, "countersign_preflight", String::new())
            }
        };
        Reply {
            status,
            error: "none",
            details: details.to_owned(),
            headers,
            body,
        }
    }

    #[inline(never)]
    fn refusal(&self, reject: Reject) -> Reply {
        let mut meaning = table::meaning(reject, self.decision);
        if !self.presentation.error_description {
            meaning = meaning.without_detail();
        }
        let details = format!("countersign_{}", reject.reason());
        if let Some((fixed, error)) = self.fixed(reject) {
            return self.as_written(fixed, error, details);
        }
        if let Some(location) = self.elsewhere(reject, &meaning) {
            return self.redirect(&location, &meaning, details);
        }
        let status = self.status(&meaning);
        let mut headers = Headers::with_capacity(10);
        for challenge in self.challenges(&meaning) {
            let name = match self.presentation.protects {
                Protects::Origin => "www-authenticate",
                Protects::Proxy => "proxy-authenticate",
            };
            put(&mut headers, name, challenge.to_string());
        }
        if let Some(allow) = meaning.allow {
            put(&mut headers, "allow", allow);
        }
        if let Some(seconds) = meaning.retry_after {
            put(&mut headers, "retry-after", seconds.to_string());
        }
        self.hint(reject, &mut headers);
        put(&mut headers, "cache-control", "no-store");
        put(&mut headers, "x-content-type-options", "nosniff");
        self.vary_and_cors(&mut headers);
        let body = if self.request.is_grpc() {
            grpc::speak(&meaning, &mut headers)
        } else {
            self.explain(&meaning, status, &mut headers)
        };
        Reply {
            status,
            error: meaning.error,
            details,
            headers,
            body,
        }
    }

    /// A proxy asks for credentials by a status of its own (RFC 9110 §15.5.8).
    fn status(&self, meaning: &Meaning) -> u16 {
        match (meaning.status, self.presentation.protects) {
            (401, Protects::Proxy) => 407,
            (status, _) => status,
        }
    }

    /// The answer that stands in the document, and its name for counters.
    fn fixed(&self, reject: Reject) -> Option<(&FixedReply, &'static str)> {
        if let (Reject::Fixed, Some(fixed)) = (reject, self.decision.fixed) {
            return Some((fixed, "respond"));
        }
        let not_found = (&self.presentation.not_found, "not_found");
        self.decision.hides.then_some(not_found)
    }

    fn as_written(&self, fixed: &FixedReply, error: &'static str, details: String) -> Reply {
        let written = fixed.headers.iter();
        let mut headers: Headers = written
            .map(|(name, value)| (Cow::Owned(name.clone()), value.clone()))
            .collect();
        if !fixed.sets("cache-control") {
            put(&mut headers, "cache-control", "no-store");
        }
        // Two answers to who may read it would let nobody (Fetch, "CORS check").
        if let Some(cors) = &self.presentation.cors
            && !fixed.sets("access-control-allow-origin")
        {
            put(&mut headers, "vary", "origin");
            cors::allow_reading(cors, self.request, &mut headers);
        }
        let mut body = fixed.body.clone();
        if self.request.is_grpc() {
            // The host writes its own content type, and the content is the message.
            headers.retain(|(name, _)| name != "content-type");
            body = grpc::speak_of(fixed, &mut headers);
        }
        Reply {
            status: fixed.status,
            error,
            details,
            headers,
            body,
        }
    }

    /// Where a browser, or plain HTTP, is sent instead of being refused.
    fn elsewhere(&self, reject: Reject, meaning: &Meaning) -> Option<Redirect> {
        if self.request.is_grpc() {
            return None;
        }
        if reject == Reject::PlainHttp {
            let origin = self.presentation.https_origin.as_ref()?;
            let target = self.target()?;
            let target = target.strip_prefix(b"/")?;
            let target = percent_encoding::percent_encode(target, NOT_IN_A_TARGET);
            return Some(Redirect {
                status: 308,
                location: format!("{origin}/{target}"),
            });
        }
        let location = self.is_navigation().then(|| self.sign_in(meaning))??;
        Some(Redirect {
            status: 302,
            location,
        })
    }

    fn redirect(&self, to: &Redirect, meaning: &Meaning, details: String) -> Reply {
        let mut headers = Headers::with_capacity(4);
        put(&mut headers, "location", to.location.clone());
        put(&mut headers, "cache-control", "no-store");
        put(&mut headers, "x-content-type-options", "nosniff");
        self.vary_and_cors(&mut headers);
        Reply {
            status: to.status,
            error: meaning.error,
            details,
            headers,
            body: String::new(),
        }
    }

    /// Whether a person at a browser asked for a page (Fetch Metadata, `Sec-Fetch-Mode`).
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

    /// One challenge a scheme, in the order of the schemes in play.
    fn challenges(&self, meaning: &Meaning) -> Vec<Challenge> {
        let schemes = self.decision.offers.iter().map(Offer::scheme);
        match meaning.challenges {
            Challenges::None => Vec::new(),
            Challenges::Plain => schemes
                .map(|scheme| self.challenge(scheme, None, meaning))
                .collect(),
            Challenges::Failed(error) => schemes
                .map(|scheme| self.challenge(scheme, Some(error), meaning))
                .collect(),
            Challenges::Attempted(malformed, error) => schemes
                .filter(|scheme| malformed.attempted.contains(*scheme))
                .map(|scheme| self.challenge(scheme, Some(error), meaning))
                .collect(),
            Challenges::Scope if self.presentation.forbidden_challenge => schemes
                .map(|scheme| self.challenge(scheme, Some(ErrorCode::InsufficientScope), meaning))
                .collect(),
            Challenges::Scope => Vec::new(),
        }
    }

    fn challenge(&self, scheme: Scheme, error: Option<ErrorCode>, meaning: &Meaning) -> Challenge {
        let presentation = self.presentation;
        let description = error.filter(|_| presentation.error_description);
        let metadata = presentation.metadata.as_ref();
        let mut oauth = OAuth {
            error,
            error_description: description.map(|_| meaning.message),
            resource_metadata: metadata.map(|metadata| metadata.url.as_str()),
            ..OAuth::default()
        };
        if let Some(requirements) = self.decision.requirements {
            let weak = error == Some(ErrorCode::InsufficientUserAuthentication);
            if weak {
                oauth
                    .acr_values
                    .extend(requirements.acr.iter().map(String::as_str));
                oauth.max_age = requirements.max_age;
            }
            // In the same breath, where it would be asked for next (RFC 9470 §3).
            let principal = self.decision.principal();
            let lacks_scope = || {
                principal
                    .is_some_and(|caller| !requirements.missing(Reject::Scope, caller).is_empty())
            };
            if error == Some(ErrorCode::InsufficientScope)
                || weak && lacks_scope()
                || presentation.challenge_scope && error != Some(ErrorCode::InvalidRequest)
            {
                oauth.scope = requirements.scopes_to_ask_for();
            }
        }
        match scheme {
            Scheme::Bearer => Challenge::bearer(&presentation.realm, &oauth),
        }
    }

    /// The content, and the fields that describe it.
    fn explain(&self, meaning: &Meaning, status: u16, headers: &mut Headers) -> String {
        let presentation = self.presentation;
        let form = match presentation.body {
            BodyForm::Negotiate => form_for(self.request.values(b"accept")),
            BodyForm::Always(form) => form,
        };
        let explanation = Explanation {
            error: meaning.error,
            title: body::title_of(meaning.error),
            message: meaning.message,
            status,
            timestamp: self.now,
            request_id: self.request.id(),
            documentation: presentation.documentation.as_deref(),
            action: presentation
                .request_access
                .as_deref()
                .filter(|_| status == 403),
            realm: &presentation.realm,
        };
        let page = presentation
            .pages
            .get(&status)
            .unwrap_or(&presentation.page);
        let content = render(form, &explanation, page, self.sign_in(meaning).as_deref());
        if let Some(content_type) = content.content_type {
            put(headers, "content-type", content_type);
        }
        if form == Form::Html && !presentation.pages.contains_key(&status) {
            put(headers, "content-security-policy", page::POLICY);
        }
        content.text
    }

    /// Where a person signs in, if that could help.
    fn sign_in(&self, meaning: &Meaning) -> Option<String> {
        let login = self.presentation.login.as_ref()?;
        if !self.can_be_mended_by_signing_in(meaning) {
            return None;
        }
        Some(login.location(&self.target()?))
    }

    /// The target as an address may repeat it: one that everybody reads alike, and without tokens, which would stand in
    /// the logs of whoever it leads to, and in the browser's history (RFC 6750 §5.3).
    fn target(&self) -> Option<Cow<'_, [u8]>> {
        let target = self.request.target()?;
        let readings = Readings::of_target(Some(target)).ok()?;
        if !readings.is_plain() {
            return None;
        }
        let tokens = self.presentation.query_tokens.iter().map(String::as_str);
        Some(without_parameters(target, tokens).map_or(Cow::Borrowed(target), Cow::Owned))
    }

    /// Whether a person could help it by signing in: nothing was shown, or it was refused. A proxy asks otherwise.
    fn can_be_mended_by_signing_in(&self, meaning: &Meaning) -> bool {
        self.presentation.protects == Protects::Origin
            && matches!(
                meaning.challenges,
                Challenges::Plain | Challenges::Failed(ErrorCode::InvalidToken)
            )
    }

    /// What is missing, where the document wants it said.
    fn hint(&self, reject: Reject, headers: &mut Headers) {
        let decision = self.decision;
        if let (true, Some(requirements), Some(principal)) = (
            self.presentation.hints,
            decision.requirements,
            decision.principal(),
        ) {
            let missing = requirements.missing(reject, principal);
            if !missing.is_empty() {
                // A name of the document may hold a space, or what no field can carry.
                let names: Vec<_> = missing.into_iter().map(encoded).collect();
                put(headers, "x-permission-required", names.join(" "));
            }
        }
    }

    /// What the answer depends on (RFC 9110 §12.5.5), and who else may read it.
    fn vary_and_cors(&self, headers: &mut Headers) {
        let presentation = self.presentation;
        let mut depends_on = Vec::with_capacity(4);
        if presentation.body == BodyForm::Negotiate || presentation.login.is_some() {
            depends_on.push("accept");
        }
        if presentation.login.is_some() {
            depends_on.extend(["sec-fetch-mode", "x-requested-with"]);
        }
        if presentation.cors.is_some() {
            depends_on.push("origin");
        }
        if !depends_on.is_empty() {
            put(headers, "vary", depends_on.join(", "));
        }
        if let Some(cors) = &presentation.cors {
            cors::allow_reading(cors, self.request, headers);
        }
    }
}

/// Another address, and how to say so.
struct Redirect {
    status: u16,
    location: String,
}

/// What is written as an escape in a `Location`: what no request target has (RFC 3986 §2).
const NOT_IN_A_TARGET: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
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

fn put(headers: &mut Headers, name: &'static str, value: impl Into<String>) {
    headers.push((Cow::Borrowed(name), value.into()));
}
