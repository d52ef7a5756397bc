//! Proofs of possession: what a request must show besides a credential that was verified.
//!
//! The result of verifying a token is cached. What this file checks is different for each request: a proof (RFC 9449), the
//! certificate of the connection (RFC 8705), the nonce of a Digest credential (RFC 7616).

use super::effects::{Use, Used};
use super::identify::Candidate;
use super::nonces::nonce_key;
use super::trace::{Step, Trace};
use super::{Circumstances, Decision, Effects, Evaluation, Stop};
use crate::authenticate::dpop::{Dpop, Proof, ProofRefusal, Target};
use crate::authenticate::{Evidence, Principal, Provider};
use crate::authorize::Gate;
use crate::credential::{Grammar, Shown};
use crate::reject::{Invalid, ProofFault, Reject, TokenFault, Unavailable};
use crate::request::Field;

impl<'p> Evaluation<'p, '_> {
    /// Whether a request must show something besides this caller's credential.
    pub(super) fn asks_for_proof(&self, caller: &Principal) -> bool {
        self.policy.asks_for_proofs || caller.confirmation().is_some()
    }

    /// Checks that the client has the key to which a credential is bound, and notes what may be used only once.
    #[inline(never)]
    pub(super) fn prove_possession(
        &self,
        gate: &Gate,
        candidate: &Candidate<'_, '_>,
        caller: &Principal,
        decision: &mut Decision<'p>,
        effects: &mut Effects,
        trace: &mut impl Trace,
    ) -> Result<(), Stop> {
        let id = caller.provider();
        let Some(provider) = self.policy.providers.get(id.0) else {
            return Ok(());
        };
        let presented = candidate.presented;
        if let (Shown::Digest(credential), Evidence::Digest(until)) =
            (&presented.shown, caller.evidence())
        {
            let parts = [
                provider.name.as_bytes(),
                credential.nonce(),
                credential.nc(),
            ];
            effects.use_once(Use {
                id: self.store.replays.id(&parts),
                until: *until,
                used: Used::Nonce,
                schemes: presented.schemes,
            });
            trace.step(Step::Proven("a response with a nonce"));
            return Ok(());
        }
        let Some(sender) = provider.method.sender() else {
            return Ok(());
        };
        let location = self.policy.locations.get(presented.location.0);
        let by_dpop = location.is_some_and(|location| location.grammar == Grammar::DpopToken);
        let certificate = || self.request.peer()?.digest();
        let confirmation = caller.confirmation();
        let checked = sender.check(confirmation, by_dpop, certificate);
        checked.map_err(Invalid::Token)?;
        if confirmation.is_some_and(|bound| bound.certificate.is_some()) {
            trace.step(Step::Proven("the certificate of the connection"));
        }
        if !by_dpop {
            return Ok(());
        }
        let (Some(dpop), Some(jkt)) = (&sender.dpop, confirmation.and_then(|own| own.jkt)) else {
            return Err(Invalid::Token(TokenFault::Binding).into());
        };
        let proof = self.proof(dpop, presented.shown.octets());
        let proof = proof.and_then(|proof| self.check_nonce(dpop, provider, proof));
        let proof = proof.inspect_err(|reject| match reject {
            Reject::Proof(ProofFault::Nonce) => decision.nonces.want(id),
            Reject::Proof(fault) if fault.is_a_failure() => self.count(gate, candidate, effects),
            _ => {}
        })?;
        if proof.thumbprint != jkt {
            return Err(Invalid::Token(TokenFault::Binding).into());
        }
        trace.step(Step::Proven("a DPoP proof"));
        effects.use_once(Use {
            id: self
                .store
                .replays
                .id(&[&proof.thumbprint, proof.jti.as_bytes()]),
            until: proof.until,
            used: Used::Proof,
            schemes: presented.schemes,
        });
        Ok(())
    }

    /// The proof of a request for a token, verified.
    fn proof(&self, dpop: &Dpop, token: &[u8]) -> Result<Proof, Reject> {
        let request = self.request;
        let proof = match request.field(b"dpop") {
            // A hop-by-hop header is not meant for this server (RFC 9110 §7.6.1).
            Field::One(_) if request.is_hop_by_hop(b"dpop") => Err(ProofFault::Missing),
            Field::One(proof) => Ok(proof),
            Field::None => Err(ProofFault::Missing),
            Field::Many => Err(ProofFault::Several),
        };
        let target = Target {
            method: request.method(),
            path: request.target().unwrap_or_default(),
        };
        let Circumstances { backend, now, .. } = self.circumstances;
        let now = now.get();
        let proof = dpop.verify(proof.map_err(Reject::Proof)?, &target, token, backend, now);
        proof.map_err(|refusal| match refusal {
            ProofRefusal::Fault(fault) => Reject::Proof(fault),
            ProofRefusal::Unavailable => Reject::Unavailable(Unavailable::Crypto),
        })
    }

    /// Checks the nonce of a proof, if the provider requires one.
    fn check_nonce(&self, dpop: &Dpop, provider: &Provider, proof: Proof) -> Result<Proof, Reject> {
        if !dpop.needs_nonce {
            return Ok(proof);
        }
        let purpose = provider.purpose(&self.presentation.realm);
        let nonce = proof.nonce.as_deref().unwrap_or_default().as_bytes();
        let key = nonce_key(provider, self.store)?;
        let checked = key.check(&purpose, nonce, self.circumstances.now.get());
        checked.map_err(|_| Reject::Proof(ProofFault::Nonce))?;
        Ok(proof)
    }
}
