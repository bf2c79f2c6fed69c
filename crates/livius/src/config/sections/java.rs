//! `[java]`: the Java that runs drivers.

use camino::Utf8PathBuf;

use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, path};

settings! {
    HOME: Option<Utf8PathBuf> = path(
        "java.home",
        "JAVA_HOME",
        "The Java that runs drivers. If it is unset, the server uses a suitable Java on the `PATH`, or else the managed one.",
    );
}

/// The settings of the section.
#[derive(Debug, Clone)]
pub struct JavaSettings {
    /// The Java that runs drivers, if Livius's own configuration names it.
    pub home: Option<Utf8PathBuf>,
}

impl JavaSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved) -> Self {
        Self {
            home: resolved.configured_path(&HOME),
        }
    }
}
