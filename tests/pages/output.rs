//! What a command prints, compared with what a page says.

use regex_lite::Regex;

/// The lines up to the last one that is not empty.
pub fn without_empty_end(mut lines: Vec<String>) -> Vec<String> {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

/// Whether an output is as written. A written line `…` stands for any lines, `…` within a line for any text. Values that
/// every run has anew are compared by shape.
pub fn is_as_written(written: &[String], output: &[String]) -> bool {
    match written.split_first() {
        None => output.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=output.len()).any(|skipped| is_as_written(rest, &output[skipped..]))
        }
        Some((first, rest)) => match output.split_first() {
            Some((line, lines)) => line_is_as_written(first, line) && is_as_written(rest, lines),
            None => false,
        },
    }
}

/// Whether a line of output is as written.
pub fn line_is_as_written(written: &str, line: &str) -> bool {
    let (written, line) = (by_shape(written.trim_end()), by_shape(line.trim_end()));
    let mut parts = written.split('…');
    let Some(rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// What every run has anew, and its shape. The first pattern that matches counts.
const SHAPES: [(&str, &str); 12] = [
    (
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d|\b)",
        "<time>",
    ),
    (
        r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
        "<date>",
    ),
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "<uuid>",
    ),
    (r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "<jwt>"),
    (r#"\bnonce="[^"]+""#, r#"nonce="<nonce>""#),
    (r"(?i)^dpop-nonce: \S+", "dpop-nonce: <nonce>"),
    (r"\b[0-9a-f]{64}\b", "<64 digits>"),
    (r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", "<bcrypt>"),
    (r"\b[A-Za-z0-9_-]{43,}", "<base64url>"),
    (r"\b1[6-9]\d{8}\b", "<seconds>"),
    (
        r"^x-envoy-upstream-service-time: \d+",
        "x-envoy-upstream-service-time: <milliseconds>",
    ),
    (r"\bcurl/\d[\d.]*", "curl/<version>"),
];

/// A line with the shapes of what every run has anew.
fn by_shape(line: &str) -> String {
    let replace = |line: String, (pattern, shape): (&str, &str)| {
        let pattern = Regex::new(pattern).expect("a pattern");
        // A `$` in a shape would name a group.
        pattern
            .replace_all(&line, regex_lite::NoExpand(shape))
            .into_owned()
    };
    SHAPES.into_iter().fold(line.to_owned(), replace)
}

/// The lines to write in place of an output that differs. A line that is as written stays. `…` stays where the lines around
/// it still are as written.
pub fn rewritten(written: &[String], output: &[String]) -> Vec<String> {
    let Some(first) = written.iter().position(|line| line.trim() == "…") else {
        return side_by_side(written, output);
    };
    let last = written
        .iter()
        .rposition(|line| line.trim() == "…")
        .unwrap_or(first);
    let (head, tail) = (&written[..first], &written[last + 1..]);
    if head.len() + tail.len() >= output.len() {
        return side_by_side(&[], output);
    }
    let (begin, rest) = output.split_at(head.len());
    let (_, end) = rest.split_at(rest.len() - tail.len());
    [
        side_by_side(head, begin),
        vec!["…".to_owned()],
        side_by_side(tail, end),
    ]
    .concat()
}

/// The lines of an output, each as it was written if it still is so.
fn side_by_side(written: &[String], output: &[String]) -> Vec<String> {
    let lines = output.iter().enumerate();
    let keep = |(number, line): (usize, &String)| match written.get(number) {
        Some(own) if line_is_as_written(own, line) => own.clone(),
        _ => line.clone(),
    };
    lines.map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_ellipsis_stands_for_text_and_for_lines() {
        for (written, output, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "a\nb", false),
            ("a\nb", "a", false),
            ("a…c", "abc", true),
            ("a…c", "ac", true),
            ("a…c", "abcd", false),
            ("a…b…c", "a-b-c", true),
            ("a…b…c", "a-c", false),
            ("…b", "ab", true),
            ("a\n…\nd", "a\nb\nc\nd", true),
            ("a\n…\nd", "a\nd", true),
            ("a\n…\nd", "a\nb", false),
            ("a\n…", "a", true),
            ("…", "", true),
            ("a  ", "a", true),
        ] {
            assert_eq!(
                is_as_written(&lines(written), &lines(output)),
                expected,
                "{written:?} {output:?}"
            );
        }
    }

    #[test]
    fn what_a_run_has_anew_is_compared_by_shape() {
        for (written, output, expected) in [
            (
                "at 2026-01-02T03:04:05Z",
                "at 2027-11-12T13:14:15.123Z",
                true,
            ),
            ("at 2026-01-02T03:04:05Z", "at 03:04", false),
            (
                "d12ce345-1611-4e05-9e3e-618076942bf4",
                "c6060bda-dbeb-4ae3-975d-8d8f338f75bb",
                true,
            ),
            ("Digest nonce=\"abc\"", "Digest nonce=\"d\"", true),
            ("eyJh.eyJi.c", "eyJh.eyJi.d-e", true),
            ("eyJh.eyJi.c", "a.b", false),
            ("exp 1700000000", "exp 1800000000", true),
            ("status 401", "status 403", false),
        ] {
            assert_eq!(
                line_is_as_written(written, output),
                expected,
                "{written:?} {output:?}"
            );
        }
    }

    #[test]
    fn what_is_rewritten_keeps_what_still_is_so() {
        for (written, output, expected) in [
            ("a\nb", "a\nc", "a\nc"),
            (
                "at 2026-01-02T03:04:05Z\nb",
                "at 2027-01-02T03:04:05Z\nc",
                "at 2026-01-02T03:04:05Z\nc",
            ),
            ("a\n…\nx…z\nd", "a\nb\nc\nxyz\ne", "a\n…\nx…z\ne"),
            ("a\n…\nd", "e", "e"),
        ] {
            assert_eq!(
                rewritten(&lines(written), &lines(output)),
                lines(expected),
                "{written:?} {output:?}"
            );
        }
    }
}
