//! The names that a caller was granted.

/// The scopes, the roles or the groups of a caller, in order.
///
/// In one piece of memory, since a piece for each name is what tokens that come once would mostly be paid for. It takes
/// no more than the names took in the token, however many and short they are: each has its length before it, in a
/// character or two, where the token has a space or quotes and a comma.
#[derive(Clone, Default)]
pub struct Granted {
    /// Each name after its length: digits to the base of [`DIGIT`], the last one first, [`MORE`] added to all but the
    /// last in order.
    text: String,
}

/// The base of the digits.
const DIGIT: usize = 64;

/// What marks a digit after which another follows; such a character is ASCII still.
const MORE: u8 = 64;

impl Granted {
    /// Makes room for the names in a text, of which each but the first has something before it.
    pub fn reserve_for(&mut self, text: &str) {
        self.text.reserve_exact(room(text.len()));
    }

    /// Makes room for these names, and not for more.
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

    /// Whether there are none.
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

    /// The length that begins there; goes on to what follows it.
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

    /// How many bytes of memory they take, beside what this itself takes.
    pub fn bytes(&self) -> usize {
        self.text.capacity()
    }
}

/// The last digit of a length.
#[allow(clippy::cast_possible_truncation)]
fn digit(length: usize) -> u8 {
    (length % DIGIT) as u8
}

/// The most that a name of that length takes, or several that have something between them.
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
