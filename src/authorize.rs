//! Principal × rule → Permit: whether a caller may do this.

pub mod access;
pub mod claim;
pub mod condition;
pub mod names;

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use smallvec::SmallVec;

pub use self::access::{Access, Gate, ReplyId};
use self::claim::ClaimRequirement;
use self::condition::{Budget, Condition, Failed};
use self::names::Names;
use crate::authenticate::Principal;
use crate::authenticate::claims::moment;
use crate::reject::{Reject, Requirement, Weakness};
use crate::request::path::Readings;
use crate::request::preflight::Preflight;
use crate::request::{HttpsBy, RequestView};
use crate::time::Timestamp;

/// How far the clock of whoever authenticated the caller may be off.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// A client's wish for a refresh token (OpenID Connect Core §11): between it and the authorization server.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The callers of a request, each verified: the first is the one that the upstream is told of.
pub type Principals = SmallVec<[Rc<Principal>; 1]>;

/// Permission to pass. Only this file makes one, after the check; the host forwards nothing without it.
#[derive(Debug)]
pub struct Permit {
    principals: Principals,
}

impl Permit {
    /// The caller; none if the request passes without a credential.
    pub fn principal(&self) -> Option<&Principal> {
        self.principals.first().map(Rc::as_ref)
    }
}

/// What a rule asks of whoever it lets pass: all of it.
#[derive(Debug, Default)]
pub struct Requirements {
    /// How the caller must have been authenticated: one of these classes, the first preferred (RFC 9470 §3).
    pub acr: Vec<String>,
    /// How long ago at the most (RFC 9470 §3).
    pub max_age: Option<Duration>,
    /// Scopes (RFC 6749 §3.3).
    pub scopes: Names,
    /// Roles.
    pub roles: Names,
    /// Groups.
    pub groups: Names,
    /// Claims and their values.
    pub claims: Vec<ClaimRequirement>,
    /// What must be true of caller and request.
    pub condition: Option<Condition>,
    /// Further requirements, of which one must hold where there are any.
    pub any_of: Vec<Requirements>,
}

/// What is asked about: who wants to do what, where, when.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The caller.
    pub principal: &'a Principal,
    /// The name of the provider that vouches for the caller.
    pub provider: &'a str,
    /// The request.
    pub request: &'a RequestView<'a>,
    /// What tells its scheme.
    pub https_by: HttpsBy,
    /// Its path.
    pub path: &'a Readings<'a>,
    /// What the path has bound: names and decoded values.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The moment.
    pub now: Timestamp,
    /// What all conditions may cost together.
    pub budget: &'a Budget,
    /// Hears what became of each condition that was evaluated.
    pub heard: &'a dyn Fn(Result<bool, Failed>),
}

impl Asked<'_> {
    /// What the path has bound to a parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut bound = self.parameters.iter();
        bound.find_map(|(own, value)| (*own == name).then_some(*value))
    }
}

/// Permits a request without a credential, where the rule lets it pass.
pub(crate) fn permit_anyone(access: &Access) -> Option<Permit> {
    match access {
        Access::Public | Access::Optional(_) => Some(Permit {
            principals: Principals::new(),
        }),
        Access::Required(_) | Access::Respond(_) | Access::Closed(_) => None,
    }
}

/// Permits a CORS preflight, which carries no credentials (WHATWG Fetch, "CORS-preflight fetch").
pub(crate) fn permit_preflight(_: Preflight<'_>) -> Permit {
    Permit {
        principals: Principals::new(),
    }
}

/// Permits the callers, if the first of them meets the requirements.
///
/// # Errors
/// [`Reject::Authentication`], [`Reject::Scope`] or [`Reject::Requirement`], in this order: what a caller can do
/// something about comes first.
pub fn permit(
    principals: &Principals,
    requirements: &Requirements,
    asked: Asked<'_>,
) -> Result<Permit, Reject> {
    requirements.check(asked)?;
    Ok(permit_callers(principals))
}

/// The same at a rule that hides.
///
/// # Errors
/// As for [`permit`], but [`Reject::Authentication`] comes last: only callers who lack nothing else learn of it.
#[cold]
pub fn permit_where_hidden(
    principals: &Principals,
    requirements: &Requirements,
    asked: Asked<'_>,
) -> Result<Permit, Reject> {
    requirements.check_beyond_authentication(asked)?;
    requirements.check_authentication(asked)?;
    Ok(permit_callers(principals))
}

/// For the two functions above, after their checks.
fn permit_callers(principals: &Principals) -> Permit {
    Permit {
        principals: principals.clone(),
    }
}

