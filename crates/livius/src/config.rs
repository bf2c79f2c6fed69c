//! Configuration: a file, the environment and flags, in layers; every value knows where it came from.
//!
//! The order, weakest first: defaults, `SPARK_HOME` and `JAVA_HOME`, Livy's files where they are named, our own file, `LIVIUS_…` variables,
//! flags. This is the only module that reads the environment. What exists is said once, in [`keys`]; the table in `docs/CONFIGURATION.md` is
//! made from it.

mod environment;
mod file;
mod flags;
mod keys;
mod layers;
mod livy;
mod problem;
mod reference;
mod settings;
mod value;

pub use environment::Surroundings;
pub use flags::Flags;
pub use layers::{Resolved, Sourced};
pub use livy::{Import, import as livy_import, markdown as livy_markdown};
pub use problem::ConfigError;
pub use reference::markdown;
pub use settings::{LogFormat, LogSettings, Settings, reachable};

/// Reads every layer and checks the result. All problems are told at once.
pub fn load(flags: &Flags, surroundings: &Surroundings) -> Result<Resolved, ConfigError> {
    let mut layers = layers::Layers::with_defaults(surroundings);
    environment::read_fallbacks(surroundings, &mut layers);
    livy::read(flags, surroundings, &mut layers);
    if let Some(path) = file::locate(flags, surroundings) {
        file::read(&path, surroundings, &mut layers);
    }
    environment::read(surroundings, &mut layers);
    flags::read(flags, surroundings, &mut layers);
    layers.finish()
}

#[cfg(test)]
mod tests;
