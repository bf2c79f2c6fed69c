//! Responses that several of our own routes describe in the OpenAPI document.

#![expect(dead_code, reason = "only the OpenAPI document reads these types")]

use livius_wire::ProblemAnswer;
use utoipa::IntoResponses;

#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such session, or no such thing in it",
    content_type = "application/problem+json"
)]
pub struct NoSession(ProblemAnswer);

#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "There is no such batch",
    content_type = "application/problem+json"
)]
pub struct NoBatch(ProblemAnswer);

#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "A parameter cannot be read; `field` names it",
    content_type = "application/problem+json"
)]
pub struct BadParameter(ProblemAnswer);

#[derive(IntoResponses)]
#[response(
    status = 409,
    description = "The session does not run any more; `hint` has the reason",
    content_type = "application/problem+json"
)]
pub struct NotActive(ProblemAnswer);

/// The refusals of a request that creates something.
#[derive(IntoResponses)]
pub enum Refusals {
    #[response(
        status = 400,
        description = "The request cannot be read, or is refused",
        content_type = "application/problem+json"
    )]
    BadRequest(ProblemAnswer),
    #[response(
        status = 403,
        description = "The caller may not do this, or not as that user",
        content_type = "application/problem+json"
    )]
    Forbidden(ProblemAnswer),
    #[response(
        status = 429,
        description = "There are too many already",
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    TooMany(ProblemAnswer),
    #[response(
        status = 507,
        description = "The server's disk is nearly full",
        content_type = "application/problem+json"
    )]
    DiskFull(ProblemAnswer),
}
