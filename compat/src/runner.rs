//! Runs scenarios against a server.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Instant;

use serde_json::Value;

use crate::report::{Outcome, Report, Verdict};
use crate::scenario::Scenario;
use crate::suite::{Group, Suite};
use crate::talk::Talk;
use crate::target::Target;
use crate::variables::Variables;

/// The lengths of `${long}`, which does not fit into one packet, and of `${longer}`.
const LONG: [(&str, usize); 2] = [("long", 4_000), ("longer", 200_000)];

/// The scenarios to run, and their variables.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only scenarios whose file and name contain this text.
    pub only: Option<String>,
    /// Only scenarios with this tag.
    pub tag: Option<String>,
    /// Skips scenarios with this tag.
    pub without: Option<String>,
    /// Values for `${…}`.
    pub variables: Variables,
}

impl Options {
    fn wants(&self, group: &Group, scenario: &Scenario) -> bool {
        let name = format!("{}: {}", group.name, scenario.name);
        self.only.as_ref().is_none_or(|text| name.contains(text))
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| scenario.tags.contains(tag))
    }
}

/// Runs the scenarios in order.
pub fn run(suite: &Suite, target: &Target, options: &Options) -> Report {
    let mut variables = options.variables.clone();
    variables.insert("unique".to_owned(), Value::from(unique()));
    variables.insert("host".to_owned(), Value::from(target.host()));
    for (name, length) in LONG {
        variables.insert(name.to_owned(), Value::from("x".repeat(length)));
    }
    let mut outcomes = Vec::new();
    for group in &suite.files {
        let wanted: Vec<&Scenario> = group
            .scenarios
            .iter()
            .filter(|scenario| options.wants(group, scenario))
            .collect();
        outcomes.extend(run_group(target, group, &wanted, options, &variables));
    }
    Report {
        url: target.url.clone(),
        server: target.kind,
        version: target.version,
        outcomes,
    }
}

fn run_group(
    target: &Target,
    group: &Group,
    wanted: &[&Scenario],
    options: &Options,
    variables: &Variables,
) -> Vec<Outcome> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut talk = Talk::new(target, variables.clone());
    let mut outcomes = Vec::new();
    let begun = Instant::now();
    let left_out = |scenario: &Scenario| left_out(scenario, target, options, variables);
    let ready = if wanted.iter().all(|scenario| left_out(scenario).is_some()) {
        Ok(())
    } else {
        talk.all(&group.setup)
    };
    if let Err(difference) = ready {
        outcomes.push(outcome(
            group,
            "setup",
            &[],
            Verdict::Differs(difference),
            begun,
        ));
    }
    let is_ready = outcomes.is_empty();
    for scenario in wanted {
        let begun = Instant::now();
        let mut own = Talk::new(target, talk.variables.clone());
        let verdict = match left_out(scenario) {
            Some(verdict) => verdict,
            None if !is_ready => Verdict::Skipped("its file's setup failed".to_owned()),
            None => own.verdict(scenario),
        };
        let mut done = outcome(group, &scenario.name, &scenario.pins, verdict, begun);
        done.exchanges = own.exchanges;
        outcomes.push(done);
    }
    talk.clean_up(&group.cleanup);
    outcomes
}

/// Tells why a scenario does not run.
fn left_out(
    scenario: &Scenario,
    target: &Target,
    options: &Options,
    variables: &Variables,
) -> Option<Verdict> {
    let mut needs = scenario.needs.iter();
    let why = if let (Some(since), Some(version)) = (scenario.since, target.version)
        && version < since
    {
        format!("Livy has it since {since}, and this is {version}")
    } else if let Some(tag) = &options.without
        && scenario.tags.contains(tag)
    {
        format!("--without {tag}")
    } else {
        let missing = needs.find(|name| !variables.contains_key(*name))?;
        format!("needs --set {missing}=…")
    };
    Some(Verdict::Skipped(why))
}

fn outcome(
    group: &Group,
    name: &str,
    pins: &[String],
    verdict: Verdict,
    begun: Instant,
) -> Outcome {
    Outcome {
        file: group.name.clone(),
        scenario: name.to_owned(),
        pins: pins.to_vec(),
        verdict,
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        exchanges: Vec::new(),
    }
}

/// A unique text, so that names do not collide on a server in use.
fn unique() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
