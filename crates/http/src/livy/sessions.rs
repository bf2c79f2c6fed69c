//! `/sessions` and `/sessions/{id}`: list, create, get, state, delete, stop, interrupt, connect.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use livius_sessions::{SessionError, SessionView};
use livius_wire::{Message, SessionAnswer, SessionBody, SessionListAnswer, StateAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, BadRequest, DiskFull, NoImpersonation, NoSession};
use super::{Livy, Refusal};
use crate::awaited;
use crate::livy_state::livy_state;
use crate::request::body::RequestBody;
use crate::request::described::{
    DoAsQuery, PageQuery, SessionPath, WaitForSessionQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InSession};
use crate::request::query::Query;
use crate::request::wait::MayWait;
use crate::request::webhook::Wishes;
use crate::response;
use crate::response::client::ClientOf;
use crate::response::list_stream::ListStream;
use crate::response::pieces::Pieces as _;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(session_list, session_create))
        .routes(routes!(session_get, session_delete))
        .routes(routes!(session_state))
        .routes(routes!(session_stop))
        .routes(routes!(session_interrupt))
        .routes(routes!(session_connect))
}

/// Lists the sessions, oldest first.
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "sessions",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the sessions", body = SessionListAnswer),
        BadParameter,
    )
)]
pub async fn session_list(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let page = Query::new(query.as_deref()).page()?;
    let list = ListStream::new(ClientOf::new(app.sessions, caller), page).await?;
    Ok(response::json(StatusCode::OK, list.into_body().await?))
}

/// Creates a session. It is `starting` at first; clients may post statements at once, which wait
/// until it is ready.
#[utoipa::path(
    post,
    path = "/sessions",
    tag = "sessions",
    params(DoAsQuery, WebhookHeader),
    request_body = SessionBody,
    responses(
        (status = 201, description = "The new session", body = SessionAnswer,
            headers(("Location" = String, description = "Its path"))),
        BadRequest,
        NoImpersonation,
        DiskFull,
    )
)]
pub async fn session_create(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    Wishes { key, webhook }: Wishes,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Refusal> {
    let request = livius_wire::read_session(&body.text()?, app.options.read)?;
    // Free the body now: it may be large, and the response waits for the store.
    drop(body);
    let sessions = app.sessions.acting(&caller).keyed(key).notifying(webhook);
    let view = sessions.create(request).await?;
    Ok(created(&app, &view, &headers).await)
}

/// The answer to the request that made a session.
pub async fn created(app: &AppState, view: &Arc<SessionView>, headers: &HeaderMap) -> Response {
    response::created(
        format!("/sessions/{}", view.record.id),
        rendered(app, view, &Keys::for_client(headers)).await,
    )
}

/// Shows a session.
#[utoipa::path(
    get,
    path = "/sessions/{id}",
    tag = "sessions",
    params(SessionPath, WaitForSessionQuery),
    responses(
        (status = 200, description = "The session", body = SessionAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn session_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let view = awaited::session::<Refusal>(&app, &caller, &session, &waiting).await?;
    Ok(response::json(
        StatusCode::OK,
        rendered(&app, &view, &Keys::All).await,
    ))
}

/// Shows a session's state.
#[utoipa::path(
    get,
    path = "/sessions/{id}/state",
    tag = "sessions",
    params(SessionPath, WaitForSessionQuery),
    responses(
        (status = 200, description = "The state", body = StateAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn session_state(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let view = awaited::session::<Refusal>(&app, &caller, &session, &waiting).await?;
    Ok(response::ok(&StateAnswer {
        id: view.record.id.0,
        state: livy_state(&view).as_str(),
    }))
}

/// Stops a session and removes it from the list.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "It is deleted, and its driver is being ended: `{\"msg\":\"deleted\"}`", body = Message),
        NoSession,
    )
)]
pub async fn session_delete(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
) -> Result<Response, Refusal> {
    app.sessions.acting(&caller).delete(&session).await?;
    Ok(response::ok(&Message { msg: "deleted" }))
}

/// Stops a session and keeps it on the list.
#[utoipa::path(
    post,
    path = "/sessions/{id}/stop",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 204, description = "It has ended, or is about to"),
        NoSession,
    )
)]
pub async fn session_stop(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    _ignored: RequestBody,
) -> Result<StatusCode, Refusal> {
    app.sessions.acting(&caller).stop(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels all statements of a session. The session lives on (Livy kills it).
#[utoipa::path(
    post,
    path = "/sessions/{id}/interrupt",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "They are being cancelled: `{\"msg\":\"interrupted\"}`", body = Message),
        NoSession,
    )
)]
pub async fn session_interrupt(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    _ignored: RequestBody,
) -> Result<Response, Refusal> {
    match app.sessions.acting(&caller).interrupt(&session).await {
        // Nothing runs in a session that has ended, so there is nothing to interrupt. Livy answers
        // the same.
        Ok(()) | Err(SessionError::NotActive(_)) => {
            Ok(response::ok(&Message { msg: "interrupted" }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows a session, and counts as a use of it.
#[utoipa::path(
    post,
    path = "/sessions/{id}/connect",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The session", body = SessionAnswer),
        NoSession,
    )
)]
pub async fn session_connect(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    headers: HeaderMap,
    _ignored: RequestBody,
) -> Result<Response, Refusal> {
    let view = app.sessions.acting(&caller).connect(&session).await?;
    Ok(response::json(
        StatusCode::OK,
        rendered(&app, &view, &Keys::for_client(&headers)).await,
    ))
}

/// The keys of a session that a client gets.
enum Keys {
    All,
    /// The keys that Livy 0.7 knows.
    Early,
}

impl Keys {
    /// Livy's Java client refuses keys that its version does not know, and the published versions
    /// know only the early keys. It sends this name whatever its version, and needs none of the
    /// later keys.
    fn for_client(headers: &HeaderMap) -> Self {
        let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
        match agent {
            Some(agent) if agent.starts_with(b"livy-client-http") => Self::Early,
            _ => Self::All,
        }
    }
}

async fn rendered(app: &AppState, view: &Arc<SessionView>, keys: &Keys) -> Vec<u8> {
    let logs = app.sessions.last_lines(std::slice::from_ref(view)).await;
    let log = logs.into_iter().next().unwrap_or_default();
    let session = SessionAnswer::new(&view.record, livy_state(view), &log);
    let mut text = Vec::with_capacity(2_048);
    match keys {
        Keys::All => session.write(&mut text),
        Keys::Early => session.write_early(&mut text),
    }
    text
}
