//! Queries use indexes.

use sqlx::{AssertSqlSafe, Row};

use super::{Directory, SqliteStore};
use crate::batches::BATCHES;
use crate::listed::Listed;
use crate::sessions::{PARTS, SESSIONS};
use crate::{jobs, pieces, resources};

#[tokio::test]
async fn no_question_reads_a_whole_table() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    reads_no_table(&store, "sessions", &SESSIONS).await;
    reads_no_table(&store, "batches", &BATCHES).await;
}

async fn reads_no_table<T>(store: &SqliteStore, table: &str, queries: &Listed<T>) {
    let (everything, of_owner) = (&queries.everything, &queries.of_owner);
    for (query, index) in [
        (queries.by_id, "INTEGER PRIMARY KEY".to_owned()),
        (queries.by_name, format!("{table}_taken_names")),
        (queries.by_name, format!("{table}_by_name")),
        (everything.count, format!("{table}_listed")),
        (everything.up, format!("{table}_listed")),
        (everything.down, format!("{table}_listed")),
        (of_owner.count, format!("{table}_by_owner")),
        (of_owner.up, format!("{table}_by_owner")),
        (of_owner.down, format!("{table}_by_owner")),
        (queries.unended, format!("{table}_unended")),
        (queries.doomed, format!("{table}_by_end")),
        (queries.delete, "INTEGER PRIMARY KEY".to_owned()),
    ] {
        let steps = plan(store, query).await;
        assert!(steps.iter().any(|step| step.contains(&index)), "{steps:#?}");
        for step in &steps {
            assert!(
                *step != format!("SCAN {table}") && !step.contains("TEMP B-TREE"),
                "{query}: {steps:#?}"
            );
        }
    }
}

/// The rows of ended sessions are found by their session.
#[tokio::test]
async fn parts_are_found_by_their_session() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for part in PARTS {
        let steps = plan(&store, part).await;
        assert!(
            steps.iter().any(|step| step.contains("(session=?")),
            "{steps:#?}"
        );
    }
}

/// The rows of one session are found without reading the rows of others.
#[tokio::test]
async fn jobs_and_resources_are_found_by_their_session() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for (query, index) in [
        (jobs::INSERT, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::PAYLOAD, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UPDATE, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UPDATE, "sqlite_autoindex_job_chunks_1 (session=?"),
        (jobs::BY_ID, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UNFINISHED, "jobs_by_end (session=?"),
        (jobs::RAISE_FLOOR, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::TRIM, "jobs_by_end (session=?"),
        (
            pieces::RESULTS.get,
            "sqlite_autoindex_job_chunks_1 (session=?",
        ),
        (resources::INSERT, "sqlite_autoindex_resources_1 (session=?"),
        (resources::UPDATE, "sqlite_autoindex_resources_1 (session=?"),
        (resources::PENDING, "resources_pending (session=?"),
    ] {
        let steps = plan(&store, query).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
        for step in &steps {
            assert!(
                !step.starts_with("SCAN ") && !step.contains("TEMP B-TREE"),
                "{query}: {steps:#?}"
            );
        }
    }
}

/// The query plan, one line per step.
async fn plan(store: &SqliteStore, query: &str) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {query}");
    let rows = sqlx::query(AssertSqlSafe(explain))
        .fetch_all(&mut *store.readers.take().await)
        .await
        .unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}
