//! The names and values of a request's headers. Few need no allocation.

/// How many headers need no allocation. Clients and proxies send about fifteen.
const FEW: usize = 24;

/// The names and values of headers, in order.
///
/// `SmallVec` is not used: it is invariant in its items, so that a request could not be lent for less time than the host's
/// header map is.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    few: [(&'a [u8], &'a [u8]); FEW],
    /// How many of `few` are used.
    count: usize,
    /// All headers, if there are more.
    many: Vec<(&'a [u8], &'a [u8])>,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self {
            few: [(b"", b""); FEW],
            count: 0,
            many: Vec::new(),
        }
    }
}

impl<'a> Fields<'a> {
    pub fn push(&mut self, name: &'a [u8], value: &'a [u8]) {
        match self.few.get_mut(self.count) {
            Some(free) => {
                *free = (name, value);
                self.count += 1;
            }
            None => self.push_to_many(name, value),
        }
    }

    #[cold]
    fn push_to_many(&mut self, name: &'a [u8], value: &'a [u8]) {
        if self.many.is_empty() {
            self.many.extend(self.few);
        }
        self.many.push((name, value));
    }

    pub fn as_slice(&self) -> &[(&'a [u8], &'a [u8])] {
        match self.many.is_empty() {
            true => self.few.get(..self.count).unwrap_or_default(),
            false => &self.many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stay_in_order_however_many_there_are() {
        let names: Vec<String> = (0..3 * FEW).map(|number| number.to_string()).collect();
        let mut fields = Fields::default();
        for (count, name) in names.iter().enumerate() {
            assert_eq!(fields.as_slice().len(), count);
            fields.push(name.as_bytes(), b"x");
        }
        let own = fields.as_slice().iter().map(|(name, _)| *name);
        assert!(own.eq(names.iter().map(String::as_bytes)));
    }
}
