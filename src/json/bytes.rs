//! How much memory a value takes.

use serde_json::{Map, Value};

/// The maximum entries of a node of a `BTreeMap`, and the minimum after a node was split.
const NODE: usize = 11;
const SPLIT: usize = 6;

/// How many bytes of memory the members of an object take, in addition to the object itself.
///
/// The nodes of maps are estimated from the number of entries. The estimate is never too low.
pub fn bytes_of(members: &Map<String, Value>) -> usize {
    let inner = members.iter();
    let inner: usize = inner
        .map(|(name, value)| name.capacity() + bytes_of_value(value))
        .sum();
    nodes(members.len()) + inner
}

fn bytes_of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity(),
        Value::Array(items) => {
            let inner: usize = items.iter().map(bytes_of_value).sum();
            items.capacity() * size_of::<Value>() + inner
        }
        Value::Object(members) => bytes_of(members),
    }
}

/// How many bytes the nodes of so many entries take.
fn nodes(entries: usize) -> usize {
    if entries == 0 {
        return 0;
    }
    // A node's parent, its index there and its length take at most two pointers.
    let leaf = NODE * size_of::<(String, Value)>() + 2 * size_of::<usize>();
    let leaves = if entries <= NODE {
        1
    } else {
        entries.div_ceil(SPLIT)
    };
    let above = if leaves > 1 {
        leaves.div_ceil(SPLIT)
    } else {
        0
    };
    (leaves + above) * leaf + above * (NODE + 1) * size_of::<usize>()
}
