//! The queries of the dashboard, as Grafana sends them, on the tests' clock.

use serde_json::Value;

use super::scaled::scaled;
use super::servers::{Prometheus, Series, shipped};

/// `$__rate_interval` with the tests' interval of scrapes: four times the interval.
const RATE_INTERVAL: &str = "4s";

/// `dashboard.json`.
pub struct Dashboard(pub Value);

/// A query of a panel.
pub struct Query<'a> {
    pub panel: &'a Value,
    expression: &'a str,
    legend: &'a str,
}

impl Dashboard {
    pub fn shipped() -> Self {
        Self(serde_json::from_str(&shipped("dashboard.json")).expect("JSON"))
    }

    /// Every query of every panel.
    pub fn queries(&self) -> impl Iterator<Item = Query<'_>> {
        let panels = self.0["panels"].as_array().expect("panels").iter();
        panels.flat_map(|panel| {
            let targets = panel["targets"].as_array().into_iter().flatten();
            targets.map(move |target| Query {
                panel,
                expression: text(&target["expr"]),
                legend: text(&target["legendFormat"]),
            })
        })
    }

    /// The variables that are a query: the name, the selector and the label of each.
    pub fn variables(&self) -> Vec<(&str, String, &str)> {
        let list = self.0["templating"]["list"].as_array().expect("variables");
        let queries = list.iter().filter(|variable| variable["type"] == "query");
        let read = queries.map(|variable| {
            let query = text(&variable["query"]["query"]);
            let query = query.strip_prefix("label_values(");
            let query = query.and_then(|rest| rest.strip_suffix(')'));
            let parts = query.and_then(|inner| inner.rsplit_once(", "));
            let (selector, label) = parts.expect("label_values(selector, label)");
            (text(&variable["name"]), with_values(selector, &[]), label)
        });
        read.collect()
    }
}

impl Query<'_> {
    pub fn title(&self) -> &str {
        text(&self.panel["title"])
    }

    /// The expression with these values of variables, and all of the others.
    pub fn expression(&self, values: &[(&str, &str)]) -> String {
        with_values(self.expression, values)
    }

    /// What Prometheus returns for all values of the variables.
    pub fn run(&self, prometheus: &Prometheus, from: f64, to: f64) -> Vec<Series> {
        prometheus.query_range(&self.expression(&[]), from, to)
    }

    /// The name of a series in the legend.
    pub fn legend(&self, series: &Series) -> String {
        let labels = series.labels.as_object().expect("labels");
        labels
            .iter()
            .fold(self.legend.to_owned(), |legend, (name, value)| {
                legend.replace(&format!("{{{{{name}}}}}"), text(value))
            })
    }
}

/// Replaces variables as Grafana does. `All` is the `allValue` of the variables.
fn with_values(expression: &str, values: &[(&str, &str)]) -> String {
    let all = ["instance", "rule", "provider"].map(|name| (name, ".*"));
    let expression = scaled(expression).replace("$__rate_interval", RATE_INTERVAL);
    let replaced = values
        .iter()
        .chain(&all)
        .fold(expression, |expression, (name, value)| {
            expression.replace(&format!("${name}"), value)
        });
    assert!(!replaced.contains('$'), "{replaced}");
    replaced
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
