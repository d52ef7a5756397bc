//! Providers of JSON Web Tokens: the issuer, the audiences, and what a token must have.

mod keys;

use std::collections::HashSet;
use std::time::Duration;

use crate::authenticate::jose::claims::{ClaimNames, ClaimPath};
use crate::authenticate::jose::keys::accepted_algorithms;
use crate::authenticate::jwt::{self, Audiences, Issuer, Kind, Revoked};
use crate::authenticate::{Method, Provider, ProviderId};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::providers::jwt::{
    AudienceList, Jwt, Revoked as RevokedDocument,
    claims::{self, ClaimNames as ClaimNamesDocument},
};
use crate::config::fault::{Fault, InvalidJwt, Warning};
use crate::config::literal::is_stray;
use crate::config::read::{Items, List, Optional, Typed};

const CLOCK_SKEW: Duration = Duration::from_secs(60);

impl Compiler<'_> {
    pub(super) fn jwt(
        &mut self,
        at: &At<'_>,
        id: ProviderId,
        name: Typed<&str>,
        document: &Jwt,
    ) -> Option<Provider> {
        let issuer = self.issuer(&at.member("issuer"), &document.issuer);
        let audiences = document.audiences.as_ref().map_err(|reported| *reported);
        let audiences =
            audiences.and_then(|audiences| self.audiences(&at.member("audiences"), audiences));
        let names = self.claim_names(&at.member("claims"), document.claims.given());
        let sender = self.sender(at, document.sender, &document.dpop);
        let locations = self.token_locations(&at.member("from"), &document.from, &sender);
        let algorithms = self.algorithms(&at.member("algorithms"), &document.algorithms);
        let keys = self.keys(at, name, document, &issuer, &algorithms);
        let revoked = self.revoked(&at.member("revoked"), document.revoked.given());
        let require = self.required_claim_names(&at.member("require"), &document.require);
        let require_claims =
            self.required_values(&at.member("require_claims"), &document.require_claims);
        // One match of all parts: each `?` would add the code to drop the parts before it.
        let parts = (
            name, locations, sender, keys, algorithms, issuer, audiences, names,
        );
        let (
            Ok(name),
            Ok(locations),
            Ok(sender),
            Some(keys),
            Ok(algorithms),
            Ok(issuer),
            Ok(audiences),
            Ok(names),
        ) = parts
        else {
            return None;
        };
        let jwt = jwt::Jwt {
            keys,
            algorithms: accepted_algorithms(algorithms.as_deref()),
            issuer,
            audiences,
            kind: document.token_type.given().copied().unwrap_or(Kind::Any),
            require,
            require_claims,
            clock_skew: document.clock_skew.given().copied().unwrap_or(CLOCK_SKEW),
            max_lifetime: document.max_lifetime.given().copied(),
            revoked,
            names,
            offers: self.token_offers(id, &locations, &sender),
            sender,
        };
        Some(Provider {
            name: name.to_owned(),
            locations,
            method: Method::Jwt(jwt),
        })
    }

    fn required_claim_names(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Vec<ClaimPath> {
        if typed.is_absent() {
            return vec![ClaimPath::known("exp")];
        }
        if !typed.items().any(|(_, claim)| claim == "exp") {
            self.warn(at, Warning::NoExpiry);
        }
        let paths = typed.each(at, |at, name| self.claim_path(at, name));
        paths.known
    }

    /// The path of a claim that a text means.
    pub(in crate::config::compile) fn claim_path(
        &mut self,
        at: &At<'_>,
        text: &str,
    ) -> Typed<ClaimPath> {
        claims::path(text, at, self.diagnostics)
    }

    fn issuer(&mut self, at: &At<'_>, typed: &Typed<String>) -> Typed<Issuer> {
        let text = typed.as_deref().map_err(|reported| *reported)?;
        if text.is_empty() {
            return Err(self.report(at, Fault::EmptyString("an issuer")));
        }
        if is_stray(text) || text.contains("://") && text.contains(char::is_whitespace) {
            return Err(self.report(at, InvalidJwt::StrayCharacter));
        }
        let instead = "write the issuer exactly; `{claim}` stands for a part that differs";
        if text.contains('*') {
            self.diagnostics.literal_or(at, text, instead)?;
        }
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(Issuer::Exact(text.to_owned()));
        };
        let (claim, after) = match rest.split_once('}') {
            Some((claim, after)) if !claim.is_empty() && !after.contains(['{', '}']) => {
                (claim, after)
            }
            _ => return Err(self.report(at, InvalidJwt::IssuerTemplate)),
        };
        let is_host_fixed = before
            .split_once("://")
            .is_none_or(|(_, rest)| rest.contains('/'));
        if !is_host_fixed {
            return Err(self.report(at, InvalidJwt::IssuerHost));
        }
        Ok(Issuer::PerClaim {
            before: before.to_owned(),
            claim: self.claim_path(at, claim)?,
            after: after.to_owned(),
        })
    }

    pub(super) fn audiences(&mut self, at: &At<'_>, document: &AudienceList) -> Typed<Audiences> {
        let names = match document {
            AudienceList::Any => {
                self.warn(at, Warning::AnyAudience);
                return Ok(Audiences::Any);
            }
            AudienceList::OneOf(names) => names,
        };
        let has = |wanted: &str| names.items().any(|(_, name)| name == wanted);
        if names.is_empty() || has("") {
            return Err(self.report(at, InvalidJwt::Audiences));
        }
        if has("any") {
            return Err(self.report(at, InvalidJwt::AnyAudience));
        }
        let instead =
            "write each audience; `any` accepts tokens that were issued for other services";
        let names = names.each(at, |at, name| {
            if is_stray(name) {
                return Err(self.report(at, InvalidJwt::StrayCharacter));
            }
            self.diagnostics.literal_or(at, name, instead)?;
            Ok(name.clone())
        });
        names.whole().map(Audiences::OneOf)
    }

    pub(super) fn claim_names(
        &mut self,
        at: &At<'_>,
        document: Option<&ClaimNamesDocument>,
    ) -> Typed<ClaimNames> {
        let mut names = ClaimNames::default();
        let Some(document) = document else {
            return Ok(names);
        };
        if let Some(subject) = document.subject.given() {
            names.subject = subject.clone();
        }
        if !document.audience.is_absent() {
            let audience = self.at_least_one(
                &at.member("audience"),
                "claim",
                &document.audience,
                |_, _, path| Ok(path.clone()),
            );
            names.audience = audience.whole()?;
        }
        for (own, typed) in [
            (&mut names.scopes, &document.scopes),
            (&mut names.roles, &document.roles),
            (&mut names.groups, &document.groups),
        ] {
            if !typed.is_absent() {
                *own = typed.items().map(|(_, source)| source.clone()).collect();
            }
        }
        Ok(names)
    }

    fn revoked(&mut self, at: &At<'_>, document: Option<&RevokedDocument>) -> Revoked {
        let Some(document) = document else {
            return Revoked::default();
        };
        Revoked {
            jti: self.listed(&at.member("jti"), &document.jti),
            subjects: self.listed(&at.member("subjects"), &document.subjects),
        }
    }

    /// The texts of a list, which are compared as written.
    fn listed(&mut self, at: &At<'_>, typed: &Typed<Option<List<String>>>) -> HashSet<String> {
        let items = typed.items().map(|(index, text)| {
            let _ = self
                .diagnostics
                .literal_or(&at.item(index), text, "write each one");
            text.clone()
        });
        items.collect()
    }
}
