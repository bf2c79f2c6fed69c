//! `/sessions/{id}/add-jar`, `…/add-pyfile` and `…/add-file`: files that the driver fetches itself.

use axum::extract::State;
use axum::http::StatusCode;
use livius_domain::ResourceUse;
use livius_sessions::{Caller, SessionRef};
use livius_wire::ResourceBody;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::FileAdded;
use super::{Livy, Refusal};
use crate::request::body::RequestBody;
use crate::request::described::SessionPath;
use crate::request::extract::{CallerOf, InSession, KeyOf};
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(add_jar))
        .routes(routes!(add_pyfile))
        .routes(routes!(add_file))
}

/// Adds a jar to a session, for its jobs and statements.
#[utoipa::path(
    post,
    path = "/sessions/{id}/add-jar",
    tag = "jobs",
    params(SessionPath),
    request_body = ResourceBody,
    responses(FileAdded)
)]
pub async fn add_jar(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    key: KeyOf,
    body: RequestBody,
) -> Result<StatusCode, Refusal> {
    add(&app, &caller, &session, key, &body, ResourceUse::Library).await
}

/// Adds a Python module, or an archive of modules, to a session.
#[utoipa::path(
    post,
    path = "/sessions/{id}/add-pyfile",
    tag = "jobs",
    params(SessionPath),
    request_body = ResourceBody,
    responses(FileAdded)
)]
pub async fn add_pyfile(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    key: KeyOf,
    body: RequestBody,
) -> Result<StatusCode, Refusal> {
    add(&app, &caller, &session, key, &body, ResourceUse::Library).await
}

/// Adds a file to a session. `SparkFiles.get` finds it there.
#[utoipa::path(
    post,
    path = "/sessions/{id}/add-file",
    tag = "jobs",
    params(SessionPath),
    request_body = ResourceBody,
    responses(FileAdded)
)]
pub async fn add_file(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    key: KeyOf,
    body: RequestBody,
) -> Result<StatusCode, Refusal> {
    add(&app, &caller, &session, key, &body, ResourceUse::File).await
}

async fn add(
    app: &AppState,
    caller: &Caller,
    session: &SessionRef,
    KeyOf(key): KeyOf,
    body: &RequestBody,
    used_as: ResourceUse,
) -> Result<StatusCode, Refusal> {
    let uri = livius_wire::read_resource(&body.text()?, app.options.read)?;
    let added = app
        .sessions
        .acting(caller)
        .keyed(key)
        .add_resource(session, used_as, uri)
        .await;
    added.map_err(Refusal::of_job_or_file)?;
    Ok(StatusCode::OK)
}
