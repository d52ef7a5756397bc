//! Whether a caller may make a request: principal × requirements → [`Permit`].
//!
//! There are two steps and a proof of each: a caller has what is required everywhere ([`Admitted`]), and what the rule
//! requires ([`Permit`]).

pub mod access;
pub mod claim;
pub mod condition;
#[cfg(not(target_arch = "wasm32"))]
pub mod lack;
pub mod names;
mod required;

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use smallvec::SmallVec;

pub use self::access::{Access, Gate, Needs, ReplyId};
use self::claim::ClaimRequirement;
use self::condition::{Budget, Condition, Failed};
use self::names::Names;
pub use self::required::Required;
use crate::authenticate::jose::claims::moment;
use crate::authenticate::{Principal, Provider};
use crate::reject::{Reject, Requirement, Weakness};
use crate::request::path::Readings;
use crate::request::preflight::Preflight;
use crate::request::{HttpsBy, RequestView};
use crate::time::Timestamp;

/// How far the clock of the authorization server may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The scope by which a client asks the authorization server for a refresh token (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The callers of a request, each verified: the identity headers describe the first.
pub type Principals = SmallVec<[Rc<Principal>; 1]>;

/// The proof that a request is permitted. Only this file creates one, after the check, and the host forwards no request
/// without one.
#[derive(Debug)]
pub struct Permit {
    principals: Principals,
}

impl Permit {
    /// The caller. None if the request is permitted without a credential.
    pub fn principal(&self) -> Option<&Principal> {
        self.principals.first().map(Rc::as_ref)
    }
}

/// The proof that the callers have what is required everywhere. Only [`admit`] creates one.
#[derive(Debug)]
pub struct Admitted {
    principals: Principals,
}

/// What the configuration requires of every caller, in addition to what a rule requires.
#[derive(Debug, Default)]
pub struct Everywhere(pub Requirements);

impl Everywhere {
    /// Whether `wanted` returns true for one of the conditions.
    pub fn has_condition(&self, wanted: impl Fn(&Condition) -> bool + Copy) -> bool {
        self.0.has_condition(wanted)
    }
}

/// What a rule requires of a caller. All of it must be met.
#[derive(Debug, Default)]
pub struct Requirements {
    /// Authentication classes, of which the caller's must be one; the preferred one first (RFC 9470 §3).
    pub acr: Vec<String>,
    /// The maximum age of the caller's authentication (RFC 9470 §3).
    pub max_age: Option<Duration>,
    /// Scopes (RFC 6749 §3.3).
    pub scopes: Names,
    /// Roles.
    pub roles: Names,
    /// Groups.
    pub groups: Names,
    /// Claims and their values.
    pub claims: Vec<ClaimRequirement>,
    /// A condition on the caller and the request.
    pub condition: Option<Condition>,
    /// Alternatives. If there are any, one of them must be met.
    pub any_of: Vec<Requirements>,
}

/// What requirements are evaluated against: the caller, the request and the time.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The caller.
    pub principal: &'a Principal,
    /// The name of the provider that verified the caller.
    pub provider: &'a str,
    /// Every caller of the request.
    pub callers: &'a Principals,
    /// The providers of the configuration.
    pub providers: &'a [Provider],
    /// The request.
    pub request: &'a RequestView<'a>,
    /// How the filter knows whether the request came over HTTPS.
    pub https_by: HttpsBy,
    /// The request's path.
    pub path: &'a Readings<'a>,
    /// The names and the decoded values of path parameters.
    pub parameters: &'a [(&'a str, &'a str)],
    /// The current time.
    pub now: Timestamp,
    /// What all conditions of the request may cost together.
    pub budget: &'a Budget,
    /// Called with the result of each condition that was evaluated.
    pub on_condition: &'a dyn Fn(Result<bool, Failed>),
}

impl<'a> Input<'a> {
    /// The input for the first of the callers: a permit rests on the callers that were checked.
    fn of_first(self, callers: &'a Principals) -> Result<Self, Reject> {
        let principal = callers.first().ok_or(Reject::NoCredential)?;
        Ok(Self {
            principal,
            callers,
            ..self
        })
    }

    /// The value of a path parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut bound = self.parameters.iter();
        bound.find_map(|(own, value)| (*own == name).then_some(*value))
    }
}

/// Permits a request without a credential, if its rule allows that.
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

