//! What the answers about one session and about one batch have in common.

use livius_domain::{Expiry, QueuePlace, StopCause};
use serde::Serialize;
use utoipa::ToSchema;

/// A place among those that wait for their start.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub struct QueueAnswer {
    /// Counting from 1, which starts next.
    position: usize,
    /// The number of those that wait.
    length: usize,
}

impl QueueAnswer {
    pub(crate) fn new(place: QueuePlace) -> Self {
        Self {
            position: place.position,
            length: place.length,
        }
    }
}

/// When the server ends a session, if nothing changes before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Expiry)]
pub struct ExpiryAnswer {
    /// When.
    at: String,
    /// The timeout that ends it: `idle_timeout`, `ttl`, `heartbeat`, `start_timeout` or
    /// `unreachable`.
    #[schema(value_type = String)]
    cause: StopCause,
}

impl ExpiryAnswer {
    pub(crate) fn new(expiry: Expiry) -> Self {
        Self {
            at: expiry.at.to_string(),
            cause: expiry.cause,
        }
    }
}

/// The addresses of what belongs to a session. Those of this server are paths.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionLinks)]
pub struct SessionLinksAnswer<'a> {
    /// Its statements.
    statements: String,
    /// Its events, as they happen.
    events: String,
    /// Its log.
    log: String,
    /// Its log, as it grows.
    log_events: String,
    /// Its executors on a cluster.
    executors: String,
    /// The session as Livy shows it.
    livy: String,
    /// Spark's own pages about its application, while it lives.
    spark_ui: Option<&'a str>,
}

impl<'a> SessionLinksAnswer<'a> {
    pub(crate) fn new(id: i32, spark_ui: Option<&'a str>) -> Self {
        let own = format!("/api/v1/sessions/{id}");
        Self {
            statements: format!("{own}/statements"),
            events: format!("{own}/events"),
            log: format!("/sessions/{id}/log"),
            log_events: format!("{own}/log/events"),
            executors: format!("{own}/executors"),
            livy: format!("/sessions/{id}"),
            spark_ui,
        }
    }
}

/// The addresses of what belongs to a batch. Those of this server are paths.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BatchLinks)]
pub struct BatchLinksAnswer<'a> {
    /// Its events, as they happen.
    events: String,
    /// Its log.
    log: String,
    /// Its log, as it grows.
    log_events: String,
    /// Its executors on a cluster.
    executors: String,
    /// The batch as Livy shows it.
    livy: String,
    /// Spark's own pages about its application, while it lives.
    spark_ui: Option<&'a str>,
}

impl<'a> BatchLinksAnswer<'a> {
    pub(crate) fn new(id: i32, spark_ui: Option<&'a str>) -> Self {
        let own = format!("/api/v1/batches/{id}");
        Self {
            events: format!("{own}/events"),
            log: format!("/batches/{id}/log"),
            log_events: format!("{own}/log/events"),
            executors: format!("{own}/executors"),
            livy: format!("/batches/{id}"),
            spark_ui,
        }
    }
}
