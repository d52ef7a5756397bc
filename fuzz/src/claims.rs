//! Compares how the filter finds a claim by its path with a plain search.

use countersign::authenticate::jose::claims::{ClaimPath, is_one_of};
use countersign::json::{Json, parse};
use serde_json::{Map, Value, json};

use super::random::Random;

/// Parts of names and of paths. Joined by dots they are often names of members.
const PARTS: [&str; 8] = ["a", "b", "", "aa", "https://x", "é", "a b", "c"];

/// Compares the results for random claims and a random path.
///
/// # Errors
/// The results differ.
pub fn check(random: &mut Random) -> Result<&'static str, String> {
    let claims = random_object(random, 3);
    let text = random_name(random, 6);
    let names: Vec<String> = (0..1 + random.below(3))
        .map(|_| random_name(random, 2))
        .collect();
    let bytes = Value::Object(claims.clone()).to_string();
    let Ok(Json::Object(read)) = parse(bytes.as_bytes()) else {
        return Err(format!("not an object: {bytes}"));
    };
    let mut found = false;
    let paths = [
        (ClaimPath::parse(&text), at_text(&claims, &text), &text),
        (
            ClaimPath::exact(names.clone()),
            at_names(&claims, &names),
            &names.join(" / "),
        ),
    ];
    for (path, plain, written) in paths {
        let Ok(path) = path else {
            // Only empty names are rejected, because the paths are short.
            if !written.is_empty() && !names.iter().any(String::is_empty) {
                return Err(format!("{written:?} is rejected"));
            }
            continue;
        };
        let kept = path.find::<Value>(&claims);
        let borrowed = path.find::<Json<'_>>(&read);
        let same = borrowed.cloned().map(Value::from);
        if kept != plain || same.as_ref() != plain {
            return Err(format!(
                "{written:?} in {bytes}: the plain search finds {plain:?}, the filter {kept:?} and {same:?}"
            ));
        }
        if let (Some(kept), Some(borrowed)) = (kept, borrowed) {
            let values = [random_value(random, 1), kept.clone()];
            let is_kept = is_one_of(kept, &values);
            if is_kept != is_one_of(borrowed, &values) {
                return Err(format!("{kept} is compared differently with {values:?}"));
            }
            found = true;
        }
    }
    Ok(if found { "found" } else { "absent" })
}

/// The claim at a text: all ways to split the text at a dot are tried, the longest name first.
fn at_text<'c>(object: &'c Map<String, Value>, text: &str) -> Option<&'c Value> {
    if let Some(value) = object.get(text) {
        return Some(value);
    }
    let parts: Vec<&str> = text.split('.').collect();
    for length in (1..parts.len()).rev() {
        if let Some(value) = object.get(&parts[..length].join(".")) {
            return at_text(value.as_object()?, &parts[length..].join("."));
        }
    }
    None
}

fn at_names<'c>(object: &'c Map<String, Value>, names: &[String]) -> Option<&'c Value> {
    let value = object.get(names.first()?)?;
    match &names[1..] {
        [] => Some(value),
        rest => at_names(value.as_object()?, rest),
    }
}

/// A name of up to `parts` parts, some of them separated by dots.
fn random_name(random: &mut Random, parts: usize) -> String {
    let parts: Vec<&str> = (0..1 + random.below(parts))
        .map(|_| random.pick(&PARTS))
        .collect();
    parts.join(".")
}

fn random_object(random: &mut Random, depth: usize) -> Map<String, Value> {
    // More than 16 members are kept in another order.
    let many = [0, 1, 2, 3, 6, 30][random.below(6)];
    (0..many)
        .map(|_| (random_name(random, 3), random_value(random, depth)))
        .collect()
}

fn random_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(random.below(3)),
        3 => json!(random.below(3) as f64),
        4 => json!(9_007_199_254_740_991_u64 + random.below(3) as u64),
        5 => json!(random.pick(&PARTS)),
        6 => (0..random.below(3))
            .map(|_| random_value(random, depth - 1))
            .collect(),
        _ => Value::Object(random_object(random, depth - 1)),
    }
}
