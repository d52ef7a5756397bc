//! The schemes of credentials, and what a 401 offers.
//!
//! A challenge is about one header: `Authorization`, or `Proxy-Authorization` for a proxy (RFC 9110 §11.6, §11.7). So a
//! scheme that is read in another header, and `Bearer` where no scheme is read, is offered only if nothing else is: in the
//! header of the challenge, the filter would deny it.

use crate::authenticate::Offer;
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::fault::InvalidLocation;
use crate::config::read::Typed;
use crate::credential::{Carrier, Grammar, LocationId};
use crate::presentation::Protects;
use crate::scheme::{Scheme, SchemeSet};

/// The name of the scheme of RFC 6750, whose case in the configuration does not matter.
pub(in crate::config::compile) const BEARER: &str = "Bearer";

impl Compiler<'_> {
    /// The header to which challenges refer (RFC 9110 §11.6, §11.7).
    pub(in crate::config::compile) fn own_header(&self) -> &'static str {
        match self.protects {
            Protects::Origin => "authorization",
            Protects::Proxy => "proxy-authorization",
        }
    }

    /// What a 401 offers for tokens at the locations of one provider.
    ///
    /// Sets which challenges carry the error of a token: the one of its scheme, else the first of its provider.
    pub(super) fn offers(&mut self, ids: &[LocationId]) -> Vec<Offer> {
        let own = self.own_header();
        let mut offers = self.schemes_read(ids, Some(own));
        let is_elsewhere = offers.is_empty();
        if is_elsewhere {
            offers = self.schemes_read(ids, None);
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
                    let others = match field == own {
                        true => SchemeSet::default(),
                        false => first,
                    };
                    let scheme = self.scheme(scheme);
                    scheme.map_or(others, |(scheme, _)| others.with(scheme))
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

    /// The scheme of credentials whose scheme defines no errors: API keys, and `Basic`.
    pub(super) fn plain_scheme(
        &mut self,
        at: &At<'_>,
        name: &str,
        ids: &[LocationId],
    ) -> Typed<Scheme> {
        let known = self.scheme_name(name);
        let known = known.and_then(|name| self.scheme(&name).map(|(scheme, _)| scheme));
        let Some(scheme) = known else {
            return Err(self.report(at, InvalidLocation::ManySchemes));
        };
        for id in ids {
            if let Some(location) = self.locations.get_mut(id.0) {
                location.schemes = location.schemes.with(scheme);
            }
        }
        Ok(scheme)
    }

    /// The schemes at these locations, in their order: in the header `only`, if there is one.
    fn schemes_read(&self, ids: &[LocationId], only: Option<&str>) -> Vec<(Scheme, String)> {
        let mut read = Vec::new();
        let known = ids.iter().filter_map(|id| self.locations.get(id.0));
        for location in known.filter(|known| known.grammar != Grammar::DpopToken) {
            let Carrier::Scheme { field, scheme } = &location.carrier else {
                continue;
            };
            let is_meant = only.is_none_or(|only| only == field);
            if let Some((scheme, name)) = self.scheme(scheme).filter(|_| is_meant)
                && !read.iter().any(|(known, _)| *known == scheme)
            {
                read.push((scheme, name.to_owned()));
            }
        }
        read
    }

    /// A scheme that is known already, and its name as the configuration first wrote it.
    pub(super) fn scheme(&self, name: &str) -> Option<(Scheme, &str)> {
        let is_same = |known: &String| known.eq_ignore_ascii_case(name);
        let position = self.schemes.iter().position(is_same)?;
        Some((Scheme::at(position)?, self.schemes.get(position)?))
    }

    /// The name of a scheme as the configuration first wrote it. None if there are too many schemes.
    pub(super) fn scheme_name(&mut self, name: &str) -> Option<String> {
        if let Some((_, name)) = self.scheme(name) {
            return Some(name.to_owned());
        }
        Scheme::at(self.schemes.len())?;
        self.schemes.push(name.to_owned());
        Some(name.to_owned())
    }
}
