//! `[files]`: which local files requests may name.

use camino::Utf8PathBuf;
use livius_sessions::LocalFiles;

use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, optional_paths};

settings! {
    LOCAL_DIRECTORIES: Option<Vec<String>> = optional_paths(
        "files.local_directories",
        "The directories of this machine whose files requests may name. If it is unset, a server that listens on loopback only and does not impersonate users allows any file, and every other server allows none. The server resolves links before it checks a path: when the request arrives and again when it uses the file.",
    );
}

/// Reads the section. Without directories, only a server with a single user allows every file: one
/// that listens on loopback and does not impersonate users.
pub fn read(resolved: &Resolved, is_single_user: bool) -> LocalFiles {
    match resolved.value(&LOCAL_DIRECTORIES) {
        Some(directories) => {
            LocalFiles::Under(directories.into_iter().map(Utf8PathBuf::from).collect())
        }
        None if is_single_user => LocalFiles::Any,
        None => LocalFiles::Under(Vec::new()),
    }
}