/// What a caller lacks where a condition does not hold.
#[inline(never)]
fn lack_of(condition: &Condition, asked: Asked<'_>) -> Option<Requirement> {
    let holds = condition.holds(asked);
    (asked.heard)(holds);
    match holds {
        Ok(true) => None,
        Ok(false) => Some(Requirement::Condition),
        Err(Failed) => Some(Requirement::ConditionFailed),
    }
}

impl Requirements {
    fn check(&self, asked: Asked<'_>) -> Result<(), Reject> {
        self.check_authentication(asked)?;
        self.check_beyond_authentication(asked)
    }

    fn check_authentication(&self, asked: Asked<'_>) -> Result<(), Reject> {
        self.authentication(asked.principal, asked.now)
            .map_err(Reject::Authentication)
    }

    fn check_beyond_authentication(&self, asked: Asked<'_>) -> Result<(), Reject> {
        let principal = asked.principal;
        let lacks = |requirement| Err(Reject::Requirement(requirement));
        if !self.scopes.are_met_by(principal.scopes()) {
            Err(Reject::Scope)
        } else if !self.roles.are_met_by(principal.roles()) {
            lacks(Requirement::Role)
        } else if !self.groups.are_met_by(principal.groups()) {
            lacks(Requirement::Group)
        } else if !self.claims.iter().all(|claim| claim.is_met(asked)) {
            lacks(Requirement::Claim)
        } else if let Some(condition) = &self.condition
            && let Some(lack) = lack_of(condition, asked)
        {
            lacks(lack)
        } else if !self.any_of.is_empty() && !self.any_of.iter().any(|one| one.check(asked).is_ok())
        {
            lacks(Requirement::AnyOf)
        } else {
            Ok(())
        }
    }

    /// Whether one of its conditions, also of those within `any_of`, is as `wanted`.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.condition.as_ref().is_some_and(wanted)
            || self.any_of.iter().any(|one| one.has_condition(wanted))
    }

    #[inline(never)]
    fn authentication(&self, principal: &Principal, now: Timestamp) -> Result<(), Weakness> {
        let claim = |name: &str| principal.claims().get(name);
        let is_accepted = |acr: &str| self.acr.iter().any(|own| own == acr);
        if !self.acr.is_empty()
            && !claim("acr")
                .and_then(Value::as_str)
                .is_some_and(is_accepted)
        {
            return Err(Weakness::Class);
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        // A moment that is yet to come says nothing of how long ago it was.
        let then = claim("auth_time").and_then(|value| moment(value.as_number()?));
        let recent =
            then.is_some_and(|then| then <= now.plus(CLOCK_SKEW) && now <= then.plus(max_age));
        recent.then_some(()).ok_or(Weakness::Age)
    }

    /// Every scope that a caller should ask for to pass: all of them at once, and where one of several would do, the
    /// first. Never [`OFFLINE_ACCESS`], which no resource asks for.
    pub fn scopes_to_ask_for(&self) -> Vec<&str> {
        let mut scopes = self.scopes.to_ask_for();
        scopes.retain(|scope| *scope != OFFLINE_ACCESS);
        scopes
    }

    /// What a caller lacks of what made `reject` be said: where one of several would do, the first.
    pub fn missing<'r>(&'r self, reject: Reject, principal: &Principal) -> Vec<&'r str> {
        match reject {
            Reject::Scope => self.scopes.missing(principal.scopes()),
            Reject::Requirement(Requirement::Role) => self.roles.missing(principal.roles()),
            Reject::Requirement(Requirement::Group) => self.groups.missing(principal.groups()),
            Reject::Requirement(
                Requirement::Claim
                | Requirement::Condition
                | Requirement::ConditionFailed
                | Requirement::AnyOf,
            )
            | Reject::NoDocument
            | Reject::Trace
            | Reject::MethodCase
            | Reject::Path(_)
            | Reject::Authority
            | Reject::RouteAtRisk
            | Reject::RepeatedField
            | Reject::PlainHttp
            | Reject::Address
            | Reject::NoSuchMetadata
            | Reject::MetadataMethod
            | Reject::ForeignOrigin
            | Reject::Fixed
            | Reject::TooManyFailures { .. }
            | Reject::NoCredential
            | Reject::Malformed(_)
            | Reject::Token(_)
            | Reject::Unavailable(_)
            | Reject::ProviderNotAccepted
            | Reject::NoRule
            | Reject::Authentication(_) => Vec::new(),
        }
    }
}
