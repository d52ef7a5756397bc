//! The head of a request, as borrowed bytes: the host has not checked that they are text.

mod fields;
pub mod host;
pub mod list;
mod names;
pub mod overrides;
pub mod parameter;
pub mod path;
mod peer;
pub mod preflight;
pub mod query;

use std::net::IpAddr;

use self::fields::Fields;
pub use self::names::FieldNames;
pub use self::peer::{KnownPeer, PeerCertificate};
use crate::header_map;
use crate::reject::Reject;
use crate::url::Host;

/// A request's head: the pseudo-headers and the headers, with names in lower case.
///
/// A client can send several headers of one name. [`Self::field`] never picks one of them: it returns one of the three
/// cases of [`Field`], and each caller must handle all three.
#[derive(Debug)]
pub struct RequestView<'a> {
    method: &'a [u8],
    target: Option<&'a [u8]>,
    authority: &'a [u8],
    fields: Fields<'a>,
    /// A bit for each name among the headers, so that most names that are absent are not searched for.
    names: u64,
    around: Around<'a>,
}

/// What the host knows about a request besides its head. The default is that it knows nothing.
#[derive(Debug, Default)]
pub struct Around<'a> {
    /// Whether the connection is secured by TLS.
    pub over_tls: bool,
    /// The client's address. Without one, the request is in no network: no `allow` list admits it.
    ///
    /// An IPv4 address that is mapped into IPv6 becomes the IPv4 address (RFC 4291 §2.5.5.2).
    pub client: Option<IpAddr>,
    /// Whether the host has announced that more follows the head.
    pub has_more: bool,
    /// The name of the request's route.
    pub route: Option<&'a [u8]>,
    /// The policies that the route's metadata lists.
    pub policies: Vec<&'a [u8]>,
    /// Whether an earlier filter has removed something from the request. If it has, the host may forward the request on
    /// another route than the one that is known here.
    pub was_changed: bool,
    /// The certificate of the client.
    pub peer: Option<&'a dyn PeerCertificate>,
}

/// How the filter knows whether a request came over HTTPS.
///
/// It never uses the request's own `:scheme`, which the client chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpsBy {
    /// By the TLS of its connection.
    #[default]
    Connection,
    /// By `x-forwarded-proto`, which a proxy in front of this one sets.
    ForwardedProto,
}

/// The headers of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// No header has this name.
    None,
    /// Exactly one header has this name. This is its value.
    One(&'a [u8]),
    /// Several headers have this name.
    Many,
}

impl<'a> RequestView<'a> {
    /// The request with these names and values, which include the pseudo-headers (RFC 9113 §8.3.1).
    pub fn new(fields: Vec<(&'a [u8], &'a [u8])>) -> Self {
        let mut view = Self::around(Around::default());
        for (name, value) in fields {
            view.push(name, value);
        }
        view
    }

    /// A request without a head, of which the host knows this. [`read`](Self::read) adds the head.
    pub fn around(mut around: Around<'a>) -> Self {
        around.client = around.client.map(|address| address.to_canonical());
        Self {
            method: b"",
            target: None,
            authority: b"",
            fields: Fields::default(),
            names: 0,
            around,
        }
    }

    /// Reads the head from a header map of the host, in one pass, where the request is: copies cost every request. `None` as
    /// for [`header_map::parse`]: the request then has no head.
    #[must_use = "without a head, nothing is known of the request"]
    pub fn read(&mut self, map: &'a [u8]) -> Option<()> {
        let read = header_map::read(map, |name, value| self.push(name, value));
        if read.is_none() {
            self.behead();
        }
        read
    }

    #[cold]
    fn behead(&mut self) {
        *self = Self::around(std::mem::take(&mut self.around));
    }

    fn push(&mut self, name: &'a [u8], value: &'a [u8]) {
        match name {
            b":method" => self.method = value,
            b":path" => self.target = Some(value),
            b":authority" => self.authority = value,
            _ => {}
        }
        self.names |= bit_of(name);
        self.fields.push(name, value);
    }

    /// Sets whether the request's connection is secured by TLS. The default is false.
    #[must_use]
    pub fn over_tls(mut self, over_tls: bool) -> Self {
        self.around.over_tls = over_tls;
        self
    }

    /// Whether the request came over HTTPS.
    pub fn is_https(&self, by: HttpsBy) -> bool {
        match by {
            HttpsBy::Connection => self.around.over_tls,
            HttpsBy::ForwardedProto => self.field(b"x-forwarded-proto") == Field::One(b"https"),
        }
    }

