//! Measurements. Run them alone: `cargo test -p livius-store-sqlite -- --ignored --nocapture
//! --test-threads=1`.

use std::time::Instant;

use jiff::Timestamp;
use livius_domain::{BatchId, Kind, StatementRecord, StatementState};

use super::SqliteStore;
use super::tests::{Directory, new_batch, new_session};
use livius_store::{
    BatchStore, PieceStore, PiecesOf, SessionStore, Start, StatementStore, Visible, Window,
};

const ROUNDS: u32 = 2_000;

async fn report(what: &str, rounds: u32, mut one: impl AsyncFnMut()) {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        one().await;
        times.push(begin.elapsed());
    }
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{what}: p50 {:?}, p99 {:?}, most {:?}",
        at(50),
        at(99),
        at(100)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn statements() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let session = store.create_session(new_session()).await.unwrap();
    let (started, completed) = (Some(session.created_at), session.created_at);
    for round in ["cold", "warm"] {
        let what = format!("{round} insert and 2 updates");
        report(&what, ROUNDS, async || {
            let made = store
                .create_statement(session.id, Kind::PySpark, "print(1 + 1)", None, None)
                .await
                .unwrap();
            let mut running = StatementRecord {
                state: StatementState::Running { started },
                ..made
            };
            store.update_statement(&mut running, None).await.unwrap();
            let mut over = StatementRecord {
                state: StatementState::Available { started, completed },
                ..running
            };
            let output = r#"{"status":"ok","data":{"text/plain":"2"}}"#;
            store
                .update_statement(&mut over, Some(output))
                .await
                .unwrap();
        })
        .await;
    }
    report("trim to 1 000", ROUNDS, async || {
        store.trim_statements(session.id, 1_000).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn sessions() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    report("create a session", ROUNDS, async || {
        store.create_session(new_session()).await.unwrap();
    })
    .await;
    report("update a session", ROUNDS, async || {
        store.update_session(&mut session).await.unwrap();
    })
    .await;
    report("read a session", ROUNDS, async || {
        store.session(session.id).await.unwrap();
    })
    .await;
    let page = Window {
        start: Start::Offset(0),
        limit: 100,
        descending: true,
    };
    report("list 100 of 2 001 sessions", 200, async || {
        store.list_sessions(Visible::All, page).await.unwrap();
    })
    .await;
    drop(store);
    report("open and read 2 001 unended sessions", 1, async || {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        store.unended_sessions().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn outputs() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    let made = store
        .create_statement(session.id, Kind::PySpark, "1", None, None)
        .await
        .unwrap();
    let piece = "x".repeat(256 << 10);
    let mut index = 0;
    report("store one of 200 pieces of 256 KiB", 200, async || {
        store
            .put_piece(PiecesOf::Statement(session.id, made.id), index, &piece)
            .await
            .unwrap();
        index += 1;
    })
    .await;
    report("read a piece", 200, async || {
        store
            .piece(PiecesOf::Statement(session.id, made.id), 7)
            .await
            .unwrap();
    })
    .await;
    session.ended_at = Some(session.created_at);
    store.update_session(&mut session).await.unwrap();
    report("purge them", 1, async || {
        store.purge_sessions(Timestamp::MIN, 0).await.unwrap();
    })
    .await;
}

/// Ended batches with the same name, one per second.
const ENDED_BATCHES: &str = r#"
WITH RECURSIVE numbers (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM numbers WHERE id < 100000)
INSERT INTO batches (id, ended_at, name, state, times, request)
SELECT id, id * 1000000, 'nightly', '{"state":"running"}', '{"created_at":"1970-01-01T00:00:00Z"}',
       json_object('file', printf('%.500c', 'x'))
FROM numbers;
UPDATE counters SET next = 100001 WHERE name = 'batch';"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn batches() {
    let directory = Directory::new();
    drop(SqliteStore::open(&directory.database()).await.unwrap());
    directory.tamper(ENDED_BATCHES).await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    report("create a batch", ROUNDS, async || {
        store.create_batch(new_batch()).await.unwrap();
    })
    .await;
    report("read a batch", ROUNDS, async || {
        assert!(store.batch(BatchId(77)).await.unwrap().is_some());
    })
    .await;
    report("read a batch by name", ROUNDS, async || {
        assert!(store.batch_named("nightly").await.unwrap().is_some());
    })
    .await;
    for offset in [0, 90_000] {
        let page = Window {
            start: Start::Offset(offset),
            limit: 100,
            descending: true,
        };
        let what = format!("list 100 of 102 000 batches from {offset}");
        report(&what, 200, async || {
            store.list_batches(Visible::All, page).await.unwrap();
        })
        .await;
    }
    for keep in [u64::MAX, 100_000] {
        report(&format!("purge nothing, keep {keep}"), 200, async || {
            let gone = store.purge_batches(Timestamp::MIN, keep).await.unwrap();
            assert!(gone.is_empty());
        })
        .await;
    }
    report("purge 1 000", 100, async || {
        let gone = store.purge_batches(Timestamp::MIN, 0).await.unwrap();
        assert_eq!(gone.len(), 1_000);
    })
    .await;
    assert!(store.batch_named("nightly").await.unwrap().is_none());
}
