//! `overrides`: headers and query parameters that name another method, path or host than the request.

use serde_json::Value;

use crate::config::at::At;
use crate::config::diagnostic::Diagnostics;
use crate::config::read::{List, Read, Typed, object, unexpected, unknown_choice};

/// What happens to headers and query parameters by which some upstreams serve another method, path or host than the one
/// that the filter judged.
#[derive(Debug)]
pub enum Overrides {
    /// They are removed: those of the method if a rule looks at methods, and so on.
    Strip,
    /// They are forwarded to the upstream.
    Forward,
    /// These are forwarded to the upstream, and the others are removed.
    ForwardThese(Typed<List<String>>),
}

object! {
    /// Overrides that the filter forwards to the upstream. It removes the others.
    pub struct ForwardedOverrides {
        /// Names of headers in lower case, or of query parameters.
        #[schemars(extend("minItems" = 1, "uniqueItems" = true, "examples" = [["x-forwarded-host"]]))]
        required forward: Vec<String>,
    }
}

/// `strip`, `forward`, or an object with the names that are forwarded.
impl Read for Overrides {
    const EXPECTED: &'static str = "`strip`, `forward`, or `{forward: [names]}`";

    type Value = Self;

    fn read(value: &Value, at: &At<'_>, diagnostics: &mut Diagnostics) -> Typed<Self> {
        match value {
            Value::Object(_) => {
                let these = ForwardedOverrides::read(value, at, diagnostics)?;
                Ok(Self::ForwardThese(these.forward))
            }
            Value::String(text) if text == "strip" => Ok(Self::Strip),
            Value::String(text) if text == "forward" => Ok(Self::Forward),
            Value::String(_) => {
                let names = &["strip", "forward"];
                Err(unknown_choice(value, names, at, diagnostics))
            }
            other => Err(unexpected(other, Self::EXPECTED, at, diagnostics)),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Overrides {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Overrides".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let these = generator.subschema_for::<ForwardedOverrides>();
        schemars::json_schema!({
            "description": "What happens to headers and query parameters by which some upstreams serve another method, \
                path or host than the one that the filter judged.",
            "oneOf": [
                {
                    "description": "The filter removes them: those of the method if a rule matches methods, those of the path \
                        if a rule matches paths, those of the host if a rule matches hosts.",
                    "const": "strip",
                },
                { "description": "The filter forwards them to the upstream.", "const": "forward" },
                these,
            ],
        })
    }
}
