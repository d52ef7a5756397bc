//! The parts of the driver, one concept each.

pub mod answer;
pub mod compare;
pub mod corpus;
pub mod fleet;
pub mod gate;
pub mod generate;
pub mod input;
pub mod judge;
pub mod list;
pub mod models;
pub mod process;
pub mod shrink;
pub mod table;

/// Bytes as one line of ASCII, in the notation of the corpus: `{x0a}` is a line feed.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("{{x{byte:02x}}}")),
        }
    }
    text
}

/// The number that an environment variable holds.
pub fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is {text:?}: expected a number")),
        _ => default,
    }
}
