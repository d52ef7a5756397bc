//! Sets of header names, which contain every spelling that an upstream could read as one of them.

use crate::grammar::{folded, folds_to};

/// A set of header names, prefixes and suffixes. It contains every name that folds to one of them ([`folds_to`]).
///
/// Most lookups find nothing. To make those fast, a name is compared only if its length and its last bytes, its last bytes
/// alone, or its first bytes are those of a member: one bit says so.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FieldNames {
    /// The names by their length. The last bucket holds all longer names.
    names: Vec<Vec<String>>,
    beginnings: Vec<String>,
    endings: Vec<String>,
    /// The lengths and the last bytes of the names.
    with_length: Bits,
    /// The last bytes of the suffixes.
    of_endings: Bits,
    /// The first bytes of the prefixes.
    of_beginnings: Bits,
    /// Whether the set contains every name with a character other than letters, digits and `-`.
    unusual: bool,
    /// Names that the set does not contain in exactly this spelling.
    except: Vec<String>,
}

/// How a set can contain a name.
#[derive(Clone, Copy)]
struct Likely {
    as_name: bool,
    by_ending: bool,
    by_beginning: bool,
    as_unusual: bool,
}

impl Likely {
    fn is_any(self) -> bool {
        self.as_name || self.by_ending || self.by_beginning || self.as_unusual
    }
}

/// The bucket for names of this length and longer.
const LONGEST: usize = 63;

/// A set of numbers that may contain more than was added to it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Bits([u64; 16]);

