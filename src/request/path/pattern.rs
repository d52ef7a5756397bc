//! Path patterns: the entries of a rule's `paths`.

use super::case::Case;
use super::reading::{Reading, forbidden, oddity};
use crate::reject::PathFault;

/// A path pattern: literal segments, `{name}`, which matches one segment, and `/**` at the end, which matches any rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<PatternSegment>,
    any_rest: bool,
    case: Case,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternSegment {
    /// Matches this text, which [`Case::fold`] has folded.
    Literal(Box<str>),
    /// Matches any text, and binds it to this name.
    Parameter(Box<str>),
}

/// Why a text is not a valid path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not begin with `/`.
    #[error("expected a path that begins with `/`")]
    NotAbsolute,
    /// It has a `*` elsewhere than in `/**` at the end.
    #[error("`*` is only allowed as `/**` at the end: use `{{name}}` for one segment of any text")]
    Wildcard,
    /// It has a brace that does not enclose a whole segment, or encloses no name.
    #[error(
        "`{{name}}` must be a whole segment, and its name may have only letters, digits and `_`"
    )]
    Brace,
    /// It has a parameter of this name as other routers write it.
    #[error("`:{0}` would be compared as written: a parameter is `{{{0}}}`")]
    Colon(String),
    /// It has two parameters of this name.
    #[error("duplicate path parameter `{{{0}}}`")]
    BoundTwice(String),
    /// It has a literal that no request's path has in every reading.
    #[error("this path never matches: {0}")]
    Unreachable(PathFault),
    /// It has a query.
    #[error("expected a path without `?`: the query is not matched")]
    Query,
    /// It has a percent-escape.
    #[error("expected a decoded path, found a percent-escape")]
    Escape,
}

impl Pattern {
    /// Parses a pattern. One slash at the end is ignored.
    ///
    /// # Errors
    /// [`PatternFault`].
    pub fn parse(text: &str, case: Case) -> Result<Self, PatternFault> {
        let path = text.strip_prefix('/').ok_or(PatternFault::NotAbsolute)?;
        let (path, any_rest) = match path.strip_suffix("**") {
            Some("") => ("", true),
            Some(before) => (
                before.strip_suffix('/').ok_or(PatternFault::Wildcard)?,
                true,
            ),
            None => (path.strip_suffix('/').unwrap_or(path), false),
        };
        let mut pattern = Self {
            segments: Vec::new(),
            any_rest,
            case,
        };
        if path.is_empty() && !text.starts_with("//") {
            return Ok(pattern);
        }
        for segment in path.split('/') {
            let segment = PatternSegment::parse(segment, case)?;
            if let PatternSegment::Parameter(name) = &segment
                && pattern.parameters().any(|bound| bound == &**name)
            {
                return Err(PatternFault::BoundTwice(name.to_string()));
            }
            pattern.segments.push(segment);
        }
        Ok(pattern)
    }

    /// Whether the pattern matches a reading.
    ///
    /// A parameter also matches an empty segment, as in some routers (find-my-way, h3, Falcon). It never binds one: the
    /// pattern does not match the reading without empty segments, so that the readings disagree and the request is
    /// denied.
    pub fn matches(&self, reading: Reading<'_>) -> bool {
        let mut sent = reading.segments();
        let matches = self.segments.iter().all(|own| {
            sent.next().is_some_and(|segment| match own {
                PatternSegment::Literal(text) => **text == *self.case.fold(segment),
                PatternSegment::Parameter(_) => true,
            })
        });
        matches && reading.is_path() && (self.any_rest || sent.next().is_none())
    }

    /// The parameters and the values that the pattern binds in a reading that it matches, in order.
    pub fn bind<'p, 'r>(
        &'p self,
        reading: Reading<'r>,
    ) -> impl Iterator<Item = (&'p str, &'r str)> {
        let pairs = self.segments.iter().zip(reading.segments());
        pairs.filter_map(|(own, segment)| match own {
            PatternSegment::Parameter(name) => Some((&**name, segment)),
            PatternSegment::Literal(_) => None,
        })
    }

    /// The segments.
    pub fn segments(&self) -> &[PatternSegment] {
        &self.segments
    }

    /// Whether the pattern ends with `/**`: it matches any rest after its segments, also none.
    pub fn matches_any_rest(&self) -> bool {
        self.any_rest
    }

    /// Whether the pattern has parameters.
    pub fn binds(&self) -> bool {
        self.parameters().next().is_some()
    }

    /// The names of the parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PatternSegment::Parameter(name) => Some(&**name),
            PatternSegment::Literal(_) => None,
        })
    }

    /// Whether this pattern matches every path that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        let lengths = if self.any_rest {
            other.segments.len() >= self.segments.len()
        } else {
            !other.any_rest && other.segments.len() == self.segments.len()
        };
        lengths
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|pair| match pair {
                    (PatternSegment::Parameter(_), _) => true,
                    (PatternSegment::Literal(own), PatternSegment::Literal(text)) => own == text,
                    (PatternSegment::Literal(_), PatternSegment::Parameter(_)) => false,
                })
    }
}

impl PatternSegment {
    fn parse(text: &str, case: Case) -> Result<Self, PatternFault> {
        if let Some(name) = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            return if is_name(name) {
                Ok(Self::Parameter(name.into()))
            } else {
                Err(PatternFault::Brace)
            };
        }
        if text.contains(['{', '}']) {
            return Err(PatternFault::Brace);
        }
        if text.contains('*') {
            return Err(PatternFault::Wildcard);
        }
        let after_colon = text.strip_prefix(':');
        if let Some(name) = after_colon.filter(|name| is_name(name)) {
            return Err(PatternFault::Colon(name.to_owned()));
        }
        if text.contains('?') {
            return Err(PatternFault::Query);
        }
        match text.chars().find_map(forbidden).or_else(|| oddity(text)) {
            Some(PathFault::DoubleEncoded) => Err(PatternFault::Escape),
            Some(fault) => Err(PatternFault::Unreachable(fault)),
            None => Ok(Self::Literal(case.fold(text).into())),
        }
    }
}

/// Whether a text can be the name of a parameter.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(is_allowed)
}
