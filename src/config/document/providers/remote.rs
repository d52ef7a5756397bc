//! `remote`: a list of credentials that is fetched.

use serde_json::Value;

use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::document::secret::SecretSource;
use crate::config::fault::InvalidHeader;
use crate::config::read::{
    List, Mapping, Read, Span, Typed, object, unexpected, unexpected_secret,
};
use crate::grammar::is_header_name;

object! {
    /// A list that the filter fetches.
    pub struct Fetched {
        /// Where the filter fetches the list.
        #[schemars(extend("examples" = [{"uri": "https://keys.example.com/keys", "cluster": "keys"}]))]
        required remote: Remote,
    }
}

object! {
    /// A list of credentials at a URL.
    pub struct Remote {
        /// The absolute `https` URL. `http` is accepted for a loopback address.
        #[schemars(extend("examples" = ["https://keys.example.com/keys"]))]
        required uri: String,
        /// The host's cluster for requests to it.
        #[schemars(extend("examples" = ["keys"]))]
        required cluster: String,
        /// How long the filter waits for a response.
        #[schemars(extend("default" = "5s", "x-range" = ["1ms", "60s"], "examples" = ["2s"]))]
        optional timeout: Span,
        /// The time between two fetches.
        #[schemars(extend("default" = "60s", "x-range" = ["1s", "24h"], "examples" = ["5m"]))]
        optional refresh: Span,
        /// How long the filter uses a list after the last successful fetch, at least `refresh`. Later, requests with a credential
        /// of the list receive 503.
        #[schemars(extend("default" = "24h", "examples" = ["48h"]))]
        narrowing max_stale: Span,
        /// Headers of the requests, such as `authorization`.
        #[schemars(extend("x-default" = "none", "examples" = [{"authorization": {"env": "KEYS_AUTHORIZATION"}}]))]
        narrowing headers: Headers,
    }
}

/// Headers by their names. The values can be secrets.
///
/// No fault shows what was found. A name is shown only if it is one of a header: `{authorization:Bearer xyzzy}` in YAML is an
/// object with one key, which is the whole text.
#[derive(Debug)]
pub struct Headers;

impl Read for Headers {
    const EXPECTED: &'static str = "an object of header names and values";

    type Value = Mapping<SecretSource>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return Err(unexpected(value, Self::EXPECTED, at, diagnostics)),
            _ => return Err(unexpected_secret(Self::EXPECTED, at, diagnostics)),
        };
        let mut read = Mapping::new();
        for (name, value) in members {
            let value = match is_header_name(name) {
                true => SecretSource::read(value, &at.member(name), diagnostics),
                false => Err(diagnostics.report(at, InvalidHeader::NameInObject)),
            };
            read.insert(name.clone(), value);
        }
        Ok(read)
    }
}

/// A list of credentials in the configuration, or where it is fetched.
#[derive(Debug)]
pub enum Credentials<T> {
    /// In the configuration.
    Inline(T),
    /// Fetched.
    Fetched(Fetched),
}

/// Reads a list of credentials, as [`read_entries`] reads its entries. An object without `remote` is not read for the same
/// reason.
pub fn read_credentials<T: Read>(
    value: &Value,
    (expected, entry): (&'static str, &'static str),
    names: &[&str],
    at: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> Typed<Credentials<List<T::Value>>> {
    match value {
        Value::Array(entries) => Ok(Credentials::Inline(read_entries::<T>(
            entries,
            entry,
            names,
            at,
            diagnostics,
        ))),
        Value::Object(members) if members.contains_key("remote") => {
            Fetched::read(value, at, diagnostics).map(Credentials::Fetched)
        }
        _ => Err(unexpected_secret(expected, at, diagnostics)),
    }
}

/// Reads the entries of a list of credentials. `names` are keys of entries.
///
/// An entry without any of them is not read: its keys can be secrets, as in `{xyzzy: acme}`, and a fault shows the keys that
/// are not known.
pub fn read_entries<T: Read>(
    entries: &[Value],
    expected: &'static str,
    names: &[&str],
    at: &At<'_>,
    diagnostics: &mut Diagnostics,
) -> List<T::Value> {
    let entries = entries.iter().enumerate().map(|(index, entry)| {
        let at = at.item(index);
        match names.iter().any(|name| entry.get(name).is_some()) {
            true => T::read(entry, &at, diagnostics),
            false => Err(unexpected_secret(expected, &at, diagnostics)),
        }
    });
    entries.collect()
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Headers {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Headers".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <std::collections::BTreeMap<String, SecretSource>>::json_schema(generator)
    }
}
