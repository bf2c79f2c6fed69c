//! The state that handlers share.

use std::sync::Arc;

use axum::body::Bytes;
use livius_metrics::RouteTable;
use livius_sessions::{Batches, Sessions};
use tokio::time::Instant;
use utoipa::openapi::path::Paths;

use crate::Options;
use crate::agent::Challenges;
use crate::audit::Operations;
use crate::request::body_room::BodyRoom;
use crate::request::waiting_room::WaitingRoom;

/// The state that every handler shares.
#[derive(Clone)]
pub struct AppState {
    pub(crate) sessions: Sessions,
    pub(crate) batches: Batches,
    pub(crate) options: Arc<Options>,
    pub(crate) room: BodyRoom,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) waiting: WaitingRoom,
    pub(crate) began: Instant,
    /// The metrics of requests, by route.
    pub(crate) routes: Arc<RouteTable>,
    /// The names of the operations, for the audit log.
    pub(crate) operations: Arc<Operations>,
    /// The OpenAPI document, as it is served.
    pub(crate) openapi: Bytes,
}

impl AppState {
    /// Creates the state, for routes with these paths. The server's uptime counts from now.
    pub fn new(
        sessions: Sessions,
        batches: Batches,
        options: Options,
        paths: Paths,
        openapi: Bytes,
    ) -> Self {
        let operations = Operations::of(&paths);
        let routes = sessions.metrics().requests.table(paths.paths.into_keys());
        Self {
            sessions,
            batches,
            room: BodyRoom::new(options.body_bytes),
            waiting: WaitingRoom::new(options.waits_of_one_client),
            options: Arc::new(options),
            challenges: Arc::new(Challenges::new()),
            began: Instant::now(),
            routes: Arc::new(routes),
            operations: Arc::new(operations),
            openapi,
        }
    }
}
