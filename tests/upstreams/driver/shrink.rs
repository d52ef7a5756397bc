//! The smallest input that still shows a violation.

use super::input::{FORGED, GOOD, Input};

/// How many inputs are tried: each is a request.
const MOST_TRIES: usize = 600;

/// Makes an input smaller as long as `shows` holds: fields are dropped, then bytes, in ever smaller pieces.
pub fn shrink(mut input: Input, mut shows: impl FnMut(&Input) -> bool) -> Input {
    let mut tries = 0;
    loop {
        let smaller = candidates(&input).into_iter().find(|candidate| {
            tries += 1;
            tries <= MOST_TRIES && shows(candidate)
        });
        match smaller {
            Some(smaller) => input = smaller,
            None => return input,
        }
    }
}

fn candidates(input: &Input) -> Vec<Input> {
    let mut candidates = Vec::new();
    let mut add = |change: &dyn Fn(&mut Input)| {
        let mut candidate = input.clone();
        change(&mut candidate);
        if candidate.length() < input.length() {
            candidates.push(candidate);
        }
    };
    for place in 0..input.fields.len() {
        add(&|input| drop(input.fields.remove(place)));
    }
    for place in 0..input.trailers.len() {
        add(&|input| drop(input.trailers.remove(place)));
    }
    add(&|input| input.method = b"GET".to_vec());
    let path = input.path().len();
    add(&|input| input.target.truncate(path));
    for piece in pieces(&input.target) {
        add(&|input| drop(input.target.drain(piece.clone())));
    }
    for place in 0..input.fields.len() {
        for piece in pieces(&input.fields[place].1) {
            add(&|input| drop(input.fields[place].1.drain(piece.clone())));
        }
    }
    candidates
}

/// Pieces of a text: its halves, its quarters, and so on down to its bytes. A token is never cut.
fn pieces(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let length = text.len();
    let mut pieces = Vec::new();
    let mut size = length / 2;
    while size > 0 {
        let starts = (0..length).step_by(size);
        pieces.extend(starts.map(|start| start..(start + size).min(length)));
        size /= 2;
    }
    // Also an escape, wherever it begins.
    if length > 3 {
        pieces.extend((0..=length - 3).map(|start| start..start + 3));
    }
    let tokens = tokens(text);
    pieces.retain(|piece| {
        let mut cut = tokens.iter().filter(|token| {
            let overlaps = piece.start < token.end && token.start < piece.end;
            overlaps && !(piece.start <= token.start && token.end <= piece.end)
        });
        cut.next().is_none()
    });
    pieces.extend(tokens);
    pieces
}

/// Where the tokens stand.
fn tokens(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let at = |token: &'static [u8]| {
        let windows = text.windows(token.len()).enumerate();
        windows.filter_map(move |(start, window)| {
            (window == token).then_some(start..start + token.len())
        })
    };
    at(GOOD).chain(at(FORGED)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_it_alone_is_left() {
        let mut input = Input::get("/public/x/..%2fadmin/orders?access_token={forged}&x=1");
        input.method = b"POST".to_vec();
        for (name, value) in [
            ("accept", "*/*"),
            ("script_name", "/public/x"),
            ("host", "a"),
        ] {
            input.fields.push((name.into(), value.into()));
        }
        let smallest = shrink(input, |input| {
            let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|own| own == part);
            has(&input.target, b"%2f")
                && input
                    .fields
                    .iter()
                    .any(|(name, value)| name == b"script_name" && has(value, b"/p"))
        });
        assert_eq!(smallest.method, b"GET");
        assert_eq!(smallest.target, b"%2f");
        assert_eq!(smallest.fields, [(b"script_name".to_vec(), b"/p".to_vec())]);
    }

    #[test]
    fn a_token_is_never_cut() {
        let text = b"x={forged}&y={bob}";
        for piece in pieces(text) {
            let rest = [&text[..piece.start], &text[piece.end..]].concat();
            let rest = String::from_utf8(rest).unwrap();
            let rest = rest.replace("{forged}", "").replace("{bob}", "");
            assert!(!rest.contains(['{', '}', 'f', 'b']), "{rest}");
        }
    }
}
