//! Keeps what may be a token or a password out of errors.
//!
//! An error repeats the argument that it is about, and a forgotten quote makes a token such an argument:
//! `--header authorization: Bearer eyJ…` is three of them.

use std::ffi::OsString;

/// Shorter words are names of options, files and claims.
const SECRETS_ARE_LONGER_THAN: usize = 16;

const NOT_SHOWN: &str = "[not shown]";

/// The text without the words of the command line that may be secrets.
///
/// Arguments need not be text: what is none of it is a replacement character here, and in `text` too.
pub fn without_secrets(text: &str, arguments: impl Iterator<Item = OsString>) -> String {
    let mut text = text.to_owned();
    for argument in arguments.skip(1) {
        let argument = argument.to_string_lossy();
        for word in argument.split([' ', '\t', '=', ':', ',', '"', '\'', '\u{fffd}']) {
            if may_be_a_secret(word) {
                text = text.replace(word, NOT_SHOWN);
            }
        }
    }
    text
}

/// Whether a word could be base64, base64url, a compact JWS or a random key. A path to a file is told by its slashes
/// or its short last part, an option by its dashes.
fn may_be_a_secret(word: &str) -> bool {
    let has_the_alphabet = word
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/".contains(&byte));
    let is_a_path = word.contains('/')
        && std::path::Path::new(word)
            .parent()
            .is_some_and(|parent| parent.exists());
    word.len() > SECRETS_ARE_LONGER_THAN
        && has_the_alphabet
        && !word.starts_with('-')
        && !is_a_path
        && word
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
