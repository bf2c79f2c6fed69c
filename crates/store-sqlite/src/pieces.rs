//! The pieces of long outputs and results.

use async_trait::async_trait;
use livius_domain::SessionId;
use livius_store::{PieceStore, PiecesOf, StoreError};

use super::parts::part;
use super::{SqliteStore, failed};

/// The queries of one table of pieces. All take the session and the number of the statement or job.
pub(super) struct Pieces {
    pub(super) put: &'static str,
    pub(super) get: &'static str,
    pub(super) count: &'static str,
    pub(super) delete: &'static str,
}

macro_rules! pieces {
    ($table:literal, $owner:literal) => {
        Pieces {
            put: concat!(
                "INSERT INTO ",
                $table,
                " (session, ",
                $owner,
                ", idx, text) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
            ),
            get: concat!(
                "SELECT text FROM ",
                $table,
                " WHERE session = ?1 AND ",
                $owner,
                " = ?2 AND idx = ?3"
            ),
            count: concat!(
                "SELECT count(*) FROM ",
                $table,
                " WHERE session = ?1 AND ",
                $owner,
                " = ?2"
            ),
            delete: part!(
                $table,
                bytes: "octet_length(text)",
                rows: concat!("session = ?1 AND ", $owner, " = ?2")
            ),
        }
    };
}

pub(super) const OUTPUTS: Pieces = pieces!("statement_chunks", "statement");
pub(super) const RESULTS: Pieces = pieces!("job_chunks", "job");

#[async_trait]
impl PieceStore for SqliteStore {
    async fn put_piece(&self, of: PiecesOf, index: u32, text: &str) -> Result<(), StoreError> {
        let (pieces, session, owner) = place(of);
        let put = sqlx::query(pieces.put)
            .bind(session)
            .bind(owner)
            .bind(index)
            .bind(text);
        self.write(async |c| put.execute(c).await.map_err(failed("store a piece")))
            .await?;
        Ok(())
    }

    async fn piece(&self, of: PiecesOf, index: u32) -> Result<Option<String>, StoreError> {
        let (pieces, session, owner) = place(of);
        let get = sqlx::query_scalar(pieces.get)
            .bind(session)
            .bind(owner)
            .bind(index);
        self.read(async |c| get.fetch_optional(c).await.map_err(failed("read a piece")))
            .await
    }

    async fn delete_pieces(&self, of: PiecesOf) -> Result<(), StoreError> {
        let (pieces, session, owner) = place(of);
        self.delete_in_parts(pieces.delete, |query| query.bind(session).bind(owner))
            .await
    }

    async fn excess_outputs(
        &self,
        session: Option<SessionId>,
        budget: u64,
    ) -> Result<Vec<PiecesOf>, StoreError> {
        self.excess(session, budget).await
    }

    async fn count_pieces(&self, of: PiecesOf) -> Result<u32, StoreError> {
        let (pieces, session, owner) = place(of);
        let count = sqlx::query_scalar(pieces.count).bind(session).bind(owner);
        self.read(async |c| count.fetch_one(c).await.map_err(failed("count pieces")))
            .await
    }
}

/// The queries, the session's number, and the number of the statement or job.
fn place(of: PiecesOf) -> (Pieces, i32, i32) {
    match of {
        PiecesOf::Statement(session, statement) => (OUTPUTS, session.0, statement.0),
        PiecesOf::Job(session, job) => (RESULTS, session.0, job.0),
    }
}
