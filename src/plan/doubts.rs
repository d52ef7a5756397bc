//! Header fields whose value some server could take for the one that a rule asks for, although it differs.

use crate::request::list::{elements, has_encoded_word, trimmed};
use crate::request::{Field, RequestView};

/// The header fields at which rules look, and every value that a rule asks for.
#[derive(Debug, Default)]
pub(super) struct AskedValues(Vec<(String, Vec<String>)>);

/// What is in doubt in one request: looked for once, whatever the number of rules and readings.
#[derive(Debug, Default)]
pub(super) struct Doubts<'p>(Vec<Doubt<'p>>);

#[derive(Debug, PartialEq, Eq)]
struct Doubt<'p> {
    name: &'p str,
    /// The value that it could be; none where it could be any.
    value: Option<&'p str>,
}

impl AskedValues {
    /// Adds what a rule asks for.
    pub(super) fn insert(&mut self, name: &str, value: &str) {
        let place = match self.0.iter().position(|(known, _)| known == name) {
            Some(place) => place,
            None => {
                self.0.push((name.to_owned(), Vec::new()));
                self.0.len() - 1
            }
        };
        if let Some((_, values)) = self.0.get_mut(place)
            && let Err(place) = values.binary_search_by(|known| known.as_str().cmp(value))
        {
            values.insert(place, value.to_owned());
        }
    }

    /// What is in doubt in a request.
    ///
    /// A list could be each of its elements (RFC 9110 §5.3), and what is trimmed or decoded (RFC 2047, as CherryPy does)
    /// could be what comes out. A value that a rule asks for as it stands is that value.
    pub(super) fn in_doubt(&self, request: &RequestView<'_>) -> Doubts<'_> {
        let mut doubts = Doubts::default();
        for (name, values) in &self.0 {
            let value_of = |sent: &[u8]| {
                let found = values.binary_search_by(|known| known.as_bytes().cmp(sent));
                found.ok().and_then(|place| values.get(place))
            };
            let sent = match request.field(name.as_bytes()) {
                Field::One(sent) if value_of(sent).is_none() => sent,
                Field::None | Field::One(_) | Field::Many => continue,
            };
            if has_encoded_word(sent) {
                doubts.0.push(Doubt { name, value: None });
            }
            for value in elements(sent).filter_map(|element| value_of(trimmed(element))) {
                let value = Some(value.as_str());
                let doubt = Doubt { name, value };
                if !doubts.0.contains(&doubt) {
                    doubts.0.push(doubt);
                }
            }
        }
        doubts
    }
}

impl Doubts<'_> {
    /// Whether the field of that name could be of that value.
    pub(super) fn have(&self, name: &str, value: &str) -> bool {
        let mut doubts = self.0.iter();
        doubts.any(|doubt| doubt.name == name && doubt.value.is_none_or(|own| own == value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in_doubt(sent: &str) -> bool {
        let mut asked = AskedValues::default();
        asked.insert("x-a", "2");
        asked.insert("x-a", "4, 5");
        let request = RequestView::new(vec![(b"x-a", sent.as_bytes())]);
        asked.in_doubt(&request).have("x-a", "2")
    }

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
            assert!(is_in_doubt(sent), "{sent}");
        }
        for sent in [
            "", "2", "1", "22", "2a", "1, 3", "\"1,2\"", "2;q=1", "/?a=?2", "4, 5", "a=?b=?=",
        ] {
            assert!(!is_in_doubt(sent), "{sent}");
        }
    }
}
