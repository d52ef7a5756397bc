//! The parts of a JSON text. A text that is nearly JSON, with comments or trailing commas, has them too.

use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, parse_to_ast};

use super::tree::{Children, Member, Tree};

/// The parts of a JSON text; none if it cannot be parsed.
pub fn tree(text: &str) -> Option<Tree> {
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::Off,
        tokens: false,
    };
    let parsed = parse_to_ast(text, &collect, &Default::default()).ok()?;
    parsed.value.as_ref().map(value)
}

fn value(node: &Value<'_>) -> Tree {
    let children = match node {
        Value::Object(object) => {
            let members = object.properties.iter().map(|property| Member {
                name: property.name.as_str().to_owned(),
                key: range(property.name.range()),
                value: value(&property.value),
            });
            Children::Members(members.collect())
        }
        Value::Array(array) => Children::Items(array.elements.iter().map(value).collect()),
        Value::StringLit(text) => Children::Text(text.value.to_string()),
        Value::NumberLit(number) => Children::Text(number.value.to_owned()),
        Value::BooleanLit(truth) => Children::Text(truth.value.to_string()),
        Value::NullKeyword(_) => Children::Text("null".to_owned()),
    };
    Tree::new(range(node.range()), children)
}

fn range(range: Range) -> std::ops::Range<usize> {
    range.start..range.end
}
