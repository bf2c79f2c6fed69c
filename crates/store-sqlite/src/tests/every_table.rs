//! One damaged row of any table affects no other row.

use std::collections::BTreeSet;

use livius_domain::driver::Lease;
use livius_domain::driver::{DriverProgram, DriverRecord, DriverState, DriverTimes, DriverUse};
use livius_domain::{
    DriverId, End, JobId, JobLanguage, Kind, Outcome, SessionId, SessionRecord, SessionState,
    StatementId, StopCause, Webhook,
};
use livius_store::{
    BatchStore, Claim, DriverStore, JobStore, KeptAnswer, KeyBounds, KeyStore, NewBatch, NewKey,
    NewSession, PieceStore, PiecesOf, ResourceStore, SessionStore, StatementStore, WebhookStore,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};

use super::{Directory, SqliteStore, Timestamp, new_batch, new_file, new_session};

/// A table, the damage to one of its rows, and what a server then no longer sees.
type Damage = (&'static str, &'static str, &'static [&'static str]);

const DAMAGES: &[Damage] = &[
    (
        "counters",
        "UPDATE counters SET next = 9223372036854775807 WHERE name = 'session'",
        &["the next session"],
    ),
    (
        "sessions",
        r#"UPDATE sessions SET state = '"asleep"' WHERE id = 1"#,
        &["session 1", "the end of session 1"],
    ),
    (
        "statements",
        r#"UPDATE statements SET state = '"asleep"' WHERE id = 1"#,
        &["statement 1"],
    ),
    (
        "statement_chunks",
        "UPDATE statement_chunks SET text = CAST(x'ff' AS TEXT) WHERE statement = 1",
        &["the output of statement 1"],
    ),
    (
        "statement_codes",
        "UPDATE statement_codes SET code = CAST(x'ff' AS TEXT) WHERE statement = 1",
        &["statement 1"],
    ),
    (
        "batches",
        "UPDATE batches SET times = '{' WHERE id = 1",
        &["batch 1"],
    ),
    (
        "jobs",
        "UPDATE jobs SET language = 'cobol' WHERE id = 2",
        &["job 2"],
    ),
    (
        "job_chunks",
        "UPDATE job_chunks SET text = CAST(x'ff' AS TEXT) WHERE job = 2",
        &["the result of job 2"],
    ),
    (
        "job_payloads",
        "UPDATE job_payloads SET payload = CAST(x'ff' AS TEXT) WHERE job = 2",
        &["the bytes of job 2"],
    ),
    (
        "resources",
        r#"UPDATE resources SET source = '"asleep"' WHERE id = 2"#,
        &["resource 2"],
    ),
    (
        "drivers",
        r#"UPDATE drivers SET state = '"asleep"' WHERE session = 1"#,
        &["the driver of session 1"],
    ),
    // The sweep ends what no row names, so it must not run without all names.
    (
        "drivers",
        "UPDATE drivers SET id = CAST(x'ff' AS TEXT) WHERE session = 91",
        &["the abandoned driver of session 91", "the names of drivers"],
    ),
    (
        "request_keys",
        "UPDATE request_keys SET kind = 'asleep' WHERE key = 'batch 1'",
        &["key batch 1"],
    ),
    (
        "key_answers",
        "UPDATE key_answers SET status = 70000 WHERE key IN (SELECT id FROM request_keys WHERE key = 'answered 1')",
        &["key answered 1"],
    ),
    (
        "key_answers",
        "UPDATE key_answers SET bytes = 9223372036854775807 WHERE key IN (SELECT id FROM request_keys WHERE key = 'answered 1')",
        &[],
    ),
    (
        "webhooks",
        "UPDATE webhooks SET url = CAST(x'ff' AS TEXT) WHERE session = 1",
        &["the end of session 1"],
    ),
    (
        "webhook_deliveries",
        "UPDATE webhook_deliveries SET first_attempt_at = 9223372036854775807 WHERE host = 'session 3'",
        &["the end of session 3"],
    ),
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn key(key: &str) -> NewKey {
    NewKey {
        caller: "c".to_owned(),
        key: key.to_owned(),
        request: "POST /sessions".to_owned(),
        fingerprint: [7; 32],
        made_at: at(1),
    }
}

fn hook(host: &str) -> Webhook {
    Webhook {
        url: "https://example.org/told".to_owned(),
        host: host.to_owned(),
    }
}

fn driver(session: i32, ended_at: Option<Timestamp>) -> DriverRecord {
    let session = SessionId(session);
    DriverRecord {
        id: DriverId::for_session(session, [1; 6]),
        version: 0,
        program: DriverProgram::Agent,
        made_for: DriverUse::Session(session),
        pooled: None,
        state: DriverState::Queued,
        location: None,
        token_hash: None,
        instance: None,
        app: None,
        times: DriverTimes {
            ended_at,
            ..DriverTimes::new(at(1))
        },
        lease: None,
    }
}

async fn end(store: &SqliteStore, mut record: SessionRecord) {
    record.state = SessionState::Ended(End {
        outcome: Outcome::Stopped,
        cause: Some(StopCause::User),
        failure: None,
        exit: None,
    });
    record.ended_at = Some(at(2));
    store.update_session(&mut record).await.unwrap();
}

/// Puts at least two rows into each table.
async fn fill(store: &SqliteStore) {
    for number in 0..4 {
        let name = format!("session {number}");
        let new = NewSession {
            key: Some(key(&name)),
            webhook: Some(hook(&name)),
            ..new_session()
        };
        let session = store.create_session(new).await.unwrap();
        if number >= 2 {
            end(store, session).await;
        }
    }
    let text = "x".repeat(5_000);
    for number in 0..2 {
        let batch = NewBatch {
            key: Some(key(&format!("batch {number}"))),
            ..new_batch()
        };
        store.create_batch(batch).await.unwrap();
        let made = store.create_statement(SessionId(0), Kind::Spark, &text, None, None);
        let of = PiecesOf::Statement(SessionId(0), made.await.unwrap().id);
        store.put_piece(of, 0, "{}").await.unwrap();
        let made = store.create_job(SessionId(0), JobLanguage::Jvm, &text, None);
        let of = PiecesOf::Job(SessionId(0), made.await.unwrap().id);
        store.put_piece(of, 0, "AA==").await.unwrap();
        let file = store.create_resource(SessionId(0), new_file());
        file.await.unwrap();
        let up = driver(number, None);
        store.create_driver(&up).await.unwrap();
        let gone = driver(90 + number, Some(at(2)));
        store.create_driver(&gone).await.unwrap();
        let answer = KeptAnswer {
            status: 200,
            location: None,
            content_type: None,
            body: b"{}".to_vec(),
        };
        let key = key(&format!("answered {number}"));
        store.keep_answer(&key, &answer).await.unwrap();
    }
}

/// Everything that a server asks for when it starts. None of it may fail.
async fn started(store: &SqliteStore, seen: &mut BTreeSet<String>) {
    let lease = Lease {
        server: "this".to_owned(),
        until: at(100),
    };
    let claim = Claim {
        lease: &lease,
        now: at(10),
        program: DriverProgram::Agent,
        own: true,
    };
    for driver in store.claim_drivers(claim).await.unwrap() {
        if let DriverUse::Session(id) = driver.made_for {
            seen.insert(format!("the driver of session {id}"));
        }
    }
    for id in store.abandoned_drivers().await.unwrap() {
        let session = if id == driver(90, None).id { 90 } else { 91 };
        seen.insert(format!("the abandoned driver of session {session}"));
    }
    for it in store.unended_batches().await.unwrap() {
        seen.insert(format!("batch {}", it.record.id));
    }
    for it in store.unended_sessions().await.unwrap() {
        let session = it.record.id;
        seen.insert(format!("session {session}"));
        for statement in store.unfinished_statements(session).await.unwrap() {
            seen.insert(format!("statement {}", statement.id));
        }
        for job in store.unfinished_jobs(session).await.unwrap() {
            let bytes = store.job_payload_bytes(session, job.id).await.unwrap();
            assert!(bytes.is_some());
            seen.insert(format!("job {}", job.id));
        }
        for file in store.pending_resources(session).await.unwrap() {
            seen.insert(format!("resource {}", file.id));
        }
    }
    store.count_webhooks().await.unwrap();
    let bounds = KeyBounds {
        made_before: Timestamp::MIN,
        keys: 100,
        answer_bytes: 1_000,
    };
    assert_eq!(store.purge_keys(bounds).await.unwrap(), 0);
    let excess = store.excess_outputs(None, 1_000_000).await.unwrap();
    assert_eq!(excess, []);
    store.purge_sessions(Timestamp::MIN, 100).await.unwrap();
    store.purge_batches(Timestamp::MIN, 100).await.unwrap();
}

/// What is asked for by itself, and may be an error.
async fn asked(store: &SqliteStore, seen: &mut BTreeSet<String>) {
    let mut saw = |what: String, is_there: bool| {
        if is_there {
            seen.insert(what);
        }
    };
    saw(
        "the names of drivers".to_owned(),
        store.driver_names().await.is_ok(),
    );
    for number in 0..2 {
        let of = PiecesOf::Statement(SessionId(0), StatementId(number));
        let piece = store.piece(of, 0).await;
        saw(
            format!("the output of statement {number}"),
            matches!(piece, Ok(Some(_))),
        );
        let job = JobId(number + 1);
        let piece = store.piece(PiecesOf::Job(SessionId(0), job), 0).await;
        saw(
            format!("the result of job {job}"),
            matches!(piece, Ok(Some(_))),
        );
        let payload = store.job_payload(SessionId(0), job).await;
        saw(
            format!("the bytes of job {job}"),
            matches!(payload, Ok(Some(_))),
        );
        for name in ["session", "batch", "answered"] {
            let name = format!("{name} {number}");
            let key = store.key("c", &name).await;
            saw(format!("key {name}"), matches!(key, Ok(Some(_))));
        }
    }
    let made = store.create_session(new_session()).await;
    saw("the next session".to_owned(), made.is_ok());
    let made = store.create_batch(new_batch()).await;
    saw("the next batch".to_owned(), made.is_ok());
}

/// Ends the first two sessions, and sees which webhooks are told.
async fn ended(store: &SqliteStore, seen: &mut BTreeSet<String>) {
    for it in store.unended_sessions().await.unwrap() {
        if it.record.id.0 < 2 {
            end(store, it.record).await;
        }
    }
    for delivery in store.due_deliveries(at(10), &[], 100).await.unwrap() {
        seen.insert(format!("the end of {}", delivery.host));
    }
}

/// What a server that opens the database sees.
async fn seen(directory: &Directory) -> BTreeSet<String> {
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut seen = BTreeSet::new();
    started(&store, &mut seen).await;
    asked(&store, &mut seen).await;
    ended(&store, &mut seen).await;
    seen
}

async fn filled() -> Directory {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    fill(&store).await;
    store.flush().await.unwrap();
    directory
}

/// Another database with the same rows. To write them all again takes long on a slow disk.
fn copy(directory: &Directory) -> Directory {
    let copy = Directory::new();
    std::fs::copy(directory.database(), copy.database()).unwrap();
    copy
}

/// Damages one row.
async fn damage(directory: &Directory, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(directory.database());
    let mut connection = options.connect().await.unwrap();
    let done = connection.execute(sqlx::raw_sql(sql)).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_row_takes_nothing_else_away() {
    let filled = filled().await;
    let whole = seen(&copy(&filled)).await;
    for (table, sql, lost) in DAMAGES {
        let directory = copy(&filled);
        damage(&directory, sql).await;
        let left = seen(&directory).await;
        let missing: BTreeSet<&str> = whole.difference(&left).map(String::as_str).collect();
        assert_eq!(missing, lost.iter().copied().collect(), "{table}: {sql}");
        assert!(left.is_subset(&whole), "{table}: {left:?}");
    }
}

/// Add a new table to `DAMAGES`, and to what `fill` makes and `seen` reads.
#[tokio::test]
async fn the_damage_to_every_table_is_tested() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *store.readers.take().await)
        .await
        .unwrap();
    let tables: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
    let damaged: BTreeSet<&str> = DAMAGES.iter().map(|(table, ..)| *table).collect();
    assert_eq!(damaged, tables);
}

/// It is the first that is due, and the server can never send it. An hour later the server reads it again.
#[tokio::test]
async fn a_delivery_that_cannot_be_read_lets_others_pass() {
    let directory = filled().await;
    let sql = "UPDATE webhook_deliveries SET attempts = -1 WHERE host = 'session 2'";
    damage(&directory, sql).await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let hosts = async |second: i64| -> Vec<String> {
        let due = store.due_deliveries(at(second), &[], 1).await.unwrap();
        due.into_iter().map(|delivery| delivery.host).collect()
    };
    assert_eq!(hosts(10).await, [""; 0]);
    assert_eq!(hosts(10).await, ["session 3"]);
    assert_eq!(store.count_webhooks().await.unwrap().waiting, 2);
    drop(store);

    let mended = "UPDATE webhook_deliveries SET attempts = 0 WHERE host = 'session 2'";
    damage(&directory, mended).await;
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let due = store.due_deliveries(at(3_609), &[], 10).await.unwrap();
    assert_eq!(due.len(), 1);
    let due = store.due_deliveries(at(3_610), &[], 10).await.unwrap();
    assert_eq!(due.len(), 2);
}
