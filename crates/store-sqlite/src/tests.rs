//! The conformance suite on files, and tests of the files themselves.

mod durable;
mod earlier;
mod every_table;
mod faulty;
mod killed;
mod plans;
mod purge;
mod traces;
mod unreadable;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use livius_domain::{
    BatchRequest, JobLanguage, Kind, ResourceSource, ResourceUse, SessionId, SessionRequest,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use tempfile::TempDir;

use super::{OpenError, SchemaError, SqliteStore};
use livius_store::conformance::{Failure, Place};
use livius_store::{
    JobStore, NewBatch, NewResource, NewSession, PieceStore, PiecesOf, ResourceStore, SessionStore,
    StatementStore, Store,
};

livius_store::store_conformance!(Directory::new());

pub(super) struct Directory(TempDir);

impl Directory {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.0.path().join(name)).unwrap()
    }

    pub(super) fn database(&self) -> Utf8PathBuf {
        self.file("livius.db")
    }

    async fn with(sql: &'static str) -> Self {
        let directory = Self::new();
        directory.tamper(sql).await;
        directory
    }

    /// Changes the file without the store.
    pub(super) async fn tamper(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new()
            .filename(self.database())
            .create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(sqlx::raw_sql(sql)).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[async_trait]
impl Place for Directory {
    async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        Ok(Arc::new(SqliteStore::open(&self.database()).await?))
    }
}

pub(super) fn new_session() -> NewSession {
    let created_at = Timestamp::from_second(1).unwrap();
    NewSession {
        request: SessionRequest::default(),
        owner: None,
        proxy_user: None,
        created_at,
        key: None,
        webhook: None,
    }
}

pub(super) fn new_batch() -> NewBatch {
    NewBatch {
        request: BatchRequest::default(),
        owner: None,
        proxy_user: None,
        created_at: Timestamp::from_second(1).unwrap(),
        key: None,
        webhook: None,
    }
}

pub(super) fn new_file() -> NewResource {
    NewResource {
        used_as: ResourceUse::File,
        name: "data.csv".to_owned(),
        source: ResourceSource::Upload,
        key: None,
    }
}

#[tokio::test]
async fn nobody_else_can_read_its_files() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    store.create_session(new_session()).await.unwrap();
    store.session(SessionId(0)).await.unwrap();
    let mut modes: Vec<(String, u32)> = std::fs::read_dir(directory.0.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                entry.metadata().unwrap().permissions().mode() & 0o777,
            )
        })
        .collect();
    modes.sort();
    let names = [
        "livius.db",
        "livius.db-shm",
        "livius.db-wal",
        "livius.db.lock",
    ];
    assert_eq!(modes, names.map(|name| (name.to_owned(), 0o600)));
}

#[tokio::test]
async fn a_second_server_is_refused_until_the_first_is_gone() {
    let directory = Directory::new();
    let first = SqliteStore::open(&directory.database()).await.unwrap();
    let clone = first.clone();
    drop(first);
    let Err(refused) = SqliteStore::open(&directory.database()).await else {
        panic!("opened twice")
    };
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        format!("open {}: another server is using it", directory.database())
    );
    drop(clone);
    SqliteStore::open(&directory.database()).await.unwrap();
}

#[tokio::test]
async fn what_was_flushed_is_in_the_file_alone() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    store.create_session(new_session()).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(
        std::fs::metadata(directory.file("livius.db-wal")).map_or(0, |wal| wal.len()),
        0
    );
    drop(store);
    std::fs::copy(directory.database(), directory.file("copy.db")).unwrap();
    let copy = SqliteStore::open(&directory.file("copy.db")).await.unwrap();
    assert!(copy.session(SessionId(0)).await.unwrap().is_some());
}

