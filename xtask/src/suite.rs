//! The suite: the checks, then the tests, on a machine that has Rust, Python and a C compiler.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::ScopedJoinHandle;
use std::{fs, thread};

use anyhow::{Context as _, anyhow};

use crate::environment::{self, Provisions};
use crate::report::Report;
use crate::steps::{Binaries, Steps, cargo, minutes, output, root, tell, works};
use crate::{agent_lint, codegen, deny, faults, helm, kubernetes, tidy, watched};

/// The test target that needs real Spark.
const REAL_SPARK: &str = "spark";

/// The Sparks that it runs with, as the names of its tests begin.
const SPARKS: [&str; 2] = ["spark_3_5", "spark_4"];

/// The test target that needs real YARN, and no Spark.
const REAL_YARN: &str = "real_yarn";

/// The test targets that need a real Kubernetes, and no Spark.
const REAL_KUBERNETES: &str = "real_kubernetes";

/// A kind of cluster that has tests of its own.
#[derive(Debug, Clone, Copy)]
pub enum Cluster {
    Kubernetes,
    Standalone,
    Yarn,
}

/// Runs the suite up to the first failure, and prints the report.
pub fn run(arguments: &[&str]) -> anyhow::Result<()> {
    reported(|steps, report| all(steps, report, arguments))
}

/// Runs the tests that need a cluster of this kind, up to the first failure, and prints the report.
pub fn run_cluster(cluster: Cluster) -> anyhow::Result<()> {
    reported(|steps, report| only(steps, report, cluster))
}

fn reported(run: impl FnOnce(&Steps, &mut Report) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let steps = Steps::begin();
    let mut report = Report::default();
    let result = run(&steps, &mut report);
    tell(report.text(&steps.ended()).trim_end());
    let took = minutes(steps.elapsed());
    match &result {
        Ok(()) => tell(&format!("tests: all passed in {}", took.trim())),
        Err(_) => tell(&format!("tests: FAILED after {}", took.trim())),
    }
    result
}

fn only(steps: &Steps, report: &mut Report, cluster: Cluster) -> anyhow::Result<()> {
    let times = times_file()?;
    // The longest part comes first, because it may find that Go is missing.
    let api_server = match cluster {
        Cluster::Kubernetes => Some(kubernetes::build(steps, &environment::directory()?)?),
        Cluster::Standalone | Cluster::Yarn => None,
    };
    build(steps, report)?;
    environment::packages(steps)?;
    let provisions = environment::provide(steps, Binaries::Built)?;
    if let Some(api_server) = &api_server {
        helm::check(steps, report, Some(api_server), Binaries::Built)?;
    }
    let (own, name, filter) = match cluster {
        Cluster::Kubernetes => (Some(REAL_KUBERNETES), "Kubernetes", "::kubernetes::"),
        Cluster::Standalone => (None, "standalone clusters", "::standalone::"),
        Cluster::Yarn => (Some(REAL_YARN), "YARN", "::yarn::"),
    };
    if let Some(own) = own {
        let mut client = test(&["--test".to_owned(), own.to_owned()], &[]);
        client
            .envs(provisions.variables())
            .env("LIVIUS_TEST_WHOLE", "1");
        let step = format!("tests: real {name}, without the binary");
        run_tests(steps, report, &step, client)?;
    }
    let mut binary = test(
        &["--test".to_owned(), REAL_SPARK.to_owned()],
        &["--", filter],
    );
    binary
        .envs(provisions.variables())
        .env("LIVIUS_TEST_WHOLE", "1")
        .env("LIVIUS_TEST_TIMES", &times);
    let step = format!("tests: the binary with real {name} and real Spark");
    let result = run_tests(steps, report, &step, binary);
    report.read_times(&fs::read_to_string(&times).unwrap_or_default());
    result
}

