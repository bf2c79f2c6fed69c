//! Errors of stores.

/// Errors of stores.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A session or batch with this name is listed and has not ended.
    #[error("duplicate name: {name}")]
    DuplicateName {
        /// The name.
        name: String,
        /// The number of the refused session or batch. It is used up.
        attempted: i32,
    },
    /// Another request has stored the key. Nothing was stored.
    #[error("the key of the request is taken")]
    KeyTaken,
    /// The row has changed since the record was read. The update has changed nothing.
    #[error("{what} was changed by another writer")]
    Conflict {
        /// The row.
        what: String,
    },
    /// The database refused, or could not be reached.
    #[error("{operation}")]
    Database {
        /// The operation, as in "failed to …".
        operation: &'static str,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored row cannot be read.
    #[error("read {what}: not what this version writes")]
    Corrupt {
        /// The row.
        what: String,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
