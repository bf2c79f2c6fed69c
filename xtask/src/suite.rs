//! Everything that must hold: the checks, then the tests, on a machine that has nothing but Rust, Python and a C compiler.

use std::ffi::OsString;
use std::process::Command;
use std::thread;

use crate::environment::{self, Provisions};
use crate::steps::{Steps, cargo, root, tell, works};
use crate::{codegen, tidy};

/// Runs it all; the first failure ends it.
pub fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let steps = Steps::begin();
    let result = all(&steps, arguments);
    match &result {
        Ok(()) => tell(&format!("tests: all passed in {}", steps.elapsed().trim())),
        Err(_) => tell(&format!("tests: FAILED after {}", steps.elapsed().trim())),
    }
    result
}

fn all(steps: &Steps, arguments: &[&str]) -> anyhow::Result<()> {
    thread::scope(|scope| {
        // Packages are a matter of the network, the checks one of the processors.
        let packages = scope.spawn(|| environment::packages(steps));
        checks(steps)?;
        packages
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let provisions = environment::provide(steps)?;
    python_tests(steps, &provisions)?;
    rust_tests(steps, &provisions, arguments)
}

fn checks(steps: &Steps) -> anyhow::Result<()> {
    if works(cargo().args(["fmt", "--version"])) {
        steps.run(
            "format: checking",
            cargo().args(["fmt", "--all", "--check"]),
        )?;
    } else {
        steps.say("format: SKIPPED, as rustfmt is not installed (rustup component add rustfmt)");
    }
    steps.say("tidy: checking the rules of the house");
    tidy::run()?;
    if works(cargo().args(["clippy", "--version"])) {
        let mut clippy = cargo();
        clippy.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]);
        steps.run("clippy: checking (minutes, the first time)", &mut clippy)?;
    } else {
        steps.say("clippy: SKIPPED, as it is not installed (rustup component add clippy)");
    }
    steps.run(
        "build: the binary (minutes, the first time)",
        cargo().args(["build", "--package", "livius"]),
    )?;
    steps.say("codegen: checking that generated files are up to date");
    codegen::check()
}

/// The part of the agent that is Python has tests of its own.
fn python_tests(steps: &Steps, provisions: &Provisions) -> anyhow::Result<()> {
    let directory = root().join("agent/python");
    let mut command = Command::new(&provisions.python);
    command.args([
        "-m",
        "unittest",
        "discover",
        "--start-directory",
        "tests",
        "--top-level-directory",
        ".",
    ]);
    steps.run("python: testing the agent", command.current_dir(directory))
}

/// The quick tests first, then those of the binary with real Spark: who breaks the former need not wait for the latter.
fn rust_tests(steps: &Steps, provisions: &Provisions, arguments: &[&str]) -> anyhow::Result<()> {
    let mut quick = cargo();
    quick.args([
        "test",
        "--workspace",
        "--exclude",
        "livius",
        "--all-targets",
    ]);
    let mut real = cargo();
    real.args(["test", "--package", "livius", "--no-fail-fast"]);
    steps.run(
        "cargo test: everything that needs no Spark",
        told(&mut quick, provisions, arguments),
    )?;
    steps.run(
        "cargo test: the binary with real Spark, which is started many times (minutes)",
        told(&mut real, provisions, arguments),
    )
}

/// What the tests are told of the machine; what it is set up for otherwise must not decide what is tested.
fn told<'a>(
    command: &'a mut Command,
    provisions: &Provisions,
    arguments: &[&str],
) -> &'a mut Command {
    for name in inherited() {
        command.env_remove(name);
    }
    command.args(arguments).envs(provisions.variables())
}

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
