//! Names of header fields, found in every spelling that an upstream could take for them.

use super::folds_to;

/// Names of header fields, and what names begin with; found in every spelling that folds to them.
///
/// What is asked for is nearly always not there, so its length is asked for first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FieldNames {
    names: Vec<String>,
    beginnings: Vec<String>,
    /// A bit for the length of each name; the last one is for all that are longer.
    lengths: u64,
}

impl FieldNames {
    /// Adds a name.
    pub fn insert(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.lengths |= bit_of(name.len());
            self.names.push(name.to_owned());
        }
    }

    /// Adds every name that begins so.
    pub fn insert_beginning(&mut self, beginning: &str) {
        if !self.beginnings.iter().any(|known| known == beginning) {
            self.beginnings.push(beginning.to_owned());
        }
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: &Self) {
        other.names.iter().for_each(|name| self.insert(name));
        let beginnings = other.beginnings.iter();
        beginnings.for_each(|beginning| self.insert_beginning(beginning));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.beginnings.is_empty()
    }

    /// Whether an upstream could take a field of that name for one of these.
    pub fn have(&self, name: &[u8]) -> bool {
        self.lengths & bit_of(name.len()) != 0
            && self.names.iter().any(|own| folds_to(own.as_bytes(), name))
            || self.beginnings.iter().any(|own| {
                let beginning = name.get(..own.len());
                beginning.is_some_and(|beginning| folds_to(own.as_bytes(), beginning))
            })
    }
}

fn bit_of(length: usize) -> u64 {
    1 << length.min(63)
}

#[cfg(test)]
mod tests {
    use super::FieldNames;

    #[test]
    fn every_spelling_that_folds_is_found() {
        let mut names = FieldNames::default();
        assert!(names.is_empty());
        let long = format!("x-{}", "long-".repeat(20));
        names.insert("x-auth-subject");
        names.insert(&long);
        names.insert_beginning("cf-access-");
        assert!(!names.is_empty());
        for name in [
            "x-auth-subject",
            "X_Auth_Subject",
            "x.auth-subject",
            "cf-access-",
            "CF_Access_Jwt-Assertion",
            &long.replace('-', "_"),
        ] {
            assert!(names.have(name.as_bytes()), "{name}");
        }
        for name in [
            "x-auth-subjec",
            "x-auth-subjects",
            "xx-auth-subject",
            "",
            "cf-access",
            "x-cf-access-x",
            &long.replace("long", "lung"),
        ] {
            assert!(!names.have(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn those_of_another_are_added() {
        let mut other = FieldNames::default();
        other.insert("x-a");
        other.insert_beginning("x-b-");
        let mut names = FieldNames::default();
        names.extend(&other);
        assert_eq!(names, other);
        assert!(names.have(b"x_a") && names.have(b"x_b_c"));
    }
}
