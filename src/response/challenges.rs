//! The challenges of a response: which schemes have one, and what it says.

use super::Exchange;
use super::challenge::{Challenge, Digest, ErrorCode, OAuth};
use super::table::{Challenges, Meaning};
use crate::authenticate::jose::signature::Algorithm;
use crate::authenticate::{Offer, ProviderId};
use crate::authorize::Required;
use crate::evaluate::Decision;
use crate::header_map::HeaderMap;
use crate::presentation::{Presentation, Protects};
use crate::reject::{Code, Reject};
use crate::scheme::SchemeSet;

/// What a denial tells the client about the rule: what it offers, and what it requires.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub offers: &'a [Offer],
    pub requirements: Option<Required<'a>>,
}

/// What a challenge says besides its scheme and the realm.
struct Content<'a> {
    error: Option<ErrorCode>,
    is_stale: bool,
    lacks_scope: bool,
    message: &'static str,
    nonce: &'a dyn Fn(ProviderId) -> Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// The terms of a decision.
    pub fn of(decision: &'a Decision<'_>) -> Self {
        Self {
            offers: &decision.offers,
            requirements: decision.requirements,
        }
    }

    /// Appends the challenges, in the order of the offers (RFC 9110 §11.6.1, §11.7.1). Returns whether one asks for a proof.
    ///
    /// An error is on the challenges of the schemes that were `used`. The client can use the other schemes as if it had sent
    /// no credential.
    pub fn put_challenges<'n>(
        &self,
        meaning: &Meaning,
        used: SchemeSet,
        presentation: &Presentation,
        lacks_scope: bool,
        nonce: &dyn Fn(ProviderId) -> Option<&'n str>,
        headers: &mut HeaderMap,
    ) -> bool {
        let name = match presentation.protects {
            Protects::Origin => "www-authenticate",
            Protects::Proxy => "proxy-authenticate",
        };
        let has_error = |offer: &&Offer| used.contains(offer.scheme()) && offer.has_errors();
        let mut has_proofs = false;
        // A caller with an API key can get a token in its place.
        let asks_others = matches!(meaning.code, Code::InsufficientUserAuthentication)
            && !self.offers.iter().any(|offer| has_error(&offer));
        for offer in self.offers {
            let is_used = used.contains(offer.scheme());
            let has_error = has_error(&offer) || asks_others && offer.has_errors();
            let error = match meaning.challenges {
                Challenges::Plain | Challenges::Stale => None,
                Challenges::Failed(error) => has_error.then_some(error),
                Challenges::Attempted(error) if is_used => has_error.then_some(error),
                Challenges::Scope if has_error && presentation.forbidden_challenge => {
                    Some(ErrorCode::InsufficientScope)
                }
                Challenges::None | Challenges::Attempted(_) | Challenges::Scope => continue,
            };
            let content = Content {
                error,
                is_stale: is_used && matches!(meaning.challenges, Challenges::Stale),
                lacks_scope,
                message: meaning.message,
                nonce: &|provider| nonce(provider),
            };
            let challenge = self.challenge(offer, &content, presentation).to_string();
            has_proofs |= matches!(offer, Offer::Dpop { .. });
            // Offers of proofs differ in the provider of their nonce, which is not in the challenge.
            if !headers.iter().any(|(_, value)| value == challenge) {
                headers.put(name, &challenge);
            }
        }
        has_proofs
    }

    /// The challenge of an offer. Only the schemes of OAuth have errors.
    fn challenge<'c>(
        &self,
        offer: &'c Offer,
        content: &Content<'c>,
        presentation: &'c Presentation,
    ) -> Challenge<'c>
    where
        'a: 'c,
    {
        let realm = &presentation.realm;
        match offer {
            Offer::Bearer { name, .. } => {
                Challenge::bearer(name, realm, &self.oauth(content, presentation))
            }
            Offer::Basic { .. } => Challenge::basic(realm),
            Offer::Dpop { algorithms, .. } => {
                let names: Vec<_> = algorithms.iter().map(Algorithm::name).collect();
                Challenge::dpop(realm, &names, &self.oauth(content, presentation))
            }
            Offer::Digest {
                algorithm,
                opaque,
                nonce_of,
                ..
            } => Challenge::digest(
                realm,
                &Digest {
                    algorithm: algorithm.name(),
                    nonce: (content.nonce)(*nonce_of).unwrap_or_default(),
                    opaque,
                    stale: content.is_stale,
                },
            ),
            Offer::ApiKey { part, name, .. } => Challenge::api_key(realm, *part, name),
        }
    }

    /// The parameters of the schemes of OAuth.
    fn oauth<'c>(&self, content: &Content<'_>, presentation: &'c Presentation) -> OAuth<'c>
    where
        'a: 'c,
    {
        let error = content.error;
        let description = error.filter(|_| presentation.error_description);
        let metadata = presentation.metadata.as_ref();
        let mut oauth = OAuth {
            error,
            error_description: description.map(|_| content.message),
            resource_metadata: metadata.map(|metadata| metadata.url.as_str()),
            ..OAuth::default()
        };
        let Some(requirements) = self.requirements else {
            return oauth;
        };
        if error == Some(ErrorCode::InsufficientUserAuthentication) {
            oauth.acr_values.extend(requirements.classes());
            oauth.max_age = requirements.max_age();
        }
        if names_scopes(error, content.lacks_scope, presentation) {
            oauth.scope = requirements.scopes_to_ask_for();
        }
        oauth
    }
}

/// Whether a challenge names the scopes of the rule.
fn names_scopes(error: Option<ErrorCode>, lacks_scope: bool, presentation: &Presentation) -> bool {
    match error {
        Some(ErrorCode::InsufficientScope) => true,
        // The client asks for both at once, since it would be denied for the scope next (RFC 9470 §3).
        Some(ErrorCode::InsufficientUserAuthentication) => {
            presentation.challenge_scope || lacks_scope
        }
        Some(ErrorCode::InvalidRequest) => false,
        None
        | Some(ErrorCode::InvalidToken | ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce) => {
            presentation.challenge_scope
        }
    }
}

impl Exchange<'_> {
    /// Whether the caller also lacks a scope.
    pub(super) fn lacks_scope(&self) -> bool {
        let decision = self.decision;
        match (decision.requirements, decision.principal()) {
            (Some(requirements), Some(principal)) => {
                !requirements.missing(Reject::Scope, principal).is_empty()
            }
            (None, _) | (_, None) => false,
        }
    }
}