#[tokio::test]
async fn files_that_do_not_fit_are_refused_and_left_alone() {
    let newer = "PRAGMA application_id = 0x4c697669; PRAGMA user_version = 99; CREATE TABLE x (y);";
    let foreign = "CREATE TABLE x (y);";
    let foreign_empty = "PRAGMA application_id = 7;";
    for (sql, expected) in [
        (
            newer,
            "its schema has version 99 and this server knows none above 10: start the newer server again, or restore a backup",
        ),
        (foreign, "it is not a database of Livius"),
        (foreign_empty, "it is not a database of Livius"),
    ] {
        let directory = Directory::with(sql).await;
        let Err(OpenError::Schema { source, .. }) = SqliteStore::open(&directory.database()).await
        else {
            panic!("opened: {sql}")
        };
        assert_eq!(source.to_string(), expected);
        assert!(matches!(
            source,
            SchemaError::Newer { .. } | SchemaError::Foreign
        ));
    }
    let directory = Directory::new();
    std::fs::write(
        directory.database(),
        "not a database at all, but long enough to be looked at",
    )
    .unwrap();
    let Err(refused) = SqliteStore::open(&directory.database()).await else {
        panic!("opened a text file")
    };
    assert!(
        matches!(
            refused,
            OpenError::Connect { .. } | OpenError::Schema { .. }
        ),
        "{refused:?}"
    );
    let Err(refused) = SqliteStore::open(&directory.file("nowhere/livius.db")).await else {
        panic!("opened nowhere")
    };
    assert!(matches!(refused, OpenError::Lock { .. }), "{refused:?}");
}

/// Counts the rows of every table that belongs to sessions.
const ROWS: &str = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM statements), \
                           (SELECT count(*) FROM statement_chunks), (SELECT count(*) FROM jobs), \
                           (SELECT count(*) FROM job_chunks), (SELECT count(*) FROM resources)";

#[tokio::test]
async fn a_purged_session_leaves_no_rows() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    let mut session = store.create_session(new_session()).await.unwrap();
    let made = store
        .create_statement(session.id, Kind::Spark, "1", None, None)
        .await;
    let piece = store.put_piece(PiecesOf::Statement(session.id, made.unwrap().id), 0, "{");
    piece.await.unwrap();
    let made = store
        .create_job(session.id, JobLanguage::Jvm, "AA==", None)
        .await;
    let piece = store.put_piece(PiecesOf::Job(session.id, made.unwrap().id), 0, "Zg==");
    piece.await.unwrap();
    let file = store.create_resource(session.id, new_file()).await;
    file.unwrap();
    session.ended_at = Some(session.created_at);
    store.update_session(&mut session).await.unwrap();
    for left in [1, 0] {
        let rows: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(ROWS)
            .fetch_one(&mut *store.readers.take().await)
            .await
            .unwrap();
        assert_eq!(rows, (left, left, left, left, left, left));
        store.purge_sessions(Timestamp::MIN, 0).await.unwrap();
    }
}

/// A write that fails. With `ended` the database has already ended the transaction, as it does on a
/// full disk.
async fn write_in_vain(store: &SqliteStore, ended: bool) {
    let mut turn = super::writer::Writer::turn(&store.writer).await.unwrap();
    let mut transaction = turn.connection().begin().await.unwrap();
    if ended {
        let ended = sqlx::query("ROLLBACK").execute(&mut *transaction).await;
        ended.unwrap();
    }
    drop(transaction);
    let failed: Result<(), _> = Err(super::failed("write")("the disk is full"));
    turn.end(failed).unwrap_err();
}

/// When the database ends a transaction by itself, the library believes that it is still open.
/// After the library's next failure a transaction would stay open, and all later writes would be
/// acknowledged and lost.
#[tokio::test]
async fn writes_after_failures_are_committed() {
    let directory = Directory::new();
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    write_in_vain(&store, true).await;
    write_in_vain(&store, false).await;
    let taken = store.create_session(new_session()).await.unwrap();
    let seen = store.session(taken.id).await.unwrap();
    assert_eq!(seen.as_ref(), Some(&taken));
    drop(store);
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    assert_eq!(store.session(taken.id).await.unwrap(), Some(taken));
}
