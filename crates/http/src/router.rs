//! The route table.

use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use bytes::Bytes;
use livius_sessions::{Batches, Sessions};
use tower::Layer as _;
use utoipa::openapi::OpenApi;

use crate::deadline::respond_within;
use crate::face::Face;
use crate::front::front;
use crate::keyed::keyed;
use crate::livy::{Livy, Refusal};
use crate::options::Options;
use crate::request::route::noted;
use crate::state::AppState;
use crate::ui::page::{self, Depth};
use crate::v1::{Problem, V1};
use crate::{agent, livy, ui, v1};

/// All routes, by interface, and the OpenAPI document that describes them.
struct Table {
    livy: Router<Livy>,
    ui: Router<Livy>,
    v1: Router<V1>,
    document: OpenApi,
}

impl Table {
    fn new(options: &Options) -> Self {
        let promptly = options.deadline;
        let ui = ui::routes().layer(from_fn_with_state(promptly, respond_within::<Refusal>));
        let (ui, pages) = ui.split_for_parts();
        let (livy, livys) = livy::routes(options).split_for_parts();
        let v1 = v1::routes()
            .merge(agent::routes())
            .layer(from_fn_with_state(promptly, respond_within::<Problem>));
        let (v1, ours) = v1.split_for_parts();
        let mut document = crate::openapi::outline();
        for part in [livys, pages, ours] {
            document.merge(part);
        }
        crate::openapi::describe_keys(&mut document);
        Self {
            livy,
            ui,
            v1,
            document,
        }
    }
}

/// Builds the whole edge. It takes paths as clients write them.
pub fn router(sessions: Sessions, batches: Batches, options: Options) -> Router {
    let Table {
        livy,
        ui,
        v1,
        document,
    } = Table::new(&options);
    let text = crate::openapi::text(&document).into();
    let app = AppState::new(sessions, batches, options, document.paths, text);
    // The answers that are kept are not compressed.
    let livy = livy::compressed(done_once(livy, Livy(app.clone())));
    let ui: Router = ui.with_state(Livy(app.clone()));
    let v1 = done_once(v1, V1(app.clone()));
    let routes = livy.merge(ui).merge(v1).route_layer(from_fn(noted));
    let routes = routes.fallback(unrouted);
    // A router's own layers run after its routing, but the path must be normalised before.
    Router::new().fallback_service(from_fn_with_state(app, front).layer(routes))
}

/// Puts the routes of a face behind the layer that does each request with a key once.
fn done_once<F: Face>(routes: Router<F>, face: F) -> Router {
    let once = from_fn_with_state(face.clone(), keyed::<F>);
    let routes: Router = routes.with_state(face);
    routes.route_layer(once)
}

/// Builds the routes that agents need, and no others.
pub fn agent_router(sessions: Sessions, batches: Batches, options: Options) -> Router {
    let promptly = options.deadline;
    let routes = agent::routes().layer(from_fn_with_state(promptly, respond_within::<Problem>));
    let (routes, document) = routes.split_for_parts();
    let app = AppState::new(sessions, batches, options, document.paths, Bytes::new());
    let routes: Router = routes.with_state(V1(app.clone()));
    let routes = routes.route_layer(from_fn(noted)).fallback(unrouted);
    Router::new().fallback_service(from_fn_with_state(app, front).layer(routes))
}

/// Returns the OpenAPI document.
pub fn openapi() -> OpenApi {
    Table::new(&Options::default()).document
}

/// Returns the OpenAPI document as text, as it is served and checked in.
pub fn openapi_text() -> String {
    crate::openapi::text(&openapi())
}

/// Answers a path that has no route: a page under `/ui/`, Livy's empty 404 elsewhere.
async fn unrouted(uri: Uri, Extension(depth): Extension<Depth>) -> Response {
    if uri.path().starts_with("/ui/") {
        page::missing(depth)
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: [&str; 70] = [
        "/",
        "/api/docs",
        "/api/docs/{file}",
        "/api/v1/agent",
        "/api/v1/agent/application",
        "/api/v1/agent/resources/{resource}",
        "/api/v1/batches",
        "/api/v1/batches/{id}",
        "/api/v1/batches/{id}/events",
        "/api/v1/batches/{id}/executors",
        "/api/v1/batches/{id}/executors/{executor}/log",
        "/api/v1/batches/{id}/kill",
        "/api/v1/batches/{id}/log/events",
        "/api/v1/drivers",
        "/api/v1/drivers/{driver}",
        "/api/v1/events",
        "/api/v1/keys/{key}",
        "/api/v1/openapi.json",
        "/api/v1/pools",
        "/api/v1/sessions",
        "/api/v1/sessions/{id}",
        "/api/v1/sessions/{id}/events",
        "/api/v1/sessions/{id}/executors",
        "/api/v1/sessions/{id}/executors/{executor}/log",
        "/api/v1/sessions/{id}/interrupt",
        "/api/v1/sessions/{id}/jobs",
        "/api/v1/sessions/{id}/jobs/{job}",
        "/api/v1/sessions/{id}/jobs/{job}/cancel",
        "/api/v1/sessions/{id}/log/events",
        "/api/v1/sessions/{id}/statements",
        "/api/v1/sessions/{id}/statements/{statement}",
        "/api/v1/sessions/{id}/statements/{statement}/cancel",
        "/api/v1/sessions/{id}/statements/{statement}/events",
        "/api/v1/sessions/{id}/stop",
        "/api/v1/status",
        "/batches",
        "/batches/{id}",
        "/batches/{id}/log",
        "/batches/{id}/state",
        "/metrics",
        "/metrics/healthcheck",
        "/metrics/metrics",
        "/metrics/ping",
        "/sessions",
        "/sessions/{id}",
        "/sessions/{id}/add-file",
        "/sessions/{id}/add-jar",
        "/sessions/{id}/add-pyfile",
        "/sessions/{id}/completion",
        "/sessions/{id}/connect",
        "/sessions/{id}/interrupt",
        "/sessions/{id}/jobs/{job}",
        "/sessions/{id}/jobs/{job}/cancel",
        "/sessions/{id}/log",
        "/sessions/{id}/run-job",
        "/sessions/{id}/state",
        "/sessions/{id}/statements",
        "/sessions/{id}/statements/{statement}",
        "/sessions/{id}/statements/{statement}/cancel",
        "/sessions/{id}/stop",
        "/sessions/{id}/submit-job",
        "/sessions/{id}/upload-file",
        "/sessions/{id}/upload-jar",
        "/sessions/{id}/upload-pyfile",
        "/static/{path}",
        "/ui",
        "/ui/batch/{id}/log",
        "/ui/session/{id}",
        "/ui/session/{id}/log",
        "/version",
    ];

    #[test]
    fn every_route_is_described() {
        let document = openapi();
        let routes: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(routes, ROUTES);
        let session = &document.components.expect("there are schemas").schemas["Session"];
        let session = serde_json::to_value(session).unwrap();
        assert_eq!(session["properties"].as_object().unwrap().len(), 23);
    }
}
