//! Path patterns: the entries of a rule's `paths`.

use std::fmt;

use super::case::Case;
use super::reading::{Reading, forbidden, oddity};
use super::slash::{Segments, segment};
use crate::reject::PathFault;

/// A path pattern: literal segments, `{name}`, which matches one segment, `{name}:verb` as the last segment, and `/**` at the
/// end, which matches any rest.
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
    /// Matches a text that ends with `:` and the verb (Google's AIP-136), and binds the text before, which is not empty.
    Verb {
        /// The name of the parameter.
        name: Box<str>,
        /// The verb, which [`Case::fold`] has folded.
        verb: Box<str>,
    },
}

/// Prints the pattern as the configuration writes it, with folded literals if case is ignored.
impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                PatternSegment::Literal(text) => write!(formatter, "/{text}")?,
                PatternSegment::Parameter(name) => write!(formatter, "/{{{name}}}")?,
                PatternSegment::Verb { name, verb } => write!(formatter, "/{{{name}}}:{verb}")?,
            }
        }
        formatter.write_str(if self.any_rest { "/**" } else { "" })
    }
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
    /// It has a brace that does not enclose a whole segment up to a verb, or encloses no name.
    #[error(
        "`{{name}}` must be a whole segment or be followed by `:verb`, and its name may have only letters, digits and `_`"
    )]
    Brace,
    /// It has a parameter of this name as other routers write it.
    #[error("`:{0}` would be compared as written: a parameter is `{{{0}}}`")]
    Colon(String),
    /// It has a parameter with a verb before other segments.
    #[error("`{{name}}:verb` is only allowed as the last segment")]
    Verb,
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
            if let Some(name) = segment.name()
                && pattern.parameters().any(|bound| bound == name)
            {
                return Err(PatternFault::BoundTwice(name.to_owned()));
            }
            pattern.segments.push(segment);
        }
        let is_verb = |segment: &PatternSegment| matches!(segment, PatternSegment::Verb { .. });
        let last = if any_rest { 0 } else { 1 };
        let before = pattern.segments.iter().rev().skip(last);
        match before.filter(|segment| is_verb(segment)).count() {
            0 => Ok(pattern),
            _ => Err(PatternFault::Verb),
        }
    }

    /// Whether the pattern matches a reading.
    ///
    /// A parameter also matches an empty segment, as in some routers (find-my-way, h3, Falcon). It never binds one: the
    /// pattern does not match the reading without empty segments, so that the readings disagree and the request is
    /// denied.
    pub fn matches(&self, reading: Reading<'_>) -> bool {
        let mut sent = reading.segments();
        let matches = self.segments.iter().all(|own| {
            let segment = sent.next();
            segment.is_some_and(|segment| own.matches(segment, self.case))
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
            PatternSegment::Verb { name, .. } => {
                let (value, _) = without_verb(segment)?;
                Some((&**name, value))
            }
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

    /// The segments that parameters bind, without those that have no bit of their own.
    pub(super) fn bound_segments(&self) -> Segments {
        let own = self.segments.iter().take(Segments::BITS as usize - 1);
        let own = own.enumerate().filter(|(_, own)| own.name().is_some());
        own.fold(0, |all, (number, _)| all | segment(number))
    }

    /// The names of the parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(PatternSegment::name)
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
                .all(|(own, other)| own.covers(other))
    }
}

/// The text before the last `:` of a segment, and the verb after it. None if the text is empty.
///
/// A router that compares the segment as sent finds no verb in it, because the verb or its colon may be escaped.
pub fn without_verb(segment: &str) -> Option<(&str, &str)> {
    let parts = segment.rsplit_once(':')?;
    let has_verb = !parts.0.is_empty() && !Reading::of_router(segment).1;
    has_verb.then_some(parts)
}

impl PatternSegment {
    fn parse(text: &str, case: Case) -> Result<Self, PatternFault> {
        let braced = text.strip_prefix('{');
        let Some((name, after)) = braced.and_then(|rest| rest.split_once('}')) else {
            return literal(text, case).map(Self::Literal);
        };
        if name.is_empty() || !name.bytes().all(is_of_name) {
            return Err(PatternFault::Brace);
        }
        let name = name.into();
        match after.strip_prefix(':') {
            None if after.is_empty() => Ok(Self::Parameter(name)),
            Some(verb) if !verb.is_empty() && !verb.contains(':') => Ok(Self::Verb {
                name,
                verb: literal(verb, case)?,
            }),
            None | Some(_) => Err(PatternFault::Brace),
        }
    }

    /// The name of the parameter.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Parameter(name) | Self::Verb { name, .. } => Some(name),
            Self::Literal(_) => None,
        }
    }

    fn matches(&self, segment: &str, case: Case) -> bool {
        match self {
            Self::Literal(text) => **text == *case.fold(segment),
            Self::Parameter(_) => true,
            Self::Verb { verb, .. } => {
                without_verb(segment).is_some_and(|(_, sent)| **verb == *case.fold(sent))
            }
        }
    }

    /// Whether this matches every segment that `other` matches.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parameter(_), _) => true,
            (Self::Verb { verb, .. }, Self::Verb { verb: other, .. }) => verb == other,
            (own, Self::Literal(text)) => own.matches(text, Case::Sensitive),
            (Self::Literal(_) | Self::Verb { .. }, Self::Parameter(_))
            | (Self::Literal(_), Self::Verb { .. }) => false,
        }
    }
}

/// Whether a byte can be in the name of a parameter.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A text that is compared as it is.
fn literal(text: &str, case: Case) -> Result<Box<str>, PatternFault> {
    if text.contains(['{', '}']) {
        return Err(PatternFault::Brace);
    }
    if text.contains('*') {
        return Err(PatternFault::Wildcard);
    }
    // As in Express, also before a verb, but not `:w:` as in SharePoint.
    let after_colon = text.strip_prefix(':').unwrap_or_default();
    let name = match after_colon.split_once(':') {
        Some((_, "")) => "",
        Some((name, _)) => name,
        None => after_colon,
    };
    if !name.is_empty() && name.bytes().all(is_of_name) {
        return Err(PatternFault::Colon(name.to_owned()));
    }
    if text.contains('?') {
        return Err(PatternFault::Query);
    }
    match text.chars().find_map(forbidden).or_else(|| oddity(text)) {
        Some(PathFault::DoubleEncoded) => Err(PatternFault::Escape),
        Some(fault) => Err(PatternFault::Unreachable(fault)),
        None => Ok(case.fold(text).into()),
    }
}
