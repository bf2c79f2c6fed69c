//! `/api/v1/agent/application`: the listener in a batch's driver reports that the application runs.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use livius_agent_link::REPORT;
use livius_wire::ProblemAnswer;

use super::visit::{Asked, Visit};
use crate::request::body::RequestBody;
use crate::request::described::AgentHeaders;
use crate::state::AppState;
use crate::v1::Problem;

/// Takes the report of a batch's driver that its application runs.
#[utoipa::path(
    post,
    path = "/api/v1/agent/application",
    tag = "agent",
    params(AgentHeaders),
    request_body = livius_wire::ApplicationReport,
    responses(
        (status = 204, description = "It is stored"),
        (status = 400, description = "The report cannot be read", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 401, description = "The request lacks a proof; the response has the challenge for it", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 404, description = "There is no such driver, or its batch is over", body = ProblemAnswer, content_type = "application/problem+json"),
        (status = 503, description = "The driver cannot be served now", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn application_report(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let visit = Visit::of(&headers)?;
    let driver = visit.driver.clone();
    let access = app.batches.agent_access(&driver).await;
    let take = async |key| {
        let application = livius_wire::read_application_report(&body.text()?)?;
        app.batches.report(&driver, &key, application).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    let asked = Asked {
        purpose: REPORT,
        body: body.bytes(),
    };
    Ok(visit.serve(&app.challenges, access, asked, take).await)
}
