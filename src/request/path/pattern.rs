//! What a rule's `paths` entry fits.

use super::case::Case;
use super::reading::{Reading, forbidden, oddity};
use crate::reject::PathFault;

/// What a rule's `paths` entry fits: literal segments, `{name}` for one segment, `/**` at the end for any rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<PatternSegment>,
    any_rest: bool,
    case: Case,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternSegment {
    /// This text, as [`Case::fold`] makes it.
    Literal(Box<str>),
    /// Any text, under this name.
    Parameter(Box<str>),
}

/// Why a text is no path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// A `*` that is not the final `/**`.
    #[error(
        "`*` has a meaning only as `/**` at the end; write `{{name}}` for one segment of any text"
    )]
    Wildcard,
    /// A brace that does not enclose a whole segment, or encloses no name.
    #[error("`{{name}}` stands for one whole segment, its name made of letters, digits and `_`")]
    Brace,
    /// The same parameter twice.
    #[error("the parameter `{{{0}}}` is bound twice")]
    BoundTwice(String),
    /// A text that is not in every reading of any request's path.
    #[error("no request can have this path: {0}")]
    Unreachable(PathFault),
    /// A query.
    #[error("a path has no `?`; the query is never matched")]
    Query,
    /// A percent-escape.
    #[error("patterns are written decoded, without percent-escapes")]
    Escape,
}

impl Pattern {
    /// Parses a pattern; one trailing slash does not matter.
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

    /// Whether the pattern fits a reading.
    ///
    /// A parameter also fits an empty segment, as it does in some routers (find-my-way, h3, Falcon). It never binds one:
    /// the reading in which empty segments are merged away does not fit, and the two disagree.
    pub fn fits(&self, reading: Reading<'_>) -> bool {
        let mut sent = reading.segments();
        let fits = self.segments.iter().all(|own| {
            sent.next().is_some_and(|segment| match own {
                PatternSegment::Literal(text) => **text == *self.case.fold(segment),
                PatternSegment::Parameter(_) => true,
            })
        });
        fits && reading.is_path() && (self.any_rest || sent.next().is_none())
    }

    /// What the pattern binds in a reading that it fits, in order.
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

    /// Its segments.
    pub fn segments(&self) -> &[PatternSegment] {
        &self.segments
    }

    /// Whether it fits any rest after its segments, also none.
    pub fn fits_any_rest(&self) -> bool {
        self.any_rest
    }

    /// Whether it has parameters.
    pub fn binds(&self) -> bool {
        self.parameters().next().is_some()
    }

    /// The names that the pattern binds, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PatternSegment::Parameter(name) => Some(&**name),
            PatternSegment::Literal(_) => None,
        })
    }

    /// Whether every path that fits `other` fits this.
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
            let named = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if named {
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
