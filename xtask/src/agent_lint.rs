//! The linters of the agent's languages. Users' machines compile the agent without warnings shown,
//! so the suite looks at them: for both Scala versions, as errors.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use anyhow::Context as _;

use crate::environment::Provisions;
use crate::report::Report;
use crate::steps::{Steps, root};

const SCALA_OPTIONS: &[&str] = &[
    "-usejavacp",
    "-encoding",
    "UTF-8",
    "-deprecation",
    "-feature",
    "-unchecked",
    "-Xlint",
    "-Xfatal-warnings",
    // Livy's job interface names these classes, so the agent has to.
    "-Wconf:cat=deprecation&msg=JavaStreamingContext|HiveContext:s",
    // No phase after this one warns, and no class files are written.
    "-Ystop-after:uncurry",
];

/// Checks the Scala, Python and R of the agent.
pub fn run(steps: &Steps, report: &mut Report, provisions: &Provisions) -> anyhow::Result<()> {
    thread::scope(|scope| {
        // Each compiler keeps one processor busy.
        let older = scope.spawn(|| scala(steps, provisions, &provisions.spark_35, "2.12"));
        let newer = scala(steps, provisions, &provisions.spark_4, "2.13");
        let older = older
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        older.and(newer)
    })?;
    let mut ruff = Command::new(&provisions.python);
    ruff.args(["-m", "ruff", "check", "--no-cache", "--quiet", "."])
        .current_dir(agent().join("python"));
    steps.run("lint: the agent's Python", &mut ruff)?;
    if let Some(rscript) = &provisions.r {
        let mut lint = Command::new(rscript);
        lint.args(["r/tests/lint.R", "r"]).current_dir(agent());
        steps.run("lint: the agent's R", &mut lint)
    } else {
        report.skip("SKIPPED: the lint of the agent's R, as R is not installed");
        Ok(())
    }
}

fn scala(
    steps: &Steps,
    provisions: &Provisions,
    spark: &str,
    scala_line: &str,
) -> anyhow::Result<()> {
    let jars = Path::new(spark).join("jars");
    let hive = if names(&jars)?.any(|name| name.starts_with("spark-hive_")) {
        "hive"
    } else {
        "without-hive"
    };
    let mut sources = Vec::new();
    for variant in ["common", scala_line, hive] {
        collect(&agent().join("scala").join(variant), &mut sources)?;
    }
    let mut compiler = Command::new(Path::new(&provisions.java).join("bin/java"));
    compiler
        .args([
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xss8m",
            "-cp",
        ])
        .arg(jars.join("*"))
        .arg("scala.tools.nsc.Main")
        .args(SCALA_OPTIONS)
        .args(sources);
    steps.run(
        &format!("lint: the agent's Scala with {scala_line}"),
        &mut compiler,
    )
}

fn agent() -> PathBuf {
    root().join("agent")
}

fn names(directory: &Path) -> anyhow::Result<impl Iterator<Item = String>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned()))
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for name in names(directory)? {
        let path = directory.join(&name);
        if path.is_dir() {
            collect(&path, into)?;
        } else if name.ends_with(".scala") {
            into.push(path);
        }
    }
    Ok(())
}
