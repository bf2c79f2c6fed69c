//! `/batches` and `/batches/{id}`: list, create, get, state, delete.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_sessions::BatchView;
use livius_wire::{
    BatchAnswer, BatchBody, BatchListAnswer, ErrorMessage, Message, StateAnswer, livy,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, BadRequest, DiskFull, NoBatch, NoImpersonation};
use super::{Livy, Refusal};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{
    BatchPath, DoAsQuery, PageQuery, WaitForBatchQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InBatch};
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
        .routes(routes!(batch_list, batch_create))
        .routes(routes!(batch_get, batch_delete))
        .routes(routes!(batch_state))
}

/// Lists the batches, oldest first.
#[utoipa::path(
    get,
    path = "/batches",
    tag = "batches",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the batches", body = BatchListAnswer),
        BadParameter,
    )
)]
pub async fn batch_list(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let page = Query::new(query.as_deref()).page()?;
    let list = ListStream::new(ClientOf::new(app.batches, caller), page).await?;
    Ok(response::json(StatusCode::OK, list.into_body().await?))
}

/// Submits an application. The batch is `starting` at first; when many batches are starting, it
/// waits its turn.
#[utoipa::path(
    post,
    path = "/batches",
    tag = "batches",
    params(DoAsQuery, WebhookHeader),
    request_body = BatchBody,
    responses(
        (status = 201, description = "The new batch", body = BatchAnswer,
            headers(("Location" = String, description = "Its path"))),
        BadRequest,
        NoImpersonation,
        DiskFull,
        (status = 429, description = "Too many batches wait for their turn", body = ErrorMessage),
    )
)]
pub async fn batch_create(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    Wishes { key, webhook }: Wishes,
    body: RequestBody,
) -> Result<Response, Refusal> {
    let request = livius_wire::read_batch(&body.text()?, app.options.read)?;
    // Free the body now: it may be large, and the response waits for the store.
    drop(body);
    let batches = app.batches.acting(&caller).keyed(key).notifying(webhook);
    let view = batches.create(request).await?;
    Ok(created(&app, &view).await)
}

/// The answer to the request that made a batch.
pub async fn created(app: &AppState, view: &Arc<BatchView>) -> Response {
    response::created(
        format!("/batches/{}", view.record.id),
        rendered(app, view).await,
    )
}

/// Shows a batch.
#[utoipa::path(
    get,
    path = "/batches/{id}",
    tag = "batches",
    params(BatchPath, WaitForBatchQuery),
    responses(
        (status = 200, description = "The batch", body = BatchAnswer),
        BadParameter,
        NoBatch,
    )
)]
pub async fn batch_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let view = awaited::batch::<Refusal>(&app, &caller, &batch, &waiting).await?;
    Ok(response::json(StatusCode::OK, rendered(&app, &view).await))
}

/// Shows a batch's state.
#[utoipa::path(
    get,
    path = "/batches/{id}/state",
    tag = "batches",
    params(BatchPath, WaitForBatchQuery),
    responses(
        (status = 200, description = "The state", body = StateAnswer),
        BadParameter,
        NoBatch,
    )
)]
pub async fn batch_state(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let view = awaited::batch::<Refusal>(&app, &caller, &batch, &waiting).await?;
    Ok(response::ok(&StateAnswer {
        id: view.record.id.0,
        state: livy::BatchState::of(&view.record.state).as_str(),
    }))
}

/// Stops a batch, with all processes that it started, and removes it from the list.
#[utoipa::path(
    delete,
    path = "/batches/{id}",
    tag = "batches",
    params(BatchPath),
    responses(
        (status = 200, description = "It is deleted, and its application is being ended: `{\"msg\":\"deleted\"}`", body = Message),
        NoBatch,
    )
)]
pub async fn batch_delete(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
) -> Result<Response, Refusal> {
    app.batches.acting(&caller).delete(&batch).await?;
    Ok(response::ok(&Message { msg: "deleted" }))
}

async fn rendered(app: &AppState, view: &Arc<BatchView>) -> Vec<u8> {
    let logs = app.batches.last_lines(std::slice::from_ref(view)).await;
    let log = logs.into_iter().next().unwrap_or_default();
    let mut text = Vec::with_capacity(1_024);
    BatchAnswer::new(&view.record, &log).write(&mut text);
    text
}
