//! A client of Digest (RFC 7616), written for the tests: the credentials of a table, right except for what the table writes.
//!
//! It computes what the filter refuses too (`-sess`, `auth-int`, SHA-512-256), so that nothing else is wrong with it.

use std::collections::BTreeMap;

use md5::Md5;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512_256};

use super::challenge::Parsed;
use super::leaks::Secrets;
use super::proof::random;
use super::token::latin_1;

/// The parameters in the order in which they are written (RFC 7616 §3.9.1).
const ORDER: [&str; 10] = [
    "username",
    "realm",
    "uri",
    "algorithm",
    "nonce",
    "nc",
    "cnonce",
    "qop",
    "response",
    "opaque",
];
/// Those that are tokens (RFC 7616 §3.4).
const TOKENS: [&str; 4] = ["algorithm", "nc", "qop", "userhash"];

/// The credential of a user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestSpec {
    pub user: String,
    pub password: String,
    /// That of the first challenge, if none is written.
    algorithm: Option<String>,
    /// What the response is computed with and the parameter says, in place of what is right: `realm`, `nonce`, `opaque`,
    /// `uri`, `qop`, `nc`, `cnonce`, and `method`, which is no parameter.
    #[serde(default, rename = "with")]
    differs: BTreeMap<String, String>,
    /// Parameters whose values are written exactly so, with or without quotes, whatever the response is computed with.
    /// `{nonce}` is the value of that parameter. What is no parameter yet is added.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Parameters that are left out. Without `qop`, the response is the one of RFC 2069.
    #[serde(default)]
    drop: Vec<String>,
    /// Parameters that are there a second time, at the end.
    #[serde(default)]
    double: Vec<String>,
    /// The whole text of the credential. `{response}` is the value of that parameter.
    raw: Option<String>,
    /// The header.
    #[serde(default = "authorization")]
    pub header: String,
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// The request that a credential is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'t> {
    pub method: &'t str,
    pub path: &'t str,
    pub body: &'t [u8],
}

impl DigestSpec {
    /// Adds what nothing may show: the password, and the name of a user whom the document does not name.
    pub fn add_secrets(&self, document: &Value, secrets: &mut Secrets) {
        secrets.add(self.password.as_bytes());
        if !document.to_string().contains(&self.user) {
            secrets.add(self.user.as_bytes());
        }
    }

    /// The credential that answers one of these challenges. `fill` replaces what stands for nonces.
    ///
    /// # Panics
    /// The table is wrong, or no challenge is for this algorithm.
    pub fn answer(
        &self,
        challenges: &[Parsed],
        target: Target<'_>,
        fill: &dyn Fn(&str) -> String,
    ) -> Vec<u8> {
        let values = self.values(challenges, target, fill);
        if let Some(raw) = &self.raw {
            return latin_1(&placed(&fill(raw), &values));
        }
        let mut names: Vec<&str> = ORDER.to_vec();
        names.extend(self.set.keys().map(String::as_str));
        names.extend(self.double.iter().map(String::as_str));
        let mut seen: Vec<&str> = Vec::new();
        let mut parameters: Vec<Vec<u8>> = Vec::new();
        for name in names {
            let is_doubled = self.double.iter().any(|doubled| doubled == name);
            let is_dropped = self.drop.iter().any(|dropped| dropped == name);
            if is_dropped || seen.contains(&name) && !is_doubled {
                continue;
            }
            seen.push(name);
            let value = match (self.set.get(name), values.get(name)) {
                (Some(written), _) => latin_1(&placed(&fill(written), &values)),
                (None, Some(value)) if TOKENS.contains(&name) => value.as_bytes().to_vec(),
                (None, Some(value)) => quoted(value).into_bytes(),
                (None, None) => continue,
            };
            parameters.push([name.as_bytes(), b"=", &value].concat());
        }
        [&b"Digest "[..], &parameters.join(&b", "[..])].concat()
    }

