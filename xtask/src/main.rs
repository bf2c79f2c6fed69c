//! The project's own commands: `cargo xtask test`, `codegen`, `tidy`.

mod codegen;
mod environment;
mod java_client;
mod python;
mod steps;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = r#"usage: cargo xtask COMMAND

  test [-- ARGUMENTS]  every check and every test; ARGUMENTS go to `cargo test`
  provide              makes what the tests need besides the code, and prints it: eval "$(cargo xtask provide)"
  codegen [--check]    writes the files that are made from the code (schemas/, docs/), or says whether they are stale
  tidy                 checks the rules of the house over crates and files"#;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => suite::run(&[]),
        ["test", "--", rest @ ..] => suite::run(rest),
        ["provide"] => environment::print(),
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
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
