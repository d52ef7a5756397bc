//! Gates: which credentials a rule accepts.

use crate::authenticate::{Method, Provider, ProviderId, offers_of};
use crate::authorize::{Gate, Needs, Requirements};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::compile::providers::CompiledProviders;
use crate::config::fault::{Fault, InvalidRule};
use crate::config::read::{Items, List, Optional, Typed};
use crate::credential::{Carrier, LocationId};

impl Compiler<'_> {
    /// The providers that a rule names, in the order of the configuration; all if it names none.
    pub(super) fn accepted(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
        providers: &CompiledProviders<'_>,
    ) -> Vec<ProviderId> {
        if typed.is_absent() {
            return providers.all();
        }
        let mut accepted = Vec::new();
        self.at_least_one(at, "provider", typed, |this, at, name| {
            match providers.id(name) {
                Some(id) => {
                    if let Err(between) = accepted.binary_search(&id) {
                        accepted.insert(between, id);
                    }
                }
                None if name == "*" => drop(this.diagnostics.literal(at, name)),
                None if providers.has_every_name() => {
                    this.unknown_name(at, "provider", name, providers.names());
                }
                None => {}
            }
            Ok(())
        });
        accepted
    }

    /// The providers of `require_all`, in its order.
    pub(super) fn required_of_all(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
        providers: &CompiledProviders<'_>,
    ) -> Vec<ProviderId> {
        let mut required = Vec::new();
        let mut whole = Ok(());
        for (index, name) in typed.items() {
            let at = at.item(index);
            match providers.id(name) {
                Some(id) if required.contains(&id) => {
                    whole = Err(self.report(&at, Fault::DuplicateEntry));
                }
                Some(id) => required.push(id),
                None if providers.has_every_name() => {
                    whole = Err(self.unknown_name(&at, "provider", name, providers.names()));
                }
                None => {}
            }
        }
        if typed.given().is_some_and(|names| names.len() < 2) && whole.is_ok() {
            self.report(at, InvalidRule::FewerThanTwo);
        }
        self.reject_rivals(at, &required, providers);
        required
    }

    /// Rejects two providers of which no request can have a credential of each.
    fn reject_rivals(
        &mut self,
        at: &At<'_>,
        required: &[ProviderId],
        providers: &CompiledProviders<'_>,
    ) {
        let named: Vec<_> = providers.of(required).collect();
        for (index, one) in named.iter().enumerate() {
            for two in named.iter().skip(index + 1) {
                if !self.can_be_together(one, two, providers) {
                    let (one, two) = (one.name.clone(), two.name.clone());
                    self.report(at, InvalidRule::NeverTogether { one, two });
                }
            }
        }
    }

    /// Whether a request can have a credential of each: in different parts of the request, which no provider reads both. A client
    /// certificate is no part of the request.
    fn can_be_together(
        &self,
        one: &Provider,
        two: &Provider,
        providers: &CompiledProviders<'_>,
    ) -> bool {
        let carrier = |id: &LocationId| Some(&self.locations.get(id.0)?.carrier);
        let is_header = |id: &LocationId| carrier(id).is_some_and(|own| own.own_field().is_some());
        let is_cookie = |id: &LocationId| carrier(id).is_some_and(|own| own.cookie().is_some());
        let can_be = |own: &LocationId, other: &LocationId| {
            let reads_both = |provider: &Provider| {
                provider.locations.contains(own) && provider.locations.contains(other)
            };
            let is_denied = if is_header(own) && is_cookie(other) {
                // A cookie beside a header of its provider is not read. Other providers do not matter.
                reads_both(two)
            } else if is_cookie(own) && is_header(other) {
                reads_both(one)
            } else {
                providers.of(&providers.all()).any(reads_both)
            };
            carrier(own).map(Carrier::part) != carrier(other).map(Carrier::part) && !is_denied
        };
        let is_of_connection = |provider: &Provider| matches!(provider.method, Method::Mtls(_));
        let mut own = one.locations.iter();
        is_of_connection(one)
            || is_of_connection(two)
            || own.any(|own| two.locations.iter().any(|other| can_be(own, other)))
    }

    pub(super) fn gate(
        &mut self,
        at: &At<'_>,
        accepted: Vec<ProviderId>,
        providers: &CompiledProviders<'_>,
    ) -> Gate {
        if providers.are_none() {
            self.report(at, InvalidRule::NoProvider);
        }
        let named: Vec<_> = providers.of(&accepted).collect();
        for (index, one) in named.iter().enumerate() {
            for two in named.iter().skip(index + 1) {
                if one.conflicts_with(two) {
                    let are_tokens = matches!(one.method, Method::Jwt(_));
                    let (one, two) = (one.name.clone(), two.name.clone());
                    self.report(
                        at,
                        match are_tokens {
                            true => InvalidRule::SameTokens { one, two },
                            false => InvalidRule::SameCredentials { one, two },
                        },
                    );
                }
            }
        }
        gate_of(accepted, providers)
    }
}

/// What requires a credential where no request passes. Two providers may accept the same tokens there.
pub(in crate::config::compile) fn of_strangers(providers: &CompiledProviders<'_>) -> Gate {
    gate_of(providers.all(), providers)
}

/// A gate that accepts any credential of these providers.
fn gate_of(accepted: Vec<ProviderId>, providers: &CompiledProviders<'_>) -> Gate {
    // The challenges have the order of the configuration, whatever the order of the callers.
    let mut in_order = providers.all();
    in_order.retain(|id| accepted.contains(id));
    let offers = offers_of(&providers.of(&in_order).collect::<Vec<_>>());
    Gate {
        providers: accepted,
        needs: Needs::One,
        choice: 0,
        number: 0,
        ignores_others: false,
        offers,
        requirements: Requirements::default(),
    }
}

/// Distinguishes gates whose providers could choose differently for one token. That takes two providers that accept it.
pub(in crate::config::compile) fn number_choices<'a>(
    gates: impl Iterator<Item = &'a mut Gate>,
    providers: &[Provider],
) {
    let rivals = |one: &Provider| {
        providers
            .iter()
            .filter(|two| one.conflicts_with(two))
            .count()
            > 1
    };
    if !providers.iter().any(rivals) {
        return;
    }
    let mut choices: Vec<Vec<ProviderId>> = Vec::new();
    for gate in gates {
        let known = choices.iter().position(|choice| *choice == gate.providers);
        gate.choice = known.unwrap_or(choices.len());
        if known.is_none() {
            choices.push(gate.providers.clone());
        }
    }
}
