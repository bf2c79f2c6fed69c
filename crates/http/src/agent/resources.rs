//! `/api/v1/agent/resources/{resource}`: an agent fetches a file that a client has uploaded or named.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use livius_agent_link::resource_purpose;
use livius_domain::{DriverId, ResourceId};
use livius_sessions::FileContent;
use livius_wire::ProblemAnswer;
use tokio_util::io::ReaderStream;

use super::visit::{Asked, Visit};
use crate::request::described::AgentHeaders;
use crate::state::AppState;
use crate::v1::Problem;

const PIECE_BYTES: usize = 256 << 10;

/// Sends the agent of a session's driver a file that a client added to the session: an uploaded one, or
/// one of the server's machine for a driver on another machine.
#[utoipa::path(
    get,
    path = "/api/v1/agent/resources/{resource}",
    tag = "agent",
    params(
        ("resource" = i32, Path, description = "The file's number"),
        AgentHeaders,
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "The request lacks a proof; the response has the challenge for it", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such driver, or no such file for it any more", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "The driver cannot be served now", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn resource_get(
    State(app): State<AppState>,
    headers: HeaderMap,
    Path(resource): Path<String>,
) -> Result<Response, Problem> {
    let visit = Visit::of(&headers)?;
    let resource = ResourceId(livius_wire::integer(&resource)?);
    let driver = visit.driver.clone();
    let access = app.sessions.agent_access(&driver).await;
    let asked = Asked {
        purpose: &resource_purpose(resource),
        body: b"",
    };
    let send = async |_| sent(&app, &driver, resource).await;
    Ok(visit.serve(&app.challenges, access, asked, send).await)
}

async fn sent(
    app: &AppState,
    driver: &DriverId,
    resource: ResourceId,
) -> Result<Response, Problem> {
    let file = app.sessions.sent_file(driver, resource).await?;
    // The driver may have fetched the file already. The server deletes it once that is stored. The
    // agent takes 404 as final; after any other error it tries again.
    let FileContent { length, content } = file.ok_or_else(|| no_file(resource))?;
    let pieces = ReaderStream::with_capacity(content, PIECE_BYTES);
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

fn no_file(resource: ResourceId) -> Problem {
    let message = format!("there is no file {resource} to send, or the driver has it already");
    Problem::new(StatusCode::NOT_FOUND, "no_file", message)
}
