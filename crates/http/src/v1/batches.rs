//! `/api/v1/batches/{id}`: everything about a batch, and a way to kill it that keeps it on the
//! list.

use axum::extract::State;
use axum::response::Response;
use livius_wire::{BatchDetailAnswer, ProblemAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Problem, V1};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{BatchPath, WaitForBatchQuery};
use crate::request::extract::{CallerOf, InBatch};
use crate::request::wait::MayWait;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(batch_detail))
        .routes(routes!(batch_kill))
}

/// Shows everything about a batch: when it entered each state, and how and why it ended.
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
    Ok(response::ok(&BatchDetailAnswer::new(
        &view.record,
        view.step,
    )))
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
    _ignored: RequestBody,
) -> Result<Response, Problem> {
    let view = app.batches.acting(&caller).kill(&batch).await?;
    Ok(response::ok(&BatchDetailAnswer::new(
        &view.record,
        view.step,
    )))
}
