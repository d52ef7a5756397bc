//! The functions and types that an expression can name: CEL's standard ones, and those of time.

use std::sync::{Arc, LazyLock};

use cel::Env;
use cel::common::types::{DURATION_TYPE, DYN_TYPE, INT_TYPE, STRING_TYPE, TIMESTAMP_TYPE, Type};

use super::{limits, moment};

/// Functions, and methods, by name.
pub const FUNCTIONS: [&str; 15] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// Functions that write conditions out: what they are given is an expression, not its value.
pub const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "has", "map"];

/// The types that an expression can name.
pub const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];

/// `@pay(purse, weight, value)` pays for a value by its size.
pub const PAY: &str = "@pay";

/// `@each(purse, price, weight, range)` pays for every turn of a loop.
pub const EACH: &str = "@each";

/// `@equal(purse, a, b)` pays for a comparison, and compares.
pub const EQUAL: &str = "@equal";

/// `@write(purse, value)` pays for a value that `string` writes.
pub const WRITE: &str = "@write";

/// `@search(purse, value, values)` pays for a search, and searches.
pub const SEARCH: &str = "@search";

/// `@any(purse, value, values)` pays for a search by a loop, and searches.
pub const ANY: &str = "@any";

/// `@matches(purse, text, number)` looks for a pattern.
pub const MATCHES: &str = "@matches";

/// There is one for all expressions.
pub fn environment() -> Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
        Arc::new(with_time(
            Env::default().with_optional_support(false).with_stdlib(),
        ))
    });
    Arc::clone(&ENVIRONMENT)
}

/// What is declared here has no name of the standard library's; a test calls each.
fn with_time(mut env: Env) -> Env {
    let purse = || limits::TYPE.to_owned();
    let mut function = |name: &str, id: &str, args: Vec<Type>, function| {
        env.add_overload(name, id, args, function).is_ok()
    };
    let mut are_new = function(PAY, "pay", vec![purse(), INT_TYPE, DYN_TYPE], limits::pay)
        & function(
            EACH,
            "each",
            vec![purse(), INT_TYPE, INT_TYPE, DYN_TYPE],
            limits::each,
        )
        & function(
            EQUAL,
            "equal",
            vec![purse(), DYN_TYPE, DYN_TYPE],
            limits::equal,
        )
        & function(WRITE, "write", vec![purse(), DYN_TYPE], limits::write)
        & function(
            SEARCH,
            "in",
            vec![purse(), DYN_TYPE, DYN_TYPE],
            limits::search,
        )
        & function(ANY, "any", vec![purse(), DYN_TYPE, DYN_TYPE], limits::any)
        & function(
            MATCHES,
            "matches",
            vec![purse(), STRING_TYPE, INT_TYPE],
            limits::matches,
        )
        & function(
            "timestamp",
            "string_to_timestamp",
            vec![STRING_TYPE],
            moment::timestamp,
        )
        & function(
            "timestamp",
            "int64_to_timestamp",
            vec![INT_TYPE],
            moment::timestamp,
        )
        & function(
            "duration",
            "string_to_duration",
            vec![STRING_TYPE],
            moment::duration,
        )
        & function(
            "int",
            "timestamp_to_int64",
            vec![TIMESTAMP_TYPE],
            moment::seconds,
        );
    for (name, getter) in moment::GETTERS {
        let with_zone = format!("{name}_with_tz");
        are_new &= env
            .add_member_overload(name, name, TIMESTAMP_TYPE, vec![], getter)
            .is_ok();
        are_new &= env
            .add_member_overload(name, &with_zone, TIMESTAMP_TYPE, vec![STRING_TYPE], getter)
            .is_ok();
    }
    are_new &= env.add_type(TIMESTAMP_TYPE).is_ok() & env.add_type(DURATION_TYPE).is_ok();
    debug_assert!(are_new, "a name is declared twice");
    env
}
