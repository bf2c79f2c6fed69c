//! Configuration: files, the environment and flags, in layers. Every value has an origin.
//!
//! The layers, lowest first: defaults, `SPARK_HOME` and `JAVA_HOME`, Livy's files where they are
//! named, our own file, `LIVIUS_…` variables, flags. This is the only module that reads the
//! environment. [`sections`] defines every setting; `docs/CONFIGURATION.md` is made from it.

pub mod sections;

mod check;
mod environment;
mod file;
mod flags;
mod layers;
mod livy;
mod problem;
mod process_environment;
mod reference;
mod resolved;
mod setting;
mod settings;
mod value;

pub use flags::Flags;
pub use livy::{Import, import as livy_import, markdown as livy_markdown};
pub use problem::ConfigError;
pub use process_environment::ProcessEnvironment;
pub use reference::markdown;
pub use resolved::{Resolved, Sourced};
pub use sections::logs::{LogFormat, LogSettings};
pub use sections::server::LocalUsers;
pub use settings::{Settings, reachable};

/// A configuration without problems.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Its values, for the program.
    pub settings: Settings,
    /// Its values with their origins, for people.
    pub resolved: Resolved,
}

/// Reads every layer and checks the result. All problems are returned at once.
pub fn load(flags: &Flags, environment: &ProcessEnvironment) -> Result<Configuration, ConfigError> {
    let mut layers = layers::Layers::with_defaults(environment);
    environment::read_fallbacks(environment, &mut layers);
    livy::read(flags, environment, &mut layers);
    if let Some(path) = file::locate(flags, environment) {
        file::read(&path, environment, &mut layers);
    }
    environment::read(environment, &mut layers);
    flags::read(flags, environment, &mut layers);
    let (resolved, mut problems) = layers.finish();
    match Settings::read(&resolved) {
        Ok(settings) if problems.is_empty() => Ok(Configuration { settings, resolved }),
        Ok(_) => Err(ConfigError { problems }),
        Err(refused) => {
            problems.extend(refused.iter().map(|problem| problem.told(&resolved)));
            Err(ConfigError { problems })
        }
    }
}

#[cfg(test)]
mod tests;
