//! Draws `docs/dashboard.png`: the panels of the dashboard in their places, with what Prometheus returned for their queries.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::dashboard::Dashboard;
use super::servers::{Prometheus, written};
use crate::support::in_repository;

const WIDTH: u64 = 1240;

/// Draws the dashboard for the time from one second to another.
///
/// # Panics
/// `CHROMIUM` names no browser.
pub fn draw(dashboard: &Dashboard, prometheus: &Prometheus, from: f64, to: f64, png: &Path) {
    let mut results: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for query in dashboard.queries() {
        let series = query.run(prometheus, from, to);
        let named = series
            .iter()
            .map(|series| json!([query.legend(series), series.points]));
        let panel = query.panel["id"].to_string();
        results.entry(panel).or_default().extend(named);
    }
    let data = json!({
        "title": dashboard.0["title"], "panels": dashboard.0["panels"], "results": results, "from": from, "to": to,
    });
    let read = |path: &str| {
        fs::read_to_string(in_repository("tests/clients/monitoring").join(path)).expect(path)
    };
    let chart = "node_modules/uplot/dist";
    let page = read("picture.html").replacen(
        "<style>",
        &format!(
            "<script>{}</script>\n<script>const DATA = {};</script>\n<style>{}\n",
            read(&format!("{chart}/uPlot.iife.min.js")),
            data.to_string().replace('<', "\\u003c"),
            read(&format!("{chart}/uPlot.min.css")),
        ),
        1,
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = written(folder.path(), "picture.html", &page);
    let chromium = std::env::var_os("CHROMIUM").expect("CHROMIUM names a browser");
    let drawn = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .arg(format!("--window-size={WIDTH},{}", height(dashboard)))
        .arg(format!("--screenshot={}", png.display()))
        .arg(format!("file://{page}"))
        .output()
        .expect("Chromium runs");
    assert!(
        drawn.status.success(),
        "{}",
        String::from_utf8_lossy(&drawn.stderr)
    );
}

/// The height of the page in pixels: of a row of the grid 26, and 8 below it.
fn height(dashboard: &Dashboard) -> u64 {
    let panels = dashboard.0["panels"].as_array().expect("panels").iter();
    let end = |panel: &Value| {
        let place = &panel["gridPos"];
        place["y"].as_u64().unwrap_or(0) + place["h"].as_u64().unwrap_or(0)
    };
    60 + 34 * panels.map(end).max().unwrap_or(0)
}
