//! What of a case is known only when its request is sent: proofs, credentials of Digest, and the nonces in them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Case, Observed, OneOrMany};
use crate::support::digest::{self, DigestSpec};
use crate::support::nonce::{Kind, Nonces};
use crate::support::proof::{self, ProofSpec};
use crate::support::token::{Keys, latin_1};

/// The header fields that hold credentials.
const CREDENTIALS: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"dpop"];

/// What a table gives to the requests of its cases.
#[derive(Debug, Default)]
pub struct Makings {
    pub keys: Keys,
    pub tokens: BTreeMap<String, String>,
    pub proofs: BTreeMap<String, ProofSpec>,
}

/// What a case says of how its request is made.
#[derive(Debug, Clone, Default)]
pub struct Sending {
    pub makings: Arc<Makings>,
    /// A credential of Digest.
    pub digest: Option<DigestSpec>,
    /// The request before it, from whose refusal nonces are.
    pub asks: Option<Asks>,
    /// The nonces of the refusal before it, once it is sent.
    pub issued: Option<Vec<String>>,
}

/// The request before another one, from whose refusal nonces are.
#[derive(Debug, Clone)]
pub struct Asks {
    /// The request and its document. Nothing is expected of it but nonces.
    pub case: Box<Case>,
    /// How many seconds later the other one follows.
    pub later: i32,
}

/// [`Asks`] as a table writes it. What is not written is as in the case, without credentials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsksFile {
    pub path: Option<String>,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Merged over the document.
    pub patch: Option<Value>,
    #[serde(default)]
    pub later: i32,
}

impl Sending {
    /// The names of the proofs in a text.
    fn proofs_in<'s>(&'s self, text: &str) -> impl Iterator<Item = (&'s str, &'s ProofSpec)> {
        let proofs = self.makings.proofs.iter();
        proofs
            .filter(move |(name, _)| text.contains(&format!("{{{name}}}")))
            .map(|(name, spec)| (name.as_str(), spec))
    }
}

impl Case {
    /// The request that must be sent before this one, since its refusal has a nonce.
    pub fn asks(&self) -> Option<&Asks> {
        self.sending.asks.as_ref()
    }

    /// The case as it is sent now, after a refusal.
    ///
    /// # Panics
    /// The table is wrong.
    pub fn ready(&self, refusal: Option<&Observed>, now: i64) -> Cow<'_, Self> {
        let texts = self.texts();
        let has_places = Nonces::are_in(&texts);
        let mut proofs = self.sending.proofs_in(&texts).peekable();
        if proofs.peek().is_none() && self.sending.digest.is_none() && !has_places {
            return Cow::Borrowed(self);
        }
        let nonces = refusal.map(|refusal| Nonces::of(&refusal.headers));
        let nonces = nonces.unwrap_or_default();
        let mut ready = self.clone();
        let issued = nonces.all().into_iter().map(str::to_owned).collect();
        ready.sending.issued = refusal.map(|_| issued);
        for (name, spec) in proofs {
            let proof = self.proof(name, spec, &nonces, now);
            ready.secrets.add_proof(proof.as_bytes());
            ready.put(&format!("{{{name}}}"), &proof);
        }
        for (_, value) in &mut ready.request.headers {
            let text: String = value.iter().copied().map(char::from).collect();
            if Nonces::are_in(&text) {
                *value = latin_1(&nonces.fill(Kind::Digest, &text));
            }
        }
        if let Some(spec) = &self.sending.digest {
            let credential = self.credential(spec, &nonces);
            ready.secrets.add_credential(&credential, true);
            let header = spec.header.clone().into_bytes();
            ready.request.headers.push((header, credential));
        }
        Cow::Owned(ready)
    }

    /// The same request once more, and what must come back then.
    pub fn repeated(&self) -> Option<Self> {
        let again = self.again.as_deref()?;
        Some(Self {
            name: format!("{} (again)", self.name),
            expect: again.clone(),
            again: None,
            ..self.clone()
        })
    }

    /// Where placeholders stand.
    fn texts(&self) -> String {
        let headers = self.request.headers.iter();
        let values = headers.flat_map(|(_, value)| value.iter().copied().map(char::from));
        values.collect()
    }

    fn proof(&self, name: &str, spec: &ProofSpec, nonces: &Nonces, now: i64) -> String {
        let makings = &self.sending.makings;
        let what = format!("{}: {name}", self.name);
        let token = spec.token.as_ref().map(|token| {
            let token = makings.tokens.get(token);
            token.unwrap_or_else(|| panic!("{what}: no token is named so"))
        });
        let origin = self.document["origin"].as_str().unwrap_or_default();
        let path = text(&self.request.path());
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let target = proof::Target {
            method: &text(&self.request.method),
            url: &format!("{origin}{path}"),
            token: token.map(String::as_str),
        };
        let fill = |text: &str| nonces.fill(Kind::Dpop, text);
        spec.mint(&what, &makings.keys, target, &fill, now)
    }

    fn credential(&self, spec: &DigestSpec, nonces: &Nonces) -> Vec<u8> {
        let target = digest::Target {
            method: &text(&self.request.method),
            path: &text(&self.request.path()),
            body: &self.request.body,
        };
        let fill = |text: &str| nonces.fill(Kind::Digest, text);
        spec.answer(&nonces.digest, target, &fill)
    }

    /// Puts a text in a place, in the request and in what the upstream gets of it.
    fn put(&mut self, place: &str, text: &str) {
        for (_, value) in &mut self.request.headers {
            *value = replaced(value, place.as_bytes(), text.as_bytes());
        }
        for expect in [Some(&mut self.expect), self.again.as_deref_mut()] {
            let upstream = expect.and_then(|expect| expect.upstream.as_mut());
            for values in upstream
                .into_iter()
                .flat_map(|own| own.headers.values_mut())
            {
                let own = values.clone().into_vec();
                let own = own.iter().map(|value| value.replace(place, text));
                *values = OneOrMany::Many(own.collect());
            }
        }
    }
}

impl Case {
    /// Has it sent another request first, from whose refusal nonces are.
    pub(super) fn asking(self, file: &AsksFile, document: Value) -> Self {
        let mut first = self.clone();
        first.name.push_str(" (asks)");
        first.document = document;
        first.sending.digest = None;
        let request = &mut first.request;
        if let Some(path) = &file.path {
            request.target = latin_1(path);
        }
        request.headers.retain(|(name, _)| !is_credential(name));
        let further = file.headers.iter();
        let further = further.map(|(name, value)| (latin_1(name), latin_1(value)));
        request.headers.extend(further);
        let asks = Asks {
            case: Box::new(first),
            later: file.later,
        };
        let mut asking = self;
        asking.sending.asks = Some(asks);
        asking
    }

    /// Whether it cannot be sent without a nonce of a refusal.
    pub(super) fn needs_nonce(&self) -> bool {
        let texts = self.texts();
        self.sending.digest.is_some()
            || Nonces::are_in(&texts)
            || self
                .sending
                .proofs_in(&texts)
                .any(|(_, proof)| proof.needs_nonce())
    }
}

fn is_credential(name: &[u8]) -> bool {
    let mut names = CREDENTIALS.iter();
    names.any(|own| name.eq_ignore_ascii_case(own))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn replaced(value: &[u8], place: &[u8], by: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    while let Some(at) = value.windows(place.len()).position(|own| own == place) {
        value.splice(at..at + place.len(), by.iter().copied());
    }
    value
}
