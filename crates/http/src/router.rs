//! The route table.

use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use livius_sessions::{Batches, Sessions};
use tower::Layer as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::deadline::respond_within;
use crate::front::front;
use crate::options::Options;
use crate::state::AppState;
use crate::ui::page::{self, Depth};
use crate::{agent, livy, ui, v1};

/// The whole edge as a service. It takes paths as clients write them.
pub fn router(sessions: Sessions, batches: Batches, options: Options) -> Router {
    let (routes, document) = table(&options).split_for_parts();
    let document = crate::openapi::text(&document).into();
    let app = AppState::new(sessions, batches, options, document);
    let routes = routes.with_state(app.clone());
    // Layers of a router run behind its routing; the path must have its plain form before that.
    Router::new().fallback_service(from_fn_with_state(app, front).layer(routes))
}

/// The description of the whole interface.
pub fn openapi() -> OpenApi {
    table(&Options::default()).split_for_parts().1
}

/// The description as text, as it is served and checked in.
pub fn openapi_text() -> String {
    crate::openapi::text(&openapi())
}

/// Every route, and the description that grows with it.
fn table(options: &Options) -> OpenApiRouter<AppState> {
    let ours = OpenApiRouter::new()
        .merge(v1::routes())
        .merge(agent::routes())
        .merge(ui::routes())
        .layer(from_fn_with_state(options.deadline, respond_within));
    OpenApiRouter::with_openapi(crate::openapi::outline())
        .merge(livy::routes(options))
        .merge(ours)
        .fallback(unrouted)
}

/// What no route has is answered as Livy answers it; people get a page.
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

    #[test]
    fn every_route_is_described() {
        let document = openapi();
        let routes: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(
            routes,
            [
                "/",
                "/api/v1/agent",
                "/api/v1/agent/application",
                "/api/v1/agent/resources/{resource}",
                "/api/v1/batches/{id}",
                "/api/v1/batches/{id}/kill",
                "/api/v1/openapi.json",
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
            ]
        );
        let session = &document.components.expect("there are schemas").schemas["Session"];
        let session = serde_json::to_value(session).unwrap();
        assert_eq!(session["properties"].as_object().unwrap().len(), 23);
    }
}
