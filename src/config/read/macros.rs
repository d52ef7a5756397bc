//! The two shapes of a configuration: an object with known keys, and one of some names.
//!
//! Each macro also derives the JSON Schema, from a type of its own that has the shape as the user writes it.

/// Defines an object of the configuration, how it is read, and (natively) its schema.
///
/// Each key is `required`, `optional` or `narrowing`: see the functions of `Members`.
macro_rules! object {
    (
        $(#[doc = $about:expr])*
        pub struct $name:ident {
            $(
                $(#[doc = $doc:expr])*
                $(#[schemars($($schema:tt)*)])?
                $presence:ident $field:ident : $type:ty,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: object!(@typed $presence $type),)*
            /// Whether every key of this object is known and could be read.
            pub whole: $crate::config::diagnostic::Whole,
        }

        impl $crate::config::read::Read for $name {
            const EXPECTED: &'static str = "an object";

            type Value = Self;

            fn read(
                value: &serde_json::Value,
                at: &$crate::config::at::At<'_>,
                diagnostics: &mut $crate::config::diagnostic::Diagnostics,
            ) -> $crate::config::read::Typed<Self> {
                let mut members = $crate::config::read::Members::open(value, at, diagnostics)?;
                Ok(Self {
                    $($field: members.$presence::<$type>(object!(@name $field), diagnostics),)*
                    whole: members.close(diagnostics),
                })
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            $(#[doc = $about])*
            #[derive(schemars::JsonSchema)]
            #[schemars(deny_unknown_fields, extend("x-keys" = [$(object!(@name $field)),*]))]
            #[allow(dead_code, reason = "only its schema is used")]
            struct $name {
                $(
                    $(#[doc = $doc])*
                    $(#[schemars($($schema)*)])?
                    #[schemars(transform = $crate::config::read::schema::$presence)]
                    $field: object!(@written $presence $type),
                )*
            }
            $crate::config::read::has_schema_of!(self::$name, $name);
        };
    };
    (@typed required $type:ty) => {
        $crate::config::read::Typed<<$type as $crate::config::read::Read>::Value>
    };
    (@typed $presence:ident $type:ty) => {
        $crate::config::read::Typed<Option<<$type as $crate::config::read::Read>::Value>>
    };
    (@written required $type:ty) => { $type };
    (@written $presence:ident $type:ty) => { Option<$type> };
    // A key that is a keyword of Rust is written `r#match` here and `match` in configurations.
    (@name r#match) => { "match" };
    (@name $field:ident) => { stringify!($field) };
}

/// Defines a value that is one of several names: its reader, and natively its schema. The form `impl` is for an enum of
/// another part.
macro_rules! choice {
    (
        $(#[doc = $about:expr])*
        pub enum $name:ident {
            $($(#[doc = $doc:expr])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        choice! {
            $(#[doc = $about])*
            impl $name for self::$name {
                $($(#[doc = $doc])* $variant = $text => Self::$variant,)*
            }
        }
    };
    (
        $(#[doc = $about:expr])*
        impl $name:ident for $type:ty {
            $($(#[doc = $doc:expr])* $variant:ident = $text:literal => $value:expr,)*
        }
    ) => {
        impl $crate::config::read::Read for $type {
            const EXPECTED: &'static str = "a name";

            type Value = Self;

            fn read(
                value: &serde_json::Value,
                at: &$crate::config::at::At<'_>,
                diagnostics: &mut $crate::config::diagnostic::Diagnostics,
            ) -> $crate::config::read::Typed<Self> {
                match value.as_str() {
                    $(Some($text) => return Ok($value),)*
                    _ => {}
                }
                let names = &[$($text),*];
                Err($crate::config::read::unknown_choice(value, names, at, diagnostics))
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            $(#[doc = $about])*
            #[derive(schemars::JsonSchema)]
            #[allow(dead_code, reason = "only its schema is used")]
            enum $name {
                $($(#[doc = $doc])* #[schemars(rename = $text)] $variant,)*
            }
            $crate::config::read::has_schema_of!($type, $name);
        };
    };
}

/// Gives a type the schema of another.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! has_schema_of {
    ($type:ty, $written:ty) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$written as schemars::JsonSchema>::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                <$written as schemars::JsonSchema>::schema_id()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$written as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}

#[cfg(not(target_arch = "wasm32"))]
pub(in crate::config) use has_schema_of;
pub(in crate::config) use {choice, object};
