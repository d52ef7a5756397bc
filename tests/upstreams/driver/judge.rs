//! What a server must not read of a request that the filter let pass.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::answer::{Answer, Read};
use super::input::{Caller, Tokens};
use super::list::Key;

/// Who the callers' good tokens are of.
const BOB: &str = "bob";
/// What only an administrator may ask for.
const ADMIN_HOST: &str = "admin.example.com";
/// The only rule that permits by a credential, and the only one that permits without.
const ORDERS: &str = "orders";
const PUBLIC: &str = "public";

/// The kinds of violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    Admin,
    OtherUser,
    Anonymous,
    Delete,
    AdminHost,
    Version,
    Subject,
    Token,
    Session,
    Authorization,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "serves the administrators' route",
            Self::OtherUser => "serves what is another user's",
            Self::Anonymous => "serves without a credential what needs one",
            Self::Delete => "reads the method DELETE",
            Self::AdminHost => "reads the administrators' host",
            Self::Version => "reads the version of another rule",
            Self::Subject => "reads another subject than the filter has set",
            Self::Token => "reads an `access_token` that nobody has verified",
            Self::Session => "reads a `session` that nobody has verified",
            Self::Authorization => "reads an `authorization` that nobody has verified",
        })
    }
}

/// The first violation in what a server says, which reports these keys.
///
/// What a public rule lets pass may carry any credential in the header or a cookie, since nobody verifies one there; a
/// token in the query is removed everywhere. A version means something only on public routes, where a rule asks for it.
pub fn judge(answer: &Answer, caller: Caller, tokens: &Tokens, reads: &[Key]) -> Option<Violation> {
    let read = answer.read.as_ref()?;
    let rule = answer.rule.as_deref().unwrap_or_default();
    let is_verified = rule == ORDERS;
    let checks = [
        (Violation::Admin, read.route == "admin"),
        (Violation::OtherUser, is_of_another_user(read)),
        (
            Violation::Anonymous,
            caller == Caller::Anonymous && read.route != PUBLIC,
        ),
        (Violation::Delete, is(&read.method, "DELETE")),
        (Violation::AdminHost, is_admin_host(read)),
        (
            Violation::Version,
            read.route == PUBLIC && has_member(&read.version, "2"),
        ),
        (Violation::Subject, {
            let expected = is_verified.then_some(BOB);
            reads.contains(&Key::Fields) && read.subject.as_deref() != expected
        }),
        (Violation::Token, !is_good(&read.token, tokens)),
        (
            Violation::Session,
            is_verified && !is_good(&read.session, tokens),
        ),
        (
            Violation::Authorization,
            is_verified && !is_good_authorization(read, tokens),
        ),
    ];
    let violated = checks.into_iter().find(|(_, is_violated)| *is_violated);
    violated.map(|(violation, _)| violation)
}

fn is(value: &Option<String>, expected: &str) -> bool {
    let value = value.as_deref().unwrap_or_default();
    value.eq_ignore_ascii_case(expected)
}

/// A server that does not decode its parameter leaves that to its application.
fn is_of_another_user(read: &Read) -> bool {
    matches!(&*read.route, "orders" | "user")
        && percent_decode_str(read.id.as_deref().unwrap_or_default()).decode_utf8_lossy() != BOB
}

fn is_admin_host(read: &Read) -> bool {
    let host = read.host.as_deref().unwrap_or_default();
    host.split(',').any(|host| {
        let host = host.trim().to_ascii_lowercase();
        let name = host.split(':').next().unwrap_or_default();
        name.trim_end_matches('.') == ADMIN_HOST
    })
}

fn has_member(value: &Option<String>, expected: &str) -> bool {
    let value = value.as_deref().unwrap_or_default();
    value.split(',').any(|member| member.trim() == expected)
}

/// Nothing, or bob's token; quotes around a cookie's value, and empty members of a list, mean nothing.
fn is_good(value: &Option<String>, tokens: &Tokens) -> bool {
    let value = value.as_deref().unwrap_or_default();
    let value = value.trim_matches(['"', ',', ' ']);
    value.is_empty() || value.as_bytes() == tokens.good
}

fn is_good_authorization(read: &Read, tokens: &Tokens) -> bool {
    let value = read.authorization.as_deref().unwrap_or_default();
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && rest.trim().as_bytes() == tokens.good;
    value.is_empty() || is_bearer
}
