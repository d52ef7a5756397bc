//! Characters that are invisible or change how the text around them is displayed, and how the filter escapes them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is invisible: a format character of Unicode (category Cf), or a line or paragraph separator.
/// Some upstreams drop these.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{0600}'..='\u{0605}' | '\u{061c}' | '\u{06dd}' | '\u{070f}'
        | '\u{0890}'..='\u{0891}' | '\u{08e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// A text in which each control character and each invisible one is escaped as `\uXXXX`, as in JSON (RFC 8259 §7).
pub fn escaped(text: &str) -> Cow<'_, str> {
    escape_if(text, |character, _| is_unprintable(character))
}

/// As [`escaped`], but different texts have different results: a backslash that would begin such an escape is escaped
/// too.
pub fn escaped_uniquely(text: &str) -> Cow<'_, str> {
    escape_if(text, |character, after| {
        is_unprintable(character) || character == '\\' && continues_an_escape(after)
    })
}

/// Whether a character is a control character or [invisible](is_invisible).
pub fn is_unprintable(character: char) -> bool {
    character.is_control() || is_invisible(character)
}

/// Whether a backslash in front of this text would begin an escape.
fn continues_an_escape(text: &str) -> bool {
    let digits = text.strip_prefix('u').and_then(|rest| rest.get(..4));
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Escapes each character for which `is_meant` returns true, given the character and the text after it.
fn escape_if(text: &str, is_meant: impl Fn(char, &str) -> bool) -> Cow<'_, str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\';
    if text.as_bytes().iter().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut rest = text.chars();
    let mut escaped = String::new();
    let mut copied = 0;
    let mut place = 0;
    while let Some(character) = rest.next() {
        let next = text.len() - rest.as_str().len();
        if is_meant(character, rest.as_str()) {
            escaped.push_str(text.get(copied..place).unwrap_or_default());
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            copied = next;
        }
        place = next;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    escaped.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, expected) in [
            ("", ""),
            (
                "amy \\ \"é\u{4e00}\u{1f600}\"",
                "amy \\ \"é\u{4e00}\u{1f600}\"",
            ),
            ("\u{0}\u{1f} \u{7f}", "\\u0000\\u001f \\u007f"),
            ("a\u{80}\u{9b}2J\u{9f}", "a\\u0080\\u009b2J\\u009f"),
            ("\u{2028}\u{2029}", "\\u2028\\u2029"),
            ("\u{202a}\u{202e}x", "\\u202a\\u202ex"),
            ("\u{2066}\u{2069}", "\\u2066\\u2069"),
            ("\u{200b}\u{feff}\u{ad}", "\\u200b\\ufeff\\u00ad"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(escaped(text), expected);
            assert_eq!(escaped_uniquely(text), expected);
        }
    }

    #[test]
    fn no_character_that_changes_a_line_remains() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            let changes = matches!(character,
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let text = character.to_string();
            assert!(!changes || escaped(&text).is_ascii(), "{character:?}");
        }
    }

    #[test]
    fn different_texts_stay_different() {
        let pieces = ["\u{202e}", "\\", "u", "202e", "005c", "x"];
        let mut texts = vec![String::new()];
        let mut known = std::collections::HashMap::new();
        for _ in 0..5 {
            let longer = |text: &String| pieces.map(|piece| format!("{text}{piece}"));
            texts = texts.iter().flat_map(longer).collect();
            for text in &texts {
                let other = known.insert(escaped_uniquely(text).into_owned(), text.clone());
                assert!(other.is_none_or(|other| other == *text), "{text:?}");
            }
        }
        assert_eq!(escaped_uniquely("CORP\\ursula"), "CORP\\ursula");
        assert_eq!(escaped_uniquely("a\\u202e"), "a\\u005cu202e");
        assert_eq!(escaped("a\\u202e"), "a\\u202e");
    }
}