    /// Sets the client's address. Without one, the request is in no network: no `allow` list admits it.
    ///
    /// An IPv4 address that is mapped into IPv6 becomes the IPv4 address (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn from_client(mut self, client: Option<IpAddr>) -> Self {
        self.around.client = client.map(|address| address.to_canonical());
        self
    }

    /// The client's address.
    pub fn client(&self) -> Option<IpAddr> {
        self.around.client
    }

    /// Sets the name of the request's route and the policies that the route's metadata lists. The default is no route.
    #[must_use]
    pub fn on_route(mut self, name: Option<&'a [u8]>, policies: Vec<&'a [u8]>) -> Self {
        self.around.route = name;
        self.around.policies = policies;
        self
    }

    /// The name of the request's route.
    pub fn route(&self) -> Option<&'a [u8]> {
        self.around.route
    }

    /// The policies that the metadata of the request's route lists.
    pub fn policies(&self) -> &[&'a [u8]] {
        &self.around.policies
    }

    /// Whether an earlier filter has removed something from the request.
    pub fn was_changed(&self) -> bool {
        self.around.was_changed
    }

    /// Sets the certificate of the client. The default is none.
    #[must_use]
    pub fn from_peer(mut self, peer: &'a dyn PeerCertificate) -> Self {
        self.around.peer = Some(peer);
        self
    }

    /// The certificate of the client, if its connection can have one.
    pub fn peer(&self) -> Option<&'a dyn PeerCertificate> {
        self.around.peer
    }

    /// The method, which is compared case-sensitively (RFC 9110 §9.1).
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// The request target as sent, with its query. None for CONNECT.
    pub fn target(&self) -> Option<&'a [u8]> {
        self.target
    }

    /// The path of the target as sent, without its query. Empty for CONNECT.
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

    /// The headers called `name` (lower case).
    pub fn field(&self, name: &[u8]) -> Field<'a> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (None, _) => Field::None,
            (Some(value), None) => Field::One(value),
            (Some(_), Some(_)) => Field::Many,
        }
    }

    /// The names of the headers, as sent, in order.
    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.as_slice().iter();
        fields
            .map(|(name, _)| *name)
            .filter(|name| !name.starts_with(b":"))
    }

    /// The names and values of the headers, as sent, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let fields = self.fields.as_slice().iter();
        fields
            .map(|&(name, value)| (name, value))
            .filter(|(name, _)| !name.starts_with(b":"))
    }

    /// Whether the request can have a header called `name` (lower case). If not, no other question is needed.
    pub(crate) fn may_have(&self, name: &[u8]) -> bool {
        self.names & bit_of(name) != 0
    }

    /// The value of each header called `name` (lower case), in order.
    pub fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
        let fields = if self.may_have(name) {
            self.fields.as_slice()
        } else {
            &[]
        };
        fields
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|&(_, value)| value)
    }

    /// The options of the `Connection` headers, in order: these include the names of hop-by-hop headers (RFC 9110
    /// §7.6.1).
    pub fn connection_options(&self) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.values(b"connection");
        let options = fields.flat_map(|value| value.split(|byte| *byte == b','));
        options
            .map(<[u8]>::trim_ascii)
            .filter(|option| !option.is_empty())
    }

    /// Whether `Connection` lists the header `name` (lower case), which makes the header hop-by-hop.
    pub fn is_hop_by_hop(&self, name: &[u8]) -> bool {
        self.connection_options()
            .any(|option| option.eq_ignore_ascii_case(name))
    }

    /// Whether more follows the head: content, or data of another protocol after an upgrade (RFC 9110 §7.8).
    ///
    /// Over HTTP/1.1, headers announce content (RFC 9112 §6). Over HTTP/2, content needs no header (RFC 9110 §6.4), so
    /// that only the host knows.
    pub fn has_more(&self) -> bool {
        let no_length = matches!(
            self.field(b"content-length"),
            Field::None | Field::One(b"0")
        );
        self.around.has_more
            || !no_length
            || self.field(b"transfer-encoding") != Field::None
            || self.field(b"upgrade") != Field::None
    }

    /// Whether the host treats the request as gRPC. gRPC-Web is not gRPC, and neither is a request without a path.
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

    /// The value of `x-request-id`, if it can be repeated safely in a response and in a log: 1 to 128 letters, digits,
    /// `.`, `_` and `-`.
    pub fn id(&self) -> Option<&'a str> {
        let Field::One(id) = self.field(b"x-request-id") else {
            return None;
        };
        let is_safe =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_id = (1..=128).contains(&id.len()) && id.iter().all(is_safe);
        std::str::from_utf8(id).ok().filter(|_| is_id)
    }

    /// The host of the authority, in lower case, without the port and the trailing dot.
    ///
    /// # Errors
    /// [`Reject::Authority`] if the authority does not name exactly one host. This includes CONNECT and HTTP/1.0
    /// requests.
    pub fn host(&self) -> Result<Host<'a>, Reject> {
        Host::parse(self.authority).ok_or(Reject::Authority)
    }
}

/// A bit that is the same for equal names, and differs for most others.
fn bit_of(name: &[u8]) -> u64 {
    let [first, last] = [name.first(), name.last()].map(|byte| byte.copied().unwrap_or_default());
    1 << ((name.len() + usize::from(last) * 5 + usize::from(first) * 24) & 63)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_headers_are_many_even_if_they_are_equal() {
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

    proptest! {
        #[test]
        fn a_map_of_the_host_is_the_same_request(
            pairs in prop::collection::vec((prop_oneof![Just(":path".to_owned()), "[a-c]{0,3}"], "[a-z]{0,3}"), 0..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let texts: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let map = header_map::serialize(&texts);
            let bytes = || pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let mut view = RequestView::around(Around::default());
            prop_assert_eq!(view.read(&map), Some(()));
            let same = RequestView::new(bytes().collect());
            prop_assert_eq!(format!("{view:?}"), format!("{same:?}"));
            for (name, _) in bytes() {
                let values: Vec<_> = bytes().filter(|(own, _)| *own == name).map(|(_, value)| value).collect();
                prop_assert_eq!(view.values(name).collect::<Vec<_>>(), values);
            }
            let mut cut_off = RequestView::around(Around::default());
            prop_assert_eq!(cut_off.read(&map[..cut.index(map.len())]), None);
            prop_assert_eq!(format!("{cut_off:?}"), format!("{:?}", RequestView::new(Vec::new())));
        }
    }
}
