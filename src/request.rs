//! The request as the host hands it over: borrowed bytes, not yet known to be text.

pub mod host;
pub mod list;
mod names;
pub mod overrides;
pub mod parameter;
pub mod path;
pub mod preflight;

use std::net::IpAddr;

pub use self::names::FieldNames;
use crate::reject::Reject;
use crate::url::Host;

/// A request's head: pseudo-header fields and header fields, names in lower case.
///
/// Nothing here picks "the first" of several fields: what a field says is one of [`Field`]'s three cases, and
/// whoever asks must answer for each.
#[derive(Debug)]
pub struct RequestView<'a> {
    method: &'a [u8],
    target: Option<&'a [u8]>,
    authority: &'a [u8],
    fields: Vec<(&'a [u8], &'a [u8])>,
    has_connection: bool,
    over_tls: bool,
    client: Option<IpAddr>,
    goes_on: bool,
    route: Option<&'a [u8]>,
    policies: Vec<&'a [u8]>,
    was_changed: bool,
}

/// What tells whether a request came over HTTPS; never its own `:scheme`, which a client chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpsBy {
    /// The TLS of its connection.
    #[default]
    Connection,
    /// `x-forwarded-proto`, which a proxy in front sets.
    ForwardedProto,
}

/// What the fields of one name say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// There is no field of that name.
    None,
    /// There is exactly one.
    One(&'a [u8]),
    /// There are several.
    Many,
}

impl<'a> RequestView<'a> {
    /// A view over the pairs of a header map, pseudo-header fields (RFC 9113 §8.3.1) included.
    pub fn new(fields: Vec<(&'a [u8], &'a [u8])>) -> Self {
        let mut view = Self {
            method: b"",
            target: None,
            authority: b"",
            fields,
            has_connection: false,
            over_tls: false,
            client: None,
            goes_on: false,
            route: None,
            policies: Vec::new(),
            was_changed: false,
        };
        for &(name, value) in &view.fields {
            match name {
                b":method" => view.method = value,
                b":path" => view.target = Some(value),
                b":authority" => view.authority = value,
                b"connection" => view.has_connection = true,
                _ => {}
            }
        }
        view
    }

    /// The same request, over a connection that is secured by TLS, or is not; where nobody says, it is not.
    #[must_use]
    pub fn over_tls(self, over_tls: bool) -> Self {
        Self { over_tls, ..self }
    }

    /// Whether the request came over HTTPS.
    pub fn is_https(&self, by: HttpsBy) -> bool {
        match by {
            HttpsBy::Connection => self.over_tls,
            HttpsBy::ForwardedProto => self.field(b"x-forwarded-proto") == Field::One(b"https"),
        }
    }

