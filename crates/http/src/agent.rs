//! `/api/v1/agent`: the routes of the agents inside Spark drivers. `docs/design/agent-protocol.md`
//! describes the protocol.

mod application;
mod link;
mod resources;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::StreamExt as _;
use livius_domain::DriverId;
use livius_sessions::AttachRefused;
use livius_wire::ProblemAnswer;
use secrecy::{ExposeSecret as _, SecretString};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::request::described::AgentHeaders;
use crate::state::AppState;
use crate::v1::{Problem, V1};

/// The header with the driver's name.
const DRIVER_HEADER: &str = "livius-driver";

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
        (status = 401, description = "The secret is wrong", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such driver, or its session is over", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn agent_connect(
    State(app): State<AppState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let (driver, token) = introduced(&headers)?;
    app.sessions.authorise(&driver, token.expose_secret())?;
    let upgrade = upgrade.map_err(|rejection| no_websocket(&rejection.body_text()))?;
    let upgrade = upgrade
        .max_frame_size(livius_agent_link::MAX_FRAME_BYTES)
        .max_message_size(livius_agent_link::MAX_FRAME_BYTES);
    Ok(upgrade.on_upgrade(async move |socket| serve(&app, &driver, &token, socket).await))
}

/// Reads the driver's name and its secret from an agent's request.
fn introduced(headers: &HeaderMap) -> Result<(DriverId, SecretString), Problem> {
    let token = bearer(headers).ok_or_else(anonymous)?;
    let driver = headers.get(DRIVER_HEADER).ok_or_else(anonymous)?;
    let driver = driver
        .to_str()
        .ok()
        .and_then(DriverId::parse)
        .ok_or(AttachRefused::UnknownDriver)?;
    Ok((driver, token))
}

/// The request does not name a driver or has no token.
fn anonymous() -> Problem {
    Problem::from(AttachRefused::WrongToken).hint(
        "send 'Authorization: Bearer' with the driver's token, and its name in 'Livius-Driver'",
    )
}

fn no_websocket(problem: &str) -> Problem {
    let message = format!("agents connect here by WebSocket: {problem}");
    Problem::new(StatusCode::BAD_REQUEST, "no_websocket", message)
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| SecretString::from(token.trim()))
}

async fn serve(app: &AppState, driver: &DriverId, token: &SecretString, socket: WebSocket) {
    let (sink, stream) = socket.split();
    let attach = async |socket| {
        app.sessions
            .attach(driver, token.expose_secret(), socket)
            .await
    };
    let end = link::run(driver, sink, stream, attach).await;
    tracing::info!(driver.id = %driver, %end, "an agent's connection has ended");
}
