//! The claims that the filter reads from a token.

mod path;
mod value;

use std::time::Duration;

use serde_json::Number;

pub use self::path::{ClaimPath, ClaimPathFault};
pub use self::value::{RequiredValue, is_exact, is_one_of};
use crate::authenticate::granted::Granted;
use crate::json::{Json, Object};
use crate::reject::TokenFault;
use crate::time::Timestamp;

/// A claims set (RFC 7519 §4).
pub type Claims<'a> = Object<'a>;

/// The claims with the audience of a token, and with the subject, scopes, roles and groups of the caller.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    /// The caller's identifier: a string.
    pub subject: ClaimPath,
    /// The audience: a string or an array of strings. The first of these claims that the token has counts.
    pub audience: Vec<ClaimPath>,
    /// Scopes: a string split at spaces, or an array of strings.
    pub scopes: Vec<NameSource>,
    /// Roles: a string that is one role, or an array of strings.
    pub roles: Vec<NameSource>,
    /// Groups: a string that is one group, or an array of strings.
    pub groups: Vec<NameSource>,
}

/// A claim with names: scopes, roles or groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameSource {
    /// The names are the value: a string, or an array of strings.
    Value(ClaimPath),
    /// The names are the member names of an object.
    Members(ClaimPath),
}

/// The default: `sub`; `aud`; `scope` and `scp`; `roles` and `realm_access.roles`; `groups`.
impl Default for ClaimNames {
    fn default() -> Self {
        let value = |name: &&str| NameSource::Value(ClaimPath::known(name));
        let values = |names: &[&str]| names.iter().map(value).collect();
        Self {
            subject: ClaimPath::known("sub"),
            audience: vec![ClaimPath::known("aud")],
            scopes: values(&["scope", "scp"]),
            roles: values(&["roles", "realm_access.roles"]),
            groups: values(&["groups"]),
        }
    }
}

impl ClaimNames {
    /// The audience that the claims name: the value of the first claim that is present, which includes `null`.
    pub fn audience<'c, 'a>(&self, claims: &'c Claims<'a>) -> Option<&'c Json<'a>> {
        let mut paths = self.audience.iter();
        paths.find_map(|path| path.find(claims))
    }

    /// The subject. An empty one is none.
    ///
    /// # Errors
    /// [`TokenFault::ClaimType`] if the claim is not a string, or contains a control character.
    pub fn subject(&self, claims: &Claims<'_>) -> Result<Option<String>, TokenFault> {
        match self.subject.find(claims) {
            None => Ok(None),
            Some(Json::Text(text)) if text.is_empty() => Ok(None),
            Some(Json::Text(text)) if !text.chars().any(char::is_control) => {
                Ok(Some(text.clone().into_owned()))
            }
            Some(_) => Err(TokenFault::ClaimType),
        }
    }

    /// The scopes (RFC 6749 §3.3).
    pub fn scopes(&self, claims: &Claims<'_>) -> Granted {
        collect(&self.scopes, claims, |text, names| {
            // `[' ']` is faster for short texts than `' '`, which prepares a search of long texts.
            let scopes = text.split([' ']).filter(|scope| !scope.is_empty());
            names.extend(scopes);
        })
    }

    /// The roles.
    pub fn roles(&self, claims: &Claims<'_>) -> Granted {
        collect(&self.roles, claims, |text, names| names.push(text))
    }

    /// The groups.
    pub fn groups(&self, claims: &Claims<'_>) -> Granted {
        collect(&self.groups, claims, |text, names| names.push(text))
    }
}

/// The names in the claims of `sources`. `take` splits a string into names. A claim of another type has no names.
fn collect(sources: &[NameSource], claims: &Claims<'_>, take: fn(&str, &mut Granted)) -> Granted {
    let mut names = Granted::default();
    for source in sources {
        match source {
            NameSource::Value(path) => match path.find(claims) {
                Some(Json::Text(text)) => {
                    names.reserve_for(text);
                    take(text, &mut names);
                }
                Some(Json::Array(items)) => {
                    let texts = items.iter().filter_map(Json::as_str);
                    names.reserve(texts.clone());
                    names.extend(texts);
                }
                _ => {}
            },
            NameSource::Members(path) => {
                if let Some(Json::Object(object)) = path.find(claims) {
                    let members = object.iter().map(|(name, _)| name);
                    names.reserve(members.clone());
                    names.extend(members);
                }
            }
        }
    }
    names
}

