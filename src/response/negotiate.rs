//! Which form of content a client wants, by its `Accept` fields (RFC 9110 §12.5.1).
//!
//! ```text
//! Accept      = #( media-range [ weight ] )
//! media-range = ( "*/*" / ( type "/" "*" ) / ( type "/" subtype ) ) parameters
//! weight      = OWS ";" OWS "q=" qvalue
//! qvalue      = ( "0" [ "." *3DIGIT ] ) / ( "1" [ "." *3"0" ] )
//! ```
//!
//! 1. Each form has the weight of the most specific range that fits it; a range that is written twice has its greater
//!    weight. 0 excludes.
//! 2. The form of the greatest weight wins. Among equals one that was named beats one that a wildcard covers: a client
//!    that writes `application/problem+json, */*` would not name it otherwise.
//! 3. Among forms that were named, a problem comes first, since only errors have that type: who names it beside
//!    `application/json` wants the latter for answers. Then JSON, a page, a sentence.
//! 4. Among forms that a wildcard covers, JSON comes first, then a problem. `text/*` gets a sentence, not a page: browsers
//!    name `text/html`, and who does not is a program or a terminal, to which markup is noise.
//! 5. No field, nothing that fits, and a field that breaks the grammar get JSON: a refusal says why all the same
//!    (§15.5.7 leaves that to the server).
//!
//! One pass over the bytes, and none over more than 4096 bytes.

use super::body::Form;
use crate::grammar::is_tchar;

/// The length up to which the fields are read, all together; beyond, they count as broken. A browser sends some 150.
const LONGEST: usize = 4096;

/// The form of content for a client that sent these `Accept` fields.
pub fn form_for<'a>(accept: impl Iterator<Item = &'a [u8]>) -> Form {
    choose(accept).unwrap_or(Form::Json)
}

/// Whether a client would rather have a page than anything else, as browsers do that navigate.
pub fn prefers_html<'a>(accept: impl Iterator<Item = &'a [u8]>) -> bool {
    form_for(accept) == Form::Html
}

/// None where the fields are broken, or accept nothing that there is.
fn choose<'a>(accept: impl Iterator<Item = &'a [u8]>) -> Option<Form> {
    let mut offers = OFFERS;
    let mut length = 0;
    for field in accept {
        length += field.len() + 1;
        if length > LONGEST {
            return None;
        }
        let mut list = Reader { rest: field };
        while let Some(range) = list.next_range()? {
            for offer in &mut offers {
                offer.hear(&range);
            }
        }
    }
    let best = offers.iter().max_by_key(|offer| offer.rank())?;
    (best.weight > 0).then_some(best.form)
}

/// A type of content that could be sent, and what was heard of it so far.
struct Offer {
    form: Form,
    kind: &'static str,
    subtype: &'static str,
    /// Breaks ties, the greater winning: where it was named, and where a wildcard covers it.
    order: (u8, u8),
    fit: Fit,
    /// In thousandths.
    weight: u16,
}

/// How specific a range is that fits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    None,
    Anything,
    Type,
    Named,
}

const OFFERS: [Offer; 4] = [
    Offer::new(Form::Text, "text", "plain", (1, 2)),
    Offer::new(Form::Html, "text", "html", (2, 1)),
    Offer::new(Form::Json, "application", "json", (3, 4)),
    Offer::new(Form::Problem, "application", "problem+json", (4, 3)),
];

impl Offer {
    const fn new(form: Form, kind: &'static str, subtype: &'static str, order: (u8, u8)) -> Self {
        Self {
            form,
            kind,
            subtype,
            order,
            fit: Fit::None,
            weight: 0,
        }
    }

    /// Takes a range's weight where the range fits, and nothing more specific did.
    fn hear(&mut self, range: &Range<'_>) {
        let fit = match (range.kind, range.subtype) {
            // It asks for a variant that there is not, such as `text/html;level=1`.
            _ if range.is_variant => return,
            (b"*", b"*") => Fit::Anything,
            (kind, _) if !kind.eq_ignore_ascii_case(self.kind.as_bytes()) => return,
            (_, b"*") => Fit::Type,
            (_, own) if own.eq_ignore_ascii_case(self.subtype.as_bytes()) => Fit::Named,
            _ => return,
        };
        (self.fit, self.weight) = (self.fit, self.weight).max((fit, range.weight));
    }

    fn rank(&self) -> (u16, Fit, u8) {
        let order = match self.fit {
            Fit::Named => self.order.0,
            Fit::None | Fit::Anything | Fit::Type => self.order.1,
        };
        (self.weight, self.fit, order)
    }
}

/// One element of an `Accept` field.
struct Range<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    /// Whether it has a parameter but `charset`, which is no part of what a form says.
    is_variant: bool,
    /// In thousandths.
    weight: u16,
}

/// What is left of a field.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next range, if there is one; none at all where the field is broken.
    fn next_range(&mut self) -> Option<Option<Range<'a>>> {
        // Empty elements are passed over (RFC 9110 §5.6.1.2).
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
            // RFC 9110 §5.6.6 lets a parameter be empty.
            self.skip_space();
            if matches!(self.rest, [] | [b';' | b',', ..]) {
                continue;
            }
            let name = self.token()?;
            self.expect(b'=')?;
            let value = self.value()?;
            // What follows a weight once extended the field (RFC 7231 §5.3.2), and says nothing of the type.
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

    /// A token, or a quoted-string, whose content nobody asks for.
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

    /// Passes over space, and then `byte` where it follows.
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
