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
            Self::Anonymous => "serves what needs a credential under a rule that asks for none",
            Self::Delete => "reads the method DELETE",
            Self::AdminHost => "reads the administrators' host",
            Self::Version => "reads the version of another rule",
            Self::Subject => "reads another subject than the filter has set",
            Self::Token => "reads an unverified `access_token`",
            Self::Session => "reads an unverified `session`",
            Self::Authorization => "reads an unverified `authorization`",
        })
    }
}

/// The first violation in what a server says, which reports these keys.
///
/// A request under a public rule may carry any credential in the header or a cookie: no credential is verified there. A
/// token in the query is removed under every rule. A version means something only on public routes, where a rule asks for it.
pub fn judge(answer: &Answer, caller: Caller, tokens: &Tokens, reads: &[Key]) -> Option<Violation> {
    let read = answer.read.as_ref()?;
    let rule = answer.rule.as_deref().unwrap_or_default();
    let is_verified = rule == ORDERS;
    let checks = [
        (Violation::Admin, read.route == "admin"),
        (Violation::OtherUser, is_of_another_user(read)),
        (
            Violation::Anonymous,
            (caller == Caller::Anonymous || !is_verified)
                && read.route != PUBLIC
                && !is_collection(read),
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
            is_verified && !is_good_session(&read.session, tokens),
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
        && !is_collection(read)
        && percent_decode_str(read.id.as_deref().unwrap_or_default()).decode_utf8_lossy() != BOB
}

/// `/users/` is all users, although it is the user without a name to some routers.
fn is_collection(read: &Read) -> bool {
    read.route == "user" && read.id.as_deref().is_none_or(str::is_empty)
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

/// Nothing, or bob's token; quotes around a value, and empty members of a list, mean nothing.
fn is_good(value: &Option<String>, tokens: &Tokens) -> bool {
    let value = value.as_deref().unwrap_or_default();
    let value = value.trim_matches(['"', ',', ' ']);
    value.is_empty() || value.as_bytes() == tokens.good
}

/// Nothing, or bob's token. Percent-encoded quotes, and `Bearer ` before the token, are not part of it. aiohttp ends a value
/// at the space, and reads `Bearer` alone, which is not a token.
fn is_good_session(value: &Option<String>, tokens: &Tokens) -> bool {
    let value = value.as_deref().unwrap_or_default();
    let value = percent_decode_str(value).decode_utf8_lossy();
    let value = value.trim_matches(['"', ',', ' ']);
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let token = match scheme.eq_ignore_ascii_case("bearer") {
        true => rest.trim(),
        false => value,
    };
    is_good(&Some(token.to_owned()), tokens)
}

/// A scheme that no provider reads is the upstream's own.
fn is_good_authorization(read: &Read, tokens: &Tokens) -> bool {
    let value = read.authorization.as_deref().unwrap_or_default();
    let value = value.trim_matches([',', ' ']);
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let is_bearer = scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer");
    value.is_empty() || !is_bearer || !scheme.is_empty() && rest.trim().as_bytes() == tokens.good
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Key; 1] = [Key::Fields];

    fn tokens() -> Tokens {
        Tokens {
            good: b"good".to_vec(),
            forged: b"forged".to_vec(),
        }
    }

    /// What is judged of an answer under a rule, which a change makes of a good one.
    fn judged(rule: &str, caller: Caller, change: impl FnOnce(&mut Read)) -> Option<Violation> {
        let is_orders = rule == ORDERS;
        let some = |text: &str| Some(text.to_owned());
        let mut read = Read {
            route: if is_orders { "orders" } else { "public" }.to_owned(),
            id: is_orders.then(|| "bob".to_owned()),
            method: some("GET"),
            host: some("api.example.com"),
            subject: is_orders.then(|| "bob".to_owned()),
            ..Read::default()
        };
        change(&mut read);
        let answer = Answer::served(rule, read);
        judge(&answer, caller, &tokens(), &ALL)
    }

    #[test]
    fn every_violation_is_seen() {
        let bob = |change: fn(&mut Read)| judged(ORDERS, Caller::Bob, change);
        let anyone = |change: fn(&mut Read)| judged(PUBLIC, Caller::Anonymous, change);
        let text = |text: &str| Some(text.to_owned());
        for (expected, found) in [
            (
                Violation::Admin,
                anyone(|read| read.route = "admin".to_owned()),
            ),
            (
                Violation::OtherUser,
                bob(|read| read.id = Some("alice".to_owned())),
            ),
            (
                Violation::Delete,
                anyone(|read| read.method = Some("delete".to_owned())),
            ),
            (
                Violation::AdminHost,
                bob(|read| read.host = Some("a, ADMIN.example.com.:80".to_owned())),
            ),
            (
                Violation::Version,
                anyone(|read| read.version = Some("1, 2".to_owned())),
            ),
            (
                Violation::Subject,
                anyone(|read| read.subject = Some("bob".to_owned())),
            ),
            (
                Violation::Subject,
                bob(|read| read.subject = Some("bob,alice".to_owned())),
            ),
            (Violation::Subject, bob(|read| read.subject = None)),
            (
                Violation::Token,
                anyone(|read| read.token = Some("forged".to_owned())),
            ),
            (
                Violation::Session,
                bob(|read| read.session = Some("good,forged".to_owned())),
            ),
            (
                Violation::Session,
                bob(|read| read.session = Some("Bearer%20forged".to_owned())),
            ),
            (
                Violation::Authorization,
                bob(|read| read.authorization = Some("forged".to_owned())),
            ),
        ] {
            assert_eq!(found, Some(expected));
        }
        let without = judged(ORDERS, Caller::Anonymous, |_| ());
        assert_eq!(without, Some(Violation::Anonymous));
        let permitted = judged(ORDERS, Caller::Bob, |read| {
            read.id = text("%62ob");
            read.version = text("2");
            read.session = text("\"good\"");
            read.authorization = text("bearer good");
        });
        assert_eq!(permitted, None);
        for session in [
            "Bearer good",
            "bearer%20good",
            "%22Bearer good%22",
            "Bearer",
        ] {
            let permitted = judged(ORDERS, Caller::Bob, |read| read.session = text(session));
            assert_eq!(permitted, None, "{session}");
        }
        let of_upstream = bob(|read| read.authorization = Some("Basic eDp5".to_owned()));
        assert_eq!(of_upstream, None);
        let unverified = judged(PUBLIC, Caller::Bob, |read| {
            read.session = text("forged");
            read.authorization = text("Bearer forged");
        });
        assert_eq!(unverified, None);
    }
}
