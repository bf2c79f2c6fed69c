//! Texts too long for one row: the outputs of statements and the results of jobs.

use async_trait::async_trait;
use livius_domain::{JobId, SessionId, StatementId};

use crate::StoreError;

/// A statement's output, one JSON document, or a job's result in base64: in pieces that are put together by appending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// There is none.
    None,
    /// It is short: here it is.
    Inline(String),
    /// It is long: read it piece by piece, with [`PieceStore::piece`].
    Chunked {
        /// How many pieces.
        chunks: u32,
        /// The length of all of them, in bytes.
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

    /// How many pieces there are.
    async fn count_pieces(&self, of: PiecesOf) -> Result<u32, StoreError>;
}
