//! Texts too long for one row: the outputs of statements and the results of jobs.

use async_trait::async_trait;
use livius_domain::{JobId, SessionId, StatementId};

use crate::StoreError;

/// The output of a statement (one JSON document) or the result of a job (base64). The pieces of a
/// long one make the text when they are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// There is no output.
    None,
    /// A short output.
    Inline(String),
    /// A long output. Read it piece by piece, with [`PieceStore::piece`].
    Chunked {
        /// The number of pieces.
        chunks: u32,
        /// The length of all pieces, in bytes.
        bytes: u64,
    },
}

/// The statement or job that a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PiecesOf {
    /// The output of a statement.
    Statement(SessionId, StatementId),
    /// The result of a job.
    Job(SessionId, JobId),
}

/// Stores long texts piece by piece. They are complete once their statement or job is over.
#[async_trait]
pub trait PieceStore: Send + Sync {
    /// Stores piece `index`. The same piece again changes nothing.
    async fn put_piece(&self, of: PiecesOf, index: u32, text: &str) -> Result<(), StoreError>;

    /// Reads piece `index`.
    async fn piece(&self, of: PiecesOf, index: u32) -> Result<Option<String>, StoreError>;

    /// Deletes all pieces of a statement or job that is over and has another output or result. This
    /// is more than one transaction.
    async fn delete_pieces(&self, of: PiecesOf) -> Result<(), StoreError>;

    /// Finds the oldest outputs and results that have to go so that the rest has at most `budget`
    /// bytes: of one session, or of all. Only statements and jobs that are over count, and only
    /// texts of more than 4 KiB. One call names some of them.
    async fn excess_outputs(
        &self,
        session: Option<SessionId>,
        budget: u64,
    ) -> Result<Vec<PiecesOf>, StoreError>;

    /// Counts the pieces.
    async fn count_pieces(&self, of: PiecesOf) -> Result<u32, StoreError>;
}
