//! Lists in field values (RFC 9110 §5.6.1).

/// The elements of a comma-separated field value, commas within quoted strings left alone (RFC 9110 §5.6.1).
///
/// A quote that is never closed encloses nothing: a server could split there, so it is split here.
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

/// Where a value's quoted strings begin and end (RFC 9110 §5.6.4): a quote that is escaped ends none.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    /// Goes on by one byte; whether it stands within quotes.
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

/// Whether a server could take a field's value for another one, although it differs: it is a list in which that stands, or
/// it becomes that where what is not visible is trimmed, or where encoded words are decoded (RFC 2047, as CherryPy does).
#[inline(never)]
pub fn could_be(sent: &[u8], own: &[u8]) -> bool {
    elements(sent).any(|element| trimmed(element) == own) || sent.windows(2).any(|two| two == b"=?")
}

/// Python's `str.strip` trims spaces that are not ASCII, and control characters.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_visible = |byte: &u8| byte.is_ascii_graphic();
    let begin = value.iter().position(is_visible);
    let end = value.iter().rposition(is_visible);
    let range = begin.zip(end).map(|(begin, end)| begin..=end);
    range.and_then(|range| value.get(range)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::could_be;

    #[test]
    fn what_some_server_takes_for_the_value() {
        for sent in [
            "2, 2",
            "2,",
            ",2",
            "1,2",
            "\u{a0}2",
            "2\u{85}",
            "=?utf-8?q?2?=",
            "\"a,b\", 2",
        ] {
            assert!(could_be(sent.as_bytes(), b"2"), "{sent}");
        }
        for sent in [
            "",
            "1",
            "22",
            "2a",
            "1, 3",
            "\"1,2\"",
            "2;q=1",
            "2=?".trim_end_matches('?'),
        ] {
            assert!(!could_be(sent.as_bytes(), b"2"), "{sent}");
        }
    }
}
