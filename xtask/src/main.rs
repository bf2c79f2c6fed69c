//! The project's own commands: `cargo xtask test`, `crash`, `provide`, `codegen`, `tidy`.

mod agent_lint;
mod circles;
mod codegen;
mod crash;
mod deny;
mod environment;
mod faults;
mod helm;
mod jars;
mod kubernetes;
mod python;
mod report;
mod source;
mod steps;
mod suite;
mod tidy;
mod watched;

use std::process::ExitCode;

use steps::Binaries;
use suite::Cluster;

const USAGE: &str = r#"usage: cargo xtask COMMAND

  test [-- ARGUMENTS]  runs every check and every test; ARGUMENTS go to `cargo test`
  test --kubernetes    builds a real Kubernetes if there is none (with Go; minutes, the first time),
                       and runs the tests that need it
  test --yarn          runs the tests that need a real YARN
  test --standalone    runs the tests that need a standalone cluster, with each Spark
  crash [--rounds N] [--seed N]
                       kills the server N times under load, and checks that nothing is lost or doubled
  provide              installs what the tests need besides the code, and prints its variables for a shell:
                       eval "$(cargo xtask provide)"
  codegen [--check]    writes the generated files (schemas/, docs/), or fails if they are stale
  chart [KUBERNETES]   checks the Helm chart; KUBERNETES is the binary with the API server that gets its objects
  faults               has schemathesis look for faults of a server, by its OpenAPI document
  tidy                 checks the rules of the house over crates and files"#;

fn find_faults() -> anyhow::Result<()> {
    let directory = environment::directory()?;
    faults::check(&steps::Steps::begin(), &directory, Binaries::Cargo)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => suite::run(&[]),
        ["test", "--kubernetes"] => suite::run_cluster(Cluster::Kubernetes),
        ["test", "--yarn"] => suite::run_cluster(Cluster::Yarn),
        ["test", "--standalone"] => suite::run_cluster(Cluster::Standalone),
        ["test", "--", rest @ ..] => suite::run(rest),
        ["crash", words @ ..] => crash::run(words),
        ["provide"] => environment::print(),
        ["codegen"] => codegen::write(Binaries::Cargo),
        ["codegen", "--check"] => codegen::check(Binaries::Cargo),
        ["chart"] => helm::run(None),
        ["chart", kubernetes] => helm::run(Some(kubernetes.as_ref())),
        ["faults"] => find_faults(),
        ["tidy"] => tidy::run(),
        _ => {
            steps::tell(USAGE);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            steps::tell(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
