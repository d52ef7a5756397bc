//! Strict JSON.
//!
//! RFC 8259 does not define what a repeated member name means. If two readers of a token choose differently, an
//! attacker can use the difference. RFC 7515 §4 and RFC 7519 §4 allow rejecting such a text. This parser rejects it at
//! every depth, and compares names after their escapes are resolved.

mod bytes;
mod items;
mod read;
mod tree;
mod value;
mod write;

use serde_json::Value;

pub use self::bytes::bytes_of;
pub use self::items::{ITEM_MAX, ItemsFault, parse_items};
pub use self::read::parse;
pub use self::tree::{Tree, View};
pub use self::value::{Json, Object};
pub use self::write::{write_string, write_string_escaping};

/// The maximum depth of nested arrays and objects.
pub const DEPTH_MAX: usize = 32;

/// Why a text is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// It is not exactly one JSON text (RFC 8259) in UTF-8 without a byte order mark, or a number in it is not a
    /// double.
    #[error("not JSON")]
    Syntax,
    /// An object has two members of the same name.
    #[error("duplicate member name")]
    Duplicate,
    /// Arrays and objects are nested more than [`DEPTH_MAX`] deep.
    #[error("nested more than {DEPTH_MAX} deep")]
    Depth,
}

/// Parses exactly one JSON text. The value borrows nothing of the text.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_strict(bytes: &[u8]) -> Result<Value, JsonFault> {
    parse(bytes).map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, Json, JsonFault, parse, parse_strict};
    use serde_json::json;
    use std::borrow::Cow;

    fn fault(text: &str) -> JsonFault {
        parse_strict(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Ok(Json::Array(items)) = parse(br#"["a","\u0062"]"#) else {
            panic!("no array")
        };
        assert!(matches!(items[0], Json::Text(Cow::Borrowed("a"))));
        assert_eq!(items[1], Json::Text("b".into()));
    }

    #[test]
    fn members_of_any_order_and_length_are_found() {
        let text = r#"{"ccc":3,"b":2,"":0,"a":1,"aaa":4}"#;
        let Ok(Json::Object(object)) = parse(text.as_bytes()) else {
            panic!("no object")
        };
        for (name, number) in [("", 0), ("a", 1), ("b", 2), ("ccc", 3), ("aaa", 4)] {
            assert_eq!(object.get(name), Some(&Json::Number(number.into())));
        }
        assert_eq!(object.get("c"), None);
        assert_eq!(object.get("cc"), None);
    }

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#" {"a":[1,-2,3.5,1e9,true,null,"\u00e9\ud83d\ude00"],"b":{"a":{}},"":0} "#;
        assert_eq!(
            parse_strict(text.as_bytes()),
            Ok(serde_json::from_str(text).unwrap())
        );
        assert_eq!(parse_strict(b"99999999999999999999999"), Ok(json!(1e23)));
    }

    /// J-29, J-30: exactly one text, in UTF-8.
    #[test]
    fn j_29_j_30_other_texts_are_rejected() {
        for text in [
            "",
            " ",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            "{\"a\":NaN}",
            "{/**/}",
            "{'a':1}",
            "{\"a\":1,}",
            "[1,]",
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\u{1}\"",
            "1e999",
            "01",
            "+1",
            ".5",
        ] {
            assert_eq!(fault(text), JsonFault::Syntax, "{text:?}");
        }
        for bytes in [
            &b"\"\xff\""[..],
            b"\xfe\xff\0{\0}",
            b"{\0}\0",
            b"{}\0",
            b"\"\xed\xa0\x80\"",
        ] {
            assert_eq!(parse_strict(bytes), Err(JsonFault::Syntax), "{bytes:?}");
        }
    }

    /// J-31 to J-33: names are compared after escapes are resolved, at every depth.
    #[test]
    fn j_31_j_32_j_33_duplicate_names_are_rejected() {
        for text in [
            r#"{"alg":"none","alg":"ES256"}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{"\u0061lg":"none","alg":"ES256"}"#,
            r#"{"cnf":{"jkt":"a","jkt":"b"}}"#,
            r#"[{"a":[{"b":1,"c":2,"b":1}]}]"#,
        ] {
            assert_eq!(fault(text), JsonFault::Duplicate, "{text}");
        }
        assert!(parse_strict(r#"{"a":1,"A":1,"a ":1}"#.as_bytes()).is_ok());
        for number in [2, 3, 15, 16, 17, 18, 40] {
            let names: Vec<_> = (1..number).map(|n| format!("\"m{n}\":0")).collect();
            for place in [0, names.len() / 2, names.len()] {
                let at = |name: &str| {
                    let mut all = names.clone();
                    all.insert(place, format!("\"{name}\":0"));
                    format!("{{{}}}", all.join(","))
                };
                assert!(parse_strict(at("m").as_bytes()).is_ok());
                assert_eq!(fault(&at("m1")), JsonFault::Duplicate, "{number}");
            }
        }
    }

    /// J-34: the depth is bounded well below the stack, the breadth only by the length of the input.
    #[test]
    fn j_34_depth_is_bounded() {
        let nest = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse_strict(nest(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(fault(&nest(DEPTH_MAX + 1)), JsonFault::Depth);
        assert_eq!(fault(&"[".repeat(1_000_000)), JsonFault::Depth);
        assert_eq!(fault(&r#"{"a":"#.repeat(10_000)), JsonFault::Depth);
        let members: Vec<_> = (0..10_000).map(|i| format!("\"m{i}\":{i}")).collect();
        let wide = parse_strict(format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
        assert_eq!(wide.as_object().unwrap().len(), 10_000);
    }
}
