//! The commits that reach the disk before they return.

use livius_domain::{Kind, StatementState};
use livius_store::{BatchStore, PieceStore, PiecesOf, SessionStore, StatementStore};

use super::{Directory, SqliteStore, new_batch, new_session};
use crate::SyncMode;

/// The setting of the connection at the last commit: 2 syncs each commit, 1 does not.
async fn synchronous(store: &SqliteStore) -> i64 {
    let mut writer = store.writer.lock().await;
    sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(writer.any_connection())
        .await
        .unwrap()
}

#[tokio::test]
async fn what_others_rely_on_is_on_the_disk() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a new session and its number");
    store.update_session(&mut session).await.unwrap();
    assert_eq!(synchronous(&store).await, 1, "a session that goes on");
    let mut batch = store.create_batch(new_batch()).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a new batch and its number");
    store.update_batch(&mut batch).await.unwrap();
    assert_eq!(synchronous(&store).await, 1, "a batch that goes on");
    batch.times.ended_at = Some(session.created_at);
    store.update_batch(&mut batch).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "the end of a batch");

    let made = store
        .create_statement(session.id, Kind::Spark, "1", None, None)
        .await;
    let mut statement = made.unwrap();
    assert_eq!(synchronous(&store).await, 1, "a statement");
    let of = PiecesOf::Statement(session.id, statement.id);
    store.put_piece(of, 0, "{}").await.unwrap();
    statement.state = StatementState::Running { started: None };
    store.update_statement(&mut statement, None).await.unwrap();
    assert_eq!(synchronous(&store).await, 1, "the course of a statement");
    session.ended_at = Some(session.created_at);
    store.update_session(&mut session).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "the end of a session");
}

#[tokio::test]
async fn everything_is_on_the_disk_if_the_operator_says_so() {
    let directory = Directory::new();
    let store = SqliteStore::open_with(&directory.database(), SyncMode::Full)
        .await
        .unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a new session");
    store.update_session(&mut session).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a session that goes on");
    let statement = store.create_statement(session.id, Kind::Spark, "1", None, None);
    statement.await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a new statement");
    // A write that fails has the store connect again.
    let doomed = store.create_statement(livius_domain::SessionId(7), Kind::Spark, "1", None, None);
    doomed.await.unwrap_err();
    store.update_session(&mut session).await.unwrap();
    assert_eq!(synchronous(&store).await, 2, "a new connection");
}
