//! Who may send the tokens of a provider.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::locations::scheme_in;
use crate::authenticate::dpop;
use crate::authenticate::jose::signature::{Algorithm, AlgorithmSet};
use crate::authenticate::sender::{Binding, Sender};
use crate::authenticate::{Offer, ProviderId};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::From;
use crate::config::document::providers::sender::{Dpop, Nonce};
use crate::config::fault::InvalidSender;
use crate::config::read::{List, Optional, Typed};
use crate::credential::{Grammar, LocationId};
use crate::kinds;
use crate::presentation::Protects;
use crate::scheme::SchemeSet;

/// The scheme of RFC 9449 §7.1.
const SCHEME: &str = "DPoP";

/// EdDSA has two names (RFC 8037, RFC 9864 §2.2): a client writes one of them.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ed25519];

const WINDOW: Duration = Duration::from_secs(60);

/// What was used is kept for as long.
const WINDOWS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);

impl Compiler<'_> {
    /// Who may send tokens. `at` is the location of the provider's method.
    pub(super) fn sender(
        &mut self,
        at: &At<'_>,
        sender: Typed<Option<Binding>>,
        document: &Typed<Option<Dpop>>,
    ) -> Typed<Sender> {
        let required = sender?.unwrap_or_default();
        let serves_dpop = matches!(required, Binding::Dpop | Binding::Any);
        let key = match document {
            Ok(None) if serves_dpop => "sender",
            _ => "dpop",
        };
        let written = document.as_ref().map_err(|reported| *reported)?;
        let dpop = match written {
            None if !serves_dpop => None,
            written => Some(self.proofs(&at.member(key), written.as_ref())?),
        };
        Ok(Sender { required, dpop })
    }

    /// How proofs are verified. `at` is the location of the key that asks for it.
    fn proofs(&mut self, at: &At<'_>, document: Option<&Dpop>) -> Typed<dpop::Dpop> {
        let kind = self.built(at, kinds::Dpop::BUILT, "dpop", "dpop")?;
        // RFC 9449 §7.1 forbids the scheme there.
        if self.protects == Protects::Proxy {
            return Err(self.report(at, InvalidSender::Proxy));
        }
        let Some(origin) = self.origin.clone()? else {
            return Err(self.report(at, InvalidSender::NoOrigin));
        };
        let mut dpop = dpop::Dpop {
            kind,
            algorithms: AlgorithmSet::from_iter(ALGORITHMS),
            window: WINDOW,
            needs_nonce: false,
            origin,
        };
        let Some(document) = document else {
            return Ok(dpop);
        };
        if let Some(window) = document.window? {
            if !WINDOWS.contains(&window) {
                return Err(self.report(&at.member("window"), InvalidSender::Window));
            }
            dpop.window = window;
        }
        if !document.algorithms.is_absent() {
            let at = at.member("algorithms");
            dpop.algorithms = self.proof_algorithms(&at, &document.algorithms)?;
        }
        dpop.needs_nonce = document.nonce? == Some(Nonce::Required);
        document.whole?;
        Ok(dpop)
    }

    fn proof_algorithms(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Typed<AlgorithmSet> {
        let named = self.at_least_one(at, "algorithm", typed, |this, at, name| {
            let known = Algorithm::from_name(name).filter(|known| !known.is_symmetric());
            known.ok_or_else(|| this.report(at, InvalidSender::Algorithm))
        });
        Ok(named.whole()?.into_iter().collect())
    }

    /// The locations of a provider's tokens, by who may send them. Default: after `Bearer`.
    pub(super) fn token_locations(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<From>>>,
        sender: &Typed<Sender>,
    ) -> Typed<Vec<LocationId>> {
        let sender = sender.as_ref().ok();
        let dpop = sender.and_then(|sender| sender.dpop.as_ref());
        let dpop = dpop.map(|_| self.dpop_location(at)).transpose()?;
        if sender.is_some_and(|sender| sender.required == Binding::Dpop) {
            return match typed.is_absent() {
                true => Ok(dpop.into_iter().collect()),
                false => Err(self.report(at, InvalidSender::From)),
            };
        }
        let mut ids = self.bearer_locations(at, typed)?;
        ids.extend(dpop);
        Ok(ids)
    }

    fn dpop_location(&mut self, at: &At<'_>) -> Typed<LocationId> {
        let scheme = self.scheme_name(SCHEME);
        let scheme = scheme.ok_or_else(|| self.report(at, InvalidSender::ManySchemes))?;
        let carrier = scheme_in(self.own_header(), &scheme);
        self.location_id(at, carrier, Grammar::DpopToken)
    }

    /// What a 401 offers for tokens at the locations of one provider.
    pub(super) fn token_offers(
        &mut self,
        id: ProviderId,
        locations: &[LocationId],
        sender: &Sender,
    ) -> Vec<Offer> {
        let mut offers = Vec::new();
        if sender.required != Binding::Dpop {
            offers = self.offers(locations);
        }
        if let (Some(dpop), Some((scheme, _))) = (&sender.dpop, self.scheme(SCHEME)) {
            for id in locations {
                if let Some(location) = self.locations.get_mut(id.0)
                    && location.grammar == Grammar::DpopToken
                {
                    location.schemes = SchemeSet::default().with(scheme);
                }
            }
            offers.push(Offer::Dpop {
                scheme,
                algorithms: dpop.algorithms,
                nonce_of: dpop.needs_nonce.then_some(id),
            });
        }
        offers
    }
}
