//! `/sessions/{id}/statements`: list, run, get, cancel.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::StatementRecord;
use livius_sessions::{Caller, LiveOutput, OutputView, Place, StatementView};
use livius_wire::{
    ErrorMessage, Message, PartialOutputAnswer, StatementAnswer, StatementBody, StatementListAnswer,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, BadRequest, NoSession, SessionEnded};
use super::{Livy, Refusal};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{
    PartialQuery, SessionPath, StatementPath, WaitQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InSession, InStatement};
use crate::request::page::Page;
use crate::request::query::Query;
use crate::request::wait::MayWait;
use crate::request::webhook::Wishes;
use crate::response;
use crate::response::client::ClientOf;
use crate::response::pieces::Pieces as _;
use crate::response::statement_stream::StatementStream;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(statement_list, statement_run))
        .routes(routes!(statement_get))
        .routes(routes!(statement_cancel))
}

/// Lists the statements of a session, also of one that has ended.
#[utoipa::path(
    get,
    path = "/sessions/{id}/statements",
    tag = "statements",
    params(
        SessionPath,
        ("from" = Option<i32>, Query, description = "Index of the first; 0 when left out"),
        ("size" = Option<i32>, Query, description = "How many at most; all when left out"),
        ("order" = Option<String>, Query, description = "`desc` for the newest first"),
    ),
    responses(
        (status = 200, description = "A page of the statements", body = StatementListAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn statement_list(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::new(query.as_deref());
    let from = query.integer("from")?.unwrap_or(0);
    let size = query.integer("size")?.unwrap_or_else(|| i32::MAX.into());
    let descending = query
        .text("order")
        .is_some_and(|order| order.trim().eq_ignore_ascii_case("desc"));
    let list = StatementStream::list(
        ClientOf::new(app.sessions, caller),
        session,
        Page { from, size },
        descending,
    )
    .await?;
    Ok(response::json(StatusCode::OK, list.into_body().await?))
}

/// Runs code in a session, after the statements that already wait there, as soon as the session is
/// ready. With `wait` the response has the output, if that comes in time.
#[utoipa::path(
    post,
    path = "/sessions/{id}/statements",
    tag = "statements",
    params(SessionPath, WaitQuery, WebhookHeader),
    request_body = StatementBody,
    responses(
        (status = 201, description = "The new statement", body = StatementAnswer,
            headers(("Location" = String, description = "Its path"))),
        BadRequest,
        NoSession,
        (status = 429, description = "Too many statements wait in the session", body = ErrorMessage,
            headers(("Retry-After" = u32, description = "Seconds"))),
        SessionEnded,
    )
)]
pub async fn statement_run(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    Wishes { key, webhook }: Wishes,
    waiting: MayWait,
    body: RequestBody,
) -> Result<Response, Refusal> {
    let new = livius_wire::read_statement(&body.text()?, app.options.read)?;
    let sessions = app.sessions.acting(&caller).keyed(key).notifying(webhook);
    let held = body.into_held();
    let view = awaited::posted::<Refusal>(&sessions, &session, new, held, &waiting).await?;
    created(&app, caller, view).await
}

/// The answer to the request that made a statement.
pub async fn created(
    app: &AppState,
    caller: Caller,
    view: StatementView,
) -> Result<Response, Refusal> {
    let StatementRecord { session, id, .. } = view.record;
    let one = StatementStream::one(ClientOf::new(app.sessions.clone(), caller), view);
    Ok(response::created(
        format!("/sessions/{session}/statements/{id}"),
        one.into_body().await?,
    ))
}

/// Shows a statement, also of a session that has ended. With `partial=true`, the output of a running
/// statement is what it has printed until now: `{"partial":{"stdout":…,"stderr":…,"isCut":…}}`.
#[utoipa::path(
    get,
    path = "/sessions/{id}/statements/{statement}",
    tag = "statements",
    params(StatementPath, WaitQuery, PartialQuery),
    responses(
        (status = 200, description = "The statement", body = StatementAnswer),
        BadParameter,
        (status = 404, description = "There is no such session (an object), or no such statement in it (a bare JSON string)",
            body = ErrorMessage),
    )
)]
pub async fn statement_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InStatement(session, statement): InStatement,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let named = (&session, statement);
    let mut view = awaited::statement::<Refusal>(&app, &caller, named, &waiting).await?;
    if wants_partial(waiting.query()) && view.record.state.started().is_some() {
        let printed = app.sessions.acting(&caller).printed(&session, statement)?;
        show_partial(&mut view, printed.as_deref());
    }
    let one = StatementStream::one(ClientOf::new(app.sessions, caller), view);
    Ok(response::json(StatusCode::OK, one.into_body().await?))
}

fn wants_partial(query: Query) -> bool {
    query
        .text("partial")
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// Puts what a running statement has printed in the place of its output.
fn show_partial(view: &mut StatementView, printed: Option<&LiveOutput>) {
    if view.record.state.is_final() || view.output != OutputView::None {
        return;
    }
    let mut answer = PartialOutputAnswer::default();
    let pieces = printed.map(|printed| printed.past(&mut Place::default()));
    for (missing, piece) in pieces.into_iter().flatten() {
        answer.add(piece.stream, &piece.text, missing);
    }
    let text = serde_json::to_string(&answer).expect("texts are always JSON");
    view.output = OutputView::Inline(text.into());
}

/// Cancels a statement. A statement that has ended, or never existed, needs no cancelling.
#[utoipa::path(
    post,
    path = "/sessions/{id}/statements/{statement}/cancel",
    tag = "statements",
    params(StatementPath),
    responses(
        (status = 200, description = "It is being stopped: `{\"msg\":\"canceled\"}`", body = Message),
        NoSession,
        SessionEnded,
    )
)]
pub async fn statement_cancel(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InStatement(session, statement): InStatement,
    _ignored: RequestBody,
) -> Result<Response, Refusal> {
    app.sessions
        .acting(&caller)
        .cancel(&session, statement)
        .await?;
    Ok(response::ok(&Message { msg: "canceled" }))
}
