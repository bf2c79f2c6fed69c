//! Pages for people, and metrics for monitoring.

mod metrics;
pub mod page;
mod pages;

use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(pages::routes())
        .merge(metrics::routes())
}
