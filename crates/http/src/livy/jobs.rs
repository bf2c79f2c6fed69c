//! `/sessions/{id}/submit-job`, `…/run-job` and `…/jobs/{job}`: jobs of Livy's Java, Scala and
//! Python clients.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::JobRecord;
use livius_sessions::{Caller, SessionRef};
use livius_wire::{ErrorMessage, JobAnswer, JobBody};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, JobRefusals, NoSession};
use super::{Livy, Refusal};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{JobPath, SessionPath, WaitQuery};
use crate::request::extract::{CallerOf, InJob, InSession, KeyOf};
use crate::request::wait::MayWait;
use crate::response;
use crate::response::job_stream::JobStream;
use crate::response::pieces::Pieces as _;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(job_submit))
        .routes(routes!(job_run))
        .routes(routes!(job_get))
        .routes(routes!(job_cancel))
}

/// Runs a job in a session as soon as the session is ready, in parallel with its statements and
/// other jobs.
#[utoipa::path(
    post,
    path = "/sessions/{id}/submit-job",
    tag = "jobs",
    params(SessionPath),
    request_body = JobBody,
    responses(
        (status = 201, description = "The new job, in state `SENT`", body = JobAnswer,
            headers(("Location" = String, description = "Its path"))),
        JobRefusals,
    )
)]
pub async fn job_submit(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    key: KeyOf,
    body: RequestBody,
) -> Result<Response, Refusal> {
    submit(&app, &caller, &session, key, body).await
}

/// The same as `submit-job`, because no job waits for another here. Livy's Java client calls it for
/// short jobs.
#[utoipa::path(
    post,
    path = "/sessions/{id}/run-job",
    tag = "jobs",
    params(SessionPath),
    request_body = JobBody,
    responses(
        (status = 201, description = "The new job, in state `SENT`", body = JobAnswer,
            headers(("Location" = String, description = "Its path"))),
        JobRefusals,
    )
)]
pub async fn job_run(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    key: KeyOf,
    body: RequestBody,
) -> Result<Response, Refusal> {
    submit(&app, &caller, &session, key, body).await
}

async fn submit(
    app: &AppState,
    caller: &Caller,
    session: &SessionRef,
    KeyOf(key): KeyOf,
    body: RequestBody,
) -> Result<Response, Refusal> {
    let new = livius_wire::read_job(&body.text()?, app.options.read)?;
    // The body's share of memory is released only after the store has the job, which is as large.
    let _held = body.into_held();
    let sessions = app.sessions.acting(caller).keyed(key);
    let view = sessions.submit_job(session, new).await;
    let job = view.map_err(Refusal::of_job_or_file)?.record;
    Ok(created(&job))
}

/// The answer to the request that made a job.
pub fn created(job: &JobRecord) -> Response {
    let text = serde_json::to_vec(&JobAnswer::submitted(job));
    response::created(
        format!("/sessions/{}/jobs/{}", job.session, job.id),
        text.expect("answers are structs of texts and numbers"),
    )
}

/// Shows a job, also of a session that has ended.
#[utoipa::path(
    get,
    path = "/sessions/{id}/jobs/{job}",
    tag = "jobs",
    params(JobPath, WaitQuery),
    responses(
        (status = 200, description = "The job", body = JobAnswer),
        BadParameter,
        (status = 404, description = "There is no such session, or no such job in it", body = ErrorMessage),
    )
)]
pub async fn job_get(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InJob(session, job): InJob,
    waiting: MayWait,
) -> Result<Response, Refusal> {
    let view = awaited::job::<Refusal>(&app, &caller, (&session, job), &waiting).await?;
    let job = JobStream::new(app.sessions, view);
    Ok(response::json(StatusCode::OK, job.into_body().await?))
}

/// Cancels a job. A job that has ended, or never existed, needs no cancelling.
#[utoipa::path(
    post,
    path = "/sessions/{id}/jobs/{job}/cancel",
    tag = "jobs",
    params(JobPath),
    responses(
        (status = 200, description = "It is being stopped"),
        (status = 400, description = "The session has ended", body = ErrorMessage),
        NoSession,
    )
)]
pub async fn job_cancel(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InJob(session, job): InJob,
    _ignored: RequestBody,
) -> Result<StatusCode, Refusal> {
    let cancelled = app.sessions.acting(&caller).cancel_job(&session, job).await;
    cancelled.map_err(Refusal::of_job_or_file)?;
    Ok(StatusCode::OK)
}
