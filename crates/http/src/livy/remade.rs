//! The answer to a request with a key whose first answer was not kept: what the request made, as it is
//! now.

use axum::extract::FromRequestParts as _;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use livius_domain::Made;
use livius_sessions::{BatchRef, SessionError, SessionRef};

use super::{Livy, Refusal, batches, jobs, sessions, statements};
use crate::awaited;
use crate::keyed::gone;
use crate::request::extract::CallerOf;
use crate::request::wait::MayWait;

/// Answers as the request was answered.
pub async fn remade(livy: &Livy, parts: &mut Parts, made: Made) -> Result<Response, Refusal> {
    let Livy(app) = livy;
    let Ok(CallerOf(caller)) = CallerOf::from_request_parts(parts, livy).await;
    let gone = |error: SessionError| gone::<Refusal>(error, made);
    match made {
        Made::Session(id) => {
            let view = app.sessions.acting(&caller).get(&SessionRef::Id(id)).await;
            Ok(sessions::created(app, &view.map_err(gone)?, &parts.headers).await)
        }
        Made::Batch(id) => {
            let view = app.batches.acting(&caller).get(&BatchRef::Id(id)).await;
            Ok(batches::created(app, &view.map_err(gone)?).await)
        }
        Made::Statement(session, id) => {
            let Ok(waiting) = MayWait::from_request_parts(parts, livy).await;
            let session = SessionRef::Id(session);
            let sessions = app.sessions.acting(&caller);
            // A statement that is gone is refused in other words than by a wait.
            sessions.statement(&session, id).await.map_err(gone)?;
            let view =
                awaited::statement::<Refusal>(app, &caller, (&session, id), &waiting).await?;
            statements::created(app, caller, view).await
        }
        Made::Job(session, id) => {
            let job = app.sessions.acting(&caller);
            let job = job.job(&SessionRef::Id(session), id).await;
            Ok(jobs::created(&job.map_err(gone)?.record))
        }
        Made::File(..) => Ok(StatusCode::OK.into_response()),
    }
}
