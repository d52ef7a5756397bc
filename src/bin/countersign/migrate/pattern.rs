//! The path patterns of the output, and what is known about the paths that one matches.
//!
//! A pattern of Countersign matches decoded segments, and one slash at the end does not matter. The old filters compare
//! text. So a pattern stands for a class of paths, such as `/a` and `/a/`, and a question of the old filters can have
//! different answers within it: [`Known::Mixed`].

use std::fmt;

use super::assume::Assumed;
use super::atom::{PathTest, PathText};
use super::formula::Known;

/// A path pattern of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The segments. None is a parameter.
    pub segments: Vec<Option<String>>,
    /// Whether any rest may follow (`/**`).
    pub any_rest: bool,
}

impl Pattern {
    /// The pattern of all paths.
    pub const EVERY: Self = Self {
        segments: Vec::new(),
        any_rest: true,
    };

    fn literal(path: &str, any_rest: bool) -> Option<Self> {
        let segments = segments_of(path)?;
        Some(Self {
            segments: segments.into_iter().map(Some).collect(),
            any_rest,
        })
    }

    /// The patterns that divide the paths about which a test asks from other paths.
    pub fn that_divide(test: &PathTest) -> Vec<Self> {
        let found = match test {
            PathTest::Exact(text) => [Self::literal(&text.text, false), None],
            PathTest::Prefix(text) if text.text == "/" => [None, None],
            PathTest::Prefix(text) if text.text.ends_with('/') => [
                Self::literal(&text.text, false),
                Self::literal(&text.text, true),
            ],
            PathTest::Prefix(PathText { text, .. }) | PathTest::Segments(text) => {
                [Self::literal(text, true), None]
            }
            PathTest::Template(segments) => [Self::of_template(segments), None],
        };
        found.into_iter().flatten().collect()
    }

    fn of_template(segments: &[Option<String>]) -> Option<Self> {
        let are_plain = segments.iter().flatten().all(|text| is_plain(text));
        are_plain.then(|| Self {
            segments: segments.to_vec(),
            any_rest: false,
        })
    }

