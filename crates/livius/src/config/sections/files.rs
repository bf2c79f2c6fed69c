//! `[files]`: which local files requests may name.

use camino::Utf8PathBuf;
use livius_sessions::LocalFiles;

use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, optional_paths};

settings! {
    LOCAL_DIRECTORIES: Option<Vec<String>> = optional_paths(
        "files.local_directories",
        "Directories of this machine whose files requests may name. Without it any on a server that only listens on loopback and impersonates nobody, none on others. What a path leads to counts, links resolved, when it is asked for and again when it is used.",
    );
}

/// Reads the section. Without directories, only a server with a single user allows every file: one
/// that listens on loopback and impersonates nobody.
pub fn read(resolved: &Resolved, is_single_user: bool) -> LocalFiles {
    match resolved.value(&LOCAL_DIRECTORIES) {
        Some(directories) => {
            LocalFiles::Under(directories.into_iter().map(Utf8PathBuf::from).collect())
        }
        None if is_single_user => LocalFiles::Any,
        None => LocalFiles::Under(Vec::new()),
    }
}
