//! An unreadable row does not affect other rows.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use livius_domain::{BatchId, JobId, JobLanguage, Kind, SessionId, StatementId};

use super::{Directory, SqliteStore, Timestamp, new_batch, new_file, new_session};
use livius_store::{
    BatchStore, JobStore, ResourceStore, SessionStore, Start, StatementStore, StoreError, Visible,
    Window,
};

const ALL: Window = Window {
    start: Start::Offset(0),
    limit: 10,
    descending: true,
};

thread_local! {
    /// What the test of this thread has logged.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread.
struct Log;

impl Log {
    /// Starts the log of all tests. A subscriber for one thread can miss events: tracing asks the
    /// thread that comes to an event first whether anyone listens, and keeps the answer for all.
    /// Warnings are left out: a slow disk causes some.
    fn start() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::ERROR)
                .without_time()
                .with_ansi(false)
                .with_writer(|| Log);
            tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        });
    }

    /// The lines that the test has logged since the last call.
    fn take() -> Vec<String> {
        let text = String::from_utf8(LOG.take()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A store with three rows of each kind. The second one is unreadable.
async fn damaged() -> (Directory, SqliteStore) {
    Log::start();
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    for _ in 0..3 {
        store.create_session(new_session()).await.unwrap();
        store.create_batch(new_batch()).await.unwrap();
        store
            .create_statement(SessionId(0), Kind::Spark, "1", None, None)
            .await
            .unwrap();
        let job = store.create_job(SessionId(0), JobLanguage::Jvm, "AA==", None);
        job.await.unwrap();
        let file = store.create_resource(SessionId(0), new_file());
        file.await.unwrap();
    }
    drop(store);
    directory
        .tamper(
            r#"UPDATE sessions SET state = '{"state":"unheard of"}' WHERE id = 1;
               UPDATE batches SET times = '{' WHERE id = 1;
               UPDATE statements SET state = CAST(x'ff' AS TEXT) WHERE id = 1;
               UPDATE jobs SET language = 'cobol' WHERE id = 2;
               UPDATE resources SET source = '{"source":"unheard of"}' WHERE id = 2;"#,
        )
        .await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn it_is_left_out_of_lists_and_told() {
    let (_directory, store) = damaged().await;
    Log::take();
    let told = |row: &str| {
        let lines = Log::take();
        let [line] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert!(
            line.contains("ERROR")
                && line.contains("a stored row cannot be read, and is left out")
                && line.contains(&format!("read {row}: not what this version writes: ")),
            "{line}"
        );
    };

    let unended = store.unended_sessions().await.unwrap();
    let ids: Vec<i32> = unended.iter().map(|it| it.record.id.0).collect();
    assert_eq!(ids, [0, 2]);
    told("session 1");
    let (total, listed) = store
        .list_sessions(Visible::All, ALL)
        .await
        .unwrap()
        .counted();
    let ids: Vec<i32> = listed.iter().map(|record| record.id.0).collect();
    assert_eq!((total, ids), (3, vec![2, 0]));
    told("session 1");

    let unended = store.unended_batches().await.unwrap();
    let ids: Vec<i32> = unended.iter().map(|it| it.record.id.0).collect();
    assert_eq!(ids, [0, 2]);
    told("batch 1");
    let (total, listed) = store
        .list_batches(Visible::All, ALL)
        .await
        .unwrap()
        .counted();
    let ids: Vec<i32> = listed.iter().map(|record| record.id.0).collect();
    assert_eq!((total, ids), (3, vec![2, 0]));
    told("batch 1");

    let unfinished = store.unfinished_statements(SessionId(0)).await.unwrap();
    let ids: Vec<i32> = unfinished.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [0, 2]);
    told("statement 1 of session 0");
    let (total, listed) = store
        .list_statements(SessionId(0), ALL)
        .await
        .unwrap()
        .counted();
    let ids: Vec<i32> = listed.iter().map(|stored| stored.record.id.0).collect();
    assert_eq!((total, ids), (3, vec![2, 0]));
    told("statement 1 of session 0");

    let unfinished = store.unfinished_jobs(SessionId(0)).await.unwrap();
    let ids: Vec<i32> = unfinished.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [1, 3]);
    told("job 2 of session 0");
    let pending = store.pending_resources(SessionId(0)).await.unwrap();
    let ids: Vec<i32> = pending.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [1, 3]);
    told("resource 2 of session 0");
}

#[tokio::test]
async fn asked_for_by_itself_it_is_an_error() {
    let (_directory, store) = damaged().await;
    let corrupt = |error: StoreError| match error {
        StoreError::Corrupt { what, .. } => what,
        other => panic!("{other:?}"),
    };
    let session = store.session(SessionId(1)).await.unwrap_err();
    assert_eq!(corrupt(session), "session 1");
    let batch = store.batch(BatchId(1)).await.unwrap_err();
    assert_eq!(corrupt(batch), "batch 1");
    let statement = store.statement(SessionId(0), StatementId(1)).await;
    assert_eq!(corrupt(statement.unwrap_err()), "statement 1 of session 0");
    let job = store.job(SessionId(0), JobId(2)).await;
    assert_eq!(corrupt(job.unwrap_err()), "job 2 of session 0");
    let payload = store.job_payload(SessionId(0), JobId(2)).await.unwrap();
    assert!(payload.is_some(), "its bytes can be read");
}

/// An unreadable value is found in every column.
#[tokio::test]
async fn every_part_of_a_job_is_looked_at() {
    let directory = Directory::new();
    for (tampering, what) in [
        ("UPDATE jobs SET state = '{}'", "job 1 of session 0"),
        (
            "UPDATE jobs SET error = CAST(x'ff' AS TEXT)",
            "job 1 of session 0",
        ),
        (
            "UPDATE jobs SET result_chunks = -1",
            "the result of job 1 of session 0",
        ),
        (
            "UPDATE jobs SET result = CAST(x'ff' AS TEXT)",
            "the result of job 1 of session 0",
        ),
    ] {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        let session = store.create_session(new_session()).await.unwrap().id;
        let made = store
            .create_job(session, JobLanguage::Jvm, "AA==", None)
            .await;
        let id = made.unwrap().id;
        drop(store);
        directory.tamper(tampering).await;
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        let read = store.job(session, id).await;
        assert!(
            matches!(&read, Err(StoreError::Corrupt { what: named, .. }) if named == what),
            "{tampering}: {read:?}"
        );
        drop(store);
        directory
            .tamper("DELETE FROM sessions; UPDATE counters SET next = 0")
            .await;
    }
}

/// Otherwise one unreadable row would stop all deletion.
#[tokio::test]
async fn it_does_not_keep_others_from_being_deleted() {
    let (directory, store) = damaged().await;
    drop(store);
    directory
        .tamper("UPDATE sessions SET ended_at = 1; UPDATE batches SET ended_at = 1;")
        .await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let gone = store.purge_sessions(Timestamp::MIN, 0).await.unwrap();
    let ids: Vec<i32> = gone.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [0, 2]);
    let gone = store.purge_batches(Timestamp::MIN, 0).await.unwrap();
    let ids: Vec<i32> = gone.iter().map(|record| record.id.0).collect();
    assert_eq!(ids, [0, 2]);
    assert_eq!(
        store
            .list_sessions(Visible::All, ALL)
            .await
            .unwrap()
            .counted(),
        (0, vec![])
    );
    assert_eq!(
        store
            .list_batches(Visible::All, ALL)
            .await
            .unwrap()
            .counted(),
        (0, vec![])
    );
}
