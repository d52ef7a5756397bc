//! Whether an upstream distinguishes paths by the case of their letters.

use std::borrow::Cow;

/// Whether an upstream distinguishes paths by the case of their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// It does, as RFC 9110 §4.2.3 says.
    #[default]
    Sensitive,
    /// It does not.
    Insensitive,
}

impl Case {
    /// The text as it is compared. The upstream treats two texts as equal if this function returns the same for both.
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

/// Folds to upper case, then to lower case. To an upstream that compares in upper case, `ſ` is `S`, and the Kelvin sign
/// is `K`.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // The lower case of `İ` is two characters. Go, Java and C take the first (Unicode's simple case mapping).
    if character == 'İ' {
        return 'i';
    }
    let upper = only(character.to_uppercase()).unwrap_or(character);
    only(upper.to_lowercase()).unwrap_or(upper)
}

/// The result of a mapping to one character. Where a mapping has several (`ß`, `SS`), upstreams compare the original.
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
