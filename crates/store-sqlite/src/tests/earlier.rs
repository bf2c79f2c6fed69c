//! Files of earlier versions can be read.

use std::sync::Arc;

use livius_domain::driver::{
    DriverLocation, DriverProgram, DriverRecord, DriverState, DriverTimes, DriverUse, Link,
    Stopping,
};
use livius_domain::{
    AppInfo, BatchEnd, BatchId, BatchOutcome, BatchRecord, BatchRequest, BatchState, BatchTimes,
    DriverId, End, Exit, Failure, FailureCode, JobId, JobLanguage, Kind, Outcome, Phase,
    ResourceId, SessionId, SessionRecord, SessionRequest, SessionState, StatementId,
    StatementRecord, StatementState, StopCause, SubmitOptions,
};

use super::{Directory, SqliteStore, Timestamp, new_batch, new_file, new_session};
use livius_store::{
    BatchStore, DriverStore, JobStore, Output, PieceStore, PiecesOf, ResourceStore, Search,
    SessionStore, StatementStore, StoredStatement, Visible,
};

/// A file of version 1, with rows as version 1 wrote them: the request is flat, and the application
/// has no address of a log.
const VERSION_1: &str = concat!(
    include_str!("../../migrations/0001_initial.sql"),
    r#"
PRAGMA application_id = 0x4c697669;
PRAGMA user_version = 1;
UPDATE counters SET next = 7 WHERE name = 'session';
INSERT INTO sessions VALUES (
    4, 1, 1795272157884949, 1795272170084687, 1795272170849511, 1, NULL, NULL, NULL,
    '{"state":"ended","outcome":"stopped","cause":"shutdown","failure":null,"exit":{"code":0}}',
    NULL, NULL,
    '{"kind":"spark","proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{},"heartbeat_timeout_seconds":0,"ttl":null,"idle_timeout":null}');
INSERT INTO sessions VALUES (
    6, 1, 1795269672122510, 1795269682199198, NULL, 0, 'nightly', 'alice', 'bob',
    '{"state":"running","link":"up"}',
    '{"app_id":"local-1795269678112","spark_ui_url":"http://192.0.2.2:4041"}',
    '{"id":"s-6-615736c9b679","dir":"/data/drivers/s-6-615736c9b679","token_hash":"5e69","process":{"pid":24876,"start_ticks":787540}}',
    '{"kind":"pyspark","proxy_user":"bob","jars":["a.jar"],"py_files":["b.py"],"files":["c"],"archives":["d.zip"],"driver_memory":"1g","driver_cores":1,"executor_memory":"2g","executor_cores":2,"num_executors":3,"queue":"default","name":"nightly","conf":{"spark.x":"1"},"heartbeat_timeout_seconds":60,"ttl":"1h","idle_timeout":"30s"}');
INSERT INTO statements VALUES (
    6, 0, 1, 'pyspark', '{"state":"available","started":"2026-11-21T14:00:37.917Z","completed":"2026-11-21T14:00:37.938Z"}',
    NULL, NULL, '{"status":"ok"}', '1+1');
"#
);

/// Turns it into a file of version 2: the same rows, and a batch.
const VERSION_2: &str = concat!(
    include_str!("../../migrations/0002_batches.sql"),
    r#"
PRAGMA user_version = 2;
UPDATE counters SET next = 4 WHERE name = 'batch';
INSERT INTO batches VALUES (
    3, 1, 1795272170849511, 'nightly', 'alice', 'bob',
    '{"state":"ended","outcome":"failed","cause":null,"failure":{"code":"application_failed","phase":"running","message":"m","hint":"h"},"exit":{"code":1}}',
    '{"created_at":"2026-11-21T14:00:37.917Z","launched_at":"2026-11-21T14:00:38Z","running_at":null,"stopping_at":null,"ended_at":"2026-11-21T14:42:50.849511Z"}',
    '{"app_id":"local-1795269678112","spark_ui_url":null,"driver_log_url":"http://192.0.2.2/log"}',
    NULL,
    '{"file":"/jobs/nightly.py","class_name":null,"args":["2026-11-21"],"proxy_user":"bob","jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":"nightly","conf":{}}');
"#
);

