//! The Grafana dashboard asks only for metrics and labels that exist.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::{BTreeMap, BTreeSet};

use livius_metrics::Metrics;
use regex::Regex;
use serde_json::Value;

/// Labels that Prometheus gives every series.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

/// Every series of the server, with the names of its labels.
fn series() -> BTreeMap<String, BTreeSet<String>> {
    let mut series = BTreeMap::new();
    for family in Metrics::default().descriptions() {
        let labels = family.labels.iter().chain(&OF_PROMETHEUS);
        let labels: BTreeSet<String> = labels.map(|&label| label.to_owned()).collect();
        if family.kind == "histogram" {
            for suffix in ["_sum", "_count"] {
                series.insert(format!("{}{suffix}", family.name), labels.clone());
            }
            let with_bound = labels.iter().cloned().chain(["le".to_owned()]).collect();
            series.insert(format!("{}_bucket", family.name), with_bound);
        } else {
            series.insert(family.name.clone(), labels);
        }
    }
    series
}

/// Every value of a key, wherever it is.
fn values<'a>(document: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == key => found.push(text),
                    _ => values(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values(item, key, found)),
        _ => {}
    }
}

/// Tells what is wrong with a query: a metric that does not exist, or a label that none of its metrics
/// has.
fn faults(query: &str, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let metric = Regex::new(r"\b(?:livius|process)_\w+").unwrap();
    let mut faults = Vec::new();
    let mut labels = BTreeSet::new();
    for name in metric.find_iter(query).map(|found| found.as_str()) {
        match known.get(name) {
            Some(of_metric) => labels.extend(of_metric.iter().map(String::as_str)),
            None => faults.push(format!("{name} is no metric")),
        }
    }
    let groups = Regex::new(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)").unwrap();
    let matchers = Regex::new(r#"(\w+)\s*(?:=~|!~|!=|=)\s*""#).unwrap();
    let grouped = groups.captures_iter(query).flat_map(|group| {
        let list = group.get(1).unwrap().as_str();
        list.split(',').map(str::trim)
    });
    let matched = matchers
        .captures_iter(query)
        .map(|it| it.get(1).unwrap().as_str());
    for label in grouped
        .chain(matched)
        .filter(|label| !labels.contains(label))
    {
        faults.push(format!("{label} is no label of these metrics"));
    }
    faults
}

#[test]
fn the_dashboard_asks_only_for_what_exists() {
    let document = include_str!("../../../deploy/helm/livius/dashboards/livius.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let known = series();
    let mut queries = Vec::new();
    values(&document, "expr", &mut queries);
    assert!(queries.len() > 10);
    let mut shown = BTreeSet::new();
    for query in &queries {
        assert_eq!(faults(query, &known), Vec::<String>::new(), "{query}");
        shown.extend(known.keys().filter(|name| query.contains(name.as_str())));
    }
    for family in Metrics::default().descriptions() {
        let is_shown = shown.iter().any(|name| name.starts_with(&family.name));
        assert!(is_shown, "{} is on no panel", family.name);
    }
    let mut variables = Vec::new();
    values(&document["templating"], "query", &mut variables);
    for query in variables.into_iter().filter(|query| query.contains('(')) {
        assert_eq!(faults(query, &known), Vec::<String>::new(), "{query}");
    }
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    let known = series();
    for (query, count) in [
        ("sum by (state) (livius_sessions)", 0),
        ("sum by (status) (livius_sessions)", 1),
        ("livius_session", 1),
        (r#"livius_sessions{kind="x"}"#, 1),
        ("sum by (le) (livius_sessions)", 1),
        (
            "sum by (le, kind) (rate(livius_statement_duration_seconds_bucket[5m]))",
            0,
        ),
        ("livius_statement_duration_seconds", 1),
    ] {
        assert_eq!(faults(query, &known).len(), count, "{query}");
    }
}
