//! `/sessions/{id}/completion`.

use axum::extract::State;
use axum::response::Response;
use livius_wire::{CompletionAnswer, CompletionBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadRequest, NoSession, SessionEnded};
use super::{Livy, Refusal};
use crate::request::body::RequestBody;
use crate::request::described::SessionPath;
use crate::request::extract::{CallerOf, InSession};
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new().routes(routes!(completion_find))
}

/// Finds completions for code at a cursor.
#[utoipa::path(
    post,
    path = "/sessions/{id}/completion",
    tag = "statements",
    params(SessionPath),
    request_body = CompletionBody,
    responses(
        (status = 200, description = "The texts, often none", body = CompletionAnswer),
        BadRequest,
        NoSession,
        SessionEnded,
    )
)]
pub async fn completion_find(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    body: RequestBody,
) -> Result<Response, Refusal> {
    let request = livius_wire::read_completion(&body.text()?, app.options.read)?;
    drop(body);
    let candidates = app
        .sessions
        .acting(&caller)
        .complete(&session, request.code, request.kind, request.cursor)
        .await?;
    Ok(response::ok(&CompletionAnswer { candidates }))
}
