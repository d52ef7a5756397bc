//! Which form of content a client prefers, by its `Accept` headers (RFC 9110 §12.5.1).
//!
//! ```text
//! Accept      = #( media-range [ weight ] )
//! media-range = ( "*/*" / ( type "/" "*" ) / ( type "/" subtype ) ) parameters
//! weight      = OWS ";" OWS "q=" qvalue
//! qvalue      = ( "0" [ "." *3DIGIT ] ) / ( "1" [ "." *3"0" ] )
//! ```
//!
//! 1. Each form has the weight of the most specific range that matches it. A range that occurs twice has the greater of
//!    its weights. The weight 0 excludes a form.
//! 2. The form with the greatest weight wins. If weights are equal, a named form beats a form that a wildcard matches: a
//!    client that writes `application/problem+json, */*` names the first for a reason.
//! 3. Among named forms, a problem is first, because only errors have that type: a client that names it beside
//!    `application/json` expects the latter for other responses. Then JSON, a page, a sentence.
//! 4. Among forms that a wildcard matches, JSON is first, then a problem. `text/*` receives a sentence, not a page:
//!    browsers name `text/html`, and a program or a terminal has no use for markup.
//! 5. The form is JSON if there is no header, if no form matches, or if a header breaks the grammar: the client then
//!    still learns why it was denied (§15.5.7 leaves that to the server).
//!
//! The headers are read in one pass, and not if they have more than 4096 bytes.

use crate::grammar::is_tchar;
use crate::presentation::Form;

/// The greatest length in bytes of all `Accept` headers together. Longer ones count as broken. A browser sends about 150.
const LONGEST: usize = 4096;

/// The form of content for a client that sent these `Accept` headers.
pub fn form_for<'a>(accept: impl Iterator<Item = &'a [u8]> + Clone) -> Form {
    let mut fields = accept.clone();
    match (fields.next(), fields.next()) {
        // What most programs send needs no reading.
        (None | Some(b"*/*" | b"application/json"), None) => Form::Json,
        _ => choose(accept).unwrap_or(Form::Json),
    }
}

/// Whether a client prefers a page, as browsers do when they navigate.
pub fn prefers_html<'a>(accept: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
    form_for(accept) == Form::Html
}

/// None if a header is broken, or if the client accepts no form.
#[inline(never)]
fn choose<'a>(accept: impl Iterator<Item = &'a [u8]>) -> Option<Form> {
    let mut candidates = CANDIDATES;
    let mut length = 0;
    for field in accept {
        length += field.len() + 1;
        if length > LONGEST {
            return None;
        }
        let mut list = Reader { rest: field };
        while let Some(range) = list.next_range()? {
            for candidate in &mut candidates {
                candidate.consider(&range);
            }
        }
    }
    let best = candidates.iter().max_by_key(|candidate| candidate.rank())?;
    (best.weight > 0).then_some(best.form)
}

/// A form that can be sent, and the best range that matches it so far.
struct Candidate {
    form: Form,
    kind: &'static str,
    subtype: &'static str,
    /// Decides between equal weights, the greater wins: for a form that is named, and for one that a wildcard matches.
    order: (u8, u8),
    specificity: Specificity,
    /// In thousandths.
    weight: u16,
}

/// How specific a range is that matches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    None,
    Anything,
    Type,
    Named,
}

const CANDIDATES: [Candidate; 4] = [
    Candidate::new(Form::Text, "text", "plain", (1, 2)),
    Candidate::new(Form::Html, "text", "html", (2, 1)),
    Candidate::new(Form::Json, "application", "json", (3, 4)),
    Candidate::new(Form::Problem, "application", "problem+json", (4, 3)),
];

impl Candidate {
    const fn new(form: Form, kind: &'static str, subtype: &'static str, order: (u8, u8)) -> Self {
        Self {
            form,
            kind,
            subtype,
            order,
            specificity: Specificity::None,
            weight: 0,
        }
    }

    /// Takes the weight of a range that matches, unless a more specific range matched before.
    fn consider(&mut self, range: &Range<'_>) {
        let specificity = match (range.kind, range.subtype) {
            // It asks for a variant that does not exist, such as `text/html;level=1`.
            _ if range.is_variant => return,
            (b"*", b"*") => Specificity::Anything,
            (kind, _) if !kind.eq_ignore_ascii_case(self.kind.as_bytes()) => return,
            (_, b"*") => Specificity::Type,
            (_, own) if own.eq_ignore_ascii_case(self.subtype.as_bytes()) => Specificity::Named,
            _ => return,
        };
        (self.specificity, self.weight) =
            (self.specificity, self.weight).max((specificity, range.weight));
    }

    fn rank(&self) -> (u16, Specificity, u8) {
        let order = match self.specificity {
            Specificity::Named => self.order.0,
            Specificity::None | Specificity::Anything | Specificity::Type => self.order.1,
        };
        (self.weight, self.specificity, order)
    }
}

/// One element of an `Accept` header.
struct Range<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    /// Whether it has a parameter other than `charset`, which does not distinguish forms.
    is_variant: bool,
    /// In thousandths.
    weight: u16,
}

/// The rest of a header.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next range, `Some(None)` at the end; `None` if the header is broken.
    fn next_range(&mut self) -> Option<Option<Range<'a>>> {
        // Empty elements are ignored (RFC 9110 §5.6.1.2).
        while let [b' ' | b'\t' | b',', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return Some(None);
        }
        let kind = self.token()?;
        self.expect(b'/')?;
        let subtype = self.token()?;
        if kind == b"*" && subtype != b"*" {
            return None;
        }
        let mut range = Range {
            kind,
            subtype,
            is_variant: false,
            weight: 1000,
        };
        let mut is_weighed = false;
        while self.skip_to(b';') {
            // A parameter may be empty (RFC 9110 §5.6.6).
            self.skip_space();
            if matches!(self.rest, [] | [b';' | b',', ..]) {
                continue;
            }
            let name = self.token()?;
            self.expect(b'=')?;
            let value = self.value()?;
            // A parameter after the weight was an extension of the header (RFC 7231 §5.3.2), not one of the type.
            if is_weighed {
                continue;
            }
            if name.eq_ignore_ascii_case(b"q") {
                range.weight = weight(value)?;
                is_weighed = true;
            } else if !name.eq_ignore_ascii_case(b"charset") {
                range.is_variant = true;
            }
        }
        (self.rest.is_empty() || self.rest.first() == Some(&b',')).then_some(Some(range))
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| !is_tchar(*byte));
        let (token, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*first == byte).then_some(())
    }

    /// A token, or a quoted-string, whose content is not used.
    fn value(&mut self) -> Option<&'a [u8]> {
        if self.rest.first() != Some(&b'"') {
            return self.token();
        }
        self.expect(b'"')?;
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(b"");
                }
                [b'\\', _, rest @ ..] | [_, rest @ ..] => self.rest = rest,
                [] => return None,
            }
        }
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Skips space, and then `byte`. Returns whether `byte` was there.
    fn skip_to(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// A `qvalue`, in thousandths.
fn weight(value: &[u8]) -> Option<u16> {
    let (whole, fraction) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = *fraction.get(place).unwrap_or(&b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        thousandths = thousandths * 10 + u16::from(digit - b'0');
    }
    match (whole, thousandths) {
        (b'0', _) => Some(thousandths),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
