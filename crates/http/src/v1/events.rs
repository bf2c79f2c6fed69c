//! `…/events`: what changes, as it changes, as Server-Sent Events.

mod all;
mod batch;
mod log;
mod session;
mod statement;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_sessions::Place;
use livius_wire::{GoneAnswer, LogEventAnswer, ProblemAnswer, StatementEndAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Problem, V1};
use crate::request::described::{
    BatchPath, FollowerHeaders, SessionPath, StatementPath, TailQuery,
};
use crate::request::extract::{CallerOf, InBatch, InSession, InStatement};
use crate::request::follower::Follower;
use crate::response::client::ClientOf;
use crate::response::event_stream::{self, END};
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(all_events))
        .routes(routes!(session_events))
        .routes(routes!(statement_events))
        .routes(routes!(session_log_events))
        .routes(routes!(batch_events))
        .routes(routes!(batch_log_events))
}

/// Follows all sessions and batches that the caller may see. The event `session` or `batch` has a new
/// state of one of them, as in `/api/v1/status`, and `gone` says that one was deleted. The first event
/// is `begin`, or `missed` if changes are missing since the client's last event: then the lists have
/// the states. A client that begins gets the lists after `begin`, so that it misses nothing.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "server",
    params(FollowerHeaders),
    responses(
        (status = 200, description = "Events, without an end", body = GoneAnswer, content_type = "text/event-stream"),
        (status = 400, description = "`Last-Event-ID` is no id of an event of this stream", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn all_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    follower: Follower,
) -> Result<Response, Problem> {
    let sessions = app.sessions.acting(&caller).changes();
    let batches = app.batches.acting(&caller).changes();
    let last = follower.last_event.as_deref();
    let events = all::AllEvents::begin(sessions, batches, last)?;
    Ok(event_stream::respond(events, follower.place))
}

/// Follows a session. The event `session` has its state, as in `/api/v1/status`, and `statement` the
/// state and progress of a statement: first as they are, then each time they change. The event `end`
/// is like `session`, and the last one. A client that follows a session is a heartbeat of it.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/events",
    tag = "sessions",
    params(SessionPath, FollowerHeaders),
    responses(
        (status = 200, description = "Events, without an end while the session lives", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The client has had the last event"),
        (status = 404, description = "There is no such session", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    follower: Follower,
) -> Result<Response, Problem> {
    if follower.last_event.as_deref() == Some(END) {
        return Ok(event_stream::nothing_more());
    }
    let client = ClientOf::new(app.sessions, caller);
    let events = session::SessionEvents::begin(client, session).await?;
    Ok(event_stream::respond(events, follower.place))
}

/// Follows a statement. The event `output` has text that its code prints, `statement` its state,
/// progress and stages: first as they are, then each time they change. The event `end` is the last
/// one, and has the output. A client that connects again with the id of its last event goes on where
/// it was; text that the server has no more is counted as `missing`.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/statements/{statement}/events",
    tag = "statements",
    params(StatementPath, FollowerHeaders),
    responses(
        (status = 200, description = "Events, until the statement has ended", body = StatementEndAnswer, content_type = "text/event-stream"),
        (status = 204, description = "The client has had the last event"),
        (status = 400, description = "`Last-Event-ID` is no id of an event of a statement", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such session or statement", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn statement_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InStatement(session, statement): InStatement,
    follower: Follower,
) -> Result<Response, Problem> {
    let read = match follower.last_event.as_deref() {
        Some(END) => return Ok(event_stream::nothing_more()),
        Some(id) => id.parse().map_err(|_| bad_id(id))?,
        None => Place::default(),
    };
    let client = ClientOf::new(app.sessions, caller);
    let events = statement::StatementEvents::begin(client, session, statement, read).await?;
    Ok(event_stream::respond(events, follower.place))
}

/// Follows a batch. The event `batch` has its state, as in `/api/v1/status`: first as it is, then each
/// time it changes. The event `end` is like `batch`, and the last one.
#[utoipa::path(
    get,
    path = "/api/v1/batches/{id}/events",
    tag = "batches",
    params(BatchPath, FollowerHeaders),
    responses(
        (status = 200, description = "Events, until the batch has ended", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The client has had the last event"),
        (status = 404, description = "There is no such batch", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    follower: Follower,
) -> Result<Response, Problem> {
    if follower.last_event.as_deref() == Some(END) {
        return Ok(event_stream::nothing_more());
    }
    let client = ClientOf::new(app.batches, caller);
    let events = batch::BatchEvents::begin(client, batch).await?;
    Ok(event_stream::respond(events, follower.place))
}

/// Follows a session's log. The event `log` has new lines: first all that there are, or the last ones,
/// then others as the driver writes them. The event `end` is the last one, when the session has ended.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/log/events",
    tag = "sessions",
    params(SessionPath, FollowerHeaders, TailQuery),
    responses(
        (status = 200, description = "Events, until the session has ended", body = LogEventAnswer, content_type = "text/event-stream"),
        (status = 204, description = "The client has had the last event"),
        (status = 400, description = "`tail` or `Last-Event-ID` cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such session", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_log_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
    follower: Follower,
) -> Result<Response, Problem> {
    let sessions = app.sessions.acting(&caller);
    // The feed comes first: a session that has no actor yet has no log yet.
    let feed = sessions.follow(&session).await?;
    let log = sessions.log(&session).await?;
    let Some(place) = log::place(&log, &follower, query.as_deref()).await? else {
        return Ok(event_stream::nothing_more());
    };
    let events = log::LogEvents::new(&log, place, feed);
    Ok(event_stream::respond(events, follower.place))
}

/// Follows a batch's log. The event `log` has new lines: first all that there are, or the last ones,
/// then others as the application writes them. The event `end` is the last one, when the batch has
/// ended.
#[utoipa::path(
    get,
    path = "/api/v1/batches/{id}/log/events",
    tag = "batches",
    params(BatchPath, FollowerHeaders, TailQuery),
    responses(
        (status = 200, description = "Events, until the batch has ended", body = LogEventAnswer, content_type = "text/event-stream"),
        (status = 204, description = "The client has had the last event"),
        (status = 400, description = "`tail` or `Last-Event-ID` cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such batch", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests wait or follow", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_log_events(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    RawQuery(query): RawQuery,
    follower: Follower,
) -> Result<Response, Problem> {
    let batches = app.batches.acting(&caller);
    // The feed comes first: a batch that has no actor yet has no log yet.
    let feed = batches.follow_states(&batch).await?;
    let log = batches.log(&batch).await?;
    let Some(place) = log::place(&log, &follower, query.as_deref()).await? else {
        return Ok(event_stream::nothing_more());
    };
    let events = log::LogEvents::new(&log, place, feed);
    Ok(event_stream::respond(events, follower.place))
}

fn bad_id(id: &str) -> Problem {
    let shown: String = id.chars().take(100).collect();
    let message = format!("{shown:?} is no id of an event of this stream");
    Problem::new(StatusCode::BAD_REQUEST, "bad_parameter", message)
        .field("Last-Event-ID")
        .hint("send the id of the last event that this stream has sent, or none to begin with the oldest text that is kept")
}