/// Turns it into a file of version 3: the same rows, a job with a long result, two added files, and
/// sessions and batches with drivers in different states.
const VERSION_3: &str = concat!(
    include_str!("../../migrations/0003_jobs.sql"),
    r#"
PRAGMA user_version = 3;
UPDATE counters SET next = 11 WHERE name = 'session';
UPDATE counters SET next = 8 WHERE name = 'batch';
INSERT INTO sessions VALUES (
    7, 1, 1795269672122510, 1795269682199198, NULL, 0, NULL, NULL, NULL,
    '{"state":"starting","step":"connecting"}', NULL,
    '{"id":"s-7-0123456789ab","dir":"/data/drivers/s-7-0123456789ab","token_hash":"77","process":null}',
    '{"kind":"spark","proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{},"heartbeat_timeout_seconds":0,"ttl":null,"idle_timeout":null}', 1);
INSERT INTO sessions VALUES (
    8, 0, 1795269672122510, 1795269682199198, NULL, 0, NULL, NULL, NULL,
    '{"state":"stopping","cause":"ttl","failure":null,"forced":true}', NULL,
    '{"id":"s-8-0123456789ab","dir":"/data/drivers/s-8-0123456789ab","token_hash":"88","process":{"pid":7,"start_ticks":8}}',
    '{"kind":"spark","proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{},"heartbeat_timeout_seconds":0,"ttl":null,"idle_timeout":null}', 1);
INSERT INTO batches VALUES (
    4, 1, NULL, NULL, NULL, NULL, '{"state":"starting","step":"submitted"}',
    '{"created_at":"2026-11-21T14:00:37.917Z","launched_at":"2026-11-21T14:00:38Z","running_at":null,"stopping_at":null,"ended_at":null}',
    NULL, '{"id":"b-4-0123456789ab","dir":"/data/drivers/b-4-0123456789ab","token_hash":"44","process":{"pid":9,"start_ticks":10}}',
    '{"file":"/jobs/nightly.py","class_name":null,"args":[],"proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{}}');
INSERT INTO batches VALUES (
    5, 1, NULL, NULL, NULL, NULL, '{"state":"running"}',
    '{"created_at":"2026-11-21T14:00:37.917Z","launched_at":"2026-11-21T14:00:38Z","running_at":"2026-11-21T14:00:39Z","stopping_at":null,"ended_at":null}',
    '{"app_id":"local-5","spark_ui_url":null,"driver_log_url":null}',
    '{"id":"b-5-0123456789ab","dir":"/data/drivers/b-5-0123456789ab","token_hash":"55","process":{"pid":11,"start_ticks":12}}',
    '{"file":"/jobs/nightly.py","class_name":null,"args":[],"proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{}}');
INSERT INTO batches VALUES (
    6, 1, NULL, NULL, NULL, NULL, '{"state":"stopping","cause":"user","was_running":true}',
    '{"created_at":"2026-11-21T14:00:37.917Z","launched_at":"2026-11-21T14:00:38Z","running_at":"2026-11-21T14:00:39Z","stopping_at":"2026-11-21T14:00:40Z","ended_at":null}',
    NULL, '{"id":"b-6-0123456789ab","dir":"/data/drivers/b-6-0123456789ab","token_hash":"66","process":null}',
    '{"file":"/jobs/nightly.py","class_name":null,"args":[],"proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{}}');
INSERT INTO batches VALUES (
    7, 1, NULL, NULL, NULL, NULL, '{"state":"starting","step":"queued"}',
    '{"created_at":"2026-11-21T14:00:37.917Z","launched_at":null,"running_at":null,"stopping_at":null,"ended_at":null}',
    NULL, NULL,
    '{"file":"/jobs/nightly.py","class_name":null,"args":[],"proxy_user":null,"jars":[],"py_files":[],"files":[],"archives":[],"driver_memory":null,"driver_cores":null,"executor_memory":null,"executor_cores":null,"num_executors":null,"queue":null,"name":null,"conf":{}}');
INSERT INTO jobs VALUES (
    8, 1, 1, 'python', '{"state":"ended","outcome":"succeeded","started":null,"ended":"2026-11-21T14:00:37.938Z"}',
    NULL, 1, 4, NULL, NULL);
INSERT INTO job_chunks VALUES (8, 1, 0, 'Zm9v');
INSERT INTO resources VALUES (8, 1, 0, 'library', 'a.jar', '{"state":"added"}', '{"source":"upload"}');
INSERT INTO resources VALUES (8, 2, 1, 'file', 'b.csv', '{"state":"pending"}', '{"source":"uri","uri":"hdfs:/b.csv"}');
"#
);

