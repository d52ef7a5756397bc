//! `digest`: a provider of user names, and proofs that the client knows the password.

use serde_json::Value;

use super::remote::read_entries;
use crate::authenticate::digest::{DigestAlgorithm, Ha1};
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::document::secret::SecretSource;
use crate::config::fault::{Fault, InvalidDigest, unknown_algorithm};
use crate::config::read::{List, Read, Span, Typed, object, unexpected_secret};

object! {
    /// A provider of user names, and proofs that the client knows the password (RFC 7616).
    pub struct Digest {
        /// The algorithms: `SHA-256` and `MD5`. The filter offers the strongest first.
        #[schemars(extend("minItems" = 1, "default" = ["SHA-256"], "examples" = [["SHA-256", "MD5"]]))]
        narrowing algorithms: Vec<String>,
        /// How long a nonce is valid.
        #[schemars(extend("default" = "5m", "x-range" = ["1s", "1h"], "examples" = ["10m"]))]
        optional nonce_ttl: Span,
        /// The key of nonces, at least 16 bytes. Proxies with the same secret and `nonce_ttl` accept the nonces of each other.
        #[schemars(extend(
            "x-default" = "a random key, which the workers of one proxy share",
            "examples" = [{"env": "NONCE_KEY"}]
        ))]
        optional secret: SecretSource,
        /// The users.
        #[schemars(extend(
            "minItems" = 1,
            "examples" = [[{"name": "lab", "ha1": {"SHA-256": "3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa5"}}]]
        ))]
        required users: Users,
    }
}

object! {
    /// An entry of a list of users.
    pub struct User {
        /// The user name.
        #[schemars(extend("examples" = ["lab"]))]
        required name: String,
        /// For each algorithm, the hash of the user name, the realm and the password. `countersign hash digest` prints it.
        #[schemars(extend("examples" = [{"SHA-256": "3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa5"}]))]
        required ha1: Ha1s,
        /// The scopes of the user.
        #[schemars(extend("x-default" = "none", "examples" = [["scans:write"]]))]
        optional scopes: Vec<String>,
        /// The roles of the user.
        #[schemars(extend("x-default" = "none", "examples" = [["scanner"]]))]
        optional roles: Vec<String>,
    }
}

/// The users of a provider. A message never shows what is not a user: it can be a password, also as a key.
#[derive(Debug)]
pub struct Users;

impl Read for Users {
    const EXPECTED: &'static str = "a list of users";

    type Value = List<User>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<List<User>> {
        let Some(users) = value.as_array() else {
            return Err(unexpected_secret(Self::EXPECTED, at, diagnostics));
        };
        let expected = "an object with `name` and `ha1`";
        Ok(read_entries::<User>(
            users,
            expected,
            &["name", "ha1"],
            at,
            diagnostics,
        ))
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
            let Some(algorithm) = DigestAlgorithm::from_name(name.as_bytes()) else {
                whole = Err(diagnostics.report(&at, unknown_algorithm(name)));
                continue;
            };
            match Ha1::parse(algorithm, value.as_str().unwrap_or_default()) {
                // The names have no case: `sha-256` is the same algorithm.
                Some(_) if hashes.iter().any(|own: &Ha1| own.algorithm() == algorithm) => {
                    whole = Err(diagnostics.report(&at, Fault::DuplicateEntry));
                }
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

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Users {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Users".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<User>::json_schema(generator)
    }
}
