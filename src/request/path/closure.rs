//! What upstreams make of a path, each in its own order.
//!
//! An upstream is modelled as a sequence of steps, of these, each over the whole path:
//!
//! 1. percent-escapes are decoded, once or again: all of them, those of unreserved characters (RFC 3986 §6.2.2.2), or
//!    those of slashes and backslashes;
//! 2. a slash that was encoded separates;
//! 3. a backslash separates, also an encoded one after 1;
//! 4. empty segments are merged away;
//! 5. dot segments are resolved (RFC 3986 §5.2.4), or the last one is dropped;
//! 6. parameters are dropped: what stands in a segment from `;` on;
//! 7. the first `;` begins the query, slashes and all (Fastify 4, restify);
//! 8. a `?` that was encoded begins the query (h3, and servers that decode before they split);
//! 9. the path is taken for a URL reference (RFC 3986 §4.2): what follows `//` is an authority, up to the next slash
//!    (CherryPy, PHP's `parse_url`, the WHATWG URL of Node.js).
//!
//! The closure of the path as sent under these steps holds what every such sequence leads to: whatever the order, and
//! however often each step is taken, also before the first decoding, so that an upstream is covered that drops `;x` and
//! keeps `%3Bx`. A text in which an escape of the path as sent still stands is not a reading, but a step on the way to one.
//!
//! A step over a text is charged to a budget that grows with the path, so that an odd path costs a small multiple of a
//! plain one, whatever the client combines.

mod steps;
mod symbols;

use std::ops::Range;

use self::steps::{STEPS, before, decode, segments};
use self::symbols::{Marks, Runs, SEPARATOR, Symbol};
use super::reading::{AS_SENT, Reading, forbidden};
use crate::reject::PathFault;

/// How many texts a closure may have. One oddity makes a handful, and three or four make ten to forty.
const MOST_TEXTS: usize = 64;
/// How many symbols the steps may write, whatever the length of the path: a short path may be as odd as it likes.
const SYMBOLS_FOR_ANY: usize = 3 * 1024;
/// How many they may write for each byte of the path.
const SYMBOLS_FOR_EACH: usize = 5;
/// A byte of a reading costs as much as so many symbols: it is copied, and looked at once.
const BYTES_FOR_A_SYMBOL: usize = 4;

/// What a path is to some upstream or other.
#[derive(Debug)]
pub(super) struct Closure<'p> {
    /// The readings, the first one among them: a separator before each segment.
    pub(super) readings: Vec<String>,
    /// The texts of the closure.
    symbols: Vec<Symbol>,
    /// Where among them each text stands that some upstream takes for the query, or for a part of it.
    queries: Vec<Range<usize>>,
    runs: Runs<'p>,
    /// As [`Read::as_sent`].
    as_sent: Vec<String>,
    /// Whether some upstream finds a host in it.
    pub(super) names_host: bool,
}

impl Closure<'_> {
    /// What some upstream takes for the query, or for a part of it.
    pub(super) fn queries(&self) -> impl Iterator<Item = Vec<u8>> {
        let queries = self.queries.iter();
        queries.map(|range| {
            let symbols = self.symbols.get(range.clone()).unwrap_or_default();
            self.runs.bytes_of(symbols)
        })
    }
}

/// What a path is, whose escapes are whole.
#[derive(Debug)]
pub(super) struct Read<'p> {
    /// The first reading: split at `/`, decoded once.
    pub(super) first: String,
    /// All readings, and what they come from; none where the first is the only one.
    pub(super) others: Option<(Closure<'p>, PathFault)>,
    /// The readings of routers that compare the path as it was sent, with [`AS_SENT`] before each segment in which an
    /// unreserved character is escaped: to such a router it is not the literal, but a parameter may be it.
    pub(super) as_sent: Vec<String>,
}

