//! The names that a caller was granted.

use smallvec::SmallVec;

/// As many ends of names as most callers have names of a kind, so that they take no memory of their own.
const USUAL_NAMES: usize = 6;

/// The scopes, the roles or the groups of a caller, in order.
///
/// In one piece of memory, since a piece for each name is what tokens that come once would mostly be paid for.
#[derive(Default)]
pub struct Granted {
    /// The names, one after the other.
    text: String,
    /// Where each ends.
    ends: SmallVec<[usize; USUAL_NAMES]>,
}

impl Granted {
    /// Makes room for names of so many bytes in all.
    pub fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Adds a name.
    pub fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let name = self.text.get(start..*end);
            start = *end;
            name.unwrap_or_default()
        })
    }
}

impl<'n> Extend<&'n str> for Granted {
    fn extend<I: IntoIterator<Item = &'n str>>(&mut self, names: I) {
        names.into_iter().for_each(|name| self.push(name));
    }
}
