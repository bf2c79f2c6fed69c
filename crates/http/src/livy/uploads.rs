//! `/sessions/{id}/upload-jar`, `…/upload-pyfile` and `…/upload-file`: files that clients send.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use livius_domain::ResourceUse;
use livius_sessions::{Caller, NewUpload, SessionRef};
use livius_wire::{FileForm, JarForm};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::FileUploaded;
use super::{Livy, Refusal};
use crate::request::described::SessionPath;
use crate::request::extract::{CallerOf, InSession};
use crate::request::upload_body::FilePart;
use crate::request::upload_key::UploadKey;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(upload_jar))
        .routes(routes!(upload_pyfile))
        .routes(routes!(upload_file))
}

/// Uploads a jar to a session, for its jobs and statements.
#[utoipa::path(
    post,
    path = "/sessions/{id}/upload-jar",
    tag = "jobs",
    params(SessionPath),
    request_body(content = JarForm, content_type = "multipart/form-data"),
    responses(FileUploaded)
)]
pub async fn upload_jar(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    request: Request,
) -> Result<StatusCode, Refusal> {
    upload(&app, &caller, &session, request, JAR).await
}

/// Uploads a Python module, or an archive of modules, to a session.
#[utoipa::path(
    post,
    path = "/sessions/{id}/upload-pyfile",
    tag = "jobs",
    params(SessionPath),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(FileUploaded)
)]
pub async fn upload_pyfile(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    request: Request,
) -> Result<StatusCode, Refusal> {
    upload(&app, &caller, &session, request, PY_FILE).await
}

/// Uploads a file to a session. `SparkFiles.get` finds it there.
#[utoipa::path(
    post,
    path = "/sessions/{id}/upload-file",
    tag = "jobs",
    params(SessionPath),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(FileUploaded)
)]
pub async fn upload_file(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    InSession(session): InSession,
    request: Request,
) -> Result<StatusCode, Refusal> {
    upload(&app, &caller, &session, request, FILE).await
}

/// A form that carries a file.
struct Form {
    /// The name of the part with the file.
    part: &'static str,
    used_as: ResourceUse,
}

const JAR: Form = Form {
    part: "jar",
    used_as: ResourceUse::Library,
};
const PY_FILE: Form = Form {
    part: "file",
    used_as: ResourceUse::Library,
};
const FILE: Form = Form {
    part: "file",
    used_as: ResourceUse::File,
};

/// Receives the file and adds it to the session. When the client disconnects, this future is
/// dropped, and with it the incomplete file.
async fn upload(
    app: &AppState,
    caller: &Caller,
    session: &SessionRef,
    request: Request,
    form: Form,
) -> Result<StatusCode, Refusal> {
    // Check for the session first, so that a file for a missing session is not received in vain.
    app.sessions.acting(caller).get(session).await?;
    let (parts, body) = request.into_parts();
    let mut file = FilePart::find(&parts.headers, body, form.part, &app.options).await?;
    let mut key = UploadKey::of(&parts.extensions, form.part, &file);
    if let Some(key) = key.take_if(|key| key.is_done()) {
        key.compare(file).await?;
        return Ok(StatusCode::OK);
    }
    let new = NewUpload {
        used_as: form.used_as,
        name: std::mem::take(&mut file.name),
    };
    let upload = app.sessions.acting(caller).begin_upload(session, new).await;
    let mut upload = upload.map_err(Refusal::of_job_or_file)?;
    while let Some(piece) = file.piece().await? {
        if let Some(key) = &mut key {
            key.piece(&piece);
        }
        upload.write(&piece).await?;
    }
    let sessions = app.sessions.acting(caller);
    let sessions = sessions.keyed(key.map(UploadKey::finish));
    let finished = sessions.finish_upload(upload).await;
    finished.map_err(Refusal::of_job_or_file)?;
    Ok(StatusCode::OK)
}