    /// The values of the parameters, computed as RFC 7616 §3.4 says.
    fn values(
        &self,
        challenges: &[Parsed],
        target: Target<'_>,
        fill: &dyn Fn(&str) -> String,
    ) -> BTreeMap<&'static str, String> {
        let challenge = self.challenge(challenges);
        let written = |name: &str| self.differs.get(name).map(|text| fill(text));
        let of_challenge = |name: &str| {
            let value = challenge.and_then(|challenge| challenge.get(name));
            written(name).or_else(|| value.map(str::to_owned))
        };
        let get = |name: &str| of_challenge(name).unwrap_or_default();
        let algorithm = self.algorithm.clone().unwrap_or_else(|| get("algorithm"));
        let response = Response {
            algorithm: &algorithm,
            user: &self.user,
            password: &self.password,
            realm: &get("realm"),
            nonce: &get("nonce"),
            nc: &written("nc").unwrap_or_else(|| "00000001".to_owned()),
            cnonce: &written("cnonce").unwrap_or_else(random),
            qop: &written("qop").unwrap_or_else(|| "auth".to_owned()),
            is_rfc_2069: self.drop.iter().any(|name| name == "qop"),
            method: &written("method").unwrap_or_else(|| target.method.to_owned()),
            uri: &written("uri").unwrap_or_else(|| target.path.to_owned()),
            body: target.body,
        };
        let mut values = BTreeMap::from([
            ("username", response.user.to_owned()),
            ("realm", response.realm.to_owned()),
            ("uri", response.uri.to_owned()),
            ("algorithm", response.algorithm.to_owned()),
            ("nonce", response.nonce.to_owned()),
            ("nc", response.nc.to_owned()),
            ("cnonce", response.cnonce.to_owned()),
            ("qop", response.qop.to_owned()),
            ("response", response.compute()),
        ]);
        values.extend(of_challenge("opaque").map(|opaque| ("opaque", opaque)));
        values
    }

    /// The challenge of the algorithm, else the first.
    fn challenge<'c>(&self, challenges: &'c [Parsed]) -> Option<&'c Parsed> {
        let is_for = |challenge: &&Parsed| challenge.get("algorithm") == self.algorithm.as_deref();
        challenges.iter().find(is_for).or(challenges.first())
    }
}

/// What a response is computed from (RFC 7616 §3.4.1).
#[derive(Clone, Copy)]
struct Response<'r> {
    algorithm: &'r str,
    user: &'r str,
    password: &'r str,
    realm: &'r str,
    nonce: &'r str,
    nc: &'r str,
    cnonce: &'r str,
    qop: &'r str,
    is_rfc_2069: bool,
    method: &'r str,
    uri: &'r str,
    body: &'r [u8],
}

impl Response<'_> {
    fn compute(&self) -> String {
        let hash = |text: String| self.hash(text.as_bytes());
        let ha1 = self.ha1();
        let ha2 = match self.qop {
            "auth-int" => {
                let body = self.hash(self.body);
                hash(format!("{}:{}:{body}", self.method, self.uri))
            }
            _ => hash(format!("{}:{}", self.method, self.uri)),
        };
        let nonce = self.nonce;
        if self.is_rfc_2069 {
            return hash(format!("{ha1}:{nonce}:{ha2}"));
        }
        let Self {
            nc, cnonce, qop, ..
        } = self;
        hash(format!("{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}"))
    }

    /// H(A1) (RFC 7616 §3.4.2).
    fn ha1(&self) -> String {
        let ha1 = self.hash(format!("{}:{}:{}", self.user, self.realm, self.password).as_bytes());
        if self.algorithm.ends_with("-sess") {
            return self.hash(format!("{ha1}:{}:{}", self.nonce, self.cnonce).as_bytes());
        }
        ha1
    }

    fn hash(&self, octets: &[u8]) -> String {
        let name = self.algorithm.to_ascii_uppercase();
        match name.strip_suffix("-SESS").unwrap_or(&name) {
            "SHA-256" => hex(&Sha256::digest(octets)),
            "SHA-512-256" => hex(&Sha512_256::digest(octets)),
            // Without an algorithm it is MD5 (RFC 7616 §3.4).
            _ => hex(&Md5::digest(octets)),
        }
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The text with the values of parameters in the places of `{name}`.
fn placed(text: &str, values: &BTreeMap<&'static str, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// RFC 7616 §3.9.1; and with `-sess`, with another implementation.
#[test]
fn the_responses_of_the_rfc_are_computed() {
    let response = |algorithm| {
        Response {
            algorithm,
            user: "Mufasa",
            password: "Circle of Life",
            realm: "http-auth@example.org",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            nc: "00000001",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            qop: "auth",
            is_rfc_2069: false,
            method: "GET",
            uri: "/dir/index.html",
            body: b"",
        }
        .compute()
    };
    for (algorithm, expected) in [
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256-sess",
            "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
        ),
        ("MD5-sess", "e783283f46242139c486a698fec7211d"),
    ] {
        assert_eq!(response(algorithm), expected, "{algorithm}");
    }
}

/// RFC 2617 §3.5, which has `auth` as well, and RFC 2069 §2.4 with its erratum 749.
#[test]
fn the_responses_of_older_rfcs_are_computed() {
    let modern = Response {
        algorithm: "MD5",
        user: "Mufasa",
        password: "Circle Of Life",
        realm: "testrealm@host.com",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        nc: "00000001",
        cnonce: "0a4f113b",
        qop: "auth",
        is_rfc_2069: false,
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
    };
    assert_eq!(modern.compute(), "6629fae49393a05397450978507c4ef1");
    let old = Response {
        password: "CircleOfLife",
        is_rfc_2069: true,
        ..modern
    };
    assert_eq!(old.compute(), "1949323746fe6a43ef61f9606e7febea");
}
