//! The situations: what clients send, what they receive, and which filter chains are compared.

use std::net::SocketAddr;

use crate::chains::Chain;
use crate::credentials::{Credentials, api_key, basic, bearer, in_parallel};
use crate::load::request;
use crate::support::client::{self, Request};
use crate::support::possession::{digest_challenge, digest_fields};

pub const ORDERS: &str = "/orders/4711";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    Public,
    Repeated,
    NeverSeen,
    NoToken,
    ForgedRepeated,
    ForgedNeverSeen,
    Es256Repeated,
    Es256NeverSeen,
    ApiKey,
    Basic,
    Dpop,
    Digest,
}

use Chain::{
    ApiKeyAuth, BasicAuth, Countersign, CountersignApiKey, CountersignBasic, CountersignDigest,
    CountersignDpop, Empty, JwtAuthn, JwtAuthnWithCache, NoFilter, WithLessState, WithoutAudit,
};

impl Situation {
    pub const ALL: [Self; 12] = [
        Self::Public,
        Self::Repeated,
        Self::NeverSeen,
        Self::NoToken,
        Self::ForgedRepeated,
        Self::ForgedNeverSeen,
        Self::Es256Repeated,
        Self::Es256NeverSeen,
        Self::ApiKey,
        Self::Basic,
        Self::Dpop,
        Self::Digest,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public rule",
            Self::Repeated => "RS256, repeated",
            Self::NeverSeen => "RS256, never seen",
            Self::NoToken => "no token",
            Self::ForgedRepeated => "forged, repeated",
            Self::ForgedNeverSeen => "forged, never seen",
            Self::Es256Repeated => "ES256, repeated",
            Self::Es256NeverSeen => "ES256, never seen",
            Self::ApiKey => "API key",
            Self::Basic => "Basic, cached",
            Self::Dpop => "DPoP",
            Self::Digest => "Digest",
        }
    }

    /// The compared filter chains. The first has no filter, and receives the same requests.
    pub const fn chains(self) -> &'static [Chain] {
        match self {
            Self::Public => &[
                NoFilter,
                Empty,
                JwtAuthnWithCache,
                Countersign,
                WithLessState,
            ],
            Self::Repeated => &[
                NoFilter,
                Empty,
                JwtAuthn,
                JwtAuthnWithCache,
                Countersign,
                WithLessState,
            ],
            Self::NeverSeen => &[
                NoFilter,
                JwtAuthn,
                JwtAuthnWithCache,
                Countersign,
                WithLessState,
            ],
            Self::NoToken => &[
                NoFilter,
                Empty,
                JwtAuthn,
                Countersign,
                WithLessState,
                WithoutAudit,
            ],
            Self::ForgedRepeated | Self::ForgedNeverSeen => &[
                NoFilter,
                JwtAuthn,
                JwtAuthnWithCache,
                Countersign,
                WithLessState,
                WithoutAudit,
            ],
            Self::Es256Repeated | Self::Es256NeverSeen => {
                &[NoFilter, JwtAuthn, JwtAuthnWithCache, Countersign]
            }
            Self::ApiKey => &[NoFilter, ApiKeyAuth, CountersignApiKey],
            Self::Basic => &[NoFilter, BasicAuth, CountersignBasic],
            Self::Dpop => &[NoFilter, CountersignDpop],
            Self::Digest => &[NoFilter, CountersignDigest],
        }
    }

    /// The status that a chain responds with.
    pub fn status(self, chain: Chain) -> u16 {
        let is_refused = matches!(
            self,
            Self::NoToken | Self::ForgedRepeated | Self::ForgedNeverSeen
        );
        match chain {
            NoFilter | Empty => 200,
            _ if is_refused => 401,
            _ => 200,
        }
    }

    /// How many of `count` requests find their token in the filter's cache, and how many do not. None if no cache is asked.
    pub const fn cached(self, count: usize) -> Option<(usize, usize)> {
        match self {
            Self::Repeated
            | Self::Es256Repeated
            | Self::ForgedRepeated
            | Self::Basic
            | Self::Dpop => Some((count, 0)),
            Self::NeverSeen | Self::Es256NeverSeen | Self::ForgedNeverSeen => Some((0, count)),
            Self::Public | Self::NoToken | Self::ApiKey | Self::Digest => None,
        }
    }

    /// The requests, of which at least `count` are distinct if the situation says so.
    pub fn octets(
        self,
        credentials: &Credentials,
        count: usize,
        server: SocketAddr,
    ) -> Vec<Vec<u8>> {
        let with = |path, token: &String| request(path, &[bearer(token)]);
        let each = |tokens: &[String]| tokens.iter().map(|token| with(ORDERS, token)).collect();
        let tokens = credentials;
        match self {
            Self::Public => vec![with("/healthz", &tokens.rs256[0])],
            Self::Repeated => each(&tokens.rs256[..1]),
            Self::NeverSeen => each(&tokens.rs256[1..]),
            Self::NoToken => vec![request(ORDERS, &[])],
            Self::ForgedRepeated => each(&tokens.forged[..1]),
            Self::ForgedNeverSeen => each(&tokens.forged[1..]),
            Self::Es256Repeated => each(&tokens.es256[..1]),
            Self::Es256NeverSeen => each(&tokens.es256[1..]),
            Self::ApiKey => vec![request(ORDERS, &[api_key()])],
            Self::Basic => vec![request(ORDERS, &[basic()])],
            Self::Dpop => {
                let holder = &tokens.holder;
                in_parallel(count, &|_| {
                    request(ORDERS, &holder.fields(&holder.proof(ORDERS, None)))
                })
            }
            Self::Digest => digest(server, count),
        }
    }
}

/// Requests with the nonce of this server, each time with another count.
fn digest(server: SocketAddr, count: usize) -> Vec<Vec<u8>> {
    let first = Request {
        method: b"GET",
        target: ORDERS.as_bytes(),
        headers: vec![(b"host", b"orders.example.com")],
        body: b"",
    };
    let refused = client::send(server, &first).expect("Envoy answers");
    let challenge = digest_challenge(&refused);
    let counts = (1..).take(count);
    counts
        .map(|count| request(ORDERS, &digest_fields(&challenge, ORDERS, count)))
        .collect()
}