fn all(steps: &Steps, report: &mut Report, arguments: &[&str]) -> anyhow::Result<()> {
    let directory = environment::directory()?;
    let times = times_file()?;
    format_and_rules(steps, report)?;
    let (cargo_deny, provisions) = thread::scope(|scope| {
        // Installing packages waits for the network, and unpacking them keeps one processor busy.
        // All of it runs at the same time as what needs no Spark.
        let packages = scope.spawn(|| {
            let cargo_deny = deny::install(steps, &directory);
            environment::packages(steps).map(|()| cargo_deny)
        });
        build(steps, report)?;
        let provisions = scope.spawn(|| {
            let cargo_deny = joined(packages)?;
            let provisions = environment::provide(steps, Binaries::Built)?;
            anyhow::Ok((cargo_deny, provisions))
        });
        steps.step("codegen: are generated files up to date?", || {
            codegen::check(Binaries::Built)
        })?;
        let mut quick = test(&quick_targets()?, arguments);
        if !arguments.contains(&"--") {
            quick.args(["--", "--test-threads", &quick_threads().to_string()]);
        }
        run_tests(steps, report, "tests: all that need no Spark", quick)?;
        joined(provisions)
    })?;
    deny::check(steps, report, cargo_deny)?;
    if provisions.r.is_none() {
        report.skip("SKIPPED: most tests of R, as R is not installed");
    }
    agent_lint::run(steps, report, &provisions)?;
    faults::check(steps, &directory, Binaries::Built)?;
    python_tests(steps, &provisions)?;
    let mut yarn = test(&["--test".to_owned(), REAL_YARN.to_owned()], arguments);
    yarn.envs(provisions.variables());
    run_tests(
        steps,
        report,
        "tests: the client of YARN with real YARN",
        yarn,
    )?;
    let mut pods = test(
        &["--test".to_owned(), REAL_KUBERNETES.to_owned()],
        arguments,
    );
    pods.envs(provisions.variables());
    let name = "tests: real Kubernetes, if its API server is built";
    run_tests(steps, report, name, pods)?;
    let result = real_sparks(steps, report, |lane| {
        let mut real = test(&["--test".to_owned(), REAL_SPARK.to_owned()], arguments);
        real.envs(provisions.variables())
            .env("LIVIUS_TEST_LANE", lane)
            .env("LIVIUS_TEST_TIMES", &times);
        real
    });
    report.read_times(&fs::read_to_string(&times).unwrap_or_default());
    result
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn format_and_rules(steps: &Steps, report: &mut Report) -> anyhow::Result<()> {
    if works(cargo().args(["fmt", "--version"])) {
        steps.run("format", cargo().args(["fmt", "--all", "--check"]))?;
    } else {
        report.skip("SKIPPED: format, as rustfmt is not installed (rustup component add rustfmt)");
    }
    steps.step("tidy: the rules of the house", tidy::run)
}

/// Builds the binaries and the tests with clippy's lints, once for everything that follows.
fn build(steps: &Steps, report: &mut Report) -> anyhow::Result<()> {
    if !has_clippy() {
        report.skip("SKIPPED: clippy, as it is not installed (rustup component add clippy)");
    }
    steps.run(
        "build: the binaries and the tests, with lints (minutes, the first time)",
        compiling("test").args(["--workspace", "--all-targets", "--no-run"]),
    )
}

fn has_clippy() -> bool {
    works(Command::new("clippy-driver").arg("--version"))
}

/// A command of cargo that compiles. All of them use one compiler, so nothing is compiled twice.
pub fn compiling(word: &str) -> Command {
    let mut command = cargo();
    command.arg(word);
    if has_clippy() {
        let compiler = root().join("xtask/rustc-with-lints");
        command.env("RUSTC_WORKSPACE_WRAPPER", compiler);
    }
    command
}

/// Tests the Python part of the agent, and its tables with another pandas.
fn python_tests(steps: &Steps, provisions: &Provisions) -> anyhow::Result<()> {
    let all = [
        "discover",
        "--start-directory",
        "tests",
        "--top-level-directory",
        ".",
    ];
    let mut command = unittest(&provisions.python);
    steps.run("tests: the agent's Python", command.args(all))?;
    let mut command = unittest(&provisions.pandas_3);
    let name = "tests: the agent's tables with pandas 3";
    steps.run(name, command.arg("tests.test_tables"))
}

fn unittest(python: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "unittest"])
        .current_dir(root().join("agent/python"));
    command
}

