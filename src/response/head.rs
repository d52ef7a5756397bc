//! The part of a denial that all requests of the same kind share.

use std::rc::Rc;

use super::body::Contents;
use super::challenges::Terms;
use super::grpc;
use super::table::meaning;
use crate::authenticate::{Offer, ProviderId};
use crate::evaluate::Nonces;
use crate::header_map::HeaderMap;
use crate::nonce;
use crate::presentation::{Presentation, Protects};
use crate::reject::{Code, GrpcStatus, Invalid, LoginFault, Reject};
use crate::scheme::SchemeSet;

/// The part of a denial that all requests of the same kind share.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    pub code: Code,
    /// What is wrong, for people.
    pub message: &'static str,
    pub grpc_status: GrpcStatus,
    /// Whether a challenge asks for a proof, so that the response can have a nonce for one.
    pub has_proofs: bool,
    /// The challenges, and how the client can succeed with the same credential.
    headers: HeaderMap,
    /// Where a nonce of a provider stands in the headers.
    nonces: Vec<(ProviderId, usize)>,
    /// The content in each form; none if it was not prepared.
    pub contents: Option<Rc<Contents>>,
}

/// What decides about a [`Head`] besides the terms of the rule: a reason to deny, without what differs from request to
/// request, and the schemes whose challenges carry the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub reject: Reject,
    pub used: SchemeSet,
}

/// Among which denials a [`Head`] is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Among all for this reason.
    All,
    /// Among those under gates that offer and require the same.
    Gate,
    /// Among those under such gates for a credential of the same schemes, whose challenges carry the error.
    GateAndSchemes,
}

impl Sharing {
    /// That of a denial for this reason.
    pub fn of(reject: Reject) -> Self {
        match reject {
            Reject::Malformed(_)
            | Reject::Invalid(Invalid::Token(_) | Invalid::Login(LoginFault::Stale))
            | Reject::Proof(_)
            | Reject::Authentication(_)
            | Reject::Scope => Self::GateAndSchemes,
            // The error of another credential has no place in its challenge.
            Reject::Invalid(Invalid::Key(_) | Invalid::Login(_))
            | Reject::NoCredential
            | Reject::MissingCredential { .. } => Self::Gate,
            Reject::NoDocument
            | Reject::Trace
            | Reject::MethodCase
            | Reject::Authority
            | Reject::Path(_)
            | Reject::RouteAtRisk
            | Reject::RepeatedField
            | Reject::PlainHttp
            | Reject::Address
            | Reject::NoSuchMetadata
            | Reject::MetadataMethod
            | Reject::ForeignOrigin
            | Reject::Fixed
            | Reject::TooManyFailures { .. }
            | Reject::Unavailable(_)
            | Reject::ProviderNotAccepted
            | Reject::NoRule
            | Reject::Requirement(_) => Self::All,
        }
    }
}

impl Kind {
    /// The kind of a denial. `schemes` are those of the credential, if there is one.
    pub fn of(reject: Reject, schemes: SchemeSet, offers: &[Offer]) -> Self {
        let (general, schemes) = match reject {
            Reject::TooManyFailures { .. } => (Reject::TooManyFailures { retry_after: 0 }, schemes),
            Reject::MissingCredential { .. } => {
                (Reject::MissingCredential { is_first: false }, schemes)
            }
            Reject::Malformed(fault) => {
                let of_any = fault.with_schemes(SchemeSet::default());
                (Reject::Malformed(of_any), fault.attempted)
            }
            _ => (reject, schemes),
        };
        let offered = offers.iter().map(Offer::scheme);
        Self {
            reject: general,
            used: match Sharing::of(reject) {
                Sharing::GateAndSchemes => schemes.among(offered),
                Sharing::All | Sharing::Gate => SchemeSet::default(),
            },
        }
    }
}

impl Head {
    /// Makes the head. `lacks_scope` says whether the caller also lacks a scope.
    pub fn new<'n>(
        kind: Kind,
        terms: &Terms<'_>,
        presentation: &Presentation,
        lacks_scope: bool,
        nonce: &dyn Fn(ProviderId) -> Option<&'n str>,
    ) -> Self {
        let meaning = meaning(kind.reject, terms.offers, presentation);
        let mut headers = HeaderMap::with_room();
        let has_proofs = terms.put_challenges(
            &meaning,
            kind.used,
            presentation,
            lacks_scope,
            nonce,
            &mut headers,
        );
        if let Some(methods) = meaning.allow {
            headers.put("allow", methods);
        }
        if let Some(seconds) = meaning.retry_after {
            headers.put("retry-after", &seconds.to_string());
        }
        headers.shrink();
        Self {
            status: status(meaning.code, presentation.protects),
            code: meaning.code,
            message: meaning.message,
            grpc_status: grpc::status_of_denial(&meaning),
            has_proofs,
            headers,
            nonces: Vec::new(),
            contents: None,
        }
    }

    /// Makes a head whose nonces are filled in for each request. None if the offers have nonces of several providers.
    pub fn with_room_for_nonces(
        kind: Kind,
        terms: &Terms<'_>,
        presentation: &Presentation,
    ) -> Option<Self> {
        let mut of_challenges = terms.offers.iter().filter_map(|offer| match offer {
            Offer::Digest { nonce_of, .. } => Some(*nonce_of),
            _ => None,
        });
        let provider = of_challenges.next();
        if of_challenges.any(|other| Some(other) != provider) {
            return None;
        }
        let room = ROOM.repeat(nonce::LENGTH);
        let mut head = Self::new(kind, terms, presentation, false, &|_| Some(&room));
        if let Some(provider) = provider {
            let places = head.headers.places_of(room.as_bytes());
            head.nonces = places.map(|place| (provider, place)).collect();
        }
        Some(head)
    }

    /// Whether all nonces are there that the headers have room for.
    pub fn can_have(&self, nonces: &Nonces) -> bool {
        let mut own = self.nonces.iter();
        own.all(|(provider, _)| {
            nonces
                .of(*provider)
                .is_some_and(|nonce| nonce.len() == nonce::LENGTH)
        })
    }

    /// Writes the headers, with these nonces.
    pub fn write(&self, nonces: &Nonces, headers: &mut HeaderMap) {
        let start = headers.append(&self.headers);
        for (provider, place) in &self.nonces {
            let nonce = nonces.of(*provider).unwrap_or_default();
            headers.overwrite(start + place, nonce.as_bytes());
        }
    }

    /// How much memory it takes, in bytes, without its contents.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.headers.len()
            + self.nonces.len() * size_of::<(ProviderId, usize)>()
    }
}

/// What stands for a byte of a nonce. No header has it.
const ROOM: &str = "\u{1}";

/// The status of a code. A proxy asks for credentials with 407 (RFC 9110 §15.5.8).
fn status(code: Code, protects: Protects) -> u16 {
    match (code.status(), protects) {
        (401, Protects::Proxy) => 407,
        (status, Protects::Origin | Protects::Proxy) => status,
    }
}
