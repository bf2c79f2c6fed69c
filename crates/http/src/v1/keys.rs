//! `/api/v1/keys/{key}`: what a request with an `Idempotency-Key` has made, for a client that has
//! lost the answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use livius_sessions::KeyView;
use livius_wire::{KeyAnswer, ProblemAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Problem, V1};
use crate::request::described::KeyPath;
use crate::request::extract::{CallerOf, InKey};
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new().routes(routes!(key_get))
}

/// Shows what the caller's request with a key has made. The keys of other callers are not found.
#[utoipa::path(
    get,
    path = "/api/v1/keys/{key}",
    tag = "server",
    params(KeyPath),
    responses(
        (status = 200, description = "The key", body = KeyAnswer),
        (status = 400, description = "That cannot be a key", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "No request of the caller with this key was done, or the key is forgotten", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn key_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InKey(key): InKey,
) -> Result<Response, Problem> {
    match app.sessions.keys().look(&caller, &key).await? {
        Some(KeyView::Done(record)) => Ok(response::ok(&KeyAnswer::done(
            &key,
            &record.request,
            record.made_at,
            record.made,
        ))),
        Some(KeyView::InProgress) => Ok(response::ok(&KeyAnswer::in_progress(&key))),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "no request with this Idempotency-Key was done, or the key is forgotten",
        )
        .hint("send the request again with the same key")),
    }
}
