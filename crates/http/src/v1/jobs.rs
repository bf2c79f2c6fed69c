//! `/api/v1/sessions/{id}/jobs`: jobs of Livy's clients, as on Livy's routes, with refusals of our own.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::{JobId, JobRecord};
use livius_wire::{JobAnswer, JobBody, JobPageAnswer, ListedJobAnswer, PreviewAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{BadParameter, NoSession, NotActive, Refusals};
use super::filter;
use super::parameters::Parameters;
use super::preview::{self, DryRun, NotDry};
use super::{Problem, V1};
use crate::awaited;
use crate::request::body::RequestBody;
use crate::request::described::{CursorQuery, DryRunQuery, JobPath, SessionPath, WaitQuery};
use crate::request::extract::{CallerOf, InJob, InSession, KeyOf};
use crate::request::wait::MayWait;
use crate::response;
use crate::response::job_stream::JobStream;
use crate::response::pieces::Pieces as _;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(job_page, job_post))
        .routes(routes!(job_show))
        .routes(routes!(job_stop))
}

/// Lists the jobs of a session, also of one that has ended, newest first and without their results.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/jobs",
    tag = "jobs",
    params(SessionPath, CursorQuery),
    responses(
        (status = 200, description = "A page of the jobs", body = JobPageAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn job_page(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let before = filter::before(parameters)?.map(JobId);
    let limit = filter::limit(parameters)?;
    let sessions = app.sessions.acting(&caller);
    let found = sessions.jobs(&session, before, limit).await?;
    Ok(response::ok(&JobPageAnswer {
        jobs: found.records.iter().map(ListedJobAnswer::new).collect(),
        total: found.total,
        next_cursor: found.next.map(filter::cursor),
    }))
}

/// Runs a job in a session as soon as the session is ready, in parallel with its statements and
/// other jobs.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/jobs",
    tag = "jobs",
    params(SessionPath, DryRunQuery),
    request_body = JobBody,
    responses(
        (status = 200, description = "What would come of it, for `dryRun=true`", body = PreviewAnswer),
        (status = 201, description = "The new job, in state `SENT`", body = JobAnswer,
            headers(("Location" = String, description = "Its path"))),
        Refusals,
        NoSession,
        NotActive,
    )
)]
pub async fn job_post(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    KeyOf(key): KeyOf,
    DryRun(is_dry): DryRun,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = livius_wire::read_job(&body.text()?, app.options.read)?;
    // The body's share of memory is released only after the store has the job, which is as large.
    let _held = body.into_held();
    let sessions = app.sessions.acting(&caller).keyed(key);
    if is_dry {
        return preview::of_work(sessions.preview_job(&session, &new).await);
    }
    let view = sessions.submit_job(&session, new).await?;
    Ok(created(&view.record))
}

/// The answer to the request that made a job.
pub fn created(job: &JobRecord) -> Response {
    let location = format!("/api/v1/sessions/{}/jobs/{}", job.session, job.id);
    response::created(location, response::text_of(&JobAnswer::submitted(job)))
}

/// Shows a job, also of a session that has ended.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/jobs/{job}",
    tag = "jobs",
    params(JobPath, WaitQuery),
    responses(
        (status = 200, description = "The job", body = JobAnswer),
        BadParameter,
        NoSession,
    )
)]
pub async fn job_show(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InJob(session, job): InJob,
    waiting: MayWait,
) -> Result<Response, Problem> {
    let view = awaited::job::<Problem>(&app, &caller, (&session, job), &waiting).await?;
    let job = JobStream::new(app.sessions, view);
    Ok(response::json(StatusCode::OK, job.into_body().await?))
}

/// Cancels a job. One that has ended, or never existed, needs no cancelling.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/jobs/{job}/cancel",
    tag = "jobs",
    params(JobPath),
    responses(
        (status = 204, description = "It is being stopped, or has ended"),
        NoSession,
        NotActive,
    )
)]
pub async fn job_stop(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InJob(session, job): InJob,
    _: NotDry,
    _ignored: RequestBody,
) -> Result<StatusCode, Problem> {
    app.sessions
        .acting(&caller)
        .cancel_job(&session, job)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
