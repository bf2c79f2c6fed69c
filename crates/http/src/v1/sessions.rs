//! `/api/v1/sessions` and `/api/v1/sessions/{id}`: a list with filters, everything about a session, and
//! its creation and its end.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::SessionState;
use livius_sessions::{Caller, SessionView};
use livius_wire::{
    PreviewAnswer, ProblemAnswer, SessionBody, SessionDetailAnswer, SessionKnowledge,
    SessionPageAnswer,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{NoSession, NotActive, Refusals};
use super::filter::{self, Filter, StateNames};
use super::parameters::Parameters;
use super::preview::{self, DryRun, NotDry};
use super::{Problem, V1};
use crate::awaited;
use crate::livy_state::livy_state;
use crate::request::body::RequestBody;
use crate::request::described::{
    DoAsQuery, DryRunQuery, SessionPath, SessionSearchQuery, WaitForSessionQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InSession};
use crate::request::wait::MayWait;
use crate::request::webhook::Wishes;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(session_search, session_post))
        .routes(routes!(session_detail, session_remove))
        .routes(routes!(session_end))
        .routes(routes!(session_cancel_all))
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

/// Creates a session. It is `starting` at first; clients may post statements at once, which wait
/// until it is ready. A session of a pool is `idle` at once.
#[utoipa::path(
    post,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(DoAsQuery, DryRunQuery, WebhookHeader),
    request_body = SessionBody,
    responses(
        (status = 200, description = "What would come of it, for `dryRun=true`", body = PreviewAnswer),
        (status = 201, description = "The new session", body = SessionDetailAnswer,
            headers(("Location" = String, description = "Its path"))),
        Refusals,
    )
)]
pub async fn session_post(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    Wishes { key, webhook }: Wishes,
    DryRun(is_dry): DryRun,
    body: RequestBody,
) -> Result<Response, Problem> {
    let request = livius_wire::read_session(&body.text()?, app.options.read)?;
    // Free the body now: it may be large, and the response waits for the store.
    drop(body);
    let sessions = app.sessions.acting(&caller).keyed(key).notifying(webhook);
    if is_dry {
        return Ok(preview::of_start(sessions.preview(request).await));
    }
    let view = sessions.create(request).await?;
    created(&app, &caller, &view).await
}

/// The answer to the request that made a session.
pub async fn created(
    app: &AppState,
    caller: &Caller,
    view: &SessionView,
) -> Result<Response, Problem> {
    let location = format!("/api/v1/sessions/{}", view.record.id);
    let text = described(app, caller, view).await?;
    Ok(response::created(location, text))
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

/// Stops a session and removes it from the list.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 204, description = "It is deleted, and its driver is being ended"),
        NoSession,
    )
)]
pub async fn session_remove(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    _: NotDry,
) -> Result<StatusCode, Problem> {
    app.sessions.acting(&caller).delete(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a session and keeps it on the list. A session that has ended stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/stop",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "It has ended, or is about to", body = SessionDetailAnswer),
        NoSession,
    )
)]
pub async fn session_end(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    _: NotDry,
    _ignored: RequestBody,
) -> Result<Response, Problem> {
    let sessions = app.sessions.acting(&caller);
    sessions.stop(&session).await?;
    let view = sessions.get(&session).await?;
    let text = described(&app, &caller, &view).await?;
    Ok(response::json(StatusCode::OK, text))
}

/// Cancels all statements of a session. The session lives on.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/interrupt",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 204, description = "They are being cancelled"),
        NoSession,
        NotActive,
    )
)]
pub async fn session_cancel_all(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    _: NotDry,
    _ignored: RequestBody,
) -> Result<StatusCode, Problem> {
    app.sessions.acting(&caller).interrupt(&session).await?;
    Ok(StatusCode::NO_CONTENT)
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
