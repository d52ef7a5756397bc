//! Where credentials may be.

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::From;
use crate::config::fault::InvalidLocation;
use crate::config::read::{List, Optional, Typed};
use crate::credential::{Carrier, Grammar, Location, LocationId};
use crate::grammar::is_header_name;
use crate::presentation::Protects;
use crate::scheme::Scheme;

impl Compiler<'_> {
    /// The locations of a provider. Equal locations of several providers have one identifier.
    pub(super) fn locations(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<From>>>,
    ) -> Typed<Vec<LocationId>> {
        if typed.is_absent() {
            let carrier = self.default_carrier();
            return Ok(vec![self.location_id(carrier)]);
        }
        let mut has_duplicate = false;
        let mut ids: Vec<LocationId> = Vec::new();
        let locations = self.at_least_one(at, "token location", typed, |this, at, from| {
            let carrier = this.carrier(at, from)?;
            let id = this.location_id(carrier);
            has_duplicate |= ids.contains(&id);
            ids.push(id);
            Ok(id)
        });
        if has_duplicate {
            return Err(self.report(at, InvalidLocation::Duplicate));
        }
        locations.whole()
    }

    fn default_carrier(&self) -> Carrier {
        let field = match self.protects {
            Protects::Origin => "authorization",
            Protects::Proxy => "proxy-authorization",
        };
        Carrier::Scheme {
            field: field.to_owned(),
            scheme: "bearer".to_owned(),
        }
    }

    fn location_id(&mut self, carrier: Carrier) -> LocationId {
        let location = Location {
            carrier,
            grammar: Grammar::Token,
            scheme: Scheme::Bearer,
        };
        let known = self.locations.iter().position(|known| *known == location);
        let id = LocationId(known.unwrap_or(self.locations.len()));
        if known.is_none() {
            self.locations.push(location);
        }
        id
    }

    fn carrier(&mut self, at: &At<'_>, from: &From) -> Typed<Carrier> {
        // A key that is unknown or could not be read may be the location.
        from.whole?;
        let scheme = from
            .scheme
            .given()
            .map(|scheme| scheme.to_ascii_lowercase());
        let has_scheme = scheme.is_some();
        let kinds = (from.header.given(), from.cookie.given(), from.query.given());
        let carrier = match kinds {
            (Some(header), None, None) => {
                let field = header.to_ascii_lowercase();
                match scheme {
                    Some(scheme) if is_header_name(&scheme) => Carrier::Scheme { field, scheme },
                    Some(_) => return Err(self.report(at, InvalidLocation::Scheme)),
                    None if field == "authorization" || field == "proxy-authorization" => {
                        return Err(self.report(at, InvalidLocation::NoScheme));
                    }
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
        if has_scheme && !can_have_scheme {
            return Err(self.report(at, InvalidLocation::StrayScheme));
        }
        Ok(carrier)
    }
}