/// Turns it into a file of version 4: the same rows, a statement with much code and a long output,
/// and an unfinished job.
const VERSION_4: &str = concat!(
    include_str!("../../migrations/0004_drivers.sql"),
    r#"
PRAGMA user_version = 4;
INSERT INTO statements (session, id, finished, kind, state, output, code) VALUES (
    6, 1, 1, 'pyspark', '{"state":"available","started":null,"completed":"2026-11-21T14:00:37.938Z"}',
    printf('%.5000c', 'o'), printf('%.100000c', 'c'));
INSERT INTO jobs (session, id, language, state, payload) VALUES (
    6, 1, 'python', '{"state":"waiting"}', printf('%.50000c', 'p'));
"#
);

fn session() -> SessionRecord {
    let text = |text: &str| Some(text.to_owned());
    let texts = |text: &str| vec![text.to_owned()];
    let submit = SubmitOptions {
        proxy_user: text("bob"),
        jars: texts("a.jar"),
        py_files: texts("b.py"),
        files: texts("c"),
        archives: texts("d.zip"),
        driver_memory: text("1g"),
        driver_cores: Some(1),
        executor_memory: text("2g"),
        executor_cores: Some(2),
        num_executors: Some(3),
        queue: text("default"),
        name: text("nightly"),
        conf: [("spark.x".to_owned(), "1".to_owned())].into(),
    };
    SessionRecord {
        id: SessionId(6),
        version: 0,
        request: Arc::new(SessionRequest {
            kind: Kind::PySpark,
            submit,
            heartbeat_timeout_seconds: 60,
            ttl: text("1h"),
            idle_timeout: text("30s"),
        }),
        owner: text("alice"),
        proxy_user: text("bob"),
        state: SessionState::Running,
        app: Some(AppInfo {
            app_id: "local-1795269678112".to_owned(),
            spark_ui_url: text("http://192.0.2.2:4041"),
            driver_log_url: None,
        }),
        driver: DriverId::parse("s-6-615736c9b679"),
        pool: None,
        created_at: Timestamp::from_microsecond(1_795_269_672_122_510).unwrap(),
        last_activity: Timestamp::from_microsecond(1_795_269_682_199_198).unwrap(),
        ended_at: None,
        last_lines: None,
    }
}

