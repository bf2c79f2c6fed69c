//! Livius's own interface, under `/api/v1`: its routes and its problems.

mod batches;
mod events;
mod executors;
mod filter;
mod keys;
mod openapi;
mod parameters;
mod pools;
mod problem;
mod sessions;
mod status;

use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::response::Response;
use livius_domain::Made;
use utoipa_axum::router::OpenApiRouter;

pub use self::problem::Problem;
use crate::face::Face;
use crate::request::rejection::Rejection;
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

    /// No route here makes anything yet. One that does writes its own answer.
    async fn remade(&self, _: &mut Parts, made: Made) -> Result<Response, Problem> {
        let error = format!("no route under /api/v1 makes {made}");
        Err(Rejection::Internal(error).into())
    }
}

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .merge(batches::routes())
        .merge(events::routes())
        .merge(executors::routes())
        .merge(keys::routes())
        .merge(openapi::routes())
        .merge(pools::routes())
        .merge(sessions::routes())
        .merge(status::routes())
}
