//! How a request is changed before it is forwarded.

use std::fmt;

use super::unread::Unread;
use super::{Decision, Verdict};
use crate::authenticate::Principal;
use crate::credential::{Carrier, has_credential_without_scheme, value_of, without_cookies_that};
use crate::grammar::folds_to;
use crate::plan::{AfterScheme, Plan, Policy};
use crate::reject::Reject;
use crate::request::RequestView;
use crate::request::overrides::METHOD;
use crate::request::parameter::{is_cookie, is_parameter};
use crate::request::query::without_parameters_that;

/// How a request is changed before it is forwarded: first headers are removed, then headers are set.
#[derive(Default)]
pub struct Forward<'p> {
    /// A new target, without the tokens and overrides in its query.
    pub target: Option<Vec<u8>>,
    /// Headers that are removed, with their names as they were sent. Each is present.
    pub remove: Vec<String>,
    /// Headers that are set, in place of all with that name.
    pub set: Vec<(&'p str, String)>,
}

impl Forward<'_> {
    /// Whether something that the client sent is removed.
    pub fn removes_anything(&self) -> bool {
        self.target.is_some() || !self.remove.is_empty()
    }

    /// Removes the headers with this name, which is spelled as it was sent.
    #[cold]
    fn remove_field(&mut self, name: &[u8]) {
        if let Ok(name) = std::str::from_utf8(name)
            && !self.remove.iter().any(|known| known == name)
        {
            self.remove.push(name.to_owned());
        }
    }
}

/// Prints only names: a value can be a cookie with a credential.
impl fmt::Debug for Forward<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<_> = self.set.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Forward")
            .field("remove", &self.remove)
            .field("set", &set)
            .finish_non_exhaustive()
    }
}

/// What the upstream learns of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Told {
    /// Nothing.
    #[default]
    Nothing,
    /// That the request is anonymous.
    Anonymous,
    /// Who it is.
    Caller,
    /// Nothing, because the request is a preflight. A preflight carries no credentials (WHATWG Fetch, "CORS-preflight
    /// fetch"). If it does, they are removed, because no unverified credential is forwarded.
    NothingOfPreflight,
}

/// Forwards a request under a policy.
#[derive(Clone, Copy)]
pub(super) struct Forwarding<'p, 'r> {
    pub policy: &'p Policy,
    pub request: &'r RequestView<'r>,
}

