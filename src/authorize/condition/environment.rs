//! The functions and types of expressions: the standard ones of CEL, those for time, and the filter's own, which no
//! text can name.

use std::sync::{Arc, LazyLock};

use cel::Env;
use cel::common::types::{DURATION_TYPE, DYN_TYPE, INT_TYPE, STRING_TYPE, TIMESTAMP_TYPE, Type};

use super::{limits, moment};

/// The functions and methods that an expression can call.
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

/// The macros. An argument of a macro is an expression, not a value.
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

/// `@charge(meter, weight, value)` charges a value by its size.
pub const CHARGE: &str = "@charge";

/// `@each(meter, price, weight, range)` charges all iterations of a loop.
pub const EACH: &str = "@each";

/// `@equal(meter, a, b)` charges a comparison, and compares.
pub const EQUAL: &str = "@equal";

/// `@write(meter, value)` charges the conversion of a value by `string`.
pub const WRITE: &str = "@write";

/// `@search(meter, value, values)` charges a search, and searches.
pub const SEARCH: &str = "@search";

/// `@any(meter, value, values)` charges the search that replaces a loop, and searches.
pub const ANY: &str = "@any";

/// `@matches(meter, text, number)` charges a search for a pattern, and searches.
pub const MATCHES: &str = "@matches";

/// The environment that all expressions share.
pub fn environment() -> Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
        Arc::new(with_time(
            Env::default().with_optional_support(false).with_stdlib(),
        ))
    });
    Arc::clone(&ENVIRONMENT)
}

/// Adds the filter's functions. None of them replaces a standard one, and a test calls each.
fn with_time(mut env: Env) -> Env {
    let meter = || limits::TYPE.to_owned();
    let mut function = |name: &str, id: &str, args: Vec<Type>, function| {
        env.add_overload(name, id, args, function).is_ok()
    };
    let mut are_new = function(
        CHARGE,
        "charge",
        vec![meter(), INT_TYPE, DYN_TYPE],
        limits::charge,
    ) & function(
        EACH,
        "each",
        vec![meter(), INT_TYPE, INT_TYPE, DYN_TYPE],
        limits::each,
    ) & function(
        EQUAL,
        "equal",
        vec![meter(), DYN_TYPE, DYN_TYPE],
        limits::equal,
    ) & function(WRITE, "write", vec![meter(), DYN_TYPE], limits::write)
        & function(
            SEARCH,
            "in",
            vec![meter(), DYN_TYPE, DYN_TYPE],
            limits::search,
        )
        & function(ANY, "any", vec![meter(), DYN_TYPE, DYN_TYPE], limits::any)
        & function(
            MATCHES,
            "matches",
            vec![meter(), STRING_TYPE, INT_TYPE],
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
