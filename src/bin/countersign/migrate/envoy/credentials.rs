//! `api_key_auth` and `basic_auth` → providers. Each requires a credential of every request.

use base64ct::{Base64, Encoding};
use serde_yaml_ng::{Mapping, Value};
use sha2::{Digest, Sha256};

use crate::migrate::atom::Atom;
use crate::migrate::envoy::matcher::exact;
use crate::migrate::formula::Formula;
use crate::migrate::gate::{Location, Notes, Provider};
use crate::migrate::write::{mapping, text};
use crate::node::Node;

/// A filter that requires a key or a password.
pub struct Credentials {
    /// The name of its provider.
    pub name: String,
    /// The header that has the name of the caller.
    header: Option<String>,
    /// Whether the upstream does not receive the credential.
    hides: bool,
    provider: Option<Provider>,
}

impl Credentials {
    /// When a request passes the filter.
    pub fn passes(&self) -> Formula {
        Formula::atom(match &self.provider {
            Some(provider) => Atom::Verified(provider.name.clone()),
            None => Atom::Unknown(self.name.clone()),
        })
    }

    /// The translated provider.
    pub fn provider(&self) -> Option<Provider> {
        self.provider.clone()
    }
}

/// A formula behind these filters: the headers that they set have the names of callers.
pub fn behind(filters: &[&Credentials], formula: &Formula) -> Formula {
    formula.map(&|atom, holds| {
        let (Atom::Header(name, _) | Atom::HeaderPresent(name)) = atom else {
            return Formula::Literal(atom.clone(), holds);
        };
        let setter = filters.iter().find(|own| own.header.as_ref() == Some(name));
        let Some(filter) = setter else {
            return Formula::Literal(atom.clone(), holds);
        };
        let replaced = match atom {
            Atom::Header(_, text) => Formula::all([
                filter.passes(),
                Formula::atom(Atom::Subject(filter.name.clone(), text.clone())),
            ]),
            _ => filter.passes(),
        };
        match holds {
            true => replaced,
            false => replaced.negated(),
        }
    })
}

/// Whether the caller of a provider is one of these.
pub fn one_of(provider: &str, names: &[String]) -> Formula {
    let each = names
        .iter()
        .map(|name| Formula::atom(Atom::Subject(provider.to_owned(), exact(name))));
    Formula::any(each)
}

/// Adds what the upstream receives from these filters.
pub fn extend(
    identity: &mut Mapping,
    filters: &[Credentials],
    providers: usize,
    notes: &mut Notes,
) {
    for filter in filters {
        if let Some(header) = &filter.header {
            if providers == 1 {
                identity.insert(
                    text("headers"),
                    Value::Mapping(mapping([(header.as_str(), text("{subject}"))])),
                );
            } else {
                remove(identity, header);
                notes.differs(
                    "forwarding",
                    "",
                    "the header with the name of the caller is removed from requests, and not set",
                );
            }
        }
        if filter.hides && providers == 1 {
            identity.insert(text("strip_credential"), Value::Bool(true));
        }
    }
}

/// Removes a header from every request: a client must not send what a filter has set.
pub fn remove(identity: &mut Mapping, header: &str) {
    let key = text("remove");
    let list = identity.entry(key).or_insert(Value::Sequence(Vec::new()));
    if let Value::Sequence(list) = list
        && !list.contains(&text(header))
    {
        list.push(text(header));
    }
}

/// Reads `api_key_auth`.
pub fn keys(filter: &Node<'_>, place: &str, taken: &[String], notes: &mut Notes) -> Credentials {
    let name = unique("api-keys", taken);
    let provider = key_settings(filter).map(|(settings, locations)| Provider {
        name: name.clone(),
        settings: ("api_key", settings),
        locations,
    });
    let forwarding = filter.member("forwarding");
    let header = forwarding.as_ref().and_then(|own| own.text("header"));
    let header = header
        .filter(|name| !name.is_empty())
        .map(str::to_lowercase);
    if provider.is_ok() {
        notes.differs_from(
            "api_key_auth",
            place,
            (401, "Client authentication failed."),
            (401, "invalid_credentials"),
            "a key is missing or unknown",
        );
    }
    Credentials {
        provider: translated(provider, "api_key_auth", place, &name, notes),
        name,
        header,
        hides: forwarding.is_some_and(|own| own.is_true("hide_credentials")),
    }
}

