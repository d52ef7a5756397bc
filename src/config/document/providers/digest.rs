//! `digest`: a provider of user names, and proofs that the client knows the password.

use serde_json::Value;

use crate::authenticate::digest::{DigestAlgorithm, Ha1};
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::document::secret::SecretSource;
use crate::config::fault::{InvalidDigest, unknown_algorithm};
use crate::config::read::{Read, Span, Typed, object, unexpected_secret};

object! {
    /// A provider of user names, and proofs that the client knows the password (RFC 7616).
    pub struct Digest {
        /// The algorithms: `SHA-256`, `MD5`. The strongest is offered first. Default SHA-256.
        #[schemars(extend("minItems" = 1))]
        narrowing algorithms: Vec<String>,
        /// How long a nonce is valid, from `1s` to `1h`. Default `5m`.
        optional nonce_ttl: Span,
        /// The key of nonces. Proxies with the same secret accept the nonces of each other. Default: a random key, which the workers
        /// of one proxy share.
        optional secret: SecretSource,
        /// The users.
        #[schemars(extend("minItems" = 1))]
        required users: Vec<User>,
    }
}

object! {
    /// A user.
    pub struct User {
        /// The user name.
        required name: String,
        /// For each algorithm, the hash of the user name, the realm and the password: `countersign hash digest` prints it.
        required ha1: Ha1s,
        /// The scopes of the user. Default: none.
        optional scopes: Vec<String>,
        /// The roles of the user. Default: none.
        optional roles: Vec<String>,
    }
}

/// The hashes of a user, by their algorithms. A message never shows a value, which is as good as the password.
#[derive(Debug)]
pub struct Ha1s;

impl Read for Ha1s {
    const EXPECTED: &'static str = "an object such as `{SHA-256: \"…\"}`";

    type Value = Vec<Ha1>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Vec<Ha1>> {
        let Some(members) = value.as_object().filter(|members| !members.is_empty()) else {
            return Err(unexpected_secret(Self::EXPECTED, at, diagnostics));
        };
        let mut hashes = Vec::new();
        let mut whole = Ok(());
        for (name, value) in members {
            let at = at.member(name);
            // In one spelling, so that an algorithm has one hash.
            let known = DigestAlgorithm::from_name(name.as_bytes());
            let Some(algorithm) = known.filter(|known| known.name() == name) else {
                whole = Err(diagnostics.report(&at, unknown_algorithm(name)));
                continue;
            };
            match Ha1::parse(algorithm, value.as_str().unwrap_or_default()) {
                Some(ha1) => hashes.push(ha1),
                None => whole = Err(diagnostics.report(&at, InvalidDigest::Ha1(algorithm))),
            }
        }
        whole.map(|()| hashes)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Ha1s {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Ha1".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "For each algorithm, the hash of the user name, the realm and the password.",
            "type": "object",
            "properties": {
                "SHA-256": { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" },
                "MD5": { "type": "string", "pattern": "^[0-9A-Fa-f]{32}$" },
            },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}
