//! The description of the interface. It is made from the routes, so it cannot miss one.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::answer;
use crate::router::table;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Livius",
        description = "A session server for Apache Spark. The routes at the root are those of Apache Livy, which any Livy client may \
                       use; those under /api/v1 are Livius's own.",
        license(name = "Apache-2.0"),
    ),
    tags(
        (name = "sessions", description = "Interactive sessions"),
        (name = "statements", description = "Code that runs in a session"),
        (name = "jobs", description = "Programs of Livy's Java, Scala and Python clients, and files for them"),
        (name = "batches", description = "Applications that run to their end"),
        (name = "server", description = "About the server"),
        (name = "agent", description = "For the agents inside Spark drivers"),
    )
)]
struct Outline;

/// What is said of the whole, without routes.
pub fn outline() -> OpenApi {
    Outline::openapi()
}

/// The description of the whole interface.
pub fn openapi() -> OpenApi {
    table().split_for_parts().1
}

/// The description as text, as it is served and checked in.
pub fn openapi_text() -> String {
    let text = openapi().to_pretty_json();
    text.expect("a description has only string keys") + "\n"
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "server",
    responses((status = 200, description = "The description of the interface", body = Object))
)]
pub async fn openapi_get() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| Bytes::from(openapi_text()));
    answer::json(StatusCode::OK, text.clone())
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
