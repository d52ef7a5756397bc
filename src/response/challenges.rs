//! The challenges of a response: which schemes have one, and what it says.

use super::Exchange;
use super::challenge::{Challenge, Digest, ErrorCode, OAuth};
use super::headers::{Headers, put};
use super::table::{Challenges, Meaning};
use crate::authenticate::Offer;
use crate::authenticate::jose::signature::Algorithm;
use crate::presentation::Protects;
use crate::reject::{Code, Reject};

impl Exchange<'_> {
    /// Appends the challenges, in the order of the offers (RFC 9110 §11.6.1, §11.7.1).
    ///
    /// An error is on the challenge of the scheme that was used. The client can use the other schemes as if it had sent no
    /// credential.
    pub(super) fn put_challenges(&self, meaning: &Meaning, headers: &mut Headers) {
        let name = match self.presentation.protects {
            Protects::Origin => "www-authenticate",
            Protects::Proxy => "proxy-authenticate",
        };
        let used = match &meaning.challenges {
            Challenges::Attempted(malformed, _) => malformed.attempted,
            _ => self.decision.schemes,
        };
        let offers = &*self.decision.offers;
        let used = used.among(offers.iter().map(Offer::scheme));
        let has_error = |offer: &&Offer| used.contains(offer.scheme()) && offer.has_errors();
        let mut has_dpop = false;
        // A caller with an API key can get a token in its place.
        let asks_others = matches!(meaning.code, Code::InsufficientUserAuthentication)
            && !offers.iter().any(|offer| has_error(&offer));
        for offer in offers {
            let is_used = used.contains(offer.scheme());
            let has_error = has_error(&offer) || asks_others && offer.has_errors();
            let error = match meaning.challenges {
                Challenges::Plain | Challenges::Stale => None,
                Challenges::Failed(error) => has_error.then_some(error),
                Challenges::Attempted(_, error) if is_used => has_error.then_some(error),
                Challenges::Scope if has_error && self.presentation.forbidden_challenge => {
                    Some(ErrorCode::InsufficientScope)
                }
                Challenges::None | Challenges::Attempted(..) | Challenges::Scope => continue,
            };
            let is_stale = is_used && matches!(meaning.challenges, Challenges::Stale);
            let challenge = self.challenge(offer, error, is_stale, meaning.message);
            let challenge = challenge.to_string();
            has_dpop |= matches!(offer, Offer::Dpop { .. });
            // Offers of proofs differ in the provider of their nonce, which is not in the challenge.
            if !headers.iter().any(|(_, value)| *value == challenge) {
                put(headers, name, challenge);
            }
        }
        // A client that is asked for a nonce gets one, also where the rule does not accept the provider of its token.
        has_dpop |= meaning.code == Code::UseDpopNonce;
        if has_dpop && let Some(nonce) = self.decision.nonces.of_proofs(offers) {
            put(headers, "dpop-nonce", nonce);
        }
    }

    /// The challenge of an offer. Only the schemes of OAuth have errors.
    fn challenge<'a>(
        &'a self,
        offer: &'a Offer,
        error: Option<ErrorCode>,
        is_stale: bool,
        message: &'static str,
    ) -> Challenge<'a> {
        let realm = &self.presentation.realm;
        match offer {
            Offer::Bearer { name, .. } => {
                Challenge::bearer(name, realm, &self.oauth(error, message))
            }
            Offer::Basic { .. } => Challenge::basic(realm),
            Offer::Dpop { algorithms, .. } => {
                let names: Vec<_> = algorithms.iter().map(Algorithm::name).collect();
                Challenge::dpop(realm, &names, &self.oauth(error, message))
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
                    nonce: self.decision.nonces.of(*nonce_of).unwrap_or_default(),
                    opaque,
                    stale: is_stale,
                },
            ),
            Offer::ApiKey { part, name, .. } => Challenge::api_key(realm, *part, name),
        }
    }

    /// The parameters of the schemes of OAuth.
    fn oauth(&self, error: Option<ErrorCode>, message: &'static str) -> OAuth<'_> {
        let presentation = self.presentation;
        let description = error.filter(|_| presentation.error_description);
        let metadata = presentation.metadata.as_ref();
        let mut oauth = OAuth {
            error,
            error_description: description.map(|_| message),
            resource_metadata: metadata.map(|metadata| metadata.url.as_str()),
            ..OAuth::default()
        };
        let Some(requirements) = self.decision.requirements else {
            return oauth;
        };
        if error == Some(ErrorCode::InsufficientUserAuthentication) {
            oauth.acr_values.extend(requirements.classes());
            oauth.max_age = requirements.max_age();
        }
        if self.names_scopes(error) {
            oauth.scope = requirements.scopes_to_ask_for();
        }
        oauth
    }

    /// Whether a challenge names the scopes of the rule.
    fn names_scopes(&self, error: Option<ErrorCode>) -> bool {
        match error {
            Some(ErrorCode::InsufficientScope) => true,
            // The client asks for both at once, since it would be denied for the scope next (RFC 9470 §3).
            Some(ErrorCode::InsufficientUserAuthentication) => {
                self.presentation.challenge_scope || self.lacks_scope()
            }
            Some(ErrorCode::InvalidRequest) => false,
            None
            | Some(
                ErrorCode::InvalidToken | ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce,
            ) => self.presentation.challenge_scope,
        }
    }

    fn lacks_scope(&self) -> bool {
        let decision = self.decision;
        match (decision.requirements, decision.principal()) {
            (Some(requirements), Some(principal)) => {
                !requirements.missing(Reject::Scope, principal).is_empty()
            }
            (None, _) | (_, None) => false,
        }
    }
}
