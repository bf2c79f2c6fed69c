//! The long outputs and results that are kept, oldest first.

use livius_domain::{JobId, SessionId, StatementId};
use livius_store::{PiecesOf, StoreError};
use sqlx::SqliteConnection;

use super::{SqliteStore, failed};

/// How many outputs one call names.
const CALL: u32 = 64;

/// `?1` is a session, or null for all. The condition on `held` must be that of the indexes.
macro_rules! of {
    ($session:literal) => {
        Held {
            total: concat!(
                "SELECT (SELECT coalesce(sum(held), 0) FROM statements WHERE held > 4096",
                $session,
                ") \
                      + (SELECT coalesce(sum(held), 0) FROM jobs WHERE held > 4096",
                $session,
                ")"
            ),
            oldest: concat!(
                "SELECT session, id, 0 AS job, held FROM statements WHERE held > 4096",
                $session,
                " UNION ALL \
                 SELECT session, id, 1, held FROM jobs WHERE held > 4096",
                $session,
                " ORDER BY session, id LIMIT ?2"
            ),
        }
    };
}

pub(super) struct Held {
    pub(super) total: &'static str,
    pub(super) oldest: &'static str,
}

pub(super) const OF_ALL: Held = of!("");
pub(super) const OF_SESSION: Held = of!(" AND session = ?1");

impl SqliteStore {
    /// The oldest outputs in excess of a budget.
    pub(super) async fn excess(
        &self,
        session: Option<SessionId>,
        budget: u64,
    ) -> Result<Vec<PiecesOf>, StoreError> {
        let queries = if session.is_some() {
            OF_SESSION
        } else {
            OF_ALL
        };
        self.read(async |c| {
            excess(c, &queries, session, budget)
                .await
                .map_err(failed("look for outputs in excess"))
        })
        .await
    }
}

async fn excess(
    connection: &mut SqliteConnection,
    queries: &Held,
    session: Option<SessionId>,
    budget: u64,
) -> Result<Vec<PiecesOf>, sqlx::Error> {
    let session = session.map(|session| session.0);
    let total: i64 = sqlx::query_scalar(queries.total)
        .bind(session)
        .fetch_one(&mut *connection)
        .await?;
    let mut excess = super::rows::count(total).saturating_sub(budget);
    if excess == 0 {
        return Ok(Vec::new());
    }
    let oldest: Vec<(i32, i32, bool, i64)> = sqlx::query_as(queries.oldest)
        .bind(session)
        .bind(CALL)
        .fetch_all(connection)
        .await?;
    let needed = oldest.into_iter().take_while(|(.., held)| {
        let more = excess > 0;
        excess = excess.saturating_sub(super::rows::count(*held));
        more
    });
    Ok(needed
        .map(|(session, id, is_job, _)| {
            let session = SessionId(session);
            if is_job {
                PiecesOf::Job(session, JobId(id))
            } else {
                PiecesOf::Statement(session, StatementId(id))
            }
        })
        .collect())
}
