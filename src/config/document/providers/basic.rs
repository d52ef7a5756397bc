//! `basic`: a provider of user names and passwords.

use serde_json::Value;

use super::remote::{Credentials, read_credentials};
use crate::authenticate::basic::password::PasswordHash;
use crate::authenticate::listed::EntryFault;
use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Typed, object, unexpected_secret};

object! {
    /// A provider of user names and passwords (RFC 7617).
    pub struct Basic {
        /// The users: a list, or where the filter fetches it.
        #[schemars(extend("examples" = [{"remote": {"uri": "https://users.example.com/users", "cluster": "users"}}]))]
        required users: UserList,
    }
}

object! {
    /// An entry of a list of users.
    pub struct User {
        /// The user name, without a colon.
        #[schemars(extend("examples" = ["alice"]))]
        required name: String,
        /// The bcrypt or argon2id hash of the password, as `htpasswd -B` or `countersign hash password` prints it.
        #[schemars(extend("examples" = ["$2y$10$SZlwVCz.FTk9KK7b4RT.h.ROWr0IFZyTloSU7ZaVGcotr2Zo3E3kq"]))]
        required password: Password,
        /// The scopes of the user.
        #[schemars(extend("x-default" = "none", "examples" = [["orders:read"]]))]
        optional scopes: Vec<String>,
        /// The roles of the user.
        #[schemars(extend("x-default" = "none", "examples" = [["clerk"]]))]
        optional roles: Vec<String>,
    }
}

/// The users of a provider.
#[derive(Debug)]
pub struct UserList;

impl Read for UserList {
    const EXPECTED: &'static str = "a list of users, or `remote`";

    type Value = Credentials<List<User>>;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self::Value> {
        let expected = (Self::EXPECTED, "an object with `name` and `password`");
        read_credentials::<User>(value, expected, &["name", "password"], at, diagnostics)
    }
}

/// The hash of a password. A message never shows the value, which can be the password in plain text.
#[derive(Debug)]
pub struct Password;

impl Read for Password {
    const EXPECTED: &'static str = "a bcrypt or argon2id hash";

    type Value = PasswordHash;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<PasswordHash> {
        let Some(text) = value.as_str() else {
            return Err(unexpected_secret(Self::EXPECTED, at, diagnostics));
        };
        let hash = PasswordHash::parse(text);
        hash.map_err(|fault| diagnostics.report(at, EntryFault::Password(fault)))
    }
}

/// The JSON Schema of what is read here.
#[cfg(not(target_arch = "wasm32"))]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::super::remote::Fetched;
    use super::{Password, User, UserList};

    impl JsonSchema for UserList {
        fn schema_name() -> Cow<'static, str> {
            "UserList".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let user = generator.subschema_for::<User>();
            let fetched = generator.subschema_for::<Fetched>();
            json_schema!({
                "description": "The users of a provider: a list, or where it is fetched.",
                "oneOf": [{ "type": "array", "items": user, "minItems": 1 }, fetched],
            })
        }
    }

    impl JsonSchema for Password {
        fn schema_name() -> Cow<'static, str> {
            "PasswordHash".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "description": "The hash of a password: bcrypt, argon2id, `{SHA256}` or `{SHA}`.",
                "pattern": "^(\\$2[aby]\\$|\\$argon2id\\$|\\{SHA(256)?\\})",
            })
        }
    }
}
