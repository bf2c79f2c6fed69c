//! The commands, one file each.

mod config;
mod connection;
mod doctor;
mod errors;
mod evaluation;
mod kill;
mod list;
mod logs;
mod openapi;
mod quickstart;
mod run;
mod serve;
mod setup;
mod shell;
mod submit;
mod supervise;
mod workplace;

use std::process::ExitCode;

use livius_client::Collection;

use crate::cli::Command;
use crate::config::{ConfigError, Configuration, Flags, ProcessEnvironment};
use crate::exit::Ending;
use crate::terminal;

/// Runs a command to its end.
pub fn run(command: Command) -> ExitCode {
    let ending = match command {
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Serve(flags) => serve::run(&flags),
        Command::Shell(arguments) => shell::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Submit(arguments) => submit::run(&arguments),
        Command::Sessions(arguments) => list::entries(Collection::Sessions, &arguments),
        Command::Batches(arguments) => list::entries(Collection::Batches, &arguments),
        Command::Statements(arguments) => list::statements(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Kill(arguments) => kill::run(&arguments),
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Openapi => openapi::run(),
        Command::Errors => errors::run(),
        Command::Supervise { dir } => supervise::run(&dir),
    };
    ending.unwrap_or_else(|error| report(&error)).into()
}

/// Prints why a command failed, with the whole chain of causes.
fn report(error: &anyhow::Error) -> Ending {
    terminal::complain(&format!("livius: {error:#}"));
    connection::explain(error);
    if error.is::<ConfigError>() || connection::is_misuse(error) {
        Ending::Misused
    } else {
        Ending::Failed
    }
}

/// Reads the configuration of a command.
fn load(flags: &Flags) -> Result<(Configuration, ProcessEnvironment), ConfigError> {
    let environment = ProcessEnvironment::of_this_process();
    crate::config::load(flags, &environment).map(|configuration| (configuration, environment))
}
