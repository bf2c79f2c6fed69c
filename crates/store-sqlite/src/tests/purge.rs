//! Large numbers of ended rows are deleted part by part.

use std::time::Duration;

use livius_domain::{Kind, SessionId, StatementId, StatementState};
use livius_store::{BatchStore, PieceStore, PiecesOf, SessionStore, Start, StatementStore, Window};

use super::{Directory, ROWS, SqliteStore, Timestamp, new_batch, new_session};

const ALL: Window = Window {
    start: Start::Offset(0),
    limit: 10,
    descending: false,
};

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
    let made = store
        .create_statement(session.id, Kind::Spark, "1", None, None)
        .await;
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

/// The statements beyond the limit are gone for readers at once, and their rows go in many turns.
#[tokio::test]
async fn other_writes_go_on_while_big_statements_are_trimmed() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let session = store.create_session(new_session()).await.unwrap().id;
    let piece = "x".repeat(256 << 10);
    for _ in 0..3 {
        let made = store
            .create_statement(session, Kind::Spark, "1", None, None)
            .await;
        let mut statement = made.unwrap();
        for index in 0..100 {
            let of = PiecesOf::Statement(session, statement.id);
            store.put_piece(of, index, &piece).await.unwrap();
        }
        statement.state = StatementState::Available {
            started: None,
            completed: Timestamp::UNIX_EPOCH,
        };
        store.update_statement(&mut statement, None).await.unwrap();
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for the task itself"
    )]
    let trim = tokio::spawn({
        let store = store.clone();
        async move { store.trim_statements(session, 1).await }
    });
    let mut listed = Vec::new();
    while !trim.is_finished() {
        store.create_batch(new_batch()).await.unwrap();
        let part = store.list_statements(session, ALL).await.unwrap();
        let numbers: Vec<i32> = part.records.iter().map(|it| it.record.id.0).collect();
        assert!(part.total == Some(numbers.len() as u64));
        listed.push(numbers);
    }
    trim.await.unwrap().unwrap();
    listed.dedup();
    assert!(listed.len() <= 2, "all or none: {listed:?}");
    assert_eq!(listed.last(), Some(&vec![2]));
    for (statement, left) in [(0, 0), (1, 0), (2, 100)] {
        let of = PiecesOf::Statement(session, StatementId(statement));
        assert_eq!(store.count_pieces(of).await.unwrap(), left);
    }
}

/// A deletion that was broken off is finished by the next one.
#[tokio::test]
async fn a_trim_that_was_broken_off_is_finished() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    store.create_session(new_session()).await.unwrap();
    drop(store);
    directory
        .tamper(
            r#"INSERT INTO statements (session, id, finished, kind, state, code)
               VALUES (0, 0, 2, 'spark', '{"state":"waiting"}', '1');
               INSERT INTO statement_chunks VALUES (0, 0, 0, 'x');"#,
        )
        .await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let of = PiecesOf::Statement(SessionId(0), StatementId(0));
    assert_eq!(
        store.statement(SessionId(0), StatementId(0)).await.unwrap(),
        None
    );
    store.trim_statements(SessionId(0), 1_000).await.unwrap();
    assert_eq!(store.count_pieces(of).await.unwrap(), 0);
    let next = store
        .create_statement(SessionId(0), Kind::Spark, "1", None, None)
        .await;
    assert_eq!(next.unwrap().id, StatementId(0));
}

/// The file gives back the space of what was deleted.
#[tokio::test]
async fn the_file_shrinks() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    let made = store
        .create_statement(session.id, Kind::Spark, "1", None, None)
        .await;
    let of = PiecesOf::Statement(session.id, made.unwrap().id);
    let piece = "x".repeat(1 << 20);
    for index in 0..60 {
        store.put_piece(of, index, &piece).await.unwrap();
    }
    store.flush().await.unwrap();
    let size = || std::fs::metadata(directory.database()).unwrap().len();
    assert!(size() > 60 << 20);
    session.ended_at = Some(session.created_at);
    store.update_session(&mut session).await.unwrap();
    while !store
        .purge_sessions(Timestamp::MIN, 0)
        .await
        .unwrap()
        .is_empty()
    {}
    store.flush().await.unwrap();
    assert!(size() < 20 << 20, "{}", size());
}
