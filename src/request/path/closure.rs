//! The closure of a path: every text that some upstream could make of it.
//!
//! The model of an upstream is a sequence of these steps, each over the whole path:
//!
//! 1. decode percent-escapes, once or again: all of them, those of unreserved characters (RFC 3986 §6.2.2.2), or those
//!    of slashes and backslashes;
//! 2. treat a decoded slash as a separator;
//! 3. treat a backslash as a separator, also one that was decoded;
//! 4. remove empty segments;
//! 5. resolve dot segments (RFC 3986 §5.2.4), or remove the last one;
//! 6. remove path parameters: the part of a segment from `;` on;
//! 7. begin the query at the first `;`, which then includes later slashes (Fastify 4, restify);
//! 8. begin the query at a decoded `?` (h3, and servers that decode before they split);
//! 9. read the path as a URL reference (RFC 3986 §4.2): the text after `//` is an authority, up to the next slash
//!    (CherryPy, PHP's `parse_url`, the WHATWG URL of Node.js).
//!
//! The closure contains the result of every sequence: in any order, with each step taken any number of times, also
//! before the first decoding. So it covers, for example, an upstream that removes `;x` but keeps `%3Bx`. A text that
//! still holds an escape of the path as sent is not a reading. Further steps lead from it to readings.
//!
//! Each step is charged to a budget that grows with the length of the path. So a path that needs many steps costs a
//! small multiple of an ordinary one, whatever the client combines.

mod steps;
mod symbols;

use std::ops::Range;

use self::steps::{STEPS, before, decode, segments};
use self::symbols::{
    ESCAPED_SLASH, KEPT_SLASH, Marks, Runs, SEPARATOR, Symbol, ends_in_escaped_colon,
};
use super::reading::{AS_SENT, COLON_AS_SENT, Reading, forbidden};
use super::slash::{Segments, segment};
use crate::reject::PathFault;

/// The limit of texts in a closure. One unusual feature makes a few texts; three or four make ten to forty.
const MAX_TEXTS: usize = 64;
/// How many symbols the steps may write for a path of any length. It lets a short path have many unusual features.
const SYMBOLS_FOR_ANY_PATH: usize = 3 * 1024;
/// How many more symbols the steps may write for each byte of the path.
const SYMBOLS_FOR_EACH_BYTE: usize = 5;
/// How many bytes of a reading cost as much as one symbol. Each byte is copied and checked once.
const BYTES_PER_SYMBOL: usize = 4;

/// Everything that some upstream could make of a path.
#[derive(Debug)]
pub(super) struct Closure<'p> {
    /// The readings, which include the first one, with a separator before each segment.
    pub(super) readings: Vec<String>,
    /// The texts of the closure, one after the other. The first is the path as sent.
    symbols: Vec<Symbol>,
    /// The length of the first text.
    length: usize,
    /// The ranges of `symbols` that some upstream reads as the query or a part of it.
    queries: Vec<Range<usize>>,
    runs: Runs<'p>,
    /// As [`Read::as_sent`].
    as_sent: Vec<String>,
    /// Whether some upstream reads a part of the path as a host.
    pub(super) names_host: bool,
}

impl Closure<'_> {
    /// The texts that some upstream reads as the query or a part of it.
    pub(super) fn queries(&self) -> impl Iterator<Item = Vec<u8>> {
        let queries = self.queries.iter();
        queries.map(|range| {
            let symbols = self.symbols.get(range.clone()).unwrap_or_default();
            self.runs.bytes_of(symbols)
        })
    }

    fn sent(&self) -> &[Symbol] {
        self.symbols.get(..self.length).unwrap_or_default()
    }

    /// The segments of the path as sent in which a slash is escaped.
    pub(super) fn segments_with_slashes(&self) -> Segments {
        let (mut found, mut separators) = (0, 0_usize);
        for symbol in self.sent() {
            match *symbol {
                SEPARATOR => separators += 1,
                ESCAPED_SLASH => found |= segment(separators.saturating_sub(1)),
                _ => {}
            }
        }
        found
    }
}

