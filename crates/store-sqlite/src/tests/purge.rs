//! Large numbers of ended rows are deleted part by part.

use std::time::Duration;

use livius_domain::Kind;
use livius_store::{BatchStore, PieceStore, PiecesOf, SessionStore, StatementStore};

use super::{Directory, ROWS, SqliteStore, Timestamp, new_batch, new_session};

/// Ended batches and sessions. The newest one ended first.
const ENDED: &str = r#"
WITH RECURSIVE numbers (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM numbers WHERE id < 2500)
INSERT INTO batches (id, ended_at, state, times, request)
SELECT id, 3000 - id, '{"state":"running"}', '{"created_at":"1970-01-01T00:00:00Z"}', '{}'
FROM numbers;
INSERT INTO sessions (id, created_at, last_activity, ended_at, state, request)
SELECT id, 0, 0, ended_at, '{"state":"running","link":"up"}', '{}' FROM batches;
INSERT INTO statements (session, id, finished, kind, state, code)
SELECT id, 0, 1, 'spark', '{"state":"waiting"}', '1' FROM sessions;"#;

#[tokio::test]
async fn very_many_are_deleted_part_by_part_oldest_first() {
    let directory = Directory::new();
    drop(SqliteStore::open(&directory.database()).await.unwrap());
    directory.tamper(ENDED).await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for (first, last) in [(1_501, 2_500), (501, 1_500), (101, 500), (1, 0)] {
        let expected: Vec<i32> = (first..=last).collect();
        let gone = store.purge_batches(Timestamp::MIN, 100).await.unwrap();
        let ids: Vec<i32> = gone.iter().map(|record| record.id.0).collect();
        assert_eq!(ids, expected);
        let gone = store.purge_sessions(Timestamp::MIN, 100).await.unwrap();
        let ids: Vec<i32> = gone.iter().map(|record| record.id.0).collect();
        assert_eq!(ids, expected);
    }
    let (sessions, statements, ..): (i64, i64, i64, i64, i64, i64) = sqlx::query_as(ROWS)
        .fetch_one(&mut *store.readers.take().await)
        .await
        .unwrap();
    assert_eq!((sessions, statements), (100, 100));
}

/// The rows of one session are deleted in many turns, and other writes run between them.
#[tokio::test]
async fn other_writes_go_on_while_a_big_session_is_deleted() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    let made = store.create_statement(session.id, Kind::Spark, "1").await;
    let of = PiecesOf::Statement(session.id, made.unwrap().id);
    for index in 0..2_000 {
        store.put_piece(of, index, "piece").await.unwrap();
    }
    session.ended_at = Some(session.created_at);
    store.update_session(&mut session).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for the task itself"
    )]
    let purge = tokio::spawn({
        let store = store.clone();
        async move { store.purge_sessions(Timestamp::MIN, 0).await }
    });
    let mut written = 0;
    while !purge.is_finished() {
        store.create_batch(new_batch()).await.unwrap();
        written += 1;
        tokio::time::sleep(Duration::from_micros(1)).await;
    }
    assert_eq!(purge.await.unwrap().unwrap(), [session]);
    assert!(written > 2, "{written} writes");
    assert_eq!(store.piece(of, 0).await.unwrap(), None);
}
