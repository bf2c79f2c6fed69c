//! `/api/v1/sessions/{id}`: everything about a session.

use axum::extract::State;
use axum::response::Response;
use livius_wire::{ProblemAnswer, SessionDetailAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Problem, V1};
use crate::awaited;
use crate::livy_state::livy_state;
use crate::request::described::{SessionPath, WaitForSessionQuery};
use crate::request::extract::{CallerOf, InSession};
use crate::request::wait::MayWait;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new().routes(routes!(session_detail))
}

/// Shows everything about a session: what the pools did for it, and how and why it ended.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(SessionPath, WaitForSessionQuery),
    responses(
        (status = 200, description = "The session", body = SessionDetailAnswer),
        (status = 400, description = "A parameter cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such session", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_detail(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    waiting: MayWait,
) -> Result<Response, Problem> {
    let view = awaited::session::<Problem>(&app, &caller, &session, &waiting).await?;
    let answer = SessionDetailAnswer::new(&view.record, livy_state(&view));
    Ok(response::ok(&answer))
}