impl<'p> Closure<'p> {
    /// Reads the path again, without taking the escaped slashes in these segments for separators.
    ///
    /// # Errors
    /// The same as for [`read`].
    pub(super) fn keeping_slashes(
        &self,
        kept: Segments,
        mut budget: usize,
    ) -> Result<Read<'p>, PathFault> {
        spend(&mut budget, self.runs.path().len() / BYTES_PER_SYMBOL)?;
        let mut text = self.sent().to_vec();
        let mut separators = 0_usize;
        for symbol in &mut text {
            match *symbol {
                SEPARATOR => separators += 1,
                ESCAPED_SLASH if kept & segment(separators.saturating_sub(1)) != 0 => {
                    *symbol = KEPT_SLASH;
                }
                _ => {}
            }
        }
        read_symbols(text, self.runs.clone(), budget)
    }
}

/// The readings of a path that has no broken escape.
#[derive(Debug)]
pub(super) struct Read<'p> {
    /// The first reading: the path split at `/`, with each segment decoded once.
    pub(super) first: String,
    /// All readings, and why there are several. None if the first is the only one.
    pub(super) others: Option<(Closure<'p>, PathFault)>,
    /// The readings of routers that compare the path as sent. [`AS_SENT`] marks each segment in which an unreserved
    /// character is escaped, and [`COLON_AS_SENT`] each in which the last colon is: such a router does not match that segment
    /// to a literal or to a verb, but does match it to a parameter.
    pub(super) as_sent: Vec<String>,
    /// How much more work may be done for the path.
    pub(super) budget: usize,
}

/// Reads a path that has no broken escape.
///
/// # Errors
/// The fault that a reading has, or that there are too many readings.
pub(super) fn read(path: &str) -> Result<Read<'_>, PathFault> {
    let mut sent = Vec::with_capacity(path.len());
    let runs = Runs::of(path, &mut sent)?;
    let budget = SYMBOLS_FOR_ANY_PATH + SYMBOLS_FOR_EACH_BYTE * path.len();
    read_symbols(sent, runs, budget)
}

