//! How much memory a value takes.

use serde_json::{Map, Value};

/// The entries that a node of a `BTreeMap` has room for, and the fewest that are left in one that was split.
const NODE: usize = 11;
const SPLIT: usize = 6;

/// How many bytes of memory the members of an object take, beside what the object itself takes.
///
/// Nodes of maps are counted, not looked at: never fewer than there are.
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

/// What the nodes of so many entries take.
fn nodes(entries: usize) -> usize {
    if entries == 0 {
        return 0;
    }
    // A node's parent, its place there and its length come to two pointers at the most.
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