impl<'p> Forwarding<'p, '_> {
    /// Sets how a request that passes is changed, for whatever reason it passes; in shadow mode also a denied one.
    ///
    /// When a request is changed, the host selects its route again and does not say which. If rules look at routes, a
    /// request from which something would be removed is denied.
    pub fn pass_on(self, decision: &mut Decision<'p>) {
        if let Verdict::Passes(_) = &decision.verdict {
            let forward = self.forward(decision.told, decision);
            if self.policy.asks_for_route()
                && (self.request.was_changed() || forward.removes_anything())
            {
                decision.verdict = Verdict::Refused(Reject::RouteAtRisk);
            } else {
                decision.forward = forward;
            }
        }
        if decision.is_shadow && decision.refusal().is_some() {
            decision.forward = self.forward(Told::Nothing, decision);
        }
    }

    /// Denies a request with headers or parameters that would be removed because they make a claim about the caller or the
    /// request: by sending one, a client could have one route evaluated and use another.
    pub fn refuse_claims(self) -> Result<(), Reject> {
        let stripped = &self.policy.stripped;
        let is_at_risk = self.request.was_changed()
            || self.request.names().any(|name| stripped.claims.have(name))
            || self
                .request
                .query()
                .is_some_and(|query| stripped.claims_in_query(query));
        if is_at_risk {
            Err(Reject::RouteAtRisk)
        } else {
            Ok(())
        }
    }

    /// What is removed from a request that passes, and what the upstream learns.
    ///
    /// Most requests have nothing that is removed, so that most steps are called only if the request has what they look at.
    fn forward(self, told: Told, decision: &Decision<'p>) -> Forward<'p> {
        let mut forward = Forward::default();
        let stripped = &self.policy.stripped;
        let unread = &decision.unread;
        if told == Told::NothingOfPreflight {
            let is_meant =
                |name: &[u8]| stripped.fields.have(name) || stripped.preflight.have(name);
            self.remove_fields(&is_meant, &mut forward);
        } else {
            for name in self.request.names() {
                if stripped.either.may_have(name) && self.is_stripped(name) {
                    forward.remove_field(name);
                }
            }
            if unread.gate.is_some() {
                self.remove_spellings_that_are_unread(unread, &mut forward);
            }
            self.remove_credentials_without_scheme(unread, &mut forward);
            if !stripped.cookies.is_empty() && self.request.may_have(b"cookie") {
                self.remove_cookies(unread, &mut forward);
            }
        }
        if self.request.query().is_some() {
            self.remove_parameters(told, &mut forward);
        }
        if self.request.may_have(b"connection") {
            self.remove_hop_by_hop(&mut forward);
        }
        let identity = &self.policy.identity;
        match told {
            Told::Nothing | Told::NothingOfPreflight => {}
            Told::Anonymous => forward.set.extend(identity.anonymous()),
            Told::Caller => forward
                .set
                .extend(self.identity_headers(decision.principal())),
        }
        forward
    }

    /// Whether a header is removed from a request that is no preflight.
    #[inline(never)]
    fn is_stripped(self, name: &[u8]) -> bool {
        let stripped = &self.policy.stripped;
        stripped.fields.have(name) || stripped.addresses.have(name) && self.holds_a_path(name)
    }

    /// Whether a header that should hold a host, a port or a scheme holds a path, or a character that begins one.
    #[inline(never)]
    fn holds_a_path(self, name: &[u8]) -> bool {
        let begins_path = |byte: &u8| matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@');
        let mut values = self.request.values(name);
        values.any(|value| value.iter().any(begins_path))
    }

    fn identity_headers(self, principal: Option<&Principal>) -> Vec<(&'p str, String)> {
        let provider = |principal: &Principal| self.policy.providers.get(principal.provider().0);
        let told = principal.and_then(|principal| {
            let provider = provider(principal)?;
            Some(self.policy.identity.of(principal, &provider.name))
        });
        told.unwrap_or_default()
    }

    /// Removes headers at which only other providers look, and which an upstream could read as one at which the rule looks.
    #[inline(never)]
    fn remove_spellings_that_are_unread(self, unread: &Unread<'p>, forward: &mut Forward<'p>) {
        let is_looked_at = |is_meant: &dyn Fn(&[u8]) -> bool| {
            let field = |carrier: &Carrier| {
                carrier
                    .own_field()
                    .is_some_and(|own| is_meant(own.as_bytes()))
            };
            unread.looks_at_any(self.policy, field)
        };
        let is_meant = |name: &[u8]| {
            is_looked_at(&|own| folds_to(own, name)) && !is_looked_at(&|own| own == name)
        };
        self.remove_fields(&is_meant, forward);
    }

    /// Removes headers that hold a token without its scheme. The filter does not verify such a token, and some upstreams
    /// accept it.
    #[inline(never)]
    fn remove_credentials_without_scheme(self, unread: &Unread<'p>, forward: &mut Forward<'p>) {
        for own in &self.policy.stripped.schemes {
            let AfterScheme {
                field,
                scheme,
                grammar,
                location,
                alone,
            } = own;
            let is_looked_at = |location| unread.is_looked_at(self.policy, location);
            if !self.request.may_have(field.as_bytes()) || !is_looked_at(*location) {
                continue;
            }
            let alone = alone.filter(|location| is_looked_at(*location));
            let alone = alone.and_then(|location| self.policy.locations.get(location.0));
            let alone = alone.map(|location| location.grammar);
            let request = self.request;
            if has_credential_without_scheme(request, field, scheme, *grammar, alone) {
                self.remove_fields(&|name| name == field.as_bytes(), forward);
            }
        }
    }

    /// Removes cookies that an upstream could take for the verified one, those over which a header wins, and with
    /// `strip_credential` the verified one too.
    #[inline(never)]
    fn remove_cookies(self, unread: &Unread<'p>, forward: &mut Forward<'p>) {
        let stripped = &self.policy.stripped;
        let strips_credential = self.policy.identity.strip_credential;
        let is_unread = |name: &String| {
            let mut unread = unread.cookies.iter();
            unread.any(|id| {
                let location = self.policy.locations.get(id.0);
                location.and_then(|location| location.carrier.cookie()) == Some(name)
            })
        };
        let is_looked_at = |name: &String| {
            unread.looks_at_any(self.policy, |carrier| carrier.cookie() == Some(name))
        };
        let stays = |pair: &[u8]| {
            let mut named = stripped.cookies.iter().filter_map(|name| {
                let value = value_of(pair, name)?;
                Some((name, value))
            });
            match named.next() {
                None => false,
                // A cookie without a value is not a credential.
                Some((name, value)) if is_looked_at(name) => value.is_empty() || !is_unread(name),
                Some(_) => !stripped
                    .cookies
                    .iter()
                    .any(|name| is_cookie(pair, name) && is_looked_at(name)),
            }
        };
        let is_meant =
            |pair: &[u8]| stripped.has_cookie(pair) && (strips_credential || !stays(pair));
        if let Some(rest) = without_cookies_that(self.request, is_meant) {
            self.remove_fields(&|name| name == b"cookie", forward);
            let rest = (!rest.is_empty()).then_some(("cookie", rest));
            forward.set.extend(rest);
        }
    }

    /// Removes parameters of the query that name another method or path, and tokens: queries are logged (RFC 6750 §5.3).
    #[inline(never)]
    fn remove_parameters(self, told: Told, forward: &mut Forward<'p>) {
        let stripped = &self.policy.stripped;
        let is_meant = |parameter: &[u8]| {
            stripped.has_parameter(parameter)
                || told == Told::NothingOfPreflight
                    && METHOD
                        .parameters
                        .iter()
                        .any(|own| is_parameter(parameter, own))
        };
        let target = self.request.target().unwrap_or_default();
        forward.target = without_parameters_that(target, is_meant);
    }

    /// Removes credentials that `Connection` makes hop-by-hop, which the filter does not verify, and the connection options
    /// that would make the next proxy remove headers that the filter sets or has read (RFC 9110 §7.6.1).
    ///
    /// Envoy removes hop-by-hop headers itself, except when the connection is upgraded.
    #[cold]
    fn remove_hop_by_hop(self, forward: &mut Forward<'p>) {
        let stripped = &self.policy.stripped;
        let mut kept = Vec::new();
        let mut all = 0;
        for option in self.request.connection_options() {
            all += 1;
            if stripped.credentials.have(option) {
                self.remove_fields(&|name| name.eq_ignore_ascii_case(option), forward);
                // The rest of a cookie is not forwarded either.
                let is_nominated = |name: &str| name.as_bytes().eq_ignore_ascii_case(option);
                forward.set.retain(|(name, _)| !is_nominated(name));
            } else if !stripped.fields.have_a_spelling_of(option) {
                kept.extend(std::str::from_utf8(option));
            }
        }
        if kept.len() < all {
            self.remove_fields(&|name| name == b"connection", forward);
            let rest = (!kept.is_empty()).then(|| ("connection", kept.join(", ")));
            forward.set.extend(rest);
        }
    }

    // Not inlined: most requests need none of its calls.
    #[inline(never)]
    fn remove_fields(self, is_meant: &dyn Fn(&[u8]) -> bool, forward: &mut Forward<'p>) {
        let names = self.request.names().filter(|name| is_meant(name));
        names.for_each(|name| forward.remove_field(name));
    }
}

impl Plan {
    /// The trailers that are removed from a request, with their names as they were sent (RFC 9110 §6.5).
    pub fn stripped_from_trailers(&self, fields: &[(&[u8], &[u8])]) -> Vec<String> {
        // Without a policy no request passes.
        let Some(policy) = &self.policy else {
            return Vec::new();
        };
        let names = fields.iter().map(|(name, _)| *name);
        names
            .filter(|name| policy.stripped.has_trailer(name))
            .filter_map(|name| std::str::from_utf8(name).ok())
            .map(str::to_owned)
            .collect()
    }
}
