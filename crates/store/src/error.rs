//! What can go wrong.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A listed session that has not ended has that name already, or a batch where a batch was to be created.
    #[error("duplicate name: {name}")]
    DuplicateName {
        /// The name.
        name: String,
        /// The number that the new one would have had: it is used up.
        attempted: i32,
    },
    /// The row has changed since the record was read: the update has changed nothing.
    #[error("{what} was changed by another writer")]
    Conflict {
        /// Which row.
        what: String,
    },
    /// The database refused, or could not be reached.
    #[error("{operation}")]
    Database {
        /// What was being done, as in "failed to …".
        operation: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored row cannot be read.
    #[error("read {what}: not what this version writes")]
    Corrupt {
        /// Which row.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
