//! Headers that are ambiguous: a server could read the value as one that a rule matches, although it differs.

use crate::request::list::{elements, has_encoded_word, trimmed};
use crate::request::{Field, RequestView};

/// The headers that rules match, and all values that rules require of each.
#[derive(Debug, Default)]
pub(super) struct RequiredValues(Vec<(String, Vec<String>)>);

/// The ambiguous headers of one request. They are searched for once, for all rules and readings.
#[derive(Debug, Default)]
pub(super) struct Doubts<'p>(Vec<Doubt<'p>>);

#[derive(Debug, PartialEq, Eq)]
struct Doubt<'p> {
    name: &'p str,
    /// The value that a server could read. None if it could be any.
    value: Option<&'p str>,
}

impl RequiredValues {
    /// Adds the value that a rule requires of a header.
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

    /// The ambiguous headers of a request.
    ///
    /// A server could read a list as one of its elements (RFC 9110 §5.3). It could trim a value, or decode it (RFC
    /// 2047, as CherryPy does). Cookies are a list too: hosts join the lines of HTTP/2 (RFC 9113 §8.2.3).
    pub(super) fn in_doubt(&self, request: &RequestView<'_>) -> Doubts<'_> {
        let mut doubts = Doubts::default();
        for (name, values) in &self.0 {
            let value_of = |sent: &[u8]| {
                let found = values.binary_search_by(|known| known.as_bytes().cmp(sent));
                found.ok().and_then(|place| values.get(place))
            };
            let sent = match request.field(name.as_bytes()) {
                Field::One(sent) => sent,
                Field::None | Field::Many => continue,
            };
            if has_encoded_word(sent) {
                doubts.0.push(Doubt { name, value: None });
            }
            let is_cookie = name == "cookie";
            let others = elements(sent)
                .flat_map(|element| element.split(move |byte| is_cookie && *byte == b';'))
                .map(trimmed)
                .filter(|element| *element != sent);
            for value in others.filter_map(value_of) {
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
    /// Whether a server could read the header `name` as having this value.
    pub(super) fn have(&self, name: &str, value: &str) -> bool {
        let mut doubts = self.0.iter();
        doubts.any(|doubt| doubt.name == name && doubt.value.is_none_or(|own| own == value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in_doubt(sent: &str) -> bool {
        let mut required = RequiredValues::default();
        required.insert("x-a", "2");
        required.insert("x-a", "4, 5");
        let request = RequestView::new(vec![(b"x-a", sent.as_bytes())]);
        required.in_doubt(&request).have("x-a", "2")
    }

    #[test]
    fn values_that_a_server_could_read_differently_are_ambiguous() {
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
