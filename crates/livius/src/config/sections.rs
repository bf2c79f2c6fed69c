//! Every setting, one file for each section of `livius.toml`.
//!
//! A section's file holds its keys, the struct that the program uses, and the function that reads
//! and checks it. Adding a setting means adding it there, and using it.

use livius_domain::Limits;
use livius_sessions::ShutdownPolicy;

use super::setting::Key;

/// Defines the settings of a section, and `KEYS` with all of them.
macro_rules! settings {
    ($($name:ident: $type:ty = $setting:expr;)*) => {
        $(pub static $name: Setting<$type> = $setting;)*

        /// Every key of the section, in the order of the documentation.
        pub static KEYS: &[&Key] = &[$(&$name.key),*];
    };
}

pub mod audit;
pub mod batches;
pub mod files;
pub mod impersonation;
pub mod java;
pub mod kubernetes;
pub mod logs;
pub mod pools;
pub mod server;
pub mod sessions;
pub mod spark;
pub mod store;
pub mod webhooks;

/// The defaults of limits.
const DEFAULTS: Limits = Limits::DEFAULT;

/// Every key, by section.
pub fn all() -> impl Iterator<Item = &'static Key> {
    [
        server::KEYS,
        store::KEYS,
        spark::KEYS,
        java::KEYS,
        kubernetes::KEYS,
        sessions::KEYS,
        pools::KEYS,
        batches::KEYS,
        impersonation::KEYS,
        files::KEYS,
        webhooks::KEYS,
        logs::KEYS,
        audit::KEYS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The key with this path.
pub fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.path == path)
}

/// Reads `stop` or `keep`.
fn shutdown_policy(word: &str) -> ShutdownPolicy {
    match word {
        "keep" => ShutdownPolicy::Keep,
        _ => ShutdownPolicy::Stop,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::value::{Base, Raw, Shape, Value};

    #[test]
    fn paths_and_variables_are_unique() {
        let paths: BTreeSet<&str> = all().map(|key| key.path).collect();
        let variables: BTreeSet<String> = all().map(Key::variable).collect();
        assert_eq!(paths.len(), all().count());
        assert_eq!(variables.len(), all().count());
        assert!(variables.contains("LIVIUS_SESSIONS_IDLE_TIMEOUT"));
    }

    #[test]
    fn every_default_is_a_value_that_its_key_accepts() {
        let base = Base {
            directory: "/".into(),
            home: None,
        };
        for key in all() {
            let default = key.default.constant();
            if default == Value::Unset || key.shape == Shape::List {
                continue;
            }
            let raw = Raw::One(default.to_string());
            assert_eq!(key.shape.read(&raw, base), Ok(default), "{}", key.path);
        }
    }
}
