//! `/api/v1/sessions/{id}/statements`: the statements of a session. A statement looks as on Livy's
//! routes; the refusals are our own.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::StatementRecord;
use livius_sessions::{Caller, StatementView};
use livius_wire::{PreviewAnswer, StatementAnswer, StatementBody, StatementListAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, NoSession, NotActive, Refusals};
use super::parameters::{Parameters, bad};
use super::preview::{self, NotDry};
use super::{Problem, V1};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{
    DryRunQuery, SessionPath, StatementListQuery, StatementPath, WaitQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InSession, InStatement};
use crate::request::page::Page;
use crate::request::wait::MayWait;
use crate::request::webhook::Wishes;
use crate::response;
use crate::response::client::ClientOf;
use crate::response::pieces::Pieces as _;
use crate::response::statement_stream::StatementStream;
use crate::state::AppState;

/// The statements of a page, if the request does not say.
const USUAL: i64 = 100;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(statements_page, statement_post))
        .routes(routes!(statement_show))
        .routes(routes!(statement_stop))
}

/// Lists the statements of a session, also of one that has ended, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/statements",
    tag = "statements",
    params(SessionPath, StatementListQuery),
    responses(
        (status = 200, description = "A page of the statements", body = StatementListAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn statements_page(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let page = Page {
        from: parameters.count("from")?.unwrap_or(0),
        size: parameters.count("limit")?.unwrap_or(USUAL),
    };
    let is_descending = match parameters.text("order").as_deref() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => {
            return Err(bad("order", "order is neither asc nor desc")
                .hint("leave it out for the newest statements first"));
        }
    };
    let client = ClientOf::new(app.sessions, caller);
    let list = StatementStream::list(client, session, page, is_descending).await?;
    Ok(response::json(StatusCode::OK, list.into_body().await?))
}

/// Runs code in a session, after the statements that already wait there, as soon as the session is
/// ready. With `wait` the response has the output, if that comes in time.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/statements",
    tag = "statements",
    params(SessionPath, WaitQuery, DryRunQuery, WebhookHeader),
    request_body = StatementBody,
    responses(
        (status = 200, description = "What would come of it, for `dryRun=true`", body = PreviewAnswer),
        (status = 201, description = "The new statement", body = StatementAnswer,
            headers(("Location" = String, description = "Its path"))),
        Refusals,
        NoSession,
        NotActive,
    )
)]
pub async fn statement_post(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    Wishes { key, webhook }: Wishes,
    waiting: MayWait,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = livius_wire::read_statement(&body.text()?, app.options.read)?;
    let sessions = app.sessions.acting(&caller);
    let sessions = sessions.keyed(key).notifying(webhook);
    if preview::is_wanted(waiting.query())? {
        waiting.wait()?;
        return preview::of_work(sessions.preview_run(&session, &new).await);
    }
    let held = body.into_held();
    let view = awaited::posted::<Problem>(&sessions, &session, new, held, &waiting).await?;
    created(&app, caller, view).await
}

/// The answer to the request that made a statement.
pub async fn created(
    app: &AppState,
    caller: Caller,
    view: StatementView,
) -> Result<Response, Problem> {
    let StatementRecord { session, id, .. } = view.record;
    let one = StatementStream::one(ClientOf::new(app.sessions.clone(), caller), view);
    Ok(response::created(
        format!("/api/v1/sessions/{session}/statements/{id}"),
        one.into_body().await?,
    ))
}

/// Shows a statement, also of a session that has ended.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/statements/{statement}",
    tag = "statements",
    params(StatementPath, WaitQuery),
    responses(
        (status = 200, description = "The statement", body = StatementAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn statement_show(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InStatement(session, statement): InStatement,
    waiting: MayWait,
) -> Result<Response, Problem> {
    let named = (&session, statement);
    let view = awaited::statement::<Problem>(&app, &caller, named, &waiting).await?;
    let one = StatementStream::one(ClientOf::new(app.sessions, caller), view);
    Ok(response::json(StatusCode::OK, one.into_body().await?))
}

/// Cancels a statement. One that has ended, or never existed, needs no cancelling.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/statements/{statement}/cancel",
    tag = "statements",
    params(StatementPath),
    responses(
        (status = 204, description = "It is being stopped, or has ended"),
        NoSession,
        NotActive,
    )
)]
pub async fn statement_stop(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InStatement(session, statement): InStatement,
    _: NotDry,
    _ignored: RequestBody,
) -> Result<StatusCode, Problem> {
    let sessions = app.sessions.acting(&caller);
    sessions.cancel(&session, statement).await?;
    Ok(StatusCode::NO_CONTENT)
}
