//! `/api/v1/pools`: the drivers that wait for sessions.

use axum::extract::State;
use axum::response::Response;
use livius_wire::PoolsAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::V1;
use crate::response;
use crate::state::AppState;

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new().routes(routes!(pool_list))
}

/// Shows the pools: their drivers, how many sessions got one, and why others did not. It shows no
/// session and no value of a request.
#[utoipa::path(
    get,
    path = "/api/v1/pools",
    tag = "pools",
    responses((status = 200, description = "The pools", body = PoolsAnswer))
)]
pub async fn pool_list(State(app): State<AppState>) -> Response {
    response::ok(&PoolsAnswer::new(&app.sessions.pools()))
}
