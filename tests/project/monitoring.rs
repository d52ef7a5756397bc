//! `envoy/monitoring/`: the dashboard is what its script prints, and each alert has a description in the documentation.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::in_repository;

fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_dashboard_is_what_its_script_prints() {
    let script = in_repository("envoy/monitoring/dashboard.py");
    let printed = Command::new("python3").arg(script).output();
    let printed = printed.expect("python3 runs").stdout;
    let printed = String::from_utf8(printed).unwrap();
    assert!(
        printed == read("envoy/monitoring/dashboard.json"),
        "run: envoy/monitoring/dashboard.py >envoy/monitoring/dashboard.json"
    );
}

#[test]
fn panels_fill_the_width_and_do_not_overlap() {
    let dashboard: Value = serde_json::from_str(&read("envoy/monitoring/dashboard.json")).unwrap();
    let mut taken = std::collections::BTreeSet::new();
    let mut lines = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        lines = lines.max(place("y") + place("h"));
        for y in place("y")..place("y") + place("h") {
            for x in place("x")..place("x") + place("w") {
                assert!(x < 24, "{} is too wide", panel["title"]);
                assert!(taken.insert((x, y)), "{} overlaps", panel["title"]);
            }
        }
    }
    assert_eq!(taken.len() as u64, 24 * lines);
}

#[test]
fn each_alert_has_a_section_and_a_row_with_its_severity() {
    let rules: Value = serde_yaml_ng::from_str(&read("envoy/monitoring/alerts.yaml")).unwrap();
    let page = read("docs/monitoring.md");
    let mut alerts = 0;
    for rule in rules["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| {
            let rules = group["rules"].as_array().expect("rules");
            rules.iter()
        })
    {
        let Some(name) = rule["alert"].as_str() else {
            continue;
        };
        alerts += 1;
        let anchor = name.to_lowercase();
        let runbook = format!("docs/monitoring.md#{anchor}");
        assert_eq!(rule["annotations"]["runbook"], runbook.as_str(), "{name}");
        assert!(
            page.contains(&format!("\n### {name}\n\n")),
            "{name} has no section"
        );
        let severity = rule["labels"]["severity"].as_str().unwrap();
        let row = format!("\n| [`{name}`](#{anchor}) | {severity} | ");
        assert!(page.contains(&row), "{name} has no row with {severity}");
    }
    let rows = page.matches("\n| [`Countersign").count();
    assert_eq!(alerts, rows, "rows without an alert");
}
