//! `dryRun=true`: the preview of a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use livius_sessions::{Preview, SessionError};
use livius_wire::{PreviewAnswer, StartPreview};

use super::parameters::{Parameters, bad};
use super::{Problem, V1};
use crate::request::query::Query;
use crate::response;

/// The parameter.
const PARAMETER: &str = "dryRun";

/// Whether a request only asks what would come of it.
pub struct DryRun(pub bool);

/// Reads whether a request is a dry run.
pub fn is_wanted(query: Query<'_>) -> Result<bool, Problem> {
    Parameters::of(query).flag(PARAMETER)
}

/// Tells whether a request is a dry run, also if its route refuses dry runs.
pub fn is_dry(parts: &Parts) -> bool {
    is_wanted(Query::new(parts.uri.query())).is_ok_and(|is_dry| is_dry)
}

impl FromRequestParts<V1> for DryRun {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &V1) -> Result<Self, Problem> {
        is_wanted(Query::new(parts.uri.query())).map(Self)
    }
}

/// Refuses a dry run: the route cannot tell what would come of the request.
pub struct NotDry;

impl FromRequestParts<V1> for NotDry {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, v1: &V1) -> Result<Self, Problem> {
        let DryRun(is_dry) = DryRun::from_request_parts(parts, v1).await?;
        if is_dry {
            let refused = bad(PARAMETER, "this route has no dry run");
            return Err(refused.hint("nothing was done; send the request without dryRun"));
        }
        Ok(Self)
    }
}

/// The answer about a session or a batch.
pub fn of_start(preview: Preview) -> Response {
    let Preview {
        refusals,
        proxy_user,
        launch,
        pool,
        queue,
    } = preview;
    let problems = refusals.into_iter().map(Problem::from);
    let mut refusals: Vec<_> = problems.map(Problem::into_answer).collect();
    let launch = match launch {
        Some(Ok(launch)) => Some(launch),
        Some(Err(failure)) => {
            refusals.push(Problem::of_failure(&failure).into_answer());
            None
        }
        None => None,
    };
    let start = launch.as_ref().map(|launch| StartPreview {
        proxy_user: proxy_user.as_deref(),
        conf: &launch.conf,
        command: &launch.command,
        pool: pool.as_ref(),
        queue,
    });
    response::ok(&PreviewAnswer::new(refusals, start))
}

/// The answer about a statement or a job. A session that is absent is an error in any case.
pub fn of_work(checked: Result<(), SessionError>) -> Result<Response, Problem> {
    let refusals = match checked {
        Ok(()) => Vec::new(),
        Err(error @ SessionError::NotFound(_)) => return Err(error.into()),
        Err(error) => vec![Problem::from(error).into_answer()],
    };
    Ok(response::ok(&PreviewAnswer::new(refusals, None)))
}
