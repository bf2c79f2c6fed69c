//! The route table.

use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use livius_sessions::{Batches, Sessions};
use tower::Layer as _;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::front::front;
use crate::page::{self, Depth};
use crate::state::AppState;
use crate::{
    Options, agent, batch_details, batches, completion, jobs, logs, metrics, resources, server,
    statements, ui, uploads,
};

/// What fits into one packet is not worth packing.
const WORTH_PACKING_BYTES: u64 = 1_400;

/// The whole edge as a service. It takes paths as clients write them.
pub fn router(sessions: Sessions, batches: Batches, options: Options) -> Router {
    let (routes, document) = table().split_for_parts();
    let document = crate::openapi::text(&document).into();
    let app = AppState::new(sessions, batches, options, document);
    let routes = routes.with_state(app.clone());
    // Layers of a router run behind its routing; the path must have its plain form before that.
    Router::new().fallback_service(from_fn_with_state(app, front).layer(routes))
}

/// The description of the whole interface.
pub fn openapi() -> OpenApi {
    table().split_for_parts().1
}

/// The description as text, as it is served and checked in.
pub fn openapi_text() -> String {
    crate::openapi::text(&openapi())
}

/// Every route, and the description that grows with it.
fn table() -> OpenApiRouter<AppState> {
    let packing = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(WORTH_PACKING_BYTES));
    let livy = OpenApiRouter::with_openapi(crate::openapi::outline())
        .routes(routes!(
            crate::sessions::session_list,
            crate::sessions::session_create
        ))
        .routes(routes!(
            crate::sessions::session_get,
            crate::sessions::session_delete
        ))
        .routes(routes!(crate::sessions::session_state))
        .routes(routes!(crate::sessions::session_stop))
        .routes(routes!(crate::sessions::session_interrupt))
        .routes(routes!(crate::sessions::session_connect))
        .routes(routes!(logs::session_log))
        .routes(routes!(
            statements::statement_list,
            statements::statement_run
        ))
        .routes(routes!(statements::statement_get))
        .routes(routes!(statements::statement_cancel))
        .routes(routes!(completion::completion_find))
        .routes(routes!(jobs::job_submit))
        .routes(routes!(jobs::job_run))
        .routes(routes!(jobs::job_get))
        .routes(routes!(jobs::job_cancel))
        .routes(routes!(resources::add_jar))
        .routes(routes!(resources::add_pyfile))
        .routes(routes!(resources::add_file))
        .routes(routes!(uploads::upload_jar))
        .routes(routes!(uploads::upload_pyfile))
        .routes(routes!(uploads::upload_file))
        .routes(routes!(batches::batch_list, batches::batch_create))
        .routes(routes!(batches::batch_get, batches::batch_delete))
        .routes(routes!(batches::batch_state))
        .routes(routes!(logs::batch_log))
        .layer(packing);
    livy.routes(routes!(server::version_get))
        .routes(routes!(server::root_get))
        .routes(routes!(ui::ui_get))
        .routes(routes!(ui::ui_session))
        .routes(routes!(ui::ui_session_log))
        .routes(routes!(ui::ui_batch_log))
        .routes(routes!(ui::static_get))
        .routes(routes!(metrics::menu_get))
        .routes(routes!(metrics::metrics_get))
        .routes(routes!(metrics::healthcheck_get))
        .routes(routes!(metrics::ping_get))
        .routes(routes!(crate::openapi::openapi_get))
        .routes(routes!(agent::agent_connect))
        .routes(routes!(agent::application::application_report))
        .routes(routes!(agent::resources::resource_get))
        .routes(routes!(batch_details::batch_detail))
        .routes(routes!(batch_details::batch_kill))
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
