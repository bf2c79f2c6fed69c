//! Responses that several of Livy's routes describe in the OpenAPI document.

#![expect(dead_code, reason = "only the OpenAPI document reads these types")]

use livius_wire::ErrorMessage;
use utoipa::IntoResponses;

#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such session")]
pub struct NoSession(ErrorMessage);

#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such batch")]
pub struct NoBatch(ErrorMessage);

#[derive(IntoResponses)]
#[response(status = 400, description = "A parameter cannot be read")]
pub struct BadParameter(ErrorMessage);

#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "The request cannot be read (a bare JSON string) or is refused"
)]
pub struct BadRequest(ErrorMessage);

#[derive(IntoResponses)]
#[response(status = 403, description = "The caller may not impersonate that user")]
pub struct NoImpersonation(ErrorMessage);

#[derive(IntoResponses)]
#[response(status = 507, description = "The server's disk is nearly full")]
pub struct DiskFull(ErrorMessage);

#[derive(IntoResponses)]
#[response(
    status = 500,
    description = "The session has ended: a bare JSON string"
)]
pub struct SessionEnded(String);

#[derive(IntoResponses)]
pub enum JobRefusals {
    #[response(
        status = 400,
        description = "The request cannot be read (a bare JSON string) or is refused, as by a session that has ended"
    )]
    BadRequest(ErrorMessage),
    #[response(status = 404, description = "There is no such session")]
    NoSession(ErrorMessage),
    #[response(
        status = 429,
        description = "Too many jobs of the session are not over",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    TooMany(ErrorMessage),
}

#[derive(IntoResponses)]
pub enum FileAdded {
    #[response(
        status = 200,
        description = "The driver has it; or, while the session starts, it will before anything that is sent later"
    )]
    Added,
    #[response(
        status = 400,
        description = "The request cannot be read (a bare JSON string) or is refused, as by a session that has ended"
    )]
    BadRequest(ErrorMessage),
    #[response(status = 404, description = "There is no such session")]
    NoSession(ErrorMessage),
    #[response(
        status = 429,
        description = "The driver has not taken what was added before",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    TooMany(ErrorMessage),
}

#[derive(IntoResponses)]
pub enum FileUploaded {
    #[response(
        status = 200,
        description = "The driver has it; or, while the session starts, it will before anything that is sent later"
    )]
    Added,
    #[response(
        status = 400,
        description = "The form is not one, has no such part (a bare JSON string), or is refused, as by a session that has ended"
    )]
    BadForm(ErrorMessage),
    #[response(status = 404, description = "There is no such session")]
    NoSession(ErrorMessage),
    #[response(status = 408, description = "The file came too slowly")]
    TooSlow(ErrorMessage),
    #[response(status = 413, description = "The file is too large")]
    TooLarge(ErrorMessage),
    #[response(
        status = 429,
        description = "The driver has not taken what was sent before",
        headers(("Retry-After" = u32, description = "Seconds"))
    )]
    TooMany(ErrorMessage),
    #[response(status = 507, description = "The server has no room for it")]
    NoRoom(ErrorMessage),
}
