//! `claims`: where a provider's tokens have the audience, and what rules look at.

use serde_json::Value;

use crate::authenticate::jose::claims::{ClaimPath, ClaimPathFault, NameSource};
use crate::config::at::At;
use crate::config::diagnostic::{Diagnostics, Reported};
use crate::config::fault::Fault;
use crate::config::read::{List, Read, Typed, object, unexpected};

/// What to write in place of a `*`.
const EACH_CLAIM: &str = "write the name of each claim";

object! {
    /// The claims that the filter evaluates. A name with dots is also a path to a member of a claim. A list of names in place of
    /// a name is an exact path.
    pub struct ClaimNames {
        /// The claim with the name of the caller. An exact path is in two lists.
        #[schemars(extend(
            "default" = "sub",
            "x-type" = "a claim",
            "examples" = ["email", [["kubernetes.io", "serviceaccount", "uid"]]]
        ))]
        optional subject: Subject,
        /// The claims with the audience. The first one that a token has counts.
        #[schemars(extend("minItems" = 1, "default" = ["aud"], "examples" = [["aud", "client_id"]]))]
        narrowing audience: Vec<ClaimPath>,
        /// The claims with scopes.
        #[schemars(extend(
            "default" = ["scope", "scp"],
            "x-type" = "list of claims, or `members`",
            "examples" = [["permissions"]]
        ))]
        optional scopes: NameSources,
        /// The claims with roles.
        #[schemars(extend(
            "default" = ["roles", "realm_access.roles"],
            "x-type" = "list of claims, or `members`",
            "examples" = [["realm_access.roles"], {"members": "urn:zitadel:iam:org:project:roles"}]
        ))]
        optional roles: NameSources,
        /// The claims with groups.
        #[schemars(extend(
            "default" = ["groups"],
            "x-type" = "list of claims, or `members`",
            "examples" = [["cognito:groups"]]
        ))]
        optional groups: NameSources,
    }
}

object! {
    /// The names are the member names of an object.
    pub struct Members {
        /// The claim with the object.
        #[schemars(extend("examples" = ["urn:zitadel:iam:org:project:roles"]))]
        required members: ClaimPath,
    }
}

/// The path of a claim that a text means.
pub fn path(text: &str, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<ClaimPath> {
    let path = ClaimPath::parse(text).map_err(|fault| invalid_path(fault, at, diagnostics))?;
    diagnostics.literal_or(at, text, EACH_CLAIM)?;
    Ok(path)
}

/// Reports what is wrong with the path of a claim.
fn invalid_path(fault: ClaimPathFault, at: &At<'_>, diagnostics: &mut Diagnostics) -> Reported {
    let fault = match fault {
        ClaimPathFault::EmptyName => Fault::EmptyString("the name of a claim"),
        ClaimPathFault::Names => Fault::ClaimPath,
    };
    diagnostics.report(at, fault)
}

/// A name, which looks inside a claim if it has dots, or a list of the exact names.
impl Read for ClaimPath {
    const EXPECTED: &'static str = "the name of a claim, or a list of names";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::String(_) => path(&String::read(value, at, diagnostics)?, at, diagnostics),
            Value::Array(_) => {
                let names = Vec::<String>::read(value, at, diagnostics)?;
                let names: Vec<String> = names.into_iter().collect::<Typed<_>>()?;
                for (index, name) in names.iter().enumerate() {
                    diagnostics.literal_or(&at.item(index), name, EACH_CLAIM)?;
                }
                Self::exact(names).map_err(|fault| invalid_path(fault, at, diagnostics))
            }
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// The claim with the subject. A list of names would look like several claims, so an exact path is in two lists.
#[derive(Debug)]
pub struct Subject;

impl Read for Subject {
    const EXPECTED: &'static str = "the name of a claim, or one exact path such as `[[a, b]]`";

    type Value = ClaimPath;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<ClaimPath> {
        match value {
            Value::String(_) => ClaimPath::read(value, at, diagnostics),
            Value::Array(items) => match items.as_slice() {
                [path @ Value::Array(_)] => ClaimPath::read(path, &at.item(0), diagnostics),
                _ => Err(unexpected(value, Self::EXPECTED, at, diagnostics)),
            },
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// A claim with names, or `{members: …}` for the member names of an object.
impl Read for NameSource {
    const EXPECTED: &'static str = "the name of a claim, a list of names, or `{members: …}`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::Object(_) => Members::read(value, at, diagnostics)?
                .members
                .map(Self::Members),
            Value::String(_) | Value::Array(_) => {
                ClaimPath::read(value, at, diagnostics).map(Self::Value)
            }
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

/// A list of claims with names, or one `{members: …}`.
#[derive(Debug)]
pub struct NameSources;

impl Read for NameSources {
    const EXPECTED: &'static str = "a list";

    type Value = List<NameSource>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        match value {
            Value::Object(_) => Ok(vec![NameSource::read(value, at, diagnostics)]),
            _ => Vec::<NameSource>::read(value, at, diagnostics),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{ClaimPath, Members, NameSource, NameSources, Subject};

    fn exact() -> Schema {
        json_schema!({
            "description": "The exact names.",
            "type": "array",
            "items": { "type": "string", "minLength": 1 },
            "minItems": 1,
            "maxItems": ClaimPath::NAMES_MAX,
        })
    }

    fn text() -> Schema {
        json_schema!({
            "description": "A name. With dots it is also a path: in each object, the longest member name that it begins \
                with, then the rest.",
            "type": "string",
            "minLength": 1,
        })
    }

    impl JsonSchema for ClaimPath {
        fn schema_name() -> Cow<'static, str> {
            "ClaimPath".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "description": "The path of a claim.", "oneOf": [text(), exact()] })
        }
    }

    impl JsonSchema for Subject {
        fn schema_name() -> Cow<'static, str> {
            "Subject".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let exact = json_schema!({
                "type": "array",
                "items": exact(),
                "minItems": 1,
                "maxItems": 1,
            });
            json_schema!({ "description": "The claim with the subject.", "oneOf": [text(), exact] })
        }
    }

    impl JsonSchema for NameSource {
        fn schema_name() -> Cow<'static, str> {
            "NameSource".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let members = generator.subschema_for::<Members>();
            json_schema!({ "description": "A claim with names.", "oneOf": [text(), exact(), members] })
        }
    }

    impl JsonSchema for NameSources {
        fn schema_name() -> Cow<'static, str> {
            "NameSources".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let members = generator.subschema_for::<Members>();
            let source = generator.subschema_for::<NameSource>();
            json_schema!({
                "description": "Claims with names.",
                "oneOf": [{ "type": "array", "items": source }, members],
            })
        }
    }
}