/// Reads a path that consists of these symbols.
#[inline(never)]
fn read_symbols(sent: Vec<Symbol>, runs: Runs<'_>, budget: usize) -> Result<Read<'_>, PathFault> {
    let mut first = Vec::with_capacity(sent.len());
    decode(&sent, |_| true, &mut first)?;
    let is_odd = Marks::of(&first) != Marks::NONE;
    let first = text_of(runs.bytes_of(without_last_slash(&first)))?;
    let oddity = if is_odd {
        Reading::decoded(&first).oddity()
    } else {
        None
    };
    let Some(oddity) = oddity else {
        return Ok(Read {
            first,
            others: None,
            as_sent: as_sent(&sent, &runs)?.into_iter().collect(),
            budget,
        });
    };
    let (mut closure, budget) = Closure::of(sent, runs, budget)?;
    Ok(Read {
        first,
        as_sent: std::mem::take(&mut closure.as_sent),
        others: Some((closure, oddity)),
        budget,
    })
}

/// The reading of a router that compares a text as sent. None if neither an unreserved character nor the colon of a verb is
/// escaped in the text.
///
/// By RFC 3986 §6.2.2.2, an escaped unreserved character is equivalent to the character, and clients do not write such
/// escapes. Clients do write other escapes, so those are decoded here. To some routers a verb begins at a `:` that is not
/// escaped.
fn as_sent(text: &[Symbol], runs: &Runs<'_>) -> Result<Option<String>, PathFault> {
    let marks = Marks::of(text);
    if !marks.has(Marks::UNRESERVED_ESCAPE) && !marks.has(Marks::COLON_ESCAPE) {
        return Ok(None);
    }
    let mut read = Vec::with_capacity(text.len());
    for segment in segments(without_last_slash(text)) {
        read.push(SEPARATOR);
        if ends_in_escaped_colon(segment) {
            read.push(COLON_AS_SENT as Symbol);
        } else if Marks::of(segment).has(Marks::UNRESERVED_ESCAPE) {
            read.push(AS_SENT as Symbol);
        }
        decode(segment, |_| true, &mut read)?;
    }
    text_of(runs.bytes_of(&read)).map(Some)
}

impl<'p> Closure<'p> {
    /// The closure, and what it leaves of the budget.
    fn of(sent: Vec<Symbol>, runs: Runs<'p>, budget: usize) -> Result<(Self, usize), PathFault> {
        let mut texts = Texts {
            budget,
            known: Vec::new(),
            symbols: sent,
        };
        texts.keep(0, false)?;
        // A copy of the text that the steps read, because they write to the end of `symbols`.
        let mut current = Vec::with_capacity(texts.symbols.len());
        let mut next = 0;
        while let Some(text) = texts.known.get(next) {
            let (marks, is_reading) = (text.marks, text.is_reading);
            current.clear();
            current.extend_from_slice(texts.at(&text.range));
            for (mark, step) in STEPS {
                if marks.has(mark) {
                    let begin = texts.symbols.len();
                    step(&current, &mut texts.symbols)?;
                    texts.keep(begin, is_reading || mark == Marks::ESCAPE)?;
                }
            }
            next += 1;
        }
        texts.into_closure(runs)
    }
}

/// The texts of a closure that have been found.
struct Texts {
    /// All texts, one after the other.
    symbols: Vec<Symbol>,
    known: Vec<Text>,
    /// How many more symbols may be written.
    budget: usize,
}

/// A text of a closure.
struct Text {
    /// The range of its symbols, with [`SEPARATOR`] before each segment.
    range: Range<usize>,
    marks: Marks,
    /// Whether the text holds no escape of the path as sent.
    is_reading: bool,
}

impl Texts {
    fn at(&self, range: &Range<usize>) -> &[Symbol] {
        self.symbols.get(range.clone()).unwrap_or_default()
    }

    /// Keeps the text that was written after the others, unless it is already known.
    fn keep(&mut self, begin: usize, is_decoded: bool) -> Result<(), PathFault> {
        let range = begin..self.symbols.len();
        spend(&mut self.budget, range.len())?;
        let text = self.at(&range);
        let mut same = self
            .known
            .iter()
            .filter(|known| self.at(&known.range) == text);
        // Most texts are already known, and then so are their marks.
        let marks = same
            .clone()
            .next()
            .map_or_else(|| Marks::of(text), |known| known.marks);
        let is_reading = is_decoded || !marks.has(Marks::ESCAPE);
        if same.any(|known| known.is_reading == is_reading) {
            self.symbols.truncate(begin);
        } else if self.known.len() == MAX_TEXTS {
            return Err(PathFault::TooManyReadings);
        } else {
            self.known.push(Text {
                range,
                marks,
                is_reading,
            });
        }
        Ok(())
    }

    fn into_closure(self, runs: Runs<'_>) -> Result<(Closure<'_>, usize), PathFault> {
        let Self {
            symbols,
            known,
            mut budget,
        } = self;
        let mut closure = Closure {
            readings: Vec::with_capacity(known.len()),
            queries: Vec::new(),
            as_sent: Vec::new(),
            names_host: known.iter().any(|text| text.marks.has(Marks::AUTHORITY)),
            symbols: Vec::new(),
            length: known.first().map_or(0, |sent| sent.range.len()),
            runs,
        };
        for text in known {
            let range = text.range;
            let text_symbols = symbols.get(range.clone()).unwrap_or_default();
            for (mark, begin) in [(Marks::SEMICOLON, b';'), (Marks::QUESTION_MARK, b'?')] {
                if text.marks.has(mark) {
                    let length = before(text_symbols, begin).len();
                    closure.queries.push(range.start + length + 1..range.end);
                }
            }
            if text.is_reading {
                let reading = closure.runs.bytes_of(without_last_slash(text_symbols));
                spend(&mut budget, reading.len() / BYTES_PER_SYMBOL)?;
                let reading = text_of(reading)?;
                if !closure.readings.contains(&reading) {
                    closure.readings.push(reading);
                }
            } else if let Some(text) = as_sent(text_symbols, &closure.runs)? {
                spend(&mut budget, text.len())?;
                closure.as_sent.push(text);
            }
        }
        closure.symbols = symbols;
        Ok((closure, budget))
    }
}

fn spend(budget: &mut usize, symbols: usize) -> Result<(), PathFault> {
    let left = budget.checked_sub(symbols);
    *budget = left.ok_or(PathFault::TooManyReadings)?;
    Ok(())
}

/// The text without a slash at its end, which adds no segment.
fn without_last_slash(text: &[Symbol]) -> &[Symbol] {
    text.strip_suffix(&[SEPARATOR]).unwrap_or(text)
}

/// The bytes as a text, if a reading may hold them.
fn text_of(bytes: Vec<u8>) -> Result<String, PathFault> {
    let text = String::from_utf8(bytes).map_err(|_| PathFault::NotUtf8)?;
    // Forbidden ASCII characters were rejected when they were decoded.
    let fault = match text.is_ascii() {
        true => None,
        false => text
            .chars()
            .filter(|character| !character.is_ascii())
            .find_map(forbidden),
    };
    fault.map_or(Ok(text), Err)
}

#[cfg(test)]
mod tests;