impl Bits {
    fn add(&mut self, number: u32) {
        let (word, bit) = Self::place(number);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn add_all(&mut self) {
        self.0 = [u64::MAX; 16];
    }

    fn may_have(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Fibonacci hashing: the highest bits of the product depend on all of the number.
    fn place(number: u32) -> (usize, u64) {
        let hash = number.wrapping_mul(0x9e37_79b9) >> 22;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

/// How many bytes at the end of a name select it.
const TAIL: usize = 3;

/// The last bytes of a name, folded. A shorter name has zeros in their place.
fn tail(name: &[u8]) -> u32 {
    let Some([a, b, c]) = name.last_chunk::<TAIL>() else {
        let last = name.iter().rev();
        return last.fold(0, |tail, byte| tail << 8 | u32::from(folded(*byte)));
    };
    u32::from(folded(*a)) | u32::from(folded(*b)) << 8 | u32::from(folded(*c)) << 16
}

/// The length of a name in the bits above those of its tail.
fn length_above_tail(name: &[u8]) -> u32 {
    u32::try_from(name.len().min(LONGEST)).unwrap_or_default() << 24
}

/// The first bytes of a name, folded. None if there are fewer.
fn head(name: &[u8]) -> Option<u32> {
    let first = name.first_chunk::<4>()?;
    Some(u32::from_le_bytes(first.map(folded)))
}

impl FieldNames {
    /// The set of these names.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.insert(name));
        all
    }

    /// Adds a name.
    // Like all that changes a set, not inlined: it has many calls, none of them for a request.
    #[inline(never)]
    pub fn insert(&mut self, name: &str) {
        let bucket = name.len().min(LONGEST);
        if self.names.len() <= bucket {
            self.names.resize_with(bucket + 1, Vec::new);
        }
        if let Some(names) = self.names.get_mut(bucket) {
            add(names, name);
        }
        let name = name.as_bytes();
        self.with_length.add(tail(name) | length_above_tail(name));
    }

    /// Adds every name that begins with this.
    pub fn insert_beginning(&mut self, beginning: &str) {
        match head(beginning.as_bytes()) {
            Some(head) => self.of_beginnings.add(head),
            None => self.of_beginnings.add_all(),
        }
        add(&mut self.beginnings, beginning);
    }

    /// Adds this name, and every name that ends with it after a punctuation character.
    #[inline(never)]
    pub fn insert_ending(&mut self, ending: &str) {
        match ending.len() < TAIL {
            true => self.of_endings.add_all(),
            false => self.of_endings.add(tail(ending.as_bytes())),
        }
        add(&mut self.endings, ending);
    }

    /// Adds every name with a character other than letters, digits and `-`.
    pub fn insert_unusual(&mut self) {
        self.unusual = true;
    }

    /// Adds every spelling of a name, except this one.
    pub fn insert_other_spellings(&mut self, name: &str) {
        self.insert(name);
        self.except(name);
    }

    /// Excludes a name in exactly this spelling.
    #[inline(never)]
    pub fn except(&mut self, name: &str) {
        add(&mut self.except, name);
    }

    /// Adds another set. A name stays excluded only if neither set contains it.
    #[inline(never)]
    pub fn extend(&mut self, other: &Self) {
        let (own, others) = (self.except.iter(), other.except.iter());
        let except = own
            .filter(|name| !other.have(name.as_bytes()))
            .chain(others.filter(|name| !self.have(name.as_bytes())));
        let except: Vec<String> = except.cloned().collect();
        other
            .names
            .iter()
            .flatten()
            .for_each(|name| self.insert(name));
        let beginnings = other.beginnings.iter();
        beginnings.for_each(|beginning| self.insert_beginning(beginning));
        let endings = other.endings.iter();
        endings.for_each(|ending| self.insert_ending(ending));
        self.unusual |= other.unusual;
        self.except.clear();
        except.iter().for_each(|name| self.except(name));
    }

    /// Whether an upstream could read a header of that name as one of these. Excluded spellings are not contained.
    pub fn have(&self, name: &[u8]) -> bool {
        self.have_a_spelling_of(name) && !self.except.iter().any(|own| own.as_bytes() == name)
    }

    /// Whether an upstream could read a header of that name as one of these or as an excluded one.
    pub fn have_a_spelling_of(&self, name: &[u8]) -> bool {
        let likely = self.likely(name);
        likely.is_any() && self.do_have_a_spelling_of(name, likely)
    }

    /// Whether the set can contain the name. Most names need no other question.
    pub fn may_have(&self, name: &[u8]) -> bool {
        self.likely(name).is_any()
    }

    /// How the set can contain the name.
    // Not inlined: the code would be there for each of several sets, and every request would fetch all of it.
    #[inline(never)]
    fn likely(&self, name: &[u8]) -> Likely {
        let (tail, length) = (tail(name), length_above_tail(name));
        Likely {
            as_name: self.with_length.may_have(tail | length),
            by_ending: self.of_endings.may_have(tail),
            by_beginning: head(name).is_none_or(|head| self.of_beginnings.may_have(head)),
            as_unusual: self.unusual,
        }
    }

    #[inline(never)]
    fn do_have_a_spelling_of(&self, name: &[u8], likely: Likely) -> bool {
        likely.as_name && self.have_alike(name)
            || likely.by_ending && self.endings.iter().any(|own| ends_with(name, own))
            || likely.by_beginning
                && self.beginnings.iter().any(|own| {
                    let beginning = name.get(..own.len());
                    beginning.is_some_and(|beginning| folds_to(own.as_bytes(), beginning))
                })
            || likely.as_unusual && name.iter().any(is_unusual)
    }

    fn have_alike(&self, name: &[u8]) -> bool {
        let alike = self.names.get(name.len().min(LONGEST));
        alike.is_some_and(|names| names.iter().any(|own| folds_to(own.as_bytes(), name)))
    }
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn ends_with(name: &[u8], ending: &str) -> bool {
    let Some((before, end)) = name
        .len()
        .checked_sub(ending.len())
        .and_then(|start| name.split_at_checked(start))
    else {
        return false;
    };
    folds_to(ending.as_bytes(), end)
        && before
            .last()
            .is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

fn is_unusual(byte: &u8) -> bool {
    !byte.is_ascii_alphanumeric() && *byte != b'-'
}

#[cfg(test)]
mod tests {
    use super::FieldNames;

    #[test]
    fn every_spelling_of_a_name_is_found() {
        let mut names = FieldNames::default();
        let long = format!("x-{}", "long-".repeat(20));
        names.insert("x-auth-subject");
        names.insert(&long);
        names.insert_beginning("cf-access-");
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
    fn a_suffix_is_found_after_punctuation() {
        let mut names = FieldNames::default();
        names.insert_ending("script-name");
        for name in [
            "script-name",
            "SCRIPT_NAME",
            "x-script-name",
            "X_Forwarded.Script_Name",
        ] {
            assert!(names.have(name.as_bytes()), "{name}");
        }
        for name in ["transcript-name", "script-names", "cript-name", "name", ""] {
            assert!(!names.have(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_name_can_be_excluded_in_one_spelling() {
        let mut names = FieldNames::default();
        names.insert_other_spellings("x-tenant");
        names.insert_other_spellings("x_key");
        names.insert_other_spellings("accept");
        for name in ["X-tenant", "x_tenant", "x.tenant", "x-key"] {
            assert!(names.have(name.as_bytes()), "{name}");
        }
        for name in ["x-tenant", "x_key", "accept", "x-tenants"] {
            assert!(!names.have(name.as_bytes()), "{name}");
        }
        assert!(names.have_a_spelling_of(b"x-tenant"));
    }

    #[test]
    fn an_unusual_name_has_more_than_letters_digits_and_hyphens() {
        let mut names = FieldNames::default();
        names.insert_unusual();
        names.except("x_own");
        assert!(names.have(b"x_a") && names.have(b"x.a") && names.have(b"a\xff"));
        assert!(!names.have(b"x-a-1") && !names.have(b"x_own") && !names.have(b""));
    }

    #[test]
    fn the_names_of_another_set_are_added() {
        let mut other = FieldNames::of(["x-a"]);
        other.insert_beginning("x-b-");
        other.insert_ending("-c");
        other.insert_other_spellings("x-d");
        other.insert_unusual();
        let mut names = FieldNames::default();
        names.extend(&other);
        assert_eq!(names, other);
        assert!(names.have(b"x_a") && names.have(b"x_b_c") && !names.have(b"x-d"));
        names.extend(&FieldNames::of(["x-d"]));
        assert!(names.have(b"x-d"));
    }
}
