//! The reasons why a store cannot be opened.

use std::io;

use camino::Utf8PathBuf;

use super::schema::SchemaError;

/// The reasons why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("open {path}: another server is using it")]
    InUse {
        /// The database.
        path: Utf8PathBuf,
    },
    /// The lock file cannot be locked.
    #[error("lock {path}")]
    Lock {
        /// The lock file.
        path: Utf8PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The database file cannot be created.
    #[error("create {path}")]
    Create {
        /// The database.
        path: Utf8PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The file cannot be opened as a database.
    #[error("open {path}")]
    Connect {
        /// The database.
        path: Utf8PathBuf,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The schema of the file does not fit this server.
    #[error("open {path}")]
    Schema {
        /// The database.
        path: Utf8PathBuf,
        /// The reason.
        #[source]
        source: SchemaError,
    },
}
