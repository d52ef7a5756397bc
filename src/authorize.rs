//! Principal × rule → Permit: whether a caller may do this.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::authenticate::Principal;
use crate::authenticate::claims::numeric_date;
use crate::reject::{Reject, Requirement, Weakness};
use crate::time::Timestamp;

/// Leave to pass. Only this file makes one, after the check; the host forwards nothing without it.
#[derive(Debug)]
pub struct Permit {
    principal: Option<Rc<Principal>>,
}

impl Permit {
    /// The caller, where one was verified.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_deref()
    }
}

/// A client's wish for a refresh token (OpenID Connect Core §11): between it and the authorization server.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// What a rule asks of whoever it lets pass.
#[derive(Debug, Default)]
pub struct Requirements {
    /// How the caller must have been authenticated: one of these classes, the first preferred (RFC 9470 §3).
    pub acr: Vec<String>,
    /// How long ago at the most (RFC 9470 §3).
    pub max_age: Option<Duration>,
    /// Scopes, roles and groups: all of `all`, and where `any` is not empty one of it.
    pub scopes: Names,
    /// Roles.
    pub roles: Names,
    /// Groups.
    pub groups: Names,
}

/// Names that a caller must have.
#[derive(Debug, Default)]
pub struct Names {
    /// Every one of these.
    pub all: Vec<String>,
    /// At least one of these, where there are any.
    pub any: Vec<String>,
}

impl Requirements {
    /// Every scope that a caller should ask for to pass: all of them at once, and where one of several would do, the
    /// first. Never [`OFFLINE_ACCESS`], which no resource asks for.
    pub fn scopes_to_ask_for(&self) -> impl Iterator<Item = &str> {
        let Names { all, any } = &self.scopes;
        let first = any.first().filter(|first| !all.contains(first));
        let scopes = all.iter().chain(first).map(String::as_str);
        scopes.filter(|scope| *scope != OFFLINE_ACCESS)
    }

    /// What a caller lacks of what made `reject` be said: where one of several would do, the first.
    pub fn missing<'r>(&'r self, reject: Reject, principal: &Principal) -> Vec<&'r str> {
        match reject {
            Reject::Scope => self.scopes.missing(principal.scopes()),
            Reject::Requirement(Requirement::Role) => self.roles.missing(principal.roles()),
            Reject::Requirement(Requirement::Group) => self.groups.missing(principal.groups()),
            _ => Vec::new(),
        }
    }

    fn authentication(&self, principal: &Principal, now: Timestamp) -> Result<(), Weakness> {
        let claims = principal.claims();
        let acr = claims.get("acr").and_then(Value::as_str);
        if !self.acr.is_empty() && !acr.is_some_and(|acr| self.acr.iter().any(|own| own == acr)) {
            return Err(Weakness::Class);
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        // A moment that is yet to come says nothing of how long ago it was.
        let then = numeric_date(claims, "auth_time").ok().flatten();
        let recent =
            then.is_some_and(|then| then <= now.plus(CLOCK_SKEW) && now <= then.plus(max_age));
        recent.then_some(()).ok_or(Weakness::Age)
    }
}

/// How far the clock of whoever authenticated the caller may be off.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

impl Names {
    fn missing(&self, granted: &[String]) -> Vec<&str> {
        let lacks = |name: &&String| !granted.contains(name);
        let none_of_any = self.any.iter().all(|name| lacks(&name));
        let first = self.any.first().filter(|_| none_of_any);
        let all = self.all.iter().filter(lacks);
        all.chain(first).map(String::as_str).collect()
    }

    /// Names are compared whole and case-sensitively (RFC 6749 §3.3).
    fn are_met_by(&self, granted: &[String]) -> bool {
        self.all.iter().all(|name| granted.contains(name))
            && (self.any.is_empty() || self.any.iter().any(|name| granted.contains(name)))
    }
}

/// Lets pass where nobody is asked: a public rule, or an optional one without a credential.
pub fn permit_anyone() -> Permit {
    Permit { principal: None }
}

/// Lets a verified caller pass who meets the requirements.
///
/// # Errors
/// [`Reject::Authentication`], [`Reject::Scope`] or [`Reject::Requirement`], in this order: what a caller can do
/// something about comes first.
pub fn permit(
    principal: Rc<Principal>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<Permit, Reject> {
    requirements
        .authentication(&principal, now)
        .map_err(Reject::Authentication)?;
    let reject = if !requirements.scopes.are_met_by(principal.scopes()) {
        Reject::Scope
    } else if !requirements.roles.are_met_by(principal.roles()) {
        Reject::Requirement(Requirement::Role)
    } else if !requirements.groups.are_met_by(principal.groups()) {
        Reject::Requirement(Requirement::Group)
    } else {
        return Ok(Permit {
            principal: Some(principal),
        });
    };
    Err(reject)
}