/// `cargo test` with some targets. It names the whole workspace, so that it uses what was built.
fn test(targets: &[String], arguments: &[&str]) -> Command {
    let mut command = compiling("test");
    command
        .args(["--workspace", "--no-fail-fast"])
        .args(targets)
        .args(arguments);
    for name in inherited() {
        command.env_remove(name);
    }
    command
}

/// Runs tests, and reads their output for the report.
fn run_tests(
    steps: &Steps,
    report: &mut Report,
    name: &str,
    command: Command,
) -> anyhow::Result<()> {
    let (lines, result) = read_tests(steps, name, command)?;
    lines.iter().for_each(|line| report.read(line));
    result
}

/// Runs tests. Answers the lines of their output that belong in the report, and whether all passed.
fn read_tests(
    steps: &Steps,
    name: &str,
    command: Command,
) -> anyhow::Result<(Vec<String>, anyhow::Result<()>)> {
    steps.step(name, || {
        let (status, lines) = watched::run(command, Report::wants)?;
        let result = if status.success() {
            Ok(())
        } else {
            Err(anyhow!("{name}: failed ({status})"))
        };
        Ok((lines, result))
    })
}

/// Runs the tests of each Spark side by side. Tests of one Spark run one after the other, and leave the
/// processors idle for nearly half of the time.
fn real_sparks(
    steps: &Steps,
    report: &mut Report,
    command: impl Fn(&str) -> Command,
) -> anyhow::Result<()> {
    let lanes = SPARKS.map(|lane| {
        let name = format!("tests: the binary with real Spark, {lane} (many minutes)");
        (name, command(lane))
    });
    let ended = thread::scope(|scope| {
        let run = |(name, command): (String, Command)| {
            scope.spawn(move || read_tests(steps, &name, command))
        };
        lanes.map(run).map(joined)
    });
    let mut failures = Vec::new();
    for lane in ended {
        let (lines, result) = lane?;
        lines.iter().for_each(|line| report.read(line));
        failures.extend(result.err());
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// An empty file in which tests write their times.
fn times_file() -> anyhow::Result<PathBuf> {
    let path = root().join("target/test-env/times.txt");
    fs::write(&path, "").with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Words for `cargo test` that choose every target but those that need real Spark or a real cluster.
fn quick_targets() -> anyhow::Result<Vec<String>> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let mut words = ["--lib", "--bins"].map(str::to_owned).to_vec();
    for name in test_targets(&metadata)? {
        if ![REAL_SPARK, REAL_YARN, REAL_KUBERNETES].contains(&name.as_str()) {
            words.extend(["--test".to_owned(), name]);
        }
    }
    Ok(words)
}

/// The number of quick tests that run at the same time. Most of them wait for timers, processes or the
/// disk, and use little of a processor.
fn quick_threads() -> usize {
    const FOR_EACH_PROCESSOR: usize = 3;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors * FOR_EACH_PROCESSOR
}

/// The names of all integration tests.
fn test_targets(metadata: &str) -> anyhow::Result<BTreeSet<String>> {
    let metadata: serde_json::Value =
        serde_json::from_str(metadata).context("cargo metadata did not print JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| target["kind"][0] == "test");
    Ok(tests
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}

/// Variables that set up Livius or Spark on this machine. They must not decide what is tested.
fn inherited() -> Vec<OsString> {
    let foreign = |name: &OsString| {
        let name = name.to_string_lossy();
        let ours = name.starts_with("LIVIUS_") && !name.starts_with("LIVIUS_TEST_");
        ours || name.starts_with("SPARK_") || name.starts_with("PYSPARK")
    };
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(foreign)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_tests_are_found_once_each() {
        let metadata = r#"{"packages": [
            {"targets": [{"name": "a", "kind": ["lib"]}, {"name": "edge", "kind": ["test"]}]},
            {"targets": [{"name": "edge", "kind": ["test"]}, {"name": "spark", "kind": ["test"]}]}
        ]}"#;
        let found = test_targets(metadata).expect("it is JSON");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["edge", "spark"]);
    }
}
