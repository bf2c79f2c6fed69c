//! Livius's own routes, under `/api/v1`.

mod batches;
mod openapi;

use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(batches::routes())
        .merge(openapi::routes())
}
