//! Sessions, batches, statements and jobs as a request wants them: now, or after a wait.

use std::sync::Arc;

use livius_domain::{JobId, NewStatement, StatementId};
use livius_sessions::{
    ActingOnSessions, BatchRef, BatchView, Caller, JobView, SessionError, SessionRef, SessionView,
    StatementView,
};
use livius_wire::RequestError;
use livius_wire::livy::BatchState;

use crate::livy_state::livy_state;
use crate::request::body_room::Held;
use crate::request::wait::{MayWait, Until};
use crate::state::AppState;

/// A session when it is in a state that the query waits for, or when the wait is over.
pub async fn session<E>(
    app: &AppState,
    caller: &Caller,
    session: &SessionRef,
    waiting: &MayWait,
) -> Result<Arc<SessionView>, E>
where
    E: From<RequestError> + From<SessionError>,
{
    let until = Until::of_session(waiting.query())?;
    let sessions = app.sessions.acting(caller);
    let Some(wait) = waiting.wait()? else {
        return Ok(sessions.get(session).await?);
    };
    let wanted = |view: &SessionView| until.includes(livy_state(view));
    Ok(sessions.get_when(session, wait.deadline, wanted).await?)
}

/// A batch when it is in a state that the query waits for, or when the wait is over.
pub async fn batch<E>(
    app: &AppState,
    caller: &Caller,
    batch: &BatchRef,
    waiting: &MayWait,
) -> Result<Arc<BatchView>, E>
where
    E: From<RequestError> + From<SessionError>,
{
    let until = Until::of_batch(waiting.query())?;
    let batches = app.batches.acting(caller);
    let Some(wait) = waiting.wait()? else {
        return Ok(batches.get(batch).await?);
    };
    let wanted = |view: &BatchView| until.includes(BatchState::of(&view.record.state));
    Ok(batches.get_when(batch, wait.deadline, wanted).await?)
}

/// A statement when it has ended, or when the wait is over.
pub async fn statement<E>(
    app: &AppState,
    caller: &Caller,
    (session, statement): (&SessionRef, StatementId),
    waiting: &MayWait,
) -> Result<StatementView, E>
where
    E: From<RequestError> + From<SessionError>,
{
    let sessions = app.sessions.acting(caller);
    let Some(wait) = waiting.wait()? else {
        return Ok(sessions.statement(session, statement).await?);
    };
    let view = sessions.ended_statement(session, statement, wait.deadline);
    Ok(view.await?)
}

/// A new statement, when it has ended, or when the wait is over. `held` is the share of memory of the
/// request's body: it is released only when the store has the code, which is as large.
pub async fn posted<E>(
    sessions: &ActingOnSessions<'_>,
    session: &SessionRef,
    new: NewStatement,
    held: Option<Held>,
    waiting: &MayWait,
) -> Result<StatementView, E>
where
    E: From<RequestError> + From<SessionError>,
{
    // A bad parameter is refused before the code runs.
    let wait = waiting.wait()?;
    let view = sessions.run(session, new).await?;
    drop(held);
    let Some(wait) = wait else {
        return Ok(view);
    };
    let session = SessionRef::Id(view.record.session);
    let ended = sessions.ended_statement(&session, view.record.id, wait.deadline);
    // The statement stays posted if the wait fails.
    Ok(ended.await.unwrap_or(view))
}

/// A job when it has ended, or when the wait is over.
pub async fn job<E>(
    app: &AppState,
    caller: &Caller,
    (session, job): (&SessionRef, JobId),
    waiting: &MayWait,
) -> Result<JobView, E>
where
    E: From<RequestError> + From<SessionError>,
{
    let sessions = app.sessions.acting(caller);
    let Some(wait) = waiting.wait()? else {
        return Ok(sessions.job(session, job).await?);
    };
    Ok(sessions.ended_job(session, job, wait.deadline).await?)
}
