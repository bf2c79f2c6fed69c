//! `/api/v1/batches` and `/api/v1/batches/{id}`: a list with filters, everything about a batch, its
//! creation, its removal, and a way to kill it that keeps it on the list.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::BatchState;
use livius_sessions::{BatchView, Caller};
use livius_wire::{
    BatchBody, BatchDetailAnswer, BatchKnowledge, BatchPageAnswer, PreviewAnswer, ProblemAnswer,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{NoBatch, Refusals};
use super::filter::{self, Filter, StateNames};
use super::parameters::Parameters;
use super::preview::{self, DryRun, NotDry};
use super::{Problem, V1};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{
    BatchPath, BatchSearchQuery, DoAsQuery, DryRunQuery, WaitForBatchQuery, WebhookHeader,
};
use crate::request::extract::{CallerOf, InBatch};
use crate::request::wait::MayWait;
use crate::request::webhook::Wishes;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(batch_search, batch_post))
        .routes(routes!(batch_detail, batch_remove))
        .routes(routes!(batch_kill))
}

/// Lists the batches that match every filter, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/batches",
    tag = "batches",
    params(BatchSearchQuery),
    responses(
        (status = 200, description = "A page of the batches", body = BatchPageAnswer),
        (status = 400, description = "A parameter cannot be read; `field` names it", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_search(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let names = StateNames {
        live: BatchState::LIVE_NAMES,
        ends: BatchState::END_NAMES,
    };
    let filter = Filter::read(parameters, names)?;
    let batches = app.batches.acting(&caller);
    let found = batches
        .search(filter.search(), filter.key.as_deref())
        .await?;
    let shown = found.records.iter();
    Ok(response::ok(&BatchPageAnswer {
        batches: shown
            .map(|view| BatchDetailAnswer::new(&view.record, view.step))
            .collect(),
        total: found.total,
        next_cursor: found.next.map(filter::cursor),
    }))
}

/// Submits an application. The batch is `starting` at first; when many batches are starting, it
/// waits its turn.
#[utoipa::path(
    post,
    path = "/api/v1/batches",
    tag = "batches",
    params(DoAsQuery, DryRunQuery, WebhookHeader),
    request_body = BatchBody,
    responses(
        (status = 200, description = "What would come of it, for `dryRun=true`", body = PreviewAnswer),
        (status = 201, description = "The new batch", body = BatchDetailAnswer,
            headers(("Location" = String, description = "Its path"))),
        Refusals,
    )
)]
pub async fn batch_post(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    Wishes { key, webhook }: Wishes,
    DryRun(is_dry): DryRun,
    body: RequestBody,
) -> Result<Response, Problem> {
    let request = livius_wire::read_batch(&body.text()?, app.options.read)?;
    // Free the body now: it may be large, and the response waits for the store.
    drop(body);
    let batches = app.batches.acting(&caller).keyed(key).notifying(webhook);
    if is_dry {
        return Ok(preview::of_start(batches.preview(request).await));
    }
    let view = batches.create(request).await?;
    Ok(created(&app, &caller, &view))
}

/// The answer to the request that made a batch.
pub fn created(app: &AppState, caller: &Caller, view: &BatchView) -> Response {
    let location = format!("/api/v1/batches/{}", view.record.id);
    response::created(location, described(app, caller, view))
}

/// Shows everything about a batch: when it entered each state, its place in the queue, its
/// configuration, and how and why it ended.
#[utoipa::path(
    get,
    path = "/api/v1/batches/{id}",
    tag = "batches",
    params(BatchPath, WaitForBatchQuery),
    responses(
        (status = 200, description = "The batch", body = BatchDetailAnswer),
        (status = 400, description = "A parameter cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such batch", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_detail(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    waiting: MayWait,
) -> Result<Response, Problem> {
    let view = awaited::batch::<Problem>(&app, &caller, &batch, &waiting).await?;
    let text = described(&app, &caller, &view);
    Ok(response::json(StatusCode::OK, text))
}

/// Everything about a batch, as JSON.
fn described(app: &AppState, caller: &Caller, view: &BatchView) -> Vec<u8> {
    let detail = app.batches.acting(caller).detail(view);
    let answer = BatchDetailAnswer::new(&view.record, view.step);
    response::text_of(&answer.knowing(BatchKnowledge {
        queue: detail.queue,
        conf: &detail.conf,
    }))
}

/// Stops a batch, with all processes that it started, and removes it from the list.
#[utoipa::path(
    delete,
    path = "/api/v1/batches/{id}",
    tag = "batches",
    params(BatchPath),
    responses(
        (status = 204, description = "It is deleted, and its application is being ended"),
        NoBatch,
    )
)]
pub async fn batch_remove(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    _: NotDry,
) -> Result<StatusCode, Problem> {
    app.batches.acting(&caller).delete(&batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Kills a batch, with all processes that it started, and keeps it on the list as `killed`. A batch
/// that has ended stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/batches/{id}/kill",
    tag = "batches",
    params(BatchPath),
    responses(
        (status = 200, description = "It has ended, or is about to", body = BatchDetailAnswer),
        (status = 404, description = "There is no such batch", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_kill(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    _: NotDry,
    _ignored: RequestBody,
) -> Result<Response, Problem> {
    let view = app.batches.acting(&caller).kill(&batch).await?;
    let text = described(&app, &caller, &view);
    Ok(response::json(StatusCode::OK, text))
}
