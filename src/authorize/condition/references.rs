//! What an expression refers to. Only these values are built when it is evaluated.

use super::environment;
use super::fault::{FaultKind, Position};
use crate::grammar::is_token;

/// The variables of every expression, and the literals that other languages write in another case.
pub(super) const VARIABLES: [&str; 14] = [
    "callers", "claims", "groups", "now", "params", "provider", "request", "roles", "scopes",
    "source", "subject", "true", "false", "null",
];

/// The members of `request`.
const OF_REQUEST: [&str; 5] = ["headers", "host", "method", "path", "scheme"];

/// The members of a caller in `callers`.
const OF_CALLER: [&str; 5] = ["claims", "groups", "roles", "scopes", "subject"];

/// The members of `source`.
const OF_SOURCE: [&str; 1] = ["address"];

/// What an expression refers to.
#[derive(Debug, Default)]
pub struct References {
    pub claims: Members,
    pub subject: bool,
    pub scopes: bool,
    pub roles: bool,
    pub groups: bool,
    pub provider: bool,
    pub params: Members,
    pub request: bool,
    pub method: bool,
    pub path: bool,
    pub host: bool,
    pub scheme: bool,
    pub headers: Members,
    pub source: bool,
    pub address: bool,
    pub now: bool,
    /// Each path parameter that the expression names, and the position of its name.
    pub parameters: Vec<(String, Position)>,
    /// The providers in `callers`.
    pub callers: Members,
    /// What the expression refers to of callers in `callers`.
    pub of_callers: OfCallers,
    /// Each provider that the expression names in `callers`, and the position of its name.
    pub providers: Vec<(String, Position)>,
}

/// What an expression refers to of callers in `callers`.
#[derive(Debug, Default)]
pub struct OfCallers {
    pub subject: bool,
    pub scopes: bool,
    pub roles: bool,
    pub groups: bool,
    pub claims: Members,
}

/// The members of a map that an expression refers to.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Members {
    /// None of them.
    #[default]
    None,
    /// Those of these names.
    Named(Vec<String>),
    /// All of them.
    All,
}

impl Members {
    /// Adds the member of that name, or all members.
    fn add(&mut self, member: Option<&str>) {
        match (member, &mut *self) {
            (None, _) => *self = Self::All,
            (Some(_), Self::All) => {}
            (Some(member), Self::None) => *self = Self::Named(vec![member.to_owned()]),
            (Some(member), Self::Named(members)) => {
                if !members.iter().any(|own| own == member) {
                    members.push(member.to_owned());
                }
            }
        }
    }

    /// The members that the expression refers to by name.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let members = match self {
            Self::Named(members) => members.as_slice(),
            Self::None | Self::All => &[],
        };
        members.iter().map(String::as_str)
    }

    /// Whether the expression refers to the member of that name.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::Named(members) => members.iter().any(|own| own == name),
            Self::All => true,
        }
    }
}

impl References {
    /// Whether the expression refers to nothing that differs between requests.
    pub fn is_empty(&self) -> bool {
        let flags = [
            self.subject,
            self.scopes,
            self.roles,
            self.groups,
            self.provider,
            self.request,
            self.source,
            self.now,
        ];
        let members = [&self.claims, &self.params, &self.callers];
        members.iter().all(|own| **own == Members::None) && !flags.contains(&true)
    }

    /// Adds a variable and the names of members after it: `request`, `headers`, `x-a`.
    ///
    /// `position` is that of the first member's name. `is_tested` says that only the presence of the last member matters.
    ///
    /// # Errors
    /// The name that is wrong, and its fault.
    pub fn add<'n>(
        &mut self,
        root: &'n str,
        members: &[&'n str],
        position: Position,
        is_tested: bool,
    ) -> Result<(), (&'n str, FaultKind)> {
        let member = members.first().copied();
        match root {
            "claims" => self.claims.add(member),
            "params" => {
                self.params.add(member);
                if let Some(member) = member {
                    self.parameters.push((member.to_owned(), position));
                }
            }
            "callers" => {
                self.callers.add(member);
                if let Some(member) = member {
                    self.providers.push((member.to_owned(), position));
                }
                let of_caller = members.get(1).copied();
                if of_caller.is_some() || !is_tested {
                    return self.add_of_callers(of_caller, members.get(2).copied());
                }
            }
            "subject" => self.subject = true,
            "scopes" => self.scopes = true,
            "roles" => self.roles = true,
            "groups" => self.groups = true,
            "provider" => self.provider = true,
            "now" => self.now = true,
            "source" => {
                self.source = true;
                match member {
                    None | Some("address") => self.address = true,
                    Some(name) => return Err(unknown("member of `source`", name, &OF_SOURCE)),
                }
            }
            "request" => {
                self.request = true;
                return self.add_of_request(member, members.get(1).copied());
            }
            name if member.is_none() && environment::TYPES.contains(&name) => {}
            name => return Err(unknown("variable", name, &VARIABLES)),
        }
        Ok(())
    }

    /// Adds a member of a caller in `callers`, or all of them; of `claims`, the claim of that name, or all claims.
    fn add_of_callers<'n>(
        &mut self,
        member: Option<&'n str>,
        claim: Option<&str>,
    ) -> Result<(), (&'n str, FaultKind)> {
        let own = &mut self.of_callers;
        match member {
            Some("subject") => own.subject = true,
            Some("scopes") => own.scopes = true,
            Some("roles") => own.roles = true,
            Some("groups") => own.groups = true,
            Some("claims") => own.claims.add(claim),
            None => {
                own.claims.add(None);
                (own.subject, own.scopes) = (true, true);
                (own.roles, own.groups) = (true, true);
            }
            Some(name) => return Err(unknown("member of a caller", name, &OF_CALLER)),
        }
        Ok(())
    }

    /// Adds a member of `request`, or all of them; of `request.headers`, the header of that name, or all headers.
    fn add_of_request<'n>(
        &mut self,
        member: Option<&'n str>,
        header: Option<&'n str>,
    ) -> Result<(), (&'n str, FaultKind)> {
        match member {
            Some("method") => self.method = true,
            Some("path") => self.path = true,
            Some("host") => self.host = true,
            Some("scheme") => self.scheme = true,
            Some("headers") => {
                self.headers.add(header);
                if let Some((name, fault)) = header.zip(header.and_then(header_fault)) {
                    return Err((name, FaultKind::Header(fault)));
                }
            }
            None => {
                self.headers.add(None);
                (self.method, self.path) = (true, true);
                (self.host, self.scheme) = (true, true);
            }
            Some(name) => return Err(unknown("member of `request`", name, &OF_REQUEST)),
        }
        Ok(())
    }
}

fn unknown<'n>(
    what: &'static str,
    name: &'n str,
    known: &'static [&'static str],
) -> (&'n str, FaultKind) {
    let kind = FaultKind::Unknown {
        what,
        name: name.to_owned(),
        known,
    };
    (name, kind)
}

/// Why `request.headers` never has a header of that name.
fn header_fault(name: &str) -> Option<&'static str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("expected a header name in lower case")
    } else if name == "host" {
        Some("`host` is not in `request.headers`: use `request.host`")
    } else if !is_token(name) {
        Some("not a valid header name")
    } else {
        None
    }
}
