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

    /// Counts the pieces.
    async fn count_pieces(&self, of: PiecesOf) -> Result<u32, StoreError>;
}
