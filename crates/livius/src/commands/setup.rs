//! `livius setup`: finds Java and Spark, or installs them for this user, and prepares them.

use anyhow::anyhow;
use livius_spark_home::{Found, Python, Search, SetupError, SetupOrder, Step};
use serde_json::json;

use crate::cli::Setup;
use crate::config::Configuration;
use crate::exit::Ending;
use crate::terminal::{self, Progress};

/// The word for the default version.
const DEFAULT: &str = "default";

/// Runs the command.
pub fn run(arguments: &Setup) -> anyhow::Result<Ending> {
    let (Configuration { settings, .. }, environment) = super::load(&arguments.flags.layer())?;
    let search = settings.search(&environment);
    let progress = Progress::begin();
    let mut ready = Vec::new();
    for version in versions(arguments, &search)? {
        let class_archive = settings.spark.class_archive;
        ready.push(prepare(&search, version, class_archive, &progress)?);
    }
    if arguments.json {
        terminal::say(&format!("{:#}", json!(ready)));
    } else {
        for found in &ready {
            terminal::say(&summary(found));
        }
        terminal::say(
            "setup: done; `livius doctor` tells what each kind of session would do here, `livius serve` starts the server",
        );
    }
    Ok(Ending::Good)
}

/// The named versions, or `None` for any Spark that is there.
fn versions(arguments: &Setup, search: &Search) -> anyhow::Result<Vec<Option<String>>> {
    if arguments.spark_version.is_empty() {
        return Ok(vec![None]);
    }
    let named = |version: &String| {
        if version != DEFAULT {
            return Ok(Some(version.clone()));
        }
        let python = Python::find(&search.environment, "python3")
            .map_err(SetupError::Python)
            .map_err(explained)?;
        Ok(Some(
            livius_spark_home::default_spark(&python.version).to_owned(),
        ))
    };
    arguments.spark_version.iter().map(named).collect()
}

/// Finds or installs one Spark, and prints each step.
pub fn prepare(
    search: &Search,
    spark_version: Option<String>,
    class_archive: bool,
    progress: &Progress,
) -> anyhow::Result<Found> {
    let order = SetupOrder {
        search: search.clone(),
        spark_version,
        check_again: false,
        class_archive,
    };
    let found =
        livius_spark_home::setup(&order, &|event| tell(progress, event)).map_err(explained)?;
    for warning in &found.warnings {
        progress.step(&format!("note: {warning}"));
    }
    Ok(found)
}

/// A failure with its remedy.
fn explained(error: SetupError) -> anyhow::Error {
    let hint = error.hint();
    let told = anyhow::Error::new(error);
    anyhow!("failed to {told:#}\n  what to do: {hint}")
}

fn tell(progress: &Progress, event: livius_spark_home::Progress<'_>) {
    let text = match event {
        livius_spark_home::Progress::Begun(step, what) => match step {
            Step::Spark => format!("installing Spark ({what}): about 400 MB, a minute or two"),
            Step::Java => format!("installing Java ({what}), as none was found that fits"),
            Step::Agent => format!("compiling the agent for {what}"),
            Step::Check => {
                "running a small Spark job, to see that it all works together".to_owned()
            }
            Step::Archive => {
                "making an archive of Spark's classes, so that drivers start faster: about a minute"
                    .to_owned()
            }
        },
        livius_spark_home::Progress::Waiting(step) => {
            format!("waiting for another livius setup, which is {}", doing(step))
        }
        livius_spark_home::Progress::Line(line) => format!("  {line}"),
        livius_spark_home::Progress::Present(step, place) => format!("{}: {place}", present(step)),
        livius_spark_home::Progress::Ended(Step::Check, _) => "the small Spark job ran".to_owned(),
        livius_spark_home::Progress::Ended(step, place) => format!("{}: {place}", ready(step)),
    };
    progress.step(&text);
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Spark => "installing Spark",
        Step::Java => "installing Java",
        Step::Agent => "compiling the agent",
        Step::Check => "running a small Spark job",
        Step::Archive => "making an archive of Spark's classes",
    }
}

fn present(step: Step) -> &'static str {
    match step {
        Step::Spark => "Spark is there",
        Step::Java => "Java is there",
        Step::Agent => "the agent is compiled",
        Step::Check => "a small Spark job ran here before",
        Step::Archive => "the archive of Spark's classes is there",
    }
}

fn ready(step: Step) -> &'static str {
    match step {
        Step::Spark => "Spark is installed",
        Step::Java => "Java is installed",
        Step::Agent => "the agent is compiled",
        Step::Check => "it runs",
        Step::Archive => "the archive of Spark's classes is made",
    }
}

fn summary(found: &Found) -> String {
    format!(
        "Spark {} (Scala {}) at {}, with Java {} at {}",
        found.spark.version,
        found.spark.scala,
        found.spark.home,
        found.java.version,
        found.java.home
    )
}
