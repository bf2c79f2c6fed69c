//! `/api/v1/openapi.json`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::V1;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new().routes(routes!(openapi_get))
}

/// Shows the OpenAPI document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "server",
    responses((status = 200, description = "The description of the interface", body = Object))
)]
pub async fn openapi_get(State(app): State<AppState>) -> Response {
    response::json(StatusCode::OK, app.openapi)
}
