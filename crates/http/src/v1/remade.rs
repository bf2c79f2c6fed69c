//! The answer to a request with a key whose first answer was not kept: what the request made, as it is
//! now.

use axum::extract::FromRequestParts as _;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use livius_domain::Made;
use livius_sessions::{BatchRef, SessionError, SessionRef};

use super::{Problem, V1, batches, jobs, sessions, statements};
use crate::awaited;
use crate::keyed::gone;
use crate::request::extract::CallerOf;
use crate::request::wait::MayWait;

/// Answers as the request was answered.
pub async fn remade(v1: &V1, parts: &mut Parts, made: Made) -> Result<Response, Problem> {
    let V1(app) = v1;
    let Ok(CallerOf(caller)) = CallerOf::from_request_parts(parts, v1).await;
    let gone = |error: SessionError| gone::<Problem>(error, made);
    match made {
        Made::Session(id) => {
            let view = app.sessions.acting(&caller).get(&SessionRef::Id(id)).await;
            let view = view.map_err(gone)?;
            sessions::created(app, &caller, &view).await
        }
        Made::Batch(id) => {
            let view = app.batches.acting(&caller).get(&BatchRef::Id(id)).await;
            let view = view.map_err(gone)?;
            Ok(batches::created(app, &caller, &view))
        }
        Made::Statement(session, id) => {
            let Ok(waiting) = MayWait::from_request_parts(parts, v1).await;
            let session = SessionRef::Id(session);
            let named = (&session, id);
            // A statement that is gone is refused in other words than by a wait.
            let sessions = app.sessions.acting(&caller);
            sessions.statement(&session, id).await.map_err(gone)?;
            let view = awaited::statement::<Problem>(app, &caller, named, &waiting).await?;
            statements::created(app, caller, view).await
        }
        Made::Job(session, id) => {
            let sessions = app.sessions.acting(&caller);
            let job = sessions.job(&SessionRef::Id(session), id).await;
            Ok(jobs::created(&job.map_err(gone)?.record))
        }
        Made::File(..) => Ok(StatusCode::OK.into_response()),
    }
}
