//! Whether the case of letters tells one path from another.

use std::borrow::Cow;

/// Whether the case of letters tells one path from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// It does (RFC 9110 §4.2.3).
    #[default]
    Sensitive,
    /// Not to the upstream.
    Insensitive,
}

impl Case {
    /// The text as it is compared: two texts of one case fold are the same to the upstream.
    pub fn fold(self, text: &str) -> Cow<'_, str> {
        let folds = self == Self::Insensitive
            && text
                .bytes()
                .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
        if folds {
            Cow::Owned(text.chars().map(fold).collect())
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Upper case first: `ſ` is `S`, and the Kelvin sign is `K`, to an upstream that compares in upper case.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // Its lower case is two characters, of which Go, Java and C take the first (Unicode's simple case mapping).
    if character == 'İ' {
        return 'i';
    }
    let upper = only(character.to_uppercase()).unwrap_or(character);
    only(upper.to_lowercase()).unwrap_or(upper)
}

/// One character for one: where a mapping makes several of it (`ß`, `SS`), upstreams compare the character itself.
fn only(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    first.filter(|_| mapped.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fold_for_upper_and_lower_case() {
        let fold = |text| Case::Insensitive.fold(text).into_owned();
        for (one, two) in [
            ("ADMIN", "admin"),
            ("CAFÉ", "café"),
            ("ſecret", "SECRET"),
            ("adm\u{130}n", "ADMIN"),
            ("adm\u{131}n", "ADMIN"),
            ("\u{212a}", "k"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(fold(one), fold(two), "{one} {two}");
        }
        for (one, two) in [("straße", "strasse"), ("a", "á"), ("ﬁ", "fi")] {
            assert_ne!(fold(one), fold(two), "{one} {two}");
        }
        assert_eq!(Case::Sensitive.fold("Admin"), "Admin");
        assert!(matches!(Case::Insensitive.fold("admin"), Cow::Borrowed(_)));
    }
}
