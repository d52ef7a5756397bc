//! Writing the content of a JSON string into a buffer.
//!
//! `serde_json` writes strings too. It cannot escape more characters than JSON requires, so that a text would be escaped in
//! a second pass, into a second buffer.

/// Appends a text to a buffer as the content of a JSON string, without the quotation marks around it (RFC 8259 §7).
///
/// The result has the bytes that `serde_json` writes. It allocates nothing if the buffer has room.
///
/// ```
/// let mut line = String::new();
/// countersign::json::write_string(&mut line, "a \"b\"\n");
/// assert_eq!(line, r#"a \"b\"\n"#);
/// ```
pub fn write_string(buffer: &mut String, text: &str) {
    write_string_escaping(buffer, text, |_| false);
}

/// As [`write_string`], but also escapes the characters for which `is_meant` returns true, as `\uXXXX`.
///
/// `is_meant` is not asked about printable ASCII.
pub fn write_string_escaping(buffer: &mut String, text: &str, is_meant: impl Fn(char) -> bool) {
    let must_be_escaped =
        |character| matches!(character, '\0'..='\u{1f}' | '"' | '\\') || is_meant(character);
    let mut rest = text;
    while let Some((plain, character, after)) = split_at_first(rest, must_be_escaped) {
        buffer.push_str(plain);
        write_escape(buffer, character);
        rest = after;
    }
    buffer.push_str(rest);
}

/// The text before the first character that must be escaped, that character, and the text after it.
fn split_at_first(
    text: &str,
    must_be_escaped: impl Fn(char) -> bool,
) -> Option<(&str, char, &str)> {
    // Most texts end here: bytes are compared faster than characters are decoded.
    let odd = text.bytes().position(|byte| !is_plain(byte))?;
    let (plain, odd) = text.split_at_checked(odd)?;
    let at = plain.len() + odd.find(must_be_escaped)?;
    let (plain, rest) = text.split_at_checked(at)?;
    let mut rest = rest.chars();
    let character = rest.next()?;
    Some((plain, character, rest.as_str()))
}

/// Whether a byte is printable ASCII that no JSON string escapes.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn write_escape(buffer: &mut String, character: char) {
    buffer.push_str(match character {
        '"' => r#"\""#,
        '\\' => r"\\",
        '\u{8}' => r"\b",
        '\t' => r"\t",
        '\n' => r"\n",
        '\u{c}' => r"\f",
        '\r' => r"\r",
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                buffer.push_str(r"\u");
                let digits = [12, 8, 4, 0].map(|shift| hexadecimal_digit(*unit >> shift));
                buffer.extend(digits);
            }
            return;
        }
    });
}

/// The digit of the last four bits of a number.
fn hexadecimal_digit(number: u16) -> char {
    char::from(match (number & 0xf) as u8 {
        digit @ 0..10 => b'0' + digit,
        letter => b'a' - 10 + letter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn written(text: &str, is_meant: impl Fn(char) -> bool) -> String {
        let mut buffer = "before:".to_owned();
        write_string_escaping(&mut buffer, text, is_meant);
        buffer.strip_prefix("before:").unwrap().to_owned()
    }

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        let text = String::from_iter('\0'..=char::MAX);
        let expected = serde_json::to_string(&text).unwrap();
        assert!(format!("\"{}\"", written(&text, |_| false)) == expected);
    }

    #[test]
    fn more_characters_are_escaped_where_they_are_meant() {
        let is_meant = |character: char| !matches!(character, ' '..='~' | 'é');
        for (text, expected) in [
            ("", ""),
            ("plain ~", "plain ~"),
            ("é\u{7f}\u{9b}é", "é\\u007f\\u009bé"),
            ("\u{e0041}\u{feff}", "\\udb40\\udc41\\ufeff"),
            ("\n\"\\", "\\n\\\"\\\\"),
        ] {
            assert_eq!(written(text, is_meant), expected);
        }
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_serde_json_writes_it(characters in vec(any::<char>(), 0..40)) {
            let text = String::from_iter(characters);
            let expected = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(format!("\"{}\"", written(&text, |_| false)), expected);
        }
    }
}
