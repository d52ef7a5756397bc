//! Removes tokens, keys and passwords from the message of a failure.
//!
//! A message about an invalid argument repeats the argument. A missing quote turns a credential into an argument:
//! `--header authorization: Bearer eyJ…` has three. A key or a password can be as short as any other word, so that its
//! position tells it: in a header, in a query, or after `hash`.

use std::ffi::OsString;
use std::path::Path;

use countersign::authenticate::jose::base64url;
use countersign::grammar::is_token;

use crate::exit::Failure;

/// Words up to this length, in bytes, are not secrets: they are names of options, files and claims.
const SECRETS_ARE_LONGER_THAN: usize = 16;

/// Random keys are at least this long, in bytes: 24 random bytes in base64.
const RANDOM_KEYS_ARE_AT_LEAST: usize = 32;

/// Schemes before a credential, which are shown.
const SCHEMES: [&str; 5] = ["Bearer", "Basic", "ApiKey", "DPoP", "Token"];

const REDACTED: &str = "[redacted]";

/// The message with each word of the command line that may be a secret replaced by `[redacted]`.
///
/// The name of the file that the message is about is shown, unless it is a token or a random key: the user may have
/// passed one instead of its file. Bytes that are not UTF-8 are replacement characters in `arguments` here, and also in
/// the message.
pub fn without_secrets(failure: &Failure, arguments: impl Iterator<Item = OsString>) -> String {
    let mut text = failure.to_string();
    let file = failure.file.as_deref().unwrap_or_default();
    let arguments: Vec<String> = arguments
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    for secret in by_position(&arguments).filter(|secret| !file.contains(secret)) {
        text = without(&text, secret);
    }
    for argument in &arguments {
        for word in argument.split(|character| !is_of_secrets(character)) {
            let is_shown = file.contains(word) && may_be_file_name(word);
            if may_be_secret(word) && !is_shown {
                text = text.replace(word, REDACTED);
            }
        }
    }
    text
}

/// The parts of arguments that are secrets by their position: the query of a target, the value of a header, whether or not
/// it is quoted, and what follows `hash key` and `hash password`.
fn by_position(arguments: &[String]) -> impl Iterator<Item = &str> {
    // Of the options of `hash`, each has a value.
    let (mut is_after_name, mut is_value) = (false, false);
    let is_explain = arguments.first().is_some_and(|verb| verb == "explain");
    let is_hash = arguments.first().is_some_and(|verb| verb == "hash");
    let parts = arguments.iter().enumerate().map(move |(index, argument)| {
        is_after_name &= !argument.starts_with('-');
        let is_secret = is_after_name && !SCHEMES.contains(&argument.as_str());
        let is_hashed = is_hash && index > 1 && !argument.starts_with('-') && !is_value;
        is_value = argument.starts_with('-');
        is_after_name |= argument.ends_with(':');
        if is_secret || is_hashed {
            return argument.as_str();
        }
        let header = argument.split_once(':');
        let header = header.filter(|(name, value)| is_explain && is_name(name) && !is_plain(value));
        let query = || argument.split_once('?');
        header.or_else(query).map_or("", |(_, value)| value.trim())
    });
    parts.filter(|part| !part.is_empty())
}

/// Whether a text can be the name of a header, also after `--header=`. A time is none: `2026-11-21T09:00:00Z`.
fn is_name(text: &str) -> bool {
    let name = text.rsplit('=').next().unwrap_or_default();
    is_token(name) && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Whether what follows a colon is the rest of a URL, or a port.
fn is_plain(text: &str) -> bool {
    text.starts_with("//") || text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text with each occurrence of a secret replaced that is not a part of a longer word.
fn without(text: &str, secret: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(secret) {
        let is_whole = !before.ends_with(is_of_secrets) && !after.starts_with(is_of_secrets);
        shown += before;
        shown += if is_whole { REDACTED } else { secret };
        rest = after;
    }
    shown + rest
}

/// Whether base64, base64url, a compact JWS or a random key may contain a character.
fn is_of_secrets(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.~+/".contains(character)
}

/// Whether a word may be base64, base64url, a compact JWS or a random key.
///
/// An option, which begins with a dash, is not a secret, and neither is a file that exists, a path in an existing
/// directory, or the name of a configuration file.
fn may_be_secret(word: &str) -> bool {
    let path = Path::new(word);
    let parent_exists = || path.parent().is_some_and(Path::exists);
    let is_a_file = path.exists()
        || word.contains('/') && parent_exists()
        || has_extension(word, |extension| {
            ["yaml", "yml", "json"].contains(&extension)
        });
    word.len() > SECRETS_ARE_LONGER_THAN
        && !word.starts_with('-')
        && !is_a_file
        && word
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// Whether a word that was passed as the name of a file is neither a token nor a random key.
fn may_be_file_name(word: &str) -> bool {
    let is_extension = |extension: &str| {
        (1..=5).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let mut parts = word.split('.');
    !parts.clone().any(is_json_object)
        && (has_extension(word, is_extension) || !parts.any(is_random))
}

fn has_extension(word: &str, is_meant: impl Fn(&str) -> bool) -> bool {
    word.rsplit_once('.')
        .is_some_and(|(stem, extension)| !stem.is_empty() && is_meant(extension))
}

/// Whether a part of a compact JWS is the base64url of a JSON object: of the header or the claims of a token.
fn is_json_object(part: &str) -> bool {
    let begin = part
        .get(..4)
        .and_then(|begin| base64url::decode(begin.as_bytes()));
    let is_object = matches!(begin.as_deref(), Some([b'{', next, ..]) if next.is_ascii_whitespace() || *next == b'"');
    is_object && part.len() > SECRETS_ARE_LONGER_THAN
}

fn is_random(part: &str) -> bool {
    let has = |is_meant: fn(&u8) -> bool| part.as_bytes().iter().any(is_meant);
    part.len() >= RANDOM_KEYS_ARE_AT_LEAST
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}
