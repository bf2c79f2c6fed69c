//! The error response of the interface under `/api/v1`.

use livius_domain::Phase;
use serde::Serialize;
use utoipa::ToSchema;

/// A request that failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemAnswer {
    /// Its name, for programs, such as `not_found` or `shutting_down`.
    pub code: &'static str,
    /// In which phase a driver failed, if that is the cause: `launch`, `submit` or `running`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub phase: Option<Phase>,
    /// The parameter of the request that is at fault, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// The problem in words for people.
    pub message: String,
    /// The remedy, or the place to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The id of the request, as in the header `X-Request-Id`. The lines of the server's log about
    /// the request have it, too.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