/// The times in a token (RFC 7519 §4.1.4 to §4.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `exp`.
    pub expires: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued: Option<Timestamp>,
}

impl Times {
    /// Checks that the times permit the use now, with a tolerance for the other clock.
    ///
    /// # Errors
    /// [`TokenFault::Expired`], [`TokenFault::NotYetValid`].
    pub fn check(self, clock_skew: Duration, now: Timestamp) -> Result<(), TokenFault> {
        let Self {
            expires,
            not_before,
            issued,
        } = self;
        if expires.is_some_and(|expires| now >= expires.plus(clock_skew)) {
            return Err(TokenFault::Expired);
        }
        let from_the_future =
            |moment: Option<Timestamp>| moment.is_some_and(|moment| now < moment.minus(clock_skew));
        let ends_before_it_begins = issued.zip(expires).is_some_and(|(iat, exp)| iat > exp);
        if from_the_future(not_before) || from_the_future(issued) || ends_before_it_begins {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }

    /// The times in the claims.
    ///
    /// # Errors
    /// [`TokenFault::ClaimType`] if one of the claims is not a number.
    pub fn of(claims: &Claims<'_>) -> Result<Self, TokenFault> {
        Ok(Self {
            expires: numeric_date(claims, "exp")?,
            not_before: numeric_date(claims, "nbf")?,
            issued: numeric_date(claims, "iat")?,
        })
    }
}

/// The NumericDate in the claim `name`; none if the claim is missing.
fn numeric_date(claims: &Claims<'_>, name: &str) -> Result<Option<Timestamp>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(number)) => match moment(number) {
            Some(moment) => Ok(Some(moment)),
            None => Err(TokenFault::ClaimType),
        },
        Some(_) => Err(TokenFault::ClaimType),
    }
}

/// The time of a NumericDate (RFC 7519 §2), a JSON number that may have a fraction.
pub fn moment(number: &Number) -> Option<Timestamp> {
    match number.as_i64() {
        Some(seconds) => Some(Timestamp::from_seconds(seconds)),
        None => number.as_f64().map(Timestamp::from_fractional_seconds),
    }
}

#[cfg(test)]
pub(in crate::authenticate) mod tests {
    use super::*;
    use crate::json;
    use serde_json::{Value, json};

    pub fn claims(value: Value) -> Claims<'static> {
        match json::parse(value.to_string().leak().as_bytes()) {
            Ok(Json::Object(claims)) => claims,
            other => panic!("no object: {other:?}"),
        }
    }

    #[test]
    fn j_63_scopes_are_split_and_roles_are_not() {
        let claims = claims(json!({
            "scope": "read  write", "scp": ["a b", 5, "c"],
            "roles": "site admin", "realm_access": {"roles": ["x", {"y": 1}]}, "groups": 7
        }));
        let names = ClaimNames::default();
        let all = |names: Granted| names.iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all(names.scopes(&claims)), ["read", "write", "a b", "c"]);
        assert_eq!(all(names.roles(&claims)), ["site admin", "x"]);
        assert!(names.groups(&claims).is_empty());
    }

    #[test]
    fn j_62_a_subject_is_visible_text() {
        let names = ClaimNames::default();
        for value in [json!(5), json!(null), json!("a\r\nb"), json!("a\u{0}")] {
            let claims = claims(json!({"sub": value}));
            assert_eq!(names.subject(&claims), Err(TokenFault::ClaimType));
        }
        for none in [json!({}), json!({"sub": ""})] {
            assert_eq!(names.subject(&claims(none)), Ok(None));
        }
    }

    #[test]
    fn j_54_j_55_j_57_a_numeric_date_is_a_number_of_any_form() {
        let date = |value: Value| numeric_date(&claims(json!({"exp": value})), "exp");
        let at = |millis| Ok(Some(Timestamp::from_millis(millis)));
        assert_eq!(date(json!(1_700_000_100.5)), at(1_700_000_100_500));
        assert_eq!(date(json!(1.7000001e9)), at(1_700_000_100_000));
        assert_eq!(date(json!(-1)), at(-1000));
        assert_eq!(date(json!(1e308)), at(i64::MAX));
        assert_eq!(date(json!(u64::MAX)), at(i64::MAX));
        for value in [
            json!("1700000100"),
            json!(true),
            json!(null),
            json!([1]),
            json!({}),
        ] {
            assert_eq!(date(value), Err(TokenFault::ClaimType));
        }
    }
}
