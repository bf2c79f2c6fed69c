//! Queries use indexes.

use sqlx::{AssertSqlSafe, Row};

use super::{Directory, SqliteStore};
use crate::batches::BATCHES;
use crate::listed::Listed;
use crate::sessions::{PARTS, SESSIONS};
use crate::{batches, held, jobs, keys, pieces, resources, sessions, statements, webhooks};
use livius_store::{Search, Visible};

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
        (queries.summaries, "INTEGER PRIMARY KEY".to_owned()),
        (queries.by_name, format!("{table}_taken_names")),
        (queries.by_name, format!("{table}_by_name")),
        (everything.count, format!("{table}_listed")),
        (everything.up, format!("{table}_listed (id>?)")),
        (everything.down, format!("{table}_listed (id<?)")),
        (of_owner.count, format!("{table}_by_owner")),
        (of_owner.up, format!("{table}_by_owner")),
        (of_owner.down, format!("{table}_by_owner")),
        (queries.unended, format!("{table}_unended")),
        (queries.doomed, format!("{table}_by_end")),
        (queries.delete, "INTEGER PRIMARY KEY".to_owned()),
    ] {
        reads_by(store, query, &index, table).await;
    }
}

/// Fails unless a query reads this index, and neither scans the table nor sorts.
async fn reads_by(store: &SqliteStore, query: &str, index: &str, table: &str) {
    let steps = plan(store, query).await;
    let reads_it = steps.iter().any(|step| step.contains(index));
    let is_slow = |step: &String| *step == format!("SCAN {table}") || step.contains("TEMP B-TREE");
    assert!(
        reads_it && !steps.iter().any(is_slow),
        "{query}: {steps:#?}"
    );
}

/// A search reads an index, newest first, and no row that it does not show.
#[tokio::test]
async fn a_search_reads_an_index() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let all = Search::default();
    let states = Search {
        states: Some(&["running", "failed"]),
        since: Some(jiff::Timestamp::UNIX_EPOCH),
        ..all
    };
    let owner = Some("o");
    let name = Some("n");
    let key = Some(("c", "k"));
    for (table, searched) in [
        ("sessions", sessions::SEARCHED),
        ("batches", batches::SEARCHED),
    ] {
        for (visible, search, index) in [
            (Visible::All, all, "COVERING INDEX {}_listed"),
            (Visible::All, states, "COVERING INDEX {}_listed"),
            (Visible::Of("o"), all, "COVERING INDEX {}_by_owner (owner=?"),
            (
                Visible::Of("o"),
                states,
                "COVERING INDEX {}_by_owner (owner=?",
            ),
            (
                Visible::All,
                Search { owner, ..states },
                "COVERING INDEX {}_by_owner (owner=?",
            ),
            (
                Visible::All,
                Search { name, ..states },
                "COVERING INDEX {}_by_name (name=?",
            ),
            (
                Visible::All,
                Search {
                    name,
                    owner,
                    ..states
                },
                "INDEX {}_by_name (name=?",
            ),
            (
                Visible::All,
                Search { key, ..states },
                "SEARCH request_keys USING INDEX sqlite_autoindex_request_keys_1 (caller=? AND key=?)",
            ),
        ] {
            let index = index.replace("{}", table);
            for query in [
                searched.count(visible, &search),
                searched.ids(visible, &search),
            ] {
                reads_by(&store, &query, &index, table).await;
            }
        }
        for query in [searched.lengths(), searched.rows()] {
            let by_number = format!("SEARCH {table} USING INTEGER PRIMARY KEY");
            reads_by(&store, &query, &by_number, table).await;
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

/// A key is found without reading other keys.
#[tokio::test]
async fn keys_are_found_by_index() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for (query, index) in [
        (keys::BY_KEY, "sqlite_autoindex_request_keys_1 (caller=?"),
        (
            keys::INSERT_ANSWER,
            "sqlite_autoindex_request_keys_1 (caller=?",
        ),
        (keys::FREE, "sqlite_autoindex_request_keys_1 (caller=?"),
        (keys::FREE_MADE, "request_keys_by_made (kind=?"),
        (keys::PURGE, "COVERING INDEX request_keys_by_age"),
        (keys::ANSWER_BYTES, "COVERING INDEX key_answers_by_bytes"),
        (keys::OLDEST_ANSWERS, "COVERING INDEX key_answers_by_bytes"),
    ] {
        let steps = plan(&store, query).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
        for step in &steps {
            assert!(!step.contains("TEMP B-TREE"), "{query}: {steps:#?}");
        }
    }
}

/// Deliveries are read in the order in which they are due.
#[tokio::test]
async fn due_deliveries_are_read_in_order() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let index = "webhook_deliveries_due (due_at<?)";
    reads_by(&store, webhooks::DUE, index, "webhook_deliveries").await;
}

