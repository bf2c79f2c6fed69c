//! Acknowledged writes survive `kill -9`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{
    AppInfo, BatchId, BatchRecord, BatchState, JobId, JobLanguage, JobOutcome, JobRecord, JobState,
    Made, SessionId,
};

use super::{Directory, SqliteStore, Timestamp, new_batch, new_file, new_session};
use livius_store::{
    BatchStore, JobStore, KeyStore, NewKey, Output, PieceStore, PiecesOf, ResourceStore,
    SessionStore,
};

/// Names the database for the process that is killed. That process is this test program.
const DATABASE: &str = "LIVIUS_STORE_TEST_WRITES_TO";
const WRITER: &str = "tests::killed::writes_until_it_is_killed";

fn app(batch: BatchId) -> AppInfo {
    AppInfo {
        app_id: format!("application of batch {batch}"),
        spark_ui_url: None,
        driver_log_url: None,
    }
}

/// Does nothing when it runs as an ordinary test.
#[tokio::test]
async fn writes_until_it_is_killed() {
    let Some(database) = std::env::var_os(DATABASE) else {
        return;
    };
    let database = Utf8PathBuf::from_os_string(database).unwrap();
    let store = SqliteStore::open(&database).await.unwrap();
    loop {
        let made = store.create_batch(new_batch()).await.unwrap();
        let id = made.id;
        let mut running = BatchRecord {
            state: BatchState::Running,
            app: Some(app(id)),
            ..made
        };
        store.update_batch(&mut running).await.unwrap();
        let session = store.create_session(new_session()).await.unwrap();
        write_job(&store, session.id, session.created_at).await;
        println!("\nstored {id}");
    }
}

/// The key of a session's job.
fn key_of(session: SessionId) -> NewKey {
    NewKey {
        caller: "alice".to_owned(),
        key: format!("job of session {session}"),
        request: "POST".to_owned(),
        fingerprint: [1; 32],
        made_at: Timestamp::from_second(1).unwrap(),
    }
}

/// Checks that a session has a job exactly if the job's key is there.
async fn assert_keyed(store: &SqliteStore, session: SessionId) {
    let NewKey { caller, key, .. } = key_of(session);
    let key = store.key(&caller, &key).await.unwrap();
    let job = store.job(session, JobId(1)).await.unwrap();
    let made = job.map(|job| Made::Job(session, job.record.id));
    assert_eq!(key.and_then(|key| key.made), made);
}

/// Writes a file for the session, and a job that succeeds with a long result.
async fn write_job(store: &SqliteStore, session: SessionId, ended: Timestamp) {
    let file = store.create_resource(session, new_file()).await;
    file.unwrap();
    let key = key_of(session);
    let made = store
        .create_job(session, JobLanguage::Jvm, "AA==", Some(&key))
        .await;
    let made = made.unwrap();
    let piece = store
        .put_piece(PiecesOf::Job(session, made.id), 0, "Zm9v")
        .await;
    piece.unwrap();
    let state = JobState::Ended {
        outcome: JobOutcome::Succeeded,
        started: None,
        ended,
    };
    let mut over = JobRecord { state, ..made };
    store.update_job(&mut over, None).await.unwrap();
}

/// Tells whether everything that was written for a session is there.
async fn is_whole(store: &SqliteStore, session: SessionId) -> bool {
    let pending = store.pending_resources(session).await.unwrap();
    let job = store.job(session, JobId(1)).await.unwrap();
    let (chunks, bytes) = (1, 4);
    pending.len() == 1
        && job.is_some_and(|job| {
            job.record.state.is_final() && job.result == Output::Chunked { chunks, bytes }
        })
}

/// Kills a writing process. Answers the last batch that it acknowledged.
fn kill_a_writer(database: &Utf8Path, after: usize) -> i32 {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", WRITER, "--nocapture"])
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut acknowledged = lines.filter_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("stored ")?.parse::<i32>().ok()
    });
    let reached = acknowledged.by_ref().take(after).last();
    writer.kill().unwrap();
    // The process may have written more before it was killed.
    let last = acknowledged.last().or(reached);
    writer.wait().unwrap();
    last.expect("the writer came to acknowledge something")
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = Directory::new();
    let (mut first, mut acknowledged) = (0, 0);
    for after in [1, 50, 100] {
        let last = kill_a_writer(&directory.database(), after);
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        for id in (first..=last).map(BatchId) {
            let record = store.batch(id).await.unwrap().expect("it was acknowledged");
            assert_eq!(record.state, BatchState::Running);
            assert_eq!(record.app, Some(app(id)));
        }
        acknowledged += usize::try_from(last - first + 1).unwrap();
        let mut sessions = 0;
        for session in store.unended_sessions().await.unwrap() {
            assert_keyed(&store, session.record.id).await;
            sessions += usize::from(is_whole(&store, session.record.id).await);
        }
        assert!(sessions >= acknowledged, "{sessions} of {acknowledged}");
        let next = store.create_batch(new_batch()).await.unwrap().id.0;
        // One more batch may have been stored or numbered without an acknowledgement.
        assert!((last + 1..=last + 2).contains(&next), "{next} after {last}");
        first = next + 1;
    }
}