fn statement() -> StoredStatement {
    let record = StatementRecord {
        session: SessionId(6),
        id: StatementId(0),
        version: 0,
        kind: Kind::PySpark,
        code: "1+1".into(),
        state: StatementState::Available {
            started: Some("2026-11-21T14:00:37.917Z".parse().unwrap()),
            completed: "2026-11-21T14:00:37.938Z".parse().unwrap(),
        },
    };
    let output = Output::Inline(r#"{"status":"ok"}"#.to_owned());
    StoredStatement { record, output }
}

fn batch() -> BatchRecord {
    let text = |text: &str| Some(text.to_owned());
    BatchRecord {
        id: BatchId(3),
        version: 0,
        request: Arc::new(BatchRequest {
            file: "/jobs/nightly.py".to_owned(),
            class_name: None,
            args: vec!["2026-11-21".to_owned()],
            submit: SubmitOptions {
                proxy_user: text("bob"),
                name: text("nightly"),
                ..SubmitOptions::default()
            },
        }),
        owner: text("alice"),
        proxy_user: text("bob"),
        state: BatchState::Ended(BatchEnd {
            outcome: BatchOutcome::Failed,
            cause: None,
            failure: Some(Failure {
                code: FailureCode::ApplicationFailed,
                phase: Phase::Running,
                evidence: livius_domain::Evidence::default(),
                message: "m".to_owned(),
                hint: "h".to_owned(),
            }),
            exit: Some(Exit::Code(1)),
        }),
        app: Some(AppInfo {
            app_id: "local-1795269678112".to_owned(),
            spark_ui_url: None,
            driver_log_url: text("http://192.0.2.2/log"),
        }),
        driver: None,
        times: BatchTimes {
            created_at: "2026-11-21T14:00:37.917Z".parse().unwrap(),
            launched_at: Some("2026-11-21T14:00:38Z".parse().unwrap()),
            running_at: None,
            stopping_at: None,
            ended_at: Some("2026-11-21T14:42:50.849511Z".parse().unwrap()),
        },
        last_lines: None,
    }
}

#[tokio::test]
async fn a_file_of_version_1_is_taken_over() {
    let directory = Directory::with(VERSION_1).await;
    for opening in 0..2 {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        sessions_are_taken_over(&store, opening).await;
        let batch = store.create_batch(new_batch()).await.unwrap();
        assert_eq!(batch.id, BatchId(opening));
    }
}

#[tokio::test]
async fn a_file_of_version_2_is_taken_over() {
    let directory = Directory::with(VERSION_1).await;
    directory.tamper(VERSION_2).await;
    for opening in 0..2 {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        sessions_are_taken_over(&store, opening).await;
        assert_eq!(store.batch(BatchId(3)).await.unwrap(), Some(batch()));
        let named = store.batch_named("nightly").await.unwrap();
        assert_eq!(named, Some(batch()));
        let next = store.create_batch(new_batch()).await.unwrap();
        assert_eq!(next.id, BatchId(4 + opening));
    }
}

#[tokio::test]
async fn a_file_of_version_3_is_taken_over() {
    let directory = Directory::with(VERSION_1).await;
    directory.tamper(VERSION_2).await;
    directory.tamper(VERSION_3).await;
    for _ in 0..2 {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        assert_eq!(store.batch(BatchId(3)).await.unwrap(), Some(batch()));
        let read = store.session(SessionId(6)).await.unwrap();
        assert_eq!(read, Some(session()));
        let job = store.job(SessionId(8), JobId(1)).await.unwrap().unwrap();
        let (chunks, bytes) = (1, 4);
        assert_eq!(job.result, Output::Chunked { chunks, bytes });
        let pending = store.pending_resources(SessionId(8)).await.unwrap();
        let names: Vec<&str> = pending.iter().map(|record| record.name.as_str()).collect();
        assert_eq!(names, ["b.csv"]);
        for driver in drivers() {
            assert_eq!(store.driver(&driver.id).await.unwrap(), Some(driver));
        }
    }
}

/// Code and payloads that an earlier version wrote stay in their rows.
/// What earlier versions wrote is found by what lists are searched by.
#[tokio::test]
async fn earlier_rows_are_found() {
    let directory = Directory::with(VERSION_1).await;
    for version in [VERSION_2, VERSION_3] {
        directory.tamper(version).await;
    }
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let state = |states| Search {
        states: Some(states),
        limit: 10,
        ..Search::default()
    };
    for (states, sessions, batches) in [
        (&["starting"][..], vec![7], vec![7, 4]),
        (&["running"], vec![6], vec![5]),
        (&["stopping"], vec![], vec![6]),
        (&["stopped"], vec![4], vec![]),
        (&["failed"], vec![], vec![3]),
    ] {
        let found = store.search_sessions(Visible::All, state(states)).await;
        let found = found.unwrap().records.into_iter();
        assert_eq!(
            found.map(|record| record.id.0).collect::<Vec<_>>(),
            sessions
        );
        let found = store.search_batches(Visible::All, state(states)).await;
        let found = found.unwrap().records.into_iter();
        assert_eq!(found.map(|record| record.id.0).collect::<Vec<_>>(), batches);
    }
    for (since, count) in [
        ("2026-11-21T14:00:37.917Z", 5),
        ("2026-11-21T14:00:37.917001Z", 0),
    ] {
        let search = Search {
            since: Some(since.parse().unwrap()),
            ..Search::default()
        };
        let found = store.search_batches(Visible::All, search).await.unwrap();
        assert_eq!(found.total, count, "{since}");
    }
    let search = Search {
        kind: Some(Kind::PySpark),
        ..Search::default()
    };
    let found = store.search_sessions(Visible::All, search).await.unwrap();
    assert_eq!(found.total, 1);
}

#[tokio::test]
async fn a_file_of_version_4_is_taken_over() {
    let directory = Directory::with(VERSION_1).await;
    for version in [VERSION_2, VERSION_3, VERSION_4] {
        directory.tamper(version).await;
    }
    for _ in 0..2 {
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        let read = store.statement(SessionId(6), StatementId(0)).await.unwrap();
        assert_eq!(read, Some(statement()));
        let long = store.statement(SessionId(6), StatementId(1)).await.unwrap();
        let long = long.unwrap();
        assert_eq!(&*long.record.code, "c".repeat(100_000));
        assert_eq!(long.output, Output::Inline("o".repeat(5_000)));
        let excess = store.excess_outputs(None, 0).await.unwrap();
        assert_eq!(excess, [PiecesOf::Statement(SessionId(6), StatementId(1))]);
        let payload = store.job_payload(SessionId(6), JobId(1)).await.unwrap();
        assert_eq!(payload, Some("p".repeat(50_000)));
        let bytes = store
            .job_payload_bytes(SessionId(6), JobId(1))
            .await
            .unwrap();
        assert_eq!(bytes, Some(50_000));
        let (mode,): (i64,) = sqlx::query_as("PRAGMA auto_vacuum")
            .fetch_one(&mut *store.readers.take().await)
            .await
            .unwrap();
        assert_eq!(mode, 2, "the file can shrink");
    }
}

/// The drivers of version 3, by name. Sessions and batches that have ended have none, and a batch
/// that waits has none yet.
#[expect(clippy::too_many_lines, reason = "it is a list")]
fn drivers() -> Vec<DriverRecord> {
    let stopping = |cause, was_up| {
        DriverState::Stopping(Stopping {
            cause: Some(cause),
            failure: None,
            forced: true,
            was_up,
        })
    };
    let times = |launched: Option<&str>, up: Option<&str>| DriverTimes {
        launched_at: launched.map(|time| time.parse().unwrap()),
        up_at: up.map(|time| time.parse().unwrap()),
        ..DriverTimes::new("2026-11-21T14:00:37.917Z".parse().unwrap())
    };
    let (launched, up) = (Some("2026-11-21T14:00:38Z"), Some("2026-11-21T14:00:39Z"));
    let batch = |id: i32, state, process: Option<&str>, times| DriverRecord {
        id: DriverId::parse(&format!("b-{id}-0123456789ab")).unwrap(),
        version: 0,
        program: DriverProgram::Application,
        made_for: DriverUse::Batch(BatchId(id)),
        pooled: None,
        state,
        location: process.map(|process| DriverLocation::new(process.to_owned())),
        token_hash: Some(format!("{id}{id}")),
        instance: None,
        app: None,
        times,
        lease: None,
    };
    let session = |id: i32, state, process: Option<&str>| DriverRecord {
        id: DriverId::parse(&format!("s-{id}-0123456789ab")).unwrap(),
        program: DriverProgram::Agent,
        made_for: DriverUse::Session(SessionId(id)),
        times: DriverTimes::new("2026-11-21T14:01:12.12251Z".parse().unwrap()),
        ..batch(id, state, process, times(None, None))
    };
    vec![
        batch(
            4,
            DriverState::Connecting,
            Some(r#"{"pid":9,"start_ticks":10}"#),
            times(launched, None),
        ),
        DriverRecord {
            app: Some(AppInfo {
                app_id: "local-5".to_owned(),
                spark_ui_url: None,
                driver_log_url: None,
            }),
            ..batch(
                5,
                DriverState::Up { link: Link::Up },
                Some(r#"{"pid":11,"start_ticks":12}"#),
                times(launched, up),
            )
        },
        batch(
            6,
            stopping(StopCause::User, true),
            None,
            times(launched, up),
        ),
        DriverRecord {
            id: DriverId::parse("s-6-615736c9b679").unwrap(),
            token_hash: Some("5e69".to_owned()),
            app: self::session().app,
            ..session(
                6,
                DriverState::Up { link: Link::Up },
                Some(r#"{"pid":24876,"start_ticks":787540}"#),
            )
        },
        session(7, DriverState::Connecting, None),
        session(
            8,
            stopping(StopCause::Ttl, false),
            Some(r#"{"pid":7,"start_ticks":8}"#),
        ),
    ]
}

/// The rows of version 1 are read, and such a session can be used like any other.
async fn sessions_are_taken_over(store: &SqliteStore, opening: i32) {
    assert_eq!(store.unended_sessions().await.unwrap()[0].record, session());
    let named = store.session_named("nightly").await.unwrap();
    assert_eq!(named, Some(session()));
    let over = store.session(SessionId(4)).await.unwrap().unwrap();
    let end = End {
        outcome: Outcome::Stopped,
        cause: Some(StopCause::Shutdown),
        failure: None,
        exit: Some(Exit::Code(0)),
    };
    assert_eq!(over.state, SessionState::Ended(end));
    let read = store.statement(SessionId(6), StatementId(0)).await.unwrap();
    assert_eq!(read, Some(statement()));
    let next = store.create_session(new_session()).await.unwrap();
    assert_eq!(next.id, SessionId(7 + opening));
    let job = store.create_job(SessionId(6), JobLanguage::Jvm, "AA==", None);
    assert_eq!(job.await.unwrap().id, JobId(1 + opening));
    let file = store.create_resource(SessionId(6), new_file());
    assert_eq!(file.await.unwrap().id, ResourceId(1 + opening));
}
