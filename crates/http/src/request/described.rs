//! Parameters that several routes describe in the OpenAPI document.

#![expect(dead_code, reason = "only the OpenAPI document reads these fields")]

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// The session's number or name
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BatchPath {
    /// The batch's number or name
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct StatementPath {
    /// The session's number or name
    id: String,
    /// The statement's number
    statement: i32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// The session's number or name
    id: String,
    /// The job's number
    job: i32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Index of the first; 0 when left out
    from: Option<i32>,
    /// The greatest number of items; 100 when left out
    size: Option<i32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Index of the first line; the last `size` lines when left out or below zero
    from: Option<i32>,
    /// The greatest number of lines; 100 when left out, all when below zero
    size: Option<i32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DoAsQuery {
    /// User to impersonate; goes before proxyUser
    #[param(rename = "doAs")]
    do_as: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct AgentHeaders {
    /// `Bearer` and the driver's secret
    #[param(rename = "Authorization")]
    authorization: String,
    /// The driver's name
    #[param(rename = "Livius-Driver")]
    driver: String,
}
