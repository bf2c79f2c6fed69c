//! How long things take. Run them alone: `cargo test -p livius-store -- --ignored --nocapture --test-threads=1`.

use std::time::Instant;

use domain::{Kind, StatementRecord, StatementState};
use jiff::Timestamp;

use super::SqliteStore;
use super::tests::{Directory, new_session};
use crate::{Store, Window};

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
                .create_statement(session.id, Kind::PySpark, "print(1 + 1)")
                .await
                .unwrap();
            let running = StatementRecord {
                state: StatementState::Running { started },
                ..made
            };
            store.update_statement(&running, None).await.unwrap();
            let over = StatementRecord {
                state: StatementState::Available { started, completed },
                ..running
            };
            let output = r#"{"status":"ok","data":{"text/plain":"2"}}"#;
            store.update_statement(&over, Some(output)).await.unwrap();
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
    let session = store.create_session(new_session()).await.unwrap();
    report("create a session", ROUNDS, async || {
        store.create_session(new_session()).await.unwrap();
    })
    .await;
    report("update a session", ROUNDS, async || {
        store.update_session(&session).await.unwrap();
    })
    .await;
    report("read a session", ROUNDS, async || {
        store.session(session.id).await.unwrap();
    })
    .await;
    let page = Window {
        offset: 0,
        limit: 100,
        descending: true,
    };
    report("list 100 of 2 001 sessions", 200, async || {
        store.list_sessions(page).await.unwrap();
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
        .create_statement(session.id, Kind::PySpark, "1")
        .await
        .unwrap();
    let piece = "x".repeat(256 << 10);
    let mut index = 0;
    report("store one of 200 pieces of 256 KiB", 200, async || {
        store
            .put_output_chunk(session.id, made.id, index, &piece)
            .await
            .unwrap();
        index += 1;
    })
    .await;
    report("read a piece", 200, async || {
        store.output_chunk(session.id, made.id, 7).await.unwrap();
    })
    .await;
    session.ended_at = Some(session.created_at);
    store.update_session(&session).await.unwrap();
    report("purge them", 1, async || {
        store.purge(Timestamp::MIN, 0).await.unwrap();
    })
    .await;
}
