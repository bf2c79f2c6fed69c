//! The executors of sessions and batches on clusters, and their logs.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use livius_sessions::ExecutorList;
use livius_wire::{ExecutorAnswer, ExecutorsAnswer, LogAnswer, ProblemAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Problem, V1};
use crate::request::described::{
    BatchExecutorPath, BatchPath, LogQuery, SessionExecutorPath, SessionPath,
};
use crate::request::extract::{CallerOf, Executor, InBatch, InSession};
use crate::response::{self, log_stream};
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(session_executors))
        .routes(routes!(session_executor_log))
        .routes(routes!(batch_executors))
        .routes(routes!(batch_executor_log))
}

/// Lists the executors of a session on YARN or Kubernetes, also those that have ended.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/executors",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The executors that are known", body = ExecutorsAnswer),
        (status = 404, description = "There is no such session", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_executors(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
) -> Result<Response, Problem> {
    let list = app.sessions.acting(&caller).executors(&session).await?;
    Ok(response::ok(&shown(&list)))
}

/// Shows a page of the log of a session's executor; by default its last lines.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/executors/{executor}/log",
    tag = "sessions",
    params(SessionExecutorPath, LogQuery),
    responses(
        (status = 200, description = "A page of the log", body = LogAnswer),
        (status = 400, description = "A parameter cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such session or executor, or the executor's log is not kept", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn session_executor_log(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    Executor(name): Executor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let sessions = app.sessions.acting(&caller);
    let log = sessions.executor_log(&session, &name).await?;
    log_stream::page(log, query.as_deref()).await
}

/// Lists the executors of a batch on YARN or Kubernetes, also those that have ended.
#[utoipa::path(
    get,
    path = "/api/v1/batches/{id}/executors",
    tag = "batches",
    params(BatchPath),
    responses(
        (status = 200, description = "The executors that are known", body = ExecutorsAnswer),
        (status = 404, description = "There is no such batch", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_executors(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
) -> Result<Response, Problem> {
    let list = app.batches.acting(&caller).executors(&batch).await?;
    Ok(response::ok(&shown(&list)))
}

/// Shows a page of the log of a batch's executor; by default its last lines.
#[utoipa::path(
    get,
    path = "/api/v1/batches/{id}/executors/{executor}/log",
    tag = "batches",
    params(BatchExecutorPath, LogQuery),
    responses(
        (status = 200, description = "A page of the log", body = LogAnswer),
        (status = 400, description = "A parameter cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such batch or executor, or the executor's log is not kept", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn batch_executor_log(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InBatch(batch): InBatch,
    Executor(name): Executor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let batches = app.batches.acting(&caller);
    let log = batches.executor_log(&batch, &name).await?;
    log_stream::page(log, query.as_deref()).await
}

fn shown(list: &ExecutorList) -> ExecutorsAnswer<'_> {
    let executors = list.executors.iter().map(|executor| ExecutorAnswer {
        name: &executor.name,
        node: executor.node.as_deref(),
        state: executor.state.as_str(),
        has_log: executor.has_log,
    });
    ExecutorsAnswer {
        id: list.id,
        executors: executors.collect(),
    }
}