fn key_settings(filter: &Node<'_>) -> Result<(Mapping, Vec<Location>), &'static str> {
    let mut from = Vec::new();
    let mut locations = Vec::new();
    let sources = filter.member("key_sources");
    for source in sources.iter().flat_map(Node::items) {
        let own = |key| source.text(key).filter(|name| !name.is_empty());
        let (key, name, location) = if let Some(name) = own("header") {
            let name = name.to_lowercase();
            ("header", name.clone(), Location::Header(name))
        } else if let Some(name) = own("query") {
            ("query", name.to_owned(), Location::Query(name.to_owned()))
        } else if let Some(name) = own("cookie") {
            ("cookie", name.to_owned(), Location::Cookie(name.to_owned()))
        } else {
            return Err("a source has no name");
        };
        from.push(Value::Mapping(mapping([(key, text(name))])));
        locations.push(location);
    }
    let listed = filter.member("credentials");
    let mut keys: Vec<Value> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for entry in listed.iter().flat_map(Node::items) {
        let key = entry
            .text("key")
            .ok_or("a key is not in the configuration")?;
        if known.contains(&key) {
            continue;
        }
        known.push(key);
        let client = entry.text("client").filter(|name| !name.is_empty());
        let client = client.ok_or("a key has no `client`")?;
        keys.push(Value::Mapping(mapping([
            ("id", text(client)),
            ("sha256", text(sha256(key))),
        ])));
    }
    if keys.is_empty() || from.is_empty() {
        return Err("it has no keys or no sources");
    }
    let settings = mapping([
        ("from", Value::Sequence(from)),
        ("keys", Value::Sequence(keys)),
    ]);
    Ok((settings, locations))
}

/// The hash as `countersign hash key` prints it.
fn sha256(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads `basic_auth`.
pub fn passwords(
    filter: &Node<'_>,
    place: &str,
    taken: &[String],
    notes: &mut Notes,
) -> Credentials {
    let name = unique("passwords", taken);
    let is_elsewhere = filter
        .text("authentication_header")
        .is_some_and(|name| !name.is_empty() && !name.eq_ignore_ascii_case("authorization"));
    let settings = match is_elsewhere {
        true => Err("`authentication_header` is not `authorization`"),
        false => users(filter),
    };
    let provider = settings.map(|settings| Provider {
        name: name.clone(),
        settings: ("basic", settings),
        locations: vec![Location::Header("authorization".to_owned())],
    });
    if provider.is_ok() {
        notes.differs_from(
            "basic_auth",
            place,
            (401, "User authentication failed."),
            (401, "invalid_credentials"),
            "a user name or a password is missing or wrong",
        );
    }
    let header = filter
        .text("forward_username_header")
        .filter(|name| !name.is_empty());
    Credentials {
        provider: translated(provider, "basic_auth", place, &name, notes),
        name,
        header: header.map(str::to_lowercase),
        hides: false,
    }
}

fn users(filter: &Node<'_>) -> Result<Mapping, &'static str> {
    let source = filter.member("users").ok_or("it has no users")?;
    let list = match (source.text("inline_string"), source.text("inline_bytes")) {
        (Some(list), _) => list.to_owned(),
        (None, Some(bytes)) => decoded(bytes).ok_or("its users cannot be read")?,
        (None, None) => return Err("its users are not in the configuration"),
    };
    let mut users = Vec::new();
    for line in list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (name, hash) = line.split_once(':').ok_or("a user has no password")?;
        users.push(Value::Mapping(mapping([
            ("name", text(name)),
            ("password", text(hash)),
        ])));
    }
    match users.is_empty() {
        true => Err("it has no users"),
        false => Ok(mapping([("users", Value::Sequence(users))])),
    }
}

/// A text in base64 (RFC 4648 §4).
pub fn decoded(text: &str) -> Option<String> {
    let text: String = text.split_ascii_whitespace().collect();
    String::from_utf8(Base64::decode_vec(&text).ok()?).ok()
}

fn translated(
    provider: Result<Provider, &'static str>,
    construct: &str,
    place: &str,
    name: &str,
    notes: &mut Notes,
) -> Option<Provider> {
    match provider {
        Ok(provider) => {
            notes.equal(construct, place, format!("is the provider `{name}`"));
            Some(provider)
        }
        Err(why) => {
            notes.lost(construct, place, format!("every request is denied: {why}"));
            None
        }
    }
}

fn unique(name: &str, taken: &[String]) -> String {
    let mut unique = name.to_owned();
    let mut number = 2;
    while taken.contains(&unique) {
        unique = format!("{name}-{number}");
        number += 1;
    }
    unique
}