    /// Whether this pattern matches every path that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        let lengths = match self.any_rest {
            true => other.segments.len() >= self.segments.len(),
            false => !other.any_rest && other.segments.len() == self.segments.len(),
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        lengths && pairs.all(|(own, other)| own.is_none() || own == other)
    }

    /// Whether a path can match both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (own, theirs) = (self.segments.len(), other.segments.len());
        let lengths =
            own == theirs || own < theirs && self.any_rest || theirs < own && other.any_rest;
        let mut pairs = self.segments.iter().zip(&other.segments);
        lengths && pairs.all(|(own, other)| own.is_none() || other.is_none() || own == other)
    }

    /// The order in which patterns are compared with a path: a pattern is before those that cover it.
    pub fn rank(&self) -> impl Ord + use<> {
        let kinds = self.segments.iter().map(Option::is_none);
        (
            std::cmp::Reverse(self.segments.len()),
            self.any_rest,
            kinds.collect::<Vec<_>>(),
        )
    }

    /// The answers of a test for the paths that match this pattern and none of `earlier`.
    pub fn answers(&self, test: &PathTest, earlier: &[Self], assumed: Assumed) -> Known {
        match test {
            PathTest::Exact(text) | PathTest::Prefix(text) if text.ignores_case => {
                let lower = |text: &str| PathText {
                    text: text.to_lowercase(),
                    ignores_case: false,
                };
                let test = match test {
                    PathTest::Exact(_) => PathTest::Exact(lower(&text.text)),
                    _ => PathTest::Prefix(lower(&text.text)),
                };
                let own = Self {
                    segments: self
                        .segments
                        .iter()
                        .map(|text| text.as_ref().map(|text| text.to_lowercase()))
                        .collect(),
                    any_rest: self.any_rest,
                };
                own.answers(&test, &[], assumed)
            }
            PathTest::Exact(text) => match Self::literal(&text.text, false) {
                None => Known::Mixed,
                Some(exact) => self.answers_exact(&exact, earlier, assumed),
            },
            PathTest::Template(segments) => match Self::of_template(segments) {
                None => Known::Mixed,
                Some(template) => self.answers_exact(&template, earlier, assumed),
            },
            PathTest::Segments(path) => match Self::literal(path, true) {
                None => Known::Mixed,
                Some(below) => self.answers_below(&below, earlier),
            },
            PathTest::Prefix(text) => self.answers_prefix(&text.text, earlier, assumed),
        }
    }

    /// Whether the path is one of `exact`, without a slash at its end.
    fn answers_exact(&self, exact: &Self, earlier: &[Self], assumed: Assumed) -> Known {
        if !self.overlaps(exact) || earlier.iter().any(|other| other.covers(exact)) {
            Known::False
        } else if exact.covers(self) && (assumed.trailing_slash || exact.segments.is_empty()) {
            Known::True
        } else {
            Known::Mixed
        }
    }

    /// Whether the path is one of `below`, which ends with any rest.
    fn answers_below(&self, below: &Self, earlier: &[Self]) -> Known {
        if below.covers(self) {
            Known::True
        } else if !self.overlaps(below) || earlier.iter().any(|other| other.covers(below)) {
            Known::False
        } else {
            Known::Mixed
        }
    }

    fn answers_prefix(&self, prefix: &str, earlier: &[Self], assumed: Assumed) -> Known {
        if prefix == "/" || prefix.is_empty() {
            return Known::True;
        }
        let Some(below) = Self::literal(prefix, true) else {
            return Known::Mixed;
        };
        if assumed.segments && !prefix.ends_with('/') {
            return self.answers_below(&below, earlier);
        }
        if prefix.ends_with('/') {
            let exact = Self {
                any_rest: false,
                ..below.clone()
            };
            // `/a` does not begin with `/a/`, and `/a/` does.
            let has_exact =
                self.covers(&exact) && !earlier.iter().any(|other| other.covers(&exact));
            return match self.answers_below(&below, earlier) {
                Known::True if has_exact && !assumed.trailing_slash => Known::Mixed,
                known => known,
            };
        }
        self.answers_text(&below, earlier)
    }

    /// Whether the path begins with the text of `below`, whose last segment may go on.
    fn answers_text(&self, below: &Self, earlier: &[Self]) -> Known {
        let Some((Some(last), before)) = below.segments.split_last() else {
            return Known::Mixed;
        };
        let mut wider = Self {
            segments: before.to_vec(),
            any_rest: true,
        };
        wider.segments.push(None);
        if !self.overlaps(&wider) || earlier.iter().any(|other| other.covers(&wider)) {
            return Known::False;
        }
        let own = self.segments.get(before.len());
        let is_certain = self
            .segments
            .iter()
            .zip(before)
            .all(|(own, other)| own == other);
        match own {
            Some(Some(text)) if !text.starts_with(last.as_str()) => Known::False,
            Some(Some(_)) if is_certain => Known::True,
            _ => Known::Mixed,
        }
    }

    /// The patterns that are written for this one, given the others of the list.
    ///
    /// A router may compare a path as sent. If a letter of a literal is escaped in it, the filter denies the path if the
    /// router would bind the segment to a parameter of another rule. So the patterns have a parameter at each depth at
    /// which another pattern has a literal.
    pub fn with_shadows(&self, others: &[Self]) -> Vec<Self> {
        if !self.any_rest {
            return vec![self.clone()];
        }
        let narrower = others.iter().filter(|other| self.covers(other));
        let deepest = narrower.map(|other| other.segments.len()).max();
        let own = self.segments.len();
        let depths = (own..=deepest.unwrap_or(own)).rev();
        depths
            .map(|depth| {
                let mut segments = self.segments.clone();
                segments.resize(depth, None);
                Self {
                    segments,
                    any_rest: true,
                }
            })
            .collect()
    }

    /// A name for a rule.
    pub fn name(&self) -> String {
        let words = self.segments.iter().flatten();
        let words: Vec<&str> = words.map(String::as_str).collect();
        match (words.is_empty(), self.any_rest) {
            (true, true) => "rest".to_owned(),
            (true, false) => "root".to_owned(),
            (false, _) => words.join("-"),
        }
    }
}

