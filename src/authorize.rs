//! Principal × rule → Permit: whether a caller may do this.

use std::rc::Rc;

use crate::authenticate::Principal;
use crate::reject::{Reject, Requirement};

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

/// What a rule asks of whoever it lets pass.
#[derive(Debug, Default)]
pub struct Requirements {
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

impl Names {
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
/// [`Reject::Scope`] or [`Reject::Requirement`]: scope first, since a caller can ask for more of it.
pub fn permit(principal: Rc<Principal>, requirements: &Requirements) -> Result<Permit, Reject> {
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
