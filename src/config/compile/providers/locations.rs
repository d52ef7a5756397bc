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
    /// The locations of a provider. Equal locations of several providers have one identifier.
    pub(super) fn locations(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<From>>>,
    ) -> Typed<Vec<LocationId>> {
        if typed.is_absent() {
            let carrier = self.bearer_in(self.own_header());
            return Ok(vec![self.location_id(carrier)]);
        }
        let mut has_duplicate = false;
        let mut ids: Vec<LocationId> = Vec::new();
        let locations = self.at_least_one(at, "token location", typed, |this, at, from| {
            let carrier = this.carrier(at, from)?;
            // Such a header contains the token alone, or after `Bearer`: these are two locations.
            let with_scheme = match &carrier {
                Carrier::Field(field) if has_schemes(field) => Some(this.bearer_in(field)),
                _ => None,
            };
            for carrier in with_scheme.into_iter().chain([carrier]) {
                let id = this.location_id(carrier);
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

    fn bearer_in(&self, field: &str) -> Carrier {
        Carrier::Scheme {
            field: field.to_owned(),
            scheme: BEARER.to_owned(),
        }
    }

    fn location_id(&mut self, carrier: Carrier) -> LocationId {
        let grammar = Grammar::Token;
        let is_same = |known: &Location| known.carrier == carrier && known.grammar == grammar;
        if let Some(known) = self.locations.iter().position(is_same) {
            return LocationId(known);
        }
        self.locations.push(Location {
            carrier,
            grammar,
            schemes: SchemeSet::default(),
        });
        LocationId(self.locations.len() - 1)
    }

    fn carrier(&mut self, at: &At<'_>, from: &From) -> Typed<Carrier> {
        // A key that is unknown or could not be read may be the location.
        from.whole?;
        let scheme = from.scheme.given();
        let kinds = (from.header.given(), from.cookie.given(), from.query.given());
        let carrier = match kinds {
            (Some(header), None, None) => {
                let field = header.to_ascii_lowercase();
                match scheme {
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