/// As Countersign reads it.
impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, segment) in self.segments.iter().enumerate() {
            match segment {
                Some(text) => write!(formatter, "/{text}")?,
                None => write!(formatter, "/{{s{}}}", number + 1)?,
            }
        }
        match (self.any_rest, self.segments.is_empty()) {
            (true, _) => formatter.write_str("/**"),
            (false, true) => formatter.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

/// The segments of a path that every server reads in the same way: only unreserved characters (RFC 3986 §2.3).
fn segments_of(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments = path
        .split('/')
        .map(|text| is_plain(text).then(|| text.to_owned()));
    segments.collect()
}

fn is_plain(segment: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && !segment.ends_with('.') && segment.bytes().all(is_unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> PathTest {
        PathTest::Prefix(PathText {
            text: text.to_owned(),
            ignores_case: false,
        })
    }

    fn exact(text: &str) -> PathTest {
        PathTest::Exact(PathText {
            text: text.to_owned(),
            ignores_case: false,
        })
    }

    fn pattern(text: &str) -> Pattern {
        match text.strip_suffix("/**") {
            Some(text) => Pattern::literal(&format!("/{}", text.trim_start_matches('/')), true),
            None => Pattern::literal(text, false),
        }
        .unwrap()
    }

    #[test]
    fn a_pattern_is_a_class_of_paths() {
        let none = Assumed::default();
        for (own, test, expected) in [
            ("/api/**", prefix("/api"), Known::True),
            ("/api/**", prefix("/api/"), Known::Mixed),
            ("/api", prefix("/api/"), Known::Mixed),
            ("/api/x", prefix("/api/"), Known::True),
            ("/apix/**", prefix("/api"), Known::True),
            ("/**", prefix("/api"), Known::Mixed),
            ("/**", prefix("/"), Known::True),
            ("/other/**", prefix("/api"), Known::False),
            ("/a", exact("/a"), Known::Mixed),
            ("/", exact("/"), Known::True),
            ("/a/**", exact("/a"), Known::Mixed),
            ("/b", exact("/a"), Known::False),
            ("/a", prefix("/a/b"), Known::False),
            ("/a/**", prefix("/a/b"), Known::Mixed),
        ] {
            let own = pattern(own);
            assert_eq!(own.answers(&test, &[], none), expected, "{own} {test:?}");
        }
        let earlier = [pattern("/api"), pattern("/api/**")];
        assert_eq!(
            Pattern::EVERY.answers(&prefix("/api"), &earlier, none),
            Known::Mixed
        );
        assert_eq!(
            Pattern::EVERY.answers(&prefix("/api/"), &earlier, none),
            Known::False
        );
        assert_eq!(
            pattern("/api/**").answers(&prefix("/api/"), &earlier[..1], none),
            Known::True
        );
    }

    #[test]
    fn assumptions_decide_within_a_class() {
        let all = Assumed {
            trailing_slash: true,
            segments: true,
            hosts: true,
        };
        let earlier = [pattern("/api/**")];
        assert_eq!(pattern("/a").answers(&exact("/a"), &[], all), Known::True);
        assert_eq!(
            Pattern::EVERY.answers(&prefix("/api"), &earlier, all),
            Known::False
        );
    }

    #[test]
    fn shadows_have_a_parameter_for_each_literal() {
        let others = [pattern("/a/b/c"), pattern("/x")];
        let shadows = pattern("/a/**").with_shadows(&others);
        let texts: Vec<String> = shadows.iter().map(Pattern::to_string).collect();
        assert_eq!(texts, ["/a/{s2}/{s3}/**", "/a/{s2}/**", "/a/**"]);
    }
}