/// Admits the callers, if the first of them has what is required everywhere. `input` is evaluated for that caller,
/// whichever it names.
///
/// # Errors
/// [`Reject::NoCredential`] if there is no caller. Otherwise as for [`permit`].
pub fn admit(
    principals: &Principals,
    everywhere: &Everywhere,
    input: Input<'_>,
) -> Result<Admitted, Reject> {
    let Everywhere(requirements) = everywhere;
    requirements.check(input.of_first(principals)?)?;
    let principals = match principals.as_slice() {
        // Nearly every request has one caller.
        [one] => Principals::from_buf([Rc::clone(one)]),
        several => several.into(),
    };
    Ok(Admitted { principals })
}

/// Permits the callers, if every provider of which the gate needs a credential has verified one, and the first caller
/// meets the requirements. `input` is evaluated for that caller, whichever it names.
///
/// # Errors
/// [`Reject::MissingCredential`], [`Reject::Authentication`], [`Reject::Scope`] or [`Reject::Requirement`], in this order:
/// the caller can act on the first three.
pub fn permit(admitted: Admitted, gate: &Gate, input: Input<'_>) -> Result<Permit, Reject> {
    let Admitted { principals } = admitted;
    refuse_missing(gate, &principals)?;
    gate.requirements.check(input.of_first(&principals)?)?;
    Ok(Permit { principals })
}

/// As [`permit`], for a hidden rule.
///
/// # Errors
/// As for [`permit`], but [`Reject::Authentication`] comes last, so that only callers who meet all other requirements
/// learn that the rule exists.
#[cold]
pub fn permit_where_hidden(
    admitted: Admitted,
    gate: &Gate,
    input: Input<'_>,
) -> Result<Permit, Reject> {
    let Admitted { principals } = admitted;
    refuse_missing(gate, &principals)?;
    let input = input.of_first(&principals)?;
    gate.requirements.check_beyond_authentication(input)?;
    gate.requirements.check_authentication(input)?;
    Ok(Permit { principals })
}

/// Denies callers of which one that the gate needs is missing.
///
/// # Errors
/// [`Reject::MissingCredential`].
pub fn refuse_missing(gate: &Gate, callers: &Principals) -> Result<(), Reject> {
    match gate.missing(callers).next() {
        None => Ok(()),
        missing => Err(Reject::MissingCredential {
            is_first: missing.as_ref() == gate.providers.first(),
        }),
    }
}

/// What a caller lacks if a condition does not hold.
#[inline(never)]
fn unmet_condition(condition: &Condition, input: Input<'_>) -> Option<Requirement> {
    let holds = condition.holds(input);
    (input.on_condition)(holds);
    match holds {
        Ok(true) => None,
        Ok(false) => Some(Requirement::Condition),
        Err(Failed) => Some(Requirement::ConditionFailed),
    }
}

impl Requirements {
    fn check(&self, input: Input<'_>) -> Result<(), Reject> {
        self.check_authentication(input)?;
        self.check_beyond_authentication(input)
    }

    fn check_authentication(&self, input: Input<'_>) -> Result<(), Reject> {
        self.authentication(input.principal, input.now)
            .map_err(Reject::Authentication)
    }

    fn check_beyond_authentication(&self, input: Input<'_>) -> Result<(), Reject> {
        let principal = input.principal;
        let lacks = |requirement| Err(Reject::Requirement(requirement));
        if !self.scopes.are_met_by(principal.scopes()) {
            Err(Reject::Scope)
        } else if !self.roles.are_met_by(principal.roles()) {
            lacks(Requirement::Role)
        } else if !self.groups.are_met_by(principal.groups()) {
            lacks(Requirement::Group)
        } else if !self.claims.iter().all(|claim| claim.is_met(input)) {
            lacks(Requirement::Claim)
        } else if let Some(condition) = &self.condition
            && let Some(lack) = unmet_condition(condition, input)
        {
            lacks(lack)
        } else if !self.any_of.is_empty() && !self.any_of.iter().any(|one| one.check(input).is_ok())
        {
            lacks(Requirement::AnyOf)
        } else {
            Ok(())
        }
    }

    /// Whether `wanted` returns true for one of the conditions, which include those in `any_of`.
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
        // A time in the future does not show how old the authentication is.
        let then = claim("auth_time").and_then(|value| moment(value.as_number()?));
        let recent =
            then.is_some_and(|then| then <= now.plus(CLOCK_SKEW) && now <= then.plus(max_age));
        recent.then_some(()).ok_or(Weakness::Age)
    }
}
