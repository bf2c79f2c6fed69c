//! Tests that the scenarios, the rules, the surface and the documents agree.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use livius_compat::{Keys, Part, State, Suite, Surface, document};
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

/// Every Livy endpoint of Livius, as `GET /path`.
fn described() -> BTreeSet<String> {
    let openapi = openapi();
    let mut endpoints = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        // Paths under `/api` are our own.
        if !path.starts_with("/api/") {
            let methods = methods.as_object().unwrap().keys();
            endpoints.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
        }
    }
    endpoints
}

/// Reading also checks patterns, and that rules and scenarios match.
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
    for (name, _, rules) in surface.rows() {
        for rule in rules {
            let known = suite.rules.get(rule).is_some();
            assert!(known, "{name}: there is no rule {rule}");
        }
    }
}

#[test]
fn the_surface_has_the_parameters_that_are_described_and_no_others() {
    let openapi = openapi();
    let mut wanted = BTreeSet::new();
    for endpoint in described() {
        let (method, path) = endpoint.split_once(' ').unwrap();
        let operation = &openapi["paths"][path][method.to_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|one| one["in"] == "query");
        let names = query.map(|one| one["name"].as_str().unwrap().to_owned());
        wanted.extend(names.map(|name| (endpoint.clone(), name)));
    }
    let surface = Surface::own().unwrap();
    let mut here = BTreeSet::new();
    for parameter in surface.parameters.iter().filter(|one| one.state.is_here()) {
        let endpoints = parameter.endpoints.iter().cloned();
        here.extend(endpoints.map(|endpoint| (endpoint, parameter.parameter.clone())));
        let held = !parameter.endpoints.is_empty() || !parameter.rules.is_empty();
        assert!(held, "{}: nothing holds it", parameter.parameter);
    }
    assert_eq!(here, wanted);
}

#[test]
fn what_differs_on_purpose_has_a_scenario_that_says_how() {
    let suite = Suite::own().unwrap();
    let surface = Surface::own().unwrap();
    let differing = surface
        .rows()
        .filter(|(_, state, rules)| *state == State::Differs && !rules.is_empty());
    for (name, _, rules) in differing {
        let shown = suite.scenarios().any(|(_, scenario)| {
            let pinned = scenario.pins.iter().any(|pin| rules.contains(pin));
            pinned && scenario.steps.iter().any(|step| step.reason.is_some())
        });
        // Or the rule has a reason why no scenario can test it.
        let excused = rules.iter().any(|rule| {
            let rule = suite.rules.get(rule);
            rule.is_some_and(|rule| rule.unpinned.is_some())
        });
        assert!(shown || excused, "{name} differs, but no scenario says how");
    }
}

#[test]
fn every_row_that_differs_or_does_not_apply_says_why() {
    let made = document(
        &Suite::own().unwrap(),
        &Surface::own().unwrap(),
        &Keys::own().unwrap(),
    );
    let silent: Vec<&str> = made
        .lines()
        .filter(|line| {
            let marked = [State::Differs, State::NotApplicable]
                .iter()
                .any(|state| line.contains(&format!("| {} |", state.words())));
            marked && line.ends_with("|  |")
        })
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

/// The names that exist in Livius, except those that rules cover.
fn held_by_openapi(parts: &[Part]) -> BTreeSet<&str> {
    let here = parts.iter().filter(|part| part.state.is_here());
    let here = here.filter(|part| part.rules.is_empty());
    here.map(|part| part.name.as_str()).collect()
}

/// The description of a property, by `Schema.property`.
fn description<'a>(openapi: &'a Value, property: &str) -> &'a str {
    let (schema, property) = property.split_once('.').unwrap();
    let property = &openapi["components"]["schemas"][schema]["properties"][property];
    property["description"].as_str().unwrap()
}

/// The keys of the JSON in a description: texts in front of a colon.
fn shown_keys(description: &str) -> BTreeSet<&str> {
    let pieces: Vec<&str> = description.split('"').collect();
    let pairs = pieces.windows(2).filter(|pair| pair[1].starts_with(':'));
    pairs.map(|pair| pair[0]).collect()
}

#[test]
fn the_surface_has_the_fields_of_the_described_objects() {
    let openapi = openapi();
    let surface = Surface::own().unwrap();
    for object in &surface.objects {
        let described: BTreeSet<&str> = match (&object.schema, &object.described) {
            (Some(schema), _) => {
                let properties = &openapi["components"]["schemas"][schema]["properties"];
                let properties = properties.as_object().unwrap_or_else(|| panic!("{schema}"));
                properties.keys().map(String::as_str).collect()
            }
            (None, Some(property)) => shown_keys(description(&openapi, property)),
            (None, None) => BTreeSet::new(),
        };
        let named = (&object.schema, &object.described);
        assert_eq!(held_by_openapi(&object.fields), described, "{named:?}");
    }
}

#[test]
fn the_surface_has_the_values_of_the_described_fields() {
    let openapi = openapi();
    let surface = Surface::own().unwrap();
    for values in &surface.values {
        let described = match &values.described {
            Some(property) => {
                // After splitting at backticks, every second piece was between two of them.
                let pieces = description(&openapi, property).split('`');
                pieces.skip(1).step_by(2).collect()
            }
            None => BTreeSet::new(),
        };
        assert_eq!(
            held_by_openapi(&values.of),
            described,
            "{:?}",
            values.described
        );
    }
}

/// Adds the schemas that a part of the document references, and their references.
fn referred<'a>(openapi: &'a Value, part: &'a Value, found: &mut BTreeSet<&'a str>) {
    match part {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = value.as_str().filter(|_| key == "$ref");
                match name.and_then(|name| name.rsplit('/').next()) {
                    Some(name) if found.insert(name) => {
                        referred(openapi, &openapi["components"]["schemas"][name], found);
                    }
                    Some(_) => {}
                    None => referred(openapi, value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| referred(openapi, item, found)),
        _ => {}
    }
}

#[test]
fn the_surface_has_every_object_that_is_described() {
    let openapi = openapi();
    let mut found = BTreeSet::new();
    let paths = openapi["paths"].as_object().unwrap();
    let livys = paths.iter().filter(|(path, _)| !path.starts_with("/api/"));
    livys.for_each(|(_, methods)| referred(&openapi, methods, &mut found));
    // The list of candidates is not a separate object.
    found.remove("Vec");
    let surface = Surface::own().unwrap();
    let objects = surface.objects.iter();
    let listed: BTreeSet<&str> = objects.filter_map(|one| one.schema.as_deref()).collect();
    let missing: BTreeSet<_> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_keys_are_those_of_the_registry() {
    let keys = Keys::own().unwrap();
    assert!(keys.all().count() > 200, "{}", keys.all().count());
}

#[test]
fn the_document_is_up_to_date() {
    let made = document(
        &Suite::own().unwrap(),
        &Surface::own().unwrap(),
        &Keys::own().unwrap(),
    );
    let written = fs::read_to_string(root().join("docs/COMPATIBILITY.md")).unwrap_or_default();
    assert!(
        written == made,
        "docs/COMPATIBILITY.md is stale: run `cargo xtask codegen`"
    );
}
