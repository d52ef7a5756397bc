//! Where credentials may be.

use super::schemes::BEARER;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::From;
use crate::config::fault::InvalidLocation;
use crate::config::read::{List, Optional, Typed};
use crate::credential::{Carrier, Grammar, Location, LocationId, has_schemes};
use crate::grammar::is_header_name;
use crate::scheme::SchemeSet;

impl Compiler<'_> {
    /// The locations of tokens without a proof. Default: after `Bearer`.
    pub(super) fn bearer_locations(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<From>>>,
    ) -> Typed<Vec<LocationId>> {
        let default = scheme_in(self.own_header(), BEARER);
        self.locations(at, typed, Grammar::Token, default)
    }

    /// The locations of a provider. Equal locations of several providers have one identifier.
    pub(super) fn locations(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<From>>>,
        grammar: Grammar,
        default: Carrier,
    ) -> Typed<Vec<LocationId>> {
        if typed.is_absent() {
            return Ok(vec![self.location_id(at, default, grammar)?]);
        }
        let mut has_duplicate = false;
        let mut ids: Vec<LocationId> = Vec::new();
        let locations = self.at_least_one(at, "token location", typed, |this, at, from| {
            let carrier = this.carrier(at, from, grammar)?;
            // Such a header contains the token alone, or after `Bearer`: these are two locations.
            let with_scheme = match &carrier {
                Carrier::Field(field) if grammar == Grammar::Token && has_schemes(field) => {
                    Some(scheme_in(field, BEARER))
                }
                _ => None,
            };
            for carrier in with_scheme.into_iter().chain([carrier]) {
                let id = this.location_id(at, carrier, grammar)?;
                has_duplicate |= ids.contains(&id);
                ids.push(id);
            }
            Ok(())
        });
        if has_duplicate {
            return Err(self.report(at, InvalidLocation::Duplicate));
        }
        locations.whole.map(|()| ids)
    }

    /// The identifier of a location. Credentials of two grammars at one location are a fault: each would be read as both.
    pub(super) fn location_id(
        &mut self,
        at: &At<'_>,
        carrier: Carrier,
        grammar: Grammar,
    ) -> Typed<LocationId> {
        let is_same = |known: &Location| known.carrier == carrier;
        if let Some(known) = self.locations.iter().position(is_same) {
            let reads = self.locations.get(known).map(|known| known.grammar);
            return match reads == Some(grammar) {
                true => Ok(LocationId(known)),
                false => Err(self.report(at, InvalidLocation::OtherKind)),
            };
        }
        self.locations.push(Location {
            carrier,
            grammar,
            schemes: SchemeSet::default(),
        });
        Ok(LocationId(self.locations.len() - 1))
    }

    fn carrier(&mut self, at: &At<'_>, from: &From, grammar: Grammar) -> Typed<Carrier> {
        // A key that is unknown or could not be read may be the location.
        from.whole?;
        let scheme = from.scheme.given();
        let kinds = (from.header.given(), from.cookie.given(), from.query.given());
        let carrier = match kinds {
            (Some(header), None, None) => {
                let field = header.to_ascii_lowercase();
                match scheme {
                    Some(scheme) if is_of_another_kind(scheme, grammar) => {
                        return Err(self.report(&at.member("scheme"), InvalidLocation::OtherScheme));
                    }
                    Some(scheme) if is_header_name(scheme) => match self.scheme_name(scheme) {
                        Some(scheme) => Carrier::Scheme { field, scheme },
                        None => return Err(self.report(at, InvalidLocation::ManySchemes)),
                    },
                    Some(_) => return Err(self.report(at, InvalidLocation::Scheme)),
                    None => Carrier::Field(field),
                }
            }
            (None, Some(cookie), None) => Carrier::Cookie(cookie.clone()),
            (None, None, Some(query)) => Carrier::Query(query.clone()),
            _ => return Err(self.report(at, InvalidLocation::OneOf)),
        };
        let (is_named, can_have_scheme) = match &carrier {
            Carrier::Scheme { field, .. } | Carrier::Field(field) => {
                (is_header_name(field) && field != "cookie", true)
            }
            Carrier::Cookie(name) => (is_header_name(name), false),
            Carrier::Query(name) => (!name.is_empty() && !name.contains('*'), false),
        };
        if !is_named {
            return Err(self.report(at, InvalidLocation::Name));
        }
        if scheme.is_some() && !can_have_scheme {
            return Err(self.report(at, InvalidLocation::StrayScheme));
        }
        Ok(carrier)
    }
}

/// The location after a scheme in a header.
pub(super) fn scheme_in(field: &str, scheme: &str) -> Carrier {
    Carrier::Scheme {
        field: field.to_owned(),
        scheme: scheme.to_owned(),
    }
}

/// Whether the credentials after a scheme are not of this grammar (RFC 7617 §2, RFC 7616 §3.4).
fn is_of_another_kind(scheme: &str, grammar: Grammar) -> bool {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    match grammar {
        Grammar::Basic | Grammar::Digest(_) | Grammar::DpopToken => false,
        // The key `dpop` reads it.
        Grammar::Token => is("Basic") || is("Digest") || is("DPoP"),
        Grammar::Key => is("Basic") || is("Digest") || is("DPoP"),
    }
}