/// The rows of one session are found without reading the rows of others.
#[tokio::test]
async fn the_rows_of_a_session_are_found_by_their_session() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for (query, index) in [
        (jobs::INSERT, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::PAYLOAD, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UPDATE, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UPDATE, "sqlite_autoindex_job_chunks_1 (session=?"),
        (jobs::BY_ID, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::UNFINISHED, "jobs_by_end (session=?"),
        (jobs::LIST, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::COUNT, "(session=?"),
        (
            jobs::PAYLOAD_BYTES,
            "sqlite_autoindex_job_payloads_1 (session=?",
        ),
        (jobs::TRIM.raise_floor, "sqlite_autoindex_jobs_1 (session=?"),
        (jobs::TRIM.mark, "jobs_by_end (session=?"),
        (
            statements::BY_ID,
            "sqlite_autoindex_statements_1 (session=?",
        ),
        (
            statements::BY_ID,
            "sqlite_autoindex_statement_codes_1 (session=?",
        ),
        (statements::UNFINISHED, "statements_by_end (session=?"),
        (statements::STATEMENTS.count, "statements_by_end (session=?"),
        (statements::TRIM.mark, "statements_by_end (session=?"),
        (
            pieces::RESULTS.get,
            "sqlite_autoindex_job_chunks_1 (session=?",
        ),
        (resources::INSERT, "sqlite_autoindex_resources_1 (session=?"),
        (resources::NEXT, "sqlite_autoindex_resources_1 (session=?"),
        (resources::UPDATE, "sqlite_autoindex_resources_1 (session=?"),
        (resources::PENDING, "resources_pending (session=?"),
        (webhooks::OF_SESSION, "webhooks_by_session (session=?"),
        (webhooks::OF_BATCH, "webhooks_by_batch (batch=?"),
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

/// A page is found without reading the rows before it. Its rows are read once for their lengths.
#[tokio::test]
async fn a_page_of_statements_is_found_by_its_number() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let list = statements::STATEMENTS;
    for (query, range) in [(list.up, "id>?"), (list.down, "id<?")] {
        let steps = plan(&store, query).await;
        let found = steps.iter().filter(|step| step.contains(range));
        assert_eq!(found.count(), 2, "{steps:#?}");
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{steps:#?}"
        );
    }
}

/// Parts of deletions and the outputs in excess are found by indexes, without a sort.
#[tokio::test]
async fn what_goes_is_found_by_an_index() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let parts = [statements::TRIM.parts, jobs::TRIM.parts].concat();
    for part in parts.into_iter().chain([pieces::OUTPUTS.delete]) {
        let steps = plan(&store, part).await;
        assert!(
            steps.iter().any(|step| step.contains("(session=?")),
            "{steps:#?}"
        );
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{steps:#?}"
        );
    }
    for held in [held::OF_ALL, held::OF_SESSION] {
        for query in [held.total, held.oldest] {
            let steps = plan(&store, query).await;
            for table in ["statements", "jobs"] {
                let index = format!("COVERING INDEX {table}_held");
                assert!(steps.iter().any(|step| step.contains(&index)), "{steps:#?}");
            }
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