    /// The same request, from an address; where nobody says, it is from none that is allowed.
    ///
    /// An IPv4 address that is mapped into IPv6 is the IPv4 address (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn from_client(self, client: Option<IpAddr>) -> Self {
        Self {
            client: client.map(|address| address.to_canonical()),
            ..self
        }
    }

    /// The address that it came from.
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The same request, on a route of the host's of that name, whose metadata names these policies; where nobody says,
    /// it is on none.
    #[must_use]
    pub fn on_route(self, name: Option<&'a [u8]>, policies: Vec<&'a [u8]>) -> Self {
        Self {
            route: name,
            policies,
            ..self
        }
    }

    /// The name of its route.
    pub fn route(&self) -> Option<&'a [u8]> {
        self.route
    }

    /// The policies of its route.
    pub fn policies(&self) -> &[&'a [u8]] {
        &self.policies
    }

    /// The same request, from which a filter before this one has taken something out, or has not; where nobody says, it
    /// has not. What is known of its route may then be of another one than it takes.
    #[must_use]
    pub fn after_changes(self, was_changed: bool) -> Self {
        Self {
            was_changed,
            ..self
        }
    }

    /// Whether a filter before this one has taken something out of it.
    pub fn was_changed(&self) -> bool {
        self.was_changed
    }

    /// The method, compared case-sensitively (RFC 9110 §9.1).
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// The request target as sent, with its query; none for CONNECT.
    pub fn target(&self) -> Option<&'a [u8]> {
        self.target
    }

    /// The path of the target as sent, without its query; empty for CONNECT.
    pub fn path(&self) -> &'a [u8] {
        path::without_query(self.target.unwrap_or_default())
    }

    /// The query of the target as sent, without its `?`.
    pub fn query(&self) -> Option<&'a [u8]> {
        let target = self.target?;
        target.get(self.path().len()..)?.strip_prefix(b"?")
    }

    /// The authority as sent.
    pub fn authority(&self) -> &'a [u8] {
        self.authority
    }

    /// What the fields called `name` (lower case) say.
    pub fn field(&self, name: &[u8]) -> Field<'a> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (None, _) => Field::None,
            (Some(value), None) => Field::One(value),
            (Some(_), Some(_)) => Field::Many,
        }
    }

    /// The names of its fields, as they were sent.
    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !name.starts_with(b":"))
    }

    /// Its fields, in order: names, as they were sent, and values.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let fields = self.fields.iter();
        fields
            .map(|&(name, value)| (name, value))
            .filter(|(name, _)| !name.starts_with(b":"))
    }

    /// Every value of the fields called `name` (lower case), in order.
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|&(_, value)| value)
    }

    /// What the `Connection` fields name, in order: options, and fields that end with the connection (RFC 9110 §7.6.1).
    pub fn connection_options(&self) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.has_connection.then(|| self.values(b"connection"));
        let options = fields
            .into_iter()
            .flatten()
            .flat_map(|value| value.split(|byte| *byte == b','));
        options
            .map(<[u8]>::trim_ascii)
            .filter(|option| !option.is_empty())
    }

    /// Whether the fields called `name` (lower case) end with the connection, and are not for whoever comes next.
    pub fn ends_here(&self, name: &[u8]) -> bool {
        self.connection_options()
            .any(|option| option.eq_ignore_ascii_case(name))
    }

    /// The same request, of which more follows its head, or nothing does; where nobody says, its fields tell.
    #[must_use]
    pub fn going_on(self, goes_on: bool) -> Self {
        Self { goes_on, ..self }
    }

    /// Whether anything follows its head: content (RFC 9110 §6.4, RFC 9112 §6), which over HTTP/2 no field need announce,
    /// or whatever else is said after an upgrade (RFC 9110 §7.8).
    pub fn goes_on(&self) -> bool {
        let no_length = matches!(
            self.field(b"content-length"),
            Field::None | Field::One(b"0")
        );
        self.goes_on
            || !no_length
            || self.field(b"transfer-encoding") != Field::None
            || self.field(b"upgrade") != Field::None
    }

    /// Whether it is gRPC, as the host sees it: gRPC-Web is HTTP like any other, and so is what has no path.
    pub fn is_grpc(&self) -> bool {
        if self.target.is_none() {
            return false;
        }
        let Field::One(content_type) = self.field(b"content-type") else {
            return false;
        };
        let rest = content_type.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
    }

    /// Its `x-request-id`, where it is one that is safe to repeat: in a response, and in a log.
    pub fn id(&self) -> Option<&'a str> {
        let Field::One(id) = self.field(b"x-request-id") else {
            return None;
        };
        let safe = (1..=128).contains(&id.len())
            && id
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
        std::str::from_utf8(id).ok().filter(|_| safe)
    }

    /// The host of the authority, in lower case, without port and trailing dot.
    ///
    /// # Errors
    /// [`Reject::Authority`] where the authority names no one host; a CONNECT request or an HTTP/1.0 one is no exception.
    pub fn host(&self) -> Result<Host<'a>, Reject> {
        Host::parse(self.authority).ok_or(Reject::Authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_fields_are_many_even_when_equal() {
        let view = RequestView::new(vec![
            (b":method", b"GET"),
            (b"x-a", b"1"),
            (b"x-b", b"2"),
            (b"x-a", b"1"),
        ]);
        assert_eq!(view.field(b"x-a"), Field::Many);
        assert_eq!(view.field(b"x-b"), Field::One(b"2"));
        assert_eq!(view.field(b"x-c"), Field::None);
        assert_eq!(view.target(), None);
    }
}
