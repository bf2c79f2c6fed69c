//! Pages for people, and metrics for monitoring.

mod exposition;
mod figures;
mod metrics;
pub mod page;
mod pages;

use utoipa_axum::router::OpenApiRouter;

use crate::livy::Livy;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .merge(pages::routes())
        .merge(metrics::routes())
}
