//! Lists in header values (RFC 9110 §5.6.1).

/// The elements of a comma-separated header value (RFC 9110 §5.6.1). A comma in a quoted string does not separate.
///
/// If a quoted string is not closed, every comma of the value separates, because a server could read it so.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut whole = Quotes::default();
    for byte in value {
        whole.enclose(*byte);
    }
    let mut quotes = Quotes::default();
    value
        .split(move |byte| {
            let enclosed = quotes.enclose(*byte) && !whole.open;
            *byte == b',' && !enclosed
        })
        .map(<[u8]>::trim_ascii)
}

/// Whether a value has a comma, so that it could be a list.
///
/// Every request with a token asks this of some hundred octets. Eight are read at a time: the standard library and `memchr`
/// read four in `wasm32`, where a `usize` has no more.
pub fn has_comma(value: &[u8]) -> bool {
    const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
    const LOWEST: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    let (eights, rest) = value.as_chunks();
    let has_comma = |eight: &[u8; 8]| {
        // Zero where there is a comma. Without a zero octet, the subtraction borrows nowhere.
        let others = u64::from_ne_bytes(*eight) ^ COMMAS;
        others.wrapping_sub(LOWEST) & !others & HIGHEST != 0
    };
    eights.iter().any(has_comma) || rest.contains(&b',')
}

/// The state of a scan for quoted strings (RFC 9110 §5.6.4). An escaped quote does not close one.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    /// Reads one byte. Returns whether the byte is within a quoted string.
    fn enclose(&mut self, byte: u8) -> bool {
        let enclosed = self.open;
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = self.open;
        } else if byte == b'"' {
            self.open = !self.open;
        }
        enclosed
    }
}

/// The value without what Python's `str.strip` trims: spaces, also those outside ASCII, and control characters.
pub fn trimmed(value: &[u8]) -> &[u8] {
    let is_visible = |byte: &u8| byte.is_ascii_graphic();
    let begin = value.iter().position(is_visible);
    let end = value.iter().rposition(is_visible);
    let range = begin.zip(end).map(|(begin, end)| begin..=end);
    range.and_then(|range| value.get(range)).unwrap_or_default()
}

/// Whether a value could hold an encoded word: `=?charset?q?text?=` (RFC 2047 §2).
pub fn has_encoded_word(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'?').skip(1);
    let begins = value.windows(2).any(|two| two == b"=?");
    begins && parts.any(|part| matches!(part, b"q" | b"Q" | b"b" | b"B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbours of a comma, and octets whose bits the arithmetic could carry into it.
    #[test]
    fn a_comma_is_found_wherever_it_is_and_nothing_else_is_taken_for_one() {
        for length in 0..=25 {
            for other in 0..=u8::MAX {
                let value = vec![other; length];
                assert_eq!(has_comma(&value), value.contains(&b','), "{value:?}");
                for place in 0..length {
                    let mut value = value.clone();
                    value[place] = b',';
                    assert!(has_comma(&value), "{value:?}");
                }
            }
        }
    }
}
