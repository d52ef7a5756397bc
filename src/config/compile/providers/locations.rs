//! Where credentials may be.

use crate::authenticate::Offer;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::From;
use crate::config::fault::InvalidLocation;
use crate::config::read::{List, Optional, Typed};
use crate::credential::{Carrier, Grammar, Location, LocationId, has_schemes};
use crate::grammar::is_token;
use crate::presentation::Protects;
use crate::scheme::{Scheme, SchemeSet};

/// The name of the scheme of RFC 6750, whose case in the configuration does not matter.
pub(in crate::config::compile) const BEARER: &str = "Bearer";

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

    /// The header to which challenges refer (RFC 9110 §11.6, §11.7).
    pub(in crate::config::compile) fn own_header(&self) -> &'static str {
        match self.protects {
            Protects::Origin => "authorization",
            Protects::Proxy => "proxy-authorization",
        }
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

    /// What a 401 offers for tokens at the locations of one provider: each scheme that it reads in the header to which
    /// challenges refer. If there is none, each scheme of another header; if there is none either, Bearer.
    ///
    /// Sets which challenges carry the error of a token: the one of its scheme, else the first of its provider.
    pub(super) fn offers(&mut self, ids: &[LocationId]) -> Vec<Offer> {
        let own = self.own_header();
        let mut offers = self.schemes_read(ids, |field| field == own);
        let is_elsewhere = offers.is_empty();
        if is_elsewhere {
            offers = self.schemes_read(ids, |_| true);
        }
        if offers.is_empty() {
            offers.push((Scheme::BEARER, BEARER.to_owned()));
        }
        let first = offers.iter().map(|(scheme, _)| *scheme).take(1);
        let first = first.fold(SchemeSet::default().or_first(), SchemeSet::with);
        for id in ids {
            let bearer = SchemeSet::default().with(Scheme::BEARER);
            let carrier = self.locations.get(id.0).map(|location| &location.carrier);
            let schemes = match carrier {
                Some(Carrier::Scheme { field, scheme }) => {
                    let scheme = self.scheme(scheme).map(|(scheme, _)| scheme);
                    let scheme = scheme.into_iter();
                    let elsewhere = (field != own).then_some(first).unwrap_or_default();
                    scheme.fold(elsewhere, SchemeSet::with)
                }
                Some(Carrier::Field(field)) if field == own => bearer,
                _ => first,
            };
            if let Some(location) = self.locations.get_mut(id.0) {
                location.schemes = [location.schemes, schemes].into_iter().collect();
            }
        }
        let offer = |(scheme, name)| Offer::Bearer {
            scheme,
            name,
            is_elsewhere,
        };
        offers.into_iter().map(offer).collect()
    }

    /// The schemes at these locations in headers that `is_meant` selects, in their order.
    fn schemes_read(
        &self,
        ids: &[LocationId],
        is_meant: impl Fn(&str) -> bool,
    ) -> Vec<(Scheme, String)> {
        let locations = ids.iter().filter_map(|id| self.locations.get(id.0));
        let schemes = locations.filter_map(|location| match &location.carrier {
            Carrier::Scheme { field, scheme } if is_meant(field) => self.scheme(scheme),
            _ => None,
        });
        let mut read = Vec::new();
        for (scheme, name) in schemes {
            let own = (scheme, name.to_owned());
            if !read.contains(&own) {
                read.push(own);
            }
        }
        read
    }

    /// A scheme that is known already, and its name as the configuration first wrote it.
    fn scheme(&self, name: &str) -> Option<(Scheme, &str)> {
        let is_same = |known: &String| known.eq_ignore_ascii_case(name);
        let position = self.schemes.iter().position(is_same)?;
        Some((Scheme::at(position)?, self.schemes.get(position)?))
    }

    /// The name of a scheme as the configuration first wrote it. None if there are too many schemes.
    fn scheme_name(&mut self, name: &str) -> Option<String> {
        if let Some((_, name)) = self.scheme(name) {
            return Some(name.to_owned());
        }
        Scheme::at(self.schemes.len())?;
        self.schemes.push(name.to_owned());
        Some(name.to_owned())
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
                    Some(scheme) if is_token(scheme) => match self.scheme_name(scheme) {
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
                (is_token(field) && field != "cookie", true)
            }
            Carrier::Cookie(name) => (is_token(name), false),
            Carrier::Query(name) => (!name.is_empty(), false),
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
