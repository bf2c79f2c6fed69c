//! Converts between rows and records.

use std::sync::Arc;

use futures_util::{Stream, TryStreamExt as _};
use jiff::Timestamp;
use livius_domain::driver::{DriverLocation, DriverProgram, DriverRecord, DriverUse, Lease};
use livius_domain::pool::Pooled;
use livius_domain::{
    BatchId, BatchRecord, DriverId, JobId, JobLanguage, JobRecord, Kind, ResourceId,
    ResourceRecord, ResourceUse, SessionId, SessionRecord, StatementId, StatementRecord,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use livius_store::{
    BatchSummary, Output, SessionSummary, StoreError, StoredJob, StoredStatement, Summary,
};

/// The columns of an output: the text of a short one, and the number and length of the pieces of a
/// long one.
type OutputColumns = [&'static str; 3];

const OUTPUT: OutputColumns = ["output", "output_chunks", "output_bytes"];
const RESULT: OutputColumns = ["result", "result_chunks", "result_bytes"];
const LANGUAGES: [JobLanguage; 2] = [JobLanguage::Jvm, JobLanguage::Python];
const PROGRAMS: [DriverProgram; 2] = [DriverProgram::Agent, DriverProgram::Application];
const USES: [ResourceUse; 2] = [ResourceUse::Library, ResourceUse::File];

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads a row of `sessions` with all its columns.
pub(super) fn session(row: &SqliteRow) -> Result<SessionRecord, StoreError> {
    let id = SessionId(
        row.try_get("id")
            .map_err(|error| corrupt("a session".to_owned(), error.into()))?,
    );
    read_session(id, row).map_err(|source| corrupt(format!("session {id}"), source))
}

/// Reads a row of `batches` with all its columns.
pub(super) fn batch(row: &SqliteRow) -> Result<BatchRecord, StoreError> {
    let id = BatchId(
        row.try_get("id")
            .map_err(|error| corrupt("a batch".to_owned(), error.into()))?,
    );
    read_batch(id, row).map_err(|source| corrupt(format!("batch {id}"), source))
}

/// Reads a row of `sessions` with the columns of a summary.
pub(super) fn session_summary(row: &SqliteRow) -> Result<SessionSummary, StoreError> {
    summary(row, SessionId).map_err(|source| corrupt(format!("session {}", id(row)), source))
}

/// Reads a row of `batches` with the columns of a summary.
pub(super) fn batch_summary(row: &SqliteRow) -> Result<BatchSummary, StoreError> {
    summary(row, BatchId).map_err(|source| corrupt(format!("batch {}", id(row)), source))
}

/// Reads the readable ones of many rows. An unreadable row must not affect the others, least of all
/// when the server starts: it is left out and logged as an error.
pub(super) fn readable<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Vec<T> {
    let tell = |error: &StoreError| {
        tracing::error!(error = %livius_domain::chain(error), "a stored row cannot be read, and is left out");
    };
    rows.iter()
        .filter_map(|row| read(row).inspect_err(tell).ok())
        .collect()
}

/// The same for rows as they come, so that not all of them are in memory at once.
pub(super) async fn readable_of<T>(
    mut rows: impl Stream<Item = Result<SqliteRow, sqlx::Error>> + Unpin,
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, sqlx::Error> {
    let mut records = Vec::new();
    while let Some(row) = rows.try_next().await? {
        records.extend(readable(&[row], &read));
    }
    Ok(records)
}

/// Tells whether a row of `sessions` or `batches` is on its list.
pub(super) fn is_listed(row: &SqliteRow) -> bool {
    row.try_get("listed").unwrap_or(true)
}

/// The number of a row, for sorting.
pub(super) fn id(row: &SqliteRow) -> i64 {
    row.try_get("id").unwrap_or_default()
}

/// Reads a row of `statements` with all its columns.
pub(super) fn stored_statement(
    session: SessionId,
    row: &SqliteRow,
) -> Result<StoredStatement, StoreError> {
    let record = statement(session, row)?;
    let what = || format!("the output of statement {} of session {session}", record.id);
    let output = read_output(row, OUTPUT).map_err(|source| corrupt(what(), source))?;
    Ok(StoredStatement { record, output })
}

/// Reads a row of `statements` without its output.
pub(super) fn statement(
    session: SessionId,
    row: &SqliteRow,
) -> Result<StatementRecord, StoreError> {
    let what = || format!("a statement of session {session}");
    let id = StatementId(
        row.try_get("id")
            .map_err(|error| corrupt(what(), error.into()))?,
    );
    read_statement(session, id, row)
        .map_err(|source| corrupt(format!("statement {id} of session {session}"), source))
}

/// Reads a row of `jobs` with all its columns but its bytes.
pub(super) fn stored_job(session: SessionId, row: &SqliteRow) -> Result<StoredJob, StoreError> {
    let record = job(session, row)?;
    let what = || format!("the result of job {} of session {session}", record.id);
    let result = read_output(row, RESULT).map_err(|source| corrupt(what(), source))?;
    Ok(StoredJob { record, result })
}

/// Reads a row of `jobs` without its bytes and its result.
pub(super) fn job(session: SessionId, row: &SqliteRow) -> Result<JobRecord, StoreError> {
    let what = || format!("a job of session {session}");
    let id = JobId(
        row.try_get("id")
            .map_err(|error| corrupt(what(), error.into()))?,
    );
    read_job(session, id, row)
        .map_err(|source| corrupt(format!("job {id} of session {session}"), source))
}

/// Reads a row of `resources` with all its columns.
pub(super) fn resource(session: SessionId, row: &SqliteRow) -> Result<ResourceRecord, StoreError> {
    let what = || format!("a resource of session {session}");
    let id = ResourceId(
        row.try_get("id")
            .map_err(|error| corrupt(what(), error.into()))?,
    );
    read_resource(session, id, row)
        .map_err(|source| corrupt(format!("resource {id} of session {session}"), source))
}

/// Reads a row of `drivers` with all its columns.
pub(super) fn driver(row: &SqliteRow) -> Result<DriverRecord, StoreError> {
    let id: String = row
        .try_get("id")
        .map_err(|error| corrupt("a driver".to_owned(), error.into()))?;
    read_driver(&id, row).map_err(|source| corrupt(format!("driver {id}"), source))
}

/// The text of a language in its column.
pub(super) fn language_name(language: JobLanguage) -> &'static str {
    match language {
        JobLanguage::Jvm => "jvm",
        JobLanguage::Python => "python",
    }
}

/// The text of a program in its column.
pub(super) fn program_name(program: DriverProgram) -> &'static str {
    match program {
        DriverProgram::Agent => "agent",
        DriverProgram::Application => "application",
    }
}

/// The text of a use in its column.
pub(super) fn use_name(used_as: ResourceUse) -> &'static str {
    match used_as {
        ResourceUse::Library => "library",
        ResourceUse::File => "file",
    }
}

