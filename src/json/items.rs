//! Reads a list of any length item by item, so that the whole list is never in memory as JSON values.

use core::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::read::Text;
use super::{Json, JsonFault, parse};

/// The longest item that is parsed, in bytes. The values of an item take several times the memory of its text.
pub const ITEM_MAX: usize = 64 * 1024;

/// Why a text is not an object with one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemsFault {
    /// The list is not strict JSON.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// The text is not an object with one member of this name, which is a list.
    #[error("expected a JSON object with the member `{0}`, a list, and no other member")]
    Shape(&'static str),
    /// The reader of the items stopped.
    #[error("too many items")]
    Stopped,
}

/// Passes each item of the list to `each`, until it returns false; `None` for an item that is longer than [`ITEM_MAX`]. The
/// list is the only member of an object: `{"name": [...]}`.
///
/// The text is strict JSON, as for [`parse`]. An item borrows from the text.
///
/// # Errors
/// [`ItemsFault`]. Items before the fault have been passed to `each`.
pub fn parse_items(
    bytes: &[u8],
    name: &'static str,
    each: &mut dyn FnMut(Option<Json<'_>>) -> bool,
) -> Result<(), ItemsFault> {
    let text = str::from_utf8(bytes).map_err(|_| JsonFault::Syntax)?;
    let fault = Cell::new(ItemsFault::Shape(name));
    let mut reader = serde_json::Deserializer::from_str(text);
    let whole = Whole {
        name,
        each,
        fault: &fault,
    };
    reader
        .deserialize_map(whole)
        .and_then(|()| reader.end())
        .map_err(|_| fault.get())
}

/// Reads the object. serde's errors have no type, so that the fault is stored beside them.
struct Whole<'r> {
    name: &'static str,
    each: &'r mut dyn FnMut(Option<Json<'_>>) -> bool,
    fault: &'r Cell<ItemsFault>,
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { name, each, fault } = self;
        // A second member would be the list again, or one that can change what the list means.
        match members.next_key_seed(Text)? {
            Some(found) if found == name => {}
            _ => return Err(A::Error::custom(fault.get())),
        }
        members.next_value_seed(Items { each, fault })?;
        fault.set(ItemsFault::Shape(name));
        match members.next_key_seed(Text)? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(fault.get())),
        }
    }
}

/// Reads the list.
struct Items<'r> {
    each: &'r mut dyn FnMut(Option<Json<'_>>) -> bool,
    fault: &'r Cell<ItemsFault>,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let refuse = |fault: ItemsFault| {
            self.fault.set(fault);
            A::Error::custom(fault)
        };
        self.fault.set(JsonFault::Syntax.into());
        while let Some(item) = items.next_element::<&RawValue>()? {
            let item = match item.get() {
                text if text.len() > ITEM_MAX => None,
                text => Some(parse(text.as_bytes()).map_err(|fault| refuse(fault.into()))?),
            };
            if !(self.each)(item) {
                return Err(refuse(ItemsFault::Stopped));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, ItemsFault> {
        let mut items = Vec::new();
        parse_items(text.as_bytes(), "keys", &mut |item| {
            let item = item.map(|item| item.as_str().unwrap_or("?").to_owned());
            items.push(item.unwrap_or_default());
            items.len() < 4
        })
        .map(|()| items)
    }

    #[test]
    fn each_item_of_the_list_is_passed() {
        assert_eq!(read(r#"{"keys": []}"#), Ok(vec![]));
        let items = ["a", "?", "b"].map(str::to_owned).to_vec();
        assert_eq!(
            read(" {\"\\u006beys\":[\"a\", {\"a\":[1]} ,\"\\u0062\"] }\n"),
            Ok(items)
        );
    }

    #[test]
    fn another_text_is_a_fault() {
        for text in [
            "",
            "<html>",
            "[]",
            "null",
            "{}",
            "{\"keys\":{}}",
            "{\"keys\":null}",
            "{\"keys\":\"a\"}",
            "{\"key\":[]}",
            "{\"keys\":[],\"keys\":[]}",
            "{\"keys\":[],\"more\":1}",
            "{\"more\":1,\"keys\":[]}",
            "{\"keys\":[]",
            "{\"keys\":[]}}",
            "{\"keys\":[]} x",
            "\u{feff}{\"keys\":[]}",
        ] {
            assert_eq!(read(text), Err(ItemsFault::Shape("keys")), "{text}");
        }
        for (text, fault) in [
            ("{\"keys\":[", JsonFault::Syntax),
            ("{\"keys\":[1,]}", JsonFault::Syntax),
            ("{\"keys\":[1 2]}", JsonFault::Syntax),
            ("{\"keys\":[NaN]}", JsonFault::Syntax),
            ("{\"keys\":[{\"a\":1,\"\\u0061\":2}]}", JsonFault::Duplicate),
        ] {
            assert_eq!(read(text), Err(fault.into()), "{text}");
        }
        assert_eq!(
            parse_items(b"{\"keys\":[\"\xff\"]}", "keys", &mut |_| true),
            Err(JsonFault::Syntax.into())
        );
        assert_eq!(read("{\"keys\":[1,2,3,4,5]}"), Err(ItemsFault::Stopped));
    }

    #[test]
    fn the_depth_of_an_item_is_bounded() {
        let nested = |depth| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            read(&format!("{{\"keys\":[{open}{close}]}}")).map(|items| items.len())
        };
        let inside = super::super::DEPTH_MAX;
        assert_eq!(nested(inside), Ok(1));
        assert_eq!(nested(inside + 1), Err(JsonFault::Depth.into()));
        assert_eq!(nested(ITEM_MAX / 2), Err(JsonFault::Depth.into()));
    }

    #[test]
    fn a_long_item_is_not_parsed() {
        let long = |length: usize| {
            read(&format!(
                "{{\"keys\":[\"a\",\"{}\"]}}",
                "b".repeat(length - 2)
            ))
        };
        assert_eq!(
            long(ITEM_MAX).unwrap().last().map(String::len),
            Some(ITEM_MAX - 2)
        );
        assert_eq!(long(ITEM_MAX + 1), Ok(vec!["a".to_owned(), String::new()]));
        assert_eq!(
            read(&format!("{{\"keys\":[{}", "[".repeat(100_000))),
            Err(JsonFault::Syntax.into())
        );
    }
}
