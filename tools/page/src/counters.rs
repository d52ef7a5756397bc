//! The filter's counters and gauges, as Envoy's admin interface prints them for Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use demo::support::client::Connection;
use serde::Serialize;

use crate::state::{State, resolve};

/// How long the admin interface may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What the metrics of the filter begin with.
const PREFIX: &str = "countersign_";

/// Every counter and gauge of the filter.
#[derive(Serialize)]
pub struct Counters {
    series: Vec<Series>,
}

/// A counter or a gauge with its labels.
#[derive(Debug, Serialize, PartialEq)]
struct Series {
    /// Without `countersign_`.
    name: String,
    /// Without `countersign_`.
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads the counters from Envoy.
pub fn read(state: &State) -> Result<Counters, String> {
    let request = format!(
        "GET /stats/prometheus?filter=%5Ewasmcustom%5C. HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
        state.admin
    );
    let mut admin = Connection::new(resolve(&state.admin)?, TIMEOUT);
    let response = admin.ask(request.as_bytes());
    let response =
        response.map_err(|fault| format!("Envoy's admin interface does not answer: {fault}"))?;
    let text = String::from_utf8_lossy(&response.body);
    Ok(Counters {
        series: text.lines().filter_map(parse).collect(),
    })
}

/// A line such as `countersign_denied{countersign_status="401"} 3`; none if the line is no series of the filter.
fn parse(line: &str) -> Option<Series> {
    let rest = line.strip_prefix(PREFIX)?;
    let (series, value) = rest.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        None => (series, ""),
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
    };
    Some(Series {
        name: name.to_owned(),
        labels: parse_labels(labels)?,
        value: value.parse().ok()?,
    })
}

/// Labels such as `a="b",c="d\"e"`.
fn parse_labels(mut text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let (mut value, mut length) = (String::new(), 0);
        let mut characters = rest.chars();
        loop {
            let character = characters.next()?;
            length += character.len_utf8();
            match character {
                '"' => break,
                '\\' => {
                    let escaped = characters.next()?;
                    length += escaped.len_utf8();
                    value.push(if escaped == 'n' { '\n' } else { escaped });
                }
                other => value.push(other),
            }
        }
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        labels.insert(name.to_owned(), value);
        let rest = rest.get(length..)?;
        text = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_series_with_labels() {
        let line = r#"countersign_denied{countersign_status="401",countersign_rule="a\"b\\,c"} 3"#;
        let labels = [("status", "401"), ("rule", "a\"b\\,c")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            parse(line),
            Some(Series {
                name: "denied".to_owned(),
                labels: labels.into(),
                value: 3.0,
            })
        );
        assert_eq!(parse("countersign_allowed{} 7").unwrap().value, 7.0);
        assert_eq!(parse("countersign_jwks_age 7").unwrap().name, "jwks_age");
    }

    #[test]
    fn other_lines_are_ignored() {
        for line in [
            "# TYPE countersign_denied counter",
            "envoy_server_live{} 1",
            "countersign_denied{a=\"b} 1",
            "countersign_denied{} x",
            "countersign_denied",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