/// Writes a document. This cannot fail: records are plain data, and the keys of maps are texts.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("records are plain data")
}

/// Writes a part that may be absent.
pub(super) fn optional_json(value: Option<&impl Serialize>) -> Option<String> {
    value.map(json)
}

/// Reads a count or a length.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Writes a count. Greater numbers than the database has become the greatest one: no table has that
/// many rows.
pub(super) fn limit(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn driver_name(row: &SqliteRow) -> Result<Option<DriverId>, Failure> {
    let name: Option<&str> = row.try_get("driver")?;
    name.map(|name| DriverId::parse(name).ok_or_else(|| "no driver can have this name".into()))
        .transpose()
}

fn summary<Id, State: DeserializeOwned>(
    row: &SqliteRow,
    id: fn(i32) -> Id,
) -> Result<Summary<Id, State>, Failure> {
    Ok(Summary {
        id: id(row.try_get("id")?),
        owner: row.try_get("owner")?,
        proxy_user: row.try_get("proxy_user")?,
        state: document(row, "state")?,
        app: optional_document(row, "app")?,
    })
}

fn read_session(id: SessionId, row: &SqliteRow) -> Result<SessionRecord, Failure> {
    Ok(SessionRecord {
        id,
        version: count(row.try_get("version")?),
        request: Arc::new(document(row, "request")?),
        owner: row.try_get("owner")?,
        proxy_user: row.try_get("proxy_user")?,
        state: document(row, "state")?,
        app: optional_document(row, "app")?,
        driver: driver_name(row)?,
        pool: optional_document(row, "pool")?.map(Arc::new),
        created_at: Timestamp::from_microsecond(row.try_get("created_at")?)?,
        last_activity: Timestamp::from_microsecond(row.try_get("last_activity")?)?,
        ended_at: row
            .try_get::<Option<i64>, _>("ended_at")?
            .map(Timestamp::from_microsecond)
            .transpose()?,
        last_lines: optional_document(row, "last_lines")?,
    })
}

fn read_batch(id: BatchId, row: &SqliteRow) -> Result<BatchRecord, Failure> {
    Ok(BatchRecord {
        id,
        version: count(row.try_get("version")?),
        request: Arc::new(document(row, "request")?),
        owner: row.try_get("owner")?,
        proxy_user: row.try_get("proxy_user")?,
        state: document(row, "state")?,
        app: optional_document(row, "app")?,
        driver: driver_name(row)?,
        times: document(row, "times")?,
        last_lines: optional_document(row, "last_lines")?,
    })
}

fn read_statement(
    session: SessionId,
    id: StatementId,
    row: &SqliteRow,
) -> Result<StatementRecord, Failure> {
    let kind: &str = row.try_get("kind")?;
    Ok(StatementRecord {
        session,
        id,
        version: count(row.try_get("version")?),
        kind: Kind::parse(kind).ok_or_else(|| format!("unknown kind {kind:?}"))?,
        code: code(row)?.into(),
        state: document(row, "state")?,
    })
}

/// Long code is in a column of its own.
fn code(row: &SqliteRow) -> Result<String, sqlx::Error> {
    match row.try_get("long_code")? {
        Some(code) => Ok(code),
        None => row.try_get("code"),
    }
}

fn read_job(session: SessionId, id: JobId, row: &SqliteRow) -> Result<JobRecord, Failure> {
    let name: &str = row.try_get("language")?;
    let language = LANGUAGES.into_iter().find(|it| language_name(*it) == name);
    Ok(JobRecord {
        session,
        id,
        version: count(row.try_get("version")?),
        language: language.ok_or_else(|| format!("unknown language {name:?}"))?,
        state: document(row, "state")?,
        error: row.try_get("error")?,
    })
}

fn read_resource(
    session: SessionId,
    id: ResourceId,
    row: &SqliteRow,
) -> Result<ResourceRecord, Failure> {
    let name: &str = row.try_get("used_as")?;
    let used_as = USES.into_iter().find(|it| use_name(*it) == name);
    Ok(ResourceRecord {
        session,
        id,
        version: count(row.try_get("version")?),
        used_as: used_as.ok_or_else(|| format!("unknown use {name:?}"))?,
        name: row.try_get("name")?,
        source: document(row, "source")?,
        state: document(row, "state")?,
    })
}

fn read_driver(id: &str, row: &SqliteRow) -> Result<DriverRecord, Failure> {
    let program: &str = row.try_get("program")?;
    let found = PROGRAMS.into_iter().find(|it| program_name(*it) == program);
    let pooled: Option<Pooled> = optional_document(row, "pooled")?;
    let made_for = match (row.try_get("session")?, row.try_get("batch")?) {
        (Some(session), None) => DriverUse::Session(SessionId(session)),
        (None, Some(batch)) => DriverUse::Batch(BatchId(batch)),
        (None, None) if pooled.is_some() => DriverUse::Pool,
        _ => return Err("it is made for neither a session nor a batch nor a pool".into()),
    };
    let location: Option<String> = row.try_get("location")?;
    Ok(DriverRecord {
        id: DriverId::parse(id).ok_or("no driver can have this name")?,
        version: count(row.try_get("version")?),
        program: found.ok_or_else(|| format!("unknown program {program:?}"))?,
        made_for,
        pooled: pooled.map(Box::new),
        state: document(row, "state")?,
        location: location.map(DriverLocation::new),
        token_hash: row.try_get("token_hash")?,
        instance: row.try_get("instance")?,
        app: optional_document(row, "app")?,
        times: document(row, "times")?,
        lease: read_lease(row)?,
    })
}

fn read_lease(row: &SqliteRow) -> Result<Option<Lease>, Failure> {
    let Some(server) = row.try_get("owner")? else {
        return Ok(None);
    };
    let until = Timestamp::from_microsecond(row.try_get("lease_until")?)?;
    Ok(Some(Lease { server, until }))
}

fn read_output(row: &SqliteRow, columns: OutputColumns) -> Result<Output, Failure> {
    let [text, chunks, bytes] = columns;
    if let Some(text) = row.try_get(text)? {
        return Ok(Output::Inline(text));
    }
    let Some(chunks) = row.try_get(chunks)? else {
        return Ok(Output::None);
    };
    Ok(Output::Chunked {
        chunks,
        bytes: count(row.try_get(bytes)?),
    })
}

fn document<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, Failure> {
    Ok(serde_json::from_str(row.try_get(column)?)?)
}

fn optional_document<T: DeserializeOwned>(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<T>, Failure> {
    let text: Option<&str> = row.try_get(column)?;
    Ok(text.map(serde_json::from_str).transpose()?)
}

pub(super) fn corrupt(what: String, source: Failure) -> StoreError {
    StoreError::Corrupt { what, source }
}
