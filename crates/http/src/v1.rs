//! Livius's own interface, under `/api/v1`: its routes and its problems.

mod batches;
mod executors;
mod openapi;
mod pools;
mod problem;
mod sessions;

use axum::extract::FromRef;
use utoipa_axum::router::OpenApiRouter;

pub use self::problem::Problem;
use crate::face::Face;
use crate::state::AppState;

/// The state of our own routes.
#[derive(Clone)]
pub struct V1(pub AppState);

impl FromRef<V1> for AppState {
    fn from_ref(v1: &V1) -> Self {
        v1.0.clone()
    }
}

impl Face for V1 {
    type Error = Problem;

    fn app(&self) -> &AppState {
        &self.0
    }
}

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .merge(batches::routes())
        .merge(executors::routes())
        .merge(openapi::routes())
        .merge(pools::routes())
        .merge(sessions::routes())
}
