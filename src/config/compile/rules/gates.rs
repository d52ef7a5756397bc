//! Gates: which credentials a rule accepts.

use crate::authenticate::{Method, Offer, Provider, ProviderId};
use crate::authorize::{Gate, Requirements};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::compile::providers::CompiledProviders;
use crate::config::fault::InvalidRule;
use crate::config::read::{List, Optional, Typed};

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
    let all = || {
        let accepted = providers.of(&accepted);
        accepted.flat_map(|provider| provider.method.offers())
    };
    let has_others = !all().all(Offer::is_last_resort);
    let mut offers: Vec<Offer> = Vec::new();
    for offer in all().filter(|offer| !has_others || !offer.is_last_resort()) {
        if !offers.contains(offer) {
            offers.push(offer.clone());
        }
    }
    Gate {
        providers: accepted,
        choice: 0,
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
