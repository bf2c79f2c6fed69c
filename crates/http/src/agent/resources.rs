//! `/api/v1/agent/resources/{resource}`: where an agent gets a file that a client has uploaded.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use livius_domain::ResourceId;
use livius_wire::ErrorMessage;
use secrecy::ExposeSecret as _;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::introduced;
use crate::error::ApiError;
use crate::state::AppState;

const PIECE_BYTES: usize = 256 << 10;

/// Gives the agent of a session's driver a file that was uploaded to the session.
#[utoipa::path(
    get,
    path = "/api/v1/agent/resources/{resource}",
    tag = "agent",
    params(
        ("resource" = i32, Path, description = "The file's number"),
        ("Authorization" = String, Header, description = "`Bearer` and the driver's secret"),
        ("Livius-Driver" = String, Header, description = "The driver's name"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "The secret is wrong", body = ErrorMessage),
        (status = 404, description = "There is no such driver, or no such file for it any more", body = ErrorMessage),
    )
)]
pub async fn resource_get(
    State(app): State<AppState>,
    headers: HeaderMap,
    Path(resource): Path<String>,
) -> Result<Response, ApiError> {
    let (driver, token) = introduced(&headers)?;
    app.sessions.authorise(&driver, token.expose_secret())?;
    let resource = ResourceId(livius_wire::integer(&resource)?);
    let path = app.sessions.uploaded(&driver, resource);
    let path = path.ok_or_else(|| ApiError::no_upload(resource))?;
    // The driver may have had it already: it goes as soon as that is stored.
    let file = File::open(&path).await;
    let file = file.map_err(|error| match error.kind() {
        // The agent takes this for final; anything else it tries again.
        std::io::ErrorKind::NotFound => ApiError::no_upload(resource),
        _ => ApiError::disk(&error),
    })?;
    let length = file.metadata().await;
    let length = length.map_err(|error| ApiError::disk(&error))?.len();
    let pieces = ReaderStream::with_capacity(file.take(length), PIECE_BYTES);
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, length.into());
    Ok(response)
}
