//! `/api/v1/sessions` and `/api/v1/sessions/{id}`: a list with filters, and everything about a session.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::SessionState;
use livius_sessions::{Caller, SessionView};
use livius_wire::{ProblemAnswer, SessionDetailAnswer, SessionKnowledge, SessionPageAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::filter::{self, Filter, StateNames};
use super::parameters::Parameters;
use super::{Problem, V1};
use crate::awaited;
use crate::livy_state::livy_state;
use crate::request::described::{SessionPath, SessionSearchQuery, WaitForSessionQuery};
use crate::request::extract::{CallerOf, InSession};
use crate::request::wait::MayWait;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(session_search))
        .routes(routes!(session_detail))
}

/// Lists the sessions that match every filter, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(SessionSearchQuery),
    responses(
        (status = 200, description = "A page of the sessions", body = SessionPageAnswer),
        (status = 400, description = "A parameter cannot be read; `field` names it", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_search(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let names = StateNames {
        live: SessionState::LIVE_NAMES,
        ends: SessionState::END_NAMES,
    };
    let filter = Filter::read(parameters, names)?.with_kind(parameters)?;
    let sessions = app.sessions.acting(&caller);
    let found = sessions
        .search(filter.search(), filter.key.as_deref())
        .await?;
    let shown = found.records.iter();
    Ok(response::ok(&SessionPageAnswer {
        sessions: shown
            .map(|view| SessionDetailAnswer::new(&view.record, livy_state(view)))
            .collect(),
        total: found.total,
        next_cursor: found.next.map(filter::cursor),
    }))
}

/// Shows everything about a session: the phases of its start and what the pools did for it, its place
/// in the queue, its configuration, when it ends by itself, and how and why it ended.
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
    let text = described(&app, &caller, &view).await?;
    Ok(response::json(StatusCode::OK, text))
}

/// Everything about a session, as JSON.
async fn described(
    app: &AppState,
    caller: &Caller,
    view: &SessionView,
) -> Result<Vec<u8>, Problem> {
    let detail = app.sessions.acting(caller).detail(view).await?;
    let answer = SessionDetailAnswer::new(&view.record, livy_state(view));
    let answer = answer.knowing(SessionKnowledge {
        start: &detail.start,
        queue: detail.queue,
        expiry: detail.expiry,
        conf: &detail.conf,
    });
    Ok(response::text_of(&answer))
}
