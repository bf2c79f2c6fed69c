//! That the scenarios, the rules, the surface and the documents fit each other.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use livius_compat::{State, Suite, Surface, document};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn openapi() -> Value {
    let text = fs::read_to_string(root().join("schemas/openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every endpoint of Livy's that Livius has, as `GET /path`.
fn described() -> BTreeSet<String> {
    let openapi = openapi();
    let mut endpoints = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        // What is under `/api` is of our own.
        if !path.starts_with("/api/") {
            let methods = methods.as_object().unwrap().keys();
            endpoints.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
    }
    endpoints
}

/// Reading them checks them: no slip in a pattern, no rule without a scenario, no scenario without a rule.
#[test]
fn the_scenarios_can_be_read() {
    let suite = Suite::own().unwrap();
    for (file, scenario) in suite.scenarios() {
        let tags: Vec<&str> = scenario.tags.iter().map(String::as_str).collect();
        assert!(
            matches!(tags[..], ["spark" | "no-spark"] | ["spark", "session"]),
            "{}: {}: is it `spark`, with or without `session`, or `no-spark`? {tags:?}",
            file.name,
            scenario.name
        );
    }
    let mut names = BTreeSet::new();
    for (file, scenario) in suite.scenarios() {
        assert!(
            names.insert((&file.name, &scenario.name)),
            "{}: two scenarios are called {:?}",
            file.name,
            scenario.name
        );
    }
}

#[test]
fn the_surface_has_what_is_served_and_nothing_else() {
    let suite = Suite::own().unwrap();
    let surface = Surface::own().unwrap();
    let here = surface.endpoints.iter().filter(|one| one.state.is_here());
    let here: BTreeSet<String> = here.map(|one| one.endpoint.clone()).collect();
    assert_eq!(here, described());
    for endpoint in &surface.endpoints {
        for rule in &endpoint.rules {
            assert!(
                suite.rules.get(rule).is_some(),
                "{}: there is no rule {rule}",
                endpoint.endpoint
            );
        }
    }
}

#[test]
fn what_differs_on_purpose_has_a_scenario_that_says_how() {
    let suite = Suite::own().unwrap();
    let surface = Surface::own().unwrap();
    let differing = surface
        .endpoints
        .iter()
        .filter(|one| one.state == State::Differs);
    for endpoint in differing {
        let shown = suite.scenarios().any(|(_, scenario)| {
            let pinned = scenario.pins.iter().any(|pin| endpoint.rules.contains(pin));
            pinned && scenario.steps.iter().any(|step| step.reason.is_some())
        });
        assert!(
            shown,
            "{} differs, but no scenario says how",
            endpoint.endpoint
        );
    }
}

#[test]
fn the_surface_has_the_fields_of_the_described_objects() {
    let openapi = openapi();
    let surface = Surface::own().unwrap();
    for object in &surface.objects {
        let here = object.fields.iter().filter(|field| field.state.is_here());
        let here: BTreeSet<&str> = here.map(|field| field.name.as_str()).collect();
        let described: BTreeSet<&str> = match &object.schema {
            Some(schema) => {
                let properties = &openapi["components"]["schemas"][schema]["properties"];
                let properties = properties.as_object().unwrap_or_else(|| panic!("{schema}"));
                properties.keys().map(String::as_str).collect()
            }
            None => BTreeSet::new(),
        };
        assert_eq!(here, described, "{:?}", object.schema);
    }
}

#[test]
fn the_document_is_up_to_date() {
    let made = document(&Suite::own().unwrap(), &Surface::own().unwrap());
    let written = fs::read_to_string(root().join("docs/COMPATIBILITY.md")).unwrap_or_default();
    assert!(
        written == made,
        "docs/COMPATIBILITY.md is stale: run `cargo xtask codegen`"
    );
}
