//! Livius's own interface, under `/api/v1`: its routes and its problems.

mod batches;
mod described;
mod docs;
mod drivers;
mod events;
mod executors;
mod filter;
mod jobs;
mod keys;
mod openapi;
mod parameters;
mod pools;
mod preview;
mod problem;
mod remade;
mod sessions;
mod statements;
mod status;

use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::response::Response;
use livius_domain::Made;
use utoipa_axum::router::OpenApiRouter;

pub use self::problem::{Problem, name_request};
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

    fn does_nothing(&self, parts: &Parts) -> bool {
        preview::is_dry(parts)
    }

    async fn remade(&self, parts: &mut Parts, made: Made) -> Result<Response, Problem> {
        remade::remade(self, parts, made).await
    }
}

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .merge(batches::routes())
        .merge(docs::routes())
        .merge(drivers::routes())
        .merge(events::routes())
        .merge(executors::routes())
        .merge(jobs::routes())
        .merge(keys::routes())
        .merge(openapi::routes())
        .merge(pools::routes())
        .merge(sessions::routes())
        .merge(statements::routes())
        .merge(status::routes())
}
