//! `GET /api/v1/drivers`, our own route: the drivers, and the interpreters that are up in them.

use livius_domain::driver::Interpreter;
use livius_domain::{AppInfo, DriverState, DriverTimes, DriverUse};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of the drivers that match, by name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DriverPage)]
pub struct DriverPageAnswer<'a> {
    /// The drivers.
    pub drivers: Vec<DriverAnswer<'a>>,
    /// The number of all drivers that match, on this page or another.
    pub total: usize,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// A driver that is not gone.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Driver)]
pub struct DriverAnswer<'a> {
    /// Its name.
    id: &'a str,
    /// `queued`, `launching`, `connecting`, `context`, `primed`, `up`, `lost` (its agent is away),
    /// `recovering` (the server waits to hear of its agent), or `stopping`.
    state: &'a str,
    /// The session that uses it.
    session: Option<i32>,
    /// The batch that uses it.
    batch: Option<i32>,
    /// The pool that it was started for. Without a session, it waits there.
    pool: Option<&'a str>,
    /// Spark's id of its application, once known.
    app_id: Option<&'a str>,
    /// The address of Spark's own pages, once known.
    spark_ui_url: Option<&'a str>,
    /// The interpreters that are up. A batch has none.
    interpreters: Vec<InterpreterAnswer<'a>>,
    /// When it was asked for, in UTC, in RFC 3339 format.
    created_at: String,
    /// When it was up for the first time.
    up_at: Option<String>,
    /// Since when its agent is away.
    away_since: Option<String>,
}

/// An interpreter that is up in a driver.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Interpreter)]
pub struct InterpreterAnswer<'a> {
    /// `spark`, `pyspark`, `pyspark3`, `sparkr` or `sql`.
    kind: &'a str,
    /// When its start began.
    since: String,
}

/// The facts about a driver.
#[derive(Debug, Clone, Copy)]
pub struct DriverKnowledge<'a> {
    /// Its name.
    pub id: &'a str,
    /// The session or batch that uses it, or a pool.
    pub made_for: DriverUse,
    /// The pool that it was started for.
    pub pool: Option<&'a str>,
    /// Its state.
    pub state: &'a DriverState,
    /// Its application.
    pub app: Option<&'a AppInfo>,
    /// The interpreters that are up.
    pub interpreters: &'a [Interpreter],
    /// When it came into its states.
    pub times: &'a DriverTimes,
    /// Since when its agent is away.
    pub away_since: Option<jiff::Timestamp>,
}

impl<'a> DriverAnswer<'a> {
    /// Shows a driver.
    pub fn new(driver: DriverKnowledge<'a>) -> Self {
        let (session, batch) = match driver.made_for {
            DriverUse::Session(id) => (Some(id.0), None),
            DriverUse::Batch(id) => (None, Some(id.0)),
            DriverUse::Pool => (None, None),
        };
        let interpreters = driver.interpreters.iter().map(|one| InterpreterAnswer {
            kind: one.kind.as_str(),
            since: one.since.to_string(),
        });
        Self {
            id: driver.id,
            state: driver.state.name(),
            session,
            batch,
            pool: driver.pool,
            app_id: driver.app.map(|app| app.app_id.as_str()),
            spark_ui_url: driver.app.and_then(|app| app.spark_ui_url.as_deref()),
            interpreters: interpreters.collect(),
            created_at: driver.times.created_at.to_string(),
            up_at: driver.times.up_at.map(|at| at.to_string()),
            away_since: driver.away_since.map(|at| at.to_string()),
        }
    }
}
