//! X.509 certificates, created anew in each run of the tests: none expires, and no private key is in the repository.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use base64ct::{Base64, Base64Url, Base64UrlUnpadded, Encoding as _};
use countersign::request::KnownPeer;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use serde_yaml_ng::Value as Yaml;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The certificate authority that the listeners of tests trust.
pub static TRUSTED: LazyLock<Authority> = LazyLock::new(|| match TRUSTED_KEY.get() {
    Some(pem) => Authority::with_key("trusted", KeyPair::from_pem(pem).expect("a private key")),
    None => Authority::new("trusted"),
});

/// The private key of [`TRUSTED`] as PEM. Set it before the first use to have the authority of another process; unset, the
/// key is new.
pub static TRUSTED_KEY: OnceLock<String> = OnceLock::new();

/// The certificate of every listener: of `localhost`, by [`TRUSTED`].
pub static SERVER: LazyLock<Certificate> =
    LazyLock::new(|| TRUSTED.certificate(&Names::dns("localhost")));

/// The client certificates of tables, by their names there.
static NAMED: Mutex<BTreeMap<(String, Names), Arc<Certificate>>> = Mutex::new(BTreeMap::new());

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The subject alternative names of a certificate, in order; URIs are first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    #[serde(default)]
    pub uri: Vec<String>,
    #[serde(default)]
    pub dns: Vec<String>,
}

/// A certificate with its private key.
#[derive(Debug)]
pub struct Certificate {
    pub names: Names,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// An authority with this common name.
    pub fn new(name: &str) -> Self {
        Self::with_key(name, key())
    }

    /// An authority with this common name and key.
    pub fn with_key(name: &str, key: KeyPair) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A certificate with these names.
    pub fn certificate(&self, names: &Names) -> Certificate {
        self.sign(names, names.params())
    }

    /// A certificate with these names that has expired.
    pub fn expired(&self, names: &Names) -> Certificate {
        let mut params = names.params();
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(names, params)
    }

    /// The authority's own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The private key, for [`with_key`](Self::with_key).
    pub fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// The authority's own certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    fn sign(&self, names: &Names, params: CertificateParams) -> Certificate {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Certificate {
            names: names.clone(),
            certificate,
            key,
        }
    }
}

impl Names {
    /// One URI.
    pub fn uri(uri: &str) -> Self {
        Self {
            uri: vec![uri.to_owned()],
            dns: Vec::new(),
        }
    }

    /// One DNS name.
    pub fn dns(dns: &str) -> Self {
        Self {
            uri: Vec::new(),
            dns: vec![dns.to_owned()],
        }
    }

    fn params(&self) -> CertificateParams {
        let text = |name: &String| name.as_str().try_into().expect("a name in ASCII");
        let mut params = CertificateParams::default();
        let uris = self.uri.iter().map(|name| SanType::URI(text(name)));
        params.subject_alt_names = uris.collect();
        let names = self.dns.iter().map(|name| SanType::DnsName(text(name)));
        params.subject_alt_names.extend(names);
        params
    }
}

impl Certificate {
    /// A certificate with these names that no authority has signed.
    pub fn self_signed(names: &Names) -> Self {
        let key = key();
        let certificate = names.params().self_signed(&key).expect("a certificate");
        Self {
            names: names.clone(),
            certificate,
            key,
        }
    }

    /// The certificate of a table with this name; the same in each call.
    pub fn named(name: &str, names: &Names) -> Arc<Self> {
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = named.entry((name.to_owned(), names.clone()));
        Arc::clone(entry.or_insert_with(|| Arc::new(TRUSTED.certificate(names))))
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        let der = self.key.serialize_der();
        PrivateKeyDer::try_from(der).expect("a private key")
    }

    /// The SHA-256 of the certificate.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.certificate.der()).into()
    }

    /// `x5t#S256` of a token that is bound to the certificate (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.digest())
    }

    /// What the core knows of it.
    pub fn known(&self) -> KnownPeer {
        KnownPeer {
            digest: Some(self.digest()),
            uri: self.names.uri.first().cloned(),
            dns: self.names.dns.first().cloned(),
        }
    }

    /// The digest as a table writes it.
    fn written(&self, form: Option<&str>) -> String {
        match form {
            None => self.thumbprint(),
            Some("hex") => hex(&self.digest()),
            Some("colons") => self.digest().map(|octet| hex(&[octet])).join(":"),
            Some("padded") => Base64Url::encode_string(&self.digest()),
            Some("base64") => Base64::encode_string(&self.digest()),
            Some("sha-1") => {
                let digest = Sha1::digest(self.certificate.der());
                Base64UrlUnpadded::encode_string(&digest)
            }
            Some(other) => panic!("no form of a digest is named {other}"),
        }
    }
}

/// Puts the digest of a certificate in the place of each `{certificate: cart}` of a table, as it is in a token that is bound to
/// it. `as` writes it in another way, which no token may have.
///
/// # Panics
/// The table has no certificate of that name.
pub fn fill(table: &mut Yaml) {
    let Some(certificates) = table.get("certificates").cloned() else {
        return;
    };
    let certificates: BTreeMap<String, Names> =
        serde_yaml_ng::from_value(certificates).unwrap_or_else(|e| panic!("certificates: {e}"));
    for section in ["tokens", "answers"] {
        if let Some(section) = table.get_mut(section) {
            fill_within(section, &certificates);
        }
    }
}

fn fill_within(value: &mut Yaml, certificates: &BTreeMap<String, Names>) {
    if let Some(name) = value.get("certificate").and_then(Yaml::as_str) {
        let names = certificates.get(name);
        let names = names.unwrap_or_else(|| panic!("no certificate is named {name}"));
        let form = value.get("as").and_then(Yaml::as_str);
        *value = Certificate::named(name, names).written(form).into();
        return;
    }
    match value {
        Yaml::Mapping(members) => members
            .values_mut()
            .for_each(|member| fill_within(member, certificates)),
        Yaml::Sequence(items) => items
            .iter_mut()
            .for_each(|item| fill_within(item, certificates)),
        _ => {}
    }
}

/// Two digits for each octet, in lower case.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