/// Reads a path whose escapes are whole.
///
/// # Errors
/// What no reading may hold, or that there are too many.
pub(super) fn read(path: &str) -> Result<Read<'_>, PathFault> {
    let mut sent = Vec::with_capacity(path.len());
    let runs = Runs::of(path, &mut sent)?;
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
        });
    };
    let mut closure = Closure::of(sent, runs)?;
    Ok(Read {
        first,
        as_sent: std::mem::take(&mut closure.as_sent),
        others: Some((closure, oddity)),
    })
}

/// What a router reads that compares a text as it was sent; none where no unreserved character is escaped in it.
///
/// RFC 3986 §6.2.2.2 has such an escape mean the character, and clients write none. Others they write as a matter of
/// course, so that those mean the character here.
fn as_sent(text: &[Symbol], runs: &Runs<'_>) -> Result<Option<String>, PathFault> {
    if !Marks::of(text).has(Marks::UNRESERVED_ESCAPE) {
        return Ok(None);
    }
    let mut read = Vec::with_capacity(text.len());
    for segment in segments(without_last_slash(text)) {
        read.push(SEPARATOR);
        if Marks::of(segment).has(Marks::UNRESERVED_ESCAPE) {
            read.push(Symbol::from(AS_SENT));
        }
        decode(segment, |_| true, &mut read)?;
    }
    text_of(runs.bytes_of(&read)).map(Some)
}

impl<'p> Closure<'p> {
    fn of(sent: Vec<Symbol>, runs: Runs<'p>) -> Result<Self, PathFault> {
        let mut texts = Texts {
            budget: SYMBOLS_FOR_ANY + SYMBOLS_FOR_EACH * runs.path().len(),
            known: Vec::new(),
            symbols: sent,
        };
        texts.keep(0, false)?;
        // What the steps are taken from; the texts grow behind it.
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

/// The texts of a closure, as far as they are known.
struct Texts {
    /// One after the other.
    symbols: Vec<Symbol>,
    known: Vec<Text>,
    /// How many symbols may still be written.
    budget: usize,
}

/// A text of a closure.
struct Text {
    /// Where it stands among the symbols, [`SEPARATOR`] before each segment.
    range: Range<usize>,
    marks: Marks,
    /// Whether no escape of the path as sent still stands in it.
    is_reading: bool,
}

impl Texts {
    fn at(&self, range: &Range<usize>) -> &[Symbol] {
        self.symbols.get(range.clone()).unwrap_or_default()
    }

    /// Keeps what was written after the other texts, unless it is known.
    fn keep(&mut self, begin: usize, is_decoded: bool) -> Result<(), PathFault> {
        let range = begin..self.symbols.len();
        spend(&mut self.budget, range.len())?;
        let text = self.at(&range);
        let mut same = self
            .known
            .iter()
            .filter(|known| self.at(&known.range) == text);
        // Most of what the steps write is known, so that it is looked for first.
        let marks = same
            .clone()
            .next()
            .map_or_else(|| Marks::of(text), |known| known.marks);
        let is_reading = is_decoded || !marks.has(Marks::ESCAPE);
        if same.any(|known| known.is_reading == is_reading) {
            self.symbols.truncate(begin);
        } else if self.known.len() == MOST_TEXTS {
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

    fn into_closure(self, runs: Runs<'_>) -> Result<Closure<'_>, PathFault> {
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
                spend(&mut budget, reading.len() / BYTES_FOR_A_SYMBOL)?;
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
        Ok(closure)
    }
}

fn spend(budget: &mut usize, symbols: usize) -> Result<(), PathFault> {
    let left = budget.checked_sub(symbols);
    *budget = left.ok_or(PathFault::TooManyReadings)?;
    Ok(())
}

/// A slash at the end adds no segment.
fn without_last_slash(text: &[Symbol]) -> &[Symbol] {
    text.strip_suffix(&[SEPARATOR]).unwrap_or(text)
}

/// A text that a reading may be.
fn text_of(bytes: Vec<u8>) -> Result<String, PathFault> {
    let text = String::from_utf8(bytes).map_err(|_| PathFault::NotUtf8)?;
    // What is forbidden of ASCII was refused when it was decoded.
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
