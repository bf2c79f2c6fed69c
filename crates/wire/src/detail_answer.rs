//! The parts that the answers about one session and about one batch share.

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

/// The addresses of what belongs to a session or a batch. Those of this server are paths.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Links)]
pub struct LinksAnswer<'a> {
    /// The statements of a session. A batch has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<String>,
    /// Its events, as they happen.
    events: String,
    /// Its log.
    log: String,
    /// Its log, as it grows.
    log_events: String,
    /// Its executors on a cluster.
    executors: String,
    /// The session or batch as Livy shows it.
    livy: String,
    /// Spark's own pages about its application, while it lives.
    spark_ui: Option<&'a str>,
}

impl<'a> LinksAnswer<'a> {
    pub(crate) fn of_session(id: i32, spark_ui: Option<&'a str>) -> Self {
        let livy = format!("/sessions/{id}");
        Self {
            statements: Some(format!("/api/v1{livy}/statements")),
            ..Self::of(livy, spark_ui)
        }
    }

    pub(crate) fn of_batch(id: i32, spark_ui: Option<&'a str>) -> Self {
        Self::of(format!("/batches/{id}"), spark_ui)
    }

    fn of(livy: String, spark_ui: Option<&'a str>) -> Self {
        let own = format!("/api/v1{livy}");
        Self {
            statements: None,
            events: format!("{own}/events"),
            log: format!("{livy}/log"),
            log_events: format!("{own}/log/events"),
            executors: format!("{own}/executors"),
            livy,
            spark_ui,
        }
    }
}
