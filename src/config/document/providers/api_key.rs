//! `api_key`: a provider of API keys.

use serde_json::Value;

use super::From;
use super::remote::{Credentials, read_credentials};
use crate::authenticate::api_key::list::{Digest, parse_digest};
use crate::authenticate::listed::EntryFault;
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Typed, object, unexpected};
use crate::time::Timestamp;

object! {
    /// A provider of API keys.
    pub struct ApiKey {
        /// Where keys can be.
        #[schemars(extend(
            "minItems" = 1,
            "default" = [{"header": "x-api-key"}],
            "examples" = [[{"header": "x-api-key"}, {"query": "api_key"}]]
        ))]
        optional from: Vec<From>,
        /// The keys: a list, or where the filter fetches it.
        #[schemars(extend("examples" = [{"remote": {"uri": "https://keys.example.com/keys", "cluster": "keys"}}]))]
        required keys: KeyList,
    }
}

object! {
    /// An entry of a list of API keys.
    pub struct Entry {
        /// The name of the caller, which upstreams, rules and logs see.
        #[schemars(extend("examples" = ["acme"]))]
        required id: String,
        /// The SHA-256 of the key, as `countersign hash key` prints it: 64 hexadecimal digits.
        #[schemars(extend("examples" = ["63bf42112005427c6410f33d4a8dc52b7ec7102d23b59f606225da1989b16f5a"]))]
        required sha256: KeyDigest,
        /// The scopes of the caller.
        #[schemars(extend("x-default" = "none", "examples" = [["orders:read"]]))]
        optional scopes: Vec<String>,
        /// The roles of the caller.
        #[schemars(extend("x-default" = "none", "examples" = [["clerk"]]))]
        optional roles: Vec<String>,
        /// The time from which the key is not accepted, in the form of RFC 3339.
        #[schemars(extend("x-default" = "never", "examples" = ["2030-01-01T00:00:00Z"]))]
        narrowing expires: Time,
    }
}

/// The keys of a provider.
#[derive(Debug)]
pub struct KeyList;

impl Read for KeyList {
    const EXPECTED: &'static str = "a list of keys, or `remote`";

    type Value = Credentials<List<Entry>>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
            if entry.get("key").is_some() {
                // Before the entry is read, so that the location has this fault and not another.
                diagnostics.report(&at.item(index).member("key"), EntryFault::PlainKey);
            }
        }
        let expected = (Self::EXPECTED, "an object with `id` and `sha256`");
        read_credentials::<Entry>(value, expected, &["id", "sha256", "key"], at, diagnostics)
    }
}

/// The SHA-256 of a key. A message never shows the value, which can be the key in plain text.
#[derive(Debug)]
pub struct KeyDigest;

impl Read for KeyDigest {
    const EXPECTED: &'static str =
        "the SHA-256 of a key, 64 hexadecimal digits: `countersign hash key` prints it";

    type Value = Digest;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Digest> {
        let digest = parse_digest(value.as_str().unwrap_or_default());
        digest.map_err(|fault| diagnostics.report(at, fault))
    }
}

/// A time in the form of RFC 3339.
#[derive(Debug)]
pub struct Time;

impl Read for Time {
    const EXPECTED: &'static str = "a time such as `2027-01-01T00:00:00Z`";

    type Value = Timestamp;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Timestamp> {
        let time = value.as_str().and_then(Timestamp::parse);
        time.ok_or_else(|| unexpected(value, Self::EXPECTED, at, diagnostics))
    }
}

/// The JSON Schema of what is read here.
#[cfg(not(target_arch = "wasm32"))]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::super::remote::Fetched;
    use super::{Entry, KeyDigest, KeyList, Time};

    impl JsonSchema for KeyList {
        fn schema_name() -> Cow<'static, str> {
            "KeyList".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let entry = generator.subschema_for::<Entry>();
            let fetched = generator.subschema_for::<Fetched>();
            json_schema!({
                "description": "The API keys of a provider: a list, or where it is fetched.",
                "oneOf": [{ "type": "array", "items": entry, "minItems": 1 }, fetched],
            })
        }
    }

    impl JsonSchema for KeyDigest {
        fn schema_name() -> Cow<'static, str> {
            "KeyDigest".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "description": "The SHA-256 of a key: 64 hexadecimal digits.",
                "pattern": "^[0-9A-Fa-f]{64}$",
            })
        }
    }

    impl JsonSchema for Time {
        fn schema_name() -> Cow<'static, str> {
            "Time".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "description": "A time in the form of RFC 3339, such as `2027-01-01T00:00:00Z`.",
                "format": "date-time",
            })
        }
    }
}
