//! The files of `envoy/monitoring/` on a faster clock.

use regex_lite::{Captures, Regex};

/// How many times faster the tests' clock is: 5 minutes are 5 seconds.
pub const FACTOR: u64 = 60;

/// The same text with every span of time divided by [`FACTOR`], and nothing else changed: each duration, such as `5m`, and
/// each number with the comment `# seconds`.
pub fn scaled(text: &str) -> String {
    let durations = Regex::new(r"\b([0-9]+)(s|m|h|d)\b").expect("a pattern");
    let text = durations.replace_all(text, |found: &Captures<'_>| {
        let unit = match &found[2] {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => 86_400_000,
        };
        format!("{}ms", number(&found[1]) * unit / FACTOR)
    });
    let seconds = Regex::new(r"\b([0-9]+)(\)?) # seconds").expect("a pattern");
    let text = seconds.replace_all(&text, |found: &Captures<'_>| {
        format!("{}{}", number(&found[1]) / FACTOR, &found[2])
    });
    text.into_owned()
}

fn number(digits: &str) -> u64 {
    digits.parse().expect("a number")
}

#[test]
fn only_spans_of_time_are_scaled() {
    let rule = "record: a:denied:increase5m\nexpr: rate(x[5m] offset 1d) >= 50 or y > 3600 # seconds\nfor: 2m\n";
    let faster = "record: a:denied:increase5m\nexpr: rate(x[5000ms] offset 1440000ms) >= 50 or y > 60\nfor: 2000ms\n";
    assert_eq!(scaled(rule), faster);
}
