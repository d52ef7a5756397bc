//! The scopes, roles or groups of a caller.

/// The scopes, roles or groups of a caller, in order.
///
/// All names share one allocation, because an allocation per name would be most of the cost of a token that is used once.
/// It takes at most 1/64 more memory than the names in the token: each name is preceded by its length, in one or two
/// characters for most names, where the token has a space, or quotes and a comma.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Each name, preceded by its length. The length is written in digits of base [`DIGIT`], the lowest digit first, with
    /// [`MORE`] added to each digit that another digit follows.
    text: String,
}

/// The base of the digits of a length.
const DIGIT: usize = 64;

/// Added to a digit that another digit follows. The sum is still ASCII.
const MORE: u8 = 64;

impl Granted {
    /// Reserves memory for the names in a text that separates them by at least one character.
    pub fn reserve_for(&mut self, text: &str) {
        self.text.reserve_exact(room(text.len()));
    }

    /// Reserves memory for exactly these names.
    pub fn reserve<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.text
            .reserve_exact(names.map(|name| room(name.len())).sum());
    }

    /// Adds a name.
    pub fn push(&mut self, name: &str) {
        let mut rest = name.len();
        while rest >= DIGIT {
            self.text.push(char::from(digit(rest) + MORE));
            rest /= DIGIT;
        }
        self.text.push(char::from(digit(rest)));
        self.text.push_str(name);
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut place = 0;
        std::iter::from_fn(move || {
            let length = self.length_at(&mut place)?;
            let name = self.text.get(place..place + length)?;
            place += length;
            Some(name)
        })
    }

    /// Reads the length at `place`, and moves `place` after it.
    fn length_at(&self, place: &mut usize) -> Option<usize> {
        let mut length = 0;
        let mut value = 1;
        loop {
            let digit = *self.text.as_bytes().get(*place)?;
            *place += 1;
            length += usize::from(digit % MORE) * value;
            if digit < MORE {
                return Some(length);
            }
            value *= DIGIT;
        }
    }

    /// The allocated memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.capacity()
    }
}

/// The lowest digit of a length.
#[allow(clippy::cast_possible_truncation)]
fn digit(length: usize) -> u8 {
    (length % DIGIT) as u8
}

/// An upper bound of the memory for a name of this length, or for the names in a text of this length.
fn room(length: usize) -> usize {
    length + length / DIGIT + 1
}

impl<'n> Extend<&'n str> for Granted {
    fn extend<I: IntoIterator<Item = &'n str>>(&mut self, names: I) {
        names.into_iter().for_each(|name| self.push(name));
    }
}

#[cfg(test)]
mod tests {
    use super::Granted;

    #[test]
    fn names_of_every_length_are_kept_and_take_no_more_than_in_a_token() {
        let mut names: Vec<String> = (0..300).map(|length| "ä".repeat(length / 2)).collect();
        names.extend([63, 64, 4095, 4096, 300_000].map(|length| "x".repeat(length)));
        names.push(String::new());
        let mut granted = Granted::default();
        assert!(granted.is_empty());
        granted.reserve(names.iter().map(String::as_str));
        granted.extend(names.iter().map(String::as_str));
        assert!(granted.iter().eq(names.iter().map(String::as_str)));
        let in_a_token = serde_json::to_string(&names).unwrap().len();
        let most = in_a_token + in_a_token / 64;
        assert!(granted.bytes() <= most, "{}", granted.bytes());
    }
}
