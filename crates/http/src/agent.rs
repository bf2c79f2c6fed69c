//! `/api/v1/agent`: the routes of the agents inside Spark drivers. `docs/design/agent-protocol.md`
//! describes the protocol.

mod application;
mod challenges;
mod link;
mod resources;
mod visit;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use livius_agent_link::{AgentKey, CONNECT};
use livius_domain::DriverId;
use livius_sessions::Sessions;
use livius_wire::ProblemAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::request::described::AgentHeaders;
use crate::state::AppState;
use crate::v1::{Problem, V1};

pub use challenges::Challenges;
use visit::{Asked, Visit};

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(agent_connect))
        .routes(routes!(application::application_report))
        .routes(routes!(resources::resource_get))
}

/// Connects the agent of a driver.
#[utoipa::path(
    get,
    path = "/api/v1/agent",
    tag = "agent",
    params(AgentHeaders),
    responses(
        (status = 101, description = "A WebSocket"),
        (status = 400, description = "The request is not one for a WebSocket", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request lacks a proof; the response has the challenge for it", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such driver, or its session is over", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "The driver cannot be served now", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn agent_connect(
    State(app): State<AppState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let visit = Visit::of(&headers)?;
    let (driver, access) = (
        visit.driver.clone(),
        app.sessions.agent_access(&visit.driver).await,
    );
    let challenges = Arc::clone(&app.challenges);
    let connect = async |key| upgraded(app, driver, key, upgrade);
    let asked = Asked {
        purpose: CONNECT,
        body: b"",
    };
    Ok(visit.serve(&challenges, access, asked, connect).await)
}

/// The buffer of a connection, which it has as long as it lives. A longer frame gets more for itself,
/// and is read in pieces of this length: at 500 MB/s, which is more than a driver sends.
const READ_BUFFER_BYTES: usize = 1 << 10;

fn upgraded(
    app: AppState,
    driver: DriverId,
    key: AgentKey,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|rejection| no_websocket(&rejection.body_text()))?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_frame_size(livius_agent_link::MAX_FRAME_BYTES)
        .max_message_size(livius_agent_link::MAX_FRAME_BYTES);
    // The task of a connection lives as long as the driver. It keeps room for all that it has ever
    // held, so the long part is boxed, and begins when the socket is in its final place.
    Ok(upgrade.on_upgrade(move |socket| {
        let (sink, stream) = socket.split();
        Box::pin(serve(app.sessions, driver, key, sink, stream))
    }))
}

fn no_websocket(problem: &str) -> Problem {
    let message = format!("agents connect here by WebSocket: {problem}");
    Problem::new(StatusCode::BAD_REQUEST, "no_websocket", message)
}

async fn serve(
    sessions: Sessions,
    driver: DriverId,
    key: AgentKey,
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
) {
    let attach = async |socket| sessions.attach(&driver, &key, socket).await;
    let end = link::run(&driver, sink, stream, attach).await;
    tracing::info!(driver.id = %driver, %end, "an agent's connection has ended");
}
