//! Removes tokens and passwords from the message of a failure.
//!
//! A message about an invalid argument repeats the argument. A missing quote turns a token into an argument:
//! `--header authorization: Bearer eyJ…` has three.

use std::ffi::OsString;

/// Words up to this length, in bytes, are not secrets: they are names of options, files and claims.
const SECRETS_ARE_LONGER_THAN: usize = 16;

const REDACTED: &str = "[redacted]";

/// The text with each word of the command line that may be a secret replaced by `[redacted]`.
///
/// Bytes that are not UTF-8 are replacement characters in `arguments` here, and also in `text`.
pub fn without_secrets(text: &str, arguments: impl Iterator<Item = OsString>) -> String {
    let mut text = text.to_owned();
    for argument in arguments.skip(1) {
        let argument = argument.to_string_lossy();
        for word in argument.split([' ', '\t', '=', ':', ',', '"', '\'', '\u{fffd}']) {
            if may_be_secret(word) {
                text = text.replace(word, REDACTED);
            }
        }
    }
    text
}

/// Whether a word may be base64, base64url, a compact JWS or a random key.
///
/// An option, which begins with a dash, is not a secret. A path in an existing directory is not a secret.
fn may_be_secret(word: &str) -> bool {
    let has_alphabet = word
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/".contains(&byte));
    let is_a_path = word.contains('/')
        && std::path::Path::new(word)
            .parent()
            .is_some_and(|parent| parent.exists());
    word.len() > SECRETS_ARE_LONGER_THAN
        && has_alphabet
        && !word.starts_with('-')
        && !is_a_path
        && word
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
